/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's memory map and the references that its mappings hold. */
#include "memory.h"

#include "domain.h"
#include "identity.h"
#include "reserved.h"

#define PRIVATE PT_WRITE /* how the map writes "not for devices" */

static const unsigned attr_of_type[] = {
    [SLUICE_FRAME_RAM] = PT_READ | PT_WRITE,
    [SLUICE_FRAME_READONLY] = PT_READ,
    [SLUICE_FRAME_PRIVATE] = PRIVATE,
};

unsigned memory_rights(unsigned attr)
{
    return attr == PRIVATE ? 0 : attr;
}

int memory_init(struct memory *m, struct frames *frames, uint32_t refs_limit)
{
    const struct pt_format *format = pt_format(PT_FORMAT_VTDSS);
    const struct pt_geometry geo = {
        .format = format, .levels = 4, .iova_bits = 48, .leaf_sizes = format->leaf_sizes};

    m->frames = frames;
    m->refs = 0;
    /* A frame's count has 32 bits and holds the owner's reference too: it must not overflow. */
    m->refs_limit = refs_limit < UINT32_MAX ? refs_limit : UINT32_MAX - 1;
    m->pages = (struct pt_pages){.port = frames->port, .limit = UINT32_MAX};
    return pt_init(&m->map, &geo, &m->pages);
}

static void reap_run(void *arg, mfn_t first, uint64_t nr)
{
    frames_disown(arg, first, nr);
}

bool memory_reap(struct memory *m)
{
    struct memory_locked l = memory_lock(m);
    bool more = pt_reap(&m->map, reap_run, m->frames);

    memory_unlock(l);
    return more;
}

void memory_fini(struct memory *m)
{
    pt_fini(&m->map);
}

int memory_find(struct memory_locked l, gfn_t gfn, uint64_t max, mfn_t *mfn, uint64_t *nr,
                unsigned *rights)
{
    struct pt_leaf leaf;

    if (gfn.n >= pt_nr_dfns(&l.m->map))
        return -ENOENT;
    if (pt_lookup(&l.m->map, dfn_of(gfn.n), max, &leaf))
        return -ENOENT;
    *mfn = leaf.mfn;
    *nr = leaf.nr;
    *rights = memory_rights(leaf.attr);
    return 0;
}

struct list {
    gfn_t next;
    uint64_t left;
    unsigned rights;
    mfn_t *mfn;
};

static int list_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct list *list = arg;
    const uint64_t from = list->next.n - leaf->dfn.n;
    uint64_t nr = BIT64(leaf->lg2 - FRAME_LG2);

    if (leaf->dfn.n > list->next.n || (list->rights & ~memory_rights(leaf->attr)))
        return 1;
    nr = nr - from < list->left ? nr - from : list->left;
    for (uint64_t i = 0; i < nr; i++)
        *list->mfn++ = mfn_add(leaf->mfn, from + i);
    list->next = gfn_add(list->next, nr);
    list->left -= nr;
    return !list->left;
}

uint64_t memory_list(struct memory_locked l, gfn_t gfn, uint64_t max, unsigned rights, mfn_t *mfn)
{
    const uint64_t end = pt_nr_dfns(&l.m->map);
    struct list list = {.next = gfn, .left = max, .rights = rights, .mfn = mfn};

    if (gfn.n >= end)
        return 0;
    if (max > end - gfn.n)
        list.left = max = end - gfn.n;
    (void)pt_walk(&l.m->map, dfn_of(gfn.n), dfn_of(gfn.n + max - 1), list_leaf, &list);
    return max - list.left;
}

uint64_t memory_afford(struct memory_locked l, uint64_t nr)
{
    const uint64_t left = l.m->refs_limit - l.m->refs;

    return left < nr ? left : nr;
}

int memory_get(struct memory_locked l, mfn_t mfn, uint64_t nr)
{
    if (memory_afford(l, nr) < nr)
        return -ENOMEM;
    l.m->refs += (uint32_t)nr;
    frames_get(l.m->frames, mfn, nr);
    return 0;
}

void memory_put(struct memory_locked l, mfn_t mfn, uint64_t nr)
{
    l.m->refs -= (uint32_t)nr;
    frames_put(l.m->frames, mfn, nr);
}

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
    int err = map_add(l, gfn, mfn, nr, attr_of_type[type]);

    memory_unlock(l);
    return err;
}

/*
 * The identity maps come first: what the memory map shows can be mapped, and referenced, by a call
 * at once, and then there is no way back.
 */
static int add(struct domain_locked l, gfn_t gfn, mfn_t mfn, uint64_t nr,
               enum sluice_frame_type type)
{
    const unsigned rights = memory_rights(attr_of_type[type]);
    struct memory *m = &l.d->memory;
    int err = give(l.d, gfn, mfn, nr, type);

    if (err)
        return err;
    err = rights ? identity_add(l, gfn, mfn, nr, rights) : 0;
    if (!err) {
        err = show(m, gfn, mfn, nr, type);
        if (err && rights && identity_take_back(l, gfn, nr))
            err = -EIO;
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

int sluice_memory_add(struct sluice_domain *sd, gfn_t gfn, mfn_t mfn, uint64_t nr,
                      enum sluice_frame_type type)
{
    struct domain *d = domain_of(sd);
    struct domain_locked l;
    int err;

    if (type == SLUICE_FRAME_HOST || type > SLUICE_FRAME_PRIVATE || check_gfns(d, gfn, nr))
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
        err = add(l, gfn, mfn, nr, type);
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

int sluice_memory_remove(struct sluice_domain *sd, gfn_t gfn, uint64_t nr)
{
    struct domain *d = domain_of(sd);
    struct memory_locked ml;
    struct domain_locked l;
    int err;

    if (check_gfns(d, gfn, nr))
        return -EINVAL;
    l = domain_lock(d);
    err = prepare_remove(&d->memory, gfn, nr);
    if (!err)
        err = identity_remove(l, gfn, nr);
    if (!err || err == -EIO) {
        ml = memory_lock(&d->memory);
        map_remove(ml, gfn, nr, err ? frames_lose : frames_disown);
        memory_unlock(ml);
    }
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
