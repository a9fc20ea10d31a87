/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames ABI: an array of elements, each judged in its turn; and those that only ask. */
#include "state.h"

#include <string.h>

#define ORDER_2M 9u

unsigned element_max_order(const struct ghost *g, const struct ghost_domain *d)
{
    if (g->no_iommu)
        return 0;
    return page_sizes(d) >> (FRAME_LG2 + ORDER_2M) & 1 ? ORDER_2M : 0;
}

uint64_t element_nr(const struct element *e)
{
    return (uint64_t)1 << ((e->in->flags & IOMMU_page_order_mask) >> IOMMU_page_order_shift);
}

int element_forbids(const struct ghost *g, const struct ghost_domain *d, uint16_t domid)
{
    const struct ghost_domain *target = find_domain(g, domid);

    if (domid == DOMID_SELF || domid == d->domid)
        return -EPERM;
    if (target)
        return controls(d, target->name) ? 0 : -EPERM;
    return d->hardware || d->nr_controls ? -ENXIO : -EPERM;
}

static bool element_query(struct ghost *g, const struct element *e)
{
    unsigned caps = IOMMU_page_order(element_max_order(g, e->d));

    if (space_translates(g, e->d))
        caps |= IOMMU_QUERY_map_cap;
    if (!g->no_iommu && e->d->space == SLUICE_SPACE_RELAXED)
        caps |= IOMMU_QUERY_map_all_mfns;
    if (!g->no_iommu && space_has_window(e->d) && !e->d->dropping)
        caps |= IOMMU_QUERY_foreign_1to1;
    if (e->status)
        return complain(g, "query_caps gave %d", e->status);
    if (e->out->flags != caps)
        return complain(g, "query_caps: flags are 0x%x, right is 0x%x", e->out->flags, caps);
    return true;
}

static bool has_exposed(const struct ghost *g, const struct ghost_domain *d)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (g->devices[i]->exposed && g->devices[i]->domain == d)
            return true;
    }
    return false;
}

static bool element_drop(struct ghost *g, const struct element *e)
{
    struct ghost_domain *d = e->d;
    struct verdict v = {0};

    may_if(&v, e->in->flags != 0, -EINVAL);
    may_if(&v, g->no_iommu || !space_has_window(d), -EPERM);
    may_if(&v, !d->dropping && has_exposed(g, d), -EPERM);
    may_if(&v, !d->dropping && tuples_of(g, d, true), -EBUSY);
    may_if(&v, !v.nr && e->status == -ENOMEM && host_may_lack(g, PT_MAX_LEVELS), -ENOMEM);
    if (!judge(g, &v, e->status, "drop_foreign_1to1"))
        return false;
    d->dropping |= !e->status || e->status == -ENOMEM || e->status == -EIO;
    d->dropped |= !e->status;
    return true;
}

/* The frame of the target that is asked for, or a status. */
static struct verdict lookup_verdict(const struct ghost *g, const struct element *e,
                                     const struct page **found)
{
    const uint16_t domid = e->in->u.lookup_foreign_page.domid;
    const ioservid_t server = e->in->u.lookup_foreign_page.ioserver;
    const struct ghost_domain *target = find_domain(g, domid);
    int status = e->in->flags ? -EINVAL : element_forbids(g, e->d, domid);
    struct verdict v = {0};

    *found = NULL;
    if (!status && server != IOSERVID_any && !server_exists(g, e->d->domid, domid, server))
        status = -ENODEV;
    if (!status)
        *found = pages_at(&target->memory, e->in->u.lookup_foreign_page.gfn);
    if (!status && !*found)
        status = -ENXIO;
    if (!status && e->status == -ENXIO && g->frames[(*found)->mfn].leaving)
        status = -ENXIO;
    if (!status && !(*found)->attr)
        status = -EPERM;
    may_if(&v, status != 0, status);
    return v;
}

static bool server_fits(const struct ghost_tuple *t, ioservid_t server)
{
    return !t->nobody &&
           (server == IOSERVID_any || t->server == IOSERVID_any || t->server == server);
}

/* The lowest bus frame of the caller that has the frame already. */
static const struct ghost_tuple *standing(const struct ghost *g, const struct ghost_domain *d,
                                          uint64_t mfn, ioservid_t server)
{
    for (size_t i = tuples_from(g, mfn); i < g->nr_tuples && g->tuples[i].mfn == mfn; i++) {
        if (g->tuples[i].user == d && server_fits(&g->tuples[i], server))
            return &g->tuples[i];
    }
    return NULL;
}

