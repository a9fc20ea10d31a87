/* SPDX-License-Identifier: BSD-2-Clause */
/* Moving device groups between contexts. */
#include "attach.h"

#include "deferred.h"
#include "flush.h"
#include "interrupt.h"
#include "msi_window.h"
#include "pasid.h"
#include "reserved.h"
#include "steer.h"

#define BATCH 32u /* invalidations in one submission */

static unsigned nr_rids(const struct group *g)
{
    unsigned nr = 0;

    for (const struct device *dev = g->devices; dev; dev = dev->sibling)
        nr += dev->nr_rids;
    return nr;
}

static unsigned nr_devices(const struct group *g)
{
    unsigned nr = 0;

    for (const struct device *dev = g->devices; dev; dev = dev->sibling)
        nr++;
    return nr;
}

/* The k-th requester id of the group; k < nr_rids(). */
static rid_t rid_at(const struct group *g, unsigned k)
{
    const struct device *dev;

    for (dev = g->devices; dev && k >= dev->nr_rids; dev = dev->sibling)
        k -= dev->nr_rids;
    CHECK(g->s->port, dev);
    return dev->rids[k];
}

static void point_all(struct group *g, uint32_t pasid, const struct context *to)
{
    const struct hw_space space = to ? context_space(to) : (struct hw_space){.did = 0};
    struct hw_unit *unit = g->unit;

    g->s->port->lock(g->s->port->host, &unit->lock);
    for (unsigned k = 0; k < nr_rids(g); k++)
        unit->ops->point(unit, rid_at(g, k), pasid, to ? &space : NULL);
    g->s->port->unlock(g->s->port->host, &unit->lock);
}

/* What the unit may have cached of the devices' entries, and of the context that they left. */
static int flush_move(struct group *g, uint32_t pasid, const struct context *from)
{
    const enum hw_inv_kind kind = pasid ? HW_INV_PASID : HW_INV_DEVICE;
    const unsigned nr = nr_rids(g);
    struct hw_inv inv[BATCH];
    unsigned n = 0;
    int err = 0;

    for (unsigned k = 0; k < nr && !err; k++) {
        inv[n++] = (struct hw_inv){.kind = kind, .rid = rid_at(g, k), .pasid = pasid};
        if (n < BATCH - 1 && k + 1 < nr)
            continue;
        if (from && k + 1 == nr)
            inv[n++] = (struct hw_inv){.kind = HW_INV_SPACE, .did = from->did};
        err = flush_unit(g->s, g->unit, inv, n);
        n = 0;
    }
    return err;
}

int attach_prepare(struct group *g, uint32_t pasid)
{
    struct hw_unit *unit = g->unit;
    int err = unit->failed ? -EIO : 0;

    g->s->port->lock(g->s->port->host, &unit->lock);
    for (unsigned k = 0; k < nr_rids(g) && !err; k++)
        err = unit->ops->prepare(unit, rid_at(g, k), pasid);
    g->s->port->unlock(g->s->port->host, &unit->lock);
    return err;
}

void attach_point(struct group *g, uint32_t pasid, struct context *to)
{
    if (to)
        to->attached[g->unit->index] += nr_rids(g);
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* pairs with flush_wait() */
    point_all(g, pasid, to);
}

int attach_flush(struct group *g, uint32_t pasid, struct context *from)
{
    int err = flush_move(g, pasid, from);

    if (!err && from)
        from->attached[g->unit->index] -= nr_rids(g);
    return err;
}

static int prepare(struct group *g, struct context *to)
{
    int err = attach_prepare(g, 0);

    if (!err && to)
        err = reserved_claim(to, g);
    return err;
}

/*
 * Cannot fail, but the hardware can: then the group is in `to` all the same, its unit blocks, and
 * `from` counts as reachable for ever.
 */
static int commit(struct group *g, struct context *to)
{
    struct context *from = g->ctx;
    int err;

    if (to)
        to->nr_devices += nr_devices(g);
    attach_point(g, 0, to);
    msi_window_show(g, to);
    g->ctx = to;
    g->ctx_no = to ? to->no : 0;
    err = attach_flush(g, 0, from);
    if (!from)
        return err;
    from->nr_devices -= nr_devices(g);
    if (err)
        return err;
    /* The quarantine keeps the regions, so that going back there needs no memory. */
    return from == g->quarantine ? 0 : reserved_drop(from, g);
}

struct group *attach_find(struct domain_locked l, rid_t rid)
{
    struct instance_locked il = instance_lock(l.d->s);
    const struct device *dev = device_find(il, rid);
    struct group *g = dev && dev->group->domain == l.d ? dev->group : NULL;

    if (g && !group_is_protected(g))
        g = NULL;
    instance_unlock(il);
    return g;
}

static int move_to(struct domain_locked l, const struct reattach *move)
{
    struct context *to = &l.d->ctx[move->ctx_no];
    struct group *g = attach_find(l, move->rid);
    int err;

    if (!g)
        return -ENODEV;
    if (to->state != CONTEXT_LIVE || to->generation != move->generation)
        return -EINVAL;
    if (!g->refuge == move->viommu)
        return g->refuge ? -EBUSY : -ENODEV;
    if (g->ctx == to)
        return 0;
    err = prepare(g, to);
    return err ? err : commit(g, to);
}

