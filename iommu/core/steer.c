/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices that a vIOMMU moves. */
#include "steer.h"

#include "attach.h"
#include "pasid.h"
#include "reserved.h"

static int take(struct domain_locked l, struct group *g, struct context *refuge)
{
    int err;

    if (g->domain != l.d)
        return -EPERM;
    if (!group_is_protected(g))
        return -EINVAL;
    if (g->refuge)
        return -EEXIST;
    if (g->devices->sibling)
        return -EBUSY;
    err = reserved_claim(refuge, g);
    if (err)
        return err;
    g->refuge = refuge;
    err = pasid_detach_all(l, g);
    if (err)
        steer_forget(l, g);
    return err;
}

int steer_take(struct domain *d, const struct device *dev, struct context *refuge)
{
    struct domain_locked l = domain_lock(d);
    int err = take(l, dev->group, refuge);

    domain_unlock(l);
    return err;
}

void steer_forget(struct domain_locked l, struct group *g)
{
    (void)l;
    if (g->refuge)
        (void)reserved_drop(g->refuge, g);
    g->refuge = NULL;
}

void steer_give_back(struct domain *d, rid_t rid)
{
    struct domain_locked l = domain_lock(d);
    struct group *g = attach_find(l, rid);

    if (g)
        steer_forget(l, g);
    domain_unlock(l);
}
