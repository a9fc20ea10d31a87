/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of others in a bus-frame space: map, lookup, unmap, and what is left when somebody ends.
 */
#include "foreign.h"

#include "../abi/frames.h"
#include "domain.h"
#include "ioreq.h"
#include "memory.h"
#include "window.h"

#define HELD(flags) (!((flags)&M2B_NO_REF))

/* ---- Tuples and their references ---------------------------------------------------------------
 */

void foreign_add(struct m2b_locked l, const struct m2b_tuple *t)
{
    t->user->nr_tuples += t->nr;
    if (t->flags & M2B_1TO1)
        t->user->nr_1to1 += t->nr;
    m2b_add(l, t);
}

void foreign_remove(struct m2b_locked l, const struct m2b_tuple *t)
{
    t->user->nr_tuples -= t->nr;
    if (t->flags & M2B_1TO1)
        t->user->nr_1to1 -= t->nr;
    m2b_remove(l, t);
}

/*
 * Its frames' domain, or one that has taken its number since, or NULL. While the lock is held it
 * stays: a domain leaves the list under it.
 */
static struct domain *owner_of(struct m2b_locked l, struct instance *s, uint16_t domid)
{
    struct instance_locked il = instance_lock(s);
    struct domain *d = s->domains;

    (void)l;
    while (d && d->domid != domid)
        d = d->next;
    instance_unlock(il);
    return d;
}

/* Of one owner's: once it has ended, the reverse map's lock alone guards them. */
static void put_of(struct m2b_locked l, struct instance *s, mfn_t mfn, uint64_t nr)
{
    struct domain *owner = owner_of(l, s, s->frames.owner[mfn.n].domid);
    struct memory_locked ml;

    if (!owner) {
        frames_put(&s->frames, mfn, nr);
        return;
    }
    ml = memory_lock(&owner->memory);
    frames_put(&s->frames, mfn, nr);
    memory_unlock(ml);
}

void foreign_put(struct m2b_locked l, struct instance *s, mfn_t mfn, uint64_t nr)
{
    const struct frame_owner *owner = s->frames.owner;
    uint64_t at, n;

    for (at = mfn.n; at < mfn.n + nr; at += n) {
        for (n = 1; at + n < mfn.n + nr && owner[at].domid == owner[at + n].domid; n++)
            ;
        put_of(l, s, mfn_of(at), n);
    }
}

static enum space_kind forget(struct m2b_locked l, struct space *sp, dfn_t bfn, mfn_t mfn)
{
    struct m2b_tuple t;

    if (!m2b_find(l, mfn, sp->d, bfn, &t))
        return SPACE_LOCAL;
    foreign_remove(l, &t);
    return HELD(t.flags) ? SPACE_HELD : SPACE_BARE;
}

enum space_kind foreign_forget(struct space *sp, dfn_t bfn, mfn_t mfn)
{
    struct m2b_locked l = m2b_lock(&sp->d->s->m2b);
    const enum space_kind kind = forget(l, sp, bfn, mfn);

    m2b_unlock(l);
    return kind;
}

/* What is to become of the entries of an element, each. */
struct fates {
    uint8_t kind[BIT64(SPACE_MAX_ORDER)]; /* enum space_kind */
};

/* The tuples of explicit entries go; a node is reserved for where they are cut out of a run. */
static void forget_all(struct m2b_locked l, struct space *sp, dfn_t bfn, uint64_t nr,
                       struct fates *out)
{
    mfn_t mfn;

    for (uint64_t i = 0; i < nr; i++) {
        CHECK(sp->d->s->port, !space_find(sp, dfn_add(bfn, i), &mfn));
        out->kind[i] = (uint8_t)forget(l, sp, dfn_add(bfn, i), mfn);
    }
}

/* Then the entries themselves. */
static void take_all(struct space *sp, dfn_t bfn, uint64_t nr, const struct fates *fates)
{
    uint64_t at, n;

    for (at = 0; at < nr; at += n) {
        for (n = 1; at + n < nr && fates->kind[at + n] == fates->kind[at]; n++)
            ;
        space_room(sp);
        space_take(sp, dfn_add(bfn, at), n, (enum space_kind)fates->kind[at]);
    }
}

