/* SPDX-License-Identifier: BSD-2-Clause */
/* A trace by hypercalls: through the DMA layer, which flushes by the policy. */
#include "replay.h"

/* ---- Before ------------------------------------------------------------------------------------
 */

static enum dma_policy dma_policy_of(const struct replay *r)
{
    return r->config->policy == REPLAY_STRICT ? DMA_STRICT : DMA_DEFERRED;
}

static uint64_t no_memory(const struct trace *t)
{
    (void)t;
    return 0;
}

static int open_spaces(struct replay *r)
{
    int err = guest_discover(&r->guest);

    for (uint32_t i = 0; i < r->t->nr_spaces && !err; i++) {
        const struct space_setup setup = {.guest = &r->guest,
                                          .trace = &r->t->spaces[i],
                                          .policy = dma_policy_of(r),
                                          .standing = r->config->policy == REPLAY_STANDING,
                                          .order = r->config->order};

        err = replay_space_open(&r->spaces[i], &setup);
    }
    return err;
}

/* The allocator gives nothing that the trace has at fixed addresses. */
static int reserve_fixed(struct replay *r)
{
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_ops && !err; i++) {
        const struct trace_op *op = &r->t->ops[i];
        const struct trace_map *m = op->kind == TRACE_MAP ? &r->t->maps[op->index] : NULL;

        if (m && m->fixed && !r->t->spaces[op->space].managed)
            err = replay_space_reserve(&r->spaces[op->space], m->iova, m->size);
    }
    return err;
}

/* ---- The operations ----------------------------------------------------------------------------
 */

static int replay_attach(struct replay *r, const struct trace_op *op)
{
    struct replay_space *s = &r->spaces[op->space];
    struct dma_device *dev = &r->devices[op->index];

    *dev = (struct dma_device){.space = &s->dma,
                               .dev = guest_device(op->index),
                               .mask = s->iova_config.last * LINE_PAGE + (LINE_PAGE - 1),
                               .protected = true};
    if (!s->has_device)
        s->device = *dev;
    s->has_device = true;
    return dma_attach(dev);
}

/* Devices that are there go where devices begin. */
static int replay_end(struct replay *r, const struct trace_op *op)
{
    struct replay_space *s = &r->spaces[op->space];
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_devices && !err; i++)
        if (r->devices[i].space == &s->dma) {
            err = dma_detach(&r->devices[i]);
            r->devices[i].space = NULL;
        }
    return err ? err : replay_space_end(s);
}

static int play_op(struct replay *r, uint32_t i)
{
    const struct trace_op *op = &r->t->ops[i];

    switch (op->kind) {
    case TRACE_MAP:
        return replay_map(r, op);
    case TRACE_UNMAP:
        return replay_unmap(r, op);
    case TRACE_INVALIDATE: /* the traced driver's, not this one's */
        return 0;
    case TRACE_ATTACH:
        return replay_attach(r, op);
    default:
        return replay_end(r, op);
    }
}

/* ---- After -------------------------------------------------------------------------------------
 */

static void add_stats(struct replay *r)
{
    for (uint32_t i = 0; i < r->t->nr_spaces; i++) {
        struct dma_stats s;

        dma_stats(&r->spaces[i].dma, &s);
        r->dma.maps += s.maps;
        r->dma.unmaps += s.unmaps;
        r->dma.flushes += s.flushes;
        r->dma.hits += s.hits;
        r->dma.misses += s.misses;
        r->dma.standing += s.standing;
        r->dma.lost += s.lost;
    }
}

/* Then nothing that was unmapped is mapped. */
static int flush(struct replay *r)
{
    int err = 0;

    for (uint32_t i = 0; i < r->t->nr_spaces && !err; i++)
        if (r->spaces[i].open)
            err = dma_flush(&r->spaces[i].dma);
    add_stats(r);
    return err;
}

static int open_all(struct replay *r)
{
    const int err = open_spaces(r);

    return err ? err : reserve_fixed(r);
}

static void free_nothing(struct replay *r)
{
    (void)r;
}

const struct replay_way replay_by_hypercalls = {
    .memory = no_memory,
    .open = open_all,
    .play = play_op,
    .flush = flush,
    .final = replay_final,
    .finish = replay_finish,
    .free = free_nothing,
};
