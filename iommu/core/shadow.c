/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeping shadows up to date, in steps: look, take out, flush, map. */
#include "shadow.h"

#include "flush.h"
#include "guest_walk.h"
#include "identity.h"
#include "reserved.h"
#include "trim.h"

#define RUNS        32u    /* of the guest's table in one step */
#define MOST_READS  512u   /* of its entries */
#define MOST_FRAMES 65536u /* that it maps, or takes for a region; unless one leaf is larger */
#define MOST_WORK   65536u /* entries of the shadow: where a step over a large hole ends */
#define LARGEST_LG2 30u    /* of a leaf */

struct update {
    struct context *c;
    struct guest_run run[RUNS];
    unsigned nr;
    uint64_t work;
    struct flush f;
    bool changed; /* f has something to flush */
    bool lacking; /* a leaf could not be split, and is out as a whole */
};

struct span shadow_span(const struct instance *s, dfn_t first, dfn_t last)
{
    const uint64_t block = BIT64(LARGEST_LG2 - FRAME_LG2) - 1;
    const uint64_t end = BIT64(s->geo.iova_bits - FRAME_LG2) - 1;
    struct span span = {.first = dfn_of(first.n & ~block), .last = dfn_of(last.n | block)};

    if (span.last.n > end)
        span.last = dfn_of(end);
    return span;
}

/* ---- What the guest's table says ---------------------------------------------------------------
 */

/* Frames from dfn on, at most max, that nothing is reserved of. 0: *skip of them are. */
static uint64_t free_run(struct context *c, dfn_t dfn, uint64_t max, uint64_t *skip)
{
    const struct span span = {.first = dfn, .last = dfn_add(dfn, max - 1)};
    uint64_t nr;

    context_lock(c);
    nr = reserved_before(c, &span);
    *skip = nr ? 0 : reserved_within(c, dfn);
    context_unlock(c);
    return nr;
}

static bool joins(const struct guest_run *a, const struct guest_run *b)
{
    if (a->dfn.n + a->nr != b->dfn.n || a->rights != b->rights)
        return false;
    return !a->rights || a->gfn.n + a->nr == b->gfn.n;
}

static void add_run(struct update *u, const struct guest_run *run)
{
    if (u->nr && joins(&u->run[u->nr - 1], run))
        u->run[u->nr - 1].nr += run->nr;
    else
        u->run[u->nr++] = *run;
}

/* Fills u->run from *at on, as far as one step goes; *at is what comes next. */
static unsigned read_runs(struct update *u, dfn_t *at, dfn_t last)
{
    struct guest_walk w = guest_walk_of(&u->c->first, &u->c->domain->memory);
    uint64_t frames = 0, nr = 0, skip; /* nr: known to be free, from *at on */
    struct guest_run run;

    while (at->n <= last.n && u->nr < RUNS && w.reads < MOST_READS && frames < MOST_FRAMES) {
        if (!nr)
            nr = free_run(u->c, *at, last.n - at->n + 1, &skip);
        if (!nr) {
            *at = dfn_add(*at, skip);
            continue;
        }
        guest_walk(&w, *at, nr, &run);
        add_run(u, &run);
        frames += run.rights ? run.nr : 0;
        nr -= run.nr;
        *at = dfn_add(*at, run.nr);
    }
    return w.reads;
}

/* ---- What the shadow should have ---------------------------------------------------------------
 */

struct target {
    mfn_t mfn;
    uint64_t nr;
    unsigned attr; /* 0: nothing */
};

/* How many of the frames are leaving, or not, as the first. Mostly none of the domain's is. */
static uint64_t alike(struct memory_locked l, mfn_t mfn, uint64_t nr, bool *leaving)
{
    const struct frames *f = l.m->frames;
    uint64_t i = 1;

    *leaving = l.m->nr_leaving && f->owner[mfn.n].leaving;
    if (!l.m->nr_leaving)
        return nr;
    while (i < nr && f->owner[mfn.n + i].leaving == f->owner[mfn.n].leaving)
        i++;
    return i;
}

/* From frame `at` of the run on. */
static struct target compose(struct memory_locked l, const struct guest_run *run, uint64_t at)
{
    struct target t = {.nr = run->nr - at};
    unsigned rights;
    bool leaving;