/* ---- map ---------------------------------------------------------------------------------------
 */

#define UNDO_NODES  1u   /* to take back what came before, if the element fails */
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

/* Is there room for one more tuple of each frame? */
static int check_tuples(struct m2b_locked l, mfn_t mfn, uint64_t nr)
{
    mfn_t at = mfn;

    while (at.n < mfn.n + nr && m2b_first(l, at, mfn.n + nr - at.n, &at)) {
        if (is_full(l, at))
            return -ENOMEM;
        at = mfn_add(at, 1);
    }
    return 0;
}

static bool any_leaving(const struct frames *f, mfn_t mfn, uint64_t nr)
{
    for (uint64_t i = mfn.n; i < mfn.n + nr; i++)
        if (f->owner[i].leaving)
            return true;
    return false;
}

/* What an element maps. */
struct shape {
    unsigned nr_runs;
    bool whole; /* one run, aligned */
};

static void add_run(struct shape *shape, mfn_t mfn, uint64_t run, uint64_t nr)
{
    shape->nr_runs++;
    shape->whole = run == nr && !(mfn.n & (nr - 1));
}

/* Can all of it be mapped? */
static int check_frames(struct memory_locked l, gfn_t gfn, uint64_t nr, unsigned attr,
                        struct shape *shape)
{
    uint64_t at, run;
    unsigned rights;
    mfn_t mfn;

    for (at = 0; at < nr; at += run) {
        if (memory_find(l, gfn_add(gfn, at), nr - at, &mfn, &run, &rights) ||
            any_leaving(l.m->frames, mfn, run))
            return -ENXIO;
        if (attr & (PT_READ | PT_WRITE) & ~rights)
            return -EPERM;
        add_run(shape, mfn, run, nr);
    }
    return 0;
}

/* Room for tuples and their nodes: what may fail of a map, before anything changes. */
static int prepare_tuples(struct m2b_locked l, struct memory_locked ml, gfn_t gfn, uint64_t nr,
                          const struct shape *shape)
{
    int err = m2b_reserve(l, shape->nr_runs + UNDO_NODES);
    uint64_t at, run;
    unsigned rights;
    mfn_t mfn;

    for (at = 0; at < nr && !err; at += run) {
        err = memory_find(ml, gfn_add(gfn, at), nr - at, &mfn, &run, &rights);
        CHECK(l.m->port, !err);
        err = check_tuples(l, mfn, run);
    }
    return err;
}

/*
 * One run of neighbours: references, entries, tuple, for which there is room; where tables ran out,
 * none of the three.
 */
static int map_run(struct m2b_locked l, struct memory_locked ml, struct space *sp, dfn_t bfn,
                   mfn_t mfn, uint64_t nr, const struct foreign_map *map, uint64_t *done)
{
    const bool held = HELD(map->tuple);
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
        err = map_run(l, ml, sp, dfn_add(map->bfn, *done), mfn, run, map, &step);
    }
    return err;
}

/* While 1:1 answers live, nothing explicit may come into their way. */
static int check_place(struct space *sp, const struct foreign_map *map)
{
    const struct domain *d = sp->d;
    int err = space_check(sp, map->bfn, BIT64(map->order));

    if (!err && d->nr_1to1 && map->bfn.n < d->window + d->s->frames.nr)
        err = -EEXIST;
    return err;
}

static int map_locked(struct space *sp, struct domain *owner, gfn_t gfn,
                      const struct foreign_map *map, bool charged, uint64_t *done,
                      struct fates *undo)
{
    const uint64_t nr = BIT64(map->order);
    struct m2b_locked l = m2b_lock(&sp->d->s->m2b);
    struct memory_locked ml = memory_lock(&owner->memory);
    struct shape shape = {0};
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
        forget_all(l, sp, map->bfn, *done, undo);
    memory_unlock(ml);
    m2b_unlock(l);
    return err;
}

