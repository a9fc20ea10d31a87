/* SPDX-License-Identifier: BSD-2-Clause */
/* Device: an address through the requester's entry and tables, by way of the caches. */
#include "../../spec/x86_msi.h"
#include "internal.h"

static bool beyond(const struct soft_stage *stage, uint64_t addr)
{
    return stage->geo.iova_bits < 64 && addr >> stage->geo.iova_bits;
}

static enum hw_reason check(unsigned attr, bool write)
{
    if (attr & (write ? PT_WRITE : PT_READ))
        return HW_REASON_NONE;
    return write ? HW_REASON_NO_WRITE : HW_REASON_NO_READ;
}

static enum hw_reason translate(struct soft_unit *u, rid_t rid, uint32_t pasid, uint64_t addr,
                                bool write, uint64_t *maddr, uint8_t *level)
{
    struct soft_pasid_entry entry;
    struct soft_stages stages;
    enum hw_reason reason;
    struct pt_leaf leaf;

    if (u->blocked)
        return HW_REASON_UNIT;
    if (addr >= X86_MSI_FIRST && addr <= X86_MSI_LAST)
        return HW_REASON_MSI; /* not memory, whatever the tables say */
    if (!soft_fetch(u, rid, pasid, &entry))
        return HW_REASON_BLOCKED;
    soft_stages(u, &entry, &stages);
    if (beyond(stages.top, addr))
        return HW_REASON_WIDTH;
    reason = soft_find(u, stages.top, addr >> FRAME_LG2, &leaf);
    *level = leaf.level;
    *maddr = leaf.mfn.n << FRAME_LG2 | addr % FRAME_SIZE;
    return reason == HW_REASON_NONE ? check(leaf.attr, write) : reason;
}

enum hw_reason soft_peek(struct soft_unit *u, rid_t rid, uint32_t pasid, uint64_t addr, bool write,
                         uint64_t *maddr)
{
    uint8_t level;

    return translate(u, rid, pasid, addr, write, maddr, &level);
}

/*
 * The way of nearly every access: entry and 4K translation are cached, and the right is there. A
 * blocked unit has no usable entry.
 */
static inline bool hit(const struct soft_unit *u, rid_t rid, uint32_t pasid, uint64_t addr,
                       bool write, uint64_t *maddr)
{
    const struct soft_device_entry *dev = soft_device_slot(u, rid, pasid);
    const uint64_t dfn = addr >> FRAME_LG2;
    const struct soft_tlb_entry *e;

    if (dev->id != soft_device_id(rid, pasid) || !dev->usable ||
        addr - X86_MSI_FIRST <= X86_MSI_LAST - X86_MSI_FIRST)
        return false;
    e = &u->tlb[(dfn ^ dev->hash) & u->tlb_mask];
    if (e->tag.block != dfn || e->tag.key != dev->key || !(e->attr & (write ? PT_WRITE : PT_READ)))
        return false;
    *maddr = e->mfn << FRAME_LG2 | addr % FRAME_SIZE;
    return true;
}

static int translate_slowly(struct soft_unit *u, rid_t rid, uint32_t pasid, uint64_t addr,
                            bool write, uint64_t *maddr, enum hw_reason *reason)
{
    struct hw_fault fault = {.rid = rid, .pasid = pasid, .addr = addr, .write = write};

    *reason = translate(u, rid, pasid, addr, write, maddr, &fault.level);
    if (*reason == HW_REASON_NONE)
        return 0;
    fault.reason = *reason;
    soft_record(u, &fault);
    return -EACCES;
}

int soft_translate(struct soft_unit *u, rid_t rid, uint32_t pasid, uint64_t addr, bool write,
                   uint64_t *maddr, enum hw_reason *reason)
{
    if (!hit(u, rid, pasid, addr, write, maddr))
        return translate_slowly(u, rid, pasid, addr, write, maddr, reason);
    *reason = HW_REASON_NONE;
    return 0;
}
