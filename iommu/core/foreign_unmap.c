/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap_page and unmap_foreign_page. */
#include "foreign_internal.h"

#include "window.h"

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
        if (foreign_fits(&t, server))
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
    return foreign_fits(&e->tuple, server) ? 0 : -EPERM;
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
    struct domain *owner = foreign_owner(l, s, o->domid);
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
    struct foreign_fates fates;
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
        foreign_forget_all(l, sp, bfn, nr, &fates);
    else if (!err)
        in_window = forget_1to1(l, sp, &first);
    m2b_unlock(l);
    if (err)
        return err;
    if (first.is_explicit)
        foreign_take_all(sp, bfn, nr, &fates);
    else if (in_window)
        space_take_implicit(sp, bfn);
    else
        memory_uncharge(&sp->d->memory, 1);
    return 0;
}
