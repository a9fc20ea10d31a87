/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a device was stopped: where it is, what is at the address, and what was unmapped there. */
#include "explain.h"

#include "pasid.h"
#include "reserved.h"

static void unmaps_lock(struct domain *d)
{
    d->s->port->lock(d->s->port->host, &d->unmaps.lock);
}

static void unmaps_unlock(struct domain *d)
{
    d->s->port->unlock(d->s->port->host, &d->unmaps.lock);
}

/* The k-th newest; k < total and k < DOMAIN_UNMAPS. */
static struct domain_unmap *newest(struct domain_unmaps *u, uint64_t k)
{
    return &u->record[(u->total - 1 - k) % DOMAIN_UNMAPS];
}

/* A call that was preempted goes on where it ended: that is one unmap. */
static bool extend(struct domain_unmaps *u, const struct domain_unmap *more)
{
    struct domain_unmap *r;

    if (!u->total)
        return false;
    r = newest(u, 0);
    if (r->ctx_no != more->ctx_no || r->generation != more->generation || r->call != more->call ||
        r->last.n + 1 != more->first.n)
        return false;
    r->last = more->last;
    return true;
}

void explain_note_unmap(const struct context *c, dfn_t first, dfn_t last)
{
    struct domain *d = c->domain;
    const struct domain_unmap r = {.ctx_no = c->no,
                                   .generation = c->generation,
                                   .first = first,
                                   .last = last,
                                   .call = d->calls};

    unmaps_lock(d);
    if (!extend(&d->unmaps, &r)) {
        d->unmaps.total++;
        *newest(&d->unmaps, 0) = r;
    }
    unmaps_unlock(d);
}

static void explain_unmap(struct domain *d, const struct context *c, dfn_t dfn,
                          struct sluice_explanation *out)
{
    struct domain_unmaps *u = &d->unmaps;

    unmaps_lock(d);
    for (uint64_t k = 0; k < u->total && k < DOMAIN_UNMAPS && !out->unmapped; k++) {
        const struct domain_unmap *r = newest(u, k);

        if (r->ctx_no != c->no || r->generation != c->generation || dfn.n < r->first.n ||
            dfn.n > r->last.n)
            continue;
        out->unmapped = true;
        out->unmap_first = r->first;
        out->unmap_last = r->last;
        out->calls_since = d->calls - r->call;
    }
    unmaps_unlock(d);
}

bool explain_newest_unmap(struct domain *d, uint16_t ctx_no, dfn_t dfn, dfn_t *first, dfn_t *last)
{
    struct sluice_explanation e = {.unmapped = false};

    if (ctx_no <= d->max_ctx_no && d->ctx[ctx_no].state == CONTEXT_LIVE)
        explain_unmap(d, &d->ctx[ctx_no], dfn, &e);
    *first = e.unmap_first;
    *last = e.unmap_last;
    return e.unmapped;
}

/* The record may be older than the device: only what is in the list is looked at. */
static void explain_device(struct domain *d, const struct sluice_fault *fault,
                           struct sluice_explanation *out)
{
    struct instance_locked l = instance_lock(d->s);
    const struct device *dev = device_find(l, fault->rid);
    const struct domain *owner;

    if (!dev || (const void *)dev != (const void *)fault->device) {
        out->device = SLUICE_DEVICE_GONE;
    } else {
        owner = dev->group->domain;
        out->device = !owner       ? SLUICE_DEVICE_QUARANTINED
                      : owner == d ? SLUICE_DEVICE_HERE
                                   : SLUICE_DEVICE_ELSEWHERE;
        if (owner == d)
            out->ctx_no = pasid_ctx_no(l, dev->group, fault->pasid);
    }
    instance_unlock(l);
}

/* Under the domain's lock, so the list stays. */
static bool explain_region(const struct context *c, dfn_t dfn, struct sluice_explanation *out)
{
    const struct region_use *u = c->regions;

    while (u && (dfn.n < u->first.n || dfn.n > u->last.n))
        u = u->next;
    if (!u)
        return false;
    out->found = SLUICE_FOUND_REGION;
    out->region = (struct sluice_region){.first = u->first.n << FRAME_LG2,
                                         .last = (u->last.n << FRAME_LG2) + FRAME_SIZE - 1,
                                         .type = u->type,
                                         .prot = u->prot};
    return true;
}

