/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a guest's own table. */
#include "guest_walk.h"

/* An entry that cannot be read is as good as empty, which 0 is in every format that guests have. */
static uint64_t fetch(struct guest_walk *w, uint64_t at)
{
    uint64_t entry = 0;

    w->reads++;
    if (memory_read(w->memory, at, &entry, sizeof(entry))) {
        w->outside = true;
        entry = 0;
    }
    return entry;
}

/* For pt_trace: the table's number is that of a guest frame. */
static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    const uint64_t at = (table.n << FRAME_LG2) + offset;
    struct guest_walk *w = arg;

    if (!w->kept[level].valid || w->kept[level].at != at) {
        w->kept[level].entry = fetch(w, at);
        w->kept[level].at = at;
        w->kept[level].valid = !w->outside;
    }
    return w->kept[level].entry;
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
    err = pt_trace(geo, mfn_of(w->table->root >> FRAME_LG2), dfn.n << FRAME_LG2, read_entry, w,
                   &leaf);
    if (err)
        leaf.nr = rest_of(dfn, pt_entry_span(geo, leaf.level + (w->outside ? 1u : 0u)));
    if (leaf.nr < max)
        out->nr = leaf.nr;
    if (err)
        return;
    out->gfn = gfn_of(leaf.mfn.n);
    out->rights = leaf.attr & (PT_READ | PT_WRITE);
}
