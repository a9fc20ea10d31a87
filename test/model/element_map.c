/* SPDX-License-Identifier: BSD-2-Clause */
/* map_page and map_foreign_page: all of 1 << order frames, or none. */
#include "state.h"

struct placing {
    const struct element *e;
    uint64_t bfn, gfn, nr;
    unsigned attr;
    bool machine; /* gfn is a machine frame */
    bool unheld;
    const struct ghost_domain *owner; /* whose gfn; not of machine frames */
    struct ghost_tuple tuple;         /* of what it is not the caller's own, held */
};

#define KNOWN_FLAGS                                                           \
    (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable | IOMMU_MAP_OP_swap_mfn | \
     IOMMU_MAP_OP_add_m2b | IOMMU_page_order_mask)

#define CROWD 256u

static unsigned attr_of(unsigned flags)
{
    return (flags & IOMMU_MAP_OP_readable ? PT_READ : 0) |
           (flags & IOMMU_MAP_OP_writeable ? PT_WRITE : 0);
}

static int flags_verdict(const struct ghost *g, const struct element *e)
{
    const unsigned flags = e->in->flags;

    if (flags & ~(unsigned)KNOWN_FLAGS || !attr_of(flags))
        return -EINVAL;
    if ((flags & IOMMU_page_order_mask) >> IOMMU_page_order_shift > element_max_order(g, e->d))
        return -ENOSPC;
    return 0;
}

static bool is_in_use(const struct ghost *g, const struct placing *p)
{
    const struct ghost_domain *d = p->e->d;

    if (pages_count(&d->explicit, p->bfn, p->bfn + p->nr - 1))
        return true;
    return tuples_of(g, d, true) && p->bfn < d->window + g->machine_frames;
}

static int place_verdict(const struct ghost *g, const struct placing *p)
{
    const uint64_t last = p->bfn + p->nr - 1;

    if ((p->bfn | p->gfn) & (p->nr - 1) || last < p->bfn || last > g->max_dfn)
        return -EINVAL;
    if (p->bfn <= MSI_LAST && last >= MSI_FIRST)
        return -EACCES;
    if (region_touches(g, p->e->d, 0, p->bfn, last))
        return -EACCES;
    return is_in_use(g, p) ? -EEXIST : 0;
}

static int rights_verdict(const struct placing *p, unsigned rights)
{
    return p->attr & ~rights || !rights ? -EPERM : 0;
}

static int machine_verdict(struct ghost *g, const struct placing *p, uint64_t mfn)
{
    const struct ghost_frame *f;

    if (mfn >= g->machine_frames)
        return -ENXIO;
    f = frame_at(g, mfn);
    return f->owned ? rights_verdict(p, type_rights(f->type)) : -EPERM;
}

static int frame_verdict(struct ghost *g, const struct placing *p, uint64_t i)
{
    const struct page *page;

    if (p->machine)
        return machine_verdict(g, p, p->gfn + i);
    page = pages_at(&p->owner->memory, p->gfn + i);
    return page ? rights_verdict(p, page->attr) : -ENXIO;
}

/* A frame that very many mappings name gets no more of them. */
static bool any_crowded(struct ghost *g, const struct placing *p)
{
    for (uint64_t i = 0; i < p->nr; i++) {
        uint64_t mfn = p->machine ? p->gfn + i : pages_at(&p->owner->memory, p->gfn + i)->mfn;

        if (tuples_from(g, mfn + 1) - tuples_from(g, mfn) >= CROWD)
            return true;
    }
    return false;
}

/* Somebody waits to give one of the frames up, who may have come far enough to keep maps away. */
static bool any_leaving(struct ghost *g, const struct placing *p)
{
    for (uint64_t i = 0; i < p->nr; i++) {
        const struct page *page = p->machine ? NULL : pages_at(&p->owner->memory, p->gfn + i);

        if (frame_at(g, page ? page->mfn : p->gfn + i)->leaving)
            return true;
    }
    return false;
}

/*
 * Are so many tables in use that the budget of explicit ones may be spent? What of them is
 * implicit, the model does not know.
 */
static bool space_may_lack(const struct ghost_domain *d)
{
    struct sluice_domain_info info;
    uint64_t tables = 0;

    sluice_domain_info(d->real, &info);
    return info.budget_tables != SLUICE_NO_LIMIT && !sluice_context_tables(d->real, 0, &tables) &&
           tables + 2 * PT_MAX_LEVELS > info.budget_tables;
}

static struct verdict verdict_of(struct ghost *g, const struct placing *p, int status)
{
    const struct ghost_domain *d = p->e->d;
    struct verdict v = {0};
    int place = place_verdict(g, p);