    if (!run->rights || memory_find(l, gfn_add(run->gfn, at), run->nr - at, &t.mfn, &t.nr, &rights))
        return t;
    t.nr = alike(l, t.mfn, t.nr, &leaving);
    if (!leaving)
        t.attr = run->rights & rights;
    return t;
}

/* ---- Taking out --------------------------------------------------------------------------------
 */

static void note(struct update *u, dfn_t first, uint64_t nr)
{
    struct flush *f = &u->f;
    const dfn_t last = dfn_add(first, nr - 1);

    if (!u->changed || first.n < f->first.n)
        f->first = first;
    if (!u->changed || last.n > f->last.n)
        f->last = last;
    u->changed = true;
}

static struct pt_leaf leaf_at(const struct context *c, dfn_t dfn)
{
    struct pt_leaf leaf;

    CHECK(c->s->port, !pt_lookup(&c->pt, dfn, 1, &leaf));
    leaf.nr = BIT64(leaf.lg2 - FRAME_LG2);
    leaf.dfn = dfn_of(dfn.n & ~(leaf.nr - 1));
    return leaf;
}

/*
 * The leaf at dfn sticks out of what is to be taken out. Where it cannot be split it goes as a
 * whole: what is missing faults, and what should be gone is. The frames that are out from dfn on.
 */
static uint64_t cut(struct update *u, dfn_t dfn)
{
    struct context *c = u->c;
    struct pt_leaf leaf = leaf_at(c, dfn);
    bool split = false;
    uint64_t done;
    int err = pt_split(&c->pt, dfn, leaf.lg2 - 1u, &split);

    u->f.tables = true;
    note(u, leaf.dfn, leaf.nr);
    if (!err)
        return 0;
    u->lacking = true;
    leaf = leaf_at(c, dfn);
    CHECK(c->s->port, !pt_unmap(&c->pt, leaf.dfn, leaf.nr, &u->f.freed, &done));
    CHECK(c->s->port, done == leaf.nr);
    c->nr_mapped -= done;
    return leaf.dfn.n + leaf.nr - dfn.n;
}

/* All of it is mapped; larger leaves may stick out. */
static void take(struct update *u, dfn_t first, uint64_t nr)
{
    struct context *c = u->c;
    uint64_t at, done;
    int err;

    for (at = 0; at < nr; at += done) {
        err = pt_unmap(&c->pt, dfn_add(first, at), nr - at, &u->f.freed, &done);
        if (err) {
            CHECK(c->s->port, err == -EINVAL);
            done = cut(u, dfn_add(first, at));
            continue;
        }
        note(u, dfn_add(first, at), done);
        c->nr_mapped -= done;
    }
}

/* How a leaf of the shadow has these rights. */
static unsigned shown(const struct context *c, unsigned attr)
{
    return attr & PT_WRITE && c->pt.geo.format->write_reads ? attr | PT_READ : attr;
}

static bool is_target(const struct context *c, const struct pt_leaf *leaf, const struct target *t,
                      uint64_t at)
{
    return t->attr && leaf->attr == shown(c, t->attr) && leaf->mfn.n == t->mfn.n + at;
}

/* What is in the shadow from dfn on, at most nr: how many frames, in *leaf if there are any. */
static uint64_t look(struct update *u, dfn_t dfn, uint64_t nr, struct pt_leaf *leaf, bool *there)
{
    uint64_t hole;

    *there = !pt_lookup(&u->c->pt, dfn, nr, leaf);
    u->work += *there ? leaf->nr : 1;
    if (*there)
        return leaf->nr;
    hole = pt_entry_span(&u->c->pt.geo, leaf->level);
    hole -= dfn.n & (hole - 1);
    return hole < nr ? hole : nr;
}

/* What differs goes. How far it came in [dfn, dfn + t->nr); *same is what did not differ. */
static uint64_t compare(struct update *u, dfn_t dfn, const struct target *t, uint64_t most,
                        uint64_t *same)
{
    struct pt_leaf leaf;
    uint64_t at, nr;
    bool there;

    for (at = 0; at < t->nr && u->work < most; at += nr) {
        nr = look(u, dfn_add(dfn, at), t->nr - at, &leaf, &there);
        if (!there || leaf.retired)
            continue;
        if (is_target(u->c, &leaf, t, at))
            *same += nr;
        else
            take(u, dfn_add(dfn, at), nr);
    }
    return at;
}

