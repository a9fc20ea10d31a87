/* SPDX-License-Identifier: BSD-2-Clause */
/* The comparison of contexts: each page of the real tables with each page of the model. */
#include "state.h"

struct comparison {
    struct ghost *g;
    const struct ghost_domain *d;
    const struct pages *pages;
    size_t next;      /* of pages */
    uint64_t regions; /* pages of direct regions that were seen */
    unsigned doorbells;
    uint16_t ctx_no;
    bool same;
};

static int first_leaf(void *arg, const struct pt_leaf *leaf)
{
    *(struct pt_leaf *)arg = *leaf;
    return 1;
}

bool real_leaf(const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn, struct pt_leaf *out)
{
    return sluice_context_walk(d->real, ctx_no, dfn_of(dfn), dfn_of(dfn), first_leaf, out) == 1;
}

bool any_retired(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no,
                 uint64_t first, uint64_t nr)
{
    struct pt_leaf leaf;

    for (uint64_t i = 0; g->failed && i < nr; i++) {
        if (real_leaf(d, ctx_no, first + i, &leaf) && leaf.retired)
            return true;
    }
    return false;
}

static bool differs(struct comparison *c, uint64_t dfn, const char *how)
{
    c->same = false;
    return complain(c->g, "%s: context %u, dfn 0x%jx: %s", c->d->name, c->ctx_no, (uintmax_t)dfn,
                    how);
}

/* Memory that is not for devices does not show in an identity context, nor what is too high. */
static void skip_unseen(struct comparison *c)
{
    while (c->next < c->pages->nr && !c->pages->at[c->next].attr)
        c->next++;
    if (c->next < c->pages->nr && c->pages->at[c->next].dfn > c->g->max_dfn)
        c->next = c->pages->nr;
}

static bool page_is(struct comparison *c, uint64_t dfn, uint64_t mfn, const struct pt_leaf *leaf)
{
    const struct page *page = &c->pages->at[c->next];
    bool explicit = ctx_is_explicit(c->d, c->ctx_no);
    unsigned same = RIGHTS | (explicit ? PT_SNOOP : 0) | (c->ctx_no ? 0 : PT_MARK);
    unsigned attr = page->attr;

    if (c->g->write_implies_read && attr & PT_WRITE)
        attr |= PT_READ;
    c->next++;
    if (page->mfn != mfn)
        return differs(c, dfn, "leads to a wrong frame");
    if ((leaf->attr ^ attr) & same & PT_MARK)
        return differs(c, dfn,
                       attr & PT_MARK ? "is not marked as made by a call"
                                      : "is marked as made by a call");
    if ((leaf->attr & same) != (attr & same))
        return differs(c, dfn, "has wrong rights");
    if (explicit && leaf->lg2 > page->span)
        return differs(c, dfn, "is in a leaf larger than it was mapped with");
    if (explicit && leaf->lg2 != page->leaf)
        return differs(c, dfn, "is in a leaf of another size than before");
    return true;
}

static bool doorbell_is(struct comparison *c, uint64_t dfn, bool same, unsigned attr)
{
    const unsigned rights = attr & RIGHTS & (c->g->write_implies_read ? PT_WRITE : RIGHTS);

    c->doorbells++;
    return same && rights == PT_WRITE ? true : differs(c, dfn, "is not the doorbell, to write");
}

static bool region_page_is(struct comparison *c, uint64_t dfn, uint64_t mfn, unsigned attr)
{
    unsigned rights = region_rights(c->g, c->d, c->ctx_no, dfn);
    uint64_t doorbell;

    if (doorbell_at(c->g, c->d, c->ctx_no, dfn, &doorbell))
        return doorbell_is(c, dfn, doorbell == mfn, attr);
    if (doorbell_is_left(c->g, mfn))
        return true;

    if (!rights && mfn == dfn && leftover_rights(c->g, dfn))
        return true;
    c->regions++;
    if (!rights)
        return differs(c, dfn, "is mapped and should not be");
    if (mfn != dfn)
        return differs(c, dfn, "is in a direct region and not mapped 1:1");
    if ((attr & RIGHTS) != rights && !c->g->write_implies_read && !c->g->failed)
        return differs(c, dfn, "is in a direct region and has other rights");
    return true;
}

