/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping and unmapping: the largest pages that fit, and lists where there is a call for them. */
#include "dma_space.h"

#define LIST 128u                 /* frames in a call of map_list: 1 KiB of stack */
#define MOST UINT64_C(0x80000000) /* pages in a call */

/* ---- Sizes ------------------------------------------------------------------------------------
 */

/* The order of the next larger page; 0: there is none. */
static unsigned larger(const struct dma_space *s, unsigned order)
{
    const uint32_t sizes = s->config.features->caps.pgsize_mask >> DMA_PAGE_SHIFT;
    const uint32_t rest = sizes & ~((UINT32_C(2) << order) - 1);

    return rest ? (unsigned)__builtin_ctz(rest) : 0;
}

static bool begins(uint64_t at, unsigned order)
{
    return !(at & ((UINT64_C(1) << order) - 1));
}

/* The largest page for the first of nr frames, and how many of it before a larger one is better. */
static uint64_t pages(const struct dma_space *s, uint64_t gfn, uint64_t dfn, uint64_t nr,
                      unsigned *order)
{
    unsigned next;
    uint64_t before;

    *order = 0;
    for (next = larger(s, 0); next && begins(gfn | dfn, next) && nr >> next; next = larger(s, next))
        *order = next;
    if (!next || !begins(gfn ^ dfn, next))
        return nr >> *order;
    before = -gfn & ((UINT64_C(1) << next) - 1);
    return before < nr && (nr - before) >> next ? before >> *order : nr >> *order;
}

bool dma_is_large(const struct dma_space *s, const struct dma_mapping *m)
{
    const unsigned order = larger(s, 0);
    struct dma_run runs[DMA_RUNS];

    (void)dma_runs(s, m, runs);
    return order && begins(runs[0].gfn, order) && runs[0].nr >> order;
}

/* ---- Maps -------------------------------------------------------------------------------------
 */

struct mapper {
    struct dma_space *s;
    uint64_t first, done;
    uint8_t rights;
    bool list, lost;
    uint32_t nr_listed; /* frames that wait for a call */
    uint64_t listed[LIST];
};

static int map(struct mapper *m, struct hypercall_map *call, unsigned order)
{
    uint32_t held;
    int err;

    call->ctx_no = m->s->ctx_no;
    call->flags = m->rights;
    call->pgsize = DMA_PAGE << order;
    call->dfn = m->first + m->done;
    err = hypercall_map(&m->s->calls, call, &held);
    m->lost |= held;
    if (!err)
        m->done += (uint64_t)call->nr << order;
    return err;
}

static int map_listed(struct mapper *m)
{
    struct hypercall_map call = {.nr = m->nr_listed, .gfns = m->listed};

    if (!m->nr_listed)
        return 0;
    m->nr_listed = 0;
    return map(m, &call, 0);
}

static int map_run(struct mapper *m, const struct dma_run *run)
{
    int err = map_listed(m);

    for (uint64_t at = 0; at < run->nr && !err;) {
        struct hypercall_map call = {.gfn = run->gfn + at};
        unsigned order;
        uint64_t nr = pages(m->s, call.gfn, m->first + m->done, run->nr - at, &order);

        call.nr = (uint32_t)(nr < MOST ? nr : MOST);
        err = map(m, &call, order);
        at += (uint64_t)call.nr << order;
    }
    return err;
}

static int list_run(struct mapper *m, const struct dma_run *run)
{
    int err = m->nr_listed + run->nr > LIST ? map_listed(m) : 0;

    for (uint64_t i = 0; i < run->nr && !err; i++)
        m->listed[m->nr_listed++] = run->gfn + i;
    return err;
}

static int map_one(struct mapper *m, const struct dma_mapping *one)
{
    const uint8_t rights = dma_rights(one->buffer.direction);
    struct dma_run runs[DMA_RUNS];
    const size_t nr = dma_runs(m->s, one, runs);
    int err = rights == m->rights ? 0 : map_listed(m);

    m->rights = rights;
    /* A run that fills a call is as well off in one of its own. */
    for (size_t i = 0; i < nr && !err; i++)
        err = m->list && runs[i].nr < LIST ? list_run(m, &runs[i]) : map_run(m, &runs[i]);
    return err;
}

static int map_all(struct mapper *m, const struct dma_want *want)
{
    int err = 0;

    m->list = (want->nr > 1 || dma_has_slots(&want->m[0])) &&
              m->s->config.features->caps.cap_flags & IOMMUCAP_map_list;
    for (size_t i = 0; i < want->nr && !err; i++)
        if (dma_needs_range(&want->m[i]))
            err = map_one(m, &want->m[i]);
    return err ? err : map_listed(m);
}

int dma_map_frames(struct dma_space *s, uint64_t first, const struct dma_want *want, bool *lost)
{
    struct mapper m;
    int err;

    /* The list is large, and written before it is read. */
    m.s = s;
    m.first = first;
    m.done = 0;
    m.rights = 0;
    m.lost = false;
    m.nr_listed = 0;
    err = map_all(&m, want);
    dma_count(&s->stats.pages_mapped, m.done);
    if (err && m.done && dma_unmap_frames(s, first, m.done))
        m.lost = true;
    *lost = m.lost;
    return err;
}

/* 4K pages: what was mapped with larger ones goes wholly too. */
int dma_unmap_frames(struct dma_space *s, uint64_t first, uint64_t nr)
{
    uint32_t left = 0;
    int err = 0;

    for (uint64_t at = 0; at < nr && !err;) {
        const uint32_t step = (uint32_t)(nr - at < MOST ? nr - at : MOST);

        err = hypercall_unmap(&s->calls, s->ctx_no, first + at, DMA_PAGE, step, &left);
        at += step;
        dma_count(&s->stats.pages_unmapped, step - left);
    }
    return err;
}
