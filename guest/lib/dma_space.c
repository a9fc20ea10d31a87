/* SPDX-License-Identifier: BSD-2-Clause */
#include "dma_space.h"

#define RANGES 32u /* reserved ones of a device */

/* ---- Beginning and end ------------------------------------------------------------------------
 */

static bool is_within_reach(const struct dma_space_config *c)
{
    return !c->iova || c->iova->config.last <= c->features->caps.max_iova_addr >> DMA_PAGE_SHIFT;
}

static int check_context(const struct dma_space_config *c)
{
    const struct pv_iommu_capabilities *caps = &c->features->caps;

    if (!c->features->contexts || !(caps->pgsize_mask & DMA_PAGE))
        return -EOPNOTSUPP;
    if (c->policy == DMA_DEFERRED && !(caps->cap_flags & IOMMUCAP_deferred))
        return -EOPNOTSUPP;
    return is_within_reach(c) ? 0 : -EINVAL;
}

static int check(const struct dma_space_config *c)
{
    if (!c->host || !c->features || !c->host->lock || !c->host->unlock)
        return -EINVAL;
    switch (c->policy) {
    case DMA_STRICT:
    case DMA_DEFERRED:
        return check_context(c);
    case DMA_PREMAPPED:
        return c->features->frames && c->features->choose ? 0 : -EOPNOTSUPP;
    case DMA_DIRECT:
        return 0;
    default:
        return -EINVAL;
    }
}

static int init_parts(struct dma_space *s)
{
    int err = dma_queue_init(s);

    if (!err)
        err = dma_standing_init(s);
    return err ? err : dma_lookup_init(s);
}

static int alloc_context(struct dma_space *s)
{
    const uint32_t flags = s->config.policy == DMA_DEFERRED ? IOMMU_ALLOC_deferred : 0;

    return dma_has_context(s) ? hypercall_alloc_context(&s->calls, flags, &s->ctx_no) : 0;
}

static int free_context(struct dma_space *s)
{
    return dma_has_context(s) ? hypercall_free_context(&s->calls, s->ctx_no, 0) : 0;
}

int dma_space_init(struct dma_space *s, const struct dma_space_config *config)
{
    int err = check(config);

    if (err)
        return err;
    *s = (struct dma_space){.config = *config, .calls.host = &config->host->call};
    err = init_parts(s);
    if (!err)
        err = alloc_context(s);
    if (err)
        return err;
    err = dma_pool_init(s);
    if (err)
        (void)free_context(s);
    return err;
}

/* In the order that what is mapped ends before its context. */
int dma_space_end(struct dma_space *s)
{
    int (*const steps[])(struct dma_space *) = {dma_standing_drop, dma_pool_end, dma_flush,
                                                free_context};
    int err = 0, one;

    if (__atomic_load_n(&s->stats.live, __ATOMIC_RELAXED))
        return -EBUSY;
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++) {
        one = steps[i](s);
        err = err ? err : one;
    }
    return err;
}

/* ---- Devices ----------------------------------------------------------------------------------
 */

/* Ranges that are relaxable are mapped for the host's own use, not in a guest's context. */
static int reserve(struct iova_space *iova, const struct pv_iommu_range *ranges, uint32_t nr)
{
    int err = 0;

    for (uint32_t i = 0; i < nr && !err; i++) {
        const struct iova_reserved r = {ranges[i].first >> DMA_PAGE_SHIFT,
                                        ranges[i].last >> DMA_PAGE_SHIFT};

        if (ranges[i].type != IOMMU_RANGE_direct_relaxable)
            err = iova_reserve(iova, &r, 1);
    }
    return err;
}

static int reserve_all(struct dma_device *d)
{
    struct dma_space *s = d->space;
    struct pv_iommu_range ranges[RANGES];
    uint32_t nr = RANGES;
    int err;

    if (!s->config.iova || !(s->config.features->caps.cap_flags & IOMMUCAP_query_reserved))
        return 0;
    err = hypercall_reserved(&s->calls, d->dev, ranges, &nr);
    return err ? err : reserve(s->config.iova, ranges, nr);
}

int dma_attach(struct dma_device *d)
{
    const struct dma_space *s = d->space;
    int err;

    if (!dma_has_context(s) || !d->protected || (d->untrusted && s->config.policy != DMA_STRICT))
        return -EINVAL;
    err = reserve_all(d);
    return err ? err : hypercall_reattach(&d->space->calls, s->ctx_no, d->dev);
}

int dma_detach(struct dma_device *d)
{
    return hypercall_reattach(&d->space->calls, IOMMU_DEFAULT_CONTEXT, d->dev);
}

/* ---- Counts -----------------------------------------------------------------------------------
 */

static uint64_t read(const uint64_t *count)
{
    return __atomic_load_n(count, __ATOMIC_RELAXED);
}

static void raise(uint64_t *most, uint64_t to)
{
    uint64_t now = read(most);

    while (now < to &&
           !__atomic_compare_exchange_n(most, &now, to, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

void dma_begun(struct dma_space *s, uint64_t nr)
{
    dma_count(&s->stats.maps, nr);
    raise(&s->stats.peak, __atomic_add_fetch(&s->stats.live, nr, __ATOMIC_RELAXED));
}

void dma_ended(struct dma_space *s, uint64_t nr)
{
    dma_count(&s->stats.unmaps, nr);
    dma_count(&s->stats.live, -nr);
}

static void read_locked(struct dma_space *s, struct dma_stats *out)
{
    dma_lock(s);
    out->standing = s->standing.pages;
    out->queued = s->queue.nr;
    dma_unlock(s);
}

void dma_stats(struct dma_space *s, struct dma_stats *out)
{
    const struct dma_stats *n = &s->stats;

    *out = (struct dma_stats){.hypercalls = read(&s->calls.made),
                              .maps = read(&n->maps),
                              .unmaps = read(&n->unmaps),
                              .pages_mapped = read(&n->pages_mapped),
                              .pages_unmapped = read(&n->pages_unmapped),
                              .flushes = read(&n->flushes),
                              .bounced = read(&n->bounced),
                              .live = read(&n->live),
                              .peak = read(&n->peak),
                              .hits = read(&n->hits),
                              .misses = read(&n->misses),
                              .lost = read(&n->lost)};
    read_locked(s, out);
}
