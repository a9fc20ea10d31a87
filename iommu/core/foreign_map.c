/* SPDX-License-Identifier: BSD-2-Clause */
/* map_foreign_page: frames of another domain. */
#include "foreign_internal.h"

#include "memory.h"

#define MOST_TUPLES 256u /* of one frame: what a lookup or a balloon has to look through */

/* A page that swapped mappings point at: nobody's data. */
static int need_scratch(struct domain *d)
{
    const struct sluice_port *port = d->s->port;

    return d->scratch.n ? 0 : port->alloc_page(port->host, &d->scratch);
}

static struct m2b_tuple tuple_of(struct domain *user, dfn_t bfn, mfn_t mfn, uint64_t nr,
                                 const struct foreign_map *map)
{
    return (struct m2b_tuple){
        .mfn = mfn, .bfn = bfn, .nr = nr, .user = user, .server = map->server, .flags = map->tuple};
}

static bool is_full(struct m2b_locked l, mfn_t mfn)
{
    struct m2b_tuple t, *after = NULL;
    unsigned n;

    for (n = 0; n < MOST_TUPLES && m2b_next(l, mfn, after, &t); n++)
        after = &t;
    return n == MOST_TUPLES;
}

int foreign_check_tuples(struct m2b_locked l, mfn_t mfn, uint64_t nr)
{
    mfn_t at = mfn;

    while (at.n < mfn.n + nr && m2b_first(l, at, mfn.n + nr - at.n, &at)) {
        if (is_full(l, at))
            return -ENOMEM;
        at = mfn_add(at, 1);
    }
    return 0;
}

bool foreign_any_leaving(const struct frames *f, mfn_t mfn, uint64_t nr)
{
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++)
        if (f->owner[i].leaving)
            return true;
    return false;
}

void foreign_add_run(struct foreign_shape *shape, mfn_t mfn, uint64_t run, uint64_t nr)
{
    shape->nr_runs++;
    shape->whole = run == nr && !(mfn.n & (nr - 1));
}

/* Can all of it be mapped? */
static int check_frames(struct memory_locked l, gfn_t gfn, uint64_t nr, unsigned attr,
                        struct foreign_shape *shape)
{
    uint64_t at, run;
    unsigned rights;
    mfn_t mfn;

    for (at = 0; at < nr; at += run) {
        if (memory_find(l, gfn_add(gfn, at), nr - at, &mfn, &run, &rights) ||
            foreign_any_leaving(l.m->frames, mfn, run))
            return -ENXIO;
        if (attr & (PT_READ | PT_WRITE) & ~rights)
            return -EPERM;
        foreign_add_run(shape, mfn, run, nr);
    }
    return 0;
}

/* Room for tuples and their nodes: what may fail of a map, before anything changes. */
static int prepare_tuples(struct m2b_locked l, struct memory_locked ml, gfn_t gfn, uint64_t nr,
                          const struct foreign_shape *shape)
{
    int err = m2b_reserve(l, shape->nr_runs + FOREIGN_UNDO_NODES);
    uint64_t at, run;
    unsigned rights;
    mfn_t mfn;

    for (at = 0; at < nr && !err; at += run) {
        err = memory_find(ml, gfn_add(gfn, at), nr - at, &mfn, &run, &rights);
        CHECK(l.m->port, !err);
        err = foreign_check_tuples(l, mfn, run);
    }
    return err;
}

int foreign_map_run(struct m2b_locked l, struct memory_locked ml, struct space *sp, dfn_t bfn,
                    mfn_t mfn, uint64_t nr, const struct foreign_map *map, uint64_t *done)
{
    const bool held = FOREIGN_HELD(map->tuple);
    struct m2b_tuple t;
    int err = held ? frames_get_checked(ml.m->frames, mfn, nr) : 0;

    *done = 0;
    if (err)
        return err;
    err = space_put(sp, bfn, mfn, nr, map->order, map->attr, done);
    if (held && *done < nr)
        frames_put(ml.m->frames, mfn_add(mfn, *done), nr - *done);
    if (!*done)
        return err;
    t = tuple_of(sp->d, bfn, mfn, *done, map);
    foreign_add(l, &t);
    return 0;
}

static int map_all(struct m2b_locked l, struct memory_locked ml, struct space *sp, gfn_t gfn,
                   const struct foreign_map *map, uint64_t *done)
{
    const uint64_t nr = BIT64(map->order);
    uint64_t run, step;
    unsigned rights;
    mfn_t mfn;
    int err = 0;

    for (; *done < nr && !err; *done += step) {
        err = memory_find(ml, gfn_add(gfn, *done), nr - *done, &mfn, &run, &rights);
        CHECK(sp->d->s->port, !err);
        err = foreign_map_run(l, ml, sp, dfn_add(map->bfn, *done), mfn, run, map, &step);
    }
    return err;
}

int foreign_check_place(struct space *sp, const struct foreign_map *map)
{
    const struct domain *d = sp->d;
    int err = space_check(sp, map->bfn, BIT64(map->order));

    if (!err && d->nr_1to1 && map->bfn.n < d->window + d->s->frames.nr)
        err = -EEXIST;
    return err;
}

static int map_locked(struct space *sp, struct domain *owner, gfn_t gfn,
                      const struct foreign_map *map, bool charged, uint64_t *done,
                      struct foreign_fates *undo)
{
    const uint64_t nr = BIT64(map->order);
    struct m2b_locked l = m2b_lock(&sp->d->s->m2b);
    struct memory_locked ml = memory_lock(&owner->memory);
    struct foreign_shape shape = {0};
    int err = check_frames(ml, gfn, nr, map->attr, &shape);

    if (!err && !charged)
        err = -ENOMEM;
    if (!err)
        err = prepare_tuples(l, ml, gfn, nr, &shape);
    if (!err)
        err = space_clear(sp, map->bfn, nr, shape.whole);
    if (!err)
        err = map_all(l, ml, sp, gfn, map, done);
    if (err)
        foreign_forget_all(l, sp, map->bfn, *done, undo);
    memory_unlock(ml);
    m2b_unlock(l);
    return err;
}

int foreign_map(struct space *sp, struct domain *owner, gfn_t gfn, const struct foreign_map *map)
{
    const uint64_t nr = BIT64(map->order);
    struct memory *budget = &sp->d->memory;
    struct foreign_fates undo;
    uint64_t done = 0;
    bool charged;
    int err = foreign_check_place(sp, map);

    if (err)
        return err;
    charged = !memory_charge(budget, nr);
    if ((map->tuple & M2B_SWAP) && need_scratch(sp->d))
        err = -ENOMEM;
    if (!err)
        err = map_locked(sp, owner, gfn, map, charged, &done, &undo);
    if (!err) {
        sp->d->one_to_one = false;
        return 0;
    }
    if (charged)
        memory_uncharge(budget, nr - done); /* the rest when what is pending is settled */
    foreign_take_all(sp, map->bfn, done, &undo);
    return err;
}
