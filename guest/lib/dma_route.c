/* SPDX-License-Identifier: BSD-2-Clause */
#include "dma_route.h"

#include <stddef.h>

static enum dma_route bounce(const struct dma_facts *facts, const char *otherwise, const char **why)
{
    if (facts->bounce)
        return DMA_ROUTE_BOUNCE;
    *why = otherwise;
    return DMA_ROUTE_NONE;
}

enum dma_route dma_route(const struct dma_facts *facts, const char **why)
{
    *why = NULL;
    if (!facts->protected && !facts->direct_mapped)
        return bounce(
            facts,
            "no unit translates for the device, the domain is not direct-mapped, and there "
            "is no direct-mapped bounce region within the device's reach",
            why);
    if (!facts->reachable)
        return bounce(facts,
                      "the address is beyond the device's reach, and there is no bounce region "
                      "within it",
                      why);
    if (facts->protected)
        return facts->standing ? DMA_ROUTE_STANDING : DMA_ROUTE_MAP;
    return facts->foreign ? DMA_ROUTE_LOOKUP : DMA_ROUTE_AS_IS;
}
