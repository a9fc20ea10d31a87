/* SPDX-License-Identifier: BSD-2-Clause */
/* Identity contexts follow the domain's memory. */
#include "identity.h"

#include "flush.h"
#include "reserved.h"

#define FILL_LEAVES 512u /* of the memory map, in one step */

static bool is_identity(const struct context *c)
{
    return c->identity && (c->state == CONTEXT_LIVE || c->state == CONTEXT_BUILDING);
}

static int split_if_out(struct pgtable *pt, dfn_t at, dfn_t first, dfn_t last, bool *split)
{
    struct pt_leaf leaf;
    uint64_t base, nr;

    if (pt_lookup(pt, at, 1, &leaf))
        return 0;
    nr = BIT64(leaf.lg2 - FRAME_LG2);
    base = at.n & ~(nr - 1);
    if (base >= first.n && base + nr - 1 <= last.n)
        return 0;
    return pt_split(pt, at, FRAME_LG2, split) ? -ENOMEM : 0;
}

int identity_split_ends(struct pgtable *pt, dfn_t first, uint64_t nr, bool *split)
{
    const dfn_t last = dfn_add(first, nr - 1);
    bool at_first = false, at_last = false;
    int err = split_if_out(pt, first, first, last, &at_first);

    if (!err)
        err = split_if_out(pt, last, first, last, &at_last);
    *split = at_first || at_last;
    return err;
}

/* How many frames from dfn on, at most nr, are the identity map's; 0: an explicit one is there. */
static uint64_t implicit_run(const struct context *c, dfn_t dfn, uint64_t nr)
{
    struct pt_leaf leaf;

    if (c->no || !c->nr_mapped || pt_lookup(&c->pt, dfn, nr, &leaf))
        return nr;
    return leaf.attr & PT_MARK ? 0 : leaf.nr;
}

/*
 * Takes what is there of the range out, and flushes. No leaf sticks out of it; a context that is
 * being built, and one that calls edit, has gaps. What is explicit stays.
 */
static int clear(struct context *c, dfn_t first, uint64_t nr)
{
    struct flush f = {.c = c, .first = first, .last = dfn_add(first, nr - 1)};
    uint64_t at, done, run;
    int err;

    for (at = 0; at < nr; at += done) {
        done = 1;
        run = implicit_run(c, dfn_add(first, at), nr - at);
        if (!run)
            continue;
        err = pt_unmap(&c->pt, dfn_add(first, at), run, &f.freed, &done);
        CHECK(c->s->port, !err || err == -ENOENT);
        if (err)
            done = 1;
    }
    return flush_commit(&f);
}

static int fill(struct context *c, dfn_t first, mfn_t mfn, uint64_t nr, unsigned rights)
{
    struct flush f = {.c = c, .first = first, .last = dfn_add(first, nr - 1)};
    uint64_t at, done;
    int err;

    for (at = 0; at < nr; at += done) {
        err = pt_map(&c->pt, dfn_add(first, at), mfn_add(mfn, at), nr - at, 30, rights, &done);
        if (err == -EEXIST && !implicit_run(c, dfn_add(first, at), 1)) {
            done = 1;
            continue;
        }
        if (!err)
            continue;
        if (at && clear(c, first, at))
            return -EIO;
        return err == -ENOSPC ? -ENOMEM : err;
    }
    if (c->s->caching_mode && flush_commit(&f)) {
        (void)clear(c, first, nr);
        return -EIO;
    }
    return 0;
}

int identity_check(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    struct domain *d = l.d;

    for (unsigned no = 0; d->s->translates && no < domain_nr_slots(d); no++) {
        if (!is_identity(&d->ctx[no]))
            continue;
        if (gfn.n + nr > pt_nr_dfns(&d->ctx[no].pt))
            return -ERANGE;
        if (reserved_touches(&d->ctx[no], dfn_of(gfn.n), dfn_of(gfn.n + nr - 1)))
            return -EADDRNOTAVAIL;
    }
    return 0;
}

/* Undoes adding the range to the first nr_ctx contexts. */
static int take_back(struct domain *d, gfn_t gfn, uint64_t nr, unsigned nr_ctx)
{
    int err = 0;

    for (unsigned no = 0; no < nr_ctx; no++)
        if (is_identity(&d->ctx[no]) && clear(&d->ctx[no], dfn_of(gfn.n), nr))
            err = -EIO;
    return err;
}

int identity_take_back(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    return l.d->s->translates ? take_back(l.d, gfn, nr, domain_nr_slots(l.d)) : 0;
}

