/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where pages of other domains are on the bus. However often a page is looked up, the hypervisor
 * holds it once, so its users are counted here, and the first lookup and the end of the last use
 * are done with the lock held: else one that comes while the other goes would hold nothing.
 */
#include "dma_space.h"

#define WAYS 16u /* places that a page may be in */

int dma_lookup_init(struct dma_space *s)
{
    const uint32_t nr = s->config.nr_found;

    if (!s->config.found)
        return 0;
    if (nr < WAYS || nr & (nr - 1))
        return -EINVAL;
    for (uint32_t i = 0; i < nr; i++)
        s->config.found[i].users = 0;
    return 0;
}

/* The lock is held in all that follows, but for the last two. */

static struct dma_found *ways(struct dma_space *s, domid_t domain, uint64_t gfn)
{
    const uint64_t hash = (gfn ^ (uint64_t)domain << 48) * 0x9e3779b97f4a7c15u;

    return &s->config.found[(hash >> 32) & (s->config.nr_found - WAYS)];
}

/* The page's place, or else a free one (users 0), or NULL. */
static struct dma_found *place(struct dma_space *s, domid_t domain, uint64_t gfn)
{
    struct dma_found *first = ways(s, domain, gfn), *free = NULL;

    for (struct dma_found *f = first; f < first + WAYS; f++) {
        if (f->users && f->gfn == gfn && f->domain == domain)
            return f;
        if (!f->users)
            free = f;
    }
    return free;
}

static int ask(struct dma_space *s, domid_t domain, uint64_t gfn, uint64_t *bfn)
{
    struct pv_iommu_op op = {
        .subop_id = IOMMUOP_lookup_foreign_page,
        .u.lookup_foreign_page = {.gfn = gfn, .domid = domain, .ioserver = s->config.server}};
    const int err = hypercall_frames(&s->calls, &op, 1);

    *bfn = op.u.lookup_foreign_page.bfn;
    return err ? err : op.status;
}

static int let_go(struct dma_space *s, uint64_t bfn)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_unmap_foreign_page,
                             .u.unmap_foreign_page = {.bfn = bfn, .ioserver = s->config.server}};
    const int err = hypercall_frames(&s->calls, &op, 1);

    return err ? err : op.status;
}

static int look(struct dma_space *s, domid_t domain, uint64_t gfn, uint64_t *bfn)
{
    struct dma_found *f = place(s, domain, gfn);
    int err;

    if (!f)
        return -ENOMEM;
    if (!f->users) {
        *f = (struct dma_found){.gfn = gfn, .domain = domain};
        err = ask(s, domain, gfn, &f->bfn);
        if (err)
            return err;
    }
    f->users++;
    *bfn = f->bfn;
    return 0;
}

/* An error: the hypervisor holds it on. */
static int unlook(struct dma_space *s, domid_t domain, uint64_t gfn)
{
    struct dma_found *f = place(s, domain, gfn);

    if (!f || !f->users)
        return -ENOENT;
    return --f->users ? 0 : let_go(s, f->bfn);
}

static int unlook_all(struct dma_space *s, const struct dma_buffer *b, uint64_t nr)
{
    int err = 0;

    for (uint64_t i = 0; i < nr; i++) {
        const int one = unlook(s, b->domain, b->gfn + i);

        err = err ? err : one;
    }
    return err;
}

/* *nr: how many were. -ERANGE: they are not one behind the other. */
static int look_some(struct dma_space *s, const struct dma_buffer *b, uint64_t *first, uint64_t *nr)
{
    int err = look(s, b->domain, b->gfn, first);
    uint64_t bfn;

    for (*nr = err ? 0 : 1; *nr < dma_frames(b) && !err; ++*nr) {
        err = look(s, b->domain, b->gfn + *nr, &bfn);
        if (err)
            return err;
        err = bfn == *first + *nr ? 0 : -ERANGE;
    }
    return err;
}

/* All or nothing. */
static int look_all(struct dma_space *s, uint64_t mask, const struct dma_buffer *b, uint64_t *first)
{
    uint64_t nr;
    int err = look_some(s, b, first, &nr);

    if (!err && !dma_reaches(b, *first, mask))
        err = -ERANGE;
    if (err)
        (void)unlook_all(s, b, nr);
    return err;
}

int dma_lookup(struct dma_space *s, uint64_t mask, struct dma_mapping *m)
{
    uint64_t first;
    int err;

    dma_lock(s);
    err = look_all(s, mask, &m->buffer, &first);
    dma_unlock(s);
    if (!err)
        m->address = dma_address(&m->buffer, first);
    return err;
}

int dma_unlookup(struct dma_space *s, struct dma_mapping *m)
{
    int err;

    dma_lock(s);
    err = unlook_all(s, &m->buffer, dma_frames(&m->buffer));
    dma_unlock(s);
    return err;
}
