/* SPDX-License-Identifier: BSD-2-Clause */
/* Device: entries of requesters and PASIDs, and their cache. */
#include "internal.h"

/* 0: not present. */
static uint64_t read_word(const struct soft_unit *u, uint64_t table, unsigned offset)
{
    if (!(table & SOFT_TABLE_PRESENT))
        return 0;
    return soft_read(u, mfn_of(FIELD_GET(SOFT_TABLE_ADDRESS, table)), offset);
}

static uint64_t read_directory(const struct soft_unit *u, rid_t rid)
{
    const uint64_t root = soft_read(u, u->root, (rid.n >> 8 & 0xff) * 8);

    return read_word(u, root, (rid.n & 0xff) * (unsigned)sizeof(struct soft_context_entry));
}

static uint64_t read_table(const struct soft_unit *u, rid_t rid, uint32_t pasid)
{
    return read_word(u, read_directory(u, rid), pasid / SOFT_PASIDS * 8);
}

static uint64_t read_entry(const struct soft_unit *u, uint64_t table, uint32_t pasid, unsigned i)
{
    const unsigned at = pasid % SOFT_PASIDS * (unsigned)sizeof(struct soft_pasid_entry);

    return read_word(u, table, at + i * 8);
}

/*
 * One that changes while it is read is as good as not present: its first word goes before the
 * others change and comes after them, and the second one has the did, which is of one space only.
 */
static struct soft_pasid_entry read_whole(const struct soft_unit *u, rid_t rid, uint32_t pasid)
{
    const uint64_t table = read_table(u, rid, pasid);
    struct soft_pasid_entry e;

    for (unsigned i = 0; i < 4; i++)
        e.word[i] = read_entry(u, table, pasid, i);
    for (unsigned i = 0; i < 2; i++)
        if (read_entry(u, table, pasid, i) != e.word[i])
            e.word[0] = 0;
    return e;
}

bool soft_look(const struct soft_unit *u, rid_t rid, uint32_t pasid, struct soft_pasid_entry *out)
{
    const struct soft_device_entry *cached = soft_cached_device(u, rid, pasid);

    *out = cached ? cached->entry : (struct soft_pasid_entry){{0}};
    if (!cached && pasid <= u->config.max_pasid)
        *out = read_whole(u, rid, pasid);
    return out->word[0] & SOFT_PASID_PRESENT;
}

static void cache(struct soft_unit *u, rid_t rid, uint32_t pasid, const struct soft_pasid_entry *e)
{
    const uint32_t key = SOFT_SPACE(FIELD_GET(SOFT_PASID_DID, e->word[1])) | FRAME_LG2;

    if (!u->tlb || u->blocked)
        return;
    *soft_device_slot(u, rid, pasid) = (struct soft_device_entry){
        .id = soft_device_id(rid, pasid),
        .valid = true,
        .usable = e->word[0] & SOFT_PASID_PRESENT,
        .key = key,
        .hash = soft_hash(key),
        .entry = *e,
    };
}

/* Not-present entries are cached in caching mode only. */
bool soft_fetch(struct soft_unit *u, rid_t rid, uint32_t pasid, struct soft_pasid_entry *out)
{
    const bool present = soft_look(u, rid, pasid, out);

    if (present || u->config.caching_mode)
        cache(u, rid, pasid, out);
    return present;
}

static void drop(struct soft_device_entry *e)
{
    e->valid = e->usable = false;
}

void soft_drop_device(struct soft_unit *u, rid_t rid)
{
    for (unsigned i = 0; i < SOFT_DEVICES; i++)
        if ((uint32_t)u->devices[i].id == rid.n)
            drop(&u->devices[i]);
}

void soft_drop_pasid(struct soft_unit *u, rid_t rid, uint32_t pasid)
{
    struct soft_device_entry *e = soft_cached_device(u, rid, pasid);

    if (e)
        drop(e);
}

static struct pt_geometry first_geometry(uint64_t word)
{
    return (struct pt_geometry){
        .format = pt_format((enum pt_format_id)FIELD_GET(SOFT_PASID_FORMAT, word)),
        .levels = (uint8_t)FIELD_GET(SOFT_PASID_FIRST_LEVELS, word),
        .iova_bits = (uint8_t)FIELD_GET(SOFT_PASID_WIDTH, word),
        .leaf_sizes = FIELD_GET(SOFT_PASID_SIZES, word) << FRAME_LG2,
    };
}

void soft_stages(const struct soft_unit *u, const struct soft_pasid_entry *e,
                 struct soft_stages *out)
{
    const uint32_t space = SOFT_SPACE(FIELD_GET(SOFT_PASID_DID, e->word[1]));

    *out = (struct soft_stages){.top = &out->second};
    out->second.geo = u->config.geo;
    out->second.geo.levels = (uint8_t)FIELD_GET(SOFT_PASID_LEVELS, e->word[1]);
    out->second.root = mfn_of(FIELD_GET(SOFT_PASID_ROOT, e->word[0]));
    out->second.space = space;
    if (!(e->word[2] & SOFT_PASID_FIRST))
        return;
    out->second.space |= SOFT_SECOND;
    out->first.geo = first_geometry(e->word[3]);
    out->first.root = mfn_of(FIELD_GET(SOFT_PASID_FIRST_ROOT, e->word[2]));
    out->first.space = space;
    out->first.below = &out->second;
    out->top = &out->first;
}

static bool has_entry(const struct soft_unit *u, rid_t rid, uint64_t table, uint32_t pasid)
{
    const struct soft_device_entry *cached = soft_cached_device(u, rid, pasid);

    return (cached && cached->usable) || read_entry(u, table, pasid, 0) & SOFT_PASID_PRESENT;
}

uint32_t soft_next_pasid(const struct soft_unit *u, rid_t rid, uint32_t pasid)
{
    uint64_t table = read_table(u, rid, pasid);

    while (pasid++ < u->config.max_pasid) {
        if (pasid % SOFT_PASIDS == 0)
            table = read_table(u, rid, pasid);
        if (!(table & SOFT_TABLE_PRESENT))
            pasid |= SOFT_PASIDS - 1;
        else if (has_entry(u, rid, table, pasid))
            return pasid;
    }
    return 0;
}
