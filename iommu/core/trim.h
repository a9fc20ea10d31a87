/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving empty tables up: where a larger leaf is to stand, or when the budget of tables is spent.
 */
#ifndef SLUICE_CORE_TRIM_H
#define SLUICE_CORE_TRIM_H

#include "map.h"

/*
 * What a map call gives up when a budget is spent: pending unmaps, then empty tables, for which it
 * searches. All zero at its start.
 */
struct trim {
    bool active;    /* searching, from the cursor on */
    bool freed;     /* some were found since the search began */
    bool done;      /* the search is over; nothing was mapped since */
    bool settled;   /* what was pending before `until` is released; nothing was mapped since */
    uint64_t until; /* deferred.h */
    dfn_t cursor;
};

/* Empty tables of the range, which is the caller's span, go: they would force smaller leaves. -EIO.
 */
int trim_range(struct context *c, dfn_t first, dfn_t last);

/*
 * The budget of tables is spent: empty ones of the context are given up for it. -ERESTART: not
 * through yet, or some were found: map again; -ENOMEM: there are none; -EIO.
 */
int trim_context(struct domain *d, const struct page_range *r, struct trim *t);

#endif
