/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain gives up what its 1:1 window has of others. */
#include "foreign.h"

#include "domain.h"
#include "window.h"

#define STEP 65536u /* frames between two chances to stop */

static bool answers_are_held(struct domain *d)
{
    struct m2b_locked l = m2b_lock(&d->s->m2b);
    const bool any = d->nr_1to1;

    m2b_unlock(l);
    return any;
}

/* From here on it gets no device that is not protected, and no frame of others' comes. */
static int begin(struct space *sp)
{
    struct domain *d = sp->d;
    struct domain_locked l;
    int err = 0;

    if (!sp->c || d->space == SLUICE_SPACE_OWN)
        return -EPERM;
    if (d->dropped != WINDOW_WHOLE)
        return 0;
    if (answers_are_held(d)) /* by others they can only get fewer */
        return -EBUSY;
    l = domain_lock(d);
    if (d->nr_exposed)
        err = -EPERM;
    else
        d->dropped = WINDOW_DROPPING;
    domain_unlock(l);
    if (!err)
        d->one_to_one = false;
    return err;
}

/* A frame comes into the window, or goes, in this space only: what is there is not moving. */
static bool is_own(const struct domain *d, mfn_t mfn)
{
    const struct frame_owner *o = &d->s->frames.owner[mfn.n];

    return o->owned && o->domid == d->domid;
}

static uint64_t run_of(const struct domain *d, mfn_t mfn, uint64_t end)
{
    const bool own = is_own(d, mfn);
    uint64_t nr = 1;

    while (mfn.n + nr < end && is_own(d, mfn_add(mfn, nr)) == own)
        nr++;
    return nr;
}

/* The frames up to `end`. */
static int drop_until(struct space *sp, uint64_t end)
{
    struct domain *d = sp->d;
    uint64_t nr;
    int err = 0;

    while (!err && d->drop_cursor.n < end) {
        nr = run_of(d, d->drop_cursor, end);
        if (!is_own(d, d->drop_cursor))
            err = window_take(sp, d->drop_cursor, nr);
        if (!err)
            d->drop_cursor = mfn_add(d->drop_cursor, nr);
    }
    return err;
}

/* The tables that larger leaves are split into are the host's affair, like those leaves. */
static int drop_step(struct space *sp)
{
    struct domain *d = sp->d;
    const uint64_t left = d->s->frames.nr - d->drop_cursor.n;
    const uint32_t tables = d->default_pages.used;
    int err;

    d->default_pages.limit = SLUICE_NO_LIMIT;
    err = drop_until(sp, d->drop_cursor.n + (left < STEP ? left : STEP));
    d->implicit_tables += d->default_pages.used - tables;
    if (!space_settle(sp))
        return err;
    d->dropped = WINDOW_STUCK;
    return -EIO;
}

int foreign_drop_window(struct space *sp)
{
    struct domain *d = sp->d;
    int err = begin(sp);

    if (err || d->dropped == WINDOW_DROPPED)
        return err;
    if (d->dropped == WINDOW_STUCK)
        return -EIO;
    err = drop_step(sp);
    if (err)
        return err;
    if (d->drop_cursor.n < d->s->frames.nr)
        return -ERESTART;
    d->dropped = WINDOW_DROPPED;
    return 0;
}
