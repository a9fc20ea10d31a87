/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices: added, given to domains, moved between contexts, and what their DMA may do. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

void group_move(struct ghost *g, const struct ghost_device *dev, struct ghost_domain *d,
                uint16_t ctx)
{
    unsigned group = dev->group;

    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (g->devices[i]->group != group)
            continue;
        if (g->devices[i]->domain != d) {
            g->devices[i]->programmed = false;
            pairs_end(g, g->devices[i]);
        }
        g->devices[i]->domain = d;
        g->devices[i]->ctx = ctx;
        doorbells_learn_window(g->devices[i]);
    }
    if (d)
        nested_make_way(g, d, ctx);
}

/* What the library says of it, and what firmware does. */
static bool protection_is_right(struct ghost *g, const struct ghost_device *dev)
{
    struct sluice_device_info info;

    sluice_device_info(dev->real, &info);
    if (info.protected && dev->exposed)
        return complain(g, "%s: called protected, and is not", dev->name);
    if (!info.protected && !dev->exposed && info.exposure != SLUICE_EXPOSED_FAILED)
        return complain(g, "%s: added without a unit", dev->name);
    return true;
}

bool ghost_device_added(struct ghost *g, const struct machine_device_config *config,
                        struct machine_device *dev, int status)
{
    struct ghost_device *new, *group;

    event_begins(g, status);
    if (status)
        return true;
    new = memset(must_alloc(NULL, 1, sizeof(*new)), 0, sizeof(*new));
    group = config->group ? find_device(g, config->group) : NULL;
    new->machine = dev;
    new->real = machine_device_sluice(dev);
    new->exposed = config->unprotected || g->no_iommu;
    new->name = strdup(config->name);
    new->nr_rids = config->nr_rids;
    memcpy(new->rids, config->rids, config->nr_rids * sizeof(*new->rids));
    new->group = group ? group->group : g->nr_groups++;
    new->nr_regions = config->nr_regions;
    new->regions = must_alloc(NULL, config->nr_regions + 1, sizeof(*new->regions));
    if (config->nr_regions)
        memcpy(new->regions, config->regions, config->nr_regions * sizeof(*new->regions));
    doorbells_add_window(g, new);
    g->devices = must_alloc(g->devices, g->nr_devices + 1, sizeof(*g->devices));
    g->devices[g->nr_devices++] = new;
    return protection_is_right(g, new);
}

/* After -EIO a device is where it was or where it was to go: the machine says which. */
static bool learn_place(struct ghost *g, const struct ghost_device *dev, struct ghost_domain *d,
                        uint16_t ctx)
{
    struct sluice_device_info info;

    sluice_device_info(dev->real, &info);
    if (info.domain == (d ? d->real : NULL) && info.ctx_no == ctx)
        group_move(g, dev, d, ctx);
    return true;
}

bool ghost_assigned(struct ghost *g, struct machine_device *machine, uint16_t domid, int status)
{
    struct ghost_device *dev = find_device(g, machine);
    struct ghost_domain *d = find_domain(g, domid);
    enum conflict conflict;
    struct verdict v = {0};

    event_begins(g, status);
    if (!dev || !d)
        return status ? true : complain(g, "assigned, but the model has no such device or domain");
    may_if(&v, dev->exposed && !d->trusted, -EPERM);
    may_if(&v, !dev->domain && is_unsafe(g, dev, d) && !g->allow_unsafe, -EPERM);
    may_if(&v, dev->exposed && d->dropping, -EBUSY);
    conflict = dev->exposed ? FITS : group_conflict(g, dev, d, 0);
    may_if(&v, dev->domain || conflict == CONFLICTS, -EBUSY);
    may_if(&v, status == -EBUSY && (conflict == AMBIGUOUS || g->failed), -EBUSY);
    may_if(&v, status == -ENOMEM && tables_may_lack(g, d, PT_MAX_LEVELS), -ENOMEM);
    if (!judge(g, &v, status, "assigning a device"))
        return false;
    if (status == -EIO)
        return learn_place(g, dev, d, 0);
    if (!status)
        group_move(g, dev, d, 0);
    return true;
}

bool ghost_unassigned(struct ghost *g, struct machine_device *machine, int status)
{
    struct ghost_device *dev = find_device(g, machine);
    struct verdict v = {0};

    event_begins(g, status);
    if (!dev)
        return status ? true : complain(g, "unassigned, but the model has no such device");
    may_if(&v, !dev->domain, -ENODEV);
    if (!judge(g, &v, status, "taking a device away"))
        return false;
    if (status == -EIO)
        return learn_place(g, dev, NULL, 0);
    if (!status)
        group_move(g, dev, NULL, 0);
    return true;
}

