/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * map: frames found in the domain's memory and referenced, then entries. A step is a batch of 4K
 * pages or one larger page; between steps the call can be preempted, and each step is all or
 * nothing or says exactly how far it came.
 */
#include "map.h"

#include "deferred.h"
#include "flush.h"
#include "map_list.h"
#include "trim.h"

#define BATCH     512u /* 4K pages in a step */
#define SHORT_RUN 8u   /* neighbours that are worth a walk of their own */

int map_check_rights(unsigned attr, unsigned rights)
{
    return (attr & (PT_READ | PT_WRITE) & ~rights) ? -EPERM : 0;
}

/* One run of neighbouring frames. The references come first and go again where no entry was made.
 */
static int map_run(struct memory_locked l, struct context *c, dfn_t dfn, mfn_t mfn, uint64_t nr,
                   unsigned lg2, unsigned attr, uint64_t *done)
{
    int err = memory_get(l, mfn, nr);

    *done = 0;
    if (err)
        return err;
    err = pt_map(&c->pt, dfn, mfn, nr, lg2, attr, done);
    if (*done < nr)
        memory_put(l, mfn_add(mfn, *done), nr - *done);
    return err == -EEXIST ? -EINVAL : err;
}

int map_scattered(struct memory_locked l, struct context *c, dfn_t dfn, const mfn_t *mfn,
                  uint64_t nr, unsigned attr, uint64_t *done)
{
    int err;

    *done = 0;
    nr = memory_afford(l, nr);
    if (!nr)
        return -ENOMEM;
    for (uint64_t i = 0; i < nr; i++)
        (void)memory_get(l, mfn[i], 1);
    err = pt_map_list(&c->pt, dfn, mfn, nr, attr, done);
    for (uint64_t i = *done; i < nr; i++)
        memory_put(l, mfn[i], 1);
    return err == -EEXIST ? -EINVAL : err;
}

/*
 * Frames that are not neighbours: found by one walk and entered by one walk, for as many as fit. A
 * call a page takes three times as long (bench/hypercall.c, scattered frames).
 */
static int map_neighbours(struct memory_locked l, struct context *c, gfn_t gfn, dfn_t dfn,
                          uint64_t nr, unsigned attr, uint64_t *done)
{
    mfn_t list[GFN_LIST];

    nr = memory_list(l, gfn, nr < GFN_LIST ? nr : GFN_LIST, attr & (PT_READ | PT_WRITE), list);
    return map_scattered(l, c, dfn, list, nr, attr, done);
}

static int map_some(struct memory_locked l, struct context *c, gfn_t gfn, dfn_t dfn, uint64_t nr,
                    unsigned attr, uint64_t *done)
{
    unsigned rights;
    uint64_t run;
    mfn_t mfn;
    int err = memory_find(l, gfn, nr, &mfn, &run, &rights);

    *done = 0;
    if (!err)
        err = map_check_rights(attr, rights);
    if (err)
        return err;
    if (run < nr && run < SHORT_RUN)
        return map_neighbours(l, c, gfn, dfn, nr, attr, done);
    run = memory_afford(l, run);
    return run ? map_run(l, c, dfn, mfn, run, FRAME_LG2, attr, done) : -ENOMEM;
}

static int map_batch(struct context *c, gfn_t gfn, dfn_t dfn, uint64_t nr, unsigned attr,
                     uint64_t *done)
{
    struct memory_locked l = memory_lock(&c->domain->memory);
    uint64_t step;
    int err = 0;

    for (*done = 0; *done < nr && !err; *done += step)
        err = map_some(l, c, gfn_add(gfn, *done), dfn_add(dfn, *done), nr - *done, attr, &step);
    memory_unlock(l);
    return err;
}

static int check_frames(struct memory_locked l, gfn_t gfn, uint64_t nr, unsigned attr)
{
    uint64_t at, run;
    unsigned rights;
    mfn_t mfn;
    int err;

    for (at = 0; at < nr; at += run) {
        err = memory_find(l, gfn_add(gfn, at), nr - at, &mfn, &run, &rights);
        if (!err)
            err = map_check_rights(attr, rights);
        if (err)
            return err;
    }
    return memory_afford(l, nr) < nr ? -ENOMEM : 0;
}

static int found(void *arg, const struct pt_leaf *leaf)
{
    (void)arg;
    (void)leaf;
    return -EINVAL;
}

/* The part of a larger page that was mapped before its tables ran out. */
static int undo(struct context *c, dfn_t first, uint64_t nr)
{
    struct flush f = {.c = c, .first = first, .last = dfn_add(first, nr - 1), .referenced = true};
    uint64_t at, done;

    for (at = 0; at < nr; at += done)
        CHECK(c->s->port, !pt_unmap(&c->pt, dfn_add(first, at), nr - at, &f.freed, &done));
    return flush_commit(&f);
}

