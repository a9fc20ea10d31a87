/* SPDX-License-Identifier: BSD-2-Clause */
/* Playing a trace. */
#ifndef CLI_REPLAY_REPLAY_H
#define CLI_REPLAY_REPLAY_H

#include "../progress.h"
#include "frames.h"
#include "guest.h"
#include "space.h"

enum replay_policy { REPLAY_STRICT, REPLAY_DEFERRED, REPLAY_STANDING };

struct replay_config {
    const struct machine_kind *machine;
    enum replay_policy policy;
    unsigned order;       /* REPLAY_STANDING: 1 << order pages stand together */
    unsigned check_every; /* operations between two comparisons; 0: only at the end */
    unsigned dma_every;   /* every so many maps a device uses one; 0: never */
};

struct replay_counts {
    uint64_t calls;                    /* of the DMA layer that mapped: a list is one */
    uint64_t left;                     /* unmaps of what was left at the end of a domain */
    uint64_t map_ns, unmap_ns;         /* all together */
    uint64_t peak_frames, peak_tables; /* that the hypervisor had mapped, and had for tables */
    uint64_t dma, blocked, late; /* by devices: while mapped; after the unmap, stopped or not */
    uint64_t checks;
    uint64_t finals; /* pages that were looked up at the end */
};

struct replay {
    const struct replay_config *config;
    const struct trace *t;
    struct frames_map frames;
    struct guest guest;
    struct replay_space *spaces;
    struct dma_device devices[TRACE_DEVICES]; /* where they are now; .space NULL: nowhere yet */
    struct dma_mapping **live;                /* by head of a list */
    unsigned since_map, since_unmap;          /* operations since one was sampled */
    struct replay_counts counts;
    struct guest_counts cost; /* of maps, unmaps and flushes: without setting up and looking */
    struct dma_stats dma;     /* of all spaces */
    unsigned leaked;
    char error[GUEST_WRONG + 400]; /* what went wrong, and where; or "" */
};

/* -EINVAL and the like: there is no such machine; error says why. Otherwise 0, and r->error. */
int replay_run(struct replay *r, const struct replay_config *config, const struct trace *t,
               const char *name, struct progress *progress);
void replay_free(struct replay *r);

const char *replay_policy_name(enum replay_policy policy);

/* ---- Between the files -------------------------------------------------------------------------
 */

/* 0; a negative errno of the DMA layer; or guest.wrong has the words. */
int replay_map(struct replay *r, const struct trace_op *op);
int replay_unmap(struct replay *r, const struct trace_op *op);
int replay_attach(struct replay *r, const struct trace_op *op);
int replay_end(struct replay *r, const struct trace_op *op);

/* Has the machine what the trace implies at its end, and nothing else? */
int replay_final(struct replay *r);
/* Ends what is still there. */
int replay_finish(struct replay *r);

#endif