struct ghost_device *called_device(const struct ghost *g, const struct ghost_domain *d,
                                   const struct physdev_pci_device *pci)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        struct ghost_device *dev = g->devices[i];

        if (!dev->exposed && !dev->pasid && dev->domain == d &&
            dev->rids[0].n == rid_of(pci->seg, pci->bus, pci->devfn).n)
            return dev;
    }
    return NULL;
}

bool called_reattach(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_reattach_device in;
    struct ghost_device *dev;
    enum conflict conflict = FITS;
    struct verdict v = {0};

    memcpy(&in, c->in, sizeof(in));
    dev = called_device(g, c->d, &in.dev);
    may_if(&v, in.pasid && !max_pasid(g), -EOPNOTSUPP);
    may_if(&v, !dev, -ENODEV);
    if (in.pasid && !v.nr)
        return pair_moved(g, c, dev, &in);
    may_if(&v, !find_ctx(c->d, in.ctx_no), -EINVAL);
    may_if(&v, !v.nr && is_behind(dev), -EBUSY);
    if (!v.nr && dev->ctx != in.ctx_no)
        conflict = group_conflict(g, dev, c->d, in.ctx_no);
    may_if(&v, conflict == CONFLICTS, -EBUSY);
    may_if(&v, c->status == -EBUSY && (conflict == AMBIGUOUS || g->failed), -EBUSY);
    may_if(&v, c->status == -ENOMEM && tables_may_lack(g, c->d, PT_MAX_LEVELS), -ENOMEM);
    if (!judge(g, &v, c->status, "reattach_device"))
        return false;
    if (c->status == -EIO)
        return learn_place(g, dev, c->d, in.ctx_no);
    if (!c->status)
        group_move(g, dev, c->d, in.ctx_no);
    return true;
}

bool has_rid(const struct ghost_device *dev, rid_t rid)
{
    for (unsigned i = 0; i < dev->nr_rids; i++) {
        if (dev->rids[i].n == rid.n)
            return true;
    }
    return false;
}

#define DMA_MOST (64u << 20)

static bool may_reach_pending(const struct ghost_device *dev, uint64_t dfn, unsigned need)
{
    const struct page *page = pending_page(dev, dfn);

    return page && page->attr & need;
}

/*
 * The first page that the device may not access, or false when it may access all. `late`: an unmap
 * that waits for its flush stops nobody yet.
 */
static bool first_blocked(const struct ghost *g, const struct ghost_device *dev, uint64_t addr,
                          uint64_t size, bool write, bool late, uint64_t *blocked)
{
    unsigned need = write ? PT_WRITE : PT_READ;

    for (uint64_t dfn = addr >> FRAME_LG2; size && dfn <= (addr + size - 1) >> FRAME_LG2; dfn++) {
        uint64_t mfn;
        unsigned attr;

        *blocked = dfn;
        if (late && may_reach_pending(dev, dfn, need))
            continue;
        if (!device_reach(g, dev, dfn, &mfn, &attr) || !(attr & need))
            return true;
    }
    return false;
}

/* Hardware may go on with what a guest's own table did not have when it was flushed last. */
static bool may_lag(const struct ghost_device *dev, uint64_t addr, uint64_t size, bool write)
{
    if (!dev->domain || !is_nested_in_hardware(dev->domain, dev->ctx))
        return false;
    for (uint64_t dfn = addr >> FRAME_LG2; size && dfn <= (addr + size - 1) >> FRAME_LG2; dfn++) {
        if (!may_reach_pending(dev, dfn, write ? PT_WRITE : PT_READ))
            return true;
    }
    return false;
}

/* Is what was said about a blocked access true? */
static bool reason_fits(const struct ghost *g, const struct ghost_device *dev, uint64_t dfn,
                        enum hw_reason reason)
{
    unsigned attr;
    uint64_t mfn;
    bool there = device_reach(g, dev, dfn, &mfn, &attr);

    switch (reason) {
    case HW_REASON_BLOCKED:
        return !dev->domain || (!dev->ctx && g->blocked);
    case HW_REASON_WIDTH:
        return dfn > g->max_dfn;
    case HW_REASON_NOT_PRESENT:
        return !there;
    case HW_REASON_NO_READ:
    case HW_REASON_NO_WRITE:
        /* Of an unmap that waits for its flush, the entry may be cached. */
        return there || pending_page(dev, dfn) || g->coarse || leftover_rights(g, dfn);
    case HW_REASON_MSI:
        return dfn >= MSI_FIRST && dfn <= MSI_LAST;
    case HW_REASON_UNIT:
        return g->may_fail;
    case HW_REASON_RESERVED:
        return g->coarse && !there; /* QEMU's word for a PASID entry that is not present */
    default:
        return false;
    }
}

