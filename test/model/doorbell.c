/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doorbells: in each context with devices that have some, a window with a page for each. Where a
 * window is that had to move, and which page is whose, the machine says; that it may be so is
 * checked.
 */
#include "state.h"

#include <string.h>

static const struct sluice_region no_window = {.type = SLUICE_REGION_RESERVED};

void doorbells_begin(struct ghost *g, const struct machine_config *config)
{
    struct sluice_msi_window *w = &g->msi_window;

    g->nr_doorbells = config->nr_doorbells;
    memcpy(g->doorbells, config->doorbells, sizeof(g->doorbells));
    *w = config->msi_window;
    if (!w->base && !w->length) {
        w->base = SLUICE_MSI_BASE;
        w->length = SLUICE_MSI_LENGTH;
    }
}

static struct sluice_region *window_in(const struct ghost_device *dev)
{
    for (unsigned i = 0; i < dev->nr_regions; i++)
        if (dev->regions[i].type == SLUICE_REGION_SW_MSI)
            return &dev->regions[i];
    return NULL;
}

static bool has_msi(const struct ghost_device *dev)
{
    for (unsigned i = 0; i < dev->nr_regions; i++)
        if (dev->regions[i].type == SLUICE_REGION_MSI)
            return true;
    return false;
}

/* One that is declared with the device is where it is. There is room for one more. */
void doorbells_add_window(const struct ghost *g, struct ghost_device *dev)
{
    const struct sluice_msi_window *w = &g->msi_window;

    if (dev->real && g->nr_doorbells && !window_in(dev) && !has_msi(dev))
        dev->regions[dev->nr_regions++] = (struct sluice_region){
            .first = w->base, .last = w->base + w->length - 1, .type = SLUICE_REGION_SW_MSI};
    dev->window_moves = w->highest;
    dev->window = window_in(dev) ? *window_in(dev) : no_window;
}

void doorbells_learn_window(struct ghost_device *dev)
{
    struct sluice_region *r = window_in(dev);
    struct sluice_device_info info;

    if (!r)
        return;
    *r = dev->window;
    sluice_device_info(dev->real, &info);
    if (info.msi_window == SLUICE_NO_WINDOW)
        return;
    r->first = info.msi_window;
    r->last = r->first + (dev->window.last - dev->window.first);
}

/* At which dfn the device sees its k-th doorbell. */
static bool seen_at(const struct ghost_device *dev, unsigned k, uint64_t *addr)
{
    struct hw_message message;

    if (!window_in(dev) || sluice_device_compose_msi(dev->real, k, 0, &message))
        return false;
    *addr = message.address;
    return true;
}

bool doorbell_at(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn,
                 uint64_t *mfn)
{
    uint64_t addr;

    for (unsigned i = 0; g->nr_doorbells && i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        for (unsigned k = 0; device_is_in(dev, d, ctx_no) && k < g->nr_doorbells; k++) {
            if (!seen_at(dev, k, &addr) || addr >> FRAME_LG2 != dfn)
                continue;
            *mfn = g->doorbells[k] >> FRAME_LG2;
            return true;
        }
    }
    return false;
}

bool doorbell_is_left(const struct ghost *g, uint64_t mfn)
{
    for (unsigned k = 0; g->failed && k < g->nr_doorbells; k++)
        if (g->doorbells[k] >> FRAME_LG2 == mfn)
            return true;
    return false;
}

static bool touches(uint64_t first_dfn, uint64_t last_dfn, uint64_t first, uint64_t last)
{
    return first_dfn <= last >> FRAME_LG2 && last_dfn >= first >> FRAME_LG2;
}

bool window_is_left(const struct ghost *g, uint64_t first, uint64_t last)
{
    const struct sluice_msi_window *w = &g->msi_window;

    if (!g->failed || !g->nr_doorbells)
        return false;
    return touches(first, last, w->base, w->base + w->length - 1) ||
           (w->highest && touches(first, last, w->lowest, w->highest));
}

/* All devices have the same. */
static bool any_window(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no)
{
    for (unsigned i = 0; i < g->nr_devices; i++)
        if (device_is_in(g->devices[i], d, ctx_no) && window_in(g->devices[i]))
            return true;
    return false;
}

static bool is_first(const struct ghost *g, unsigned k)
{
    for (unsigned i = 0; i < k; i++)
        if (g->doorbells[i] >> FRAME_LG2 == g->doorbells[k] >> FRAME_LG2)
            return false;
    return true;
}

unsigned doorbell_pages(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no)
{
    unsigned nr = 0;

    for (unsigned k = 0; any_window(g, d, ctx_no) && k < g->nr_doorbells; k++)
        nr += is_first(g, k);
    return nr;
}

/* ---- Room --------------------------------------------------------------------------------------
 */

static bool overlap(const struct sluice_region *a, const struct sluice_region *b)
{
    return a->first <= b->last && b->first <= a->last;
}

static bool other_regions_overlap(const struct ghost_device *dev, const struct sluice_region *w)
{
    for (unsigned i = 0; i < dev->nr_regions; i++)
        if (dev->regions[i].type != SLUICE_REGION_SW_MSI && region_counts(&dev->regions[i]) &&
            overlap(&dev->regions[i], w))
            return true;
    return false;
}

