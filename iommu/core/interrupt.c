/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts of devices. The unit flushes before it says that an entry is changed or free. */
#include "interrupt.h"

#include "flush.h"

/* Proof that the unit's lock is held. */
struct unit_locked {
    struct instance *s;
    struct hw_unit *unit;
};

static struct unit_locked unit_lock(const struct group *g)
{
    g->s->port->lock(g->s->port->host, &g->unit->lock);
    return (struct unit_locked){g->s, g->unit};
}

static void unit_unlock(struct unit_locked l)
{
    l.s->port->unlock(l.s->port->host, &l.unit->lock);
}

static bool remaps(const struct group *g)
{
    return g->unit && g->unit->interrupts;
}

/* What the unit said of a change that it flushed. One that did not see it complete is given up. */
static int flushed(struct unit_locked l, int err)
{
    if (err == -EINVAL)
        return err; /* there was nothing to flush */
    l.unit->nr_submissions++;
    l.unit->nr_invalidations++;
    if (!err)
        return 0;
    flush_failed(l.s, l.unit, err);
    return -EIO;
}

static struct interrupts **find(struct device *dev, uint16_t index)
{
    struct interrupts **p = &dev->interrupts;

    while (*p && (index < (*p)->first || (index - (*p)->first) >> (*p)->lg2))
        p = &(*p)->next;
    return p;
}

/* Takes them off the device's list, whatever becomes of them. */
static int release(struct unit_locked l, struct device *dev, struct interrupts **p)
{
    struct interrupts *i = *p;
    int err =
        l.unit->failed ? -EIO : flushed(l, l.unit->interrupts->free(l.unit, i->first, i->lg2));

    *p = i->next;
    dev->nr_interrupts -= 1u << i->lg2;
    l.s->port->free(l.s->port->host, i, sizeof(*i));
    return err;
}

void interrupt_permit(struct group *g)
{
    struct unit_locked l = unit_lock(g);

    g->interrupts = true;
    unit_unlock(l);
}

int interrupt_revoke(struct group *g)
{
    struct unit_locked l = unit_lock(g);
    int err = 0;

    g->interrupts = false;
    for (struct device *dev = g->devices; dev; dev = dev->sibling)
        while (dev->interrupts)
            if (release(l, dev, &dev->interrupts))
                err = -EIO;
    unit_unlock(l);
    return err;
}

static int check(struct unit_locked l, const struct group *g)
{
    if (!g->interrupts)
        return -EPERM;
    return l.unit->failed ? -EIO : 0;
}

static int take(struct unit_locked l, struct device *dev, struct interrupts *i)
{
    int err = check(l, dev->group);

    if (!err)
        err = l.unit->interrupts->alloc(l.unit, i->lg2, &i->first);
    if (err)
        return err;
    i->next = dev->interrupts;
    dev->interrupts = i;
    dev->nr_interrupts += 1u << i->lg2;
    return 0;
}

int sluice_interrupt_alloc(struct sluice_device *sdev, unsigned lg2, uint16_t *first)
{
    struct device *dev = device_of(sdev);
    const struct sluice_port *port = dev->group->s->port;
    struct unit_locked l;
    struct interrupts *i;
    int err;

    if (!remaps(dev->group))
        return -EOPNOTSUPP;
    if (lg2 > 15)
        return -EINVAL;
    i = port->alloc(port->host, sizeof(*i));
    if (!i)
        return -ENOMEM;
    i->lg2 = (uint8_t)lg2;
    l = unit_lock(dev->group);
    err = take(l, dev, i);
    *first = i->first;
    unit_unlock(l);
    if (err)
        port->free(port->host, i, sizeof(*i));
    return err;
}

static int set(struct unit_locked l, struct device *dev, uint16_t index, rid_t source,
               const struct hw_interrupt *what)
{
    int err = check(l, dev->group);

    if (err)
        return err;
    if (!*find(dev, index))
        return -EINVAL;
    return flushed(l, l.unit->interrupts->set(l.unit, index, source, what));
}

int sluice_interrupt_set(struct sluice_device *sdev, uint16_t index, unsigned source,
                         const struct hw_interrupt *what)
{
    struct device *dev = device_of(sdev);
    struct unit_locked l;
    int err;

    if (!remaps(dev->group))
        return -EOPNOTSUPP;
    if (source >= dev->nr_rids)
        return -EINVAL;
    l = unit_lock(dev->group);
    err = set(l, dev, index, dev->rids[source], what);
    unit_unlock(l);
    return err;
}

static int give_back(struct unit_locked l, struct device *dev, uint16_t first, unsigned lg2)
{
    struct interrupts **p = find(dev, first);
    int err = check(l, dev->group);

    if (err == -EPERM)
        return err;
    if (!*p || (*p)->first != first || (*p)->lg2 != lg2)
        return -EINVAL;
    return release(l, dev, p);
}

int sluice_interrupt_free(struct sluice_device *sdev, uint16_t first, unsigned lg2)
{
    struct device *dev = device_of(sdev);
    struct unit_locked l;
    int err;

    if (!remaps(dev->group))
        return -EOPNOTSUPP;
    l = unit_lock(dev->group);
    err = give_back(l, dev, first, lg2);
    unit_unlock(l);
    return err;
}

int sluice_interrupt_message(struct sluice_device *sdev, uint16_t index, bool several,
                             struct hw_message *out)
{
    struct device *dev = device_of(sdev);
    struct unit_locked l;
    int err;

    if (!remaps(dev->group))
        return -EOPNOTSUPP;
    l = unit_lock(dev->group);
    err = check(l, dev->group);
    if (!err && !*find(dev, index))
        err = -EINVAL;
    if (!err)
        *out = l.unit->interrupts->message(l.unit, index, several);
    unit_unlock(l);
    return err;
}
