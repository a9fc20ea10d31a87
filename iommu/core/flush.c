/* SPDX-License-Identifier: BSD-2-Clause */
/* Flush before free: the only place where frames and tables that devices could reach are released.
 */
#include "flush.h"

#include "domain.h"

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

int flush_wait(const struct flush *f)
{
    const struct hw_inv inv = {.kind = HW_INV_RANGE,
                               .did = f->c->did,
                               .first = f->first,
                               .last = f->last,
                               .leaf_only = !f->tables};
    struct instance *s = f->c->s;
    int err = 0;

    /* Entries first, then who is attached: a device attached later walks the tables as they are
     * now. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < s->nr_units; i++) {
        if (!f->c->attached[i])
            continue;
        if (f->c->domain)
            f->c->domain->submissions++;
        if (flush_unit(s, s->unit[i], &inv, 1))
            err = -EIO;
    }
    return err;
}

static void put_runs(struct memory_locked l, const struct pt_freed *freed)
{
    for (unsigned i = 0; i < freed->nr_runs; i++)
        memory_put(l, freed->run[i].first, freed->run[i].nr);
}

/* Frames for which `freed` had no room are still named by the tables. */
static void release_retired(struct flush *f, struct memory_locked *l)
{
    const uint64_t nr = f->last.n - f->first.n + 1;
    uint64_t at, done;

    for (at = 0; at < nr; at += done) {
        struct pt_freed freed = {0};

        pt_release(&f->c->pt, dfn_add(f->first, at), nr - at, &freed, &done);
        if (l)
            put_runs(*l, &freed);
    }
}

static void release(struct flush *f)
{
    struct memory_locked l;

    if (f->referenced) {
        l = memory_lock(&f->c->domain->memory);
        put_runs(l, &f->freed);
        if (f->freed.retired)
            release_retired(f, &l);
        memory_unlock(l);
    } else if (f->freed.retired) {
        release_retired(f, NULL);
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
