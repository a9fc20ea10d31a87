/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts come and go. */
#include "state.h"

#include <string.h>

static void unref_all(struct ghost *g, struct ghost_domain *d, struct pages *pages)
{
    for (size_t i = 0; i < pages->nr; i++)
        frame_unref(g, pages->at[i].mfn);
    d->refs -= pages->nr;
    pages_free(pages);
}

void ctx_empty(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no)
{
    if (is_nested_in_hardware(d, ctx_no))
        pages_free(&d->ctx[ctx_no].pages); /* no references */
    unref_all(g, d, &d->ctx[ctx_no].pages);
    unref_all(g, d, &d->ctx[ctx_no].pending);
}

static unsigned live_contexts(const struct ghost_domain *d)
{
    unsigned nr = 0;

    for (unsigned i = 1; i <= d->max_ctx_no; i++)
        nr += d->ctx[i].exists;
    return nr;
}

bool ctx_are_used(const struct ghost_domain *d)
{
    return live_contexts(d) + d->nr_shadowing >= d->max_ctx_no;
}

bool ctx_budget_is_used(const struct ghost_domain *d)
{
    return live_contexts(d) >= d->budget_contexts;
}

static struct verdict judge_alloc(const struct ghost *g, const struct ghost_domain *d,
                                  uint32_t flags)
{
    struct verdict v = {0};

    may_if(&v, flags & ~(uint32_t)(IOMMU_ALLOC_identity | IOMMU_ALLOC_deferred), -EINVAL);
    may_if(&v, flags & IOMMU_ALLOC_deferred && flags & IOMMU_ALLOC_identity, -EINVAL);
    may_if(&v, flags & IOMMU_ALLOC_identity && g->can_identity == NO, -EOPNOTSUPP);
    if (v.nr)
        return v;
    may_if(&v, ctx_are_used(d), -ENOSPC);
    may_if(&v, ctx_budget_is_used(d), -ENOMEM);
    return v;
}

/* An identity context needs tables for all of the memory. */
static uint64_t alloc_needs(const struct ghost_domain *d, uint32_t flags)
{
    return flags & IOMMU_ALLOC_identity ? PT_MAX_LEVELS + d->memory.nr : 1;
}

bool called_alloc(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_alloc in, out;
    struct verdict v;

    memcpy(&in, c->in, sizeof(in));
    memcpy(&out, c->out, sizeof(out));
    v = judge_alloc(g, c->d, in.alloc_flags);
    if (c->status == -ENOMEM && tables_may_lack(g, c->d, alloc_needs(c->d, in.alloc_flags)))
        may(&v, -ENOMEM);
    if (!judge(g, &v, c->status, "alloc_context"))
        return false;
    if (c->status && out.ctx_no && out.ctx_no != in.ctx_no)
        return complain(g, "a failed alloc_context gave ctx_no %u", out.ctx_no);
    if (c->status)
        return true;
    if (!out.ctx_no || out.ctx_no > c->d->max_ctx_no || c->d->ctx[out.ctx_no].exists)
        return complain(g, "alloc_context gave ctx_no %u", out.ctx_no);
    c->d->ctx[out.ctx_no] = (struct ghost_ctx){.exists = true,
                                               .identity = in.alloc_flags & IOMMU_ALLOC_identity,
                                               .defers = in.alloc_flags & IOMMU_ALLOC_deferred};
    return true;
}

static enum conflict default_conflict(const struct ghost *g, const struct ghost_domain *d,
                                      uint16_t ctx_no)
{
    enum conflict worst = FITS;

    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];
        enum conflict c;

        if (dev->domain != d || dev->ctx != ctx_no)
            continue;
        c = group_conflict(g, dev, d, 0);
        worst = c > worst ? c : worst;
    }
    return worst;
}

/* -ENOMEM here only as an injected failure, or when ctx 0 lacks tables for regions. */
static struct verdict judge_free(const struct ghost *g, const struct ghost_domain *d,
                                 const struct pv_iommu_free *in, long status)
{
    bool move = in->free_flags & IOMMU_FREE_reattach_default;
    enum conflict conflict;
    struct verdict v = {0};

    may_if(&v, !find_ctx(d, in->ctx_no) || !in->ctx_no, -EINVAL);
    may_if(&v, in->free_flags & ~(uint32_t)IOMMU_FREE_reattach_default, -EINVAL);
    if (v.nr || !ctx_devices(g, d, in->ctx_no))
        return v;
    conflict = default_conflict(g, d, in->ctx_no);
    may_if(&v, !move || conflict == CONFLICTS, -EBUSY);
    may_if(&v, status == -EBUSY && (conflict == AMBIGUOUS || g->failed), -EBUSY);
    may_if(&v, status == -ENOMEM && region_pages(g, d, in->ctx_no) && tables_may_lack(g, d, 1),
           -ENOMEM);
    return v;
}

/* Where a call with -EIO left devices is read from the machine; it may be one of two places. */
static bool learn_places(struct ghost *g, struct ghost_domain *d, uint16_t from, uint16_t to)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        struct ghost_device *dev = g->devices[i];
        struct sluice_domain *domain;
        uint16_t ctx;

        if (dev->exposed || dev->domain != d || dev->ctx != from)
            continue;
        if (!real_place(dev, &domain, &ctx) || domain != d->real || (ctx != from && ctx != to))
            return complain(g, "%s: after -EIO in context %u", dev->name, ctx);
        dev->ctx = ctx;
        doorbells_learn_window(dev);
    }
    return true;
}

bool called_free(struct ghost *g, const struct inner_call *c)
{
    struct sluice_context_info info;
    struct pv_iommu_free in;
    struct verdict v;

    memcpy(&in, c->in, sizeof(in));
    v = judge_free(g, c->d, &in, c->status);
    if (!judge(g, &v, c->status, "free_context"))
        return false;
    if (v.nr || (c->status && c->status != -EIO))
        return true;
    if (!learn_places(g, c->d, in.ctx_no, 0))
        return false;
    if (c->status && !sluice_context_info(c->d->real, in.ctx_no, &info))
        return true;
    if (ctx_devices(g, c->d, in.ctx_no))
        return complain(g, "free_context left devices in context %u", in.ctx_no);
    ctx_empty(g, c->d, in.ctx_no);
    c->d->ctx[in.ctx_no].exists = false;
    return true;
}