static int map_frames(struct memory_locked l, struct context *c, gfn_t gfn, dfn_t dfn, uint64_t nr,
                      unsigned lg2, unsigned attr, uint64_t *done)
{
    uint64_t run, step;
    unsigned rights;
    mfn_t mfn;
    int err = 0;

    for (*done = 0; *done < nr && !err; *done += step) {
        err = memory_find(l, gfn_add(gfn, *done), nr - *done, &mfn, &run, &rights);
        CHECK(c->s->port, !err);
        err = map_run(l, c, dfn_add(dfn, *done), mfn, run, lg2, attr, &step);
    }
    return err;
}

int map_larger_page(struct context *c, const struct page_range *r, gfn_t gfn, dfn_t dfn)
{
    const uint64_t nr = BIT64(r->page_lg2 - FRAME_LG2);
    const dfn_t last = dfn_add(dfn, nr - 1);
    struct memory_locked l;
    uint64_t done = 0;
    int err = pt_walk(&c->pt, dfn, last, found, NULL);

    if (!err)
        err = trim_range(c, dfn, last);
    if (err)
        return err;
    l = memory_lock(&c->domain->memory);
    err = check_frames(l, gfn, nr, r->attr);
    if (!err)
        err = map_frames(l, c, gfn, dfn, nr, r->page_lg2, r->attr, &done);
    memory_unlock(l);
    if (err && done && undo(c, dfn, done))
        return -EIO;
    return err;
}

static int step(struct context *c, const struct page_range *r, const struct gfn_source *from,
                uint32_t done, uint32_t *pages)
{
    const unsigned shift = r->page_lg2 - FRAME_LG2;
    const gfn_t gfn = gfn_add(r->gfn, (uint64_t)done << shift);
    const dfn_t dfn = dfn_add(r->dfn, (uint64_t)done << shift);
    uint64_t nr = r->nr_pages - done;
    int err;

    if (from)
        return map_list_step(c, r, from, done, pages);
    if (shift) {
        err = map_larger_page(c, r, gfn, dfn);
        *pages = err ? 0 : 1;
        return err;
    }
    if (nr > BATCH)
        nr = BATCH;
    err = map_batch(c, gfn, dfn, nr, r->attr, &nr);
    *pages = (uint32_t)nr;
    return err;
}

static int map_in(struct context *c, const struct page_range *r, const struct gfn_source *from,
                  uint32_t *done)
{
    const struct sluice_port *port = c->s->port;
    uint32_t pages;
    int err;

    while (*done < r->nr_pages) {
        err = step(c, r, from, *done, &pages);
        *done += pages;
        if (err)
            return err;
        if (*done < r->nr_pages && port->preempt(port->host))
            return -ERESTART;
    }
    return 0;
}

/* Units that cache not-present entries must forget them. */
static int flush_new(struct context *c, const struct page_range *r, uint32_t from, uint32_t to)
{
    const unsigned shift = r->page_lg2 - FRAME_LG2;
    struct flush f = {.c = c,
                      .first = dfn_add(r->dfn, (uint64_t)from << shift),
                      .last = dfn_add(r->dfn, ((uint64_t)to << shift) - 1),
                      .tables = true};

    return c->s->caching_mode && to > from ? flush_commit(&f) : 0;
}

static int map_range(struct domain *d, const struct page_range *r, const struct gfn_source *from,
                     uint32_t *done, struct trim *t)
{
    const uint64_t nr = (uint64_t)r->nr_pages << (r->page_lg2 - FRAME_LG2);
    struct span span = {.first = r->dfn, .last = dfn_add(r->dfn, nr - 1)};
    const uint32_t before = *done;
    struct context *c;
    uint64_t allowed;
    bool again;
    int err;

    if (t->active)
        return trim_context(d, r, t);
    err = context_enter(d, r->ctx_no, r->generation, &span, &c, &allowed);
    if (err)
        return err;
    err = allowed < nr ? -EADDRNOTAVAIL : map_in(c, r, from, done);
    c->nr_mapped += (uint64_t)(*done - before) << (r->page_lg2 - FRAME_LG2);
    d->pages_mapped += *done - before;
    if (flush_new(c, r, before, *done))
        err = -EIO;
    if (*done > before)
        *t = (struct trim){0};
    again = err && deferred_may_help(c, r, *done, t, err);
    context_leave(c, &span);
    if (again)
        return deferred_help(c, r, t);
    (void)deferred_check(c, r->generation); /* its failure is the unit's, not the map's */
    return err == -ENOSPC ? trim_context(d, r, t) : err;
}

int core_map(struct domain *d, const struct page_range *r, uint32_t *done, struct trim *t)
{
    return map_range(d, r, NULL, done, t);
}

int core_map_list(struct domain *d, const struct page_range *r, const struct gfn_source *from,
                  uint32_t *done, struct trim *t)
{
    return map_range(d, r, from, done, t);
}
