/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred contexts: what their unmaps take out stays retired in the tables and is pending, its
 * frames referenced, until one flush for all of it has completed. Then it is released.
 *
 * Settling is flushing and releasing. flush_context asks for it, a map that needs the room or the
 * references, and a bound: of ranges, of frames, or of time (deferred_check, sluice_tick).
 */
#ifndef SLUICE_CORE_DEFERRED_H
#define SLUICE_CORE_DEFERRED_H

#include "trim.h"

/* A context that is being built will defer. -ENOMEM: then it does not. */
int deferred_init(struct context *c);

/* It ends, and no device reaches what is pending: the tables are the list of what is left. */
void deferred_fini(struct context *c);

/* Does somebody settle? With the context's lock held. */
bool deferred_is_busy(const struct context *c);

/* Frames that are pending. */
uint64_t deferred_frames(struct context *c);

/*
 * Retired entries, no more than a settling may release between two checks for preemption, become
 * pending; their range is the caller's span. False: there is no room, flush now.
 */
bool deferred_add(struct context *c, dfn_t first, uint64_t nr);

/*
 * Settles what is pending now, with no span of the context held. *until is 0 at the first call, and
 * kept for the next. 0: done; -ERESTART: not yet, or somebody else is at it; -EINVAL: the context
 * is gone; -EIO: a unit failed, nothing of it is released, ever.
 */
int deferred_settle(struct context *c, uint32_t generation, uint64_t *until);

/* Settles if a bound is reached, as far as it goes without being preempted. -EIO. */
int deferred_check(struct context *c, uint32_t generation);

/*
 * A map stopped with `err` at page `done`, which is in its span: may settling help? Asked once for
 * each page that it comes to.
 */
bool deferred_may_help(struct context *c, const struct page_range *r, uint32_t done,
                       const struct trim *t, int err);
/* Then, after it left: -ERESTART: map again; -EINVAL, -EIO. */
int deferred_help(struct context *c, const struct page_range *r, struct trim *t);

#endif
