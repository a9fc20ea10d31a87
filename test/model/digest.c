/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A digest of the model's state. Frames with an owner are named by it and their gfn, so that which
 * of equal frames the machine chose makes no difference.
 */
#include "state.h"

static uint64_t mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static uint64_t mix_frame(uint64_t hash, const struct ghost *g, uint64_t mfn)
{
    const struct ghost_frame *f = &g->frames[mfn];

    hash = mix(hash, f->owned);
    hash = mix(hash, f->owned ? f->owner : 0);
    hash = mix(hash, f->owned ? f->gfn : mfn);
    return mix(hash, (uint64_t)f->refs << 1 | f->loose);
}

static uint64_t mix_pages(uint64_t hash, const struct ghost *g, const struct pages *pages)
{
    for (size_t i = 0; i < pages->nr; i++) {
        const struct page *page = &pages->at[i];

        hash = mix(hash, page->dfn);
        hash = mix(hash, page->gfn);
        hash = mix(hash, (uint64_t)page->attr << 16 | (uint64_t)page->span << 8 | page->leaf);
        hash = mix_frame(hash, g, page->mfn);
    }
    return mix(hash, pages->nr);
}

static uint64_t digest_domain(const struct ghost *g, const struct ghost_domain *d)
{
    uint64_t hash = mix(1, d->domid);

    hash = mix_pages(hash, g, &d->memory);
    for (unsigned i = 0; i <= d->max_ctx_no; i++) {
        hash = mix(hash, (uint64_t)d->ctx[i].exists << 1 | d->ctx[i].identity);
        hash = mix_pages(hash, g, &d->ctx[i].pages);
    }
    return hash;
}

uint64_t ghost_digest(const struct ghost *g)
{
    uint64_t hash = 0;

    for (unsigned i = 0; i < g->nr_domains; i++)
        hash += digest_domain(g, g->domains[i]);
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        hash = mix(hash, dev->domain ? dev->domain->domid : UINT64_MAX);
        hash = mix(hash, dev->ctx);
    }
    return mix(hash, (uint64_t)g->failed << 1 | g->eio);
}