int foreign_map(struct space *sp, struct domain *owner, gfn_t gfn, const struct foreign_map *map)
{
    const uint64_t nr = BIT64(map->order);
    struct memory *budget = &sp->d->memory;
    struct fates undo;
    uint64_t done = 0;
    bool charged;
    int err = check_place(sp, map);

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
    take_all(sp, map->bfn, done, &undo);
    return err;
}

/* ---- map by machine frame ----------------------------------------------------------------------
 */

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
    if (!err && owner == sp->d && HELD(map->tuple))
        err = map_own_run(ml, sp, bfn, mfn, nr, map, done);
    else if (!err)
        err = map_run(l, ml, sp, bfn, mfn, nr, map, done);
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
                             struct shape *shape)
{
    uint64_t at, run;
    int err = 0;

    for (at = 0; at < nr && !err; at += run) {
        const mfn_t first = mfn_add(mfn, at);

        run = run_of_owner(f, first, nr - at);
        err = check_machine(f, first, run, f->owner[first.n].domid, attr);
        add_run(shape, first, run, nr);
    }
    return err;
}

static int map_machine(struct m2b_locked l, struct space *sp, mfn_t mfn,
                       const struct foreign_map *map, bool charged, uint64_t *done)
{
    const struct frames *f = &sp->d->s->frames;
    const uint64_t nr = BIT64(map->order);
    struct shape shape = {0};
    uint64_t step;
    int err = check_all_machine(f, mfn, nr, map->attr, &shape);

    if (!err && !charged)
        err = -ENOMEM;
    if (!err)
        err = m2b_reserve(l, shape.nr_runs + UNDO_NODES);
    if (!err)
        err = check_tuples(l, mfn, nr);
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
    const uint64_t nr = BIT64(map->order), held = HELD(map->tuple) ? nr : 0;
    struct fates undo;
    struct m2b_locked l;
    uint64_t done = 0;
    bool charged;
    int err = check_place(sp, map);

    if (err)
        return err;
    if (mfn.n >= f->nr || nr > f->nr - mfn.n)
        return -ENXIO;
    charged = !memory_charge(&sp->d->memory, held);
    l = m2b_lock(&sp->d->s->m2b);
    err = map_machine(l, sp, mfn, map, charged, &done);
    if (err)
        forget_all(l, sp, map->bfn, done, &undo);
    m2b_unlock(l);
    if (!err) {
        sp->d->one_to_one = false;
        return 0;
    }
    if (held && charged)
        memory_uncharge(&sp->d->memory, held - done);
    take_all(sp, map->bfn, done, &undo);
    return err;
}

/* ---- lookup ------------------------------------------------------------------------------------
 */

static bool fits(const struct m2b_tuple *t, uint16_t server)
{
    return !(t->flags & M2B_NO_SERVER) &&
           (t->server == server || t->server == IOSERVID_any || server == IOSERVID_any);
}

/* The user's tuple with the lowest bus frame that is for this server. */
static bool find_for(struct m2b_locked l, mfn_t mfn, const struct domain *user, uint16_t server,
                     dfn_t *bfn)
{
    struct m2b_tuple t, *after = NULL;

    while (m2b_next(l, mfn, after, &t)) {
        *bfn = t.bfn;
        if (t.user == user && fits(&t, server))
            return true;
        after = &t;
    }
    return false;
}

static int add_1to1(struct m2b_locked l, struct memory_locked ml, struct domain *user, mfn_t mfn,
                    uint16_t server, dfn_t *bfn)
{
    struct m2b_tuple t = {.mfn = mfn,
                          .bfn = dfn_of(user->window + mfn.n),
                          .nr = 1,
                          .user = user,
                          .server = server,
                          .flags = M2B_1TO1};
    int err = check_tuples(l, mfn, 1);

    if (!err)
        err = m2b_reserve(l, 1);
    if (!err)
        err = frames_get_checked(ml.m->frames, mfn, 1);
    if (err)
        return err;
    foreign_add(l, &t);
    *bfn = t.bfn;
    return 0;
}

