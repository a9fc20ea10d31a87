/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's bus-frame space: its context 0, as the frames ABI edits it. An entry there is implicit
 * (the identity map of the domain's memory, or a window: no references) or explicit (PT_MARK: made
 * by a call). An explicit one takes an implicit one's place, for good.
 *
 * Who works on a space has all of it for himself: its span is the whole context.
 */
#ifndef SLUICE_CORE_SPACE_H
#define SLUICE_CORE_SPACE_H

#include "flush.h"

#define SPACE_PENDING   32u    /* runs */
#define SPACE_FRAMES    65536u /* in them: what a settling has to release */
#define SPACE_MAX_ORDER 9u     /* frames of an element, log2: its work is bounded by them */

/* What is done with a frame once no device reaches it any more. */
enum space_kind {
    SPACE_LOCAL, /* the domain's own: its reference goes */
    SPACE_HELD,  /* held through the reverse map: that reference goes */
    SPACE_BARE,  /* nothing */
};

struct space {
    struct domain *d;
    struct context *c; /* NULL: no IOMMU, so no table */
    struct span span;
    bool implicit;
    uint32_t tables;    /* of the context, when it was entered */
    struct flush flush; /* what devices may still have cached; empty unless dirty */
    bool dirty;
    bool failed; /* a unit did not confirm a flush: nothing of what was pending was released */
    unsigned nr_pending;
    uint64_t nr_frames; /* of all of them */
    struct {
        dfn_t bfn;
        uint64_t nr;
        enum space_kind kind;
    } pending[SPACE_PENDING]; /* retired entries, in the table */
};

/* -ERESTART: somebody else is at work there; -EINVAL: it is gone. */
int space_enter(struct domain *d, struct space *sp);
/* The same for who changes implicit entries: the tables that they need are the host's affair. */
int space_enter_implicit(struct domain *d, struct space *sp);
/* What is pending is settled. */
void space_leave(struct space *sp);

/* Flushes what changed, and releases what was pending. -EIO: it did not, now or earlier. */
int space_settle(struct space *sp);

/* [bfn, bfn + nr) changed: something may be cached of it that is not true any more. */
void space_touch(struct space *sp, dfn_t bfn, uint64_t nr);

/*
 * May explicit entries be made there? 0, -EINVAL (beyond the width), -EACCES (reserved), -EEXIST
 * (there are some), -EIO. Changes nothing, but for what was pending.
 */
int space_check(struct space *sp, dfn_t bfn, uint64_t nr);

/*
 * Takes implicit entries out of a range that was checked. If there were any, what comes in their
 * place needs no memory for tables. whole: it is one run of frames, aligned like the range.
 * -ENOMEM: nothing has changed; -EIO.
 */
int space_clear(struct space *sp, dfn_t bfn, uint64_t nr, bool whole);

/* pt_map of explicit entries: a step. Larger leaves only if the range has an `order`. */
int space_put(struct space *sp, dfn_t bfn, mfn_t mfn, uint64_t nr, unsigned order, unsigned attr,
              uint64_t *done);

/* The explicit entry at bfn. -ENOENT: there is none. */
int space_find(const struct space *sp, dfn_t bfn, mfn_t *mfn);

/*
 * Takes explicit entries out, no leaf of which sticks out; they are pending. There is room for
 * them: space_room settles if there was none, without locks held. -EIO is for the next settling.
 */
void space_room(struct space *sp);
void space_take(struct space *sp, dfn_t bfn, uint64_t nr, enum space_kind kind);

/* The same for the implicit entry of a 4K leaf, which was held by the reverse map: SPACE_HELD. */
void space_take_implicit(struct space *sp, dfn_t bfn);

/* Splits leaves that stick out of the range. -ENOMEM. */
int space_split(struct space *sp, dfn_t bfn, uint64_t nr);

/* map_page of the domain's own frames, all or nothing: -ENXIO -EPERM -ENOMEM. */
int space_map_own(struct space *sp, dfn_t bfn, gfn_t gfn, unsigned order, unsigned attr);

/* The domain ends, and its devices have left: its explicit entries go. Bounded work: -ERESTART. */
int space_end(struct domain *d);

/* The largest order of a map: bounded, as an element is not preempted. */
unsigned space_max_order(const struct instance *s);

#endif
