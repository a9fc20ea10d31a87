/* SPDX-License-Identifier: BSD-2-Clause */
/* The bus-frame space of a domain: entering it, changing it, settling what is pending. */
#include "space.h"

#include "domain.h"
#include "explain.h"
#include "foreign.h"
#include "identity.h"
#include "reserved.h"
#include "trim.h"

#define END_LEAVES 64u /* taken out in a step of the end */

unsigned space_max_order(const struct instance *s)
{
    return s->translates && (s->geo.leaf_sizes & BIT64(FRAME_LG2 + SPACE_MAX_ORDER))
               ? SPACE_MAX_ORDER
               : 0;
}

int space_enter(struct domain *d, struct space *sp)
{
    struct context *c = &d->ctx[0];
    uint64_t allowed;
    int err;

    *sp = (struct space){.d = d};
    if (!d->s->translates)
        return 0;
    sp->span.last = dfn_of(pt_nr_dfns(&c->pt) - 1);
    err = context_enter(d, 0, c->generation, &sp->span, &c, &allowed);
    if (err)
        return err;
    sp->c = c;
    sp->tables = d->default_pages.used;
    return 0;
}

int space_enter_implicit(struct domain *d, struct space *sp)
{
    int err = space_enter(d, sp);

    sp->implicit = true;
    return err;
}

void space_leave(struct space *sp)
{
    if (!sp->c)
        return;
    CHECK(sp->d->s->port, !sp->dirty && !sp->nr_pending);
    if (sp->implicit)
        sp->d->implicit_tables += sp->d->default_pages.used - sp->tables;
    sp->d->default_pages.limit = SLUICE_NO_LIMIT;
    context_leave(sp->c, &sp->span);
}

void space_touch(struct space *sp, dfn_t bfn, uint64_t nr)
{
    const dfn_t last = dfn_add(bfn, nr - 1);

    if (!sp->dirty)
        sp->flush = (struct flush){.c = sp->c, .first = bfn, .last = last};
    if (bfn.n < sp->flush.first.n)
        sp->flush.first = bfn;
    if (last.n > sp->flush.last.n)
        sp->flush.last = last;
    sp->dirty = true;
}

/* Frames on their way out, and what is done with them. */
struct release {
    struct space *sp;
    enum space_kind kind;
};

static void put_run(struct space *sp, mfn_t mfn, uint64_t nr, enum space_kind kind)
{
    struct memory_locked l;
    struct m2b_locked ml;

    if (kind == SPACE_LOCAL) {
        l = memory_lock(&sp->d->memory);
        memory_put(l, mfn, nr);
        memory_unlock(l);
    } else if (kind == SPACE_HELD) {
        ml = m2b_lock(&sp->d->s->m2b);
        foreign_put(ml, sp->d->s, mfn, nr);
        m2b_unlock(ml);
        memory_uncharge(&sp->d->memory, nr);
    }
}

static void release_run(void *arg, mfn_t mfn, uint64_t nr)
{
    const struct release *r = arg;

    put_run(r->sp, mfn, nr, r->kind);
}

/* A run whose flush is complete: its frames are let go as its kind says. */
static void release(struct space *sp, dfn_t bfn, uint64_t nr, enum space_kind kind)
{
    struct release r = {.sp = sp, .kind = kind};

    flush_release(sp->c, bfn, nr, release_run, &r);
}

int space_settle(struct space *sp)
{
    if (sp->dirty && flush_wait(&sp->flush))
        sp->failed = true;
    for (unsigned i = 0; i < sp->nr_pending && !sp->failed; i++)
        release(sp, sp->pending[i].bfn, sp->pending[i].nr, sp->pending[i].kind);
    if (sp->failed && sp->nr_frames)
        instance_event(sp->d->s, SLUICE_EVENT_FRAMES_LOST, -EIO, "space_settle", sp->nr_frames,
                       sp->c->did);
    sp->dirty = false;
    sp->nr_pending = 0;
    sp->nr_frames = 0;
    return sp->failed ? -EIO : 0;
}

