/* SPDX-License-Identifier: BSD-2-Clause */
/* The pool's slots: one a page. */
#include "dma_space.h"

static bool has_sense(const struct dma_space *s)
{
    const struct dma_pool *p = s->config.pool;

    return p->nr && p->nr != DMA_NO_SLOT && p->used && s->config.host->copy &&
           p->gfn <= IOVA_FRAMES - p->nr;
}

/* What was in them before is not for the device. */
static int clear(const struct dma_space *s)
{
    const struct dma_host *h = s->config.host;
    struct dma_place page = {.gfn = s->config.pool->gfn, .domain = DOMID_SELF};
    int err = 0;

    for (uint32_t i = 0; i < s->config.pool->nr && !err; i++, page.gfn++)
        err = h->copy(h->arg, &page, NULL, DMA_PAGE);
    return err;
}

/* As low as may be: it is there for devices that do not reach far. */
static int map(struct dma_space *s)
{
    struct dma_pool *p = s->config.pool;
    struct dma_mapping m = dma_of_frames(p->gfn, p->nr, DMA_BOTH);
    const struct dma_want want = {
        .m = &m, .nr = 1, .limit = s->config.iova ? s->config.iova->config.last_low : 0};

    const int err = clear(s);

    return err ? err : dma_enter(s, DMA_NO_CPU, &want, &p->range);
}

int dma_pool_init(struct dma_space *s)
{
    struct dma_pool *p = s->config.pool;

    if (!p)
        return 0;
    if (!has_sense(s))
        return -EINVAL;
    for (uint32_t i = 0; i < p->nr; i++)
        p->used[i] = 0;
    p->next = 0;
    p->range = (struct dma_range){.first = p->gfn};
    return dma_has_context(s) ? map(s) : 0;
}

int dma_pool_end(struct dma_space *s)
{
    const struct dma_pool *p = s->config.pool;

    return p && p->range.nr ? dma_leave(s, DMA_NO_CPU, &p->range) : 0;
}

/* What the device says for the pool's first frame. */
static bool find(const struct dma_device *d, uint64_t *first)
{
    const struct dma_space *s = d->space;
    const struct dma_pool *p = s->config.pool;

    *first = d->protected ? p->range.first : p->gfn;
    if (!d->protected)
        return p->direct_mapped;
    return s->config.policy != DMA_DIRECT || dma_is_identity(s);
}

bool dma_pool_serves(const struct dma_device *d)
{
    const struct dma_pool *p = d->space->config.pool;
    uint64_t first;

    return p && find(d, &first) && first + p->nr - 1 <= dma_limit(d->mask);
}

/* How many free ones there are from there on, up to nr. */
static uint32_t free_from(const struct dma_pool *p, uint32_t at, uint32_t nr)
{
    uint32_t n = 0;

    while (n < nr && at + n < p->nr && !p->used[at + n])
        n++;
    return n;
}

static uint32_t search(const struct dma_pool *p, uint32_t from, uint32_t to, uint32_t nr)
{
    uint32_t n;

    for (uint32_t at = from; at < to; at += n + 1) {
        n = free_from(p, at, nr);
        if (n == nr)
            return at;
    }
    return DMA_NO_SLOT;
}

static uint32_t take(struct dma_pool *p, uint32_t nr)
{
    uint32_t at = search(p, p->next, p->nr, nr);

    if (at == DMA_NO_SLOT)
        at = search(p, 0, p->next, nr);
    if (at == DMA_NO_SLOT)
        return at;
    for (uint32_t i = 0; i < nr; i++)
        p->used[at + i] = 1;
    p->next = at + nr;
    return at;
}

uint32_t dma_slot_take(struct dma_space *s, uint64_t nr)
{
    uint32_t at;

    if (nr > s->config.pool->nr)
        return DMA_NO_SLOT;
    dma_lock(s);
    at = take(s->config.pool, (uint32_t)nr);
    dma_unlock(s);
    return at;
}

void dma_slot_free(struct dma_space *s, uint32_t slot, uint64_t nr)
{
    dma_lock(s);
    for (uint64_t i = 0; i < nr; i++)
        s->config.pool->used[slot + i] = 0;
    dma_unlock(s);
}
