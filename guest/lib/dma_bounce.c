/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copying through the pool. A slot is written wholly before a device is told of it, with what the
 * buffer has and zeros around it: what was in it before is nobody's business, and of a buffer that
 * the device fills only a part of, the rest comes back as it was.
 */
#include "dma_space.h"

/* Bytes [first, last) of the buffer's pages, counted from the begin of its first page. */
struct piece {
    uint64_t first, last;
    bool back; /* from the slot to the buffer */
};

static uint32_t slot_of(const struct dma_mapping *m, uint64_t page)
{
    if (m->route == DMA_ROUTE_BOUNCE)
        return m->slot[0] + (uint32_t)page;
    if (!page)
        return m->slot[0];
    return page == dma_frames(&m->buffer) - 1 ? m->slot[1] : DMA_NO_SLOT;
}

/* Of a buffer that is mapped, only the ends may have slots. */
static uint64_t next_page(const struct dma_mapping *m, uint64_t page)
{
    const uint64_t last = dma_frames(&m->buffer) - 1;

    return m->route != DMA_ROUTE_BOUNCE && page < last ? last : page + 1;
}

static int copy_page(struct dma_space *s, const struct dma_mapping *m, uint64_t page,
                     const struct piece *all)
{
    const uint64_t begin = page << DMA_PAGE_SHIFT, end = begin + DMA_PAGE;
    const uint64_t first = all->first > begin ? all->first : begin;
    const uint64_t last = all->last < end ? all->last : end;
    const uint32_t slot = slot_of(m, page), offset = (uint32_t)(first - begin);
    const struct dma_place buffer = {m->buffer.gfn + page, offset, m->buffer.domain};
    const struct dma_place pool = {s->config.pool->gfn + slot, offset, DOMID_SELF};
    const struct dma_host *h = s->config.host;

    if (slot == DMA_NO_SLOT || first >= last)
        return 0;
    dma_count(&s->stats.bounced, last - first);
    return h->copy(h->arg, all->back ? &buffer : &pool, all->back ? &pool : &buffer,
                   (uint32_t)(last - first));
}

static int copy(struct dma_space *s, const struct dma_mapping *m, uint64_t offset, uint64_t length,
                bool back)
{
    const struct piece all = {.first = m->buffer.offset + offset,
                              .last = m->buffer.offset + offset + length,
                              .back = back};
    int err = 0;

    if (!dma_has_slots(m))
        return 0;
    for (uint64_t page = all.first >> DMA_PAGE_SHIFT; page << DMA_PAGE_SHIFT < all.last && !err;
         page = next_page(m, page))
        err = copy_page(s, m, page, &all);
    return err;
}

/* ---- Filling ----------------------------------------------------------------------------------
 */

static int zero(struct dma_space *s, uint32_t slot, uint64_t first, uint64_t last)
{
    const struct dma_place to = {s->config.pool->gfn + slot, (uint32_t)first, DOMID_SELF};

    if (first == last)
        return 0;
    return s->config.host->copy(s->config.host->arg, &to, NULL, (uint32_t)(last - first));
}

/* Before the first byte, and behind the last one. */
static int zero_around(struct dma_space *s, const struct dma_mapping *m)
{
    const struct dma_buffer *b = &m->buffer;
    const uint64_t last = dma_frames(b) - 1;
    const uint32_t head = slot_of(m, 0), tail = slot_of(m, last);
    const uint64_t end = b->offset + b->length - (last << DMA_PAGE_SHIFT);
    int err = head == DMA_NO_SLOT ? 0 : zero(s, head, 0, b->offset);

    return err || tail == DMA_NO_SLOT ? err : zero(s, tail, end, DMA_PAGE);
}

static int fill(struct dma_space *s, const struct dma_mapping *m)
{
    const int err = zero_around(s, m);

    return err ? err : copy(s, m, 0, m->buffer.length, false);
}

/* ---- All of a buffer --------------------------------------------------------------------------
 */

