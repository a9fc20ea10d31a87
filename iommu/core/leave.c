/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames leave their domain. For each frame that the reverse map names, tuple by tuple: what holds
 * nothing is taken out; if all the others may be swapped they are, else they stay; each server is
 * told. A tuple that is done with is gone or marked, so that an interrupted call goes on by looking
 * again.
 */
#include "leave.h"

#include "foreign.h"
#include "ioreq.h"
#include "nested.h"
#include "window.h"

/* In one go at the end of a domain: a step that goes on looks at the ones before it again. */
#define LEAVE_FRAMES 512u

/* What is to be done next about a frame. */
enum action { LEAVE_NOTHING, LEAVE_TAKE_OUT, LEAVE_SWAP, LEAVE_HOLD };

static bool can_swap(const struct m2b_tuple *t)
{
    return (t->flags & (M2B_SWAP | M2B_NO_REF | M2B_LEFT)) == M2B_SWAP;
}

/* The next tuple that something is to be done about. */
static enum action decide(struct m2b_locked l, mfn_t mfn, struct m2b_tuple *out)
{
    struct m2b_tuple t, *after = NULL;
    enum action action = LEAVE_NOTHING;
    bool swap = true;

    for (; m2b_next(l, mfn, after, &t); after = &t) {
        if (t.flags & M2B_NO_REF) {
            *out = t;
            return LEAVE_TAKE_OUT;
        }
        swap &= can_swap(&t);
        if (action == LEAVE_NOTHING && !(t.flags & M2B_LEFT)) {
            *out = t;
            action = LEAVE_HOLD;
        }
    }
    return action == LEAVE_HOLD && swap ? LEAVE_SWAP : action;
}

static bool has_server(const struct m2b_tuple *t)
{
    return !(t->flags & M2B_NO_SERVER);
}

static void tell(struct m2b_locked l, struct domain *d, const struct m2b_tuple *t)
{
    if (has_server(t))
        ioreq_send(l, d, t->user, t->server, t->bfn.n);
}

/* Into the place of the old entry; nothing points there in between that is not one of the two. */
static int point_at_scratch(struct space *sp, const struct m2b_tuple *t)
{
    int err = space_split(sp, t->bfn, 1);

    if (err)
        return err;
    CHECK(sp->d->s->port, !pt_point(&sp->c->pt, t->bfn, sp->d->scratch));
    space_touch(sp, t->bfn, 1);
    return 0;
}

/* The mapping is of the scratch frame from now on, and holds nothing. */
static int swap(struct m2b_locked l, struct space *sp, const struct m2b_tuple *t)
{
    struct instance *s = sp->d->s;
    struct m2b_tuple scratch = *t;
    int err = m2b_reserve(l, 2);

    if (!err)
        err = point_at_scratch(sp, t);
    if (err)
        return err;
    foreign_remove(l, t);
    scratch.mfn = sp->d->scratch;
    scratch.flags |= M2B_NO_REF;
    foreign_add(l, &scratch);
    err = space_settle(sp);
    if (!err)
        foreign_put(l, s, t->mfn, 1);
    return err;
}

static int take_out(struct m2b_locked l, struct space *sp, const struct m2b_tuple *t)
{
    int err = m2b_reserve(l, 1);

    if (!err)
        err = space_split(sp, t->bfn, 1);
    if (err)
        return err;
    foreign_remove(l, t);
    space_take(sp, t->bfn, 1, SPACE_BARE);
    return space_settle(sp);
}

/* Where the user's table changes: with its space entered, if the tuple is still as it was. */
static int change(struct domain *d, struct space *sp, const struct m2b_tuple *t, enum action action)
{
    struct m2b_locked l = m2b_lock(&d->s->m2b);
    const bool swaps = action == LEAVE_SWAP;
    struct m2b_tuple now;
    int err = decide(l, t->mfn, &now) == action && now.user == t->user && now.bfn.n == t->bfn.n
                  ? 0
                  : -ERESTART;

    if (!err)
        err = swaps ? swap(l, sp, t) : take_out(l, sp, t);
    if (swaps && (!err || err == -EIO))
        tell(l, d, t);
    (void)space_settle(sp); /* a leaf that was split in vain */
    m2b_unlock(l);
    if (swaps && !err)
        memory_uncharge(&sp->d->memory, 1);
    return err;
}

