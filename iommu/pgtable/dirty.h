/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_dirty. Included by template.h only. */
#ifndef SLUICE_PGTABLE_DIRTY_H
#define SLUICE_PGTABLE_DIRTY_H

#include "walk.h"

/* Atomic: hardware may set its marks, or see the rights, at any time in between. */
static void clean_leaf(struct pgtable *pt, uint64_t *slot, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t old = entry_read(slot + i);

        while (!entry_swap(slot + i, &old, fmt_clean(old)))
            ;
    }
    entries_writeback(pt, slot, n);
}

/* The mark goes before the visitor is told: what it then does cannot miss a later write. */
static int visit_dirty(struct pgtable *pt, uint64_t *slot, uint64_t e, unsigned level, uint64_t dfn,
                       void *arg)
{
    struct visitor *v = arg;
    unsigned n = leaf_entries(e, level);
    struct pt_leaf leaf;

    if (!fmt_is_leaf(e, level) || !any_dirty(slot, n))
        return 0;
    describe(dfn, e, level, fmt_is_retired(e), &leaf);
    leaf.dirty = true;
    if (v->clear)
        clean_leaf(pt, slot, n);
    return v->visit(v->arg, &leaf);
}

static int dirty(struct pgtable *pt, uint64_t first, uint64_t last, bool clear, pt_visit visit,
                 void *arg)
{
    struct visitor v = {.visit = visit, .arg = arg, .clear = clear};

    return each_leaf(pt, first, last, visit_dirty, &v);
}

#endif
