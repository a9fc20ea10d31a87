/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory that is mapped 1:1 in a bus-frame space for ever, with the largest pages that fit. */
#include "dma_space.h"

/* The way through a list of memory, a page of some order at a time. */
struct way {
    struct dma_space *s;
    const struct dma_memory *memory;
    size_t nr, i;
    uint64_t at;    /* frames of memory[i] that are done */
    uint64_t steps; /* pages that are left */
    bool map;
};

static uint64_t frame_of(const struct way *w)
{
    const struct dma_memory *m = &w->memory[w->i];

    return (w->s->config.features->all ? m->frame : m->first) + w->at;
}

static unsigned order_of(const struct way *w)
{
    const struct dma_memory *m = &w->memory[w->i];
    const uint64_t both = (m->first + w->at) | frame_of(w), left = m->nr - w->at;
    unsigned order = 0;

    while (order < w->s->config.features->order && !(both >> order & 1) && left >> (order + 1))
        order++;
    return order;
}

static void fill(const struct way *w, unsigned order, struct pv_iommu_op *op)
{
    const uint64_t bfn = w->memory[w->i].first + w->at;
    /* All machine frames may be named only by who is trusted with them: none is to be held. */
    const unsigned held = w->s->config.features->all ? IOMMU_MAP_OP_no_ref_cnt : 0;
    const unsigned rights = IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable;

    *op = (struct pv_iommu_op){.flags = IOMMU_page_order(order)};
    if (!w->map) {
        op->subop_id = IOMMUOP_unmap_page;
        op->u.unmap_page.bfn = bfn;
        return;
    }
    op->subop_id = IOMMUOP_map_page;
    op->flags |= (uint16_t)(rights | held);
    op->u.map_page.bfn = bfn;
    op->u.map_page.gfn = frame_of(w);
}

/* False: it is at its end. */
static bool next(struct way *w, struct pv_iommu_op *op)
{
    unsigned order;

    while (w->i < w->nr && w->at == w->memory[w->i].nr) {
        w->i++;
        w->at = 0;
    }
    if (w->i == w->nr || !w->steps)
        return false;
    order = order_of(w);
    fill(w, order, op);
    w->at += UINT64_C(1) << order;
    w->steps--;
    return true;
}

static unsigned next_batch(struct way *w, struct pv_iommu_op *ops)
{
    unsigned n = 0;

    while (n < HYPERCALL_BATCH && next(w, &ops[n]))
        n++;
    return n;
}

static int first_error(const struct pv_iommu_op *ops, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        if (ops[i].status)
            return ops[i].status;
    return 0;
}

/* Those that were done, or of which that is not known. */
static unsigned turn(struct pv_iommu_op *ops, unsigned nr)
{
    unsigned n = 0;

    for (unsigned i = 0; i < nr; i++)
        if (!ops[i].status || ops[i].status == -ENODATA)
            ops[n++] = (struct pv_iommu_op){.subop_id = IOMMUOP_unmap_page,
                                            .flags = ops[i].flags & IOMMU_page_order_mask,
                                            .u.unmap_page = {ops[i].u.map_page.bfn}};
    return n;
}

/* *steps: pages of the batches that were done wholly; of another one, none. */
static int map(struct way *w, uint64_t *steps)
{
    struct pv_iommu_op ops[HYPERCALL_BATCH];
    int err = 0, status;
    unsigned nr;

    for (*steps = 0; (nr = next_batch(w, ops)) > 0; *steps += nr) {
        err = hypercall_frames(&w->s->calls, ops, nr);
        status = first_error(ops, nr);
        if (!err && !status)
            continue;
        nr = turn(ops, nr);
        if (nr)
            (void)hypercall_frames(&w->s->calls, ops, nr);
        return err ? err : status;
    }
    return 0;
}

/* All are tried. */
static int unmap(struct way *w)
{
    struct pv_iommu_op ops[HYPERCALL_BATCH];
    int err = 0, status;
    unsigned nr;

    while ((nr = next_batch(w, ops)) > 0) {
        status = hypercall_frames(&w->s->calls, ops, nr);
        if (!status)
            status = first_error(ops, nr);
        err = err ? err : status;
    }
    return err;
}

static bool has_sense(const struct dma_space *s, const struct dma_memory *memory, size_t nr)
{
    if (s->config.policy != DMA_PREMAPPED)
        return false;
    for (size_t i = 0; i < nr; i++)
        if (memory[i].nr > IOVA_FRAMES || memory[i].first > IOVA_FRAMES - memory[i].nr ||
            memory[i].frame > IOVA_FRAMES - memory[i].nr)
            return false;
    return true;
}

static uint64_t frames(const struct dma_memory *memory, size_t nr)
{
    uint64_t all = 0;

    for (size_t i = 0; i < nr; i++)
        all += memory[i].nr;
    return all;
}

int dma_premap(struct dma_space *s, const struct dma_memory *memory, size_t nr)
{
    struct way w = {.s = s, .memory = memory, .nr = nr, .steps = UINT64_MAX, .map = true};
    uint64_t steps;
    int err;

    if (!has_sense(s, memory, nr))
        return -EINVAL;
    err = map(&w, &steps);
    if (!err) {
        dma_count(&s->stats.pages_mapped, frames(memory, nr));
        return 0;
    }
    w = (struct way){.s = s, .memory = memory, .nr = nr, .steps = steps};
    (void)unmap(&w);
    return err;
}

int dma_unpremap(struct dma_space *s, const struct dma_memory *memory, size_t nr)
{
    struct way w = {.s = s, .memory = memory, .nr = nr, .steps = UINT64_MAX};
    const int err = has_sense(s, memory, nr) ? unmap(&w) : -EINVAL;

    if (!err)
        dma_count(&s->stats.pages_unmapped, frames(memory, nr));
    return err;
}
