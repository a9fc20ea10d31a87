/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains whose guests see a VT-d unit: which devices are behind it, and its registers. */
#include "../../iommu/spec/x86_msi.h"
#include "backend.h"

/* ---- Devices behind it -------------------------------------------------------------------------
 */

static bool can_be_behind(const struct machine_device *dev)
{
    return dev->unit && !(dev->rids[0].n >> 16);
}

static int leave(struct machine_device *dev)
{
    struct machine_domain *d = dev->behind;

    dev->behind = NULL;
    return sluice_viommu_remove_device(d->sluice, d->viommu, sid_of(dev));
}

static int enter(struct machine_device *dev, struct machine_domain *d)
{
    int err = sluice_viommu_add_device(d->sluice, d->viommu, sid_of(dev), dev->sluice);

    if (!err)
        dev->behind = d;
    return err;
}

static int settle(struct machine_device *dev)
{
    struct machine_domain *owner = (struct machine_domain *)(uintptr_t)interrupt_owner(dev);
    int err = 0;

    if (dev->behind && dev->behind != owner)
        err = leave(dev);
    if (!err && owner && owner->has_viommu && !dev->behind && can_be_behind(dev))
        err = enter(dev, owner);
    return err;
}

int viommu_settle(struct machine *m)
{
    int err = 0;

    for (struct machine_device *dev = m->devices; dev; dev = dev->next) {
        const int one = settle(dev);

        err = err ? err : one;
    }
    return err;
}

int viommu_add_emulated(const struct machine_emulated *e)
{
    const struct machine_domain *d = e->domain;

    return d->has_viommu ? sluice_viommu_add_device(d->sluice, d->viommu, e->sid, NULL) : 0;
}

void viommu_domain_ended(struct machine *m, const struct machine_domain *d)
{
    for (struct machine_device *dev = m->devices; dev; dev = dev->next)
        if (dev->behind == d)
            dev->behind = NULL;
}

/* ---- The unit ----------------------------------------------------------------------------------
 */

static int fill(struct machine_domain *d)
{
    int err = viommu_settle(d->m);

    for (struct machine_emulated *e = d->m->emulated; e && !err; e = e->next)
        if (e->domain == d)
            err = viommu_add_emulated(e);
    return err;
}

static void take_away(struct machine_domain *d)
{
    while (sluice_viommu_destroy(d->sluice, d->viommu) == -ERESTART)
        ;
    d->has_viommu = false;
    viommu_domain_ended(d->m, d);
}

int machine_viommu_create(struct machine_domain *d, const struct machine_viommu_config *config)
{
    struct sluice_viommu_config c = {.type = SLUICE_VIOMMU_VTD,
                                     .base = MACHINE_VIOMMU_BASE,
                                     .capabilities = config->capabilities,
                                     .iova_bits = config->iova_bits};
    uint64_t all;
    int err = d->m->config.no_iommu
                  ? -ENODEV
                  : sluice_viommu_query_caps(d->m->sluice, SLUICE_VIOMMU_VTD, &all);

    if (err)
        return machine_fail(d->m, err, "%s cannot have a vIOMMU: no unit translates", d->name);
    if (c.capabilities == MACHINE_VIOMMU_ALL)
        c.capabilities = all;
    err = sluice_viommu_create(d->sluice, &c, &d->viommu);
    if (err == -EINVAL)
        return machine_fail(d->m, err, "%s: the machine cannot offer such a vIOMMU", d->name);
    if (err)
        return machine_fail(d->m, err, "%s cannot have a vIOMMU", d->name);
    d->has_viommu = true;
    err = fill(d);
    if (err)
        take_away(d);
    return err;
}

int machine_viommu_info(struct machine_domain *d, struct sluice_viommu_info *out)
{
    return d->has_viommu ? sluice_viommu_info(d->sluice, d->viommu, out) : -ENODEV;
}

int machine_viommu_read(struct machine_domain *d, uint64_t offset, unsigned size, uint64_t *value)
{
    if (!d->has_viommu)
        return -ENODEV;
    machine_faults_collect(d->m);
    return sluice_viommu_read(d->sluice, d->viommu, offset, size, value);
}

int machine_viommu_write(struct machine_domain *d, uint64_t offset, unsigned size, uint64_t value,
                         unsigned continue_every)
{
    int err;

    if (!d->has_viommu)
        return -ENODEV;
    preempt_begin(d->m, continue_every);
    err = sluice_viommu_write(d->sluice, d->viommu, offset, size, value);
    while (err == -ERESTART)
        err = sluice_viommu_run(d->sluice, d->viommu);
    preempt_end(d->m);
    return err;
}

uint64_t machine_viommu_events(struct machine_domain *d, struct hw_message *newest)
{
    const uint64_t nr = d->events;

    *newest = d->event;
    d->events = 0;
    return nr;
}

void machine_faults_collect(struct machine *m)
{
    sluice_faults_collect(m->sluice);
    for (struct machine_domain *d = m->domains; d; d = d->next)
        if (d->has_viommu)
            (void)sluice_viommu_poll(d->sluice, d->viommu);
}

/* ---- Interrupts --------------------------------------------------------------------------------
 */

static struct hw_message plain(const struct hw_interrupt *what)
{
    return (struct hw_message){
        .address = X86_MSI_FIRST | FIELD_PREP(X86_MSI_DESTINATION, what->destination & 0xff) |
                   (what->logical ? X86_MSI_LOGICAL : 0),
        .data = (uint32_t)(FIELD_PREP(X86_MSI_VECTOR, what->vector) |
                           FIELD_PREP(X86_MSI_DELIVERY, what->delivery)),
    };
}

int viommu_remap(struct machine_domain *d, uint32_t sid, struct hw_message *message)
{
    struct sluice_viommu_info info;
    struct hw_interrupt what;
    int err = sluice_viommu_info(d->sluice, d->viommu, &info);

    if (err || !info.remapping)
        return err;
    err = sluice_viommu_interrupt(d->sluice, d->viommu, sid, message, &what);
    if (!err)
        *message = plain(&what);
    return err == -ENOENT ? -EACCES : err;
}