static int enter_and_change(struct domain *d, uint16_t domid, const struct m2b_tuple *t,
                            enum action action)
{
    struct domain *user = domain_pin(d->s, domid);
    struct space sp;
    int err = user && user == t->user ? 0 : -ERESTART; /* it ends: its tuples go anyway */

    if (!err)
        err = space_enter(user, &sp);
    if (!err) {
        err = change(d, &sp, t, action);
        space_leave(&sp);
    }
    if (user)
        domain_unpin(user);
    return err;
}

static int hold(struct m2b_locked l, struct domain *d, const struct m2b_tuple *t)
{
    struct m2b_tuple left = *t;
    int err = m2b_reserve(l, 2);

    if (err)
        return err;
    left.flags |= M2B_LEFT;
    m2b_mark(l, &left);
    tell(l, d, t);
    return 0;
}

/* One tuple. 0 with *more false when there is nothing left to do. */
static int step(struct domain *d, mfn_t mfn, bool wait, bool *more)
{
    struct m2b_locked l = m2b_lock(&d->s->m2b);
    struct m2b_tuple t;
    enum action action = decide(l, mfn, &t);
    uint16_t domid = 0;
    int err = 0;

    *more = action != LEAVE_NOTHING;
    if (*more)
        domid = t.user->domid;
    if (action >= LEAVE_SWAP && wait && has_server(&t) &&
        !ioreq_room(l, d, t.user, t.server, t.bfn.n))
        err = -ERESTART;
    if (!err && action == LEAVE_HOLD)
        err = hold(l, d, &t);
    m2b_unlock(l);
    if (!err && (action == LEAVE_SWAP || action == LEAVE_TAKE_OUT))
        err = enter_and_change(d, domid, &t, action);
    return err;
}

static int leave_frame(struct domain *d, mfn_t mfn, bool wait)
{
    const struct sluice_port *port = d->s->port;
    bool more = true, failed = false;
    int err = 0;

    while (!err && more) {
        err = step(d, mfn, wait, &more);
        failed |= err == -EIO;
        if (err == -EIO)
            err = 0;
        if (!err && more && port->preempt(port->host))
            err = -ERESTART;
    }
    return err ? err : failed ? -EIO : 0;
}

static bool next_named(struct domain *d, mfn_t mfn, uint64_t nr, mfn_t *out)
{
    struct m2b_locked l = m2b_lock(&d->s->m2b);
    const bool found = m2b_first(l, mfn, nr, out);

    m2b_unlock(l);
    return found;
}

static bool is_answered(struct domain *d, mfn_t mfn)
{
    struct m2b_locked l = m2b_lock(&d->s->m2b);
    struct m2b_tuple t, *after = NULL;
    bool found = false;

    for (; !found && m2b_next(l, mfn, after, &t); after = &t)
        found = t.flags & M2B_1TO1;
    m2b_unlock(l);
    return found;
}

/* The first frame of [mfn, end) that a 1:1 lookup holds, or end. */
static mfn_t first_answered(struct domain *d, mfn_t mfn, mfn_t end)
{
    for (; mfn.n < end.n && next_named(d, mfn, end.n - mfn.n, &mfn); mfn = mfn_add(mfn, 1))
        if (is_answered(d, mfn))
            return mfn;
    return end;
}

typedef int (*window_step)(const struct domain *owner, mfn_t mfn, uint64_t nr);

/* Those stay in the window; `each` is done with the others. */
static int leave_window(struct domain *d, mfn_t mfn, uint64_t nr, window_step each)
{
    const mfn_t end = mfn_add(mfn, nr);
    mfn_t held;
    int err = 0;

    for (; mfn.n < end.n && !err; mfn = mfn_add(held, 1)) {
        held = first_answered(d, mfn, end);
        if (held.n > mfn.n)
            err = each(d, mfn, held.n - mfn.n);
    }
    return err;
}

/* Neighbouring frames of the domain, marked as leaving. */
static int leave_run(struct domain *d, mfn_t mfn, uint64_t nr, bool wait)
{
    const uint64_t end = mfn.n + nr;
    bool failed = false;
    mfn_t at = mfn;
    int err = 0;

    for (; !err && at.n < end && next_named(d, at, end - at.n, &at); at = mfn_add(at, 1)) {
        err = leave_frame(d, at, wait);
        failed |= err == -EIO;
        if (err == -EIO)
            err = 0;
    }
    if (!err)
        err = leave_window(d, mfn, nr, window_remove);
    return !err && failed ? -EIO : err;
}

