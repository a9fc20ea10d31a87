/* SPDX-License-Identifier: BSD-2-Clause */
/* map_page of a relaxed hardware domain: frames by machine frame, whoever has them. */
#include "foreign_internal.h"

#include "memory.h"

static bool alike(const struct frame_owner *a, const struct frame_owner *b)
{
    return a->domid == b->domid && a->owned == b->owned;
}

static uint64_t run_of_owner(const struct frames *f, mfn_t mfn, uint64_t max)
{
    uint64_t n = 1;

    while (n < max && alike(&f->owner[mfn.n], &f->owner[mfn.n + n]))
        n++;
    return n;
}

static int check_machine(const struct frames *f, mfn_t mfn, uint64_t nr, uint16_t domid,
                         unsigned attr)
{
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++) {
        const struct frame_owner *o = &f->owner[i];

        if (!o->owned || o->leaving || o->domid != domid)
            return -EPERM;
        if (attr & (PT_READ | PT_WRITE) & ~memory_rights(memory_attr(o->type)))
            return -EPERM;
    }
    return 0;
}

/* Frames of the domain's own are held like those of map_page by gfn: no tuple. */
static int map_own_run(struct memory_locked ml, struct space *sp, dfn_t bfn, mfn_t mfn, uint64_t nr,
                       const struct foreign_map *map, uint64_t *done)
{
    int err;

    frames_get(ml.m->frames, mfn, nr); /* the budget was charged for all */
    err = space_put(sp, bfn, mfn, nr, map->order, map->attr, done);
    if (*done < nr)
        frames_put(ml.m->frames, mfn_add(mfn, *done), nr - *done);
    return *done ? 0 : err;
}

static int map_run_of(struct m2b_locked l, struct domain *owner, struct space *sp, dfn_t bfn,
                      mfn_t mfn, uint64_t nr, const struct foreign_map *map, uint64_t *done)
{
    struct memory_locked ml = memory_lock(&owner->memory);
    int err = check_machine(ml.m->frames, mfn, nr, owner->domid, map->attr);

    *done = 0;
    if (!err && owner == sp->d && FOREIGN_HELD(map->tuple))
        err = map_own_run(ml, sp, bfn, mfn, nr, map, done);
    else if (!err)
        err = foreign_map_run(l, ml, sp, bfn, mfn, nr, map, done);
    memory_unlock(ml);
    return err;
}

static int map_machine_run(struct m2b_locked l, struct space *sp, dfn_t bfn, mfn_t mfn, uint64_t nr,
                           const struct foreign_map *map, uint64_t *done)
{
    struct instance *s = sp->d->s;
    struct domain *owner = domain_pin(s, s->frames.owner[mfn.n].domid);
    int err;

    *done = 0;
    if (!owner)
        return -EPERM;
    err = map_run_of(l, owner, sp, bfn, mfn, nr, map, done);
    domain_unpin(owner);
    return err;
}

static int check_all_machine(const struct frames *f, mfn_t mfn, uint64_t nr, unsigned attr,
                             struct foreign_shape *shape)
{
    uint64_t at, run;
    int err = 0;

    for (at = 0; at < nr && !err; at += run) {
        const mfn_t first = mfn_add(mfn, at);

        run = run_of_owner(f, first, nr - at);
        err = check_machine(f, first, run, f->owner[first.n].domid, attr);
        foreign_add_run(shape, first, run, nr);
    }
    return err;
}

static int map_machine(struct m2b_locked l, struct space *sp, mfn_t mfn,
                       const struct foreign_map *map, bool charged, uint64_t *done)
{
    const struct frames *f = &sp->d->s->frames;
    const uint64_t nr = BIT64(map->order);
    struct foreign_shape shape = {0};
    uint64_t step;
    int err = check_all_machine(f, mfn, nr, map->attr, &shape);

    if (!err && !charged)
        err = -ENOMEM;
    if (!err)
        err = m2b_reserve(l, shape.nr_runs + FOREIGN_UNDO_NODES);
    if (!err)
        err = foreign_check_tuples(l, mfn, nr);
    if (!err)
        err = space_clear(sp, map->bfn, nr, shape.whole);
    for (; *done < nr && !err; *done += step) {
        const mfn_t first = mfn_add(mfn, *done);

        err = map_machine_run(l, sp, dfn_add(map->bfn, *done), first,
                              run_of_owner(f, first, nr - *done), map, &step);
    }
    return err;
}

int foreign_map_machine(struct space *sp, mfn_t mfn, const struct foreign_map *map)
{
    const struct frames *f = &sp->d->s->frames;
    const uint64_t nr = BIT64(map->order), held = FOREIGN_HELD(map->tuple) ? nr : 0;
    struct foreign_fates undo;
    struct m2b_locked l;
    uint64_t done = 0;
    bool charged;
    int err = foreign_check_place(sp, map);

    if (err)
        return err;
    if (mfn.n >= f->nr || nr > f->nr - mfn.n)
        return -ENXIO;
    charged = !memory_charge(&sp->d->memory, held);
    l = m2b_lock(&sp->d->s->m2b);
    err = map_machine(l, sp, mfn, map, charged, &done);
    if (err)
        foreign_forget_all(l, sp, map->bfn, done, &undo);
    m2b_unlock(l);
    if (!err) {
        sp->d->one_to_one = false;
        return 0;
    }
    if (held && charged)
        memory_uncharge(&sp->d->memory, held - done);
    foreign_take_all(sp, map->bfn, done, &undo);
    return err;
}
