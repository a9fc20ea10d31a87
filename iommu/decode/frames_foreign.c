/* SPDX-License-Identifier: BSD-2-Clause */
/* map_foreign_page, lookup_foreign_page, unmap_foreign_page: for emulators. */
#include "frames.h"

#include "../core/ioreq.h"

#define MAP_FLAGS \
    (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable | IOMMU_MAP_OP_swap_mfn | IOMMU_MAP_OP_add_m2b)

/*
 * The domain that it is about, pinned, if the caller has the privilege. Only who has it learns
 * whether the domain exists.
 */
static int resolve(const struct frames_op *op, uint16_t domid, struct domain **out)
{
    const struct domain *d = op->call->d;
    const struct sluice_port *port = d->s->port;

    if (domid == DOMID_SELF || domid == d->domid)
        return -EPERM;
    if (!port->may_control(port->host, d->domid, domid,
                           SLUICE_FRAMES_SUBOP + op->element->subop_id))
        return -EPERM;
    *out = domain_pin(d->s, domid);
    return *out ? 0 : -ENXIO;
}

static int check_server(const struct frames_op *op, const struct domain *target, uint16_t server)
{
    struct m2b_locked l = m2b_lock(&target->s->m2b);
    const bool exists = ioreq_exists(l, target, op->call->d, server);

    m2b_unlock(l);
    return exists ? 0 : -ENODEV;
}

static int map(struct frames_op *op, struct domain *owner)
{
    const struct pv_iommu_op *e = op->element;
    struct foreign_map map = {.bfn = dfn_of(e->u.map_foreign_page.bfn),
                              .server = e->u.map_foreign_page.ioserver,
                              .tuple = e->flags & IOMMU_MAP_OP_swap_mfn ? M2B_SWAP : 0};
    int err = check_server(op, owner, map.server);

    if (!err)
        err = decode_rights(e->flags, &map.attr);
    if (!err)
        err = decode_order(op, MAP_FLAGS, &map.order);
    if (!err)
        err = decode_frame(map.bfn.n, map.order);
    if (!err)
        err = decode_frame(e->u.map_foreign_page.gfn, map.order);
    if (err)
        return err;
    return foreign_map(op->sp, owner, gfn_of(e->u.map_foreign_page.gfn), &map);
}

int frames_map_foreign_page(struct frames_op *op)
{
    struct domain *owner;
    int err = frames_may_map(op->call->d) ? 0 : -EPERM;

    if (!err)
        err = resolve(op, op->element->u.map_foreign_page.domid, &owner);
    if (err)
        return err;
    err = map(op, owner);
    domain_unpin(owner);
    return err;
}

static int lookup(struct frames_op *op, struct domain *owner)
{
    struct pv_iommu_op *e = op->element;
    const uint16_t server = e->u.lookup_foreign_page.ioserver;
    dfn_t bfn;
    int err = check_server(op, owner, server);

    if (!err)
        err = foreign_lookup(op->sp, owner, gfn_of(e->u.lookup_foreign_page.gfn), server, &bfn);
    if (!err)
        e->u.lookup_foreign_page.bfn = bfn.n;
    return err;
}

int frames_lookup_foreign_page(struct frames_op *op)
{
    struct domain *owner;
    int err = op->element->flags ? -EINVAL : 0;

    if (!err)
        err = resolve(op, op->element->u.lookup_foreign_page.domid, &owner);
    if (err)
        return err;
    err = lookup(op, owner);
    domain_unpin(owner);
    return err;
}

int frames_unmap_foreign_page(struct frames_op *op)
{
    const struct pv_iommu_op *e = op->element;

    return frames_unmap(op, e->u.unmap_foreign_page.bfn, e->u.unmap_foreign_page.ioserver, false);
}
