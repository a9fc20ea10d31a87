/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_lookup. Included by template.h only. */
#ifndef SLUICE_PGTABLE_LOOKUP_H
#define SLUICE_PGTABLE_LOOKUP_H

#include "find.h"

/*
 * *out from a leaf or retired leaf of `level`: mfn and nr are those from dfn on. Not yet: dirty,
 * PT_MARK.
 */
PT_INLINE void describe_unmarked(uint64_t dfn, uint64_t e, unsigned level, bool retired,
                                 struct pt_leaf *out)
{
    unsigned order = fmt_leaf_order(e, level);
    uint64_t size = (uint64_t)1 << order, offset = dfn & (size - 1);

    out->dfn.n = dfn;
    out->mfn.n = fmt_leaf_mfn(e, level) + offset;
    out->nr = size - offset;
    out->lg2 = (uint8_t)(order + FRAME_LG2);
    out->level = (uint8_t)level;
    out->retired = retired;
    out->dirty = false;
    out->attr = retired ? 0 : fmt_attr(e);
}

PT_INLINE void describe(uint64_t dfn, uint64_t e, unsigned level, bool retired, struct pt_leaf *out)
{
    describe_unmarked(dfn, e, level, retired, out);
    if (e & FMT_MARK)
        out->attr |= PT_MARK;
}

/* Frames from the leaf `e` at slot on, up to max: the run that out->nr starts with, made longer. */
static uint64_t run_length(const uint64_t *slot, uint64_t dfn, uint64_t e, unsigned level,
                           uint64_t nr, uint64_t max)
{
    uint64_t end = (dfn & ~(table_span(level) - 1)) + table_span(level) - dfn;
    struct pt_leaf first, next;

    describe(dfn, e, level, fmt_is_retired(e), &first);
    if (max > end)
        max = end;
    slot -= table_index(dfn, level);
    while (nr < max) {
        uint64_t before = e;

        e = entry_read(slot + table_index(dfn + nr, level));
        if (leaf_entries(before, level) == 1 &&
            e == fmt_next(before, level)) { /* the usual case, and much cheaper */
            nr += entry_span(level);
            continue;
        }
        if (!fmt_is_leaf(e, level) && !fmt_is_retired(e))
            break;
        describe(dfn + nr, e, level, fmt_is_retired(e), &next);
        if (next.mfn.n != first.mfn.n + nr || next.attr != first.attr ||
            next.retired != first.retired)
            break;
        nr += next.nr;
    }
    return nr < max ? nr : max;
}

/* Any entry of a leaf that repeats may carry the mark: hardware sets it where it walked. */
PT_INLINE bool any_dirty(const uint64_t *slot, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (fmt_is_dirty(entry_read(slot + i)))
            return true;
    return false;
}

static __attribute__((noinline)) int lookup_any(const struct pgtable *pt, uint64_t dfn,
                                                uint64_t max_nr, struct pt_leaf *out)
{
    struct place at = find(pt, dfn);
    uint64_t e = at.entry;
    unsigned n;

    CHECK(pt->pages->port, max_nr);
    if (!fmt_is_leaf(e, at.level) && !fmt_is_retired(e)) {
        *out = (struct pt_leaf){.dfn = {dfn}, .level = (uint8_t)at.level};
        return -ENOENT;
    }
    describe(dfn, e, at.level, fmt_is_retired(e), out);
    n = leaf_entries(e, at.level);
    if (pt->geo.dirty)
        out->dirty = any_dirty(at.slot - (table_index(dfn, at.level) & (n - 1)), n);
    if (out->nr >= max_nr)
        out->nr = max_nr;
    else
        out->nr = run_length(at.slot, dfn, e, at.level, out->nr, max_nr);
    return 0;
}

/*
 * One page in a table of level 0: most of what is said of it is constant. False: not that simple.
 */
PT_INLINE bool lookup_page(const struct pgtable *pt, uint64_t dfn, struct pt_leaf *out)
{
    uint64_t *slot, e;

    if (PT_UNLIKELY(!find_page(pt, dfn, &slot) || pt->geo.dirty))
        return false;
    e = entry_read(slot);
    if (PT_UNLIKELY(!fmt_is_leaf(e, 0) || fmt_leaf_order(e, 0) != 0 || (e & FMT_MARK)))
        return false;
    describe_unmarked(dfn, e, 0, false, out);
    return true;
}

static int lookup(const struct pgtable *pt, uint64_t dfn, uint64_t max_nr, struct pt_leaf *out)
{
    if (max_nr == 1 && PT_LIKELY(lookup_page(pt, dfn, out)))
        return 0;
    return lookup_any(pt, dfn, max_nr, out);
}

#endif
