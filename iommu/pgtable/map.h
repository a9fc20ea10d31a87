/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_map. Included by template.h only. */
#ifndef SLUICE_PGTABLE_MAP_H
#define SLUICE_PGTABLE_MAP_H

#include "find.h"
#include "pages.h"

/* What is to be mapped, and the leaf sizes (bit k: 1 << k frames) that may be used. */
struct mapping {
    uint64_t dfn, mfn, nr;
    uint64_t orders;
    unsigned attr;
};

/* The largest leaf that size and alignment allow. Order 0 is always among m->orders. */
PT_INLINE unsigned best_order(const struct mapping *m, uint64_t nr)
{
    uint64_t align = m->dfn | m->mfn | (uint64_t)1 << log2_of(nr);
    uint64_t fits = ((align & -align) << 1) - 1;

    return log2_of(m->orders & fits);
}

/* Entries in [0, n) before the first that is not empty. They are the caller's: plain loads do. */
PT_INLINE unsigned count_empty(const uint64_t *slot, unsigned n)
{
    unsigned i = 0;

    while (i + 8 <= n && eight_empty(slot + i))
        i += 8;
    while (i < n && slot[i] == FMT_EMPTY)
        i++;
    return i;
}

/*
 * Leaves of one entry each into the n entries at slot, or as many as are empty from the first on;
 * how many. One pass: the loads of the test run beside the stores and cost next to nothing, unless
 * they miss: in a `fresh` table, made in this step, nothing of the caller's range can be there, and
 * a quarter of the time is saved by not looking.
 */
PT_INLINE unsigned fill_singles(const struct pgtable *pt, uint64_t *slot, unsigned n,
                                unsigned level, uint64_t mfn, unsigned attr, bool fresh)
{
    uint64_t e = leaf_make(mfn, fmt_shift(level), level, attr, pt->geo.dirty);
    unsigned i = 0;

    for (; i + 8 <= n && (fresh || eight_empty(slot + i)); i += 8)
        e = eight_leaves(slot + i, e, level);
    for (; i < n && slot[i] == FMT_EMPTY; i++) {
        entry_write(slot + i, e);
        e = fmt_next(e, level);
    }
    return i;
}

/* The same with leaves that may repeat; 0 when only a lower table would do. */
PT_INLINE unsigned fill_repeats(const struct pgtable *pt, uint64_t *slot, unsigned n,
                                unsigned level, struct mapping m)
{
    unsigned shift = fmt_shift(level), done = 0;

    n = count_empty(slot, n);
    while (done < n) {
        unsigned order = best_order(&m, (uint64_t)(n - done) << shift);
        unsigned end;
        uint64_t e;

        if (order < shift)
            break;
        e = leaf_make(m.mfn, order, level, m.attr, pt->geo.dirty);
        end = done + (1u << (order - shift));
        while (done < end)
            entry_write(slot + done++, e);
        m.dfn += (uint64_t)1 << order;
        m.mfn += (uint64_t)1 << order;
    }
    return done;
}

/* Entries from dfn on that nr frames fill whole, within the table. */
PT_INLINE unsigned entries_left(uint64_t dfn, uint64_t nr, unsigned level)
{
    uint64_t want = nr >> fmt_shift(level);
    unsigned left = table_entries(level) - table_index(dfn, level);

    return want < left ? (unsigned)want : left;
}

/*
 * Hangs an empty table below at->slot and goes down into it: *at is then the entry for dfn there.
 * 0, or why there is none. When another thread was faster, its table is as good, but not *fresh.
 */
static inline int add_table(struct pgtable *pt, uint64_t dfn, struct place *at, bool *fresh)
{
    uint64_t old = FMT_EMPTY, link;
    mfn_t table;
    int r = pt_table_alloc(pt->pages, &pt->geo, &table);

    if (r)
        return r;
    link = fmt_table(table.n, at->level);
    *fresh = entry_swap(at->slot, &old, link);
    if (!*fresh) {
        pt_table_free(pt->pages, table);
        link = old;
    } else if (pt->geo.noncoherent) {
        entries_writeback(pt, at->slot, 1);
        __atomic_fetch_or(at->slot, FMT_SYNCED, __ATOMIC_RELEASE);
    }
    CHECK(pt->pages->port, fmt_is_table(link, at->level));
    at->level--;
    at->slot = table_at(pt->direct_map, fmt_table_mfn(link)) + table_index(dfn, at->level);
    at->entry = entry_read(at->slot);
    return 0;
}