/* Of one run; how far it came. *missing: there will be something to map. */
static uint64_t take_run(struct memory_locked l, struct update *u, const struct guest_run *run,
                         bool *missing)
{
    const uint64_t most = run->rights ? UINT64_MAX : MOST_WORK; /* what maps is bounded */
    uint64_t at, same = 0, wanted = 0, done;
    bool stopped = false;

    for (at = 0; at < run->nr && !stopped; at += done) {
        const struct target t = compose(l, run, at);

        done = compare(u, dfn_add(run->dfn, at), &t, most, &same);
        wanted += t.attr ? done : 0;
        stopped = done < t.nr;
    }
    *missing = same < wanted;
    return at;
}

static int commit(struct update *u)
{
    u->f.c = u->c;
    u->f.referenced = true;
    return u->changed ? flush_commit(&u->f) : 0;
}

/* ---- Mapping -----------------------------------------------------------------------------------
 */

/* The largest leaves that go in there, some of them. */
static int map_some(struct memory_locked l, struct context *c, dfn_t dfn, const struct target *t,
                    uint64_t at, uint64_t *done)
{
    const uint64_t nr = memory_afford(l, t->nr - at);
    int err;

    *done = 0;
    if (!nr)
        return -ENOMEM;
    err = pt_map(&c->pt, dfn_add(dfn, at), mfn_add(t->mfn, at), nr, LARGEST_LG2, t->attr, done);
    if (*done)
        CHECK(c->s->port, !memory_get(l, mfn_add(t->mfn, at), *done));
    c->nr_mapped += *done;
    return err;
}

/* Where nothing is, in [dfn, dfn + t->nr). */
static int fill(struct memory_locked l, struct update *u, dfn_t dfn, const struct target *t)
{
    struct pt_leaf leaf;
    uint64_t at, nr;
    bool there;
    int err = 0;

    for (at = 0; at < t->nr && !err; at += nr) {
        nr = look(u, dfn_add(dfn, at), t->nr - at, &leaf, &there);
        if (there)
            continue;
        err = map_some(l, u->c, dfn, t, at, &nr);
        if (nr)
            note(u, dfn_add(dfn, at), nr);
    }
    return err;
}

/* The frames are found, referenced and shown under one lock. */
static int map_run(struct memory_locked l, struct update *u, const struct guest_run *run)
{
    uint64_t at;
    struct target t;
    int err = 0;

    for (at = 0; at < run->nr && !err; at += t.nr) {
        t = compose(l, run, at);
        if (t.attr)
            err = fill(l, u, dfn_add(run->dfn, at), &t);
    }
    return err;
}

/* A larger leaf does not go where an empty table hangs. */
static int make_room(struct context *c, const struct guest_run *run)
{
    if (run->nr < pt_entry_span(&c->pt.geo, 1))
        return 0;
    return trim_range(c, run->dfn, dfn_add(run->dfn, run->nr - 1));
}

/* ---- Steps -------------------------------------------------------------------------------------
 */

/* Takes out what differs; the runs end where it came to, and so does *at. */
static uint32_t take_runs(struct update *u, dfn_t *at)
{
    struct memory_locked l = memory_lock(&u->c->domain->memory);
    uint32_t missing = 0;
    bool some;

    for (unsigned i = 0; i < u->nr; i++) {
        struct guest_run *run = &u->run[i];
        const uint64_t done = take_run(l, u, run, &some);

        if (some)
            missing |= UINT32_C(1) << i;
        if (done == run->nr)
            continue;
        *at = dfn_add(run->dfn, done);
        run->nr = done;
        u->nr = i + 1;
    }
    memory_unlock(l);
    return missing;
}

static int map_runs(struct update *u, uint32_t missing)
{
    struct memory_locked l;
    int err = 0;

    u->f = (struct flush){.c = u->c, .tables = true};
    for (unsigned i = 0; i < u->nr && !err; i++)
        if (missing >> i & 1)
            err = make_room(u->c, &u->run[i]);
    if (err || !missing)
        return err;
    l = memory_lock(&u->c->domain->memory);
    for (unsigned i = 0; i < u->nr && !err; i++)
        if (missing >> i & 1)
            err = map_run(l, u, &u->run[i]);
    memory_unlock(l);
    return err;
}

/* Units that cache not-present entries must forget them. */
static int flush_new(struct update *u)
{
    return u->changed && u->c->s->caching_mode ? flush_wait(&u->f) : 0;
}

