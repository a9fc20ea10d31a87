/* SPDX-License-Identifier: BSD-2-Clause */
/* map of a list: frames that lie anywhere, found and referenced together, entered by one walk. */
#include "map_list.h"

/* How many gfns from the first on are neighbours. */
static uint32_t count_neighbours(const uint64_t *gfn, uint32_t nr)
{
    uint32_t n = 1;

    while (n < nr && gfn[n] == gfn[0] + n)
        n++;
    return n;
}

/* As many as exist and may be mapped so; *err is what stands against the next. */
static uint32_t find_frames(struct memory_locked l, const uint64_t *gfn, uint32_t nr, unsigned attr,
                            mfn_t *out, int *err)
{
    unsigned rights;
    uint64_t run;
    uint32_t n;
    mfn_t mfn;

    *err = 0;
    for (n = 0; n < nr; n += (uint32_t)run) {
        *err =
            memory_find(l, gfn_of(gfn[n]), count_neighbours(gfn + n, nr - n), &mfn, &run, &rights);
        if (!*err)
            *err = map_check_rights(attr, rights);
        if (*err)
            break;
        for (uint64_t i = 0; i < run; i++)
            out[n + i] = mfn_add(mfn, i);
    }
    return n;
}

static int map_some(struct memory_locked l, struct context *c, dfn_t dfn, const uint64_t *gfn,
                    uint32_t nr, unsigned attr, uint64_t *done)
{
    mfn_t mfn[GFN_LIST];
    int err;

    *done = 0;
    nr = find_frames(l, gfn, nr, attr, mfn, &err);
    return nr ? map_scattered(l, c, dfn, mfn, nr, attr, done) : err;
}

static int map_frames(struct context *c, dfn_t dfn, const uint64_t *gfn, uint32_t nr, unsigned attr,
                      uint32_t *done)
{
    struct memory_locked l = memory_lock(&c->domain->memory);
    uint64_t some;
    int err = 0;

    for (*done = 0; *done < nr && !err; *done += (uint32_t)some)
        err = map_some(l, c, dfn_add(dfn, *done), gfn + *done, nr - *done, attr, &some);
    memory_unlock(l);
    return err;
}

static int map_larger(struct context *c, const struct page_range *r, uint64_t gfn, dfn_t dfn,
                      uint32_t *pages)
{
    int err = gfn & (BIT64(r->page_lg2 - FRAME_LG2) - 1) ? -EINVAL : 0;

    if (!err)
        err = map_larger_page(c, r, gfn_of(gfn), dfn);
    *pages = err ? 0 : 1;
    return err;
}

static int refill(const struct gfn_source *from, uint32_t page, uint32_t left)
{
    from->list->at = from->list->nr = 0;
    return from->more(from, page, left < GFN_LIST ? left : GFN_LIST);
}

int map_list_step(struct context *c, const struct page_range *r, const struct gfn_source *from,
                  uint32_t done, uint32_t *pages)
{
    const unsigned shift = r->page_lg2 - FRAME_LG2;
    const dfn_t dfn = dfn_add(r->dfn, (uint64_t)done << shift);
    struct gfn_list *list = from->list;
    const uint64_t *gfn;
    int err = 0;

    *pages = 0;
    if (list->at == list->nr)
        err = refill(from, done, r->nr_pages - done);
    if (err)
        return err;
    gfn = &list->gfn[list->at];
    if (shift)
        err = map_larger(c, r, *gfn, dfn, pages);
    else
        err = map_frames(c, dfn, gfn, list->nr - list->at, r->attr, pages);
    list->at += *pages;
    return err;
}
