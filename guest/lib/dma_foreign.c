/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages of other domains, mapped in the window of a bus-frame space for a transfer. */
#include "dma_space.h"

static void fill_map(const struct dma_space *s, const struct dma_mapping *m, uint64_t i,
                     struct pv_iommu_op *op)
{
    *op = (struct pv_iommu_op){.subop_id = IOMMUOP_map_foreign_page,
                               .flags = dma_rights(m->buffer.direction),
                               .u.map_foreign_page = {.bfn = m->range.first + i,
                                                      .gfn = m->buffer.gfn + i,
                                                      .domid = m->buffer.domain,
                                                      .ioserver = s->config.server}};
}

static void fill_unmap(const struct dma_space *s, const struct dma_mapping *m, uint64_t i,
                       struct pv_iommu_op *op)
{
    *op = (struct pv_iommu_op){
        .subop_id = IOMMUOP_unmap_foreign_page,
        .u.unmap_foreign_page = {.bfn = m->range.first + i, .ioserver = s->config.server}};
}

static unsigned batch(uint64_t left)
{
    return (unsigned)(left < HYPERCALL_BATCH ? left : HYPERCALL_BATCH);
}

/* The first that is wrong. tolerate: that there was nothing is not. */
static int judge(const struct pv_iommu_op *ops, unsigned nr, int tolerate)
{
    for (unsigned i = 0; i < nr; i++)
        if (ops[i].status && ops[i].status != tolerate)
            return ops[i].status;
    return 0;
}

/* An error: some may be mapped. All are tried. */
static int unmap(struct dma_space *s, const struct dma_mapping *m, uint64_t nr, int tolerate)
{
    struct pv_iommu_op ops[HYPERCALL_BATCH];
    unsigned some;
    int err = 0;

    for (uint64_t at = 0; at < nr; at += some) {
        int one;

        some = batch(nr - at);
        for (unsigned i = 0; i < some; i++)
            fill_unmap(s, m, at + i, &ops[i]);
        (void)hypercall_frames(&s->calls, ops, some);
        one = judge(ops, some, tolerate);
        err = err ? err : one;
    }
    dma_count(&s->stats.pages_unmapped, nr);
    return err;
}

/* *tried: elements that were asked for. Bus frames are ours alone, so one without an answer may be
 * unmapped whatever it did. */
static int map(struct dma_space *s, const struct dma_mapping *m, uint64_t *tried)
{
    struct pv_iommu_op ops[HYPERCALL_BATCH];
    int err = 0, status;
    unsigned some;

    for (*tried = 0; *tried < m->range.nr && !err; *tried += some) {
        some = batch(m->range.nr - *tried);
        for (unsigned i = 0; i < some; i++)
            fill_map(s, m, *tried + i, &ops[i]);
        err = hypercall_frames(&s->calls, ops, some);
        status = judge(ops, some, 0);
        err = err ? err : status;
    }
    dma_count(&s->stats.pages_mapped, *tried);
    return err;
}

static int map_or_undo(struct dma_space *s, uint32_t cpu, struct dma_mapping *m)
{
    uint64_t tried;
    const int err = map(s, m, &tried);

    if (!err)
        return 0;
    if (unmap(s, m, tried, -ENOENT))
        dma_lose(s, &m->range);
    else
        dma_give(s, cpu, &m->range);
    return err;
}

int dma_map_foreign(struct dma_space *s, uint32_t cpu, uint64_t mask, struct dma_mapping *m)
{
    int err;

    m->range = (struct dma_range){.nr = dma_frames(&m->buffer)};
    err = dma_take(s, cpu, dma_limit(mask), &m->range);
    if (!err)
        err = map_or_undo(s, cpu, m);
    if (!err)
        m->address = dma_address(&m->buffer, m->range.first);
    return err;
}

int dma_unmap_foreign(struct dma_space *s, uint32_t cpu, struct dma_mapping *m)
{
    const int err = unmap(s, m, m->range.nr, 0);

    if (err)
        dma_lose(s, &m->range);
    else
        dma_give(s, cpu, &m->range);
    return err;
}
