/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices behind the unit. */
#include "back.h"

#include "../../core/steer.h"

#define SIDS 0x10000u

struct vtd_emul_device *vtd_emul_device(const struct vtd_emul *e, uint32_t sid)
{
    struct vtd_emul_device *dev = e->back.devices;

    while (dev && dev->sid != sid)
        dev = dev->next;
    return dev;
}

bool vtd_emul_has_device(const struct vtd_emul *e, uint32_t sid)
{
    return vtd_emul_device(e, sid);
}

static void enlist(struct vtd_emul *e, struct vtd_emul_device *dev)
{
    dev->next = e->back.devices;
    e->back.devices = dev;
}

static void release(struct vtd_emul *e, struct vtd_emul_device *dev)
{
    struct vtd_emul_device **p = &e->back.devices;

    while (*p != dev)
        p = &(*p)->next;
    *p = dev->next;
    e->port->free(e->port->host, dev, sizeof(*dev));
}

/* The host waits: it is bounded by the guest's tables and the budgets. */
static void apply(struct vtd_emul *e, struct vtd_emul_device *dev)
{
    const uint32_t serial = vtd_emul_serial(e);

    while (vtd_emul_apply_device(e, dev, serial) == -ERESTART ||
           vtd_emul_reap(e, true) == -ERESTART)
        ;
}

/* One that has left its domain is there until it is removed: what it was would move this one. */
static bool is_there(const struct vtd_emul *e, rid_t rid)
{
    const struct vtd_emul_device *dev = e->back.devices;

    while (dev && (!dev->dev || dev->rid.n != rid.n))
        dev = dev->next;
    return dev;
}

int vtd_emul_add_device(struct vtd_emul *e, uint32_t sid, struct device *dev)
{
    struct vtd_emul_device *new;
    int err;

    if (sid >= SIDS)
        return -EINVAL;
    if (vtd_emul_device(e, sid) || (dev && is_there(e, dev->rids[0])))
        return -EEXIST;
    new = e->port->alloc(e->port->host, sizeof(*new));
    if (!new)
        return -ENOMEM;
    new->sid = (uint16_t)sid;
    new->dev = dev;
    err = dev ? steer_take(e->d, dev, e->back.refuge) : 0;
    if (err) {
        e->port->free(e->port->host, new, sizeof(*new));
        return err;
    }
    enlist(e, new);
    if (!dev)
        return 0;
    new->rid = dev->rids[0];
    apply(e, new);
    return 0;
}

int vtd_emul_remove_device(struct vtd_emul *e, uint32_t sid)
{
    struct vtd_emul_device *dev = vtd_emul_device(e, sid);
    int err = 0;

    if (!dev)
        return -ENOENT;
    vtd_emul_forget_device(e, sid);
    do
        err = dev->dev ? vtd_emul_release_device(e, dev) : 0;
    while (err == -ERESTART);
    release(e, dev);
    while (vtd_emul_reap(e, true))
        ;
    return err;
}

int vtd_emul_remove_all(struct vtd_emul *e)
{
    while (e->back.devices) {
        struct vtd_emul_device *dev = e->back.devices;

        if (dev->dev && vtd_emul_release_device(e, dev) == -ERESTART)
            return -ERESTART;
        release(e, dev);
        if (e->port->preempt(e->port->host))
            return -ERESTART;
    }
    return 0;
}

int sluice_viommu_add_device(struct sluice_domain *d, uint32_t id, uint32_t sid,
                             struct sluice_device *dev)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    int err;

    if (!e)
        return -ENODEV;
    err = vtd_emul_add_device(e, sid, dev ? device_of(dev) : NULL);
    vtd_emul_leave(e);
    return err;
}

int sluice_viommu_remove_device(struct sluice_domain *d, uint32_t id, uint32_t sid)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    int err;

    if (!e)
        return -ENODEV;
    err = vtd_emul_remove_device(e, sid);
    vtd_emul_leave(e);
    return err;
}
