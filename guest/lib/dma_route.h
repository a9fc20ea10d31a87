/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to do with a transfer by a device, so that the device gets to the page that is meant: the
 * decision only, from facts about the device, the domain and the page. docs/guest.md has the table.
 */
#ifndef GUEST_DMA_ROUTE_H
#define GUEST_DMA_ROUTE_H

#include <stdbool.h>

struct dma_facts {
    /* The device: all its requester ids are behind a unit that translates now. */
    bool protected;
    /* The page has an address in the device's context already, by a map that stays. */
    bool standing;
    /* The domain: its own gfns are machine frames (features.h). */
    bool direct_mapped;
    /* The page belongs to another domain. */
    bool foreign;
    /*
     * The address that the device would use is within its mask. Where that address is the guest's
     * to choose, whether there is one; where a lookup has to tell it first, true, and the guest
     * decides again with what it was told.
     */
    bool reachable;
    /*
     * There is a bounce region that serves this device: within its mask, and, for a device that is
     * not protected, direct-mapped, whatever the rest of the domain is.
     */
    bool bounce;
};

enum dma_route {
    DMA_ROUTE_MAP,      /* map the page, use the bus address */
    DMA_ROUTE_STANDING, /* use the bus address that it has */
    DMA_ROUTE_AS_IS,    /* use the page's own address */
    DMA_ROUTE_LOOKUP,   /* ask for the machine frame (lookup_foreign_page), use that */
    DMA_ROUTE_BOUNCE,   /* copy through the bounce region */
    DMA_ROUTE_NONE,     /* it cannot be done */
};

/* *why: of NONE, the reason, as words for a log; otherwise NULL. */
enum dma_route dma_route(const struct dma_facts *facts, const char **why);

#endif
