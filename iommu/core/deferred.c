/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred contexts. Pending ranges are a ring, which records are numbered through for ever:
 *
 *   head <= flushed <= sealed <= tail
 *
 * Those before `flushed` are to be released, those before `sealed` are in the flush that runs now.
 * Whoever settles is alone in moving the first three; the context's lock guards all of it.
 */
#include "deferred.h"

#include "flush.h"

#define RANGES 512u
#define MERGED 4096u /* frames of a range that grows */

/* What forces a flush, beside time. Calls may be at work while it runs: there is room for as much
 * again. */
#define MOST_RANGES (RANGES / 2)
#define MOST_FRAMES 65536u

struct deferred {
    struct context *c;
    struct deferred *prev, *next; /* of those that have something pending: instance's lock */
    bool listed;
    bool settling;
    _Atomic uint64_t since; /* the oldest that is not sealed */
    uint64_t head, flushed, sealed, tail;
    uint64_t frames;
    struct {
        dfn_t first;
        uint64_t nr;
    } range[RANGES];
};

/* `now` is what the clock said before; somebody may have unmapped since. */
static bool is_late(const struct deferred *d, uint64_t now)
{
    const uint64_t since = d->since;

    return now > since && now - since >= d->c->s->defer_ns;
}

/* ---- The instance's list: the oldest first, more or less ---------------------------------------
 */

static void unlist(struct instance_locked l, struct deferred *d)
{
    if (!d->listed)
        return;
    *(d->prev ? &d->prev->next : &l.s->pending) = d->next;
    *(d->next ? &d->next->prev : &l.s->last_pending) = d->prev;
    d->listed = false;
}

static void enlist(struct instance_locked l, struct deferred *d)
{
    if (d->listed)
        return;
    d->prev = l.s->last_pending;
    d->next = NULL;
    *(d->prev ? &d->prev->next : &l.s->pending) = d;
    l.s->last_pending = d;
    d->listed = true;
}

/* ---- What is pending ---------------------------------------------------------------------------
 */

int deferred_init(struct context *c)
{
    const struct sluice_port *port = c->s->port;

    c->deferred = port->alloc(port->host, sizeof(*c->deferred));
    if (!c->deferred)
        return -ENOMEM;
    c->deferred->c = c;
    c->defers = true;
    return 0;
}

void deferred_fini(struct context *c)
{
    const struct sluice_port *port = c->s->port;
    struct deferred *d = c->deferred;
    struct instance_locked l;

    if (!d)
        return;
    l = instance_lock(c->s);
    unlist(l, d);
    instance_unlock(l);
    context_lock(c);
    c->deferred = NULL;
    c->defers = false;
    context_unlock(c);
    port->free(port->host, d, sizeof(*d));
}

bool deferred_is_busy(const struct context *c)
{
    return c->deferred && c->deferred->settling;
}

uint64_t deferred_frames(struct context *c)
{
    uint64_t nr;

    context_lock(c);
    nr = c->deferred ? c->deferred->frames : 0;
    context_unlock(c);
    return nr;
}

static bool grow_last(struct deferred *d, dfn_t first, uint64_t nr)
{
    const uint64_t at = (d->tail - 1) % RANGES;

    if (d->tail == d->sealed || d->range[at].nr + nr > MERGED)
        return false;
    if (d->range[at].first.n + d->range[at].nr != first.n && first.n + nr != d->range[at].first.n)
        return false;
    if (first.n < d->range[at].first.n)
        d->range[at].first = first;
    d->range[at].nr += nr;
    return true;
}

static bool append(struct deferred *d, dfn_t first, uint64_t nr)
{
    if (d->tail - d->head == RANGES)
        return false;
    d->range[d->tail % RANGES].first = first;
    d->range[d->tail % RANGES].nr = nr;
    d->tail++;
    return true;
}

