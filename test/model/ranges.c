/* SPDX-License-Identifier: BSD-2-Clause */
/* query_reserved: how many ranges there are, counted by where they end; and who may not ask. */
#include "state.h"

#include <string.h>

#define MOST_REGIONS 256u

struct regions {
    unsigned nr;
    struct sluice_region at[MOST_REGIONS];
};

/* Ranges of one kind become one. Of what may be mapped only the outline counts. */
static bool same_kind(const struct sluice_region *a, const struct sluice_region *b, bool outline)
{
    return outline || (a->type == b->type && a->prot == b->prot);
}

static void add_region(struct regions *all, const struct sluice_region *r)
{
    struct sluice_region *to;

    if (all->nr == MOST_REGIONS)
        return;
    to = &all->at[all->nr++];
    *to = *r;
    if (r->type != SLUICE_REGION_DIRECT && r->type != SLUICE_REGION_DIRECT_RELAXABLE)
        to->prot = 0;
}

static void add_device(struct regions *all, const struct ghost_device *dev, bool declared,
                       bool relaxable)
{
    for (unsigned i = 0; i < dev->nr_regions; i++)
        if (declared && dev->regions[i].type == SLUICE_REGION_SW_MSI)
            add_region(all, &dev->window);
        else if (relaxable || region_counts(&dev->regions[i]))
            add_region(all, &dev->regions[i]);
}

/* Nothing that goes on behind the i-th region is of its kind: a range ends there. */
static bool is_end(const struct regions *all, unsigned i, bool outline)
{
    const struct sluice_region *r = &all->at[i];

    for (unsigned k = 0; k < all->nr; k++) {
        const struct sluice_region *o = &all->at[k];

        if (k == i || !same_kind(o, r, outline) || o->last < r->last)
            continue;
        if (o->last == r->last ? k < i : o->first <= r->last + 1)
            return false;
    }
    return true;
}

static unsigned count(const struct ghost *g, const struct regions *all, bool allowed)
{
    const uint64_t max = g->max_dfn << FRAME_LG2 | (FRAME_SIZE - 1);
    unsigned nr = allowed;

    for (unsigned i = 0; i < all->nr; i++) {
        if (allowed && all->at[i].first == 0)
            nr = 0; /* nothing before it */
    }
    for (unsigned i = 0; i < all->nr; i++)
        nr += is_end(all, i, allowed) && (!allowed || all->at[i].last < max);
    return nr;
}

static void gather(const struct ghost *g, const struct inner_call *c,
                   const struct pv_iommu_query_reserved *in, const struct ghost_device *asked,
                   struct regions *all)
{
    const struct sluice_region msi = {.first = (uint64_t)MSI_FIRST << FRAME_LG2,
                                      .last = ((uint64_t)MSI_LAST + 1) * FRAME_SIZE - 1,
                                      .type = SLUICE_REGION_MSI};

    all->nr = 0;
    add_region(all, &msi);
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        if (asked ? dev->group == asked->group : dev->domain == c->d && dev->ctx == in->ctx_no)
            add_device(all, dev, asked, asked && !(in->flags & IOMMU_RESERVED_allowed));
    }
}

static void remember_pins(const struct inner_call *c, const struct pv_iommu_query_reserved *in,
                          const struct regions *all)
{
    struct ghost_ctx *ctx = find_ctx(c->d, in->ctx_no);

    if (in->flags & IOMMU_RESERVED_unpin)
        ctx->pinned = false;
    if (!(in->flags & IOMMU_RESERVED_pin) || c->status)
        return;
    ctx->pinned = true;
    ctx->vague = all->nr > GHOST_PINS;
    ctx->nr_reserved = ctx->vague ? 0 : all->nr;
    memcpy(ctx->reserved, all->at, ctx->nr_reserved * sizeof(*all->at));
}

/* Goes on from where the region is covered by what was reserved already. */
bool narrows_pins(const struct ghost *g, const struct ghost_ctx *ctx, const struct sluice_region *r)
{
    const uint64_t max = g->max_dfn << FRAME_LG2 | (FRAME_SIZE - 1);
    const uint64_t last = r->last < max ? r->last : max;
    uint64_t at = r->first;
    bool moved = ctx->pinned;

    while (moved && at <= last) {
        moved = false;
        for (unsigned i = 0; i < ctx->nr_reserved && at <= last; i++) {
            const struct sluice_region *o = &ctx->reserved[i];

            if (o->first > at || o->last < at)
                continue;
            if (o->last >= last)
                return false;
            at = o->last + 1;
            moved = true;
        }
    }
    return ctx->pinned && at <= last;
}

static bool flags_fit(uint32_t flags)
{
    const bool pin = flags & IOMMU_RESERVED_pin, unpin = flags & IOMMU_RESERVED_unpin;

    if (flags > 15 || ((pin || unpin) && flags & IOMMU_RESERVED_device))
        return false;
    return !pin || (!unpin && flags & IOMMU_RESERVED_allowed);
}

static const struct ghost_device *asked_for(const struct ghost *g,
                                            const struct pv_iommu_query_reserved *in)
{
    return find_requester(g, rid_of(in->dev.seg, in->dev.bus, in->dev.devfn));
}

bool called_query_reserved(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_query_reserved in, out;
    const struct ghost_device *dev = NULL;
    const struct ghost_ctx *ctx;
    struct regions all = {0};
    struct verdict v = {0};
    unsigned nr = 0;

    memcpy(&in, c->in, sizeof(in));
    memcpy(&out, c->out, sizeof(out));
    may_if(&v, !flags_fit(in.flags), -EINVAL);
    if (!v.nr && (in.flags & IOMMU_RESERVED_device)) {
        dev = asked_for(g, &in);
        may_if(&v, !dev || dev->domain != c->d, -ENODEV);
    } else if (!v.nr) {
        ctx = find_ctx(c->d, in.ctx_no);
        may_if(&v, !ctx || !ctx->exists, -EINVAL);
    }
    if (!v.nr) {
        gather(g, c, &in, dev, &all);
        nr = count(g, &all, in.flags & IOMMU_RESERVED_allowed);
        may_if(&v, nr > in.nr_ranges, -EMSGSIZE);
        if (!dev)
            remember_pins(c, &in, &all);
    }
    if (c->status == -EFAULT)
        return true; /* the array may lie where there is no memory */
    if (g->eio || all.nr == MOST_REGIONS)
        return true; /* regions may have stayed behind */
    if (!judge(g, &v, c->status, "query_reserved"))
        return false;
    if (out.nr_ranges != (c->status && c->status != -EMSGSIZE ? 0 : nr))
        return complain(g, "query_reserved: %u ranges with status %ld; right is %u", out.nr_ranges,
                        c->status, nr);
    return true;
}
