/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_reap. Included by template.h only. */
#ifndef SLUICE_PGTABLE_REAP_H
#define SLUICE_PGTABLE_REAP_H

#include "find.h"
#include "pages.h"

/* The first entry of a table that points to a table; NULL: it has none. */
static uint64_t *first_table(uint64_t *table, unsigned level)
{
    for (unsigned i = 0; level && i < table_entries(level); i++)
        if (fmt_is_table(table[i], level))
            return table + i;
    return NULL;
}

/* Releases all that a table without tables below names, and empties it. */
static void reap_leaves(uint64_t *table, unsigned level, pt_release_run release, void *arg)
{
    uint64_t first = 0, nr = 0;

    for (unsigned i = 0; i < table_entries(level);) {
        uint64_t e = table[i];
        unsigned count = 1;

        if (fmt_is_leaf(e, level) || fmt_is_retired(e)) {
            uint64_t mfn = fmt_leaf_mfn(e, level);

            count = leaf_entries(e, level);
            if (nr && mfn != first + nr) {
                release(arg, mfn_of(first), nr);
                nr = 0;
            }
            if (!nr)
                first = mfn;
            nr += leaf_frames(e, level);
        }
        for (; count; count--)
            table[i++] = FMT_EMPTY;
    }
    if (nr)
        release(arg, mfn_of(first), nr);
}

/* No hardware reaches the table any more, so nothing is written back and nothing is flushed. */
static bool reap(struct pgtable *pt, pt_release_run release, void *arg)
{
    uint64_t *table = pt->root_va, *parent = NULL, *next;
    unsigned level = pt->geo.levels - 1u;

    while ((next = first_table(table, level))) {
        parent = next;
        table = table_at(pt->direct_map, fmt_table_mfn(*parent));
        level--;
    }
    reap_leaves(table, level, release, arg);
    if (!parent)
        return false;
    pt_table_free(pt->pages, mfn_of(fmt_table_mfn(*parent)));
    *parent = FMT_EMPTY;
    return true;
}

#endif
