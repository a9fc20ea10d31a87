/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pending flush: what was taken out of a context's tables and may still be reached by devices.
 * The one way to release frames and table pages is to commit it, after hardware said that it is
 * done.
 */
#ifndef SLUICE_CORE_FLUSH_H
#define SLUICE_CORE_FLUSH_H

#include "context.h"

#define FLUSH_TABLES 16u

struct flush {
    struct context *c;
    dfn_t first, last; /* what changed; everything in `freed` was in there */
    bool tables;       /* table pointers changed too */
    bool referenced;   /* the freed frames were mapped by calls: drop their references */
    struct pt_freed freed;
    unsigned nr_tables;
    mfn_t table[FLUSH_TABLES];
};

/*
 * Flushes where devices are in the context, waits, releases. One submission for each unit. -EIO: a
 * unit failed, nothing was released and never will be.
 */
int flush_commit(struct flush *f);

/*
 * The first half alone, for who releases what it took itself: once it has returned 0, nothing that
 * was taken out of [f->first, f->last] is reached any more. -EIO.
 */
int flush_wait(const struct flush *f);

/*
 * Leaves are taken out for a flush that comes later: their entries stay retired, and name what is
 * to be released. All of the range is there, and no leaf sticks out.
 */
void flush_retire(struct context *c, dfn_t first, uint64_t nr);

/* After it: retired entries of the range become empty; `put` gets their frames, run by run. */
void flush_release(struct context *c, dfn_t first, uint64_t nr, pt_release_run put, void *arg);

/* A unit did not complete a flush, or said `err`: it is given up. With its lock held. */
void flush_failed(struct instance *s, struct hw_unit *unit, int err);

/* Submits to a unit and waits, under its lock. -EIO: it failed, now or earlier, and blocks all DMA.
 */
int flush_unit(struct instance *s, struct hw_unit *unit, const struct hw_inv *inv, unsigned nr);

#endif
