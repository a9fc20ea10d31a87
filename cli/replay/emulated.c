/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps, unmaps and invalidations at the traced addresses. With the strict policy each unmap is
 * followed by its own invalidation; otherwise those of the trace are submitted where they stand.
 * What the unit may remember as not present (caching mode covers second stages) is invalidated
 * after each map, too.
 */
#include "emulated.h"

static struct emulated_space *space_of(const struct replay *r, const struct trace_op *op)
{
    return &r->emulated->spaces[op->space];
}

static struct place place_at(const struct replay *r, const struct trace_op *op,
                             const struct trace_map *m, uint64_t iova, uint64_t size)
{
    return (struct place){.space = op->space,
                          .address = iova,
                          .gfn = frames_gfn(&r->frames, m->paddr) + (iova - m->iova) / LINE_PAGE,
                          .size = size,
                          .prot = m->prot};
}

/* ---- Operations --------------------------------------------------------------------------------
 */

/* All of a list up to this part of it. */
static struct trace_invalidation range_of(const struct replay *r, const struct trace_map *m)
{
    const uint64_t iova = r->t->maps[m->head].iova;

    return (struct trace_invalidation){.iova = iova, .size = m->iova + m->size - iova};
}

/* A list is flushed once, with its last part. */
static bool is_whole(const struct trace_map *m)
{
    return m->fixed || m->next == TRACE_NONE;
}

/* Nobody uses the table of a space without devices, so nothing is remembered of it. */
static int flush_map(struct replay *r, const struct emulated_space *s, const struct trace_map *m,
                     bool replaced)
{
    const struct trace_invalidation v = range_of(r, m);
    struct emulated *e = r->emulated;
    int err = 0;

    if (s->nr_devices && (replaced || (is_whole(m) && !e->unit.scalable)))
        err = gvtd_flush_range(&e->unit, s->did, v.iova, v.size, false);
    if (!err)
        gvtd_left(&e->memory);
    return err;
}

/* What was unmapped there must be flushed before another map; a map that is flushed itself does. */
static int flush_before(struct replay *r, const struct trace_op *op, const struct trace_map *m)
{
    struct emulated *e = r->emulated;
    int err;

    if (!late_waits(e, op->space, m->iova, m->size))
        return 0;
    err = gvtd_flush_domain(&e->unit, space_of(r, op)->did);
    if (!err)
        late_flushed(r, op->space, 0, UINT64_MAX);
    return err;
}

static int put_in(struct replay *r, const struct trace_op *op, const struct trace_map *m)
{
    const uint64_t gpa = frames_gfn(&r->frames, m->paddr) * LINE_PAGE, begin = guest_ns();
    struct emulated_space *s = space_of(r, op);
    bool replaced;
    int err = gvtd_map(&s->table, m->iova, gpa, m->size, m->prot, &replaced);

    if (!err)
        err = flush_map(r, s, m, replaced);
    r->counts.map_ns += guest_ns() - begin;
    r->counts.calls += is_whole(m);
    return err;
}

static int play_map(struct replay *r, const struct trace_op *op)
{
    const struct trace_map *m = &r->t->maps[op->index];
    const struct place p = place_at(r, op, m, m->iova, m->size);
    int err;

    if (m->mmio)
        return 0;
    err = flush_before(r, op, m);
    if (!err)
        err = put_in(r, op, m);
    late_forget(r->emulated, op->space, m->iova, m->size);
    if (!err && is_whole(m) && sample_due(r, &r->since_map))
        sample_live(r, &p);
    return err;
}

static int take_out(struct replay *r, const struct trace_op *op, const struct trace_unmap *u)
{
    struct emulated_space *s = space_of(r, op);
    const uint64_t begin = guest_ns();
    int err = gvtd_unmap(&s->table, u->iova, u->size);

    if (!err && r->config->policy == REPLAY_STRICT && s->nr_devices)
        err = gvtd_flush_range(&r->emulated->unit, s->did, u->iova, u->size, true);
    r->counts.unmap_ns += guest_ns() - begin;
    return err;
}

/* Where each map is flushed itself, nobody needs to know. */
static bool waits(const struct replay *r, const struct trace_op *op)
{
    return r->emulated->unit.scalable && r->config->policy != REPLAY_STRICT &&
           space_of(r, op)->nr_devices;
}

/* Of what is unmapped, one page is tried: before, after, and when it was flushed. */
static int play_unmap(struct replay *r, const struct trace_op *op)
{
    const struct trace_unmap *u = &r->t->unmaps[op->index];
    const struct place p = place_at(r, op, &r->t->maps[u->map], u->iova, LINE_PAGE);
    const bool due = sample_due(r, &r->since_unmap);
    int err;

    r->counts.left += op->left;
    if (due)
        sample_live(r, &p);
    err = take_out(r, op, u);
    if (!err && waits(r, op))
        err = late_wait(r, op->space, u->iova, u->size);
    if (due && !err) {
        sample_late(r, &p, r->config->policy == REPLAY_STRICT);
        late_remember(r->emulated, &p);
    }
    return err;
}

