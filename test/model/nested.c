/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nested contexts. `pages` is the composition of the guest's table and the memory as of the last
 * flush, without what left the memory since. A shadow is just that; hardware that walks the guest's
 * table may use that, or what the table says now.
 */
#include "state.h"

#include <string.h>

#define ENTRIES 512u
#define LOWER   47u /* bits of x86's canonical lower half with 4 levels; 9 more with 5 */

/* Entries as the manuals have them: SDM 4.5, Arm D8.3. */
enum meaning { NOTHING, TABLE, LEAF };

static enum meaning x86_meaning(uint64_t e, unsigned level, unsigned *rights)
{
    const uint64_t low = ((uint64_t)1 << (12 + 9 * level)) - 1;

    if (!(e & 1))
        return NOTHING;
    *rights = PT_READ | (e & 2 ? PT_WRITE : 0);
    if (level && !(e & 0x80))
        return TABLE;
    if (level > 2 || (level && e & low & ~(uint64_t)0x1fff))
        return NOTHING; /* reserved bits */
    return LEAF;
}

static enum meaning lpae_meaning(uint64_t e, unsigned level, unsigned *rights)
{
    if (!(e & 1) || e >> 48 & 3)
        return NOTHING;
    if (level && e & 2) {
        *rights = PT_READ | (e >> 62 & 1 ? 0 : PT_WRITE);
        return TABLE;
    }
    *rights = PT_READ | (e >> 7 & 1 ? 0 : PT_WRITE);
    if ((!level && !(e & 2)) || level > 2 || !(e >> 10 & 1))
        return NOTHING;
    return LEAF;
}

struct composition {
    struct ghost *g;
    struct ghost_domain *d;
    struct ghost_ctx *ctx;
    uint16_t ctx_no;
    uint64_t first, last;
    struct pages *into;
};

static bool is_lpae(const struct composition *c)
{
    return c->ctx->format == IOMMU_NESTED_lpae_stage1;
}

static uint64_t gfn_in(const struct composition *c, uint64_t e)
{
    return (e & (is_lpae(c) ? 0xfffffffff000u : 0xffffffffff000u)) >> FRAME_LG2;
}

/* A table that devices may not read is empty. */
static bool read_table(const struct composition *c, uint64_t gfn, uint64_t *entries)
{
    const struct page *page = pages_at(&c->d->memory, gfn);
    struct machine_domain *d = machine_domain(c->g->m, c->d->name);

    return page && page->attr & PT_READ &&
           !machine_guest_read(d, gfn << FRAME_LG2, entries, FRAME_SIZE);
}

/* In shadows the context's regions come first; the interrupt window is never translated. */
static bool is_kept_free(const struct composition *c, uint64_t dfn)
{
    if (dfn >= MSI_FIRST && dfn <= MSI_LAST)
        return true;
    return c->ctx->shadow && region_touches(c->g, c->d, c->ctx_no, dfn, dfn);
}

static void add_page(const struct composition *c, uint64_t dfn, uint64_t gfn, unsigned rights)
{
    const struct page *page = pages_at(&c->d->memory, gfn);
    struct page new;

    if (!page || !(page->attr & rights) || is_kept_free(c, dfn))
        return;
    new = (struct page){.dfn = dfn,
                        .gfn = gfn,
                        .mfn = page->mfn,
                        .attr = (uint8_t)(page->attr & rights),
                        .span = 30};
    pages_insert(c->into, &new, 1);
}

static void add_leaf(const struct composition *c, uint64_t dfn, uint64_t gfn, uint64_t nr,
                     unsigned rights)
{
    gfn &= ~(nr - 1);
    for (uint64_t i = 0; i < nr; i++) {
        if (dfn + i >= c->first && dfn + i <= c->last)
            add_page(c, dfn + i, gfn + i, rights);
    }
}

/* As deep as the table has levels, whatever it says. */
static void compose(const struct composition *c, uint64_t gfn, unsigned level, uint64_t dfn,
                    unsigned rights)
{
    const uint64_t span = (uint64_t)1 << (9 * level);
    uint64_t entries[ENTRIES];

    if (!read_table(c, gfn, entries))
        return;
    for (unsigned i = 0; i < ENTRIES; i++) {
        const uint64_t at = dfn + i * span, e = entries[i];
        unsigned own = 0;
        enum meaning meaning;

        if (at > c->last || at + span - 1 < c->first)
            continue;
        meaning = is_lpae(c) ? lpae_meaning(e, level, &own) : x86_meaning(e, level, &own);
        if (meaning == TABLE)
            compose(c, gfn_in(c, e), level - 1, at, rights & own);
        else if (meaning == LEAF)
            add_leaf(c, at, gfn_in(c, e), span, rights & own);
    }
}

