/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deferred contexts: what was unmapped and still waits for its flush. When it is flushed is the
 * machine's affair, as long as it says so when it is asked: the frame stays referenced meanwhile,
 * and what the unit's caches hold is right until then, and wrong from then on.
 */
#include "state.h"

#include <string.h>

void pending_add(struct ghost_ctx *ctx, uint64_t first, uint64_t last)
{
    size_t from = pages_from(&ctx->pages, first);

    for (size_t i = from; i < ctx->pages.nr && ctx->pages.at[i].dfn <= last; i++)
        pages_insert(&ctx->pending, &ctx->pages.at[i], 1);
}

static void learn_context(struct ghost *g, struct ghost_domain *d, uint16_t ctx_no)
{
    struct pages *pages = &d->ctx[ctx_no].pending;
    struct pt_leaf leaf;

    for (size_t i = pages->nr; i-- > 0;) {
        const struct page page = pages->at[i];

        if (real_leaf(d, ctx_no, page.dfn, &leaf) && leaf.retired)
            continue;
        frame_unref(g, page.mfn);
        d->refs--;
        pages_remove(pages, page.dfn, page.dfn);
    }
}

void pending_learn(struct ghost *g)
{
    for (unsigned i = 0; i < g->nr_domains; i++) {
        for (unsigned k = 0; !g->domains[i]->gone && k <= g->domains[i]->max_ctx_no; k++)
            if (g->domains[i]->ctx[k].pending.nr)
                learn_context(g, g->domains[i], (uint16_t)k);
    }
}

const struct page *pending_page(const struct ghost_device *dev, uint64_t dfn)
{
    const struct ghost_ctx *ctx = dev->domain ? &dev->domain->ctx[dev->ctx] : NULL;

    if (!ctx)
        return NULL;
    /* Hardware may go on with what a guest's own table said when it was flushed last. */
    return pages_at(ctx->nested && !ctx->shadow ? &ctx->pages : &ctx->pending, dfn);
}

bool called_flush_context(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_flush_context in;
    const struct ghost_ctx *ctx;
    struct verdict v = {0};

    memcpy(&in, c->in, sizeof(in));
    ctx = find_ctx(c->d, in.ctx_no);
    may_if(&v, in.pad || !ctx || ctx->nested, -EINVAL);
    if (!judge(g, &v, c->status, "flush_context"))
        return false;
    if (!c->status && ctx->pending.nr && !g->failed)
        return complain(g, "flush_context: %zu pages of context %u are still pending",
                        ctx->pending.nr, in.ctx_no);
    return true;
}
