/* SPDX-License-Identifier: BSD-2-Clause */
/* After a unit failed: bus-frame spaces are read from the machine. */
#include "state.h"

#include <stdlib.h>
#include <string.h>

struct learning {
    struct ghost *g;
    struct ghost_domain *d;
    uint64_t mfn;
    const struct ghost_tuple *before;
    size_t nr_before;
};

static int learn_leaf(void *arg, const struct pt_leaf *leaf)
{
    const struct learning *l = arg;

    for (uint64_t i = 0; i < (uint64_t)1 << (leaf->lg2 - FRAME_LG2); i++) {
        const struct page page = {.dfn = leaf->dfn.n + i,
                                  .gfn = frame_at(l->g, leaf->mfn.n + i)->gfn,
                                  .mfn = leaf->mfn.n + i,
                                  .attr = (uint8_t)(leaf->attr & (RIGHTS | PT_MARK))};

        if (leaf->attr & PT_MARK && !leaf->retired)
            space_map(l->d, &page);
    }
    return 0;
}

/* The machine does not tell. */
static bool was_nobody(const struct learning *l, const struct ghost_domain *user, uint64_t bfn)
{
    for (size_t i = 0; i < l->nr_before; i++) {
        if (l->before[i].user == user && l->before[i].bfn == bfn)
            return l->before[i].nobody;
    }
    return false;
}

static int learn_tuple(void *arg, const struct sluice_tuple *real)
{
    const struct learning *l = arg;
    struct ghost_domain *user = find_domain(l->g, real->domid);

    if (user)
        tuple_add(l->g, &(struct ghost_tuple){.mfn = l->mfn,
                                              .bfn = real->bfn,
                                              .user = user,
                                              .server = real->server,
                                              .nobody = was_nobody(l, user, real->bfn),
                                              .local = real->local,
                                              .swap = real->swappable,
                                              .unheld = real->unheld,
                                              .one_to_one = real->one_to_one,
                                              .left = real->left});
    return 0;
}

/* An entry without a tuple holds one of the domain's own frames. */
static void learn_entries(struct learning *l)
{
    const struct pages *explicit = &l->d->explicit;
    struct sluice_domain_info info;

    sluice_domain_info(l->d->real, &info);
    l->d->mapped |= !info.one_to_one;
    if (!l->g->no_iommu)
        sluice_context_walk(l->d->real, 0, dfn_of(0), dfn_of(l->g->max_dfn), learn_leaf, l);
    for (size_t i = 0; i < explicit->nr; i++) {
        if (tuple_at(l->g, l->d, explicit->at[i].dfn))
            continue;
        frame_ref(l->g, explicit->at[i].mfn);
        l->d->refs++;
    }
}

/* What is implicit and the model does not expect: it stayed after a failure. */
static int learn_lost(void *arg, const struct pt_leaf *leaf)
{
    const struct learning *l = arg;
    const struct pages *pages = ctx_pages(l->g, l->d, 0);

    for (uint64_t i = 0; i < (uint64_t)1 << (leaf->lg2 - FRAME_LG2) && !leaf->retired; i++) {
        const uint64_t dfn = leaf->dfn.n + i, mfn = leaf->mfn.n + i;
        const struct page page = {
            .dfn = dfn, .mfn = mfn, .attr = (uint8_t)(leaf->attr & (RIGHTS | PT_MARK))};

        if (pages_at(pages, dfn) || leftover_rights(l->g, dfn) || frame_at(l->g, mfn)->owned)
            continue;
        pages_insert(&l->d->lost, &page, 1);
    }
    return 0;
}

/* What is not there any more, though it is expected. */
static void learn_missing(const struct learning *l)
{
    const struct pages *pages = ctx_pages(l->g, l->d, 0);

    for (size_t i = 0; i < pages->nr; i++) {
        struct pt_leaf leaf;

        if (pages->at[i].attr && pages->at[i].dfn <= l->g->max_dfn &&
            (!real_leaf(l->d, 0, pages->at[i].dfn, &leaf) || leaf.retired))
            pages_insert(&l->d->replaced, &pages->at[i], 1);
    }
}

static void learn_implicit(struct learning *l)
{
    if (l->g->no_iommu || (!l->d->ctx[0].identity && !space_has_window(l->d)))
        return;
    learn_missing(l);
    sluice_context_walk(l->d->real, 0, dfn_of(0), dfn_of(l->g->max_dfn), learn_lost, l);
}

static struct ghost_tuple *copy_tuples(const struct ghost *g)
{
    struct ghost_tuple *copy = must_alloc(NULL, g->nr_tuples, sizeof(*copy));

    if (g->nr_tuples)
        memcpy(copy, g->tuples, g->nr_tuples * sizeof(*copy));
    return copy;
}

void spaces_learn(struct ghost *g)
{
    struct ghost_tuple *before = copy_tuples(g);
    struct learning l = {.g = g, .before = before, .nr_before = g->nr_tuples};

    for (unsigned i = 0; i < g->nr_domains; i++)
        space_empty(g, g->domains[i]);
    for (; l.mfn < g->machine_frames; l.mfn++)
        sluice_frame_tuples(g->sluice, mfn_of(l.mfn), learn_tuple, &l);
    for (unsigned i = 0; i < g->nr_domains; i++) {
        l.d = g->domains[i];
        l.d->lost.nr = 0;
        learn_entries(&l);
        spaces_refresh(g);
        learn_implicit(&l);
    }
    free(before);
}