static uint64_t width(const struct ghost *g, const struct ghost_ctx *ctx)
{
    const unsigned bits = ctx->format == IOMMU_NESTED_x86_4level   ? LOWER
                          : ctx->format == IOMMU_NESTED_x86_5level ? LOWER + 9
                                                                   : 48;
    const uint64_t last = ((uint64_t)1 << (bits - FRAME_LG2)) - 1;

    return last < g->max_dfn ? last : g->max_dfn;
}

/* What the guest's table makes of first..last now. */
static void compose_now(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no, uint64_t first,
                        uint64_t last, struct pages *into)
{
    struct ghost_ctx *ctx = &d->ctx[ctx_no];
    const uint64_t end = width(g, ctx);
    struct composition c = {g, d, ctx, ctx_no, first, last < end ? last : end, into};

    if (first <= c.last)
        compose(&c, ctx->root, ctx->format == IOMMU_NESTED_x86_5level ? 4 : 3, 0, RIGHTS);
}

static void forget(struct ghost *g, struct ghost_domain *d, struct ghost_ctx *ctx, uint64_t first,
                   uint64_t last)
{
    for (size_t i = pages_from(&ctx->pages, first);
         ctx->shadow && i < ctx->pages.nr && ctx->pages.at[i].dfn <= last; i++) {
        frame_unref(g, ctx->pages.at[i].mfn);
        d->refs--;
    }
    pages_remove(&ctx->pages, first, last);
}

/* Where it lacked memory, a shadow has less: the machine says what. */
static bool is_missing(const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn)
{
    struct pt_leaf leaf;

    return !real_leaf(d, ctx_no, dfn, &leaf) || leaf.retired;
}

static void refresh(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no, uint64_t first,
                    uint64_t last, bool lacking)
{
    struct ghost_ctx *ctx = &d->ctx[ctx_no];
    struct pages now = {0};

    compose_now(g, d, ctx_no, first, last, &now);
    forget(g, d, ctx, first, last);
    for (size_t i = 0; i < now.nr; i++) {
        if (lacking && ctx->shadow && is_missing(d, ctx_no, now.at[i].dfn))
            continue;
        pages_insert(&ctx->pages, &now.at[i], 1);
        if (!ctx->shadow)
            continue;
        frame_ref(g, now.at[i].mfn);
        d->refs++;
    }
    pages_free(&now);
}

bool nested_page(const struct ghost *g, const struct ghost_domain *d, uint16_t ctx_no, uint64_t dfn,
                 struct page *out)
{
    struct pages now = {0};
    bool there;

    /* Nothing changes: it only reads the guest's memory. */
    compose_now((struct ghost *)(uintptr_t)g, (struct ghost_domain *)(uintptr_t)d, ctx_no, dfn, dfn,
                &now);
    there = now.nr;
    if (there)
        *out = now.at[0];
    pages_free(&now);
    return there;
}

bool is_nested(const struct ghost_domain *d, uint16_t ctx_no)
{
    const struct ghost_ctx *ctx = find_ctx(d, ctx_no);

    return ctx && ctx->nested;
}

bool is_nested_in_hardware(const struct ghost_domain *d, uint16_t ctx_no)
{
    return is_nested(d, ctx_no) && !d->ctx[ctx_no].shadow;
}

static void lose(struct ghost *g, struct ghost_domain *d, struct ghost_ctx *ctx, uint64_t gfn,
                 uint64_t nr)
{
    for (size_t i = ctx->pages.nr; i-- > 0;) {
        const struct page page = ctx->pages.at[i];

        if (page.gfn >= gfn && page.gfn - gfn < nr)
            forget(g, d, ctx, page.dfn, page.dfn);
    }
}

void nested_leaves(struct ghost *g, struct ghost_domain *d, uint64_t gfn, uint64_t nr)
{
    for (unsigned i = 1; i <= d->max_ctx_no; i++) {
        if (is_nested(d, (uint16_t)i))
            lose(g, d, &d->ctx[i], gfn, nr);
    }
}

