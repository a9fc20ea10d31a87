/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of a machine, whatever they are made of. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend.h"

#define MOST_DMA (64u << 20)

static int add(struct machine_device *dev, const struct machine_device_config *config)
{
    const struct sluice_device_config c = {
        .unit = dev->m->config.no_iommu ? &dev->m->absent : dev->unit,
        .rids = config->rids,
        .nr_rids = config->nr_rids,
        .regions = config->regions,
        .nr_regions = config->nr_regions,
        .group = config->group ? config->group->sluice : NULL,
        .doorbells = dev->m->config.doorbells,
        .nr_doorbells = dev->m->config.nr_doorbells,
    };
    int err;

    err = sluice_device_add(dev->m->sluice, &c, &dev->sluice);
    if (err == -EEXIST)
        return machine_fail(dev->m, err,
                            "a requester id of %s is another device's; devices that share one "
                            "need the same group=",
                            dev->name);
    if (err == -EINVAL)
        return machine_fail(dev->m, err,
                            "%s: reserved regions must be whole pages (FIRST-LAST in bytes, last "
                            "byte included) and must not overlap; at most one is sw-msi, and not "
                            "beside msi",
                            dev->name);
    if (err == -ENOSPC)
        return machine_fail(dev->m, err, "the window has no page for every doorbell of %s",
                            dev->name);
    if (err == -ENODEV)
        return machine_fail(dev->m, err, "%s: the machine has PCI segment 0 only", dev->name);
    return err ? machine_fail(dev->m, err, "device %s cannot be added", dev->name) : 0;
}

int machine_device_add(struct machine *m, const struct machine_device_config *config,
                       struct machine_device **out)
{
    struct machine_device *dev;
    int err;

    if (!config->nr_rids || config->nr_rids > 8)
        return machine_fail(m, -EINVAL, "a device has 1 to 8 requester ids");
    if (machine_device(m, config->name) || machine_emulated(m, config->name))
        return machine_fail(m, -EEXIST, "there is a device %s already", config->name);
    dev = calloc(1, sizeof(*dev));
    if (!dev)
        return -ENOMEM;
    dev->m = m;
    dev->kind = config->kind;
    dev->mask = config->mask;
    snprintf(dev->name, sizeof(dev->name), "%s", config->name);
    dev->nr_rids = config->nr_rids;
    memcpy(dev->rids, config->rids, sizeof(dev->rids));
    err = m->backend->add_device(dev, config);
    if (!err)
        err = add(dev, config);
    if (err) {
        m->backend->remove_device(dev);
        free(dev);
        return err;
    }
    dev->next = m->devices;
    m->devices = dev;
    *out = dev;
    return 0;
}

static int refused(const struct machine_device *dev, const struct machine_domain *d)
{
    struct sluice_device_info info;

    sluice_device_info(dev->sluice, &info);
    if (info.exposure == SLUICE_EXPOSED_NO_UNIT || info.exposure == SLUICE_EXPOSED_ABSENT)
        return machine_fail(dev->m, -EPERM,
                            "no unit protects %s, so whoever has it reaches all memory: %s may "
                            "have it as hardware domain, or if it is `trusted`",
                            dev->name, d->name);
    return machine_fail(dev->m, -EPERM,
                        "%s can raise any interrupt (%s), and %s is not the hardware domain; "
                        "`machine msi=unsafe` allows that",
                        dev->name, sluice_isolation_name(sluice_device_isolation(dev->sluice)),
                        d->name);
}

/* A device that its owner's vIOMMU does not take is not the domain's. */
static int show(struct machine_device *dev, const struct machine_domain *d)
{
    int err = viommu_settle(dev->m);

    if (!err)
        return 0;
    (void)machine_device_unassign(dev);
    return machine_fail(dev->m, err, "%s cannot be behind the vIOMMU of %s", dev->name, d->name);
}

