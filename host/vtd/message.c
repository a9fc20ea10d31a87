/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt messages: edu has MSI, NVMe has MSI-X. What arrives is in QEMU's traces; it leaves no
 * fault record for what does not.
 *
 * QEMU's unit lets more through than VT-d does: messages in compatibility format, and those that a
 * device writes by DMA, whose sender it does not compare with the entry's.
 */
#include "../../iommu/spec/x86_msi.h"
#include "vtd.h"

#define MOST 16u

static int send_edu(struct edu *edu, const struct hw_message *m)
{
    int err = pci_msi(edu->q, edu->function, m->address, m->data);

    if (!err)
        err = edu_raise(edu, 1);
    if (!err)
        err = edu_lower(edu, 1);
    return err ? err : pci_msi_off(edu->q, edu->function);
}

/* The I/O queue's entry is masked but for one completion. */
static int send_nvme(struct machine_device *dev, const struct hw_message *m)
{
    struct vtd_slot *slot = dev->state;
    struct nvme *n = &slot->nvme;
    int err = slot->started ? 0 : vtd_disk_start(dev);

    if (!err)
        err = pci_msix(n->q, n->function, 1, m->address, m->data, false);
    if (!err)
        err = nvme_flush(n);
    if (err == -ETIMEDOUT)
        slot->started = false;
    return err ? err : pci_msix(n->q, n->function, 1, m->address, m->data, true);
}

static int send_dma(struct machine_device *dev, const struct hw_message *m)
{
    struct vtd_slot *slot = dev->state;
    uint32_t data = m->data;

    if (dev->kind != MACHINE_DMA)
        return machine_fail(dev->m, -EOPNOTSUPP, "an nvme moves blocks only: read, write");
    return edu_dma(&slot->edu, m->address, &data, sizeof(data), true);
}

bool vtd_messages_came(struct vtd_state *state, struct qemu_interrupt *first)
{
    struct qemu_interrupt all[MOST];
    bool came = false;
    unsigned n;

    while ((n = qemu_interrupts(state->q, all, MOST))) {
        if (!came)
            *first = all[0];
        came = true;
    }
    return came;
}

/* A pending message of an earlier completion may come with it: it is the same. */
static int judge(struct machine_device *dev, const struct hw_message *m, struct hw_interrupt *out,
                 enum hw_reason *reason)
{
    struct vtd_state *state = dev->m->state;
    struct qemu_interrupt came;

    if (!vtd_messages_came(state, &came)) {
        *reason = dev->unit && dev->unit->failed ? HW_REASON_UNIT : HW_REASON_MSI;
        return -EACCES;
    }
    if (came.remapped && came.index != FIELD_GET(X86_MSI_HANDLE, m->address))
        return machine_fail(dev->m, -EIO, "entry %u was used for another's message", came.index);
    *out = (struct hw_interrupt){.destination = came.dest,
                                 .vector = came.vector,
                                 .delivery = (enum hw_delivery)came.delivery,
                                 .logical = came.logical,
                                 .level = came.level};
    return 0;
}

int vtd_message(struct machine_device *dev, rid_t rid, const struct hw_message *m, bool dma,
                struct hw_interrupt *out, enum hw_reason *reason)
{
    struct vtd_state *state = dev->m->state;
    struct vtd_slot *slot = dev->state;
    struct qemu_interrupt old;
    int err = vtd_check_requester(dev, rid);

    if (err)
        return err;
    if (!dma && dev->kind == MACHINE_DMA && m->data >> 16)
        return machine_fail(dev->m, -EINVAL, "edu's MSI has 16 bits of data");
    (void)vtd_messages_came(state, &old);
    if (dma)
        err = send_dma(dev, m);
    else
        err = dev->kind == MACHINE_DMA ? send_edu(&slot->edu, m) : send_nvme(dev, m);
    if (err == -EOPNOTSUPP)
        return err;
    if (err)
        return machine_fail(dev->m, -EIO, "%s", qemu_error(state->q));
    return judge(dev, m, out, reason);
}
