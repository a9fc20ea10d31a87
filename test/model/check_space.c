/* SPDX-License-Identifier: BSD-2-Clause */
/* The comparison of the reverse map, and of what a bus-frame space has beside its table. */
#include "state.h"

struct tuple_comparison {
    struct ghost *g;
    uint64_t mfn;
    size_t nr;
    bool same;
};

static bool is_same(const struct ghost_tuple *t, const struct sluice_tuple *real)
{
    return t->user->domid == real->domid && t->bfn == real->bfn &&
           (t->local || t->server == real->server) && t->local == real->local &&
           t->swap == real->swappable && t->unheld == real->unheld &&
           t->one_to_one == real->one_to_one && t->left == real->left;
}

static bool same_place(const struct ghost_tuple *t, const struct sluice_tuple *real)
{
    return t->user->domid == real->domid && t->bfn == real->bfn;
}

static int compare_tuple(void *arg, const struct sluice_tuple *real)
{
    struct tuple_comparison *c = arg;
    const struct ghost *g = c->g;
    const char *how = "is not one";

    c->nr++;
    for (size_t i = tuples_from(g, c->mfn); i < g->nr_tuples && g->tuples[i].mfn == c->mfn; i++) {
        if (is_same(&g->tuples[i], real))
            return 0;
        if (same_place(&g->tuples[i], real))
            how = "is another";
    }
    c->same = complain(c->g, "mfn 0x%jx: tuple bfn 0x%jx of domain %u %s (server %u%s%s%s%s%s)",
                       (uintmax_t)c->mfn, (uintmax_t)real->bfn, real->domid, how, real->server,
                       real->local ? " local" : "", real->swappable ? " swap" : "",
                       real->unheld ? " unheld" : "", real->one_to_one ? " 1to1" : "",
                       real->left ? " left" : "");
    return 1;
}

bool check_tuples(struct ghost *g, uint64_t mfn)
{
    struct tuple_comparison c = {g, mfn, 0, true};
    size_t first = tuples_from(g, mfn), nr = 0;

    while (first + nr < g->nr_tuples && g->tuples[first + nr].mfn == mfn)
        nr++;
    sluice_frame_tuples(g->sluice, mfn_of(mfn), compare_tuple, &c);
    if (!c.same)
        return false;
    if (c.nr != nr)
        return complain(g, "mfn 0x%jx: %zu tuples, right is %zu; one is bfn 0x%jx of %s",
                        (uintmax_t)mfn, c.nr, nr, (uintmax_t)g->tuples[first].bfn,
                        g->tuples[first].user->name);
    return true;
}

static bool is_scratch_of_another(const struct ghost *g, const struct ghost_domain *d, uint64_t mfn)
{
    for (unsigned i = 0; i < g->nr_domains; i++) {
        if (g->domains[i] != d && g->domains[i]->has_scratch && g->domains[i]->scratch == mfn)
            return true;
    }
    return false;
}

/* Once there, the same for ever; nobody's frame, and nobody else's scratch. */
static bool scratch_is(struct ghost *g, struct ghost_domain *d,
                       const struct sluice_domain_info *info)
{
    struct sluice_frame_info frame;

    if (d->has_scratch && (!info->has_scratch || info->scratch.n != d->scratch))
        return complain(g, "%s: its scratch frame is not 0x%jx any more", d->name,
                        (uintmax_t)d->scratch);
    d->has_scratch = info->has_scratch;
    d->scratch = info->scratch.n;
    if (!d->has_scratch)
        return true;
    if (is_scratch_of_another(g, d, d->scratch))
        return complain(g, "%s: its scratch frame 0x%jx is another's too", d->name,
                        (uintmax_t)d->scratch);
    if (sluice_frame_info(g->sluice, info->scratch, &frame) || frame.owned || frame.refs)
        return complain(g, "%s: its scratch frame 0x%jx is a domain's", d->name,
                        (uintmax_t)d->scratch);
    return check_tuples(g, d->scratch);
}

/* What devices of d reach through an entry of a call, it holds; or it goes with the frame. */
static bool entry_is_sound(struct ghost *g, const struct ghost_domain *d, const struct page *page)
{
    const struct ghost_frame *f = frame_at(g, page->mfn);
    const struct ghost_tuple *t = tuple_at(g, d, page->dfn);

    if (t && t->unheld)
        return f->owned || (d->has_scratch && page->mfn == d->scratch);
    return f->refs > f->owned;
}

static bool entries_are_sound(struct ghost *g, const struct ghost_domain *d)
{
    for (size_t i = 0; i < d->explicit.nr; i++) {
        if (!entry_is_sound(g, d, &d->explicit.at[i]))
            return complain(g, "%s: bfn 0x%jx leads to mfn 0x%jx, which nothing holds", d->name,
                            (uintmax_t)d->explicit.at[i].dfn, (uintmax_t)d->explicit.at[i].mfn);
    }
    return true;
}

bool check_space(struct ghost *g, struct ghost_domain *d)
{
    struct sluice_domain_info info;
    struct sluice_domain_stats stats;

    sluice_domain_info(d->real, &info);
    sluice_domain_stats(d->real, &stats);
    if (info.space != d->space)
        return complain(g, "%s: another kind of bus-frame space than before", d->name);
    if (info.one_to_one != space_is_one_to_one(g, d))
        return complain(g, "%s: lookups are%s answered 1:1", d->name,
                        info.one_to_one ? "" : " not");
    if (stats.foreign != tuples_of(g, d, false) && !g->failed)
        return complain(g, "%s: counts %ju tuples, has %u", d->name, (uintmax_t)stats.foreign,
                        tuples_of(g, d, false));
    return scratch_is(g, d, &info) && entries_are_sound(g, d);
}