static bool is_pending(const struct space *sp, dfn_t bfn, uint64_t nr)
{
    for (unsigned i = 0; i < sp->nr_pending; i++)
        if (sp->pending[i].bfn.n < bfn.n + nr && bfn.n < sp->pending[i].bfn.n + sp->pending[i].nr)
            return true;
    return false;
}

static int is_explicit(void *arg, const struct pt_leaf *leaf)
{
    (void)arg;
    return leaf->attr & PT_MARK ? -EEXIST : 0;
}

/* Both ends of the range become ends of leaves. A larger leaf may be cached as it was. */
int space_split(struct space *sp, dfn_t bfn, uint64_t nr)
{
    bool split;
    int err = identity_split_ends(&sp->c->pt, bfn, nr, &split);

    if (!split)
        return err;
    space_touch(sp, dfn_of(0), pt_nr_dfns(&sp->c->pt));
    sp->flush.tables = true;
    return err;
}

/* Implicit entries hold no references: nothing is left to release. */
static void take_implicit(struct space *sp, dfn_t bfn, uint64_t nr)
{
    struct pt_leaf leaf;
    uint64_t at, done;

    for (at = 0; at < nr; at += done) {
        struct pt_freed freed = {0};

        done = 1;
        if (pt_lookup(&sp->c->pt, dfn_add(bfn, at), nr - at, &leaf) || leaf.retired)
            continue;
        CHECK(sp->d->s->port, !pt_unmap(&sp->c->pt, dfn_add(bfn, at), leaf.nr, &freed, &done));
        space_touch(sp, dfn_add(bfn, at), done);
    }
}

static int found(void *arg, const struct pt_leaf *leaf)
{
    (void)arg;
    (void)leaf;
    return -EEXIST;
}

#define ELEMENT_TABLES (2u * PT_MAX_LEVELS) /* that an element may need: at both its ends */

/* Empty tables count as the domain's as long as it has some, so that the host's cannot become its.
 */
static int give_tables_up(struct space *sp)
{
    struct domain *d = sp->d;
    const uint32_t before = d->default_pages.used, own = before - d->implicit_tables;
    int err = space_settle(sp); /* what is pending is still in its table */
    uint32_t gone;

    if (!err)
        err = trim_range(sp->c, dfn_of(0), dfn_of(pt_nr_dfns(&sp->c->pt) - 1));
    gone = before - d->default_pages.used;
    if (gone > own)
        d->implicit_tables -= gone - own;
    return err;
}

/*
 * What explicit entries need beside implicit ones is in the domain's budget of tables. Where it may
 * be spent, empty tables are given up first: no more than the budget, so this is bounded.
 */
static int limit_tables(struct space *sp)
{
    struct domain *d = sp->d;
    const uint64_t limit = (uint64_t)d->implicit_tables + d->budget_tables;

    d->default_pages.limit = limit < SLUICE_NO_LIMIT ? (uint32_t)limit : SLUICE_NO_LIMIT;
    if (limit >= SLUICE_NO_LIMIT || d->default_pages.used + ELEMENT_TABLES <= limit)
        return 0;
    return give_tables_up(sp);
}

int space_check(struct space *sp, dfn_t bfn, uint64_t nr)
{
    const dfn_t last = dfn_add(bfn, nr - 1);
    const uint64_t end = pt_nr_dfns(&sp->c->pt);
    int err = 0;

    if (bfn.n >= end || nr > end - bfn.n)
        return -EINVAL;
    if (reserved_is_msi(bfn.n, last.n) || reserved_touches(sp->c, bfn, last))
        return -EACCES;
    if (is_pending(sp, bfn, nr))
        err = space_settle(sp);
    space_room(sp);
    if (!err)
        err = pt_walk(&sp->c->pt, bfn, last, is_explicit, NULL);
    return err ? err : limit_tables(sp);
}