static void add_lookup(struct ghost *g, const struct element *e, const struct page *page)
{
    const ioservid_t server = e->in->u.lookup_foreign_page.ioserver;

    tuple_add(g, &(struct ghost_tuple){.mfn = page->mfn,
                                       .bfn = e->d->window + page->mfn,
                                       .user = e->d,
                                       .server = server,
                                       .one_to_one = true});
}

bool element_lookup(struct ghost *g, const struct element *e)
{
    const struct page *page;
    const struct ghost_tuple *known = NULL;
    struct verdict v = lookup_verdict(g, e, &page);
    uint64_t bfn;

    if (v.nr)
        return judge(g, &v, e->status, "lookup_foreign_page");
    known = standing(g, e->d, page->mfn, e->in->u.lookup_foreign_page.ioserver);
    may_if(&v, !known && !space_is_one_to_one(g, e->d), -ENOENT);
    may_if(&v, !v.nr && !known && e->d->refs >= e->d->budget_refs, -ENOMEM);
    if (!judge(g, &v, e->status, "lookup_foreign_page"))
        return false;
    if (e->status)
        return true;
    bfn = known ? known->bfn : e->d->window + page->mfn;
    if (e->out->u.lookup_foreign_page.bfn != bfn)
        return complain(g, "lookup_foreign_page: bfn is 0x%jx, right is 0x%jx",
                        (uintmax_t)e->out->u.lookup_foreign_page.bfn, (uintmax_t)bfn);
    if (!known)
        add_lookup(g, e, page);
    return true;
}

/* IN fields stay as they are; so do OUT fields of what failed. */
static bool writes_out_only(struct ghost *g, const struct element *e)
{
    struct pv_iommu_op want = *e->in;

    want.status = e->out->status;
    if (want.subop_id == IOMMUOP_query_caps)
        want.flags = e->out->flags;
    if (want.subop_id == IOMMUOP_lookup_foreign_page && !e->status)
        want.u.lookup_foreign_page.bfn = e->out->u.lookup_foreign_page.bfn;
    if (memcmp(&want, e->out, sizeof(want)))
        return complain(g, "frames sub-op %u changed bytes that are not OUT fields", want.subop_id);
    return true;
}

static bool element_unknown(struct ghost *g, const struct element *e)
{
    struct verdict v = {0};

    may(&v, -ENODEV);
    return judge(g, &v, e->status, "an unknown sub-op of the frames ABI");
}

static bool element_done(struct ghost *g, const struct element *e)
{
    static bool (*const subop[])(struct ghost * g, const struct element *e) = {
        [IOMMUOP_query_caps] = element_query,
        [IOMMUOP_map_page] = element_map,
        [IOMMUOP_unmap_page] = element_unmap,
        [IOMMUOP_map_foreign_page] = element_map_foreign,
        [IOMMUOP_lookup_foreign_page] = element_lookup,
        [IOMMUOP_unmap_foreign_page] = element_unmap_foreign,
        [IOMMUOP_drop_foreign_1to1] = element_drop,
    };
    const unsigned id = e->in->subop_id;

    if (!writes_out_only(g, e))
        return false;
    if (id >= sizeof(subop) / sizeof(subop[0]) || !subop[id])
        return element_unknown(g, e);
    return subop[id](g, e);
}

static bool elements_done(struct ghost *g, struct ghost_domain *d, const struct pv_iommu_op *before,
                          const struct pv_iommu_op *after, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        const struct element e = {d, &before[i], &after[i], after[i].status};

        event_begins(g, e.status);
        if (!element_done(g, &e))
            return false;
        if (e.status != -EIO)
            continue;
        spaces_learn(g); /* nor are those behind it what they would be */
        break;
    }
    return true;
}

bool ghost_frames(struct ghost *g, uint16_t caller, const struct pv_iommu_op *before,
                  const struct pv_iommu_op *after, unsigned count, long result)
{
    struct ghost_domain *d = find_domain(g, caller);
    struct verdict v = {0};
    bool right = true;

    event_begins(g, result);
    if (!d)
        return complain(g, "a call by domain %u, which is not there", caller);
    may_if(&v, (!before && count) || result == -EFAULT, -EFAULT);
    if (!judge(g, &v, result, "pv_iommu_op"))
        return false;
    if (before && after)
        right = elements_done(g, d, before, after, count);
    spaces_refresh(g);
    return right;
}