int identity_add(struct domain_locked l, gfn_t gfn, mfn_t mfn, uint64_t nr, unsigned rights)
{
    struct domain *d = l.d;
    int err = 0;

    if (!d->s->translates)
        return 0;
    for (unsigned no = 0; no < domain_nr_slots(d); no++) {
        struct context *c = &d->ctx[no];

        if (!is_identity(c))
            continue;
        err = fill(c, dfn_of(gfn.n), mfn, nr, rights);
        if (err)
            return take_back(d, gfn, nr, no) ? -EIO : err;
    }
    return 0;
}

/* What can fail of a removal. A split leaf keeps all its translations; the old form may be cached.
 */
static int prepare_remove(struct context *c, gfn_t gfn, uint64_t nr)
{
    const dfn_t end = dfn_of(pt_nr_dfns(&c->pt) - 1);
    struct flush f = {.c = c, .first = dfn_of(0), .last = end, .tables = true};
    bool split;
    int err = identity_split_ends(&c->pt, dfn_of(gfn.n), nr, &split);

    return !err && split ? flush_commit(&f) : err;
}

/* From gfn on, at most nr: how many are all for devices, or all not. */
static uint64_t same_use(struct memory *m, gfn_t gfn, uint64_t nr, bool *visible)
{
    struct memory_locked l = memory_lock(m);
    uint64_t at, run;
    unsigned rights;
    mfn_t mfn;

    for (at = 0; at < nr; at += run) {
        CHECK(m->frames->port, !memory_find(l, gfn_add(gfn, at), nr - at, &mfn, &run, &rights));
        if (!at)
            *visible = rights;
        if (*visible != (bool)rights)
            break;
    }
    memory_unlock(l);
    return at;
}

/*
 * What devices see is taken out in stretches as long as they go, whatever leaves they are made of
 * here and in the memory map; where a gfn is not for devices, something else may be.
 */
static int remove_runs(struct context *c, struct memory *m, gfn_t gfn, uint64_t nr)
{
    uint64_t at, run;
    bool visible = false;
    int err = 0;

    for (at = 0; at < nr; at += run) {
        run = same_use(m, gfn_add(gfn, at), nr - at, &visible);
        if (visible && clear(c, dfn_of(gfn.n + at), run))
            err = -EIO;
    }
    return err;
}

int identity_prepare_remove(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    struct domain *d = l.d;
    int err, failed = 0;

    if (!d->s->translates)
        return 0;
    for (unsigned no = 0; no < domain_nr_slots(d); no++) {
        err = is_identity(&d->ctx[no]) ? prepare_remove(&d->ctx[no], gfn, nr) : 0;
        if (err == -ENOMEM)
            return err;
        failed = err ? err : failed;
    }
    return failed;
}

int identity_remove(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    struct domain *d = l.d;
    int failed = 0;

    if (!d->s->translates)
        return 0;
    for (unsigned no = 0; no < domain_nr_slots(d); no++)
        if (is_identity(&d->ctx[no]) && remove_runs(&d->ctx[no], &d->memory, gfn, nr))
            failed = -EIO;
    return failed;
}

struct filling {
    struct context *c;
    uint64_t cursor;
    unsigned leaves;
};

static int fill_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct filling *f = arg;
    const uint64_t nr = BIT64(leaf->lg2 - FRAME_LG2);
    const unsigned rights = memory_rights(leaf->attr);
    int err = 0;

    if (leaf->dfn.n + nr > pt_nr_dfns(&f->c->pt))
        return -ERANGE;
    /* -EEXIST: memory that came while the context was being built is there already. */
    if (rights)
        err = fill(f->c, leaf->dfn, leaf->mfn, nr, rights);
    if (err && err != -EEXIST)
        return err;
    f->cursor = leaf->dfn.n + nr;
    return ++f->leaves < FILL_LEAVES ? 0 : -ERESTART;
}

int identity_fill(struct domain_locked l, struct context *c, uint64_t *cursor)
{
    struct memory *m = &l.d->memory;
    const uint64_t end = pt_nr_dfns(&m->map);
    struct filling f = {.c = c, .cursor = *cursor};
    int err = 0;

    if (*cursor < end)
        err = pt_walk(&m->map, dfn_of(*cursor), dfn_of(end - 1), fill_leaf, &f);
    *cursor = err ? f.cursor : end;
    return err == -ERANGE ? -ENOMEM : err;
}
