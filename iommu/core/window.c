/* SPDX-License-Identifier: BSD-2-Clause */
/* The 1:1 window. */
#include "window.h"

#include "domain.h"
#include "reserved.h"

static bool take_place(struct domain *d)
{
    struct instance_locked l = instance_lock(d->s);
    const bool is_free = !d->s->window;

    if (is_free)
        d->s->window = d;
    instance_unlock(l);
    return is_free;
}

/* NULL: nobody has one, or (*dying) it is about to end. */
static struct domain *pin(struct instance *s, bool *dying)
{
    struct instance_locked l = instance_lock(s);
    struct domain *d = s->window;

    *dying = d && d->dying;
    if (*dying)
        d = NULL;
    if (d)
        d->pins++;
    instance_unlock(l);
    return d;
}

/* Entries of frames that the domain does not want any more do not come. */
static bool is_unwanted(const struct domain *d, const struct domain *owner)
{
    return d != owner && d->dropped != WINDOW_WHOLE;
}

/* What is explicit keeps its place. */
static int put(struct space *sp, mfn_t mfn, uint64_t nr, unsigned rights)
{
    const uint64_t base = sp->d->window;
    uint64_t at, done;
    int err;

    for (at = 0; at < nr; at += done) {
        err = pt_map(&sp->c->pt, dfn_of(base + mfn.n + at), mfn_add(mfn, at), nr - at, 30, rights,
                     &done);
        if (err == -EEXIST)
            done = 1;
        else if (err)
            return -ENOMEM;
        else if (sp->d->s->caching_mode)
            space_touch(sp, dfn_of(base + mfn.n + at), done);
        sp->d->window_changes += err ? 0 : done;
    }
    return 0;
}

int window_take(struct space *sp, mfn_t mfn, uint64_t nr)
{
    const uint64_t base = sp->d->window;
    struct pt_leaf leaf;
    uint64_t at, done;
    int err = space_split(sp, dfn_of(base + mfn.n), nr);

    for (at = 0; at < nr && !err; at += done) {
        const dfn_t bfn = dfn_of(base + mfn.n + at);
        struct pt_freed freed = {0};

        done = 1;
        if (pt_lookup(&sp->c->pt, bfn, nr - at, &leaf))
            continue;
        done = leaf.nr;
        if (leaf.retired || (leaf.attr & PT_MARK))
            continue;
        CHECK(sp->d->s->port, !pt_unmap(&sp->c->pt, bfn, leaf.nr, &freed, &done));
        space_touch(sp, bfn, done);
        sp->d->window_changes += done;
    }
    return err;
}

/* Frames with the same type of an owner, from mfn on. */
static uint64_t run_of(const struct frames *f, mfn_t mfn)
{
    const struct frame_owner *o = &f->owner[mfn.n];
    uint64_t n = 1;

    while (mfn.n + n < f->nr && o[n].owned == o->owned && o[n].type == o->type)
        n++;
    return n;
}

static int put_all(struct space *sp)
{
    const struct frames *f = &sp->d->s->frames;
    uint64_t nr;
    int err = 0;

    for (mfn_t at = mfn_of(0); at.n < f->nr && !err; at = mfn_add(at, nr)) {
        const struct frame_owner *o = &f->owner[at.n];
        const unsigned rights = o->owned ? memory_rights(memory_attr(o->type)) : 0;

        nr = run_of(f, at);
        if (rights)
            err = put(sp, at, nr, rights);
    }
    return err;
}

int window_open(struct domain *d)
{
    struct space sp;
    int err;

    if (!d->s->translates)
        return 0;
    if (d->window > pt_nr_dfns(&d->ctx[0].pt) ||
        d->s->frames.nr > pt_nr_dfns(&d->ctx[0].pt) - d->window)
        return -EINVAL;
    if (!take_place(d))
        return -EBUSY;
    err = space_enter_implicit(d, &sp);
    CHECK(d->s->port, !err);
    err = put_all(&sp);
    (void)space_settle(&sp); /* no device is there yet */
    space_leave(&sp);
    return err;
}

void window_close(struct domain *d)
{
    struct instance_locked l = instance_lock(d->s);

    if (d->s->window == d)
        d->s->window = NULL;
    instance_unlock(l);
}

/* All, or none. Where a device has a region nothing else may be. */
static int put_new(struct space *sp, mfn_t mfn, uint64_t nr, unsigned rights)
{
    const uint64_t first = sp->d->window + mfn.n;
    int err;

    if (reserved_touches(sp->c, dfn_of(first), dfn_of(first + nr - 1)))
        return -EADDRNOTAVAIL;
    err = put(sp, mfn, nr, rights);
    if (err)
        (void)window_take(sp, mfn, nr);
    return err;
}

#define NOT_THERE 1

/* NOT_THERE: frames of that owner are not in the window, and never will be. -EIO: nor these, but
 * they may still be reached. */
static int enter(struct domain *d, const struct domain *owner, struct space *sp)
{
    int err;

    if (d != owner && d->dropped == WINDOW_DROPPED)
        return NOT_THERE;
    err = space_enter_implicit(d, sp);
    if (err || d == owner || d->dropped != WINDOW_STUCK) /* only now: it may just have got stuck */
        return err;
    space_leave(sp);
    return -EIO;
}

int window_add(const struct domain *owner, mfn_t mfn, uint64_t nr, unsigned rights)
{
    bool dying;
    struct domain *d = rights ? pin(owner->s, &dying) : NULL;
    struct space sp;
    int err;

    if (!d)
        return 0;
    err = enter(d, owner, &sp);
    if (!err) {
        err = is_unwanted(d, owner) ? 0 : put_new(&sp, mfn, nr, rights);
        if (space_settle(&sp))
            err = -EIO;
        space_leave(&sp);
    }
    domain_unpin(d);
    return err == NOT_THERE ? 0 : err;
}

int window_prepare_remove(const struct domain *owner, mfn_t mfn, uint64_t nr)
{
    bool dying;
    struct domain *d = pin(owner->s, &dying);
    struct space sp;
    int err;

    if (!d)
        return dying ? -ERESTART : 0;
    err = enter(d, owner, &sp);
    if (!err) {
        err = space_split(&sp, dfn_of(d->window + mfn.n), nr);
        if (space_settle(&sp))
            err = -EIO;
        space_leave(&sp);
    }
    domain_unpin(d);
    return err == NOT_THERE ? 0 : err;
}

int window_remove(const struct domain *owner, mfn_t mfn, uint64_t nr)
{
    bool dying;
    struct domain *d = pin(owner->s, &dying);
    struct space sp;
    int err;

    if (!d)
        return dying ? -ERESTART : 0; /* its devices may still be there */
    err = enter(d, owner, &sp);
    if (!err) {
        err = window_take(&sp, mfn, nr);
        if (space_settle(&sp))
            err = -EIO;
        space_leave(&sp);
    }
    domain_unpin(d);
    return err == NOT_THERE ? 0 : err;
}
