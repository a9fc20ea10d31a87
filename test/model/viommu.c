/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Guests with an emulated VT-d. What their tables say, and when it takes effect, is between them
 * and their unit. What is true whatever they say: devices behind it reach nothing but memory of the
 * domain and their own regions, and each page of a table that leads to a frame holds it.
 */
#include "state.h"

bool is_behind(const struct ghost_device *dev)
{
    return dev->domain && dev->domain->viommu && !dev->exposed && !dev->pasid &&
           !(dev->rids[0].n >> 16);
}

void ghost_viommu(struct ghost *g, uint16_t domid)
{
    struct ghost_domain *d = find_domain(g, domid);

    if (!d)
        return;
    d->viommu = true;
    g->viommus = true;
}

void viommus_learn(struct ghost *g)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        struct ghost_device *dev = g->devices[i];
        struct sluice_device_info info;

        if (!is_behind(dev) || dev->domain->gone)
            continue;
        sluice_device_info(dev->real, &info);
        if (info.domain == dev->domain->real)
            dev->ctx = info.ctx_no;
    }
}

/* A frame of the domain's own, with no more rights than the memory map gives. */
static bool is_own(struct ghost *g, const struct ghost_domain *d, uint64_t mfn, unsigned attr)
{
    const struct ghost_frame *f = frame_at(g, mfn);

    return f->owned && f->owner == d->domid && !(attr & RIGHTS & ~type_rights(f->type));
}

static bool is_region(const struct ghost *g, const struct ghost_domain *d, uint64_t dfn,
                      uint64_t mfn, unsigned attr)
{
    for (unsigned i = 0; i < g->nr_devices && dfn == mfn; i++) {
        const struct ghost_device *dev = g->devices[i];

        if (dev->domain == d && !(attr & RIGHTS & ~region_rights(g, d, dev->ctx, dfn)))
            return true;
    }
    return dfn == mfn && !(attr & RIGHTS & ~leftover_rights(g, dfn));
}

bool behind_may_reach(struct ghost *g, const struct ghost_device *dev, uint64_t dfn, uint64_t mfn,
                      unsigned attr)
{
    if (is_own(g, dev->domain, mfn, attr) || is_region(g, dev->domain, dfn, mfn, attr))
        return true;
    return complain(g, "%s: dfn 0x%jx leads to mfn 0x%jx, which is not for %s", dev->name,
                    (uintmax_t)dfn, (uintmax_t)mfn, dev->domain->name);
}

struct shadowing {
    struct ghost *g;
    struct ghost_domain *d;
    uint16_t ctx_no;
    bool counts, right;
};

static bool page_is(const struct shadowing *s, uint64_t dfn, uint64_t mfn, unsigned attr)
{
    if (is_own(s->g, s->d, mfn, attr)) {
        frame_at(s->g, mfn)->shadows += s->counts;
        s->d->shadows += s->counts;
        return true;
    }
    if (is_region(s->g, s->d, dfn, mfn, attr) || s->g->failed)
        return true;
    return complain(s->g, "%s: its vIOMMU's context %u has mfn 0x%jx at dfn 0x%jx", s->d->name,
                    s->ctx_no, (uintmax_t)mfn, (uintmax_t)dfn);
}

static int visit(void *arg, const struct pt_leaf *leaf)
{
    struct shadowing *s = arg;

    for (uint64_t i = 0; i < (uint64_t)1 << (leaf->lg2 - FRAME_LG2) && !leaf->retired; i++)
        s->right &= page_is(s, leaf->dfn.n + i, leaf->mfn.n + i, leaf->attr);
    return !s->right;
}

/* A context that the model has not seen a call make. Identity maps hold nothing. */
static bool check_one(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no)
{
    struct shadowing s = {.g = g, .d = d, .ctx_no = ctx_no, .right = true};
    struct sluice_context_info info;

    if (d->ctx[ctx_no].exists || sluice_context_info(d->real, ctx_no, &info))
        return true;
    d->nr_shadowing++;
    s.counts = !info.identity;
    sluice_context_walk(d->real, ctx_no, dfn_of(0), dfn_of(UINT64_MAX), visit, &s);
    return s.right;
}

static bool check_domain(struct ghost *g, struct ghost_domain *d)
{
    d->shadows = d->nr_shadowing = 0;
    for (unsigned i = 1; d->viommu && !d->gone && i <= d->max_ctx_no; i++) {
        if (!check_one(g, d, (uint16_t)i))
            return false;
    }
    return true;
}

bool check_shadows(struct ghost *g)
{
    bool right = true;

    for (uint64_t n = 0; g->viommus && n < g->nr_frames; n++)
        g->frames[n].shadows = 0;
    for (unsigned i = 0; g->viommus && right && i < g->nr_domains; i++)
        right = check_domain(g, g->domains[i]);
    return right;
}

bool behind_dma(struct ghost *g, const struct ghost_device *dev, int status)
{
    if (status && status != -EACCES)
        return complain(g, "%s: DMA gave %d", dev->name, status);
    if (!status && g->eio && g->nr_units == 1)
        return complain(g, "%s: DMA through a failed unit", dev->name);
    return true;
}

bool behind_msi(struct ghost *g, struct ghost_device *dev, rid_t rid, int status,
                const struct machine_delivery *out)
{
    if (status == -EACCES || status == -EINVAL)
        return true;
    if (status)
        return complain(g, "%s: an interrupt gave %d", dev->name, status);
    if (!out->domain || machine_domain_domid(out->domain) != dev->domain->domid)
        return complain(g, "%s: its interrupt arrived at %s, and it belongs to %s", dev->name,
                        out->domain ? machine_domain_name(out->domain) : "no guest",
                        dev->domain->name);
    dev->programmed = true;
    dev->message = out->message;
    dev->vector = out->vector;
    dev->source = rid;
    return true;
}
