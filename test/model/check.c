/* SPDX-License-Identifier: BSD-2-Clause */
/* The comparison of contexts, memory, frames and devices with the machine. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* What is compared every time, and how much of the rest in turn. */
#define COMPARE_ALL    2048u
#define COMPARE_WINDOW 512u

bool ghost_check(struct ghost *g)
{
    event_begins(g, 0);
    if (!check_shadows(g))
        return false;
    for (unsigned i = 0; i < g->nr_domains; i++) {
        if (!check_memory(g, g->domains[i]) || !check_space(g, g->domains[i]))
            return false;
        if (!g->no_iommu && !check_contexts(g, g->domains[i]))
            return false;
    }
    return check_frames(g) && (g->no_iommu || (check_devices(g) && check_doorbells(g) &&
                                               check_caches(g) && check_interrupts(g)));
}

static bool memory_is(struct ghost *g, const struct ghost_domain *d, uint64_t gfn)
{
    const struct page *page = pages_at(&d->memory, gfn);
    mfn_t mfn = {0};
    int status = sluice_memory_lookup(d->real, gfn_of(gfn), &mfn);

    if (status && status != -ENOENT)
        return complain(g, "%s: looking up gfn 0x%jx gave %d", d->name, (uintmax_t)gfn, status);
    if (!page != (status != 0))
        return complain(g, "%s: gfn 0x%jx %s a frame", d->name, (uintmax_t)gfn,
                        page ? "lost" : "has");
    if (page && page->mfn != mfn.n)
        return complain(g, "%s: gfn 0x%jx is mfn 0x%jx and was 0x%jx", d->name, (uintmax_t)gfn,
                        (uintmax_t)mfn.n, (uintmax_t)page->mfn);
    return true;
}

/* Gfns that changed last are inside the rotating window soon; frames that changed are compared at
 * once. */
bool check_memory(struct ghost *g, struct ghost_domain *d)
{
    uint64_t nr = d->end < COMPARE_ALL ? d->end : COMPARE_WINDOW;

    for (uint64_t i = 0; i < nr; i++) {
        if (!memory_is(g, d, (d->memory_window + i) % d->end))
            return false;
    }
    if (d->end)
        d->memory_window = (d->memory_window + nr) % d->end;
    return true;
}

static bool refs_are(struct ghost *g, uint64_t mfn, const struct ghost_frame *f,
                     const struct sluice_frame_info *info)
{
    const uint32_t right = f->refs + f->shadows;

    if (info->refs == right || ((f->loose || (g->viommus && g->failed)) && info->refs > f->refs))
        return true;
    if (g->eio && !f->refs && !info->owned)
        return true; /* populate took it and gave it up for lost */
    return complain(g, "mfn 0x%jx (gfn 0x%jx, domain %u): %u references, right is %u",
                    (uintmax_t)mfn, (uintmax_t)f->gfn, f->owner, info->refs, right);
}

static bool frame_is(struct ghost *g, uint64_t mfn)
{
    struct ghost_frame *f = &g->frames[mfn];
    struct sluice_frame_info info;

    if (!f->known)
        return check_tuples(g, mfn);
    if (sluice_frame_info(g->sluice, mfn_of(mfn), &info))
        return complain(g, "mfn 0x%jx is no frame any more", (uintmax_t)mfn);
    if (!refs_are(g, mfn, f, &info))
        return false;
    if (info.owned != f->owned)
        return complain(g, "mfn 0x%jx: %s", (uintmax_t)mfn, f->owned ? "not owned" : "still owned");
    if (f->owned && (info.owner != f->owner || info.gfn.n != f->gfn || info.type != f->type))
        return complain(g, "mfn 0x%jx: owner %u gfn 0x%jx type %u, right is %u, 0x%jx, %u",
                        (uintmax_t)mfn, info.owner, (uintmax_t)info.gfn.n, (unsigned)info.type,
                        f->owner, (uintmax_t)f->gfn, f->type);
    if (f->loose && !f->refs && !info.refs)
        f->loose = false;
    return check_tuples(g, mfn);
}

/* An owned frame is also found at its gfn. */
static bool touched_frame_is(struct ghost *g, uint64_t mfn)
{
    const struct ghost_frame *f = &g->frames[mfn];
    const struct ghost_domain *d = f->owned ? find_domain(g, f->owner) : NULL;

    return frame_is(g, mfn) && (!d || memory_is(g, d, f->gfn));
}

bool check_frames(struct ghost *g)
{
    uint64_t nr = g->nr_frames < COMPARE_ALL ? g->nr_frames : COMPARE_WINDOW;

    for (size_t i = 0; i < g->nr_touched; i++) {
        if (!touched_frame_is(g, g->touched[i]))
            return false;
        g->frames[g->touched[i]].touched = false;
    }
    g->nr_touched = 0;
    for (uint64_t i = 0; i < nr; i++) {
        if (!frame_is(g, (g->frame_window + i) % g->nr_frames))
            return false;
    }
    if (g->nr_frames)
        g->frame_window = (g->frame_window + nr) % g->nr_frames;
    return true;
}

bool check_devices(struct ghost *g)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];
        struct sluice_device_info info;

        if (dev->pasid)
            continue;
        if (!is_behind(dev) && !check_pairs(g, dev))
            return false;
        sluice_device_info(dev->real, &info);
        if (info.domain != (dev->domain ? dev->domain->real : NULL))
            return complain(g, "%s: with the wrong owner; right is %s", dev->name,
                            dev->domain ? dev->domain->name : "quarantine");
        if (dev->domain && info.ctx_no != dev->ctx)
            return complain(g, "%s: in context %u, right is %u", dev->name, info.ctx_no, dev->ctx);
        if (is_behind(dev) && !g->failed && dev->ctx && find_ctx(dev->domain, dev->ctx))
            return complain(g, "%s: behind a vIOMMU, and in context %u", dev->name, dev->ctx);
    }
    return true;
}