static int try_to_move(struct domain *d, const struct reattach *move)
{
    struct domain_locked l;
    int err;

    if (move->fresh)
        return pasid_attach(d, move->rid, move->pasid, move->ctx_no, move->generation,
                            move->viommu);
    if (move->pasid)
        return pasid_move(d, move->rid, move->pasid, move->ctx_no, move->generation, move->viommu);
    l = domain_lock(d);
    err = move_to(l, move);
    domain_unlock(l);
    return err;
}

/* What is in the way of the device's regions may be unmapped, and pending. Settled once. */
int attach_device(struct domain *d, struct reattach *move)
{
    int err = try_to_move(d, move);

    if (err != -EBUSY || move->settled)
        return err;
    err = deferred_settle(&d->ctx[move->ctx_no], move->generation, &move->until);
    if (err == -ERESTART)
        return err;
    move->settled = true;
    return try_to_move(d, move);
}

static struct group *next_in(const struct context *c, const struct group *after)
{
    struct instance_locked l = instance_lock(c->s);
    struct device *dev = c->s->devices;
    struct group *g = NULL;
    bool past = !after;

    /* Groups in the order of their first device in the list; each once. */
    for (; dev; dev = dev->next) {
        if (dev->sibling || dev->group->ctx != c)
            continue;
        if (past)
            break;
        past = dev->group == after;
    }
    if (dev)
        g = dev->group;
    instance_unlock(l);
    return g;
}

int attach_all(struct domain_locked l, struct context *from, struct context *to)
{
    struct group *g = NULL, *done = NULL;
    int err = 0;

    while (!err && (g = next_in(from, done))) {
        err = prepare(g, to);
        if (!err)
            done = g;
    }
    if (!err)
        err = pasid_claim_all(l, from, to);
    if (err) {
        const struct group *failed = g;

        for (g = next_in(from, NULL); g != failed; g = next_in(from, g))
            (void)reserved_drop(to, g);
        return err;
    }
    while ((g = next_in(from, NULL)))
        if (commit(g, to))
            err = -EIO;
    return pasid_commit_all(l, from, to) ? -EIO : err;
}

/* It reaches all memory, as before. What relies on its owner having none such comes first. */
static int assign_exposed(struct domain_locked l, struct group *g)
{
    if (!l.d->trusted)
        return -EPERM;
    if (l.d->dropped != WINDOW_WHOLE)
        return -EBUSY; /* for such a device lookups would have to answer */
    g->domain = l.d;
    l.d->nr_exposed++;
    return 0;
}

static int release_exposed(struct domain_locked l, struct group *g)
{
    g->domain = NULL;
    l.d->nr_exposed--;
    return 0;
}

int attach_assign(struct domain_locked l, struct group *g)
{
    int err;

    if (!group_is_protected(g))
        return assign_exposed(l, g);
    err = prepare(g, &l.d->ctx[0]);
    if (err)
        return err;
    g->domain = l.d;
    err = commit(g, &l.d->ctx[0]);
    interrupt_permit(g);
    return err;
}

static int park_again(struct domain_locked l, struct group *g)
{
    int err = interrupt_revoke(g);

    if (pasid_detach_all(l, g))
        err = -EIO;
    if (commit(g, g->quarantine))
        err = -EIO;
    steer_forget(l, g);
    g->domain = NULL;
    return err;
}

int attach_quarantine(struct group *g)
{
    struct domain_locked l = domain_lock(g->domain);
    int err = group_is_protected(g) ? park_again(l, g) : release_exposed(l, g);

    domain_unlock(l);
    instance_event(g->s, SLUICE_EVENT_QUARANTINE, err, "attach_quarantine", rid_at(g, 0).n, 0);
    return err;
}

static bool has_direct(const struct device *dev)
{
    for (unsigned i = 0; i < dev->nr_regions; i++)
        if (dev->regions[i].type == SLUICE_REGION_DIRECT)
            return true;
    return false;
}

/* The context of a quarantined group with direct regions: nothing but them. */
static int make_quarantine(struct group *g)
{
    const struct sluice_port *port = g->s->port;
    struct context *c = port->alloc(port->host, sizeof(*c));
    int err;

    if (!c)
        return -ENOMEM;
    c->s = g->s;
    err = context_init(c, g->s, NULL, &g->pages);
    if (err) {
        port->free(port->host, c, sizeof(*c));
        return err;
    }
    context_show(c);
    g->quarantine = c;
    return 0;
}

static void end_quarantine(struct group *g)
{
    const struct sluice_port *port = g->s->port;

    (void)reserved_drop(g->quarantine, g);
    while (context_end(g->quarantine) == -ERESTART)
        ; /* as many steps as it has tables */
    port->free(port->host, g->quarantine, sizeof(*g->quarantine));
    g->quarantine = NULL;
}

static int park(struct group *g)
{
    int err = prepare(g, g->quarantine);

    return err ? err : commit(g, g->quarantine);
}

int attach_park(struct group *g)
{
    bool direct = false;
    int err = 0;

    if (!group_is_protected(g))
        return 0;
    for (const struct device *dev = g->devices; dev; dev = dev->sibling)
        direct |= has_direct(dev);
    if (direct)
        err = make_quarantine(g);
    if (!err)
        err = park(g);
    if (err)
        attach_unpark(g);
    return err;
}

void attach_unpark(struct group *g)
{
    if (!group_is_protected(g))
        return;
    if (g->ctx)
        (void)commit(g, NULL); /* a unit that fails here blocks too */
    if (g->quarantine)
        end_quarantine(g);
}
