/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_walk. Included by template.h only. */
#ifndef SLUICE_PGTABLE_WALK_H
#define SLUICE_PGTABLE_WALK_H

#include "lookup.h"

/*
 * What is done to the leaf `e` at slot (its first entry), whose first frame is at dfn. Non-zero
 * ends the walk.
 */
typedef int (*leaf_fn)(struct pgtable *pt, uint64_t *slot, uint64_t e, unsigned level, uint64_t dfn,
                       void *arg);

/*
 * From *dfn on inside the table that `at` is in; *dfn moves past what was seen. Where a table
 * appeared below (made by another thread, for a range beside this one) it stops, and the caller
 * goes down.
 */
PT_INLINE int each_in_table(struct pgtable *pt, struct place at, uint64_t *dfn, uint64_t last,
                            leaf_fn fn, void *arg)
{
    uint64_t span = entry_span(at.level);
    uint64_t here = *dfn & ~(span - 1);
    uint64_t end = (*dfn & ~(table_span(at.level) - 1)) + table_span(at.level);

    while (here < end && here <= last) {
        uint64_t e = entry_read(at.slot);
        unsigned count = 1;
        int r = 0;

        if (fmt_is_table(e, at.level))
            break;
        if (fmt_is_leaf(e, at.level) || fmt_is_retired(e)) {
            uint64_t start = here & ~(leaf_frames(e, at.level) - 1);
            unsigned before = (unsigned)((here - start) / span);

            count = leaf_entries(e, at.level) - before;
            r = fn(pt, at.slot - before, e, at.level, start, arg);
        }
        here += count * span;
        at.slot += count;
        *dfn = here;
        if (r)
            return r;
    }
    return 0;
}

PT_INLINE int each_leaf(struct pgtable *pt, uint64_t first, uint64_t last, leaf_fn fn, void *arg)
{
    int r = 0;

    while (!r && first <= last)
        r = each_in_table(pt, find(pt, first), &first, last, fn, arg);
    return r;
}

struct visitor {
    pt_visit visit;
    void *arg;
    bool clear;
};

static int visit_leaf(struct pgtable *pt, uint64_t *slot, uint64_t e, unsigned level, uint64_t dfn,
                      void *arg)
{
    struct visitor *v = arg;
    struct pt_leaf leaf;

    describe(dfn, e, level, fmt_is_retired(e), &leaf);
    leaf.dirty = pt->geo.dirty && any_dirty(slot, leaf_entries(e, level));
    return v->visit(v->arg, &leaf);
}

/* The walk itself changes nothing; each_leaf serves pt_dirty as well, which does. */
static int walk(const struct pgtable *pt, uint64_t first, uint64_t last, pt_visit visit, void *arg)
{
    struct visitor v = {.visit = visit, .arg = arg};

    return each_leaf((struct pgtable *)(uintptr_t)pt, first, last, visit_leaf, &v);
}

#endif
