/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt isolation: what hardware does about it, and what follows. */
#include "isolation.h"

/* All requester ids of a group are behind one unit, and a unit does the same for all of them. */
enum hw_isolation isolation_of(const struct group *g)
{
    const struct sluice_port *port = g->s->port;
    struct hw_unit *unit = g->unit;
    enum hw_isolation isolation;

    if (!group_is_protected(g))
        return HW_ISOLATION_NO_UNIT;
    if (unit->failed)
        return HW_ISOLATION_FAILED;
    port->lock(port->host, &unit->lock);
    isolation = unit->ops->isolation(unit);
    port->unlock(port->host, &unit->lock);
    return isolation;
}

int isolation_check(const struct domain *d, struct group *g, enum hw_isolation now)
{
    const bool unsafe = !hw_isolates(now) && !d->trusted;

    if (unsafe && !g->s->allow_unsafe) {
        instance_event(g->s, SLUICE_EVENT_UNSAFE_REFUSED, -EPERM, "isolation_check",
                       g->devices->rids[0].n, now);
        return -EPERM;
    }
    g->unsafe = unsafe;
    return 0;
}

void isolation_tell(struct group *g, enum hw_isolation now)
{
    for (struct device *dev = g->devices; dev && g->unsafe; dev = dev->sibling) {
        if (!dev->told_unsafe)
            instance_event(g->s, SLUICE_EVENT_UNSAFE_ALLOWED, 0, "isolation_tell", dev->rids[0].n,
                           now);
        dev->told_unsafe = true;
    }
}

enum hw_isolation sluice_device_isolation(struct sluice_device *dev)
{
    return isolation_of(device_of(dev)->group);
}

const char *sluice_isolation_name(enum hw_isolation isolation)
{
    static const char *const name[] = {
        [HW_ISOLATION_NO_UNIT] = "no-unit",
        [HW_ISOLATION_FAILED] = "unit-failed",
        [HW_ISOLATION_NOT_REMAPPING] = "not-remapping",
        [HW_ISOLATION_NOT_TRANSLATING] = "not-translating",
        [HW_ISOLATION_COMPATIBLE] = "compatibility-format",
        [HW_ISOLATION_REMAPPED] = "remapped",
        [HW_ISOLATION_DEVICE_ID] = "device-id",
    };

    return (unsigned)isolation < HW_NR_ISOLATIONS ? name[isolation] : "unknown";
}
