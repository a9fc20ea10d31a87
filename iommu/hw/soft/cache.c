/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device: caches of translations and of table pointers. An entry stays until a command drops it or
 * another one takes its place.
 */
#include "internal.h"

static void fill(struct soft_unit *u, struct soft_tag tag, uint64_t mfn, unsigned attr)
{
    u->tlb[soft_slot(u, tag)] = (struct soft_tlb_entry){.tag = tag, .mfn = mfn, .attr = attr};
    u->tlb_sizes |= BIT64(soft_tag_lg2(&tag));
}

/* Without a right it would look like one of a page that is not there. */
void soft_tlb_fill(struct soft_unit *u, uint32_t space, uint64_t dfn, const struct pt_leaf *leaf)
{
    const uint64_t mask = BIT64(leaf->lg2 - FRAME_LG2) - 1;

    if (u->tlb && leaf->attr)
        fill(u, soft_tag(space, dfn, leaf->lg2), leaf->mfn.n & ~mask, leaf->attr);
}

void soft_tlb_fill_absent(struct soft_unit *u, uint32_t space, uint64_t dfn)
{
    if (u->tlb)
        fill(u, soft_tag(space, dfn, FRAME_LG2), 0, 0);
}

bool soft_tlb_leaf(const struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                   struct pt_leaf *leaf)
{
    const struct soft_tlb_entry *e = soft_tlb_find(u, stage->space, dfn);

    *leaf = (struct pt_leaf){.dfn = {dfn}};
    if (!e)
        return false;
    leaf->lg2 = (uint8_t)soft_tag_lg2(&e->tag);
    leaf->mfn = mfn_of(e->mfn + (dfn & (BIT64(leaf->lg2 - FRAME_LG2) - 1)));
    leaf->attr = e->attr;
    return true;
}

unsigned soft_table_lg2(const struct pt_geometry *geo, unsigned level)
{
    unsigned lg2 = FRAME_LG2;

    for (unsigned l = 0; l <= level; l++)
        lg2 += geo->format->level_bits[l];
    return lg2 < 63 ? lg2 : 63;
}

const struct soft_table_entry *soft_tables_find(const struct soft_unit *u,
                                                const struct soft_stage *stage, uint64_t dfn,
                                                unsigned *level)
{
    for (unsigned l = 0; u->tables && l + 1u < stage->geo.levels; l++) {
        const struct soft_tag tag = soft_tag(stage->space, dfn, soft_table_lg2(&stage->geo, l));
        const struct soft_table_entry *e = &u->tables[soft_slot(u, tag)];

        if (!soft_same(e->tag, tag))
            continue;
        *level = l;
        return e;
    }
    return NULL;
}

void soft_tables_fill(struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                      unsigned level, const struct soft_table_entry *e)
{
    const struct soft_tag tag = soft_tag(stage->space, dfn, soft_table_lg2(&stage->geo, level));
    struct soft_table_entry *slot;

    if (!u->tables || level + 1u >= stage->geo.levels)
        return;
    slot = &u->tables[soft_slot(u, tag)];
    *slot = *e;
    slot->tag = tag;
}

static void drop(struct soft_tag *tag, uint32_t space, uint64_t first, uint64_t last)
{
    if (soft_tag_is(tag, space) && soft_tag_first(tag) <= last && soft_tag_last(tag) >= first)
        tag->key = 0;
}

static void drop_range(struct soft_unit *u, uint32_t space, uint64_t first, uint64_t last,
                       bool leaf_only)
{
    for (uint64_t i = 0; u->tlb && i < BIT64(u->config.cache_lg2); i++) {
        drop(&u->tlb[i].tag, space, first, last);
        if (!leaf_only)
            drop(&u->tables[i].tag, space, first, last);
    }
}

void soft_drop_range(struct soft_unit *u, uint16_t did, uint64_t first, uint64_t last,
                     bool leaf_only)
{
    drop_range(u, SOFT_SPACE(did), first, last, leaf_only);
}

void soft_drop_space(struct soft_unit *u, uint16_t did)
{
    drop_range(u, SOFT_SPACE(did), 0, UINT64_MAX, false);
    drop_range(u, SOFT_SPACE(did) | SOFT_SECOND, 0, UINT64_MAX, false);
}

void soft_drop_all(struct soft_unit *u)
{
    for (uint64_t i = 0; u->tlb && i < BIT64(u->config.cache_lg2); i++)
        u->tlb[i].tag.key = u->tables[i].tag.key = 0;
    for (unsigned i = 0; i < SOFT_DEVICES; i++)
        u->devices[i].valid = u->devices[i].usable = false;
    u->tlb_sizes = 0;
}