static bool add(struct deferred *d, dfn_t first, uint64_t nr, uint64_t now)
{
    const bool is_oldest = d->tail == d->sealed;
    struct instance_locked l;

    if (!grow_last(d, first, nr) && !append(d, first, nr))
        return false;
    d->frames += nr;
    if (!is_oldest)
        return true;
    d->since = now;
    l = instance_lock(d->c->s);
    enlist(l, d);
    instance_unlock(l);
    return true;
}

bool deferred_add(struct context *c, dfn_t first, uint64_t nr)
{
    const uint64_t now = c->s->port->now_ns(c->s->port->host);
    bool added;

    context_lock(c);
    added = add(c->deferred, first, nr, now);
    context_unlock(c);
    return added;
}

/* ---- Settling ----------------------------------------------------------------------------------
 */

/* *out: NULL when there is nothing to do. */
static int begin(struct context *c, uint32_t generation, uint64_t *until, struct deferred **out)
{
    struct deferred *d;
    int err = 0;

    *out = NULL;
    context_lock(c);
    d = c->deferred;
    if (c->state != CONTEXT_LIVE || c->generation != generation) {
        err = -EINVAL;
    } else if (d) {
        if (!*until)
            *until = d->tail;
        if (d->head < *until)
            err = d->settling ? -ERESTART : 0;
        if (d->head < *until && !err)
            *out = d;
    }
    if (*out)
        d->settling = true;
    context_unlock(c);
    return err;
}

/* Its place in the list is that of what is left. */
static void end(struct deferred *d)
{
    struct context *c = d->c;
    struct instance_locked l;

    context_lock(c);
    d->settling = false;
    l = instance_lock(c->s);
    unlist(l, d);
    if (d->head < d->tail)
        enlist(l, d);
    instance_unlock(l);
    context_unlock(c);
}

/* One range. A call at work there may be giving empty tables up: it has to be through. */
static int release_range(struct deferred *d)
{
    const unsigned at = d->head % RANGES;
    const uint64_t nr = d->range[at].nr;
    struct span span = {.first = d->range[at].first, .last = dfn_add(d->range[at].first, nr - 1)};
    struct context *c = d->c;
    struct memory_locked l;
    bool entered;

    context_lock(c);
    entered = span_enter(&c->spans, &span);
    context_unlock(c);
    if (!entered)
        return -ERESTART;
    l = memory_lock(&c->domain->memory);
    flush_release(c, span.first, nr, memory_put_run, &l);
    memory_unlock(l);
    context_lock(c);
    span_leave(&c->spans, &span);
    d->frames -= nr;
    d->head++;
    context_unlock(c);
    return 0;
}

static int release_flushed(struct deferred *d)
{
    const struct sluice_port *port = d->c->s->port;
    int err = 0;

    while (!err && d->head < d->flushed) {
        err = release_range(d);
        if (!err && d->head < d->flushed && port->preempt(port->host))
            err = -ERESTART;
    }
    return err;
}

static void seal(struct deferred *d)
{
    context_lock(d->c);
    d->sealed = d->tail;
    context_unlock(d->c);
}

/* The ranges stay retired, and their frames referenced, for ever. */
static void lose(struct deferred *d)
{
    uint64_t nr = 0;

    for (uint64_t i = d->flushed; i < d->sealed; i++)
        nr += d->range[i % RANGES].nr;
    context_lock(d->c);
    d->frames -= nr;
    d->head = d->flushed = d->sealed;
    context_unlock(d->c);
    instance_event(d->c->s, SLUICE_EVENT_FRAMES_LOST, -EIO, "deferred_settle", nr, d->c->did);
}

