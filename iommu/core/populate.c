/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory that comes to a domain and goes again: the host's sluice_memory_* calls. Identity contexts
 * follow, flushed, before a frame is let go.
 */
#include "identity.h"
#include "leave.h"
#include "reserved.h"
#include "space.h"
#include "window.h"

typedef void (*each_run)(struct frames *f, mfn_t first, uint64_t nr);

static void each_freed(struct memory_locked l, const struct pt_freed *freed, each_run each)
{
    for (unsigned i = 0; each && i < freed->nr_runs; i++)
        each(l.m->frames, freed->run[i].first, freed->run[i].nr);
}

/* What pt_unmap left retired in a range; no hardware walks this table, so no flush stands between.
 */
static void remove_retired(struct memory_locked l, dfn_t at, uint64_t nr, each_run each)
{
    uint64_t back, done;

    for (back = 0; back < nr; back += done) {
        struct pt_freed freed = {0};

        pt_release(&l.m->map, dfn_add(at, back), nr - back, &freed, &done);
        each_freed(l, &freed, each);
    }
}

/* Takes [gfn, gfn + nr), which is there, out of the map. */
static void map_remove(struct memory_locked l, gfn_t gfn, uint64_t nr, each_run each)
{
    uint64_t at, done;

    for (at = 0; at < nr; at += done) {
        const dfn_t dfn = dfn_of(gfn.n + at);
        struct pt_freed freed = {0};
        int err = pt_unmap(&l.m->map, dfn, nr - at, &freed, &done);

        CHECK(l.m->frames->port, !err);
        each_freed(l, &freed, each);
        if (freed.retired)
            remove_retired(l, dfn, done, each);
    }
    l.m->nr -= nr;
}

static int map_add(struct memory_locked l, gfn_t gfn, mfn_t mfn, uint64_t nr, unsigned attr)
{
    uint64_t at, done;
    int err;

    for (at = 0; at < nr; at += done) {
        err = pt_map(&l.m->map, dfn_of(gfn.n + at), mfn_add(mfn, at), nr - at, 30, attr, &done);
        if (err) {
            map_remove(l, gfn, at, NULL);
            return err == -ENOSPC ? -ENOMEM : err;
        }
        l.m->nr += done;
    }
    return 0;
}

/* The frames get their record, once among all domains. */
static int give(struct domain *d, gfn_t gfn, mfn_t mfn, uint64_t nr, enum sluice_frame_type type)
{
    struct instance_locked l = instance_lock(d->s);
    int err = frames_give(d->memory.frames, mfn, nr, d->domid, gfn, type);

    instance_unlock(l);
    return err;
}

static int show(struct memory *m, gfn_t gfn, mfn_t mfn, uint64_t nr, enum sluice_frame_type type)
{
    struct memory_locked l = memory_lock(m);
    int err = map_add(l, gfn, mfn, nr, memory_attr(type));

    memory_unlock(l);
    return err;
}

/*
 * The identity maps come first: what the memory map shows can be mapped, and referenced, by a call
 * at once, and then there is no way back.
 */
static int show_everywhere(struct domain_locked l, gfn_t gfn, mfn_t mfn, uint64_t nr,
                           enum sluice_frame_type type)
{
    const unsigned rights = memory_rights(memory_attr(type));
    int err = rights ? identity_add(l, gfn, mfn, nr, rights) : 0;

    if (err)
        return err;
    err = show(&l.d->memory, gfn, mfn, nr, type);
    if (err && rights && identity_take_back(l, gfn, nr))
        err = -EIO;
    return err;
}

static int add(struct domain_locked l, gfn_t gfn, mfn_t mfn, uint64_t nr,
               enum sluice_frame_type type)
{
    const unsigned rights = memory_rights(memory_attr(type));
    struct memory *m = &l.d->memory;
    int err = give(l.d, gfn, mfn, nr, type);

    if (err)
        return err;
    err = window_add(l.d, mfn, nr, rights);
    if (!err) {
        err = show_everywhere(l, gfn, mfn, nr, type);
        if (err && window_remove(l.d, mfn, nr))
            err = -EIO; /* somebody is at work there now: as if it could still be reached */
    }
    if (err == -EIO)
        frames_lose(m->frames, mfn, nr);
    else if (err)
        frames_take_back(m->frames, mfn, nr);
    return err;
}

static int check_gfns(const struct domain *d, gfn_t gfn, uint64_t nr)
{
    const uint64_t end = pt_nr_dfns(&d->memory.map);

    return nr && nr <= end && gfn.n <= end - nr ? 0 : -EINVAL;
}