static void explain_leaf(struct context *c, dfn_t dfn, struct sluice_explanation *out)
{
    const struct frames *frames = &c->s->frames;
    struct pt_leaf leaf;
    const int err = pt_lookup(&c->pt, dfn, 1, &leaf);

    out->found = err || leaf.retired ? SLUICE_FOUND_NOTHING : SLUICE_FOUND_MAPPING;
    if (out->found == SLUICE_FOUND_NOTHING) {
        out->level = leaf.level;
        return;
    }
    out->lg2 = leaf.lg2;
    out->attr = leaf.attr;
    out->gfn = gfn_of(c->identity || leaf.mfn.n >= frames->nr ? dfn.n : frames->gfn[leaf.mfn.n]);
}

static int explain_table(struct domain *d, const struct context *found, dfn_t dfn,
                         struct sluice_explanation *out)
{
    struct span span = {.first = dfn, .last = dfn};
    struct context *c;
    uint64_t allowed;
    int err = context_enter(d, found->no, found->generation, &span, &c, &allowed);

    if (err)
        return err;
    explain_leaf(c, dfn, out);
    context_leave(c, &span);
    return 0;
}

/* As hardware would read it: what is not in memory is as good as empty. */
static uint64_t read_guest(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    uint64_t entry;

    (void)level;
    return memory_read(arg, (table.n << FRAME_LG2) + offset, &entry, sizeof(entry)) ? 0 : entry;
}

/* What devices may do with the guest's memory there. */
static unsigned rights_at(struct memory *m, gfn_t gfn)
{
    struct memory_locked l = memory_lock(m);
    unsigned rights;
    uint64_t nr;
    mfn_t mfn;

    if (memory_find(l, gfn, 1, &mfn, &nr, &rights))
        rights = 0;
    memory_unlock(l);
    return rights;
}

/* Hardware walks the guest's table: there is none of ours. */
static void explain_guest(struct domain *d, const struct context *c, dfn_t dfn,
                          struct sluice_explanation *out)
{
    const struct hw_first_stage *first = &c->first;
    struct pt_leaf leaf;
    const int err = pt_trace(&first->geo, mfn_of(first->root >> FRAME_LG2), dfn.n << FRAME_LG2,
                             read_guest, &d->memory, &leaf);

    out->found = SLUICE_FOUND_NOTHING;
    out->guest = true;
    out->level = leaf.level;
    if (err)
        return;
    out->gfn = gfn_of(leaf.mfn.n);
    out->lg2 = leaf.lg2;
    out->attr = leaf.attr & rights_at(&d->memory, out->gfn);
    out->found = out->attr ? SLUICE_FOUND_MAPPING : SLUICE_FOUND_NO_MEMORY;
}

/* How wide it is: of a nested one, that is its first stage. */
static unsigned width(const struct context *c)
{
    return c->nested ? c->first.geo.iova_bits : c->pt.geo.iova_bits;
}

static int explain_dfn(struct domain *d, const struct context *c, dfn_t dfn,
                       struct sluice_explanation *out)
{
    if (dfn.n >> (width(c) - FRAME_LG2)) {
        out->found = SLUICE_FOUND_BEYOND;
        out->iova_bits = (uint8_t)width(c);
        return 0;
    }
    explain_unmap(d, c, dfn, out);
    if (reserved_is_msi(dfn.n, dfn.n)) {
        out->found = SLUICE_FOUND_MSI;
        return 0;
    }
    if (explain_region(c, dfn, out))
        return 0;
    if (!c->second)
        return explain_table(d, c, dfn, out);
    explain_guest(d, c, dfn, out);
    return 0;
}

int sluice_fault_explain(struct sluice_domain *sd, const struct sluice_fault *fault,
                         struct sluice_explanation *out)
{
    struct domain *d = domain_of(sd);
    struct domain_locked l = domain_lock(d);
    int err = 0;

    *out = (struct sluice_explanation){.found = SLUICE_FOUND_NO_CONTEXT};
    explain_device(d, fault, out);
    if (fault->ctx_no <= d->max_ctx_no && d->ctx[fault->ctx_no].state == CONTEXT_LIVE)
        err = explain_dfn(d, &d->ctx[fault->ctx_no], dfn_of(fault->addr >> FRAME_LG2), out);
    domain_unlock(l);
    return err;
}
