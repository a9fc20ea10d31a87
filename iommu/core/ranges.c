/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved ranges for a guest: gathered under a lock, then put in order without it. */
#include "ranges.h"

#include "attach.h"
#include "reserved.h"

/* Whose regions. */
struct source {
    struct domain *d;
    bool device;
    uint16_t ctx_no;
    uint32_t generation;
    rid_t rid;
};

/* What does not fit is only counted. */
static void add(struct ranges *r, const struct range *range)
{
    if (r->nr < r->room)
        r->at[r->nr] = *range;
    r->nr++;
}

static unsigned prot_of(enum sluice_region_type type, unsigned declared)
{
    switch (type) {
    case SLUICE_REGION_DIRECT:
    case SLUICE_REGION_DIRECT_RELAXABLE:
        return declared;
    case SLUICE_REGION_MSI:
    case SLUICE_REGION_SW_MSI:
        return PT_WRITE;
    case SLUICE_REGION_RESERVED:
    default:
        return 0;
    }
}

static void add_msi(struct ranges *r)
{
    const struct range msi = {.first = (uint64_t)MSI_FIRST_DFN << FRAME_LG2,
                              .last = (((uint64_t)MSI_LAST_DFN + 1) << FRAME_LG2) - 1,
                              .type = SLUICE_REGION_MSI,
                              .prot = PT_WRITE};

    add(r, &msi);
}

static int add_context(const struct source *from, struct ranges *r)
{
    struct context *c = &from->d->ctx[from->ctx_no];
    int err = 0;

    context_lock(c);
    if (c->state != CONTEXT_LIVE || c->generation != from->generation)
        err = -EINVAL;
    for (const struct region_use *u = c->regions; u && !err; u = u->next) {
        const struct range range = {.first = u->first.n << FRAME_LG2,
                                    .last = ((u->last.n + 1) << FRAME_LG2) - 1,
                                    .type = u->type,
                                    .prot = prot_of(u->type, u->prot)};

        add(r, &range);
    }
    context_unlock(c);
    return err;
}

static int add_device(const struct source *from, struct ranges *r)
{
    struct domain_locked l = domain_lock(from->d);
    const struct group *g = attach_find(l, from->rid);

    for (const struct device *dev = g ? g->devices : NULL; dev; dev = dev->sibling)
        for (unsigned i = 0; i < dev->nr_regions; i++) {
            const struct sluice_region *region = &dev->regions[i];
            const struct range range = {.first = region->first,
                                        .last = region->last,
                                        .type = region->type,
                                        .prot = prot_of(region->type, region->prot)};

            add(r, &range);
        }
    domain_unlock(l);
    return g ? 0 : -ENODEV;
}

static int add_all(const struct source *from, struct ranges *r)
{
    r->nr = 0;
    add_msi(r);
    return from->device ? add_device(from, r) : add_context(from, r);
}

static bool comes_before(const struct range *a, const struct range *b)
{
    if (a->first != b->first)
        return a->first < b->first;
    return a->type != b->type ? a->type < b->type : a->prot < b->prot;
}

static void sort(struct ranges *r)
{
    for (unsigned i = 1; i < r->nr; i++) {
        const struct range range = r->at[i];
        unsigned k = i;

        for (; k && comes_before(&range, &r->at[k - 1]); k--)
            r->at[k] = r->at[k - 1];
        r->at[k] = range;
    }
}

/* Of those before it in order: whether one takes the range in. */
static bool joins(struct ranges *r, const struct range *range)
{
    for (unsigned i = 0; i < r->nr; i++) {
        struct range *to = &r->at[i];

        if (to->type != range->type || to->prot != range->prot ||
            (to->last < range->first && to->last + 1 != range->first))
            continue;
        if (to->last < range->last)
            to->last = range->last;
        return true;
    }
    return false;
}

static void merge(struct ranges *r)
{
    const unsigned nr = r->nr;

    r->nr = 0;
    for (unsigned i = 0; i < nr; i++) {
        const struct range range = r->at[i];

        if (!joins(r, &range))
            r->at[r->nr++] = range;
    }
}

/* Counted, then copied. There is room for one more: what is left is one piece more at most. */
static int gather(const struct source *from, struct ranges *r)
{
    const struct sluice_port *port = from->d->s->port;
    int err;

    *r = (struct ranges){0};
    err = add_all(from, r);
    if (err)
        return err;
    r->at = port->alloc(port->host, (r->nr + 1) * sizeof(*r->at));
    if (!r->at)
        return -ENOMEM;
    r->room = r->nr + 1;
    err = add_all(from, r);
    if (!err && r->nr >= r->room)
        err = -ERESTART;
    if (err) {
        ranges_free(from->d, r);
        return err;
    }
    sort(r);
    merge(r);
    return 0;
}

int ranges_of_context(struct domain *d, uint16_t no, uint32_t generation, struct ranges *out)
{
    const struct source from = {.d = d, .ctx_no = no, .generation = generation};

    return gather(&from, out);
}

int ranges_of_device(struct domain *d, rid_t rid, struct ranges *out)
{
    const struct source from = {.d = d, .device = true, .rid = rid};

    return gather(&from, out);
}

void ranges_free(struct domain *d, struct ranges *r)
{
    if (r->at)
        d->s->port->free(d->s->port->host, r->at, r->room * sizeof(*r->at));
    *r = (struct ranges){0};
}

/* In place: the k-th range has at most one piece before it. */
void ranges_invert(struct ranges *r, uint64_t max)
{
    struct range left = {.type = RANGE_ALLOWED};
    const unsigned nr = r->nr;

    r->nr = 0;
    for (unsigned i = 0; i < nr; i++) {
        const struct range range = r->at[i];

        if (range.type == SLUICE_REGION_DIRECT_RELAXABLE || range.last < left.first)
            continue;
        if (range.first > max)
            break;
        left.last = range.first - 1;
        if (range.first > left.first)
            r->at[r->nr++] = left;
        if (range.last >= max)
            return;
        left.first = range.last + 1;
    }
    left.last = max;
    r->at[r->nr++] = left;
}