static int found(void *arg, const struct pt_leaf *leaf)
{
    (void)arg;
    (void)leaf;
    return -EEXIST;
}

/* Calls of the frames ABI, which edit the space that follows the memory map, wait. */
static int enter(struct domain *d, struct space *sp)
{
    *sp = (struct space){.d = d};
    return d->ctx[0].identity ? space_enter_implicit(d, sp) : 0;
}

int sluice_memory_add(struct sluice_domain *sd, gfn_t gfn, mfn_t mfn, uint64_t nr,
                      enum sluice_frame_type type)
{
    struct domain *d = domain_of(sd);
    struct domain_locked l;
    struct space sp;
    int err;

    if (type == SLUICE_FRAME_HOST || type > SLUICE_FRAME_PRIVATE || check_gfns(d, gfn, nr))
        return -EINVAL;
    if (d->direct_mapped && gfn.n != mfn.n)
        return -EINVAL;
    if (reserved_is_msi(gfn.n, gfn.n + nr - 1))
        return -EADDRNOTAVAIL;
    l = domain_lock(d);
    err = d->dying ? -ENODEV : 0;
    if (!err)
        err = identity_check(l, gfn, nr);
    if (!err)
        err = pt_walk(&d->memory.map, dfn_of(gfn.n), dfn_of(gfn.n + nr - 1), found, NULL);
    if (!err)
        err = enter(d, &sp);
    if (!err) {
        err = add(l, gfn, mfn, nr, type);
        space_leave(&sp);
    }
    domain_unlock(l);
    return err;
}

static int check_all_there(struct memory_locked l, gfn_t gfn, uint64_t nr)
{
    uint64_t at = 0, run;
    unsigned rights;
    mfn_t mfn;

    while (at < nr) {
        if (memory_find(l, gfn_add(gfn, at), nr - at, &mfn, &run, &rights))
            return -ENOENT;
        at += run;
    }
    return 0;
}

/* So that the range begins and ends with whole leaves: what may fail of a removal. */
static int prepare_remove(struct memory *m, gfn_t gfn, uint64_t nr)
{
    struct memory_locked l = memory_lock(m);
    int err = check_all_there(l, gfn, nr);
    bool split;

    if (!err)
        err = identity_split_ends(&m->map, dfn_of(gfn.n), nr, &split);
    memory_unlock(l);
    return err;
}

/* All that can lack memory, before anything goes. */
static int prepare_identity(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    struct space sp;
    int err = enter(l.d, &sp);

    if (err)
        return err;
    err = identity_prepare_remove(l, gfn, nr);
    space_leave(&sp);
    return err;
}

/* Nobody else is about to use them. `failed`: some may be reached all the same. */
static int remove_frames(struct domain_locked l, gfn_t gfn, uint64_t nr, int failed)
{
    struct memory_locked ml;
    struct space sp;
    int err = enter(l.d, &sp);

    if (err)
        return err;
    err = identity_remove(l, gfn, nr);
    if (failed)
        instance_event(l.d->s, SLUICE_EVENT_FRAMES_LOST, failed, "remove_frames", nr, 0);
    if (!err)
        err = failed;
    if (!err || err == -EIO) {
        ml = memory_lock(&l.d->memory);
        map_remove(ml, gfn, nr, err ? frames_lose : frames_disown);
        ml.m->nr_leaving -= nr;
        memory_unlock(ml);
    }
    space_leave(&sp);
    return err;
}

int sluice_memory_remove(struct sluice_domain *sd, gfn_t gfn, uint64_t nr)
{
    struct domain *d = domain_of(sd);
    struct domain_locked l;
    bool failed;
    int err;

    if (check_gfns(d, gfn, nr))
        return -EINVAL;
    l = domain_lock(d);
    err = prepare_remove(&d->memory, gfn, nr);
    if (!err)
        err = prepare_identity(l, gfn, nr);
    failed = err == -EIO || d->lost;
    if (!err || err == -EIO)
        err = leave_frames(l, gfn, nr);
    if (!err || err == -EIO)
        err = remove_frames(l, gfn, nr, failed ? -EIO : err);
    domain_unlock(l);
    return err;
}

int sluice_memory_lookup(struct sluice_domain *sd, gfn_t gfn, mfn_t *mfn)
{
    struct domain *d = domain_of(sd);
    struct memory_locked l = memory_lock(&d->memory);
    unsigned rights;
    uint64_t nr;
    int err = memory_find(l, gfn, 1, mfn, &nr, &rights);

    memory_unlock(l);
    return err;
}
