/* SPDX-License-Identifier: BSD-2-Clause */
/* Playing a trace. */
#ifndef CLI_REPLAY_REPLAY_H
#define CLI_REPLAY_REPLAY_H

#include "../progress.h"
#include "frames.h"
#include "guest.h"
#include "space.h"

enum replay_policy {
    REPLAY_STRICT,
    REPLAY_DEFERRED, /* this and the next: of hypercalls */
    REPLAY_STANDING,
    REPLAY_TRACED /* of emulated units: what is invalidated when is the trace's */
};

/* By what the guest has its devices' addresses translated. */
enum replay_through {
    REPLAY_HYPERCALLS,
    REPLAY_VIOMMU, /* its own driver for an emulated VT-d, in legacy mode: shadowed */
    REPLAY_NESTED  /* in scalable mode, with first-stage tables: the hardware walks them */
};

struct replay_config {
    const struct machine_kind *machine;
    enum replay_through through;
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

struct replay_way;
struct emulated;

struct replay {
    const struct replay_config *config;
    const struct replay_way *way;
    struct emulated *emulated; /* of emulated units */
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
const char *replay_through_name(enum replay_through through);
bool replay_suits(enum replay_through through, enum replay_policy policy);

/* ---- Between the files -------------------------------------------------------------------------
 */

/*
 * How a trace is played. All but `free` return 0, a negative errno, or 0 with the words in
 * guest.wrong.
 */
struct replay_way {
    uint64_t (*memory)(const struct trace *t); /* what it needs beside the trace's, in bytes */
    int (*open)(struct replay *r);
    int (*play)(struct replay *r, uint32_t op);
    int (*flush)(struct replay *r);  /* what is still to be flushed */
    int (*final)(struct replay *r);  /* has the machine what the trace implies, and no more? */
    int (*finish)(struct replay *r); /* ends what is still there */
    void (*free)(struct replay *r);
};
extern const struct replay_way replay_by_hypercalls, replay_by_viommu;

/* 0; a negative errno of the DMA layer; or guest.wrong has the words. */
int replay_map(struct replay *r, const struct trace_op *op);
int replay_unmap(struct replay *r, const struct trace_op *op);

/* Has the machine what the trace implies at its end, and nothing else? */
int replay_final(struct replay *r);
/* Ends what is still there. */
int replay_finish(struct replay *r);

#endif
