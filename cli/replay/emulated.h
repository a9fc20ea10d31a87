/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace through an emulated VT-d unit: the guest's own driver, its tables, and its queue. */
#ifndef CLI_REPLAY_EMULATED_H
#define CLI_REPLAY_EMULATED_H

#include "../../guest/vtd/driver.h"
#include "sample.h"

#define EMULATED_NOWHERE UINT16_MAX
#define EMULATED_LATE    64u
#define EMULATED_WAITING 256u /* unmaps, at the most, as in Linux's queue */

struct emulated_space {
    struct gvtd_table table;
    uint16_t did;
    unsigned nr_devices;
};

struct emulated {
    struct gvtd_port port;
    struct gvtd_memory memory;
    struct gvtd unit;
    struct emulated_space *spaces;
    uint16_t where[TRACE_DEVICES]; /* the space of each device */
    /* What was unmapped and not flushed yet, and is to be tried once it is. */
    struct place late[EMULATED_LATE];
    unsigned nr_late;
    /* All that was unmapped and not flushed yet. */
    struct emulated_range {
        uint64_t first, last;
        uint16_t space;
    } waiting[EMULATED_WAITING];
    unsigned nr_waiting;
};

/* ---- Between the files -------------------------------------------------------------------------
 */

int emulated_open(struct replay *r);
void emulated_free(struct replay *r);
/* Pages of tables that the trace's maps can need, and the unit's own, in bytes. */
uint64_t emulated_memory(const struct trace *t);

int emulated_attach(struct replay *r, unsigned device, uint16_t space);
int emulated_detach(struct replay *r, unsigned device);

/* ---- late.c: what was unmapped, until it is flushed --------------------------------------------
 */

/* To be tried by a device when it is flushed. */
void late_remember(struct emulated *e, const struct place *p);
/* Something else is mapped there now, or nobody is there any more. */
void late_forget(struct emulated *e, uint16_t space, uint64_t iova, uint64_t size);
/* It was flushed: no device reaches it. */
void late_flushed(struct replay *r, uint16_t space, uint64_t iova, uint64_t size);
/* It waits for its flush; where too much does, the domain is flushed. */
int late_wait(struct replay *r, uint16_t space, uint64_t iova, uint64_t size);
bool late_waits(const struct emulated *e, uint16_t space, uint64_t iova, uint64_t size);

int emulated_final(struct replay *r);
int emulated_finish(struct replay *r);

#endif
