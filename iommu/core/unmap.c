/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unmap: entries are taken out, one flush covers them all, and only then are the frames released:
 * at once, or later where the context defers. It neither allocates nor fails on what exists.
 */
#include "deferred.h"
#include "explain.h"
#include "flush.h"
#include "map.h"

/*
 * Frames in one flush: what the second pass over scattered frames, which cannot be preempted, may
 * have to visit. A call on more is continued with another flush.
 */
#define MOST_FRAMES 65536u

/* A page larger than 4K goes wholly or not at all; a leaf larger than the page goes with its pages.
 */
static int take_page(struct context *c, dfn_t dfn, unsigned lg2, uint64_t left, struct flush *f,
                     uint64_t *done)
{
    uint64_t nr = BIT64(lg2 - FRAME_LG2), step;
    struct pt_leaf leaf;
    int err;

    *done = 0;
    if (pt_lookup(&c->pt, dfn, 1, &leaf) || leaf.retired)
        return -ENOENT;
    if (leaf.lg2 > lg2)
        nr = BIT64(leaf.lg2 - FRAME_LG2);
    if (nr > left)
        return -EINVAL;
    err = pt_check(&c->pt, dfn, nr);
    if (err)
        return err;
    if (c->defers) {
        flush_retire(c, dfn, nr);
        *done = nr;
    }
    for (; *done < nr; *done += step)
        CHECK(c->s->port, !pt_unmap(&c->pt, dfn_add(dfn, *done), nr - *done, &f->freed, &step));
    return 0;
}

static int take(struct context *c, dfn_t dfn, unsigned lg2, uint64_t left, struct flush *f,
                uint64_t *done)
{
    if (lg2 == FRAME_LG2 && c->defers)
        return pt_retire(&c->pt, dfn, left, done);
    if (lg2 == FRAME_LG2)
        return pt_unmap(&c->pt, dfn, left, &f->freed, done);
    return take_page(c, dfn, lg2, left, f, done);
}

/* Takes out from frame `at` of nr on. *end: how far it came. */
static int take_all(struct context *c, const struct page_range *r, uint64_t at, uint64_t nr,
                    struct flush *f, uint64_t *end)
{
    const struct sluice_port *port = c->s->port;
    const uint64_t start = at;
    uint64_t done;
    int err;

    for (*end = at; at < nr; *end = at) {
        err = take(c, dfn_add(r->dfn, at), r->page_lg2, nr - at, f, &done);
        if (err)
            return err;
        at += done;
        if (at < nr && (at - start >= MOST_FRAMES || port->preempt(port->host))) {
            *end = at;
            return -ERESTART;
        }
    }
    return 0;
}

/* Now, or later if there is room to remember it. */
static int release(struct context *c, struct flush *f)
{
    if (c->defers && deferred_add(c, f->first, f->last.n - f->first.n + 1))
        return 0;
    f->freed.retired |= c->defers;
    return flush_commit(f);
}

/* What is reserved, from frame `allowed` on, is not the domain's: for it, nothing is mapped there.
 */
static int unmap_in(struct context *c, const struct page_range *r, uint64_t allowed,
                    uint32_t *pages)
{
    const unsigned shift = r->page_lg2 - FRAME_LG2;
    const uint64_t nr = (uint64_t)r->nr_pages << shift, at = (uint64_t)*pages << shift;
    struct flush f = {.c = c, .first = dfn_add(r->dfn, at), .referenced = true};
    uint64_t end = at;
    int err = at < allowed ? take_all(c, r, at, allowed >> shift << shift, &f, &end) : 0;

    if (!err && allowed < nr)
        err = -ENOENT;
    if (end == at)
        return err;
    f.last = dfn_add(r->dfn, end - 1);
    explain_note_unmap(c, f.first, f.last);
    if (release(c, &f))
        return -EIO;
    c->nr_mapped -= end - at;
    *pages = (uint32_t)(end >> shift);
    return err;
}

int core_unmap(struct domain *d, const struct page_range *r, uint32_t *done)
{
    const uint64_t nr = (uint64_t)r->nr_pages << (r->page_lg2 - FRAME_LG2);
    const uint64_t end = BIT64(d->s->geo.iova_bits - FRAME_LG2);
    struct span span = {.first = r->dfn, .last = dfn_add(r->dfn, nr - 1)};
    const uint32_t before = *done;
    struct context *c;
    uint64_t allowed;
    int err;

    if (span.last.n >= end)
        span.last = dfn_of(end - 1); /* beyond it, nothing is mapped */
    err = context_enter(d, r->ctx_no, r->generation, &span, &c, &allowed);
    if (err)
        return err;
    err = unmap_in(c, r, allowed, done);
    d->pages_unmapped += *done - before;
    context_leave(c, &span);
    return deferred_check(c, r->generation) ? -EIO : err;
}