static bool dma_performed(struct ghost *g, const struct ghost_device *dev, uint64_t addr,
                          uint64_t size, bool write)
{
    uint64_t dfn;

    if (g->eio && g->nr_units == 1)
        return complain(g, "%s: DMA through a failed unit", dev->name);
    if (leftover_touches(g, addr >> FRAME_LG2, (addr + size - 1) >> FRAME_LG2))
        return true;
    if (first_blocked(g, dev, addr, size, write, true, &dfn) && dev->domain)
        return complain(g, "%s: %s DMA was performed at dfn 0x%jx, context %u does not allow it",
                        dev->name, write ? "write" : "read", (uintmax_t)dfn, dev->ctx);
    if (first_blocked(g, dev, addr, size, write, true, &dfn))
        return complain(g, "%s: DMA at dfn 0x%jx out of quarantine", dev->name, (uintmax_t)dfn);
    return true;
}

/* Of a PASID that is attached to nothing. */
static bool pasid_blocked(struct ghost *g, const struct ghost_device *dev, uint32_t pasid,
                          uint64_t dfn, int status, enum hw_reason reason)
{
    if (status == -EACCES && reason == HW_REASON_UNIT && g->may_fail) {
        g->failed = true;
        return true;
    }
    if (status == -EACCES && (reason == HW_REASON_BLOCKED ||
                              (reason == HW_REASON_MSI && dfn >= MSI_FIRST && dfn <= MSI_LAST)))
        return true;
    return complain(g, "%s: DMA with pasid %u, which is attached to nothing, gave %d (%s)",
                    dev->name, pasid, status, sluice_reason_name(reason));
}

bool ghost_dma(struct ghost *g, struct machine_device *machine, rid_t rid, uint32_t pasid,
               uint64_t addr, uint64_t size, bool write, int status, enum hw_reason reason)
{
    const struct ghost_device *dev = find_device(g, machine);
    uint64_t dfn;
    bool allowed;

    event_begins(g, 0);
    addr = machine_device_addr(machine, addr);
    dfn = addr >> FRAME_LG2;
    if (size && addr + (size - 1) < addr)
        size = UINT64_MAX - addr + 1;
    if (!dev)
        return complain(g, "DMA of a device that the model does not have");
    if (dev->exposed)
        return true;
    if (!has_rid(dev, rid) || size > DMA_MOST)
        return status == -EINVAL ? true : complain(g, "%s: bad DMA gave %d", dev->name, status);
    if (status == -EOPNOTSUPP && pasid)
        return true; /* the machine's devices have none */
    if (pasid && !find_pair(g, dev, pasid))
        return !size || pasid_blocked(g, dev, pasid, dfn, status, reason);
    if (pasid)
        dev = find_pair(g, dev, pasid);
    if (!status && g->coarse && dfn >= MSI_FIRST && dfn <= MSI_LAST)
        return true; /* not memory: whatever the chipset makes of it */
    if (!status && !pasid && write && size == 4 && addr % 4 == 0 && dfn >= MSI_FIRST &&
        dfn <= MSI_LAST)
        return message_dma(g, dev, rid, addr)
                   ? true
                   : complain(g, "%s: raised an interrupt by DMA to 0x%jx", dev->name,
                              (uintmax_t)addr);
    if (is_behind(dev))
        return behind_dma(g, dev, status);
    if (!status)
        return dma_performed(g, dev, addr, size, write);
    if (status != -EACCES)
        return complain(g, "%s: DMA gave %d", dev->name, status);
    if (reason == HW_REASON_UNIT && g->may_fail) {
        g->failed = true;
        return true;
    }
    if (may_lag(dev, addr, size, write))
        return true;
    allowed = !first_blocked(g, dev, addr, size, write, false, &dfn);
    if (allowed && !dev->domain)
        return true; /* its own direct regions: a quarantine may show them or not */
    if (allowed)
        return complain(g, "%s: %s DMA at 0x%jx was blocked (%s), context %u allows it", dev->name,
                        write ? "write" : "read", (uintmax_t)addr, sluice_reason_name(reason),
                        dev->ctx);
    if (!reason_fits(g, dev, dfn, reason))
        return complain(g, "%s: DMA at 0x%jx was blocked for a wrong reason: %s", dev->name,
                        (uintmax_t)addr, sluice_reason_name(reason));
    return true;
}
