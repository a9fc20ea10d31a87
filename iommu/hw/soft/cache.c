/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Device: caches of translations, of table pointers and of device entries. An entry stays until a
 * command drops it or another one takes its place.
 */
#include "internal.h"

static unsigned tag_lg2(const struct soft_tag *tag)
{
    return tag->key & 0xff;
}

static bool tag_is(const struct soft_tag *tag, uint16_t did)
{
    return (tag->key & ~0xffu) == SOFT_KEY(did, 0);
}

static uint64_t tag_first(const struct soft_tag *tag)
{
    return tag->block << (tag_lg2(tag) - FRAME_LG2);
}

static uint64_t tag_last(const struct soft_tag *tag)
{
    return tag_first(tag) + (BIT64(tag_lg2(tag) - FRAME_LG2) - 1);
}

static void fill(struct soft_unit *u, struct soft_tag tag, uint64_t mfn, unsigned attr)
{
    u->tlb[soft_slot(u, tag)] = (struct soft_tlb_entry){.tag = tag, .mfn = mfn, .attr = attr};
    u->tlb_sizes |= BIT64(tag_lg2(&tag));
}

void soft_tlb_fill(struct soft_unit *u, uint16_t did, uint64_t dfn, const struct pt_leaf *leaf)
{
    const uint64_t mask = BIT64(leaf->lg2 - FRAME_LG2) - 1;

    if (u->tlb)
        fill(u, soft_tag(did, dfn, leaf->lg2), leaf->mfn.n & ~mask, leaf->attr);
}

void soft_tlb_fill_absent(struct soft_unit *u, uint16_t did, uint64_t dfn)
{
    if (u->tlb)
        fill(u, soft_tag(did, dfn, FRAME_LG2), 0, 0);
}

unsigned soft_table_lg2(const struct soft_unit *u, unsigned level)
{
    unsigned lg2 = FRAME_LG2;

    for (unsigned l = 0; l <= level; l++)
        lg2 += u->config.geo.format->level_bits[l];
    return lg2 < 63 ? lg2 : 63;
}

bool soft_tables_find(struct soft_unit *u, uint16_t did, uint64_t dfn, mfn_t *table,
                      unsigned *level)
{
    for (unsigned l = 0; u->tables && l + 1u < u->config.geo.levels; l++) {
        const struct soft_tag tag = soft_tag(did, dfn, soft_table_lg2(u, l));
        const struct soft_table_entry *e = &u->tables[soft_slot(u, tag)];

        if (!soft_same(e->tag, tag))
            continue;
        *table = mfn_of(e->mfn);
        *level = l;
        return true;
    }
    return false;
}

void soft_tables_fill(struct soft_unit *u, uint16_t did, uint64_t dfn, unsigned level, mfn_t table)
{
    const struct soft_tag tag = soft_tag(did, dfn, soft_table_lg2(u, level));

    if (u->tables && level + 1u < u->config.geo.levels)
        u->tables[soft_slot(u, tag)] = (struct soft_table_entry){tag, table.n};
}

void soft_cache_device(struct soft_unit *u, rid_t rid, const struct soft_context_entry *entry)
{
    const uint16_t did = (uint16_t)FIELD_GET(SOFT_CONTEXT_DID, entry->hi);

    if (!u->tlb || u->blocked)
        return;
    *soft_device_slot(u, rid) = (struct soft_device_entry){
        .rid = rid.n,
        .valid = true,
        .usable = entry->lo & SOFT_CONTEXT_PRESENT,
        .key = SOFT_KEY(did, FRAME_LG2),
        .hash = soft_hash(SOFT_KEY(did, FRAME_LG2)),
        .entry = *entry,
    };
}

void soft_drop_device(struct soft_unit *u, rid_t rid)
{
    struct soft_device_entry *e = soft_cached_device(u, rid);

    if (e)
        e->valid = e->usable = false;
}

static void drop(struct soft_tag *tag, uint16_t did, uint64_t first, uint64_t last)
{
    if (tag_is(tag, did) && tag_first(tag) <= last && tag_last(tag) >= first)
        tag->key = 0;
}

void soft_drop_range(struct soft_unit *u, uint16_t did, uint64_t first, uint64_t last,
                     bool leaf_only)
{
    for (uint64_t i = 0; u->tlb && i < BIT64(u->config.cache_lg2); i++) {
        drop(&u->tlb[i].tag, did, first, last);
        if (!leaf_only)
            drop(&u->tables[i].tag, did, first, last);
    }
}

void soft_drop_space(struct soft_unit *u, uint16_t did)
{
    soft_drop_range(u, did, 0, UINT64_MAX, false);
}

void soft_drop_all(struct soft_unit *u)
{
    for (uint64_t i = 0; u->tlb && i < BIT64(u->config.cache_lg2); i++)
        u->tlb[i].tag.key = u->tables[i].tag.key = 0;
    for (unsigned i = 0; i < SOFT_DEVICES; i++)
        u->devices[i].valid = u->devices[i].usable = false;
    u->tlb_sizes = 0;
}

struct through {
    struct soft_unit *u;
};

static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    const struct through *t = arg;

    (void)level;
    return soft_read(t->u, table, offset);
}

/* Translations reached through a cached pointer to a lowest table, whatever the tables above say.
 */
static void visit_table(struct soft_unit *u, const struct soft_table_entry *e, soft_visit visit,
                        void *arg)
{
    struct through t = {u};
    struct pt_leaf leaf;

    for (uint64_t dfn = tag_first(&e->tag); dfn <= tag_last(&e->tag); dfn++)
        if (!pt_trace_from(&u->config.geo, mfn_of(e->mfn), 0, dfn << FRAME_LG2, read_entry, &t,
                           &leaf))
            visit(arg, dfn_of(dfn), leaf.mfn, 1, leaf.attr);
}

void soft_visit_cached(struct soft_unit *u, rid_t rid, soft_visit visit, void *arg)
{
    const struct soft_device_entry *dev = soft_cached_device(u, rid);
    struct soft_context_entry entry = {0};
    uint64_t root;
    uint16_t did;

    if (!u->tlb || u->blocked)
        return;
    root = soft_read(u, u->root, (rid.n >> 8 & 0xff) * 8);
    if (dev) {
        entry = dev->entry;
    } else if (root & SOFT_ROOT_PRESENT) {
        const mfn_t table = mfn_of(FIELD_GET(SOFT_ROOT_TABLE, root));

        entry.lo = soft_read(u, table, (rid.n & 0xff) * 16);
        entry.hi = soft_read(u, table, (rid.n & 0xff) * 16 + 8);
    }
    if (!(entry.lo & SOFT_CONTEXT_PRESENT))
        return;
    did = (uint16_t)FIELD_GET(SOFT_CONTEXT_DID, entry.hi);
    for (uint64_t i = 0; i < BIT64(u->config.cache_lg2); i++) {
        const struct soft_tlb_entry *e = &u->tlb[i];
        const struct soft_table_entry *t = &u->tables[i];

        if (tag_is(&e->tag, did))
            visit(arg, dfn_of(tag_first(&e->tag)), mfn_of(e->mfn),
                  BIT64(tag_lg2(&e->tag) - FRAME_LG2), e->attr);
        if (tag_is(&t->tag, did) && tag_lg2(&t->tag) == soft_table_lg2(u, 0))
            visit_table(u, t, visit, arg);
    }
}
