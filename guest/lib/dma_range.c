/* SPDX-License-Identifier: BSD-2-Clause */
/* Device addresses, and what is mapped at them. */
#include "dma_space.h"

/* ---- Addresses --------------------------------------------------------------------------------
 */

static int take(struct dma_space *s, uint32_t cpu, uint64_t limit, struct dma_range *range)
{
    const struct iova_request want = {
        .nr = range->nr, .limit = limit, .flags = range->aligned ? IOVA_ALIGNED : 0};

    return iova_alloc(s->config.iova, cpu, &want, &range->first);
}

/* What stands without users, or waits for a flush, comes back before it fails. */
int dma_take(struct dma_space *s, uint32_t cpu, uint64_t limit, struct dma_range *range)
{
    int err = s->config.iova ? take(s, cpu, limit, range) : -EINVAL;

    if ((err != -ENOSPC && err != -ENOMEM) || !dma_has_context(s))
        return err;
    (void)dma_standing_drop(s);
    if (s->config.policy == DMA_DEFERRED)
        (void)dma_flush(s);
    return take(s, cpu, limit, range);
}

static uint64_t taken(const struct dma_range *range)
{
    return iova_frames(range->nr, range->aligned ? IOVA_ALIGNED : 0);
}

void dma_give(struct dma_space *s, uint32_t cpu, const struct dma_range *range)
{
    (void)iova_free(s->config.iova, cpu, range->first, taken(range));
}

void dma_lose(struct dma_space *s, const struct dma_range *range)
{
    dma_count(&s->stats.lost, taken(range));
}

int dma_release(struct dma_space *s, uint32_t cpu, const struct dma_range *range)
{
    if (s->config.policy == DMA_DEFERRED)
        return dma_defer(s, cpu, range);
    dma_give(s, cpu, range);
    return 0;
}

/* ---- What is mapped there ------------------------------------------------------------------- */

static void measure(const struct dma_space *s, const struct dma_want *want, struct dma_range *range)
{
    *range = (struct dma_range){.nr = 0};
    for (size_t i = 0; i < want->nr; i++) {
        if (!dma_needs_range(&want->m[i]))
            continue;
        if (!range->nr)
            range->aligned = dma_is_large(s, &want->m[i]);
        range->nr += dma_frames(&want->m[i].buffer);
    }
}

static void set_addresses(const struct dma_want *want, uint64_t first)
{
    for (size_t i = 0; i < want->nr; i++) {
        if (!dma_needs_range(&want->m[i]))
            continue;
        want->m[i].address = dma_address(&want->m[i].buffer, first);
        first += dma_frames(&want->m[i].buffer);
    }
}

/* In a deferred space, what was mapped and undone can be reached until a flush. */
static int fail(struct dma_space *s, uint32_t cpu, struct dma_range *range, bool lost, int err)
{
    if (lost) {
        dma_lose(s, range);
        return -EIO;
    }
    (void)dma_release(s, cpu, range);
    range->nr = 0;
    return err;
}

int dma_enter(struct dma_space *s, uint32_t cpu, const struct dma_want *want,
              struct dma_range *range)
{
    bool lost;
    int err;

    measure(s, want, range);
    err = dma_take(s, cpu, want->limit, range);
    if (err) {
        range->nr = 0;
        return err;
    }
    err = dma_map_frames(s, range->first, want, &lost);
    if (err)
        return fail(s, cpu, range, lost, err);
    set_addresses(want, range->first);
    return 0;
}

int dma_clear(struct dma_space *s, const struct dma_range *range)
{
    const int err = dma_unmap_frames(s, range->first, range->nr);

    if (err)
        dma_lose(s, range);
    return err;
}

int dma_leave(struct dma_space *s, uint32_t cpu, const struct dma_range *range)
{
    const int err = dma_clear(s, range);

    return err ? err : dma_release(s, cpu, range);
}
