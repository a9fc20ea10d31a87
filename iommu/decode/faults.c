/* SPDX-License-Identifier: BSD-2-Clause */
/* read_faults. */
#include "../core/explain.h"
#include "call.h"

_Static_assert(HW_REASON_BLOCKED == IOMMU_FAULT_blocked && HW_REASON_WIDTH == IOMMU_FAULT_width &&
                   HW_REASON_NOT_PRESENT == IOMMU_FAULT_not_present &&
                   HW_REASON_NO_READ == IOMMU_FAULT_no_read &&
                   HW_REASON_NO_WRITE == IOMMU_FAULT_no_write &&
                   HW_REASON_RESERVED == IOMMU_FAULT_reserved && HW_REASON_MSI == IOMMU_FAULT_msi &&
                   HW_REASON_UNIT == IOMMU_FAULT_unit,
               "reasons have other numbers in the ABI");

int decode_read_faults(struct call *call, const void *raw)
{
    const struct pv_iommu_read_faults *in = raw;
    const uint32_t none = 0;

    call->req.faults.room = in->nr;
    call->req.faults.array = in->faults.q;
    call->req.faults.done = 0;
    /* Records whose number cannot be told must not go. */
    return call_put(call, offsetof(struct pv_iommu_read_faults, nr), &none, sizeof(none));
}

static struct physdev_pci_device device_of_rid(rid_t rid)
{
    return (struct physdev_pci_device){
        .seg = (uint16_t)(rid.n >> 16), .bus = (uint8_t)(rid.n >> 8), .devfn = (uint8_t)rid.n};
}

static int put_fault(const struct call *call, const struct sluice_fault *f)
{
    dfn_t first, last;
    const bool known =
        explain_newest_unmap(call->d, f->ctx_no, dfn_of(f->addr >> FRAME_LG2), &first, &last);
    const struct pv_iommu_fault out = {
        .addr = f->addr,
        .unmap_first = first.n,
        .unmap_last = last.n,
        .dev = device_of_rid(f->rid),
        .pasid = f->pasid,
        .ctx_no = f->ctx_no,
        .reason = (uint16_t)f->reason,
        .flags =
            (uint32_t)((f->write ? IOMMU_FAULT_write : 0) | (known ? IOMMU_FAULT_unmapped : 0)),
    };

    return call_put_array(call, call->req.faults.array,
                          (uint64_t)call->req.faults.done * sizeof(out), &out, sizeof(out));
}

/* A record goes when it has been written, not before. */
static int put_faults(struct call *call)
{
    const struct sluice_port *port = call->d->s->port;
    struct sluice_fault fault;
    uint64_t number;

    while (call->req.faults.done < call->req.faults.room) {
        if (faults_oldest(call->d, &fault, &number))
            return 0;
        if (put_fault(call, &fault))
            return -EFAULT;
        faults_drop(call->d, number);
        call->req.faults.done++;
        if (port->preempt(port->host))
            return -ERESTART;
    }
    return 0;
}

long perform_read_faults(struct call *call)
{
    struct pv_iommu_read_faults out = {.nr = 0};
    uint64_t lost;
    int err = put_faults(call);

    if (err == -ERESTART)
        return err;
    faults_count(call->d, &out.left, &lost);
    out.nr = call->req.faults.done;
    out.lost = lost;
    if (call_put(call, 0, &out, offsetof(struct pv_iommu_read_faults, faults)))
        return -EFAULT;
    faults_lost_told(call->d, lost);
    return err;
}
