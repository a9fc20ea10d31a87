/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_map_list. Included by template.h only. */
#ifndef SLUICE_PGTABLE_MAP_LIST_H
#define SLUICE_PGTABLE_MAP_LIST_H

#include "map.h"

/* Goes on from *at to an empty entry of a table of level 0, adding the tables that are missing. */
static inline int reach_page(struct pgtable *pt, uint64_t dfn, struct place *at)
{
    bool fresh;

    for (;;) {
        int r;

        follow_links(pt, dfn, at);
        if (at->entry != FMT_EMPTY)
            return -EEXIST;
        if (!at->level)
            return 0;
        r = add_table(pt, dfn, at, &fresh);
        if (r)
            return r;
    }
}

PT_INLINE bool frames_ok(const mfn_t *mfn, unsigned n)
{
    uint64_t all = 0;
    unsigned i = 0;

    for (; i + 4 <= n; i += 4)
        all |= (mfn[i].n | mfn[i + 1].n) | (mfn[i + 2].n | mfn[i + 3].n);
    for (; i < n; i++)
        all |= mfn[i].n;
    return !(all >> (FMT_OA_BITS - FRAME_LG2));
}

/* Leaves into the n entries at slot, or as many as are empty from the first on; how many. */
PT_INLINE unsigned fill_list(uint64_t *slot, unsigned n, const mfn_t *mfn, unsigned attr,
                             bool track)
{
    unsigned i = 0;

    for (; i + 8 <= n && eight_empty(slot + i); i += 8) /* one branch for eight, see entry.h */
        for (unsigned k = i; k < i + 8; k++)
            entry_write(slot + k, leaf_make(mfn[k].n, 0, 0, attr, track));
    for (; i < n && slot[i] == FMT_EMPTY; i++)
        entry_write(slot + i, leaf_make(mfn[i].n, 0, 0, attr, track));
    return i;
}

static int map_list(struct pgtable *pt, uint64_t dfn, const mfn_t *mfn, uint64_t nr, unsigned attr,
                    uint64_t *done)
{
    struct place at = find(pt, dfn);
    unsigned n = entries_left(dfn, nr, 0);
    int r;

    *done = 0;
    CHECK(pt->pages->port, frames_ok(mfn, n));
    r = reach_page(pt, dfn, &at);
    if (r)
        return r;
    n = fill_list(at.slot, n, mfn, attr, pt->geo.dirty);
    publish(pt, dfn, at.slot, n);
    *done = n;
    return 0;
}

#endif
