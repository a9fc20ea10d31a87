/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_unmap and pt_check. Included by template.h only. */
#ifndef SLUICE_PGTABLE_UNMAP_H
#define SLUICE_PGTABLE_UNMAP_H

#include "find.h"
#include "runs.h"

/*
 * May the leaf `e` at dfn be taken, of at most nr frames from dfn on? 0, -ENOENT (no leaf) or
 * -EINVAL (sticks out on either side).
 */
PT_INLINE int leaf_fits(uint64_t e, unsigned level, uint64_t dfn, uint64_t nr)
{
    uint64_t size;

    if (!fmt_is_leaf(e, level))
        return -ENOENT;
    size = leaf_frames(e, level);
    return (dfn & (size - 1)) || size > nr ? -EINVAL : 0;
}

/* Atomic, because hardware may set its marks until the rights are gone. */
PT_INLINE void retire_leaf(uint64_t *slot, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t old = entry_own(slot + i);

        while (!entry_swap(slot + i, &old, fmt_retire(old)))
            ;
    }
}

PT_INLINE void empty_leaf(const struct pgtable *pt, uint64_t *slot, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (pt->geo.dirty)
            (void)entry_take(slot + i);
        else
            entry_write(slot + i, FMT_EMPTY);
    }
}

/*
 * Empties entries as long as each maps the frames after those of the one before. `e` is the value
 * of the first, which fills one entry. How many they were, at most n.
 */
PT_INLINE unsigned take_run(uint64_t *slot, unsigned n, uint64_t e, unsigned level)
{
    unsigned i = 0;

    for (; i + 8 <= n && eight_take(slot + i, &e, level); i += 8)
        ;
    for (; i < n && slot[i] == e; i++) {
        entry_write(slot + i, FMT_EMPTY);
        e = fmt_next(e, level);
    }
    return i;
}

/* The same where hardware marks what it used: those marks do not end a run. */
PT_INLINE unsigned take_marked_run(uint64_t *slot, unsigned n, uint64_t e, unsigned level)
{
    unsigned i = 0;

    do {
        (void)entry_take(slot + i);
        e = fmt_next(e, level);
        i++;
    } while (i < n && (entry_own(slot + i) | FMT_HARDWARE) == (e | FMT_HARDWARE));
    return i;
}

/* Takes the leaf `e` at slot and the run that it begins; how many of the n entries that were. */
PT_INLINE unsigned take(const struct pgtable *pt, uint64_t *slot, unsigned n, uint64_t e,
                        unsigned level, struct pt_freed *freed)
{
    uint64_t mfn = fmt_leaf_mfn(e, level);
    unsigned count = leaf_entries(e, level);

    if (PT_UNLIKELY(!runs_add(freed, mfn, leaf_frames(e, level)))) {
        retire_leaf(slot, count);
        freed->retired = true;
        return count;
    }
    if (FMT_REPEATS && count > 1) {
        empty_leaf(pt, slot, count);
        return count;
    }
    count = pt->geo.dirty ? take_marked_run(slot, n, e, level) : take_run(slot, n, e, level);
    freed->run[freed->nr_runs - 1].nr += (uint64_t)(count - 1) << fmt_shift(level);
    return count;
}

PT_INLINE int unmap_here(const struct pgtable *pt, const struct place *at, unsigned level,
                         uint64_t dfn, uint64_t nr, struct pt_freed *freed, uint64_t *done)
{
    unsigned shift = fmt_shift(level), i = 0;
    unsigned n = table_entries(level) - table_index(dfn, level);
    uint64_t e = at->entry;
    int r = leaf_fits(e, level, dfn, nr);

    *done = 0;
    if (PT_UNLIKELY(r))
        return r;
    if (nr >> shift < n)
        n = (unsigned)(nr >> shift);
    for (;;) {
        i += take(pt, at->slot + i, n - i, e, level, freed);
        if (i == n)
            break;
        e = entry_read(at->slot + i);
        if (!fmt_is_leaf(e, level) || leaf_entries(e, level) > n - i)
            break;
    }
    entries_writeback(pt, at->slot, i);
    *done = (uint64_t)i << shift;
    return 0;
}

static __attribute__((noinline)) int unmap_any(struct pgtable *pt, uint64_t dfn, uint64_t nr,
                                               struct pt_freed *freed, uint64_t *done)
{
    struct place at = find(pt, dfn);

    if (PT_LIKELY(!at.level))
        return unmap_here(pt, &at, 0, dfn, nr, freed, done); /* compiled with constant shifts */
    return unmap_here(pt, &at, at.level, dfn, nr, freed, done);
}

/* One page of a table that is snooped and has no marks. False: not that simple, nothing done. */
PT_INLINE bool unmap_page(const struct pgtable *pt, uint64_t dfn, struct pt_freed *freed)
{
    uint64_t *slot, e;

    if (PT_UNLIKELY(!find_page(pt, dfn, &slot) || pt->geo.dirty || pt->geo.noncoherent))
        return false;
    e = entry_own(slot);
    if (PT_UNLIKELY(!fmt_is_leaf(e, 0) || fmt_leaf_order(e, 0) != 0))
        return false;
    if (PT_UNLIKELY(!runs_add(freed, fmt_leaf_mfn(e, 0), 1)))
        return false;
    entry_write(slot, FMT_EMPTY);
    return true;
}

static int unmap(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed,
                 uint64_t *done)
{
    if (nr == 1 && PT_LIKELY(unmap_page(pt, dfn, freed))) {
        *done = 1;
        return 0;
    }
    return unmap_any(pt, dfn, nr, freed, done);
}

static int check(const struct pgtable *pt, uint64_t dfn, uint64_t nr)
{
    while (nr) {
        struct place at = find(pt, dfn);
        unsigned i = 0, n = table_entries(at.level) - table_index(dfn, at.level);
        uint64_t e = at.entry;

        do {
            int r = leaf_fits(e, at.level, dfn, nr);

            if (r)
                return r;
            dfn += leaf_frames(e, at.level);
            nr -= leaf_frames(e, at.level);
            i += leaf_entries(e, at.level);
            if (i >= n || !nr)
                break;
            e = entry_read(at.slot + i);
        } while (!fmt_is_table(e, at.level));
    }
    return 0;
}

#endif
