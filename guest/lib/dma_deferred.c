/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges that were unmapped in a deferred space wait here for the flush that ends the device's
 * reach. A flush covers what was unmapped before it began, so of the queue, what was in it then.
 * One processor at a time takes ranges out; others go on putting them in.
 */
#include "dma_space.h"

#define STEP 16u /* ranges that are taken out with the lock held */

int dma_queue_init(struct dma_space *s)
{
    const struct dma_queue_config *c = &s->config.queue;

    if (s->config.policy != DMA_DEFERRED)
        return 0;
    return c->ranges && c->nr_ranges && s->config.host->now ? 0 : -EINVAL;
}

static uint64_t now(const struct dma_space *s)
{
    return s->config.host->now(s->config.host->arg);
}

/* The lock is held in the next four. */

static void put(struct dma_space *s, const struct dma_range *range)
{
    struct dma_queue *q = &s->queue;
    const uint32_t size = s->config.queue.nr_ranges;

    if (!q->nr)
        q->oldest = now(s);
    s->config.queue.ranges[((uint64_t)q->head + q->nr) % size] = *range;
    q->nr++;
    q->pages += range->nr;
}

static void get(struct dma_space *s, struct dma_range *range)
{
    struct dma_queue *q = &s->queue;

    *range = s->config.queue.ranges[q->head];
    q->head = (q->head + 1) % s->config.queue.nr_ranges;
    q->nr--;
    q->pages -= range->nr;
}

static bool is_old(const struct dma_space *s)
{
    return s->queue.nr && now(s) - s->queue.oldest >= s->config.queue.max_us;
}

static bool is_due(const struct dma_space *s)
{
    return s->queue.nr >= s->config.queue.nr_ranges ||
           s->queue.pages >= s->config.queue.max_pages || is_old(s);
}

/* They come out for good. Nobody else takes any meanwhile. */
static void drain(struct dma_space *s, uint32_t cpu, uint32_t nr)
{
    struct dma_range step[STEP];
    uint32_t some;

    for (uint32_t at = 0; at < nr; at += some) {
        some = nr - at < STEP ? nr - at : STEP;
        dma_lock(s);
        for (uint32_t i = 0; i < some; i++)
            get(s, &step[i]);
        dma_unlock(s);
        for (uint32_t i = 0; i < some; i++)
            dma_give(s, cpu, &step[i]);
    }
}

static int call(struct dma_space *s)
{
    dma_count(&s->stats.flushes, 1);
    return hypercall_flush(&s->calls, s->ctx_no);
}

/* False: another processor is at it. *nr: how many it will be for. */
static bool begin(struct dma_space *s, uint32_t *nr, uint64_t *when)
{
    bool mine;

    dma_lock(s);
    mine = !s->queue.flushing;
    s->queue.flushing = true;
    *nr = s->queue.nr;
    *when = now(s);
    dma_unlock(s);
    return mine;
}

/* What is left came after the flush began. After an error all of it stays, for another one. */
static void end(struct dma_space *s, uint64_t when)
{
    dma_lock(s);
    s->queue.oldest = when;
    s->queue.flushing = false;
    dma_unlock(s);
}

static int flush(struct dma_space *s, uint32_t cpu, bool always)
{
    uint32_t nr;
    uint64_t when;
    const bool mine = begin(s, &nr, &when);
    int err = 0;

    if (mine || always)
        err = call(s);
    if (!mine)
        return err;
    if (!err)
        drain(s, cpu, nr);
    end(s, when);
    return err;
}

/* There was no room, since another processor is flushing, or flushes failed. */
static int flush_one(struct dma_space *s, uint32_t cpu, const struct dma_range *range)
{
    const int err = flush(s, cpu, true);

    if (err)
        dma_lose(s, range);
    else
        dma_give(s, cpu, range);
    return err;
}

int dma_defer(struct dma_space *s, uint32_t cpu, const struct dma_range *range)
{
    bool room, due;

    dma_lock(s);
    room = s->queue.nr < s->config.queue.nr_ranges;
    if (room)
        put(s, range);
    due = is_due(s) && !s->queue.flushing;
    dma_unlock(s);
    if (!room)
        return flush_one(s, cpu, range);
    return due ? flush(s, cpu, false) : 0;
}

int dma_flush(struct dma_space *s)
{
    return s->config.policy == DMA_DEFERRED ? flush(s, DMA_NO_CPU, true) : 0;
}

int dma_tick(struct dma_space *s)
{
    bool old;

    if (s->config.policy != DMA_DEFERRED)
        return 0;
    dma_lock(s);
    old = is_old(s);
    dma_unlock(s);
    return old ? flush(s, DMA_NO_CPU, false) : 0;
}