/* The run of frames at gfn. */
static mfn_t mark_run(struct domain *d, gfn_t gfn, uint64_t max, bool leaving, uint64_t *nr)
{
    struct memory_locked l = memory_lock(&d->memory);
    unsigned rights;
    mfn_t mfn;

    CHECK(d->s->port, !memory_find(l, gfn, max, &mfn, nr, &rights));
    memory_mark(l, mfn, *nr, leaving);
    memory_unlock(l);
    return mfn;
}

/*
 * They stay after all. What a window cannot have back for lack of memory, it does without. Another
 * range with some of them that waits to go on begins again: shadows may have them now.
 */
static void undo(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    uint64_t at, run;

    l.d->leaving.nr = 0;
    for (at = 0; at < nr; at += run) {
        const mfn_t mfn = mark_run(l.d, gfn_add(gfn, at), nr - at, false, &run);
        const uint8_t type = l.d->s->frames.owner[mfn.n].type;

        (void)window_add(l.d, mfn, run, memory_rights(memory_attr(type)));
    }
}

/* From here on nobody maps them. What can lack memory comes first. */
static int prepare(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    bool failed = false;
    uint64_t at, run;
    mfn_t mfn;
    int err = 0;

    for (at = 0; at < nr && !err; at += run) {
        mfn = mark_run(l.d, gfn_add(gfn, at), nr - at, true, &run);
        err = leave_window(l.d, mfn, run, window_prepare_remove);
        failed |= err == -EIO;
        if (err == -EIO)
            err = 0;
    }
    return !err && failed ? -EIO : err;
}

int leave_frames(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    int err = prepare(l, gfn, nr);
    bool failed = err == -EIO;
    uint64_t at, run;
    mfn_t mfn;

    if (failed)
        err = 0;
    for (at = 0; at < nr && !err; at += run) {
        mfn = mark_run(l.d, gfn_add(gfn, at), nr - at, true, &run);
        err = leave_run(l.d, mfn, run, true);
        failed |= err == -EIO;
        if (err == -EIO)
            err = 0;
    }
    if (!err) /* last: what it has taken out, nothing brings back */
        err = nested_leave(l, gfn, nr);
    if (err == -ENOMEM)
        undo(l, gfn, nr);
    return !err && failed ? -EIO : err;
}

static int first_leaf(void *arg, const struct pt_leaf *leaf)
{
    *(struct pt_leaf *)arg = *leaf;
    return 1;
}

/* The next frames of the memory map from the cursor on, all of one leaf. */
static bool next_run(struct domain *d, mfn_t *mfn, uint64_t *nr)
{
    const uint64_t end = pt_nr_dfns(&d->memory.map);
    struct memory_locked l = memory_lock(&d->memory);
    struct pt_leaf leaf;
    const bool found = d->leave_cursor.n < end && pt_walk(&d->memory.map, dfn_of(d->leave_cursor.n),
                                                          dfn_of(end - 1), first_leaf, &leaf);
    uint64_t before;

    if (found) {
        before = d->leave_cursor.n > leaf.dfn.n ? d->leave_cursor.n - leaf.dfn.n : 0;
        *mfn = mfn_add(leaf.mfn, before);
        *nr = BIT64(leaf.lg2 - FRAME_LG2) - before;
        if (*nr > LEAVE_FRAMES)
            *nr = LEAVE_FRAMES;
        d->leave_cursor = gfn_of(leaf.dfn.n + before);
        memory_mark(l, *mfn, *nr, true);
    }
    memory_unlock(l);
    return found;
}

/* A failed unit may still reach them: for it, a reference that never goes. */
static void lose(struct domain *d, mfn_t mfn, uint64_t nr)
{
    struct memory_locked l = memory_lock(&d->memory);

    frames_get(&d->s->frames, mfn, nr);
    memory_unlock(l);
    instance_event(d->s, SLUICE_EVENT_FRAMES_LOST, -EIO, "leave_all", nr, 0);
}

int leave_all(struct domain *d)
{
    const struct sluice_port *port = d->s->port;
    uint64_t nr;
    mfn_t mfn;
    int err;

    while (next_run(d, &mfn, &nr)) {
        err = leave_run(d, mfn, nr, false);
        if (err == -EIO)
            lose(d, mfn, nr);
        else if (err)
            return -ERESTART;
        d->leave_cursor = gfn_add(d->leave_cursor, nr);
        if (port->preempt(port->host))
            return -ERESTART;
    }
    return 0;
}