/* A leaf of the whole range keeps a table from being there, which smaller ones will need. */
static int make_table(struct space *sp, dfn_t bfn, uint64_t nr, bool whole)
{
    bool split = false;
    int err = nr > 1 && !whole ? pt_split(&sp->c->pt, bfn, FRAME_LG2, &split) : 0;

    if (split) {
        space_touch(sp, bfn, nr);
        sp->flush.tables = true;
    }
    return err == -ENOSPC ? -ENOMEM : err == -ENOENT ? 0 : err;
}

int space_clear(struct space *sp, dfn_t bfn, uint64_t nr, bool whole)
{
    const dfn_t last = dfn_add(bfn, nr - 1);
    const bool any = pt_walk(&sp->c->pt, bfn, last, found, NULL);
    int err = any ? space_split(sp, bfn, nr) : 0;

    if (!err && any)
        err = make_table(sp, bfn, nr, whole);
    if (err)
        return err;
    if (any)
        take_implicit(sp, bfn, nr);
    return nr > 1 && (whole || !any) ? trim_range(sp->c, bfn, last) : 0;
}

int space_put(struct space *sp, dfn_t bfn, mfn_t mfn, uint64_t nr, unsigned order, unsigned attr,
              uint64_t *done)
{
    int err = pt_map(&sp->c->pt, bfn, mfn, nr, order + FRAME_LG2, attr | PT_MARK, done);

    if (*done && sp->d->s->caching_mode) {
        space_touch(sp, bfn, *done);
        sp->flush.tables = true;
    }
    sp->c->nr_mapped += *done;
    return err == -ENOSPC ? -ENOMEM : err;
}

int space_find(const struct space *sp, dfn_t bfn, mfn_t *mfn)
{
    struct pt_leaf leaf;

    if (!sp->c || bfn.n >= pt_nr_dfns(&sp->c->pt) || pt_lookup(&sp->c->pt, bfn, 1, &leaf))
        return -ENOENT;
    if (leaf.retired || !(leaf.attr & PT_MARK))
        return -ENOENT;
    *mfn = leaf.mfn;
    return 0;
}

void space_room(struct space *sp)
{
    if (sp->nr_pending == SPACE_PENDING || sp->nr_frames >= SPACE_FRAMES)
        (void)space_settle(sp); /* its failure is remembered */
}

void space_take(struct space *sp, dfn_t bfn, uint64_t nr, enum space_kind kind)
{
    const unsigned last = sp->nr_pending - 1;

    CHECK(sp->d->s->port, sp->nr_pending < SPACE_PENDING);
    flush_retire(sp->c, bfn, nr);
    space_touch(sp, bfn, nr);
    sp->c->nr_mapped -= nr;
    sp->nr_frames += nr;
    if (sp->nr_pending && sp->pending[last].kind == kind &&
        sp->pending[last].bfn.n + sp->pending[last].nr == bfn.n) {
        sp->pending[last].nr += nr;
        return;
    }
    sp->pending[sp->nr_pending].bfn = bfn;
    sp->pending[sp->nr_pending].nr = nr;
    sp->pending[sp->nr_pending].kind = kind;
    sp->nr_pending++;
}

void space_take_implicit(struct space *sp, dfn_t bfn)
{
    space_room(sp);
    sp->c->nr_mapped++; /* it was not counted */
    space_take(sp, bfn, 1, SPACE_HELD);
}

/* ---- Frames of the domain's own ----------------------------------------------------------------
 */

static int check_own(struct memory_locked l, gfn_t gfn, uint64_t nr, unsigned attr, bool *whole)
{
    uint64_t at, run;
    unsigned rights;
    mfn_t mfn;

    for (at = 0; at < nr; at += run) {
        if (memory_find(l, gfn_add(gfn, at), nr - at, &mfn, &run, &rights))
            return -ENXIO;
        if (attr & (PT_READ | PT_WRITE) & ~rights)
            return -EPERM;
        *whole = run == nr && !(mfn.n & (nr - 1));
    }
    return memory_afford(l, nr) < nr ? -ENOMEM : 0;
}

