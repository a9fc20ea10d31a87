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
    const struct ghost_frame *f;

    if (mfn >= g->nr_frames)
        return mix(hash, mfn);
    f = &g->frames[mfn];
    hash = mix(hash, f->owned);
    hash = mix(hash, f->owned ? f->owner : 0);
    hash = mix(hash, f->owned ? f->gfn : mfn);
    return mix(hash, (uint64_t)f->refs << 2 | (uint64_t)f->leaving << 1 | f->loose);
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

/* Which page a scratch frame is makes no difference. */
static uint64_t mix_space(uint64_t hash, const struct ghost *g, const struct ghost_domain *d)
{
    hash = mix(hash, (uint64_t)d->space << 1 | d->mapped);
    for (size_t i = 0; i < d->replaced.nr; i++)
        hash = mix(hash, d->replaced.at[i].dfn);
    for (size_t i = 0; i < d->explicit.nr; i++) {
        const struct page *page = &d->explicit.at[i];

        hash = mix(mix(hash, page->dfn), page->attr);
        if (!d->has_scratch || page->mfn != d->scratch)
            hash = mix_frame(hash, g, page->mfn);
    }
    return hash;
}

/* The sum over all: their order is by frame, and makes no difference. */
static uint64_t digest_tuples(const struct ghost *g)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < g->nr_tuples; i++) {
        const struct ghost_tuple *t = &g->tuples[i];
        uint64_t hash = mix(mix(7, t->user->domid), t->bfn);

        hash = mix(hash, (uint64_t)t->server << 8 | (uint64_t)t->nobody << 5 |
                             (uint64_t)t->local << 4 | (uint64_t)t->swap << 3 |
                             (uint64_t)t->unheld << 2 | (uint64_t)t->one_to_one << 1 | t->left);
        if (!t->user->has_scratch || t->mfn != t->user->scratch)
            hash = mix_frame(hash, g, t->mfn);
        sum += hash;
    }
    return sum;
}

static uint64_t digest_servers(const struct ghost *g)
{
    uint64_t hash = 3;

    for (unsigned i = 0; i < g->nr_servers; i++) {
        const struct ghost_server *s = &g->servers[i];

        hash = mix(mix(hash, (uint64_t)s->emulator << 17 | (uint64_t)s->target << 1 | s->ended),
                   (uint64_t)s->id << 16 | s->nr_slots);
        for (size_t k = 0; k < s->nr_owed; k++)
            hash = mix(hash,
                       s->owed[k].bfn << 2 | (uint64_t)s->owed[k].sync << 1 | s->owed[k].perhaps);
    }
    return hash;
}

static uint64_t digest_domain(const struct ghost *g, const struct ghost_domain *d)
{
    uint64_t hash = mix(1, d->domid);

    hash = mix_pages(hash, g, &d->memory);
    hash = mix_space(hash, g, d);
    for (unsigned i = 0; i <= d->max_ctx_no; i++) {
        hash = mix(hash, (uint64_t)d->ctx[i].exists << 1 | d->ctx[i].identity);
        if (d->ctx[i].nested)
            hash = mix(hash, d->ctx[i].root << 8 | d->ctx[i].format);
        for (unsigned k = 0; d->ctx[i].pinned && k < d->ctx[i].nr_reserved; k++)
            hash = mix(hash, d->ctx[i].reserved[k].first);
        hash = mix_pages(hash, g, &d->ctx[i].pages);
        if (d->ctx[i].defers)
            hash = mix_pages(mix(hash, 9), g, &d->ctx[i].pending);
    }
    return hash;
}

/* The sum: in which order they were attached makes no difference. */
static uint64_t digest_pairs(const struct ghost *g, const struct ghost_device *dev)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *pair = g->devices[i];

        if (pair->pasid && pair->real == dev->real)
            sum += mix(mix(11, pair->pasid), pair->ctx);
    }
    return sum;
}

uint64_t ghost_digest(const struct ghost *g)
{
    uint64_t hash = 0;

    for (unsigned i = 0; i < g->nr_domains; i++)
        hash += digest_domain(g, g->domains[i]);
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *dev = g->devices[i];

        if (dev->pasid)
            continue;
        hash = mix(hash, dev->domain ? dev->domain->domid : UINT64_MAX);
        hash = mix(mix(hash, dev->ctx), digest_pairs(g, dev));
    }
    hash = mix(mix(hash, digest_tuples(g)), digest_servers(g));
    return mix(hash, (uint64_t)g->failed << 1 | g->eio);
}
