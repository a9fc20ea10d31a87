/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMA by edu, judged by fault records. QEMU leaves none when a cached translation lacks the right:
 * then the data says it. What should have been written is not in the frame that the context names,
 * or what was read is not what is in there.
 */
#include <string.h>

#include "../../iommu/spec/x86_msi.h"
#include "vtd.h"

struct look {
    dfn_t dfn;
    mfn_t mfn;
};

static int look_at(void *arg, const struct pt_leaf *leaf)
{
    struct look *look = arg;

    look->mfn = mfn_add(leaf->mfn, look->dfn.n - leaf->dfn.n);
    return 1;
}

void *vtd_where(struct machine_device *dev, uint64_t addr)
{
    struct look look = {.dfn = dfn_of(addr >> FRAME_LG2)};
    struct sluice_device_info info;

    sluice_device_info(dev->sluice, &info);
    if (!info.domain ||
        sluice_context_walk(info.domain, info.ctx_no, look.dfn, look.dfn, look_at, &look) != 1)
        return NULL;
    return ram_at(&dev->m->ram, look.mfn.n << FRAME_LG2 | addr % FRAME_SIZE);
}

/* Without a fault record: did the bytes come to where they should? */
static bool was_dropped(struct machine_device *dev, uint64_t addr, const void *data, size_t size)
{
    const void *at = vtd_where(dev, addr);

    return at && memcmp(at, data, size) != 0;
}

/* Within one page. */
static int piece(struct machine_device *dev, uint64_t addr, unsigned char *data, size_t size,
                 bool write, enum hw_reason *reason)
{
    struct vtd_state *state = dev->m->state;
    struct vtd_slot *slot = dev->state;
    struct qemu_interrupt message;
    struct hw_fault fault;
    int err = edu_dma(&slot->edu, addr, data, size, write);

    if (err)
        return machine_fail(dev->m, -EIO, "%s", qemu_error(state->q));
    if (addr >= X86_MSI_FIRST && addr <= X86_MSI_LAST) /* not memory: without fault record */
        *reason = vtd_messages_came(state, &message) ? HW_REASON_NONE : HW_REASON_MSI;
    if (!dev->unit || *reason != HW_REASON_NONE)
        return *reason == HW_REASON_NONE ? 0 : -EACCES;
    if (vtd_faults_look(dev->unit, slot->requester, &fault)) {
        *reason = fault.reason;
        return -EACCES;
    }
    if (dev->unit->failed)
        *reason = HW_REASON_UNIT;
    else if (was_dropped(dev, addr, data, size))
        *reason = write ? HW_REASON_NO_WRITE : HW_REASON_NO_READ;
    return *reason == HW_REASON_NONE ? 0 : -EACCES;
}

int vtd_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
            size_t size, bool write, enum hw_reason *reason)
{
    unsigned char *at = data;
    int err = vtd_check_requester(dev, rid);

    if (err)
        return err;
    if (pasid)
        return machine_fail(dev->m, -EOPNOTSUPP, "QEMU's devices send no PASIDs");
    if (dev->kind != MACHINE_DMA)
        return machine_fail(dev->m, -EOPNOTSUPP, "an nvme moves blocks only: read, write");
    for (size_t n; size && !err; size -= n, addr += n, at += n) {
        n = FRAME_SIZE - addr % FRAME_SIZE;
        if (n > size)
            n = size;
        if (n > FRAME_SIZE / 2)
            n = FRAME_SIZE / 2;
        err = piece(dev, addr, at, n, write, reason);
    }
    return err;
}
