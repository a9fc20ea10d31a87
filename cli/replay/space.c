/* SPDX-License-Identifier: BSD-2-Clause */
#include "space.h"

#include "../scenario/alloc.h"

#include <stdlib.h>
#include <string.h>

#define SLACK      8192u /* ranges beside those of the trace: kept, queued, standing */
#define LEAST_MASK UINT64_C(0xffffffff)

static void lock(void *arg)
{
    (void)arg;
}

static uint32_t power_of_two(uint32_t least)
{
    uint32_t n = 1;

    while (n < least)
        n *= 2;
    return n;
}

/* All ones, up to the highest address of the trace at least. */
static uint64_t mask_of(const struct trace_space *t)
{
    uint64_t mask = LEAST_MASK;

    while (mask < t->highest)
        mask = mask * 2 + 1;
    return mask;
}

static int init_iova(struct replay_space *s, const struct trace_space *t)
{
    struct iova_config *c = &s->iova_config;
    const uint32_t nr = (uint32_t)(t->peak > UINT32_MAX / 4 ? UINT32_MAX / 2 : t->peak * 2) + SLACK;

    s->iova_host = (struct iova_host){.lock = lock, .unlock = lock};
    *c = (struct iova_config){
        .host = &s->iova_host,
        .first = 1,
        .last = mask_of(t) / LINE_PAGE,
        .ranges = xcalloc(nr, sizeof(*c->ranges)),
        .nr_ranges = nr,
        .nr_buckets = power_of_two(nr),
        .nr_cpus = 1,
    };
    c->blocks = aligned_alloc(64, (size_t)IOVA_BLOCKS(nr) * sizeof(*c->blocks));
    c->slots = aligned_alloc(64, (size_t)IOVA_BLOCKS(nr) * sizeof(*c->slots));
    c->buckets = xcalloc(c->nr_buckets, sizeof(*c->buckets));
    c->cpus = aligned_alloc(64, sizeof(*c->cpus));
    if (!c->blocks || !c->slots || !c->cpus)
        return -ENOMEM;
    memset(c->cpus, 0, sizeof(*c->cpus));
    return iova_init(&s->iova, c);
}

static void give_standing(struct dma_standing_config *c, unsigned order)
{
    *c = (struct dma_standing_config){
        .nr = SLACK / 2,
        .nr_buckets = SLACK / 2,
        .max_pages = SPACE_STANDING,
        .order = order,
        .both = true,
    };
    c->standers = xcalloc(c->nr, sizeof(*c->standers));
    c->buckets = xcalloc(c->nr_buckets, sizeof(*c->buckets));
}

static void configure(struct replay_space *s, const struct space_setup *setup)
{
    s->config = (struct dma_space_config){
        .host = &setup->guest->host,
        .features = &setup->guest->features,
        .policy = setup->policy,
        .iova = &s->iova,
        .queue = {.nr_ranges = SPACE_QUEUE,
                  .max_pages = SPACE_QUEUE_PAGES,
                  .max_us = SPACE_QUEUE_US},
        .server = IOSERVID_any,
    };
    s->config.queue.ranges = xcalloc(SPACE_QUEUE, sizeof(*s->config.queue.ranges));
    if (setup->standing)
        give_standing(&s->config.standing, setup->order);
}

int replay_space_open(struct replay_space *s, const struct space_setup *setup)
{
    int err = init_iova(s, setup->trace);

    configure(s, setup);
    if (!err)
        err = dma_space_init(&s->dma, &s->config);
    s->open = !err;
    return err;
}

int replay_space_end(struct replay_space *s)
{
    s->open = false;
    return dma_space_end(&s->dma);
}

void replay_space_free(struct replay_space *s)
{
    free(s->iova_config.ranges);
    free(s->iova_config.blocks);
    free(s->iova_config.slots);
    free(s->iova_config.buckets);
    free(s->iova_config.cpus);
    free(s->config.queue.ranges);
    free(s->config.standing.standers);
    free(s->config.standing.buckets);
}

int replay_space_reserve(struct replay_space *s, uint64_t iova, uint64_t size)
{
    const struct iova_reserved range = {iova / LINE_PAGE, (iova + size - 1) / LINE_PAGE};

    return iova_reserve(&s->iova, &range, 1);
}

enum dma_direction replay_space_direction(unsigned prot)
{
    const bool reads = prot & LINE_READ, writes = prot & LINE_WRITE;

    if (reads && writes)
        return DMA_BOTH;
    return reads ? DMA_TO_DEVICE : DMA_FROM_DEVICE;
}

/* ---- At addresses of the trace -----------------------------------------------------------------
 */

static bool is_unmapped(const struct replay_space *s, uint64_t first, uint64_t last)
{
    for (uint32_t i = 0; i < s->nr_unmapped; i++)
        if (s->unmapped[i].first <= last && s->unmapped[i].last >= first)
            return true;
    return false;
}

static int flush(struct replay_space *s)
{
    s->nr_unmapped = 0;
    return dma_flush(&s->dma);
}

int replay_space_map_at(struct replay_space *s, uint64_t iova, uint64_t gfn, uint64_t size,
                        unsigned prot)
{
    const int err = is_unmapped(s, iova, iova + size - 1) ? flush(s) : 0;

    return err ? err
               : dma_map_at(&s->dma, iova, gfn, size / LINE_PAGE, replay_space_direction(prot));
}

int replay_space_unmap_at(struct replay_space *s, uint64_t iova, uint64_t size)
{
    int err = dma_unmap_at(&s->dma, iova, size / LINE_PAGE);

    if (err || s->config.policy != DMA_DEFERRED)
        return err;
    if (s->nr_unmapped == SPACE_QUEUE)
        err = flush(s);
    s->unmapped[s->nr_unmapped++] = (struct space_range){iova, iova + size - 1};
    return err;
}
