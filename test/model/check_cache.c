/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The heart of the comparison: whatever a unit holds in its caches could be used by a device in the
 * next moment, so it must be something that the device may reach right now.
 */
#include "state.h"

struct caches {
    struct ghost *g;
    bool right;
};

static void stale(struct caches *c, const struct ghost_device *dev, uint64_t dfn, const char *what)
{
    if (c->right)
        complain(c->g, "%s (%s, context %u): the unit's cache holds dfn 0x%jx: %s", dev->name,
                 dev->domain ? dev->domain->name : "quarantine", dev->ctx, (uintmax_t)dfn, what);
    c->right = false;
}

/* An unmap that waits for its flush may be cached as it was. */
static bool is_pending(const struct ghost_device *dev, uint64_t dfn, uint64_t mfn, unsigned attr)
{
    const struct page *page = pending_page(dev, dfn);

    return page && page->mfn == mfn && !(attr & RIGHTS & ~page->attr);
}

static void check_present(struct caches *c, const struct ghost_device *dev,
                          const struct machine_cached *cached)
{
    for (uint64_t i = 0; i < cached->nr && c->right; i++) {
        uint64_t dfn = cached->dfn.n + i, mfn;
        unsigned attr;

        if (is_behind(dev)) {
            c->right &= behind_may_reach(c->g, dev, dfn, cached->mfn.n + i, cached->attr);
            continue;
        }
        if (cached->mfn.n + i == dfn && !(cached->attr & RIGHTS & ~leftover_rights(c->g, dfn)))
            continue;
        if (is_pending(dev, dfn, cached->mfn.n + i, cached->attr) ||
            doorbell_is_left(c->g, cached->mfn.n + i))
            continue;
        if (!device_reach(c->g, dev, dfn, &mfn, &attr))
            stale(c, dev, dfn, "nothing is mapped there");
        else if (mfn != cached->mfn.n + i)
            stale(c, dev, dfn, "another frame is mapped there");
        else if (cached->attr & RIGHTS & ~attr)
            stale(c, dev, dfn, "with more rights");
    }
}

/* Remembering that nothing is mapped is wrong once something is. */
static void check_absent(struct caches *c, const struct ghost_device *dev,
                         const struct machine_cached *cached)
{
    uint64_t first = cached->dfn.n, last = first + (cached->nr ? cached->nr - 1 : 0), mfn;
    const struct pages *pages;
    unsigned attr;

    if (!dev->domain || is_behind(dev))
        return;
    pages = ctx_pages(c->g, dev->domain, dev->ctx);
    for (size_t i = pages_from(pages, first); i < pages->nr && pages->at[i].dfn <= last; i++) {
        if (reach(c->g, dev->domain, dev->ctx, pages->at[i].dfn, &mfn, &attr))
            stale(c, dev, pages->at[i].dfn, "as not present, and it is mapped");
    }
    if (region_touches(c->g, dev->domain, dev->ctx, first, last) &&
        (region_rights(c->g, dev->domain, dev->ctx, first) ||
         region_rights(c->g, dev->domain, dev->ctx, last)))
        stale(c, dev, first, "as not present, and a direct region is there");
}

/* A second stage is the memory, at all times. */
static void check_second(struct caches *c, const struct ghost_device *dev,
                         const struct machine_cached *cached)
{
    for (uint64_t i = 0; i < cached->nr && c->right && cached->attr; i++) {
        const uint64_t gfn = cached->dfn.n + i;
        const struct page *page = dev->domain ? pages_at(&dev->domain->memory, gfn) : NULL;

        if (!page || page->mfn != cached->mfn.n + i || cached->attr & RIGHTS & ~page->attr)
            stale(c, dev, gfn, "a gfn, which is not that memory any more");
    }
}

static void visit(void *arg, const struct machine_cached *cached)
{
    struct caches *c = arg;
    const struct ghost_device *dev = find_requester(c->g, cached->rid);

    if (!c->right)
        return;
    if (!dev) {
        c->right = complain(c->g, "the unit's cache holds dfn 0x%jx for an unknown requester 0x%x",
                            (uintmax_t)cached->dfn.n, cached->rid.n);
        return;
    }
    if (cached->pasid)
        dev = find_pair(c->g, dev, cached->pasid);
    if (!dev) {
        c->right = !cached->attr ||
                   complain(c->g,
                            "the unit's cache holds dfn 0x%jx for pasid %u of 0x%x, which is "
                            "attached to nothing",
                            (uintmax_t)cached->dfn.n, cached->pasid, cached->rid.n);
        return;
    }
    if (cached->second)
        check_second(c, dev, cached);
    else if (cached->attr)
        check_present(c, dev, cached);
    else
        check_absent(c, dev, cached);
}

bool check_caches(struct ghost *g)
{
    struct caches c = {g, true};

    machine_cached(g->m, visit, &c);
    return c.right;
}