static int lookup_locked(struct m2b_locked l, struct memory_locked ml, struct domain *user,
                         gfn_t gfn, uint16_t server, bool charged, bool *added, dfn_t *bfn)
{
    unsigned rights;
    uint64_t nr;
    mfn_t mfn;
    int err;

    if (memory_find(ml, gfn, 1, &mfn, &nr, &rights) || any_leaving(ml.m->frames, mfn, 1))
        return -ENXIO;
    if (!rights)
        return -EPERM;
    if (find_for(l, mfn, user, server, bfn))
        return 0;
    if (!user->one_to_one)
        return -ENOENT;
    err = charged ? add_1to1(l, ml, user, mfn, server, bfn) : -ENOMEM;
    *added = !err;
    return err;
}

int foreign_lookup(struct space *sp, struct domain *owner, gfn_t gfn, uint16_t server, dfn_t *bfn)
{
    const bool charged = !memory_charge(&sp->d->memory, 1);
    struct m2b_locked l = m2b_lock(&sp->d->s->m2b);
    struct memory_locked ml = memory_lock(&owner->memory);
    bool added = false;
    int err = lookup_locked(l, ml, sp->d, gfn, server, charged, &added, bfn);

    memory_unlock(ml);
    m2b_unlock(l);
    if (charged && !added)
        memory_uncharge(&sp->d->memory, 1);
    return err;
}

/* ---- unmap -------------------------------------------------------------------------------------
 */

/* What stands at a bus frame: its entry, or a 1:1 answer. */
struct entry {
    mfn_t mfn;
    bool is_explicit;
    bool has_tuple;
    struct m2b_tuple tuple;
};

/* Of several answers for one frame, the one for this server. */
static bool find_1to1(struct m2b_locked l, const struct domain *d, dfn_t bfn, uint16_t server,
                      struct entry *e)
{
    struct m2b_tuple t, *after = NULL;
    bool any = false;

    e->mfn = mfn_of(bfn.n - d->window);
    if (bfn.n < d->window || e->mfn.n >= d->s->frames.nr)
        return false;
    for (; m2b_next(l, e->mfn, after, &t); after = &t) {
        if (t.user != d || !(t.flags & M2B_1TO1))
            continue;
        any = true;
        e->tuple = t;
        if (fits(&t, server))
            break;
    }
    return any;
}

static int find_entry(struct m2b_locked l, const struct space *sp, dfn_t bfn, uint16_t server,
                      bool local, struct entry *e)
{
    e->is_explicit = !space_find(sp, bfn, &e->mfn);
    e->has_tuple = e->is_explicit ? m2b_find(l, e->mfn, sp->d, bfn, &e->tuple)
                                  : !local && find_1to1(l, sp->d, bfn, server, e);
    if (!e->is_explicit && !e->has_tuple)
        return -ENOENT;
    if (local)
        return e->has_tuple && !(e->tuple.flags & M2B_LOCAL) ? -EPERM : 0;
    if (!e->has_tuple || (e->tuple.flags & M2B_LOCAL))
        return -EPERM;
    return fits(&e->tuple, server) ? 0 : -EPERM;
}

static bool any_1to1(struct m2b_locked l, mfn_t mfn)
{
    struct m2b_tuple t, *after = NULL;

    for (; m2b_next(l, mfn, after, &t); after = &t)
        if (t.flags & M2B_1TO1)
            return true;
    return false;
}

/* All or nothing: everything has to be right first. *first: what stands at bfn. */
static int check_entries(struct m2b_locked l, const struct space *sp, dfn_t bfn, uint64_t nr,
                         uint16_t server, bool local, struct entry *first)
{
    struct entry e;
    int err = find_entry(l, sp, bfn, server, local, first);

    if (!err && nr > 1 && !first->is_explicit)
        err = -ENOENT; /* answers are frame by frame */
    for (uint64_t i = 1; i < nr && !err; i++) {
        err = find_entry(l, sp, dfn_add(bfn, i), server, local, &e);
        if (!err && !e.is_explicit)
            err = -ENOENT;
    }
    return err;
}

