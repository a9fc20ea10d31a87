/* SPDX-License-Identifier: BSD-2-Clause */
/* Device: an address through device entry and tables, by way of the caches. */
#include "../../spec/x86_msi.h"
#include "internal.h"

struct walk {
    struct soft_unit *u;
    uint16_t did;
    uint64_t dfn;
};

/* Each table on the way is remembered. */
static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    const struct walk *w = arg;

    soft_tables_fill(w->u, w->did, w->dfn, level, table);
    return soft_read(w->u, table, offset);
}

static bool fetch_device(struct soft_unit *u, rid_t rid, struct soft_context_entry *out)
{
    const struct soft_device_entry *cached = soft_cached_device(u, rid);
    uint64_t root;
    mfn_t table;

    if (cached) {
        *out = cached->entry;
        return out->lo & SOFT_CONTEXT_PRESENT;
    }
    *out = (struct soft_context_entry){0};
    root = soft_read(u, u->root, (rid.n >> 8 & 0xff) * 8);
    if (root & SOFT_ROOT_PRESENT) {
        table = mfn_of(FIELD_GET(SOFT_ROOT_TABLE, root));
        out->lo = soft_read(u, table, (rid.n & 0xff) * 16);
        out->hi = soft_read(u, table, (rid.n & 0xff) * 16 + 8);
    }
    /* Not-present entries are cached in caching mode only. */
    if ((out->lo & SOFT_CONTEXT_PRESENT) || u->config.caching_mode)
        soft_cache_device(u, rid, out);
    return out->lo & SOFT_CONTEXT_PRESENT;
}

static int walk_tables(struct walk *w, const struct soft_context_entry *entry, struct pt_leaf *leaf)
{
    struct pt_geometry geo = w->u->config.geo;
    mfn_t table;
    unsigned level;

    geo.levels = (uint8_t)FIELD_GET(SOFT_CONTEXT_LEVELS, entry->hi);
    if (soft_tables_find(w->u, w->did, w->dfn, &table, &level))
        return pt_trace_from(&geo, table, level, w->dfn << FRAME_LG2, read_entry, w, leaf);
    table = mfn_of(FIELD_GET(SOFT_CONTEXT_ROOT, entry->lo));
    return pt_trace(&geo, table, w->dfn << FRAME_LG2, read_entry, w, leaf);
}

/* What walked past is worth keeping too: the neighbours on both sides. */
static void prefetch_neighbours(struct soft_unit *u, const struct soft_context_entry *entry,
                                uint64_t dfn)
{
    const uint64_t end = BIT64(u->config.geo.iova_bits - FRAME_LG2);
    const uint16_t did = (uint16_t)FIELD_GET(SOFT_CONTEXT_DID, entry->hi);
    struct pt_leaf leaf;

    for (uint64_t d = dfn ? dfn - 1 : dfn + 1; d <= dfn + 1 && d < end; d += 2) {
        struct walk w = {u, did, d};

        if (!soft_tlb_find(u, did, d) && !walk_tables(&w, entry, &leaf))
            soft_tlb_fill(u, did, d, &leaf);
    }
}

static enum hw_reason check(unsigned attr, bool write)
{
    if (write && !(attr & PT_WRITE))
        return attr ? HW_REASON_NO_WRITE : HW_REASON_NOT_PRESENT;
    if (!write && !(attr & PT_READ))
        return attr ? HW_REASON_NO_READ : HW_REASON_NOT_PRESENT;
    return HW_REASON_NONE;
}

static enum hw_reason miss(struct soft_unit *u, const struct soft_context_entry *entry,
                           uint64_t dfn, bool write, uint64_t *mfn, uint8_t *level)
{
    struct walk w = {u, (uint16_t)FIELD_GET(SOFT_CONTEXT_DID, entry->hi), dfn};
    struct pt_leaf leaf;
    int err = walk_tables(&w, entry, &leaf);

    *level = leaf.level;
    if (err == -EINVAL)
        return HW_REASON_RESERVED;
    if (err) {
        if (u->config.caching_mode)
            soft_tlb_fill_absent(u, w.did, dfn);
        return HW_REASON_NOT_PRESENT;
    }
    soft_tlb_fill(u, w.did, dfn, &leaf);
    if (u->tlb)
        prefetch_neighbours(u, entry, dfn);
    *mfn = leaf.mfn.n;
    return check(leaf.attr, write);
}

static enum hw_reason translate(struct soft_unit *u, rid_t rid, uint64_t addr, bool write,
                                uint64_t *maddr, uint8_t *level)
{
    const uint64_t dfn = addr >> FRAME_LG2;
    struct soft_context_entry entry;
    const struct soft_tlb_entry *cached;
    enum hw_reason reason;
    uint64_t mfn = 0;

    if (u->blocked)
        return HW_REASON_UNIT;
    if (addr >= X86_MSI_FIRST && addr <= X86_MSI_LAST)
        return HW_REASON_MSI; /* not memory, whatever the tables say */
    if (!fetch_device(u, rid, &entry))
        return HW_REASON_BLOCKED;
    if (addr >> u->config.geo.iova_bits)
        return HW_REASON_WIDTH;
    cached = soft_tlb_find(u, (uint16_t)FIELD_GET(SOFT_CONTEXT_DID, entry.hi), dfn);
    if (cached) {
        mfn = cached->mfn + (dfn & (BIT64((cached->tag.key & 0xff) - FRAME_LG2) - 1));
        reason = check(cached->attr, write);
    } else {
        reason = miss(u, &entry, dfn, write, &mfn, level);
    }
    *maddr = mfn << FRAME_LG2 | addr % FRAME_SIZE;
    return reason;
}

enum hw_reason soft_peek(struct soft_unit *u, rid_t rid, uint64_t addr, bool write, uint64_t *maddr)
{
    uint8_t level;

    return translate(u, rid, addr, write, maddr, &level);
}

/*
 * The way of nearly every access: device and 4K translation are cached, and the right is there. A
 * blocked unit has no usable device.
 */
static inline bool hit(const struct soft_unit *u, rid_t rid, uint64_t addr, bool write,
                       uint64_t *maddr)
{
    const struct soft_device_entry *dev = soft_device_slot(u, rid);
    const uint64_t dfn = addr >> FRAME_LG2;
    const struct soft_tlb_entry *e;

    if (dev->rid != rid.n || !dev->usable || addr - X86_MSI_FIRST <= X86_MSI_LAST - X86_MSI_FIRST)
        return false;
    e = &u->tlb[(dfn ^ dev->hash) & u->tlb_mask];
    if (e->tag.block != dfn || e->tag.key != dev->key || !(e->attr & (write ? PT_WRITE : PT_READ)))
        return false;
    *maddr = e->mfn << FRAME_LG2 | addr % FRAME_SIZE;
    return true;
}

static int translate_slowly(struct soft_unit *u, rid_t rid, uint64_t addr, bool write,
                            uint64_t *maddr, enum hw_reason *reason)
{
    struct hw_fault fault = {.rid = rid, .addr = addr, .write = write};

    *reason = translate(u, rid, addr, write, maddr, &fault.level);
    if (*reason == HW_REASON_NONE)
        return 0;
    fault.reason = *reason;
    soft_record(u, &fault);
    return -EACCES;
}

int soft_translate(struct soft_unit *u, rid_t rid, uint64_t addr, bool write, uint64_t *maddr,
                   enum hw_reason *reason)
{
    if (!hit(u, rid, addr, write, maddr))
        return translate_slowly(u, rid, addr, write, maddr, reason);
    *reason = HW_REASON_NONE;
    return 0;
}
