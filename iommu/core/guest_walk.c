/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a guest's own table. */
#include "guest_walk.h"

#define WORD sizeof(uint64_t)

/* An entry that cannot be read is as good as empty, which 0 is in every format that guests have. */
static void fetch(struct guest_walk *w, uint64_t at, uint64_t *to, unsigned nr)
{
    w->reads += nr;
    if (!memory_read(w->memory, at, to, nr * WORD))
        return;
    w->outside = true;
    *to = 0;
}

/* Of a lowest table: those behind it will be asked for, as many as are wanted. */
static uint64_t read_ahead(struct guest_walk *w, uint64_t at)
{
    const uint64_t before = (at - w->ahead.at) / WORD;
    const unsigned rest = (unsigned)((FRAME_SIZE - at % FRAME_SIZE) / WORD);

    if (at >= w->ahead.at && before < w->ahead.nr)
        return w->ahead.entry[before];
    w->ahead.at = at;
    w->ahead.nr = w->ahead.wanted < rest ? w->ahead.wanted : rest;
    fetch(w, at, w->ahead.entry, w->ahead.nr);
    if (w->outside)
        w->ahead.nr = 0;
    return w->ahead.entry[0];
}

static uint64_t read_lowest(struct guest_walk *w, mfn_t table, uint64_t at)
{
    w->lowest.table = table;
    w->lowest.rights = w->leaf->attr;
    w->lowest.valid = true;
    return read_ahead(w, at);
}

/* For pt_trace: the table's number is that of a guest frame. */
static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    const uint64_t at = (table.n << FRAME_LG2) + offset;
    struct guest_walk *w = arg;

    if (!level)
        return read_lowest(w, table, at);
    if (!w->kept[level].valid || w->kept[level].at != at) {
        fetch(w, at, &w->kept[level].entry, 1);
        w->kept[level].at = at;
        w->kept[level].valid = !w->outside;
    }
    return w->kept[level].entry;
}

static uint64_t read_next(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    (void)level;
    return read_ahead(arg, (table.n << FRAME_LG2) + offset);
}

/* From the lowest table on, if it is that of the last walk; else from the root. */
static int trace(struct guest_walk *w, dfn_t dfn, struct pt_leaf *leaf)
{
    const struct pt_geometry *geo = &w->table->geo;
    const uint64_t iova = dfn.n << FRAME_LG2, block = dfn.n / pt_entry_span(geo, 1);
    int err;

    w->leaf = leaf;
    if (w->lowest.valid && w->lowest.block == block) {
        err = pt_trace_from(geo, w->lowest.table, 0, iova, read_next, w, leaf);
        leaf->attr &= w->lowest.rights;
        return err;
    }
    w->lowest.valid = false;
    w->lowest.block = block;
    return pt_trace(geo, mfn_of(w->table->root >> FRAME_LG2), iova, read_entry, w, leaf);
}

/*
 * How many lowest entries from that of dfn on, of those that were read, say the same of one frame
 * after the other, or are all empty. In every format that guests have, the next frame's entry is
 * the same plus the size of a frame; where an address carries out of its field nothing is said.
 */
static uint64_t run_ahead(const struct guest_walk *w, dfn_t dfn)
{
    const uint64_t table = w->lowest.table.n << FRAME_LG2,
                   at = table + dfn.n % pt_entry_span(&w->table->geo, 1) * WORD;
    const uint64_t before = (at - w->ahead.at) / WORD, *e = &w->ahead.entry[before];
    const uint64_t step = *e ? FRAME_SIZE : 0;
    uint64_t nr = 1;

    while (before + nr < w->ahead.nr && e[nr] == e[nr - 1] + step && !((e[nr] ^ *e) >> 48))
        nr++;
    return nr;
}

/* The frames from dfn on to the end of the aligned block around it. */
static uint64_t rest_of(dfn_t dfn, uint64_t block)
{
    return block - (dfn.n & (block - 1));
}

void guest_walk(struct guest_walk *w, dfn_t dfn, uint64_t max, struct guest_run *out)
{
    const struct pt_geometry *geo = &w->table->geo;
    struct pt_leaf leaf;
    int err;

    *out = (struct guest_run){.dfn = dfn, .nr = max};
    if (dfn.n >> (geo->iova_bits - FRAME_LG2))
        return;
    w->outside = false;
    w->ahead.wanted = max < GUEST_WALK_AHEAD ? (unsigned)max : GUEST_WALK_AHEAD;
    err = trace(w, dfn, &leaf);
    if (err)
        leaf.nr = rest_of(dfn, pt_entry_span(geo, leaf.level + (w->outside ? 1u : 0u)));
    if (!leaf.level && !w->outside && err != -EINVAL)
        leaf.nr = run_ahead(w, dfn);
    if (leaf.nr < max)
        out->nr = leaf.nr;
    if (err)
        return;
    out->gfn = gfn_of(leaf.mfn.n);
    out->rights = leaf.attr & (PT_READ | PT_WRITE);
}
