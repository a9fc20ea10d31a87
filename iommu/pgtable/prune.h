/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_prune. Included by template.h only. */
#ifndef SLUICE_PGTABLE_PRUNE_H
#define SLUICE_PGTABLE_PRUNE_H

#include "find.h"
#include "map.h"

/* The lowest table on the way to a dfn, and the entry that points to it (none for the root). */
struct lowest {
    struct place at;  /* in it, for the dfn */
    uint64_t *parent; /* NULL: it is the root */
    uint64_t mfn;
    uint64_t first, last; /* what it spans, within the space */
};

static struct lowest find_lowest(const struct pgtable *pt, uint64_t dfn)
{
    struct lowest low = {.mfn = pt->root.n};
    uint64_t *table = pt->root_va, end = pt_nr_dfns(pt);
    char *map = pt->direct_map;
    unsigned level = pt->geo.levels - 1u;

    while (step_down(map, dfn, level, &table, &low.at)) {
        low.parent = low.at.slot;
        low.mfn = fmt_table_mfn(low.at.entry);
        level--;
    }
    low.first = dfn & ~(table_span(level) - 1);
    low.last = low.first + table_span(level) - 1;
    if (low.last >= end)
        low.last = end - 1;
    return low;
}

static bool table_is_empty(const struct lowest *low, uint64_t dfn)
{
    const uint64_t *table = low->at.slot - table_index(dfn, low->at.level);

    return count_empty(table, table_entries(low->at.level)) == table_entries(low->at.level);
}

/* Of the entries after the one for dfn, up to `last`: where the next table begins, or past the end.
 */
static uint64_t next_table(const struct lowest *low, uint64_t dfn, uint64_t last)
{
    uint64_t span = entry_span(low->at.level);
    uint64_t end = low->last < last ? low->last : last;
    const uint64_t *slot = low->at.slot + 1;

    if (!low->at.level)
        return low->last + 1;
    for (dfn = (dfn & ~(span - 1)) + span; dfn <= end; dfn += span, slot++)
        if (fmt_is_table(entry_read(slot), low->at.level))
            return dfn;
    return low->last + 1;
}

/*
 * A table that went out leaves the cursor where it was, so that the next turn looks at the one
 * above: parents go as soon as their last child went.
 */
static unsigned prune(struct pgtable *pt, uint64_t *cursor, uint64_t last, mfn_t *pages,
                      unsigned max)
{
    uint64_t first = *cursor;
    unsigned n = 0;

    for (unsigned looked = 0; looked < PT_PRUNE_TABLES && n < max && *cursor <= last; looked++) {
        struct lowest low = find_lowest(pt, *cursor);

        if (low.parent && low.first >= first && low.last <= last && table_is_empty(&low, *cursor)) {
            entry_write(low.parent, FMT_EMPTY);
            entries_writeback(pt, low.parent, 1);
            pages[n++].n = low.mfn;
        } else {
            *cursor = next_table(&low, *cursor, last);
        }
    }
    return n;
}

#endif
