/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device in a context can reach: pages mapped by calls, the identity map, direct regions. */
#include "state.h"

bool region_counts(const struct sluice_region *r)
{
    return r->type != SLUICE_REGION_DIRECT_RELAXABLE;
}

static uint64_t first_of(const struct sluice_region *r)
{
    return r->first >> FRAME_LG2;
}

static uint64_t last_of(const struct sluice_region *r)
{
    return r->last >> FRAME_LG2;
}

bool device_is_in(const struct ghost_device *dev, const struct ghost_domain *d, uint16_t ctx_no)
{
    return !dev->exposed && dev->domain == d && dev->ctx == ctx_no;
}

static unsigned device_region_rights(const struct ghost_device *dev, uint64_t dfn)
{
    unsigned rights = 0;

    for (unsigned i = 0; i < dev->nr_regions; i++) {
        const struct sluice_region *r = &dev->regions[i];

        if (r->type == SLUICE_REGION_DIRECT && dfn >= first_of(r) && dfn <= last_of(r))
            rights |= r->prot & RIGHTS;
    }
    return rights;
}

unsigned region_rights(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no,
                       uint64_t dfn)
{
    unsigned rights = 0;

    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (device_is_in(g->devices[i], d, ctx_no))
            rights |= device_region_rights(g->devices[i], dfn);
    }
    return rights;
}

bool region_touches(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no,
                    uint64_t first, uint64_t last)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        for (unsigned k = 0; device_is_in(dev, d, ctx_no) && k < dev->nr_regions; k++) {
            const struct sluice_region *r = &dev->regions[k];

            if (region_counts(r) && first <= last_of(r) && last >= first_of(r))
                return true;
        }
    }
    return false;
}

bool leftover_touches(const struct ghost *g, uint64_t first, uint64_t last)
{
    if (window_is_left(g, first, last))
        return true;
    for (unsigned i = 0; g->failed && i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        for (unsigned k = 0; k < dev->nr_regions; k++) {
            if (region_counts(&dev->regions[k]) && first <= last_of(&dev->regions[k]) &&
                last >= first_of(&dev->regions[k]))
                return true;
        }
    }
    return false;
}

unsigned leftover_rights(const struct ghost *g, uint64_t dfn)
{
    unsigned rights = 0;

    for (unsigned i = 0; g->failed && i < g->nr_devices; i++)
        rights |= device_region_rights(g->devices[i], dfn);
    return rights;
}

/* Pages of the region that no earlier region of the context and no other page gives. */
static uint64_t pages_of_its_own(const struct ghost *g, const struct ghost_domain *d,
                                 uint16_t ctx_no, unsigned device, unsigned region)
{
    const struct sluice_region *r = &g->devices[device]->regions[region];
    uint64_t nr = 0;

    for (uint64_t dfn = first_of(r); dfn <= last_of(r); dfn++) {
        const struct pages *pages = ctx_pages(g, d, ctx_no);
        bool seen = pages && pages_at(pages, dfn);

        for (unsigned i = 0; i <= device && !seen; i++) {
            const struct ghost_device *dev = g->devices[i];
            unsigned end = i < device ? dev->nr_regions : region;

            for (unsigned k = 0; device_is_in(dev, d, ctx_no) && k < end; k++)
                seen |= dev->regions[k].type == SLUICE_REGION_DIRECT &&
                        dfn >= first_of(&dev->regions[k]) && dfn <= last_of(&dev->regions[k]);
        }
        nr += !seen;
    }
    return nr;
}

uint64_t region_pages(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no)
{
    uint64_t nr = 0;

    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (!device_is_in(g->devices[i], d, ctx_no))
            continue;
        for (unsigned k = 0; k < g->devices[i]->nr_regions; k++) {
            if (g->devices[i]->regions[k].type == SLUICE_REGION_DIRECT)
                nr += pages_of_its_own(g, d, ctx_no, i, k);
        }
    }
    return nr;
}

const struct pages *ctx_pages(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no)
{
    const struct ghost_ctx *ctx = find_ctx(d, ctx_no);

    (void)g;
    if (!ctx)
        return NULL;
    if (!ctx_no && !space_is_plain(d))
        return &d->shown;
    return ctx->identity ? &d->memory : &ctx->pages;
}

bool reach(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn,
           uint64_t *mfn, unsigned *attr)
{
    const struct pages *pages = ctx_pages(g, d, ctx_no);
    const struct page *page = pages && dfn <= g->max_dfn ? pages_at(pages, dfn) : NULL;
    unsigned rights = region_rights(g, d, ctx_no, dfn);
    struct page now;

    if (is_nested_in_hardware(d, ctx_no))
        page = nested_page(g, d, ctx_no, dfn, &now) ? &now : NULL;

    if (page && page->attr) {
        *mfn = page->mfn;
        *attr = page->attr & (RIGHTS | PT_SNOOP);
        if (g->write_implies_read && *attr & PT_WRITE)
            *attr |= PT_READ;
        return true;
    }
    if (doorbell_at(g, d, ctx_no, dfn, mfn)) {
        *attr = PT_WRITE | (g->write_implies_read ? PT_READ : 0);
        return true;
    }
    *mfn = dfn;
    *attr = rights;
    return rights != 0;
}