static bool may_be_at(const struct ghost *g, const struct ghost_device *dev, uint64_t first)
{
    const uint64_t last = first + (dev->window.last - dev->window.first);

    return first == dev->window.first ||
           (dev->window_moves && first >= g->msi_window.lowest && last <= g->msi_window.highest);
}

static enum conflict place_conflict(const struct ghost *g, const struct ghost_device *dev,
                                    const struct ghost_domain *d, uint16_t ctx_no)
{
    static const struct sluice_region x86 = {.first = (uint64_t)MSI_FIRST << FRAME_LG2,
                                             .last = ((uint64_t)MSI_LAST << FRAME_LG2) +
                                                     (FRAME_SIZE - 1)};
    const struct sluice_region *w = &dev->window;
    bool taken = overlap(w, &x86) || w->last >> FRAME_LG2 > g->max_dfn;

    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *o = g->devices[i];

        if (o->group == dev->group || device_is_in(o, d, ctx_no))
            taken |= other_regions_overlap(o, w);
    }
    taken |= narrows_pins(g, find_ctx(d, ctx_no), w);
    return taken ? CONFLICTS : region_conflict(w, ctx_pages(g, d, ctx_no));
}

enum conflict window_conflict(const struct ghost *g, const struct ghost_device *dev,
                              const struct ghost_domain *d, uint16_t ctx_no)
{
    enum conflict c;

    if (!window_in(dev))
        return FITS;
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *o = g->devices[i];
        const struct sluice_region *w = window_in(o);

        if (!device_is_in(o, d, ctx_no) || o->group == dev->group || !w)
            continue;
        if (w->last - w->first != dev->window.last - dev->window.first ||
            !may_be_at(g, dev, w->first))
            return g->failed ? AMBIGUOUS : CONFLICTS;
        return FITS;
    }
    c = place_conflict(g, dev, d, ctx_no);
    return c == CONFLICTS && (dev->window_moves || g->failed) ? AMBIGUOUS : c;
}

/* ---- The comparison ----------------------------------------------------------------------------
 */

static bool doorbell_is_right(struct ghost *g, const struct ghost_device *dev, unsigned k)
{
    const struct sluice_region *w = window_in(dev);
    uint64_t addr, other;

    if (!seen_at(dev, k, &addr))
        return dev->domain ? complain(g, "%s: doorbell %u is nowhere", dev->name, k) : true;
    if (!dev->domain)
        return complain(g, "%s: nobody's, but it has a message", dev->name);
    if (addr < w->first || addr > w->last || (addr ^ g->doorbells[k]) % FRAME_SIZE)
        return complain(g, "%s: doorbell %u is at 0x%jx", dev->name, k, (uintmax_t)addr);
    for (unsigned i = 0; i < k; i++)
        if (seen_at(dev, i, &other) && (addr ^ other) >> FRAME_LG2 == 0 &&
            (g->doorbells[i] ^ g->doorbells[k]) >> FRAME_LG2)
            return complain(g, "%s: doorbells %u and %u share a page", dev->name, i, k);
    return true;
}

bool check_doorbells(struct ghost *g)
{
    for (unsigned i = 0; g->nr_doorbells && i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        if (!dev->real || !window_in(dev))
            continue;
        if (dev->domain && !may_be_at(g, dev, window_in(dev)->first))
            return complain(g, "%s: its window is at 0x%jx", dev->name,
                            (uintmax_t)window_in(dev)->first);
        for (unsigned k = 0; k < g->nr_doorbells; k++)
            if (!doorbell_is_right(g, dev, k))
                return false;
    }
    return true;
}

bool doorbell_msi(struct ghost *g, const struct ghost_device *dev, rid_t rid, uint64_t addr,
                  uint32_t data, int status, const struct machine_delivery *out)
{
    uint64_t maddr = addr;
    unsigned attr = PT_WRITE;
    bool rings = false;

    if (status == -EACCES || !dev->real)
        return dev->real ? ghost_dma(g, dev->machine, rid, 0, addr, sizeof(data), true, status,
                                     out->reason)
                         : true;
    if (g->failed)
        return true; /* a doorbell may have stayed */
    if (!device_reach(g, dev, addr >> FRAME_LG2, &maddr, &attr) || !(attr & PT_WRITE))
        return complain(g, "%s: a message to 0x%jx gave %d", dev->name, (uintmax_t)addr, status);
    maddr = maddr << FRAME_LG2 | addr % FRAME_SIZE;
    for (unsigned i = 0; i < g->nr_doorbells; i++)
        rings |= g->doorbells[i] == maddr;
    if (status != (rings ? 0 : -EINVAL))
        return complain(g, "%s: a message to 0x%jx gave %d", dev->name, (uintmax_t)addr, status);
    if (rings && (!out->domain || machine_domain_domid(out->domain) != dev->domain->domid ||
                  out->vector != (uint8_t)data))
        return complain(g, "%s: its message arrived elsewhere", dev->name);
    return true;
}
