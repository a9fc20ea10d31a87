/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way down: from the root to the entry where the tables of an address end.
 * Included by template.h only.
 */
#ifndef SLUICE_PGTABLE_FIND_H
#define SLUICE_PGTABLE_FIND_H

#include "entry.h"

struct place {
    uint64_t *slot; /* in a table of `level`, the entry for the dfn */
    uint64_t entry; /* as read on the way: not a table */
    unsigned level;
};

PT_INLINE uint64_t *table_at(char *map, uint64_t mfn)
{
    return (uint64_t *)(void *)(map + (mfn << FRAME_LG2));
}

/* One step: is there a table below? Then *table is it. */
PT_INLINE bool step_down(char *map, uint64_t dfn, unsigned level, uint64_t **table,
                         struct place *at)
{
    at->slot = *table + table_index(dfn, level);
    at->entry = entry_read(at->slot);
    at->level = level;
    if (!level || !(at->entry & FMT_LINK))
        return false;
    *table = table_at(map, fmt_table_mfn(at->entry));
    return true;
}

/* Does a walk of `levels` have a table of `level`? A constant where the format leaves no choice. */
#define HAS_LEVEL(level, levels) \
    (FMT_MAX_LEVELS > (level) && (FMT_MIN_LEVELS > (level) || (levels) > (level)))

/* Written out per level: with constant shifts it costs what a hand-written walk does. */
PT_INLINE struct place find(const struct pgtable *pt, uint64_t dfn)
{
    unsigned levels = pt->geo.levels;
    uint64_t *table = pt->root_va;
    char *map = pt->direct_map;
    struct place at;

    if (HAS_LEVEL(5, levels) && !step_down(map, dfn, 5, &table, &at))
        return at;
    if (HAS_LEVEL(4, levels) && !step_down(map, dfn, 4, &table, &at))
        return at;
    if (HAS_LEVEL(3, levels) && !step_down(map, dfn, 3, &table, &at))
        return at;
    if (HAS_LEVEL(2, levels) && !step_down(map, dfn, 2, &table, &at))
        return at;
    if (HAS_LEVEL(1, levels) && !step_down(map, dfn, 1, &table, &at))
        return at;
    (void)step_down(map, dfn, 0, &table, &at);
    return at;
}

/*
 * The slot for dfn in a table of level 0; false: the tables end above. For calls on one page, which
 * have a path of their own: without the general one's many cases in the same function, compilers
 * need no stack for it, and a page costs about half.
 */
PT_INLINE bool find_page(const struct pgtable *pt, uint64_t dfn, uint64_t **slot)
{
    unsigned levels = pt->geo.levels;
    uint64_t *table = pt->root_va;
    char *map = pt->direct_map;
    struct place at;

    if (PT_UNLIKELY(HAS_LEVEL(5, levels)) && !step_down(map, dfn, 5, &table, &at))
        return false;
    if (PT_UNLIKELY(HAS_LEVEL(4, levels)) && !step_down(map, dfn, 4, &table, &at))
        return false;
    if (PT_LIKELY(HAS_LEVEL(3, levels)) && !step_down(map, dfn, 3, &table, &at))
        return false;
    if (PT_LIKELY(HAS_LEVEL(2, levels)) && !step_down(map, dfn, 2, &table, &at))
        return false;
    if (PT_LIKELY(HAS_LEVEL(1, levels)) && !step_down(map, dfn, 1, &table, &at))
        return false;
    *slot = table + table_index(dfn, 0);
    return true;
}

/*
 * Two threads may need the same new table. The one that linked it writes the link back and then
 * marks it as synced; another that comes through an unmarked link cannot know whether a
 * non-coherent walker sees it yet, and writes it back as well before it says that its own entries
 * are there.
 */
static inline void sync_links(const struct pgtable *pt, uint64_t dfn)
{
    uint64_t *table = pt->root_va;
    char *map = pt->direct_map;
    unsigned level = pt->geo.levels - 1u;
    struct place at;

    if (!pt->geo.noncoherent)
        return;
    for (; step_down(map, dfn, level, &table, &at); level--)
        if (!(at.entry & FMT_SYNCED))
            entries_writeback(pt, at.slot, 1);
}

#endif
