/* SPDX-License-Identifier: BSD-2-Clause */
/* PASIDs with a context of their own: moved as devices are, attach.c. */
#include "pasid.h"

#include "attach.h"
#include "reserved.h"

uint32_t pasid_max(const struct instance *s)
{
    uint32_t max = s->translates ? UINT32_MAX : 0;

    for (unsigned i = 0; i < s->nr_units; i++)
        if (s->unit[i]->translates && s->unit[i]->max_pasid < max)
            max = s->unit[i]->max_pasid;
    return max;
}

static struct pasid *find(struct domain_locked l, const struct group *g, uint32_t nr)
{
    struct pasid *p = l.d->pasids;

    while (p && (p->group != g || p->nr != nr))
        p = p->next;
    return p;
}

static struct context *live(struct domain *d, uint16_t no, uint32_t generation)
{
    struct context *c = &d->ctx[no];

    return c->state == CONTEXT_LIVE && c->generation == generation ? c : NULL;
}

static void enlist(struct domain_locked l, struct pasid *p)
{
    struct instance_locked il = instance_lock(l.d->s);

    p->next = l.d->pasids;
    l.d->pasids = p;
    l.d->nr_pasids++;
    p->group->nr_pasids++;
    instance_unlock(il);
}

static void release(struct domain_locked l, struct pasid *p)
{
    const struct sluice_port *port = l.d->s->port;
    struct instance_locked il = instance_lock(l.d->s);
    struct pasid **at = &l.d->pasids;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    l.d->nr_pasids--;
    p->group->nr_pasids--;
    instance_unlock(il);
    port->free(port->host, p, sizeof(*p));
}

static void set_context(struct pasid *p, struct context *to)
{
    struct instance_locked il = instance_lock(p->group->s);

    p->ctx = to;
    instance_unlock(il);
}

static int prepare(const struct pasid *p, struct context *to)
{
    int err = attach_prepare(p->group, p->nr);

    return err ? err : reserved_claim_pasid(to, p->group);
}

/* As attach.c's: cannot fail, but the hardware can. NULL: blocked. */
static int commit(struct pasid *p, struct context *to)
{
    struct context *from = p->ctx;
    int err;

    if (to)
        to->nr_devices++;
    attach_point(p->group, p->nr, to);
    set_context(p, to);
    err = attach_flush(p->group, p->nr, from);
    if (!from)
        return err;
    from->nr_devices--;
    if (!err)
        reserved_drop_pasid(from, p->group);
    return err;
}

/* A new pair, which is blocked still. */
static int make(struct domain_locked l, struct group *g, uint32_t nr, struct pasid **out)
{
    const struct sluice_port *port = g->s->port;
    struct pasid *p;

    if (l.d->nr_pasids >= MOST_PASIDS)
        return -ENOMEM;
    p = port->alloc(port->host, sizeof(*p));
    if (!p)
        return -ENOMEM;
    *p = (struct pasid){.group = g, .nr = nr};
    enlist(l, p);
    *out = p;
    return 0;
}

static int attach(struct domain_locked l, rid_t rid, uint32_t nr, struct context *to, bool viommu)
{
    struct group *g = attach_find(l, rid);
    struct pasid *p;
    int err;

    if (!to)
        return -EINVAL;
    if (!g)
        return -ENOENT;
    if (g->devices->sibling || !g->refuge == viommu)
        return -EBUSY;
    if (find(l, g, nr))
        return -EEXIST;
    err = make(l, g, nr, &p);
    if (err)
        return err;
    err = prepare(p, to);
    if (!err)
        return commit(p, to);
    release(l, p);
    return err;
}

int pasid_attach(struct domain *d, rid_t rid, uint32_t pasid, uint16_t no, uint32_t generation,
                 bool viommu)
{
    struct domain_locked l;
    int err;

    if (!pasid || pasid > pasid_max(d->s))
        return -EINVAL;
    l = domain_lock(d);
    err = attach(l, rid, pasid, live(d, no, generation), viommu);
    domain_unlock(l);
    return err;
}

static int detach(struct domain_locked l, struct pasid *p)
{
    int err = commit(p, NULL);

    release(l, p);
    return err;
}

int pasid_detach(struct domain *d, rid_t rid, uint32_t pasid, bool viommu)
{
    struct domain_locked l = domain_lock(d);
    const struct group *g = attach_find(l, rid);
    struct pasid *p = g ? find(l, g, pasid) : NULL;
    int err = p ? 0 : pasid ? -ENOENT : -EINVAL;

    if (p && !g->refuge == viommu)
        err = -EBUSY;
    if (!err)
        err = detach(l, p);
    domain_unlock(l);
    return err;
}

static int move(struct domain_locked l, rid_t rid, uint32_t nr, struct context *to, bool viommu)
{
    const struct group *g = attach_find(l, rid);
    struct pasid *p = g ? find(l, g, nr) : NULL;
    int err;

    if (!to)
        return -EINVAL;
    if (!p)
        return -ENODEV;
    if (!g->refuge == viommu)
        return -EBUSY;
    if (p->ctx == to)
        return 0;
    err = prepare(p, to);
    return err ? err : commit(p, to);
}

int pasid_move(struct domain *d, rid_t rid, uint32_t pasid, uint16_t no, uint32_t generation,
               bool viommu)
{
    struct domain_locked l = domain_lock(d);
    int err = move(l, rid, pasid, live(d, no, generation), viommu);

    domain_unlock(l);
    return err;
}

int pasid_claim_all(struct domain_locked l, const struct context *from, struct context *to)
{
    struct pasid *p;
    int err = 0;

    for (p = l.d->pasids; p; p = p->next) {
        err = p->ctx == from ? prepare(p, to) : 0;
        if (err)
            break;
    }
    if (!err)
        return 0;
    for (const struct pasid *done = l.d->pasids; done != p; done = done->next)
        if (done->ctx == from)
            reserved_drop_pasid(to, done->group);
    return err;
}

int pasid_commit_all(struct domain_locked l, const struct context *from, struct context *to)
{
    int err = 0;

    for (struct pasid *p = l.d->pasids; p; p = p->next)
        if (p->ctx == from && commit(p, to))
            err = -EIO;
    return err;
}

int pasid_detach_all(struct domain_locked l, const struct group *g)
{
    struct pasid *p, *next;
    int err = 0;

    for (p = l.d->pasids; p; p = next) {
        next = p->next;
        if (p->group == g && detach(l, p))
            err = -EIO;
    }
    return err;
}

uint16_t pasid_ctx_no(struct instance_locked l, const struct group *g, uint32_t pasid)
{
    const struct domain *d = g->domain;
    const struct pasid *p = d ? d->pasids : NULL;

    (void)l;
    if (!pasid)
        return g->ctx_no;
    while (p && (p->group != g || p->nr != pasid))
        p = p->next;
    return p && p->ctx ? p->ctx->no : 0;
}

int sluice_device_pasid(struct sluice_device *sdev, unsigned index, uint32_t *pasid,
                        uint16_t *ctx_no)
{
    const struct group *g = device_of(sdev)->group;
    struct instance_locked l = instance_lock(g->s);
    const struct domain *d = g->domain;
    const struct pasid *p = d ? d->pasids : NULL;

    while (p && (p->group != g || index--))
        p = p->next;
    if (p) {
        *pasid = p->nr;
        *ctx_no = p->ctx ? p->ctx->no : 0;
    }
    instance_unlock(l);
    return p ? 0 : -ENOENT;
}
