/* SPDX-License-Identifier: BSD-2-Clause */
/* Flush before free: the only place where frames and tables that devices could reach are released.
 */
#include "flush.h"

#include "domain.h"

#define BATCH 32u /* invalidations in one submission */

void flush_failed(struct instance *s, struct hw_unit *unit, int err)
{
    unit->failed = true;
    unit->ops->quiesce(unit);
    instance_event(s, SLUICE_EVENT_UNIT_FAILED, err, "flush_unit", unit->index, 0);
}

int flush_unit(struct instance *s, struct hw_unit *unit, const struct hw_inv *inv, unsigned nr)
{
    int err = -EIO;

    s->port->lock(s->port->host, &unit->lock);
    if (!unit->failed) {
        unit->nr_submissions++;
        unit->nr_invalidations += nr;
        err = unit->ops->flush(unit, inv, nr);
        if (err)
            flush_failed(s, unit, err);
    }
    s->port->unlock(s->port->host, &unit->lock);
    return err ? -EIO : 0;
}

static int submit(const struct flush *f, unsigned unit, const struct hw_inv *inv, unsigned nr)
{
    struct instance *s = f->c->s;

    if (f->c->domain)
        f->c->domain->submissions++;
    return flush_unit(s, s->unit[unit], inv, nr);
}

static int flush_own(const struct flush *f, unsigned unit)
{
    const struct hw_inv inv = {.kind = HW_INV_RANGE,
                               .did = f->c->did,
                               .first = f->first,
                               .last = f->last,
                               .leaf_only = !f->tables};

    return f->c->attached[unit] ? submit(f, unit, &inv, 1) : 0;
}

/*
 * What hardware caches of a second stage has the tags of the contexts that are nested on it, and
 * the addresses of their first stages, which nobody knows. They are there as long as the domain is
 * locked, as it is by who changes a second stage.
 */
static int flush_nested(const struct flush *f, unsigned unit)
{
    const struct domain *d = f->c->domain;
    struct hw_inv inv[BATCH];
    unsigned n = 0;
    int err = 0;

    for (unsigned no = 0; no <= d->max_ctx_no && !err; no++) {
        const struct context *c = &d->ctx[no];

        if (c->second != f->c || !c->attached[unit])
            continue;
        inv[n++] = (struct hw_inv){.kind = HW_INV_SPACE, .did = c->did};
        if (n == BATCH) {
            err = submit(f, unit, inv, n);
            n = 0;
        }
    }
    return !err && n ? submit(f, unit, inv, n) : err;
}

int flush_wait(const struct flush *f)
{
    struct instance *s = f->c->s;
    int err = 0;

    /* Entries first, then who is attached: a device attached later walks the tables as they are
     * now. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < s->nr_units; i++) {
        if (flush_own(f, i))
            err = -EIO;
        if (f->c->hidden && f->c->identity && flush_nested(f, i))
            err = -EIO;
    }
    return err;
}

void flush_retire(struct context *c, dfn_t first, uint64_t nr)
{
    uint64_t at, done;

    for (at = 0; at < nr; at += done)
        CHECK(c->s->port, !pt_retire(&c->pt, dfn_add(first, at), nr - at, &done));
}

void flush_release(struct context *c, dfn_t first, uint64_t nr, pt_release_run put, void *arg)
{
    uint64_t at, done;

    for (at = 0; at < nr; at += done) {
        struct pt_freed freed = {0};

        pt_release(&c->pt, dfn_add(first, at), nr - at, &freed, &done);
        for (unsigned i = 0; i < freed.nr_runs; i++)
            put(arg, freed.run[i].first, freed.run[i].nr);
    }
}

/* Frames for which `freed` had no room are still named by the tables. */
static void release_retired(struct flush *f, pt_release_run put, void *arg)
{
    if (f->freed.retired)
        flush_release(f->c, f->first, f->last.n - f->first.n + 1, put, arg);
}

static void release(struct flush *f)
{
    struct memory_locked l;

    if (f->referenced) {
        l = memory_lock(&f->c->domain->memory);
        for (unsigned i = 0; i < f->freed.nr_runs; i++)
            memory_put(l, f->freed.run[i].first, f->freed.run[i].nr);
        release_retired(f, memory_put_run, &l);
        memory_unlock(l);
    } else {
        release_retired(f, memory_pass_run, NULL);
    }
    pt_free_pages(&f->c->pt, f->table, f->nr_tables);
}

static int count_retired(void *arg, const struct pt_leaf *leaf)
{
    uint64_t *nr = arg;

    if (leaf->retired)
        *nr += BIT64(leaf->lg2 - FRAME_LG2);
    return 0;
}

static uint64_t nr_lost(const struct flush *f)
{
    uint64_t nr = 0;

    for (unsigned i = 0; i < f->freed.nr_runs; i++)
        nr += f->freed.run[i].nr;
    if (f->freed.retired)
        (void)pt_walk(&f->c->pt, f->first, f->last, count_retired, &nr);
    return nr;
}

int flush_commit(struct flush *f)
{
    int err = flush_wait(f);

    if (err)
        instance_event(f->c->s, SLUICE_EVENT_FRAMES_LOST, err, "flush_commit", nr_lost(f),
                       f->c->did);
    else
        release(f);
    return err;
}
