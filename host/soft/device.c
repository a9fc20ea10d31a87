/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices of the software machine: DMA engines and disks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soft.h"

#define DISK_SIZE (16u << 20)
#define BLOCK     512u

static int load_disk(struct machine_device *dev, struct soft_device *s, const char *image)
{
    bool larger;
    FILE *f;

    s->disk_size = DISK_SIZE;
    s->disk = calloc(1, DISK_SIZE);
    if (!s->disk)
        return -ENOMEM;
    if (!image)
        return 0;
    f = fopen(image, "rb");
    if (!f)
        return machine_fail(dev->m, -ENOENT, "cannot open the image %s", image);
    s->disk_size = fread(s->disk, 1, DISK_SIZE, f) / BLOCK * BLOCK;
    larger = getc(f) != EOF;
    fclose(f);
    return larger ? machine_fail(dev->m, -EINVAL,
                                 "the image %s is larger than 16M, the most of this machine", image)
                  : 0;
}

struct requester {
    rid_t rid;
    uint32_t pasid;
};

/* Units share the devices by device number; a group's members are behind the unit of the first. */
static struct soft_unit *unit_for(struct machine *m, const struct machine_device_config *config)
{
    if (config->unprotected || m->config.no_iommu)
        return NULL;
    if (config->group)
        return ((struct soft_device *)config->group->state)->unit;
    return soft_machine_unit(m, (config->rids[0].n >> 3 & 0x1f) % m->config.nr_units);
}

int soft_add_device(struct machine_device *dev, const struct machine_device_config *config)
{
    struct soft_device *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    dev->state = s;
    s->unit = unit_for(dev->m, config);
    dev->unit = s->unit ? &s->unit->hw : NULL;
    return config->kind == MACHINE_NVME ? load_disk(dev, s, config->image) : 0;
}

void soft_remove_device(struct machine_device *dev)
{
    struct soft_device *s = dev->state;

    if (s)
        free(s->disk);
    free(s);
}

/* Where no unit is in between, nothing knows what to do with a PASID. */
static enum hw_reason directly(const struct machine *m, uint32_t pasid, uint64_t addr)
{
    if (pasid)
        return HW_REASON_BLOCKED;
    return addr < m->ram.size ? HW_REASON_NONE : HW_REASON_NOT_PRESENT;
}

static int translate(struct machine_device *dev, const struct requester *from, uint64_t addr,
                     bool write, uint64_t *maddr, enum hw_reason *reason)
{
    const struct soft_device *s = dev->state;

    if (s->unit)
        return soft_translate(s->unit, from->rid, from->pasid, addr, write, maddr, reason);
    *maddr = addr;
    *reason = directly(dev->m, from->pasid, addr);
    return *reason == HW_REASON_NONE ? 0 : -EACCES;
}

/* Where there is no memory, writes are lost and reads give all ones, as on a bus. */
static void move(struct machine_device *dev, uint64_t maddr, char *data, size_t n, bool write)
{
    char *at = ram_at(&dev->m->ram, maddr);

    if (write && !at && n == 4)
        doorbell_written(dev, maddr);
    if (write && at)
        memcpy(at, data, n);
    else if (!write && at)
        memcpy(data, at, n);
    else if (!write)
        memset(data, 0xff, n);
}

/* Within one frame. The unit completes no invalidation in the middle of it. */
static int move_in_frame(struct machine_device *dev, const struct requester *from, uint64_t addr,
                         char *data, size_t n, bool write, enum hw_reason *reason)
{
    struct soft_device *s = dev->state;
    uint64_t maddr;
    int err;

    if (s->unit)
        soft_hold(s->unit);
    err = translate(dev, from, addr, write, &maddr, reason);
    if (!err)
        move(dev, maddr, data, n, write);
    if (s->unit)
        soft_let_go(s->unit);
    return err;
}

int soft_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
             size_t size, bool write, enum hw_reason *reason)
{
    const struct requester from = {rid, pasid};
    char *at = data;
    int err = 0;

    for (size_t n; size && !err; size -= n, addr += n, at += n) {
        n = FRAME_SIZE - addr % FRAME_SIZE;
        if (n > size)
            n = size;
        err = move_in_frame(dev, &from, addr, at, n, write, reason);
    }
    return err;
}

int soft_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
              enum hw_reason *reason)
{
    const struct soft_device *s = dev->state;
    const uint64_t blocks = s->disk_size / BLOCK;

    if (lba > blocks || count > blocks - lba)
        return -ERANGE;
    return soft_dma(dev, dev->rids[0], 0, addr, s->disk + lba * BLOCK, (size_t)count * BLOCK,
                    !write, reason);
}

/* Whether it comes from MSI or from a DMA engine: the unit sees a write of four bytes. */
int soft_message(struct machine_device *dev, rid_t rid, const struct hw_message *message, bool dma,
                 struct hw_interrupt *out, enum hw_reason *reason)
{
    struct soft_device *s = dev->state;
    int err;

    (void)dma;
    if (!s->unit) {
        *out = soft_plain_interrupt(message->address, message->data);
        return 0;
    }
    soft_hold(s->unit);
    err = soft_interrupt(s->unit, rid, message->address, message->data, out, reason);
    soft_let_go(s->unit);
    return err;
}
