/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_retire. Included by template.h only. */
#ifndef SLUICE_PGTABLE_RETIRE_H
#define SLUICE_PGTABLE_RETIRE_H

#include "unmap.h"

/* Where marks are not kept, one that hardware sets meanwhile may get lost: a store does. */
PT_INLINE void retire_entries(const struct pgtable *pt, uint64_t *slot, unsigned n)
{
    if (pt->geo.dirty) {
        retire_leaf(slot, n);
        return;
    }
    for (unsigned i = 0; i < n; i++)
        entry_write(slot + i, fmt_retire(entry_own(slot + i)));
}

PT_INLINE int retire_here(const struct pgtable *pt, const struct place *at, unsigned level,
                          uint64_t dfn, uint64_t nr, uint64_t *done)
{
    unsigned shift = fmt_shift(level), i = 0, count;
    unsigned n = table_entries(level) - table_index(dfn, level);
    uint64_t e = at->entry;
    int r = leaf_fits(e, level, dfn, nr);

    *done = 0;
    if (PT_UNLIKELY(r))
        return r;
    if (nr >> shift < n)
        n = (unsigned)(nr >> shift);
    do {
        count = leaf_entries(e, level);
        retire_entries(pt, at->slot + i, count);
        i += count;
        if (i == n)
            break;
        e = entry_read(at->slot + i);
    } while (fmt_is_leaf(e, level) && leaf_entries(e, level) <= n - i);
    entries_writeback(pt, at->slot, i);
    *done = (uint64_t)i << shift;
    return 0;
}

static int retire(struct pgtable *pt, uint64_t dfn, uint64_t nr, uint64_t *done)
{
    struct place at = find(pt, dfn);

    if (PT_LIKELY(!at.level))
        return retire_here(pt, &at, 0, dfn, nr, done); /* compiled with constant shifts */
    return retire_here(pt, &at, at.level, dfn, nr, done);
}

#endif