int machine_device_assign(struct machine_device *dev, struct machine_domain *d)
{
    int err = sluice_device_assign(dev->sluice, d->sluice);

    if (err == -EBUSY)
        return machine_fail(dev->m, err,
                            "%s or a device of its group is assigned already, or its reserved "
                            "regions are where %s has memory, or nothing protects it and %s has "
                            "dropped the 1:1 bus frames that it would need",
                            dev->name, d->name, d->name);
    if (err == -EPERM)
        return refused(dev, d);
    return err ? err : show(dev, d);
}

int machine_device_unassign(struct machine_device *dev)
{
    int err = sluice_device_unassign(dev->sluice);

    (void)viommu_settle(dev->m);
    interrupts_settle(dev->m);
    return err;
}

struct machine_device *machine_device(struct machine *m, const char *name)
{
    struct machine_device *dev = m->devices;

    while (dev && strcmp(dev->name, name))
        dev = dev->next;
    return dev;
}

struct machine_device *machine_device_at(struct machine *m, unsigned index)
{
    struct machine_device *dev = m->devices;

    while (dev && index--)
        dev = dev->next;
    return dev;
}

struct sluice_device *machine_device_sluice(struct machine_device *dev)
{
    return dev->sluice;
}

uint64_t machine_device_addr(const struct machine_device *dev, uint64_t addr)
{
    return dev->mask && dev->mask < 64 ? addr & (((uint64_t)1 << dev->mask) - 1) : addr;
}

rid_t machine_device_rid(const struct machine_device *dev)
{
    return dev->rids[0];
}

rid_t machine_device_appears(struct machine_device *dev, rid_t rid)
{
    return dev->m->backend->appears ? dev->m->backend->appears(dev, rid) : rid;
}

const char *machine_device_name(struct machine *m, const struct sluice_device *sluice)
{
    for (const struct machine_device *dev = m->devices; dev; dev = dev->next)
        if (dev->sluice == sluice)
            return dev->name;
    return "?";
}

bool device_sends_as(const struct machine_device *dev, rid_t rid)
{
    for (unsigned i = 0; i < dev->nr_rids; i++)
        if (dev->rids[i].n == rid.n)
            return true;
    return false;
}

/* The fault event: records go to those they belong to before others could push them out. */
static void report_faults(struct machine_device *dev, int err)
{
    if (err == -EACCES)
        machine_faults_collect(dev->m);
}

int machine_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
                size_t size, bool write, enum hw_reason *reason)
{
    uint32_t message;
    int err;

    *reason = HW_REASON_NONE;
    addr = machine_device_addr(dev, addr);
    if (!device_sends_as(dev, rid) || size > MOST_DMA)
        return -EINVAL;
    if (pasid && dev->m->config.no_pasid)
        return machine_fail(dev->m, -EOPNOTSUPP, "this machine was made without PASIDs");
    if (!pasid && interrupt_is_message(addr, size, write)) {
        memcpy(&message, data, sizeof(message));
        return interrupt_dma(dev, rid, addr, message, reason);
    }
    if (size && addr > UINT64_MAX - (size - 1))
        size = (size_t)(UINT64_MAX - addr) + 1; /* no address wraps: what is up there is blocked */
    err = dev->m->backend->dma(dev, rid, pasid, addr, data, size, write, reason);
    report_faults(dev, err);
    return err;
}

int machine_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr,
                 bool write, enum hw_reason *reason)
{
    int err;

    *reason = HW_REASON_NONE;
    if (dev->kind != MACHINE_NVME)
        return machine_fail(dev->m, -ENODEV, "%s is no disk: declare it with kind=nvme", dev->name);
    err = dev->m->backend->disk(dev, lba, count, addr, write, reason);
    if (err == -ERANGE)
        (void)machine_fail(dev->m, err, "the disk has no block %llu",
                           (unsigned long long)lba + count - 1);
    report_faults(dev, err);
    return err;
}