int shadow_update(struct context *c, dfn_t at, dfn_t last, dfn_t *next, uint64_t *reads,
                  bool *mapped)
{
    struct update u = {.c = c};
    uint32_t missing;
    int err;

    *next = at;
    *reads += read_runs(&u, next, last);
    missing = take_runs(&u, next);
    err = commit(&u);
    u.changed = false;
    if (!err)
        err = map_runs(&u, missing);
    *mapped = u.changed;
    if (flush_new(&u))
        err = -EIO;
    return err || !u.lacking ? err : -ENOMEM;
}

int shadow_empty(struct context *c, dfn_t at, dfn_t last, dfn_t *next)
{
    struct update u = {.c = c};
    uint64_t nr, taken = 0;
    struct pt_leaf leaf;
    bool there;
    int err;

    for (; at.n <= last.n && taken < MOST_FRAMES; at = dfn_add(at, nr)) {
        nr = look(&u, at, last.n - at.n + 1, &leaf, &there);
        if (!there || leaf.retired)
            continue;
        take(&u, at, nr);
        taken += nr;
    }
    *next = at;
    err = commit(&u);
    return !err && u.lacking ? -ENOMEM : err;
}

static int vacate(struct context *c, dfn_t first, dfn_t last)
{
    dfn_t next;
    int err = shadow_empty(c, first, last, &next);

    return err || next.n > last.n ? err : -ERESTART;
}

int shadow_vacate(struct context *c, dfn_t first, dfn_t last)
{
    struct span span = shadow_span(c->s, first, last);
    int err = context_occupy(c, &span);

    if (err)
        return err;
    err = vacate(c, first, last);
    context_leave(c, &span);
    return err;
}

/* ---- Frames that leave their domain ------------------------------------------------------------
 */

struct search {
    const struct context *c;
    const struct shadow_leaving *who;
    struct pt_leaf found;
};

/* Neighbours in a leaf are neighbours in the guest too. Regions stay while the domain is locked. */
static int maps_some(void *arg, const struct pt_leaf *leaf)
{
    struct search *s = arg;
    const struct frames *f = &s->c->s->frames;
    const uint64_t nr = BIT64(leaf->lg2 - FRAME_LG2);
    uint64_t gfn;

    if (leaf->retired || reserved_within(s->c, leaf->dfn))
        return 0;
    gfn = f->gfn[leaf->mfn.n];
    if (gfn + nr <= s->who->first.n || gfn >= s->who->first.n + s->who->nr)
        return 0;
    s->found = *leaf;
    s->found.nr = nr;
    return 1;
}

/* The part of the leaf that leaves. */
static void leaves(const struct search *s, dfn_t *first, uint64_t *nr)
{
    const uint64_t gfn = s->c->s->frames.gfn[s->found.mfn.n];
    const uint64_t begin = s->who->first.n > gfn ? s->who->first.n : gfn;
    const uint64_t end = s->who->first.n + s->who->nr;

    *first = dfn_add(s->found.dfn, begin - gfn);
    *nr = (end < gfn + s->found.nr ? end : gfn + s->found.nr) - begin;
}

static int split_ends(struct update *u, const struct search *s, dfn_t first, uint64_t nr)
{
    bool split;
    int err = identity_split_ends(&u->c->pt, first, nr, &split);

    if (split) {
        u->f.tables = true;
        note(u, s->found.dfn, s->found.nr);
    }
    return err;
}

int shadow_leave(struct context *c, const struct shadow_leaving *who, dfn_t *at)
{
    const struct span span = shadow_span(c->s, *at, *at);
    struct search s = {.c = c, .who = who};
    struct update u = {.c = c};
    uint64_t nr;
    bool there;
    dfn_t first;
    int err = 0;

    nr = look(&u, *at, pt_nr_dfns(&c->pt) - at->n, &s.found, &there);
    if (!there && nr > 1) {
        *at = dfn_add(*at, nr);
        return 0;
    }
    while (!err && at->n <= span.last.n && pt_walk(&c->pt, *at, span.last, maps_some, &s)) {
        leaves(&s, &first, &nr);
        if (who->take)
            take(&u, first, nr);
        else
            err = split_ends(&u, &s, first, nr);
        *at = dfn_add(s.found.dfn, s.found.nr);
    }
    if (!err)
        *at = dfn_add(span.last, 1);
    return commit(&u) ? -EIO : err;
}