/*
 * A quarantined device reaches nothing but, at most, its own direct regions (or those of its
 * group).
 */
bool device_reach(const struct ghost *g, const struct ghost_device *dev, uint64_t dfn,
                  uint64_t *mfn, unsigned *attr)
{
    if (dev->domain)
        return reach(g, dev->domain, dev->ctx, dfn, mfn, attr);
    *mfn = dfn;
    *attr = 0;
    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (g->devices[i]->group == dev->group)
            *attr |= device_region_rights(g->devices[i], dfn);
    }
    return *attr != 0;
}

static bool regions_overlap(const struct sluice_region *a, const struct sluice_region *b)
{
    return region_counts(a) && region_counts(b) && a->first <= b->last && b->first <= a->last;
}

static bool is_window(const struct sluice_region *r)
{
    return r->type == SLUICE_REGION_SW_MSI;
}

/* Must something be mapped there wherever the device is? */
static bool is_mapped(const struct sluice_region *r)
{
    return r->type == SLUICE_REGION_DIRECT || is_window(r);
}

/* Of regions other than windows: does one lie in a window that the context has? */
static bool window_is_there(const struct ghost *g, const struct sluice_region *r,
                            const struct ghost_domain *d, uint16_t ctx_no)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        for (unsigned k = 0; device_is_in(dev, d, ctx_no) && k < dev->nr_regions; k++)
            if (is_window(&dev->regions[k]) && regions_overlap(r, &dev->regions[k]))
                return true;
    }
    return false;
}

/* Do two devices ask for different things at one address? */
static bool devices_differ(const struct ghost_device *a, const struct ghost_device *b)
{
    for (unsigned i = 0; i < a->nr_regions; i++) {
        for (unsigned k = 0; k < b->nr_regions; k++) {
            if (!is_window(&a->regions[i]) && !is_window(&b->regions[k]) &&
                regions_overlap(&a->regions[i], &b->regions[k]) &&
                (a->regions[i].type != b->regions[k].type ||
                 a->regions[i].prot != b->regions[k].prot))
                return true;
        }
    }
    return false;
}

enum conflict region_conflict(const struct sluice_region *r, const struct pages *pages)
{
    enum conflict worst = FITS;

    for (size_t i = pages_from(pages, first_of(r)); i < pages->nr; i++) {
        const struct page *page = &pages->at[i];
        bool same = page->attr == 0 || (r->type == SLUICE_REGION_DIRECT && page->mfn == page->dfn);

        if (page->dfn > last_of(r))
            break;
        if (!same)
            return CONFLICTS;
        worst = AMBIGUOUS;
    }
    return worst;
}

static enum conflict pins_conflict(const struct ghost *g, const struct ghost_ctx *ctx,
                                   const struct sluice_region *r)
{
    if (!region_counts(r) || !narrows_pins(g, ctx, r))
        return FITS;
    return ctx->vague || g->failed ? AMBIGUOUS : CONFLICTS;
}

enum conflict group_conflict(const struct ghost *g, const struct ghost_device *dev,
                             const struct ghost_domain *d, uint16_t ctx_no)
{
    const struct pages *pages = ctx_pages(g, d, ctx_no);
    const struct ghost_ctx *ctx = find_ctx(d, ctx_no);
    enum conflict worst = FITS;

    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *member = g->devices[i];

        if (member->group != dev->group)
            continue;
        if (window_conflict(g, member, d, ctx_no) > worst)
            worst = window_conflict(g, member, d, ctx_no);
        for (unsigned k = 0; pages && k < member->nr_regions; k++) {
            enum conflict c = region_counts(&member->regions[k]) && !is_nested(d, ctx_no)
                                  ? region_conflict(&member->regions[k], pages)
                                  : FITS;

            if (is_mapped(&member->regions[k]) && is_nested_in_hardware(d, ctx_no))
                worst = CONFLICTS;
            if (is_window(&member->regions[k]))
                continue;
            if (window_is_there(g, &member->regions[k], d, ctx_no))
                c = g->failed ? AMBIGUOUS : CONFLICTS;
            worst = c > worst ? c : worst;
            c = pins_conflict(g, ctx, &member->regions[k]);
            worst = c > worst ? c : worst;
        }
        for (unsigned k = 0; k < g->nr_devices && worst == FITS; k++) {
            const struct ghost_device *other = g->devices[k];

            if ((other->group == dev->group || device_is_in(other, d, ctx_no)) &&
                devices_differ(member, other))
                worst = AMBIGUOUS;
        }
    }
    return worst;
}

unsigned ctx_devices(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < g->nr_devices; i++)
        nr += device_is_in(g->devices[i], d, ctx_no);
    return nr;
}
