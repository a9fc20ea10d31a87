/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists, of which a buffer is the shortest. First each one's way is decided, then those that go
 * ways of their own go them, and last those that are mapped together are: so there is one thing
 * left to undo at each point.
 */
#include "dma_space.h"

static int prepare(struct dma_device *d, const struct dma_buffer *buffers, struct dma_mapping *m,
                   size_t nr)
{
    int err = 0;
    size_t i;

    for (i = 0; i < nr && !err; i++)
        err = dma_prepare(d, &buffers[i], &m[i]);
    if (err)
        for (i--; i-- > 0;)
            dma_unprepare(d, &m[i]);
    return err;
}

/* What is mapped for good, if it may be, needs no range any more. */
static int go(struct dma_device *d, uint32_t cpu, struct dma_mapping *m)
{
    if (!dma_needs_range(m))
        return dma_go(d, cpu, m);
    if (!d->untrusted && dma_stand_new(d->space, cpu, d->mask, m))
        m->route = DMA_ROUTE_STANDING;
    return 0;
}

/* The first `gone` went. Of what is mapped together, nothing is: but, if it is lost, its slots. */
static void undo(struct dma_device *d, uint32_t cpu, struct dma_mapping *m, size_t gone, size_t nr,
                 bool lost)
{
    for (size_t i = 0; i < nr; i++) {
        if (i < gone && !dma_needs_range(&m[i]))
            (void)dma_return(d, cpu, &m[i]);
        else if (!lost)
            dma_unprepare(d, &m[i]);
    }
}

static int go_all(struct dma_device *d, uint32_t cpu, struct dma_mapping *m, size_t nr)
{
    int err = 0;
    size_t i;

    for (i = 0; i < nr && !err; i++)
        err = go(d, cpu, &m[i]);
    if (err)
        undo(d, cpu, m, i - 1, nr, false);
    return err;
}

static struct dma_mapping *first_ranged(struct dma_mapping *m, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        if (dma_needs_range(&m[i]))
            return &m[i];
    return NULL;
}

static int enter_all(struct dma_device *d, uint32_t cpu, struct dma_mapping *m, size_t nr)
{
    const struct dma_want want = {.m = m, .nr = nr, .limit = dma_limit(d->mask)};
    struct dma_mapping *first = first_ranged(m, nr);
    int err = first ? dma_enter(d->space, cpu, &want, &first->range) : 0;

    if (err)
        undo(d, cpu, m, nr, nr, first->range.nr);
    return err;
}

int dma_map_list(struct dma_device *d, uint32_t cpu, const struct dma_buffer *buffers,
                 struct dma_mapping *m, size_t nr)
{
    int err = nr ? prepare(d, buffers, m, nr) : -EINVAL;

    if (!err)
        err = go_all(d, cpu, m, nr);
    if (!err)
        err = enter_all(d, cpu, m, nr);
    if (!err)
        dma_begun(d->space, nr);
    return err;
}

int dma_unmap_list(struct dma_device *d, uint32_t cpu, struct dma_mapping *m, size_t nr)
{
    const struct dma_mapping *first = first_ranged(m, nr);
    const int left = first ? dma_leave(d->space, cpu, &first->range) : 0;
    int err = left, one;

    for (size_t i = 0; i < nr; i++) {
        one =
            dma_needs_range(&m[i]) ? dma_finish(d->space, &m[i], left) : dma_return(d, cpu, &m[i]);
        err = err ? err : one;
    }
    dma_ended(d->space, nr);
    return err;
}