/* Down through tables that another thread hung there since *at was found. */
static inline void follow_links(const struct pgtable *pt, uint64_t dfn, struct place *at)
{
    while (fmt_is_table(at->entry, at->level)) {
        uint64_t *table = table_at(pt->direct_map, fmt_table_mfn(at->entry));

        at->level--;
        at->slot = table + table_index(dfn, at->level);
        at->entry = entry_read(at->slot);
    }
}

/* The last act of a step: what it stored becomes visible, and so do the tables on the way there. */
PT_INLINE void publish(const struct pgtable *pt, uint64_t dfn, const uint64_t *slot, unsigned n)
{
    if (PT_LIKELY(!pt->geo.noncoherent))
        return;
    entries_writeback(pt, slot, n);
    sync_links(pt, dfn);
}

/* Maps from slot on, as far as it is empty; 0 frames when only a lower table would do. */
PT_INLINE uint64_t map_here(const struct pgtable *pt, uint64_t *slot, unsigned level,
                            const struct mapping *m, bool fresh)
{
    uint64_t here = (table_span(level) - 1) & ~(entry_span(level) - 1);
    unsigned n = entries_left(m->dfn, m->nr, level);

    if (FMT_REPEATS && (m->orders & here) != entry_span(level))
        n = fill_repeats(pt, slot, n, level, *m);
    else
        n = fill_singles(pt, slot, n, level, m->mfn, m->attr, fresh);
    if (n)
        publish(pt, m->dfn, slot, n);
    return (uint64_t)n << fmt_shift(level);
}

/* Out of line: whatever does not end in a present table of level 0. */
static __attribute__((noinline)) int map_slow(struct pgtable *pt, struct place at,
                                              struct mapping *m, uint64_t *done)
{
    bool fresh = false;

    for (;;) {
        int r;

        follow_links(pt, m->dfn, &at);
        if (at.entry != FMT_EMPTY)
            return -EEXIST;
        m->orders &= table_span(at.level) - 1;
        if (best_order(m, m->nr) >= fmt_shift(at.level))
            *done = map_here(pt, at.slot, at.level, m, fresh);
        if (*done)
            return 0;
        r = add_table(pt, m->dfn, &at, &fresh);
        if (r)
            return r;
    }
}

static __attribute__((noinline)) int map_any(struct pgtable *pt, uint64_t dfn, uint64_t mfn,
                                             uint64_t nr, unsigned max_lg2, unsigned attr,
                                             uint64_t *done)
{
    struct place at = find(pt, dfn);
    struct mapping m = {.dfn = dfn, .mfn = mfn, .nr = nr, .attr = attr};

    *done = 0;
    if (PT_UNLIKELY(at.entry != FMT_EMPTY))
        return -EEXIST;
    m.orders = pt->geo.leaf_sizes >> FRAME_LG2;
    if (max_lg2 < 63)
        m.orders &= ((uint64_t)2 << (max_lg2 - FRAME_LG2)) - 1;
    if (PT_UNLIKELY(at.level))
        return map_slow(pt, at, &m, done);
    m.orders &= table_span(0) - 1;
    *done = map_here(pt, at.slot, 0, &m, false);
    return 0;
}

/* One page, not marked, into a present table that is snooped. False: not that simple. */
PT_INLINE bool map_page(const struct pgtable *pt, uint64_t dfn, uint64_t mfn, unsigned attr)
{
    uint64_t *slot;

    if (PT_UNLIKELY(!find_page(pt, dfn, &slot) || pt->geo.noncoherent))
        return false;
    if (PT_UNLIKELY(entry_own(slot) != FMT_EMPTY))
        return false;
    entry_write(slot, fmt_leaf(mfn, 0, 0, attr, pt->geo.dirty));
    return true;
}

static int map(struct pgtable *pt, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned max_lg2,
               unsigned attr, uint64_t *done)
{
    CHECK(pt->pages->port, !((mfn | (mfn + nr - 1)) >> (FMT_OA_BITS - FRAME_LG2)));
    if (nr == 1 && PT_LIKELY(!(attr & PT_MARK) && map_page(pt, dfn, mfn, attr))) {
        *done = 1;
        return 0;
    }
    return map_any(pt, dfn, mfn, nr, max_lg2, attr, done);
}

#endif