/* One flush for all of them: it may cover more than they are, which costs nothing but refills. */
static int flush_sealed(struct deferred *d)
{
    struct flush f = {.c = d->c, .first = d->range[d->flushed % RANGES].first};

    for (uint64_t i = d->flushed; i < d->sealed; i++) {
        const dfn_t first = d->range[i % RANGES].first;
        const dfn_t last = dfn_add(first, d->range[i % RANGES].nr - 1);

        f.first = first.n < f.first.n ? first : f.first;
        f.last = last.n > f.last.n ? last : f.last;
    }
    if (flush_wait(&f))
        return -EIO;
    context_lock(d->c);
    d->flushed = d->sealed;
    context_unlock(d->c);
    return 0;
}

/* What an interrupted settling has left goes first: then everything else is pending. */
static int settle(struct deferred *d, uint64_t until)
{
    int err = release_flushed(d);

    if (err || d->flushed >= until)
        return err;
    seal(d);
    err = flush_sealed(d);
    if (err) {
        lose(d);
        return err;
    }
    return release_flushed(d);
}

int deferred_settle(struct context *c, uint32_t generation, uint64_t *until)
{
    struct deferred *d;
    int err = begin(c, generation, until, &d);

    if (!d)
        return err;
    err = settle(d, *until);
    end(d);
    return err;
}

static bool is_due(const struct deferred *d, uint64_t now)
{
    if (d->head == d->tail)
        return false;
    return d->head < d->flushed || d->tail - d->head >= MOST_RANGES || d->frames >= MOST_FRAMES ||
           is_late(d, now);
}

int deferred_check(struct context *c, uint32_t generation)
{
    uint64_t now, until = 0;
    bool due;

    if (!c->defers)
        return 0;
    now = c->s->port->now_ns(c->s->port->host);
    context_lock(c);
    due = c->deferred && !c->deferred->settling && is_due(c->deferred, now);
    context_unlock(c);
    return due && deferred_settle(c, generation, &until) == -EIO ? -EIO : 0;
}

/* The one that is due first is taken off the list; settling puts it back if it has to. */
static struct context *take_due(struct instance *s, uint64_t now, uint32_t *generation)
{
    struct instance_locked l = instance_lock(s);
    struct context *c = NULL;

    while (!c && s->pending && is_late(s->pending, now)) {
        c = s->pending->c;
        unlist(l, s->pending);
        if (c->domain->dying)
            c = NULL; /* its end releases it */
    }
    if (c) {
        c->domain->pins++;
        *generation = c->generation;
    }
    instance_unlock(l);
    return c;
}

int sluice_tick(struct sluice *ss)
{
    struct instance *s = instance_of(ss);
    const struct sluice_port *port = s->port;
    const uint64_t now = port->now_ns(port->host);
    uint32_t generation;
    struct context *c;
    int err = 0;

    while (err != -ERESTART && (c = take_due(s, now, &generation))) {
        uint64_t until = 0;

        err = deferred_settle(c, generation, &until);
        domain_unpin(c->domain);
        if (port->preempt(port->host))
            err = -ERESTART;
    }
    return err == -ERESTART ? err : 0;
}

/* ---- Maps that need it -------------------------------------------------------------------------
 */

static int is_retired(void *arg, const struct pt_leaf *leaf)
{
    (void)arg;
    return leaf->retired;
}

bool deferred_may_help(struct context *c, const struct page_range *r, uint32_t done,
                       const struct trim *t, int err)
{
    const unsigned shift = r->page_lg2 - FRAME_LG2;
    const dfn_t first = dfn_add(r->dfn, (uint64_t)done << shift);

    if (!c->defers || t->settled || !deferred_frames(c))
        return false;
    if (err == -EINVAL) /* something is there: what is pending, perhaps */
        return pt_walk(&c->pt, first, dfn_add(first, BIT64(shift) - 1), is_retired, NULL);
    return err == -ENOMEM || err == -ENOSPC;
}

int deferred_help(struct context *c, const struct page_range *r, struct trim *t)
{
    int err = deferred_settle(c, r->generation, &t->until);

    if (err)
        return err;
    t->settled = true;
    return -ERESTART;
}