/* The traced system had caching mode, and this is what came of the map before it. */
static bool is_of_map(const struct replay *r, uint32_t i)
{
    const struct trace_op *op = &r->t->ops[i], *before = i ? op - 1 : NULL;
    const struct trace_invalidation *v = &r->t->invalidations[op->index];
    struct trace_invalidation of;

    if (!before || v->kind != 'p' || before->kind != TRACE_MAP || before->space != op->space)
        return false;
    of = range_of(r, &r->t->maps[before->index]);
    return of.iova == v->iova && of.size == v->size;
}

static int invalidate(struct replay *r, const struct trace_op *op)
{
    const struct trace_invalidation *v = &r->t->invalidations[op->index];
    struct gvtd *unit = &r->emulated->unit;

    if (op->space == TRACE_EVERYWHERE)
        return gvtd_flush_all(unit);
    if (v->kind == 'd')
        return gvtd_flush_domain(unit, space_of(r, op)->did);
    return gvtd_flush_range(unit, space_of(r, op)->did, v->iova, v->size, v->leaf_only);
}

static int play_invalidation(struct replay *r, uint32_t i)
{
    const struct trace_op *op = &r->t->ops[i];
    const struct trace_invalidation *v = &r->t->invalidations[op->index];
    const uint64_t begin = guest_ns();
    int err;

    if (r->config->policy == REPLAY_STRICT || is_of_map(r, i))
        return 0;
    err = invalidate(r, op);
    r->counts.unmap_ns += guest_ns() - begin;
    if (!err && v->kind == 'p')
        late_flushed(r, op->space, v->iova, v->size);
    else if (!err)
        late_flushed(r, op->space, 0, UINT64_MAX);
    return err;
}

static int play_attach(struct replay *r, const struct trace_op *op)
{
    const int err = emulated_detach(r, op->index);

    return err ? err : emulated_attach(r, op->index, op->space);
}

static int play_end(struct replay *r, const struct trace_op *op)
{
    int err = 0;

    for (unsigned i = 0; i < r->t->nr_devices && !err; i++)
        if (r->emulated->where[i] == op->space)
            err = emulated_detach(r, i);
    late_forget(r->emulated, op->space, 0, UINT64_MAX);
    return err;
}

static int play_op(struct replay *r, uint32_t i)
{
    const struct trace_op *op = &r->t->ops[i];

    switch (op->kind) {
    case TRACE_MAP:
        return play_map(r, op);
    case TRACE_UNMAP:
        return play_unmap(r, op);
    case TRACE_INVALIDATE:
        return play_invalidation(r, i);
    case TRACE_ATTACH:
        return play_attach(r, op);
    default:
        return play_end(r, op);
    }
}

/* ---- What it cost ------------------------------------------------------------------------------
 */

static void count(struct replay *r, uint64_t submissions)
{
    struct guest_counts *c = &r->guest.counts;
    struct sluice_viommu_info info;
    struct machine_stats after;

    machine_stats(r->guest.m, &after);
    c->submissions += after.submissions - submissions;
    c->exits = r->emulated->unit.exits;
    if (!machine_viommu_info(r->guest.d, &info))
        c->synced = info.synced;
}

static int play_counted(struct replay *r, uint32_t i)
{
    struct machine_stats before;
    int err;

    machine_stats(r->guest.m, &before);
    err = play_op(r, i);
    count(r, before.submissions);
    return err;
}

/* Setting the unit up is no cost of maps. */
static int open_counted(struct replay *r)
{
    const int err = emulated_open(r);

    r->guest.counts.exits = r->emulated->unit.exits;
    return err;
}

/* Whatever was unmapped since the trace's last invalidation. */
static int flush(struct replay *r)
{
    struct machine_stats before;
    int err;

    if (r->config->policy == REPLAY_STRICT)
        return 0;
    machine_stats(r->guest.m, &before);
    err = gvtd_flush_all(&r->emulated->unit);
    count(r, before.submissions);
    if (!err)
        late_flushed(r, TRACE_EVERYWHERE, 0, UINT64_MAX);
    return err;
}

const struct replay_way replay_by_viommu = {
    .memory = emulated_memory,
    .open = open_counted,
    .play = play_counted,
    .flush = flush,
    .final = emulated_final,
    .finish = emulated_finish,
    .free = emulated_free,
};
