/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_split. Included by template.h only. */
#ifndef SLUICE_PGTABLE_SPLIT_H
#define SLUICE_PGTABLE_SPLIT_H

#include "find.h"
#include "pages.h"

/* Frees a tree of tables that nothing points to. Its leaves are names only: nothing is released. */
static void free_tree(struct pgtable *pt, uint64_t mfn, unsigned level)
{
    const uint64_t *table = table_at(pt->direct_map, mfn);

    for (unsigned i = 0; level && i < table_entries(level); i++)
        if (fmt_is_table(table[i], level))
            free_tree(pt, fmt_table_mfn(table[i]), level - 1);
    pt_table_free(pt->pages, mfn_of(mfn));
}

/* What the new leaves are to be like. */
struct piece {
    unsigned attr;
    bool dirty;
};

static uint64_t piece_leaf(const struct pgtable *pt, struct piece like, uint64_t mfn,
                           unsigned order, unsigned level)
{
    uint64_t e = leaf_make(mfn, order, level, like.attr, pt->geo.dirty);

    return pt->geo.dirty && like.dirty ? fmt_dirty(e) : e;
}

/*
 * Builds a table of `level` that maps its whole span to the frames from mfn on, with the largest
 * leaves that the geometry has, and writes it back. 0 and *link, the entry for the table above; on
 * failure nothing is left. Recursion is as deep as the levels below.
 */
static int build_tree(struct pgtable *pt, uint64_t mfn, unsigned level, struct piece like,
                      uint64_t *link)
{
    uint64_t orders = (pt->geo.leaf_sizes >> FRAME_LG2) & (table_span(level) - 1);
    unsigned order = log2_of(orders), n = table_entries(level);
    uint64_t *table;
    mfn_t page;
    int r = pt_table_alloc(pt->pages, &pt->geo, &page);

    if (r)
        return r;
    table = table_at(pt->direct_map, page.n);
    for (unsigned i = 0; i < n; i++) {
        uint64_t frame = mfn + i * entry_span(level);
        uint64_t e;

        if (order >= fmt_shift(level)) {
            e = piece_leaf(pt, like, frame & ~(((uint64_t)1 << order) - 1), order, level);
        } else {
            r = build_tree(pt, frame, level - 1, like, &e);
            if (r) {
                free_tree(pt, page.n, level);
                return r;
            }
        }
        entry_write(table + i, e);
    }
    entries_writeback(pt, table, n);
    /* The span is the caller's alone and the link is written back before it returns: see find.h. */
    *link = fmt_table(page.n, level + 1) | FMT_SYNCED;
    return 0;
}

/* Marks every leaf below: hardware wrote through the old one while the tree was built. */
static void mark_tree(struct pgtable *pt, uint64_t link, unsigned level)
{
    uint64_t *table = table_at(pt->direct_map, fmt_table_mfn(link));
    unsigned n = table_entries(level);

    for (unsigned i = 0; i < n; i++) {
        if (fmt_is_table(table[i], level))
            mark_tree(pt, table[i], level - 1);
        else
            entry_write(table + i, fmt_dirty(table[i]));
    }
    entries_writeback(pt, table, n);
}

/*
 * Puts the tree in place of a leaf's entry. A mark that hardware set since the tree was begun goes
 * with it: `marked` says whether its leaves have it already.
 */
static void swap_in(struct pgtable *pt, uint64_t *slot, unsigned level, uint64_t link, bool marked)
{
    uint64_t old = entry_own(slot);

    do {
        if (pt->geo.dirty && !marked && fmt_is_dirty(old)) {
            mark_tree(pt, link, level - 1);
            marked = true;
        }
    } while (!entry_swap(slot, &old, link));
    entries_writeback(pt, slot, 1);
}

/* Trees below each of the n entries of one leaf, all built before the first is shown. */
static int split_down(struct pgtable *pt, uint64_t *slot, unsigned n, unsigned level, uint64_t mfn,
                      struct piece like)
{
    uint64_t one, *links = &one;
    mfn_t list = {0};
    unsigned built = 0;
    int r = 0;

    if (n > 1) { /* at most 256: a page holds them */
        r = pt_table_alloc(pt->pages, &pt->geo, &list);
        if (r)
            return r;
        links = table_at(pt->direct_map, list.n);
    }
    for (; built < n && !r; built++)
        r = build_tree(pt, mfn + built * entry_span(level), level - 1, like, links + built);
    if (r)
        for (unsigned i = 0; i + 1 < built; i++)
            free_tree(pt, fmt_table_mfn(links[i]), level - 1);
    for (unsigned i = 0; i < n && !r; i++)
        swap_in(pt, slot + i, level, links[i], like.dirty);
    if (n > 1)
        pt_table_free(pt->pages, list);
    return r;
}

/* The n entries of one leaf become smaller leaves of the same table, one store each. */
static void split_here(struct pgtable *pt, uint64_t *slot, unsigned n, unsigned level, uint64_t mfn,
                       unsigned order, struct piece like)
{
    for (unsigned i = 0; i < n; i++) {
        uint64_t first = (mfn + i * entry_span(level)) & ~(((uint64_t)1 << order) - 1);
        uint64_t old = entry_own(slot + i), new;

        do {
            like.dirty |= fmt_is_dirty(old);
            new = piece_leaf(pt, like, first, order, level);
        } while (!entry_swap(slot + i, &old, new));
    }
    entries_writeback(pt, slot, n);
}

/*
 * The order to go to inside the table: the largest that is wanted, else the smallest there is; a
 * leaf of one entry, or with nothing smaller here, has to go down (0 orders to choose from).
 */
static bool order_here(const struct pgtable *pt, unsigned level, unsigned have, unsigned want,
                       unsigned *order)
{
    uint64_t orders =
        (pt->geo.leaf_sizes >> FRAME_LG2) & (((uint64_t)1 << have) - 1) & ~(entry_span(level) - 1);
    uint64_t wanted = orders & (((uint64_t)2 << want) - 1);

    if (!orders)
        return false;
    *order = wanted ? log2_of(wanted) : (unsigned)__builtin_ctzll(orders);
    return true;
}

static int split_leaf(struct pgtable *pt, const struct place *at, uint64_t dfn, unsigned want)
{
    unsigned level = at->level, have = fmt_leaf_order(at->entry, level), order;
    unsigned n = leaf_entries(at->entry, level);
    uint64_t mfn = fmt_leaf_mfn(at->entry, level);
    uint64_t *slot = at->slot - (table_index(dfn, level) & (n - 1));
    struct piece like = {.attr = fmt_attr(at->entry) | (at->entry & FMT_MARK ? PT_MARK : 0)};

    for (unsigned i = 0; i < n; i++)
        like.dirty |= fmt_is_dirty(entry_own(slot + i));
    if (FMT_REPEATS && order_here(pt, level, have, want, &order)) {
        split_here(pt, slot, n, level, mfn, order, like);
        return 0;
    }
    return split_down(pt, slot, n, level, mfn, like);
}

/* From the top down: every step leaves a table in which all addresses translate as before. */
static int split(struct pgtable *pt, uint64_t dfn, unsigned lg2, bool *split)
{
    for (;;) {
        struct place at = find(pt, dfn);
        int r;

        if (!fmt_is_leaf(at.entry, at.level) ||
            fmt_leaf_order(at.entry, at.level) + FRAME_LG2 <= lg2)
            return 0;
        r = split_leaf(pt, &at, dfn, lg2 - FRAME_LG2);
        if (r)
            return r;
        *split = true;
    }
}

#endif
