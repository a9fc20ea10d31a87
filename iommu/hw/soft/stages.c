/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device: walks of one stage, or of a guest's own over the second one. However the guest's table
 * is: a walk of it ends at its lowest level, and each of its tables is one walk of the second.
 */
#include "internal.h"

#define RIGHTS (PT_READ | PT_WRITE)

struct walk {
    struct soft_unit *u;
    const struct soft_stage *stage;
    uint64_t dfn;
    bool inside;           /* it begins at a table that was remembered, */
    unsigned rights;       /* and these are left by the ones above it */
    struct pt_leaf *leaf;  /* where it is */
    enum hw_reason reason; /* why a table cannot be read, */
    uint8_t level;         /* and where the second stage ended */
};

/* Where the guest's table is to the machine. */
static enum hw_reason find_table(struct walk *w, mfn_t *table)
{
    struct pt_leaf leaf;
    const enum hw_reason reason = soft_find(w->u, w->stage->below, table->n, &leaf);

    w->level = leaf.level;
    *table = leaf.mfn;
    if (reason != HW_REASON_NONE)
        return reason;
    if (!(leaf.attr & PT_READ))
        return HW_REASON_NO_READ;
    return table->n < w->u->config.memory_size >> FRAME_LG2 ? HW_REASON_NONE
                                                            : HW_REASON_NOT_PRESENT;
}

static void remember(const struct walk *w, uint64_t address, mfn_t table, unsigned level)
{
    const struct soft_table_entry e = {
        .mfn = table.n, .address = address, .rights = w->leaf->attr & w->rights};

    soft_tables_fill(w->u, w->stage, w->dfn, level, &e);
}

/* Each table on the way is remembered. */
static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    struct walk *w = arg;
    const uint64_t address = table.n;

    if (w->inside) {
        w->inside = false;
        return soft_read(w->u, table, offset);
    }
    if (w->stage->below && w->reason == HW_REASON_NONE)
        w->reason = find_table(w, &table);
    if (w->reason != HW_REASON_NONE)
        return 0;
    remember(w, address, table, level);
    return soft_read(w->u, table, offset);
}

static enum hw_reason walk_tables(struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                                  struct pt_leaf *leaf)
{
    struct walk w = {.u = u, .stage = stage, .dfn = dfn, .rights = RIGHTS, .leaf = leaf};
    unsigned level = stage->geo.levels - 1u;
    const struct soft_table_entry *known = soft_tables_find(u, stage, dfn, &level);
    int err;

    w.inside = known;
    w.rights = known ? known->rights : RIGHTS;
    err = pt_trace_from(&stage->geo, known ? mfn_of(known->mfn) : stage->root, level,
                        dfn << FRAME_LG2, read_entry, &w, leaf);
    leaf->attr &= w.rights | PT_SNOOP;
    if (w.reason != HW_REASON_NONE) {
        leaf->level = w.level;
        return w.reason;
    }
    if (err)
        return err == -EINVAL ? HW_REASON_RESERVED : HW_REASON_NOT_PRESENT;
    return HW_REASON_NONE;
}

/* The leaf of the guest's table, as far as what is below it goes and allows. */
static enum hw_reason combine(struct soft_unit *u, const struct soft_stage *below,
                              struct pt_leaf *leaf)
{
    struct pt_leaf second;
    const enum hw_reason reason = soft_find(u, below, leaf->mfn.n, &second);

    leaf->level = second.level;
    leaf->mfn = second.mfn;
    leaf->attr &= second.attr;
    leaf->attr |= second.attr & PT_SNOOP;
    if (second.lg2 < leaf->lg2)
        leaf->lg2 = second.lg2;
    return reason;
}

static enum hw_reason walk(struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                           struct pt_leaf *leaf)
{
    const enum hw_reason reason = walk_tables(u, stage, dfn, leaf);

    if (reason != HW_REASON_NONE || !stage->below)
        return reason;
    return combine(u, stage->below, leaf);
}

/* What walked past is worth keeping too: the neighbours on both sides. */
static void prefetch_neighbours(struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn)
{
    const uint64_t end = BIT64(stage->geo.iova_bits - FRAME_LG2);
    struct pt_leaf leaf;

    for (uint64_t d = dfn ? dfn - 1 : dfn + 1; d <= dfn + 1 && d < end; d += 2)
        if (!soft_tlb_leaf(u, stage, d, &leaf) && walk(u, stage, d, &leaf) == HW_REASON_NONE)
            soft_tlb_fill(u, stage->space, d, &leaf);
}

enum hw_reason soft_find(struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                         struct pt_leaf *leaf)
{
    enum hw_reason reason;

    if (soft_tlb_leaf(u, stage, dfn, leaf))
        return leaf->attr ? HW_REASON_NONE : HW_REASON_NOT_PRESENT;
    reason = walk(u, stage, dfn, leaf);
    if (reason == HW_REASON_NOT_PRESENT && u->config.caching_mode)
        soft_tlb_fill_absent(u, stage->space, dfn);
    if (reason != HW_REASON_NONE)
        return reason;
    soft_tlb_fill(u, stage->space, dfn, leaf);
    if (u->tlb)
        prefetch_neighbours(u, stage, dfn);
    return HW_REASON_NONE;
}