/* Has its owner given it up, or begun to? */
static bool is_given_up(struct m2b_locked l, struct instance *s, mfn_t mfn)
{
    const struct frame_owner *o = &s->frames.owner[mfn.n];
    struct domain *owner = owner_of(l, s, o->domid);
    struct memory_locked ml;
    bool given_up;

    if (!owner)
        return true;
    ml = memory_lock(&owner->memory);
    given_up = !o->owned || o->leaving;
    memory_unlock(ml);
    return given_up;
}

static bool is_in_window(const struct space *sp, dfn_t bfn)
{
    struct pt_leaf leaf;

    return sp->c && !pt_lookup(&sp->c->pt, bfn, 1, &leaf) && !leaf.retired &&
           !(leaf.attr & PT_MARK);
}

/*
 * An answer goes. A frame that its owner gives up meanwhile stays in the window for the sake of its
 * answers: with the last one its entry goes, and then the reference.
 */
static bool forget_1to1(struct m2b_locked l, struct space *sp, const struct entry *e)
{
    struct instance *s = sp->d->s;

    foreign_remove(l, &e->tuple);
    if (is_given_up(l, s, e->mfn) && !any_1to1(l, e->mfn) && is_in_window(sp, e->tuple.bfn))
        return true;
    foreign_put(l, s, e->mfn, 1);
    return false;
}

static int check(struct space *sp, dfn_t bfn, uint64_t nr, uint16_t server, bool local)
{
    struct m2b_locked l = m2b_lock(&sp->d->s->m2b);
    struct entry first;
    int err = check_entries(l, sp, bfn, nr, server, local, &first);

    m2b_unlock(l);
    if (!err && sp->c)
        err = space_split(sp, bfn, nr);
    return err;
}

int foreign_unmap(struct space *sp, dfn_t bfn, unsigned order, uint16_t server, bool local)
{
    const uint64_t nr = BIT64(order);
    bool in_window = false;
    struct fates fates;
    struct m2b_locked l;
    struct entry first;
    int err = check(sp, bfn, nr, server, local);

    if (err)
        return err;
    l = m2b_lock(&sp->d->s->m2b);
    err = check_entries(l, sp, bfn, nr, server, local, &first);
    if (!err)
        err = m2b_reserve(l, 1);
    if (!err && first.is_explicit)
        forget_all(l, sp, bfn, nr, &fates);
    else if (!err)
        in_window = forget_1to1(l, sp, &first);
    m2b_unlock(l);
    if (err)
        return err;
    if (first.is_explicit)
        take_all(sp, bfn, nr, &fates);
    else if (in_window)
        space_take_implicit(sp, bfn);
    else
        memory_uncharge(&sp->d->memory, 1);
    return 0;
}

/* ---- Ends --------------------------------------------------------------------------------------
 */

/* The answers that the user has for one frame. In ascending order, no run is cut in two. */
static void end_answers(struct m2b_locked l, struct domain *user, mfn_t mfn)
{
    struct m2b_tuple t, *after = NULL;

    while (m2b_next(l, mfn, after, &t)) {
        after = &t;
        if (t.user != user || !(t.flags & M2B_1TO1))
            continue;
        foreign_remove(l, &t);
        if (!context_is_reachable(&user->ctx[0]))
            foreign_put(l, user->s, mfn, 1);
    }
}

/* The next frame from *cursor on that any tuple names. */
static bool next_named(struct m2b_locked l, const struct instance *s, mfn_t *cursor, mfn_t *mfn)
{
    if (cursor->n >= s->frames.nr || !m2b_first(l, *cursor, s->frames.nr - cursor->n, mfn))
        return false;
    *cursor = mfn_add(*mfn, 1);
    return true;
}

int foreign_end_user(struct domain *d)
{
    struct instance *s = d->s;
    struct m2b_locked l;
    bool more = true;
    mfn_t mfn;

    while (more) {
        l = m2b_lock(&s->m2b);
        more = d->nr_1to1 && next_named(l, s, &d->tuple_cursor, &mfn);
        if (more)
            end_answers(l, d, mfn);
        m2b_unlock(l);
        if (more && s->port->preempt(s->port->host))
            return -ERESTART;
    }
    return 0;
}
