/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap_pages: page by page, in units of pgsize, each all or nothing. */
#include "state.h"

#include <string.h>

struct unmap {
    struct ghost_domain *d;
    struct ghost_ctx *ctx;
    struct pv_iommu_unmap_pages in;
    uint64_t unit; /* frames a page */
    uint64_t last; /* of the whole range */
};

static struct verdict judge_arguments(struct unmap *u)
{
    uint32_t size = u->in.pgsize;
    bool good = size && !(size & (size - 1)) && page_sizes(u->d) & size;
    struct verdict v = {0};

    u->unit = size >> FRAME_LG2;
    u->last = u->in.dfn + u->unit * u->in.nr_pages - 1;
    may_if(&v, !ctx_is_explicit(u->d, u->in.ctx_no), -EINVAL);
    may_if(&v, !u->in.nr_pages || !good, -EINVAL);
    if (!u->unit || !u->in.nr_pages)
        return v;
    may_if(&v, u->in.dfn & (u->unit - 1) || u->last < u->in.dfn, -EINVAL);
    return v;
}

/* Does a leaf of the unit at dfn stick out of the range? Leaves stay as they were made. */
static bool leaf_is_cut(const struct unmap *u, uint64_t dfn)
{
    for (size_t i = pages_from(&u->ctx->pages, dfn); i < u->ctx->pages.nr; i++) {
        const struct page *page = &u->ctx->pages.at[i];
        uint64_t mask = ((uint64_t)1 << (page->leaf - FRAME_LG2)) - 1;

        if (page->dfn - dfn >= u->unit)
            return false;
        if ((page->dfn & ~mask) < u->in.dfn || (page->dfn | mask) > u->last)
            return true;
    }
    return false;
}

static struct verdict judge_page(const struct unmap *u, uint64_t i)
{
    uint64_t dfn = u->in.dfn + i * u->unit;
    struct verdict v = {0};

    may_if(&v, pages_count(&u->ctx->pages, dfn, dfn + u->unit - 1) != u->unit, -ENOENT);
    may_if(&v, leaf_is_cut(u, dfn), -EINVAL);
    return v;
}

static void take_out(struct ghost *g, const struct unmap *u, uint64_t first, uint64_t last)
{
    struct pages *pages = &u->ctx->pages;

    if (last + 1 == first)
        return;
    if (u->ctx->defers)
        pending_add(u->ctx, first, last);
    for (size_t i = pages_from(pages, first); i < pages->nr && pages->at[i].dfn <= last; i++)
        if (!u->ctx->defers)
            frame_unref(g, pages->at[i].mfn);
    u->d->refs -= u->ctx->defers ? 0 : pages_count(pages, first, last);
    pages_remove(pages, first, last);
}

static bool is_left(const struct unmap *u, uint64_t dfn)
{
    struct pt_leaf leaf;

    return real_leaf(u->d, u->in.ctx_no, dfn, &leaf) && !leaf.retired;
}

/*
 * After -EIO pages beyond the count may be gone from the tables, or be left without rights; which,
 * is read from the tables. Their frames stay referenced.
 */
static void learn_rest(struct ghost *g, const struct unmap *u, uint64_t first)
{
    struct pages *pages = &u->ctx->pages;
    size_t i = pages_from(pages, first), end;

    for (; i < pages->nr && pages->at[i].dfn <= u->last; i++) {
        for (end = i; end < pages->nr && pages->at[end].dfn <= u->last; end++)
            if (is_left(u, pages->at[end].dfn))
                break;
        if (end > i)
            take_out(g, u, pages->at[i].dfn, pages->at[end - 1].dfn);
    }
}

bool called_unmap(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_unmap_pages out;
    struct unmap u = {.d = c->d};
    struct verdict v;
    uint64_t fit;

    memcpy(&u.in, c->in, sizeof(u.in));
    memcpy(&out, c->out, sizeof(out));
    v = judge_arguments(&u);
    if (v.nr && out.unmapped)
        return complain(g, "unmap_pages: unmapped=%u of a bad range", out.unmapped);
    if (v.nr)
        return judge(g, &v, c->status, "unmap_pages");
    u.ctx = find_ctx(u.d, u.in.ctx_no);
    for (fit = 0; fit < u.in.nr_pages; fit++) {
        v = judge_page(&u, fit);
        if (v.nr)
            break;
    }
    if (out.unmapped > fit || (out.unmapped < fit && !is_injected(g, c->status)))
        return complain(g, "unmap_pages: unmapped=%u with status %ld; %ju can be", out.unmapped,
                        c->status, (uintmax_t)fit);
    if (!judge(g, &v, c->status, "unmap_pages"))
        return false;
    take_out(g, &u, u.in.dfn, u.in.dfn + out.unmapped * u.unit - 1);
    if (c->status == -EIO)
        learn_rest(g, &u, u.in.dfn + out.unmapped * u.unit);
    pending_learn(g); /* it may have been flushed at once */
    return true;
}
