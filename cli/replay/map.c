/* SPDX-License-Identifier: BSD-2-Clause */
/* Maps and unmaps of the trace, as calls of the DMA layer. */
#include "replay.h"
#include "sample.h"

#include "../scenario/alloc.h"

#include <stdlib.h>

/* What a call of the DMA layer took, without the model's part. */
struct timing {
    uint64_t begin, ghost;
};

static struct timing timing_begin(const struct replay *r)
{
    return (struct timing){guest_ns(), r->guest.counts.ghost_ns};
}

static uint64_t timing_end(const struct replay *r, struct timing t)
{
    return guest_ns() - t.begin - (r->guest.counts.ghost_ns - t.ghost);
}

/* ---- At the traced addresses -------------------------------------------------------------------
 */

static int map_fixed(struct replay *r, struct replay_space *s, const struct trace_map *m)
{
    const uint64_t gfn = frames_gfn(&r->frames, m->paddr);
    const struct timing t = timing_begin(r);
    const int err = replay_space_map_at(s, m->iova, gfn, m->size, m->prot);

    r->counts.map_ns += timing_end(r, t);
    r->counts.calls++;
    return err;
}

static int unmap_fixed(struct replay *r, struct replay_space *s, const struct trace_unmap *u)
{
    const struct timing t = timing_begin(r);
    const int err = replay_space_unmap_at(s, u->iova, u->size);

    r->counts.unmap_ns += timing_end(r, t);
    return err;
}

/* ---- At addresses of the allocator -------------------------------------------------------------
 */

static size_t list_size(const struct trace *t, uint32_t head)
{
    size_t nr = 0;

    for (uint32_t i = head; i != TRACE_NONE; i = t->maps[i].next)
        nr++;
    return nr;
}

static void fill_buffers(const struct replay *r, uint32_t head, struct dma_buffer *buffers)
{
    for (uint32_t i = head; i != TRACE_NONE; i = r->t->maps[i].next) {
        const struct trace_map *m = &r->t->maps[i];

        *buffers++ = (struct dma_buffer){.gfn = frames_gfn(&r->frames, m->paddr),
                                         .domain = DOMID_SELF,
                                         .direction = replay_space_direction(m->prot),
                                         .length = m->size};
    }
}

static int map_list(struct replay *r, struct replay_space *s, uint32_t head)
{
    const size_t nr = list_size(r->t, head);
    struct dma_mapping *m = xcalloc(nr, sizeof(*m));
    struct dma_buffer *buffers = xcalloc(nr, sizeof(*buffers));
    struct timing t;
    int err;

    fill_buffers(r, head, buffers);
    t = timing_begin(r);
    err =
        nr == 1 ? dma_map(&s->device, 0, buffers, m) : dma_map_list(&s->device, 0, buffers, m, nr);
    r->counts.map_ns += timing_end(r, t);
    r->counts.calls++;
    free(buffers);
    if (err)
        free(m);
    else
        r->live[head] = m;
    return err;
}

static int unmap_list(struct replay *r, struct replay_space *s, uint32_t head)
{
    const size_t nr = list_size(r->t, head);
    struct dma_mapping *m = r->live[head];
    const struct timing t = timing_begin(r);
    const int err = nr == 1 ? dma_unmap(&s->device, 0, m) : dma_unmap_list(&s->device, 0, m, nr);

    r->counts.unmap_ns += timing_end(r, t);
    return err;
}

/* ---- Operations --------------------------------------------------------------------------------
 */

static struct place place_fixed(const struct replay *r, const struct trace_op *op,
                                const struct trace_map *m)
{
    return (struct place){.space = op->space,
                          .address = m->iova,
                          .gfn = frames_gfn(&r->frames, m->paddr),
                          .size = m->size,
                          .prot = m->prot};
}

static struct place place_of(const struct replay *r, const struct trace_op *op, uint32_t head)
{
    const struct trace_map *m = &r->t->maps[head];
    struct place p = place_fixed(r, op, m);

    p.address = r->live[head]->address;
    return p;
}

int replay_map(struct replay *r, const struct trace_op *op)
{
    const struct trace_map *m = &r->t->maps[op->index];
    struct replay_space *s = &r->spaces[op->space];
    struct place p;
    int err;

    if (m->mmio || (!m->fixed && m->next != TRACE_NONE)) /* mapped with the last of its list */
        return 0;
    err = m->fixed ? map_fixed(r, s, m) : map_list(r, s, m->head);
    if (err)
        return err;
    p = m->fixed ? place_fixed(r, op, m) : place_of(r, op, m->head);
    if (sample_due(r, &r->since_map))
        sample_live(r, &p);
    return 0;
}

static int unmap_one_list(struct replay *r, const struct trace_op *op, uint32_t head)
{
    const struct place p = place_of(r, op, head);
    const bool due = sample_due(r, &r->since_unmap);
    int err;

    if (due)
        sample_live(r, &p);
    err = unmap_list(r, &r->spaces[op->space], head);
    if (due && !err)
        sample_late(r, &p, r->config->policy == REPLAY_STRICT);
    free(r->live[head]);
    r->live[head] = NULL;
    return err;
}

/* What is unmapped may begin in the middle of what was mapped. */
static int unmap_range(struct replay *r, const struct trace_op *op, const struct trace_unmap *u)
{
    const struct trace_map *m = &r->t->maps[u->map];
    const bool due = sample_due(r, &r->since_unmap);
    struct place p = place_fixed(r, op, m);
    int err;

    p.address = u->iova;
    p.gfn += (u->iova - m->iova) / LINE_PAGE;
    p.size = LINE_PAGE;
    if (due)
        sample_live(r, &p);
    err = unmap_fixed(r, &r->spaces[op->space], u);
    if (due && !err)
        sample_late(r, &p, r->config->policy == REPLAY_STRICT);
    return err;
}

int replay_unmap(struct replay *r, const struct trace_op *op)
{
    const struct trace_unmap *u = &r->t->unmaps[op->index];
    uint32_t head = u->map;
    int err = 0;

    r->counts.left += op->left;
    if (r->t->maps[head].fixed)
        return unmap_range(r, op, u);
    for (; head != TRACE_NONE && !err; head = r->t->maps[head].sibling)
        err = unmap_one_list(r, op, head);
    return err;
}