int dma_bounce(struct dma_device *d, struct dma_mapping *m)
{
    struct dma_space *s = d->space;
    const struct dma_pool *p = s->config.pool;
    const uint64_t first = d->protected ? p->range.first : p->gfn;
    int err;

    m->slot[0] = dma_slot_take(s, dma_frames(&m->buffer));
    if (m->slot[0] == DMA_NO_SLOT)
        return -ENOSPC;
    m->address = dma_address(&m->buffer, first + m->slot[0]);
    err = fill(s, m);
    if (err)
        dma_free_slots(s, m);
    return err;
}

/* ---- The ends ---------------------------------------------------------------------------------
 */

/* The first page has bytes that are not the buffer's; the last one, if it is another. */
static bool has_head(const struct dma_buffer *b)
{
    return b->offset || b->length < DMA_PAGE;
}

static bool has_tail(const struct dma_buffer *b)
{
    return dma_frames(b) > 1 && (b->offset + b->length) & (DMA_PAGE - 1);
}

static int take_slots(struct dma_space *s, struct dma_mapping *m)
{
    const bool wanted[2] = {has_head(&m->buffer), has_tail(&m->buffer)};

    for (unsigned i = 0; i < 2; i++) {
        if (!wanted[i])
            continue;
        if (!s->config.pool) {
            m->why = "the device is not trusted with all of a page, and there is no bounce region";
            return -EOPNOTSUPP;
        }
        m->slot[i] = dma_slot_take(s, 1);
        if (m->slot[i] == DMA_NO_SLOT)
            return -ENOSPC;
    }
    return 0;
}

int dma_bounce_ends(struct dma_space *s, struct dma_mapping *m)
{
    int err = take_slots(s, m);

    if (!err && dma_has_slots(m))
        err = fill(s, m);
    if (err)
        dma_free_slots(s, m);
    return err;
}

size_t dma_runs(const struct dma_space *s, const struct dma_mapping *m, struct dma_run *runs)
{
    const uint64_t head = m->slot[0] != DMA_NO_SLOT, tail = m->slot[1] != DMA_NO_SLOT;
    const uint64_t middle = dma_frames(&m->buffer) - head - tail;
    size_t nr = 0;

    if (head)
        runs[nr++] = (struct dma_run){s->config.pool->gfn + m->slot[0], 1};
    if (middle)
        runs[nr++] = (struct dma_run){m->buffer.gfn + head, middle};
    if (tail)
        runs[nr++] = (struct dma_run){s->config.pool->gfn + m->slot[1], 1};
    return nr;
}

/* ---- Afterwards, and meanwhile ----------------------------------------------------------------
 */

int dma_copy_back(struct dma_space *s, const struct dma_mapping *m)
{
    return m->buffer.direction & DMA_FROM_DEVICE ? copy(s, m, 0, m->buffer.length, true) : 0;
}

void dma_free_slots(struct dma_space *s, struct dma_mapping *m)
{
    const uint64_t nr = m->route == DMA_ROUTE_BOUNCE ? dma_frames(&m->buffer) : 1;

    for (unsigned i = 0; i < 2; i++) {
        if (m->slot[i] != DMA_NO_SLOT)
            dma_slot_free(s, m->slot[i], nr);
        m->slot[i] = DMA_NO_SLOT;
    }
}

static bool is_part(const struct dma_mapping *m, uint64_t offset, uint64_t length)
{
    return offset <= m->buffer.length && length <= m->buffer.length - offset;
}

int dma_sync_for_cpu(struct dma_device *d, const struct dma_mapping *m, uint64_t offset,
                     uint64_t length)
{
    if (!is_part(m, offset, length))
        return -EINVAL;
    return m->buffer.direction & DMA_FROM_DEVICE ? copy(d->space, m, offset, length, true) : 0;
}

int dma_sync_for_device(struct dma_device *d, const struct dma_mapping *m, uint64_t offset,
                        uint64_t length)
{
    if (!is_part(m, offset, length))
        return -EINVAL;
    return m->buffer.direction & DMA_TO_DEVICE ? copy(d->space, m, offset, length, false) : 0;
}
