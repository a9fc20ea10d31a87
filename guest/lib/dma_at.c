/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole frames, and addresses that are the caller's own. */
#include "dma_space.h"

struct dma_mapping dma_of_frames(uint64_t gfn, uint64_t nr, enum dma_direction direction)
{
    return (struct dma_mapping){.buffer = {.gfn = gfn,
                                           .domain = DOMID_SELF,
                                           .direction = direction,
                                           .length = nr << DMA_PAGE_SHIFT},
                                .route = DMA_ROUTE_MAP,
                                .slot = {DMA_NO_SLOT, DMA_NO_SLOT},
                                .stander = DMA_NO_STANDER};
}

static bool is_range(const struct dma_space *s, uint64_t address, uint64_t nr)
{
    const uint64_t first = address >> DMA_PAGE_SHIFT;

    return dma_has_context(s) && nr && nr < IOVA_FRAMES && !(address & (DMA_PAGE - 1)) &&
           first + nr <= IOVA_FRAMES;
}

int dma_map_at(struct dma_space *s, uint64_t address, uint64_t gfn, uint64_t nr,
               enum dma_direction direction)
{
    struct dma_mapping m = dma_of_frames(gfn, nr, direction);
    const struct dma_want want = {.m = &m, .nr = 1};
    bool lost;
    int err;

    if (!is_range(s, address, nr) || gfn > IOVA_FRAMES - nr || !dma_rights(direction))
        return -EINVAL;
    err = dma_map_frames(s, address >> DMA_PAGE_SHIFT, &want, &lost);
    if (!err)
        dma_count(&s->stats.maps, 1);
    return err && lost ? -EIO : err;
}

int dma_unmap_at(struct dma_space *s, uint64_t address, uint64_t nr)
{
    if (!is_range(s, address, nr))
        return -EINVAL;
    dma_count(&s->stats.unmaps, 1);
    return dma_unmap_frames(s, address >> DMA_PAGE_SHIFT, nr);
}