static int put_own(struct memory_locked l, struct space *sp, dfn_t bfn, gfn_t gfn, uint64_t nr,
                   unsigned attr, uint64_t *done)
{
    const unsigned order = nr > 1 ? SPACE_MAX_ORDER : 0;
    uint64_t run, step;
    unsigned rights;
    mfn_t mfn;
    int err = 0;

    for (*done = 0; *done < nr && !err; *done += step) {
        err = memory_find(l, gfn_add(gfn, *done), nr - *done, &mfn, &run, &rights);
        CHECK(sp->d->s->port, !err);
        err = memory_get(l, mfn, run);
        CHECK(sp->d->s->port, !err);
        err = space_put(sp, dfn_add(bfn, *done), mfn, run, order, attr, &step);
        memory_put(l, mfn_add(mfn, step), run - step);
    }
    return err;
}

int space_map_own(struct space *sp, dfn_t bfn, gfn_t gfn, unsigned order, unsigned attr)
{
    const uint64_t nr = BIT64(order);
    struct memory_locked l;
    uint64_t done = 0;
    bool whole = false;
    int err = space_check(sp, bfn, nr);

    if (err)
        return err;
    l = memory_lock(&sp->d->memory);
    err = check_own(l, gfn, nr, attr, &whole);
    if (!err)
        err = space_clear(sp, bfn, nr, whole);
    if (!err)
        err = put_own(l, sp, bfn, gfn, nr, attr, &done);
    memory_unlock(l);
    if (err && done)
        space_take(sp, bfn, done, SPACE_LOCAL);
    return err;
}

/* ---- The end -----------------------------------------------------------------------------------
 */

struct leaves {
    unsigned nr;
    struct {
        dfn_t bfn;
        mfn_t mfn;
        uint64_t nr;
    } leaf[END_LEAVES];
};

static int list_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct leaves *list = arg;

    if (!(leaf->attr & PT_MARK))
        return 0;
    list->leaf[list->nr].bfn = leaf->dfn;
    list->leaf[list->nr].mfn = leaf->mfn;
    list->leaf[list->nr].nr = BIT64(leaf->lg2 - FRAME_LG2);
    return ++list->nr == END_LEAVES;
}

/* A failed unit may still reach it: then its frames stay referenced, and only the tuples go. */
static void end_leaf(struct space *sp, dfn_t bfn, mfn_t mfn, uint64_t nr, bool lost)
{
    struct pt_freed freed = {0};
    uint64_t done;

    for (uint64_t i = 0; i < nr; i++) {
        const enum space_kind kind = foreign_forget(sp, dfn_add(bfn, i), mfn_add(mfn, i));

        if (!lost)
            put_run(sp, mfn_add(mfn, i), 1, kind);
    }
    CHECK(sp->d->s->port, lost || !pt_unmap(&sp->c->pt, bfn, nr, &freed, &done));
}

int space_end(struct domain *d)
{
    const struct sluice_port *port = d->s->port;
    struct leaves list = {0};
    struct space sp;
    uint64_t end;
    int err;

    if (d->ctx[0].state != CONTEXT_LIVE)
        return 0; /* no IOMMU; or it has been through here, and the context is ending */
    err = space_enter(d, &sp);
    if (err || !sp.c)
        return err;
    end = pt_nr_dfns(&sp.c->pt);
    while (d->space_cursor.n < end) {
        list.nr = 0;
        (void)pt_walk(&sp.c->pt, d->space_cursor, dfn_of(end - 1), list_leaf, &list);
        for (unsigned i = 0; i < list.nr; i++)
            end_leaf(&sp, list.leaf[i].bfn, list.leaf[i].mfn, list.leaf[i].nr,
                     context_is_reachable(sp.c));
        d->space_cursor = list.nr < END_LEAVES
                              ? dfn_of(end)
                              : dfn_add(list.leaf[list.nr - 1].bfn, list.leaf[list.nr - 1].nr);
        if (port->preempt(port->host))
            err = -ERESTART;
        if (err)
            break;
    }
    space_leave(&sp);
    return err;
}
