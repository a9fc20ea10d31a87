/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bus-frame space of a domain, its context 0: what is implicit there (the domain's memory, or a
 * window on the machine's), and what calls of the frames ABI put in its place.
 */
#include "state.h"

#include <stdlib.h>

bool space_is_plain(const struct ghost_domain *d)
{
    return !space_has_window(d) && !d->replaced.nr && !d->lost.nr;
}

bool space_translates(const struct ghost *g, const struct ghost_domain *d)
{
    return !g->no_iommu && d->space != SLUICE_SPACE_PASSTHROUGH;
}

bool space_has_window(const struct ghost_domain *d)
{
    return d->space != SLUICE_SPACE_OWN;
}

bool space_is_one_to_one(const struct ghost *g, const struct ghost_domain *d)
{
    if (d->dropping)
        return false;
    if (!space_translates(g, d))
        return true;
    return d->space == SLUICE_SPACE_RELAXED && !d->mapped;
}

void space_map(struct ghost_domain *d, const struct page *page)
{
    pages_insert(&d->explicit, page, 1);
    if (!pages_at(&d->replaced, page->dfn))
        pages_insert(&d->replaced, page, 1);
    pages_remove(&d->lost, page->dfn, page->dfn);
    d->mapped = true;
}

/* What is explicit keeps its place, and leaves it empty. */
static void renew(struct ghost_domain *d, uint64_t bfn)
{
    if (!pages_at(&d->explicit, bfn))
        pages_remove(&d->replaced, bfn, bfn);
}

void spaces_get(struct ghost *g, struct ghost_domain *owner, uint64_t gfn, uint64_t mfn)
{
    if (!space_has_window(owner))
        renew(owner, gfn);
    for (unsigned i = 0; i < g->nr_domains; i++) {
        if (space_has_window(g->domains[i]))
            renew(g->domains[i], g->domains[i]->window + mfn);
    }
}

void space_empty(struct ghost *g, struct ghost_domain *d)
{
    while (d->explicit.nr) {
        const struct page *page = &d->explicit.at[d->explicit.nr - 1];

        if (!tuple_at(g, d, page->dfn)) {
            frame_unref(g, page->mfn);
            d->refs--;
        }
        d->explicit.nr--;
    }
    tuples_end(g, d);
}

static void show(struct ghost_domain *d, struct page page)
{
    const bool msi = page.dfn >= MSI_FIRST && page.dfn <= MSI_LAST;

    if (page.attr && !msi && !pages_at(&d->replaced, page.dfn))
        pages_insert(&d->shown, &page, 1);
}

static void show_memory(struct ghost_domain *d)
{
    for (size_t i = 0; i < d->memory.nr; i++)
        show(d, d->memory.at[i]);
}

/* A lookup holds what it answered, in the window too. */
static bool is_looked_up(const struct ghost *g, const struct ghost_domain *d, uint64_t mfn)
{
    for (size_t i = tuples_from(g, mfn); i < g->nr_tuples && g->tuples[i].mfn == mfn; i++) {
        if (g->tuples[i].user == d && g->tuples[i].one_to_one)
            return true;
    }
    return false;
}

/* One that its owner waits to give up: it goes from the window first, and the table says when. */
static bool has_left(const struct ghost_domain *d, const struct ghost_frame *f, uint64_t mfn)
{
    struct pt_leaf leaf;

    return f->leaving && !real_leaf(d, 0, d->window + mfn, &leaf);
}

/* Frames of others that the domain wants no more: gone, or going, and then the table says. */
static bool is_dropped(const struct ghost_domain *d, const struct ghost_frame *f, uint64_t mfn)
{
    struct pt_leaf leaf;

    if (!d->dropping || (f->owned && f->owner == d->domid))
        return false;
    return d->dropped || !real_leaf(d, 0, d->window + mfn, &leaf);
}

static void show_window(const struct ghost *g, struct ghost_domain *d)
{
    for (uint64_t mfn = 0; mfn < g->nr_frames; mfn++) {
        const struct ghost_frame *f = &g->frames[mfn];

        if (f->known && (f->owned || is_looked_up(g, d, mfn)) && !has_left(d, f, mfn) &&
            !is_dropped(d, f, mfn))
            show(d, (struct page){.dfn = d->window + mfn,
                                  .gfn = f->gfn,
                                  .mfn = mfn,
                                  .attr = (uint8_t)type_rights(f->type)});
    }
}

void spaces_refresh(struct ghost *g)
{
    for (unsigned i = 0; i < g->nr_domains; i++) {
        struct ghost_domain *d = g->domains[i];

        d->shown.nr = 0;
        if (space_is_plain(d))
            continue;
        if (space_has_window(d))
            show_window(g, d);
        else if (d->ctx[0].identity)
            show_memory(d);
        for (size_t k = 0; k < d->explicit.nr; k++)
            pages_insert(&d->shown, &d->explicit.at[k], 1);
        for (size_t k = 0; k < d->lost.nr; k++)
            pages_insert(&d->shown, &d->lost.at[k], 1);
    }
}

bool space_learn_scratch(struct ghost *g, struct ghost_domain *d)
{
    struct sluice_domain_info info;

    sluice_domain_info(d->real, &info);
    if (!info.has_scratch)
        return complain(g, "%s: has no scratch frame and needs one", d->name);
    d->has_scratch = true;
    d->scratch = info.scratch.n;
    return true;
}