/* A removal that failed may have taken some of it out. */
void nested_learn(struct ghost *g, struct ghost_domain *d)
{
    for (unsigned no = 1; no <= d->max_ctx_no; no++) {
        struct ghost_ctx *ctx = &d->ctx[no];

        for (size_t i = is_nested(d, (uint16_t)no) && ctx->shadow ? ctx->pages.nr : 0; i-- > 0;) {
            const uint64_t dfn = ctx->pages.at[i].dfn;

            if (is_missing(d, (uint16_t)no, dfn))
                forget(g, d, ctx, dfn, dfn);
        }
    }
}

void nested_make_way(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no)
{
    struct ghost_ctx *ctx = &d->ctx[ctx_no];

    for (size_t i = is_nested(d, ctx_no) && ctx->shadow ? ctx->pages.nr : 0; i-- > 0;) {
        const uint64_t dfn = ctx->pages.at[i].dfn;

        if (region_touches(g, d, ctx_no, dfn, dfn))
            forget(g, d, ctx, dfn, dfn);
    }
}

/* ---- Calls -------------------------------------------------------------------------------------
 */

static bool begins(struct ghost *g, const struct inner_call *c, uint16_t no,
                   const struct pv_iommu_alloc_nested *in)
{
    struct sluice_context_info info;

    if (!no || no > c->d->max_ctx_no || c->d->ctx[no].exists)
        return complain(g, "alloc_nested gave ctx_no %u", no);
    if (sluice_context_info(c->d->real, no, &info) || !info.nested)
        return complain(g, "alloc_nested gave ctx_no %u, which is not nested", no);
    c->d->ctx[no] = (struct ghost_ctx){.exists = true,
                                       .nested = true,
                                       .shadow = info.shadow,
                                       .format = (uint32_t)in->nested_flags,
                                       .root = in->pgtable_gfn};
    refresh(g, c->d, no, 0, UINT64_MAX, false);
    return true;
}

bool called_alloc_nested(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_alloc_nested in, out;
    struct verdict v = {0};

    memcpy(&in, c->in, sizeof(in));
    memcpy(&out, c->out, sizeof(out));
    may_if(&v, in.pgtable_gfn >> 40, -EINVAL);
    may_if(&v, in.nested_flags < 1 || in.nested_flags > 3, -EINVAL);
    if (!v.nr) {
        may_if(&v, ctx_are_used(c->d), -ENOSPC);
        may_if(&v, ctx_budget_is_used(c->d), -ENOMEM);
        may_if(&v, c->status == -ENOMEM && c->d->budget_refs != SLUICE_NO_LIMIT, -ENOMEM);
        may_if(&v, c->status == -ENOMEM && tables_may_lack(g, c->d, UINT32_MAX), -ENOMEM);
    }
    if (!judge(g, &v, c->status, "alloc_nested"))
        return false;
    if (c->status && out.ctx_no && out.ctx_no != in.ctx_no)
        return complain(g, "a failed alloc_nested gave ctx_no %u", out.ctx_no);
    return c->status ? true : begins(g, c, out.ctx_no, &in);
}

bool called_flush_nested(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_flush_nested in;
    struct verdict v = {0};
    bool all;

    memcpy(&in, c->in, sizeof(in));
    all = in.flags & IOMMU_FLUSH_all;
    may_if(&v, in.pad || in.flags & ~(uint32_t)IOMMU_FLUSH_all, -EINVAL);
    may_if(&v, !all && (!in.nr_pages || in.dfn + in.nr_pages - 1 < in.dfn), -EINVAL);
    may_if(&v, !is_nested(c->d, in.ctx_no), -EINVAL);
    if (!v.nr && c->status == -ENOMEM && c->d->ctx[in.ctx_no].shadow) {
        may_if(&v, c->d->budget_refs != SLUICE_NO_LIMIT, -ENOMEM);
        may_if(&v, tables_may_lack(g, c->d, UINT32_MAX), -ENOMEM);
    }
    if (!judge(g, &v, c->status, "flush_nested"))
        return false;
    if (c->status != -EINVAL && c->status != -EFAULT)
        refresh(g, c->d, in.ctx_no, all ? 0 : in.dfn, all ? UINT64_MAX : in.dfn + in.nr_pages - 1,
                c->status);
    return true;
}
