/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MSI and MSI-X. PCI Local Bus Specification 3.0, section 6.8.
 */
#include "internal.h"
#include "pci.h"
#include "pci_regs.h"
#include "qtest.h"

int pci_msi(struct qemu *q, const struct pci_function *f, uint64_t addr, uint32_t data)
{
    unsigned cap, next;
    uint32_t control;
    int ret = pci_capability(q, f->id, PCI_CAP_MSI, &cap);

    if (!ret)
        ret = pci_read(q, f->id, cap + MSI_CONTROL, 2, &control);
    if (!ret)
        ret = pci_write(q, f->id, cap + MSI_ADDRESS, 4, (uint32_t)addr);
    if (ret)
        return ret;
    next = cap + MSI_ADDRESS + 4;
    if (control & MSI_64BIT) {
        ret = pci_write(q, f->id, next, 4, (uint32_t)(addr >> 32));
        next += 4;
    } else if (addr >> 32) {
        return qemu_fail(q, -EINVAL, "PCI %04x: MSI has 32 bits", f->id);
    }
    if (!ret)
        ret = pci_write(q, f->id, next, 2, data & 0xffff);
    control = (control & ~MSI_MANY) | MSI_ENABLE;
    return ret ? ret : pci_write(q, f->id, cap + MSI_CONTROL, 2, control);
}

int pci_msi_off(struct qemu *q, const struct pci_function *f)
{
    uint32_t control;
    unsigned cap;
    int ret = pci_capability(q, f->id, PCI_CAP_MSI, &cap);

    if (!ret)
        ret = pci_read(q, f->id, cap + MSI_CONTROL, 2, &control);
    return ret ? ret : pci_write(q, f->id, cap + MSI_CONTROL, 2, control & ~MSI_ENABLE);
}

/* Where an entry of the table is, by machine address. */
static int msix_entry(struct qemu *q, const struct pci_function *f, unsigned entry, uint64_t *at)
{
    uint32_t control, table;
    unsigned cap, bar;
    int ret = pci_capability(q, f->id, PCI_CAP_MSIX, &cap);

    if (!ret)
        ret = pci_read(q, f->id, cap + MSIX_CONTROL, 2, &control);
    if (!ret)
        ret = pci_read(q, f->id, cap + MSIX_TABLE, 4, &table);
    if (ret)
        return ret;
    bar = table & MSIX_BIR;
    if (entry > (control & MSIX_SIZE) || bar >= PCI_BARS || !f->bars[bar].addr)
        return qemu_fail(q, -ERANGE, "PCI %04x: no MSI-X entry %u", f->id, entry);
    *at = f->bars[bar].addr + (table & ~MSIX_BIR) + (uint64_t)entry * MSIX_ENTRY;
    return 0;
}

int pci_msix(struct qemu *q, const struct pci_function *f, unsigned entry, uint64_t addr,
             uint32_t data, bool masked)
{
    uint64_t at = 0;
    int ret = msix_entry(q, f, entry, &at);

    if (ret)
        return ret;
    ret = qtest_write(q, at + 12, 4, MSIX_MASKED); /* while it is half written */
    if (!ret)
        ret = qtest_write(q, at, 4, (uint32_t)addr);
    if (!ret)
        ret = qtest_write(q, at + 4, 4, addr >> 32);
    if (!ret)
        ret = qtest_write(q, at + 8, 4, data);
    return ret || masked ? ret : qtest_write(q, at + 12, 4, 0);
}

int pci_msix_enable(struct qemu *q, const struct pci_function *f, bool on)
{
    uint32_t control;
    unsigned cap;
    int ret = pci_capability(q, f->id, PCI_CAP_MSIX, &cap);

    if (!ret)
        ret = pci_read(q, f->id, cap + MSIX_CONTROL, 2, &control);
    if (ret)
        return ret;
    control &= ~(MSIX_ENABLE | MSIX_MASK);
    return pci_write(q, f->id, cap + MSIX_CONTROL, 2, control | (on ? MSIX_ENABLE : 0));
}