    may_if(&v, place != 0, place);
    if (v.nr)
        return v;
    may_if(&v, status == -EACCES && leftover_touches(g, p->bfn, p->bfn + p->nr - 1), -EACCES);
    may_if(&v, status == -EEXIST && any_retired(g, d, 0, p->bfn, p->nr), -EEXIST);
    for (uint64_t i = 0; i < p->nr && v.nr < 3; i++) {
        int frame = frame_verdict(g, p, i);

        may_if(&v, frame != 0, frame);
    }
    may_if(&v, status == (p->machine ? -EPERM : -ENXIO) && !v.nr && any_leaving(g, p), status);
    may_if(&v, !v.nr && !p->unheld && d->refs + p->nr > d->budget_refs, -ENOMEM);
    may_if(&v, status == -ENOMEM && host_may_lack(g, PT_MAX_LEVELS + p->nr), -ENOMEM);
    may_if(&v, status == -ENOMEM && !v.nr && any_crowded(g, p), -ENOMEM);
    may_if(&v, status == -ENOMEM && !v.nr && space_may_lack(d), -ENOMEM);
    return v;
}

static uint64_t frame_of(const struct placing *p, uint64_t i)
{
    return p->machine ? p->gfn + i : pages_at(&p->owner->memory, p->gfn + i)->mfn;
}

/* The caller's own frame, held, needs no tuple: its entry says all. */
static void hold(struct ghost *g, const struct placing *p, uint64_t mfn, uint64_t bfn)
{
    const struct ghost_frame *f = frame_at(g, mfn);
    struct ghost_tuple t = p->tuple;

    if (f->owner == p->e->d->domid && !p->unheld) {
        frame_ref(g, mfn);
        p->e->d->refs++;
        return;
    }
    t.mfn = mfn;
    t.bfn = bfn;
    tuple_add(g, &t);
}

static void map_all(struct ghost *g, const struct placing *p)
{
    for (uint64_t i = 0; i < p->nr; i++) {
        const uint64_t mfn = frame_of(p, i);
        const struct page page = {.dfn = p->bfn + i,
                                  .gfn = frame_at(g, mfn)->gfn,
                                  .mfn = mfn,
                                  .attr = (uint8_t)(p->attr | PT_MARK)};

        space_map(p->e->d, &page);
        hold(g, p, mfn, p->bfn + i);
    }
}

static bool place(struct ghost *g, const struct placing *p, const char *what)
{
    struct verdict v = verdict_of(g, p, p->e->status);

    if (!judge(g, &v, p->e->status, what))
        return false;
    if (!p->e->status)
        map_all(g, p);
    return true;
}

bool element_map(struct ghost *g, const struct element *e)
{
    const bool relaxed = e->d->space == SLUICE_SPACE_RELAXED;
    const unsigned flags = e->in->flags;
    struct placing p = {.e = e,
                        .bfn = e->in->u.map_page.bfn,
                        .gfn = e->in->u.map_page.gfn,
                        .nr = element_nr(e),
                        .attr = attr_of(flags),
                        .machine = relaxed,
                        .unheld = flags & IOMMU_MAP_OP_no_ref_cnt,
                        .owner = e->d};
    int status = space_translates(g, e->d) ? flags_verdict(g, e) : -EPERM;
    struct verdict v = {0};

    p.tuple = (struct ghost_tuple){.user = e->d,
                                   .server = IOSERVID_any,
                                   .nobody = p.unheld || !(flags & IOMMU_MAP_OP_add_m2b),
                                   .local = true,
                                   .unheld = p.unheld};
    if (!status && p.unheld && !relaxed) {
        status = place_verdict(g, &p);
        may(&v, -EPERM);
    }
    may_if(&v, status != 0, status);
    return v.nr ? judge(g, &v, e->status, "map_page") : place(g, &p, "map_page");
}

bool element_map_foreign(struct ghost *g, const struct element *e)
{
    const uint16_t domid = e->in->u.map_foreign_page.domid;
    const ioservid_t server = e->in->u.map_foreign_page.ioserver;
    struct placing p = {.e = e,
                        .bfn = e->in->u.map_foreign_page.bfn,
                        .gfn = e->in->u.map_foreign_page.gfn,
                        .nr = element_nr(e),
                        .attr = attr_of(e->in->flags),
                        .owner = find_domain(g, domid)};
    int status = space_translates(g, e->d) ? element_forbids(g, e->d, domid) : -EPERM;
    struct verdict v = {0};

    p.tuple = (struct ghost_tuple){
        .user = e->d, .server = server, .swap = e->in->flags & IOMMU_MAP_OP_swap_mfn};
    if (!status && server != IOSERVID_any && !server_exists(g, e->d->domid, domid, server))
        status = -ENODEV;
    if (!status)
        status = flags_verdict(g, e);
    may_if(&v, status != 0, status);
    return v.nr ? judge(g, &v, e->status, "map_foreign_page") : place(g, &p, "map_foreign_page");
}
