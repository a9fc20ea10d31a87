/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap_page and unmap_foreign_page: all of 1 << order bus frames, or none. */
#include "state.h"

struct taking {
    const struct element *e;
    uint64_t bfn, nr;
    uint16_t server;
    bool local;
};

static int range_verdict(const struct ghost *g, const struct taking *t)
{
    const unsigned flags = t->e->in->flags, order = flags >> IOMMU_page_order_shift;

    if (flags & ~(unsigned)(IOMMU_UNMAP_OP_remove_m2b | IOMMU_page_order_mask))
        return -EINVAL;
    if (order > element_max_order(g, t->e->d))
        return -ENOSPC;
    if (t->bfn & (t->nr - 1) || t->bfn + t->nr - 1 < t->bfn)
        return -EINVAL;
    return 0;
}

/* A mapping for any server is unmapped by each; any server unmaps each. */
static bool is_of(const struct taking *t, const struct ghost_tuple *tuple)
{
    if (t->local || tuple->local)
        return t->local == tuple->local;
    return t->server == IOSERVID_any || tuple->server == IOSERVID_any || t->server == tuple->server;
}

/* The lookup that ends: there may be one for each server. */
static struct ghost_tuple *lookup_at(const struct ghost *g, const struct taking *t)
{
    struct ghost_tuple *found = NULL;

    for (size_t i = 0; i < g->nr_tuples; i++) {
        struct ghost_tuple *tuple = &g->tuples[i];

        if (tuple->user != t->e->d || tuple->bfn != t->bfn || !tuple->one_to_one)
            continue;
        if (!found || (is_of(t, tuple) && !is_of(t, found)))
            found = tuple;
        if (is_of(t, tuple) && t->server == tuple->server)
            return tuple;
    }
    return found;
}

static struct ghost_tuple *tuple_of(const struct ghost *g, const struct taking *t, uint64_t bfn)
{
    struct ghost_tuple *tuple = tuple_at(g, t->e->d, bfn);

    return tuple && tuple->one_to_one ? lookup_at(g, t) : tuple;
}

static int frame_verdict(const struct ghost *g, const struct taking *t, uint64_t bfn)
{
    const struct ghost_tuple *tuple = tuple_of(g, t, bfn);

    if (!tuple && !pages_at(&t->e->d->explicit, bfn))
        return -ENOENT;
    if (tuple && tuple->one_to_one && (t->nr > 1 || t->local))
        return -ENOENT;
    if (tuple)
        return is_of(t, tuple) ? 0 : -EPERM;
    return t->local ? 0 : -EPERM;
}

/* Of a lookup, of which there is never more than one frame. */
static bool is_not_theirs(const struct ghost *g, const struct taking *t, uint64_t bfn)
{
    const struct ghost_tuple *tuple = tuple_of(g, t, bfn);

    return tuple && !is_of(t, tuple);
}

static void take(struct ghost *g, const struct taking *t, uint64_t bfn)
{
    struct ghost_tuple *tuple = tuple_of(g, t, bfn);

    if (tuple) {
        tuple_remove(g, tuple);
    } else {
        frame_unref(g, pages_at(&t->e->d->explicit, bfn)->mfn);
        t->e->d->refs--;
    }
    pages_remove(&t->e->d->explicit, bfn, bfn);
}

static bool unmap(struct ghost *g, const struct taking *t, const char *what)
{
    int range = range_verdict(g, t);
    struct verdict v = {0};

    may_if(&v, range != 0, range);
    for (uint64_t i = 0; !range && i < t->nr; i++) {
        int frame = frame_verdict(g, t, t->bfn + i);

        may_if(&v, frame != 0, frame);
        may_if(&v, frame == -ENOENT && is_not_theirs(g, t, t->bfn + i), -EPERM);
    }
    may_if(&v, t->e->status == -ENOMEM && host_may_lack(g, PT_MAX_LEVELS), -ENOMEM);
    if (!judge(g, &v, t->e->status, what))
        return false;
    for (uint64_t i = 0; !t->e->status && i < t->nr; i++)
        take(g, t, t->bfn + i);
    return true;
}

bool element_unmap(struct ghost *g, const struct element *e)
{
    const struct taking t = {e, e->in->u.unmap_page.bfn, element_nr(e), IOSERVID_any, true};

    return unmap(g, &t, "unmap_page");
}

bool element_unmap_foreign(struct ghost *g, const struct element *e)
{
    const struct taking t = {.e = e,
                             .bfn = e->in->u.unmap_foreign_page.bfn,
                             .nr = element_nr(e),
                             .server = e->in->u.unmap_foreign_page.ioserver};

    return unmap(g, &t, "unmap_foreign_page");
}
