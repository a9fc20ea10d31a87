/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_point. Included by template.h only. */
#ifndef SLUICE_PGTABLE_POINT_H
#define SLUICE_PGTABLE_POINT_H

#include "find.h"

/* One store: hardware sees the old frame or the new one, and the marks that it made stay. */
static int point(struct pgtable *pt, uint64_t dfn, uint64_t mfn)
{
    const struct place at = find(pt, dfn);
    uint64_t old = at.entry, new;

    if (!fmt_is_leaf(old, at.level))
        return -ENOENT;
    if (fmt_leaf_order(old, at.level))
        return -EINVAL;
    do {
        new = fmt_leaf(mfn, 0, at.level, fmt_attr(old), pt->geo.dirty) | (old & FMT_MARK);
        if (pt->geo.dirty && fmt_is_dirty(old))
            new = fmt_dirty(new);
    } while (!entry_swap(at.slot, &old, new));
    entries_writeback(pt, at.slot, 1);
    return 0;
}

#endif