static int compare_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct comparison *c = arg;
    uint64_t nr = (uint64_t)1 << (leaf->lg2 - FRAME_LG2);
    uint64_t dfn = leaf->dfn.n;

    if (leaf->retired && (c->g->failed || pages_at(&c->d->ctx[c->ctx_no].pending, dfn)))
        return 0;
    if (leaf->retired)
        return !differs(c, dfn, "is retired and was not released");
    for (uint64_t i = 0; i < nr; i++, dfn++) {
        bool ours;

        skip_unseen(c);
        if (c->next < c->pages->nr && c->pages->at[c->next].dfn < dfn)
            return !differs(c, c->pages->at[c->next].dfn, "is not mapped and should be");
        ours = c->next < c->pages->nr && c->pages->at[c->next].dfn == dfn;
        if (ours ? !page_is(c, dfn, leaf->mfn.n + i, leaf)
                 : !region_page_is(c, dfn, leaf->mfn.n + i, leaf->attr))
            return 1;
    }
    return 0;
}

static bool compare_tables(struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no)
{
    const struct pages nothing = {0}; /* hardware walks the guest's table */
    struct comparison c = {
        .g = g, .d = d, .ctx_no = ctx_no, .same = true, .pages = ctx_pages(g, d, ctx_no)};

    if (is_nested_in_hardware(d, ctx_no))
        c.pages = &nothing;
    sluice_context_walk(d->real, ctx_no, dfn_of(0), dfn_of(g->max_dfn), compare_leaf, &c);
    if (!c.same)
        return false;
    skip_unseen(&c);
    if (c.next < c.pages->nr)
        return differs(&c, c.pages->at[c.next].dfn, "is not mapped and should be");
    if (c.doorbells != doorbell_pages(g, d, ctx_no))
        return complain(g, "%s: context %u has %u doorbells, right is %u", d->name, ctx_no,
                        c.doorbells, doorbell_pages(g, d, ctx_no));
    if (c.regions != region_pages(g, d, ctx_no))
        return complain(g, "%s: context %u has %ju pages of direct regions, right is %ju", d->name,
                        ctx_no, (uintmax_t)c.regions, (uintmax_t)region_pages(g, d, ctx_no));
    return true;
}

static bool check_context(struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no)
{
    const struct ghost_ctx *ctx = &d->ctx[ctx_no];
    struct sluice_context_info info;
    size_t mapped;
    int status = sluice_context_info(d->real, ctx_no, &info);

    if (!status && !ctx->exists && d->viommu)
        return true; /* check_shadows() */
    if (!status != ctx->exists)
        return complain(g, "%s: context %u is %s", d->name, ctx_no, ctx->exists ? "gone" : "there");
    if (!ctx->exists)
        return true;
    if (info.identity != ctx->identity || info.blocked != (!ctx_no && !ctx->identity))
        return complain(g, "%s: context %u: identity %d, blocked %d", d->name, ctx_no,
                        info.identity, info.blocked);
    if (info.nr_devices != ctx_devices(g, d, ctx_no))
        return complain(g, "%s: context %u has %u devices, right is %u", d->name, ctx_no,
                        info.nr_devices, ctx_devices(g, d, ctx_no));
    if (info.nested != ctx->nested || info.shadow != ctx->shadow)
        return complain(g, "%s: context %u: nested %d, shadow %d", d->name, ctx_no, info.nested,
                        info.shadow);
    mapped = ctx_no ? ctx->pages.nr : d->explicit.nr;
    if (is_nested_in_hardware(d, ctx_no))
        mapped = 0;
    if (info.nr_mapped < mapped || (info.nr_mapped != mapped && !g->failed))
        return complain(g, "%s: context %u has %ju frames mapped, right is %zu", d->name, ctx_no,
                        (uintmax_t)info.nr_mapped, mapped);
    return compare_tables(g, d, ctx_no);
}

static bool check_domain_stats(struct ghost *g, const struct ghost_domain *d)
{
    struct sluice_domain_stats stats;
    unsigned contexts = 0;

    for (unsigned i = 1; i <= d->max_ctx_no; i++)
        contexts += d->ctx[i].exists;
    sluice_domain_stats(d->real, &stats);
    if (stats.contexts < contexts || stats.contexts > contexts + d->nr_shadowing)
        return complain(g, "%s: charged for %u contexts, has %u", d->name, stats.contexts,
                        contexts);
    if (stats.refs != d->refs + d->shadows && !g->failed)
        return complain(g, "%s: charged for %u references, has %ju", d->name, stats.refs,
                        (uintmax_t)(d->refs + d->shadows));
    return true;
}

bool check_contexts(struct ghost *g, struct ghost_domain *d)
{
    for (unsigned i = 0; i <= d->max_ctx_no; i++) {
        if (!check_context(g, d, (uint16_t)i))
            return false;
    }
    return check_domain_stats(g, d);
}
