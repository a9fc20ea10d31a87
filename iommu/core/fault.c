/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records: from the units to the domains that own the devices. */
#include "pasid.h"

#define COLLECT 256u /* records of a unit at a time; the rest waits for the next call */

static void lose(struct domain_faults *f, uint64_t nr)
{
    f->lost += nr;
    f->total_lost += nr;
}

static void file(struct domain *d, const struct sluice_fault *record)
{
    const struct sluice_port *port = d->s->port;
    struct domain_faults *f = &d->faults;

    port->lock(port->host, &f->lock);
    f->total++;
    if (f->nr == DOMAIN_FAULTS) {
        f->head = (f->head + 1) % DOMAIN_FAULTS; /* the oldest makes room */
        f->nr--;
        lose(f, 1);
    }
    f->record[(f->head + f->nr++) % DOMAIN_FAULTS] = *record;
    port->unlock(port->host, &f->lock);
}

/* It cannot go meanwhile: it is taken from its domain under the instance's lock. */
static void tell_viommu(const struct domain *d, const struct sluice_fault *record)
{
    struct viommu *v = d ? d->viommu : NULL;

    if (v)
        v->fault(v, record);
}

/* Faults of devices that nobody owns, or that nobody knows, have no reader. */
static void deliver(struct instance *s, const struct hw_fault *fault)
{
    struct instance_locked l = instance_lock(s);
    struct device *dev = device_find(l, fault->rid);
    struct domain *d = dev ? dev->group->domain : NULL;
    const struct sluice_fault record = {
        .device = (struct sluice_device *)(void *)dev,
        .rid = fault->rid,
        .pasid = fault->pasid,
        .addr = fault->addr,
        .write = fault->write,
        .level = fault->level,
        .reason = fault->reason,
        .ctx_no = d ? pasid_ctx_no(l, dev->group, fault->pasid) : 0,
    };

    if (d)
        file(d, &record);
    tell_viommu(d, &record);
    instance_unlock(l);
}

/* Nobody knows whose they were: each domain with a device there may miss some. */
static void tell_lost(struct instance *s, const struct hw_unit *unit, uint64_t lost)
{
    const struct sluice_port *port = s->port;
    struct instance_locked l = instance_lock(s);

    for (struct domain *d = s->domains; d; d = d->next)
        for (const struct device *dev = s->devices; dev; dev = dev->next) {
            if (dev->group->domain != d || dev->group->unit != unit)
                continue;
            port->lock(port->host, &d->faults.lock);
            lose(&d->faults, lost);
            port->unlock(port->host, &d->faults.lock);
            break;
        }
    instance_unlock(l);
}

static void collect(struct instance *s, struct hw_unit *unit)
{
    struct hw_fault fault;
    uint64_t lost = 0;

    for (unsigned n = 0; n < COLLECT && unit->ops->drain_faults(unit, &fault, 1, &lost); n++) {
        unit->nr_faults++;
        deliver(s, &fault);
    }
    unit->nr_faults_lost += lost;
    if (lost)
        tell_lost(s, unit, lost);
}

void sluice_faults_collect(struct sluice *ss)
{
    struct instance *s = instance_of(ss);

    for (unsigned i = 0; i < s->nr_units; i++)
        collect(s, s->unit[i]);
}

unsigned sluice_faults_read(struct sluice_domain *sd, struct sluice_fault *out, unsigned max,
                            uint64_t *lost)
{
    struct domain *d = domain_of(sd);
    const struct sluice_port *port = d->s->port;
    struct domain_faults *f = &d->faults;
    unsigned n;

    port->lock(port->host, &f->lock);
    for (n = 0; n < max && f->nr; n++, f->nr--) {
        out[n] = f->record[f->head];
        f->head = (f->head + 1) % DOMAIN_FAULTS;
    }
    *lost = f->lost;
    f->lost = 0;
    port->unlock(port->host, &f->lock);
    return n;
}

int sluice_fault_peek(struct sluice_domain *sd, unsigned index, struct sluice_fault *out)
{
    struct domain *d = domain_of(sd);
    const struct sluice_port *port = d->s->port;
    struct domain_faults *f = &d->faults;
    int err = -ENOENT;

    port->lock(port->host, &f->lock);
    if (index < f->nr) {
        *out = f->record[(f->head + index) % DOMAIN_FAULTS];
        err = 0;
    }
    port->unlock(port->host, &f->lock);
    return err;
}

static void faults_lock(struct domain *d)
{
    d->s->port->lock(d->s->port->host, &d->faults.lock);
}

static void faults_unlock(struct domain *d)
{
    d->s->port->unlock(d->s->port->host, &d->faults.lock);
}

int faults_oldest(struct domain *d, struct sluice_fault *out, uint64_t *number)
{
    struct domain_faults *f = &d->faults;
    int err = -ENOENT;

    faults_lock(d);
    *number = f->total - f->nr;
    if (f->nr) {
        *out = f->record[f->head];
        err = 0;
    }
    faults_unlock(d);
    return err;
}

void faults_drop(struct domain *d, uint64_t number)
{
    struct domain_faults *f = &d->faults;

    faults_lock(d);
    if (f->nr && f->total - f->nr == number) {
        f->head = (f->head + 1) % DOMAIN_FAULTS;
        f->nr--;
    }
    faults_unlock(d);
}

void faults_count(struct domain *d, uint32_t *nr, uint64_t *lost)
{
    faults_lock(d);
    *nr = d->faults.nr;
    *lost = d->faults.lost;
    faults_unlock(d);
}

void faults_lost_told(struct domain *d, uint64_t lost)
{
    faults_lock(d);
    d->faults.lost -= lost < d->faults.lost ? lost : d->faults.lost;
    faults_unlock(d);
}

const char *sluice_reason_name(enum hw_reason reason)
{
    static const char *const name[HW_NR_REASONS] = {
        [HW_REASON_NONE] = "none",
        [HW_REASON_BLOCKED] = "blocked",
        [HW_REASON_WIDTH] = "address-width",
        [HW_REASON_NOT_PRESENT] = "not-present",
        [HW_REASON_NO_READ] = "no-read",
        [HW_REASON_NO_WRITE] = "no-write",
        [HW_REASON_RESERVED] = "reserved-bit",
        [HW_REASON_MSI] = "msi",
        [HW_REASON_UNIT] = "unit-failed",
    };

    return reason < HW_NR_REASONS ? name[reason] : "unknown";
}
