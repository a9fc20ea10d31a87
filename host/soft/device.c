/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of the software machine: DMA engines and disks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"

#define DISK_SIZE (16u << 20)
#define BLOCK     512u
#define MOST_DMA  (64u << 20)

static struct soft_unit *unit_for(struct machine *m, const struct machine_device_config *config)
{
    if (config->unprotected || m->config.no_iommu)
        return NULL;
    return &m->units[(config->rids[0].n >> 3 & 0x1f) % m->config.nr_units];
}

static int load_disk(struct machine_device *dev, const char *image)
{
    FILE *f;

    dev->disk_size = DISK_SIZE;
    dev->disk = calloc(1, DISK_SIZE);
    if (!dev->disk)
        return -ENOMEM;
    if (!image)
        return 0;
    f = fopen(image, "rb");
    if (!f)
        return machine_fail(dev->m, -ENOENT, "cannot open the image %s", image);
    dev->disk_size = fread(dev->disk, 1, DISK_SIZE, f) / BLOCK * BLOCK;
    fclose(f);
    return 0;
}

static int add(struct machine_device *dev, const struct machine_device_config *config)
{
    const struct sluice_device_config c = {
        .unit = dev->unit ? &dev->unit->hw : NULL,
        .rids = config->rids,
        .nr_rids = config->nr_rids,
        .regions = config->regions,
        .nr_regions = config->nr_regions,
        .group = config->group ? config->group->sluice : NULL,
    };
    int err;

    if (!dev->unit)
        return 0;
    err = sluice_device_add(dev->m->sluice, &c, &dev->sluice);
    if (err == -EEXIST)
        return machine_fail(dev->m, err, "a requester id of %s is another device's", dev->name);
    if (err == -EINVAL)
        return machine_fail(dev->m, err,
                            "%s: reserved regions must be whole pages (FIRST-LAST in bytes, last "
                            "byte included) and must not overlap",
                            dev->name);
    return err ? machine_fail(dev->m, err, "device %s cannot be added", dev->name) : 0;
}

/* A group moves as one unit's: its members are behind the unit of the first. */
static void place(struct machine_device *dev, const struct machine_device_config *config)
{
    dev->unit = config->group ? config->group->unit : unit_for(dev->m, config);
    dev->nr_rids = config->nr_rids;
    memcpy(dev->rids, config->rids, sizeof(dev->rids));
}

int machine_device_add(struct machine *m, const struct machine_device_config *config,
                       struct machine_device **out)
{
    struct machine_device *dev;
    int err;

    if (!config->nr_rids || config->nr_rids > 8)
        return machine_fail(m, -EINVAL, "a device has 1 to 8 requester ids");
    if (machine_device(m, config->name))
        return machine_fail(m, -EEXIST, "there is a device %s already", config->name);
    dev = calloc(1, sizeof(*dev));
    if (!dev)
        return -ENOMEM;
    dev->m = m;
    dev->kind = config->kind;
    snprintf(dev->name, sizeof(dev->name), "%s", config->name);
    place(dev, config);
    err = config->kind == MACHINE_NVME ? load_disk(dev, config->image) : 0;
    if (!err)
        err = add(dev, config);
    if (err) {
        free(dev->disk);
        free(dev);
        return err;
    }
    dev->next = m->devices;
    m->devices = dev;
    *out = dev;
    return 0;
}

int machine_device_assign(struct machine_device *dev, struct machine_domain *d)
{
    int err;

    if (!dev->sluice) {
        if (dev->owner)
            return -EBUSY;
        dev->owner = d;
        return 0;
    }
    err = sluice_device_assign(dev->sluice, d->sluice);
    if (err == -EBUSY)
        return machine_fail(dev->m, err,
                            "%s or a device of its group is assigned already, or its reserved "
                            "regions are where %s has memory",
                            dev->name, d->name);
    return err;
}

int machine_device_unassign(struct machine_device *dev)
{
    if (dev->sluice)
        return sluice_device_unassign(dev->sluice);
    if (!dev->owner)
        return -ENODEV;
    dev->owner = NULL;
    return 0;
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

rid_t machine_device_rid(const struct machine_device *dev)
{
    return dev->rids[0];
}

const char *machine_device_name(struct machine *m, const struct sluice_device *sluice)
{
    for (const struct machine_device *dev = m->devices; dev; dev = dev->next)
        if (dev->sluice == sluice)
            return dev->name;
    return "?";
}

static bool owns(const struct machine_device *dev, rid_t rid)
{
    for (unsigned i = 0; i < dev->nr_rids; i++)
        if (dev->rids[i].n == rid.n)
            return true;
    return false;
}

static int translate(struct machine_device *dev, rid_t rid, uint64_t addr, bool write,
                     uint64_t *maddr, enum hw_reason *reason)
{
    if (dev->unit)
        return soft_translate(dev->unit, rid, addr, write, maddr, reason);
    *maddr = addr;
    *reason = addr < dev->m->ram.size ? HW_REASON_NONE : HW_REASON_NOT_PRESENT;
    return *reason == HW_REASON_NONE ? 0 : -EACCES;
}

/* Where there is no memory, writes are lost and reads give all ones, as on a bus. */
static void move(struct machine_device *dev, uint64_t maddr, char *data, size_t n, bool write)
{
    char *at = ram_at(&dev->m->ram, maddr);

    if (write && at)
        memcpy(at, data, n);
    else if (!write && at)
        memcpy(data, at, n);
    else if (!write)
        memset(data, 0xff, n);
}

int machine_dma(struct machine_device *dev, rid_t rid, uint64_t addr, void *data, size_t size,
                bool write, enum hw_reason *reason)
{
    char *at = data;
    uint64_t maddr;
    int err = 0;

    *reason = HW_REASON_NONE;
    if (!owns(dev, rid) || size > MOST_DMA || (size && addr > UINT64_MAX - (size - 1)))
        return -EINVAL;
    for (size_t n; size && !err; size -= n, addr += n, at += n) {
        n = FRAME_SIZE - addr % FRAME_SIZE;
        if (n > size)
            n = size;
        if (dev->unit)
            soft_hold(dev->unit);
        err = translate(dev, rid, addr, write, &maddr, reason);
        if (!err)
            move(dev, maddr, at, n, write);
        if (dev->unit)
            soft_let_go(dev->unit);
    }
    return err;
}

int machine_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr,
                 bool write, enum hw_reason *reason)
{
    const uint64_t blocks = dev->disk_size / BLOCK;

    *reason = HW_REASON_NONE;
    if (dev->kind != MACHINE_NVME)
        return -ENODEV;
    if (lba > blocks || count > blocks - lba)
        return -ERANGE;
    return machine_dma(dev, dev->rids[0], addr, dev->disk + lba * BLOCK, (size_t)count * BLOCK,
                       !write, reason);
}
