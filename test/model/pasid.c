/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs of a device and a pasid. In the model a pair is a device of its own, which nobody sees but
 * through its context: with its own group, no requester ids, and of the device's regions those
 * that are never mapped.
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

#define MOST_PAIRS 1024u

uint32_t max_pasid(const struct ghost *g)
{
    uint32_t max = UINT32_MAX;

    for (unsigned i = 0; i < sluice_nr_units(g->sluice); i++) {
        struct sluice_unit_info info;

        if (!sluice_unit_info(g->sluice, i, &info) && info.translates && info.max_pasid < max)
            max = info.max_pasid;
    }
    return max == UINT32_MAX ? 0 : max;
}

static bool is_pair_of(const struct ghost_device *pair, const struct ghost_device *dev)
{
    return pair->pasid && pair->real == dev->real;
}

struct ghost_device *find_pair(const struct ghost *g, const struct ghost_device *dev,
                               uint32_t pasid)
{
    for (unsigned i = 0; pasid && i < g->nr_devices; i++) {
        if (is_pair_of(g->devices[i], dev) && g->devices[i]->pasid == pasid)
            return g->devices[i];
    }
    return NULL;
}

static struct ghost_device *add(struct ghost *g, const struct ghost_device *dev, uint32_t pasid)
{
    struct ghost_device *new = memset(must_alloc(NULL, 1, sizeof(*new)), 0, sizeof(*new));

    new->real = dev->real;
    new->name = strdup(dev->name);
    new->group = g->nr_groups++;
    new->pasid = pasid;
    new->regions = must_alloc(NULL, dev->nr_regions + 1, sizeof(*new->regions));
    for (unsigned i = 0; i < dev->nr_regions; i++) {
        const struct sluice_region *r = &dev->regions[i];

        if (r->type == SLUICE_REGION_RESERVED || r->type == SLUICE_REGION_MSI)
            new->regions[new->nr_regions++] = *r;
    }
    g->devices = must_alloc(g->devices, g->nr_devices + 1, sizeof(*g->devices));
    g->devices[g->nr_devices++] = new;
    return new;
}

static void remove_at(struct ghost *g, unsigned index)
{
    struct ghost_device *pair = g->devices[index];

    g->nr_devices--;
    memmove(g->devices + index, g->devices + index + 1,
            (g->nr_devices - index) * sizeof(*g->devices));
    free(pair->regions);
    free(pair->name);
    free(pair);
}

static void remove_pair(struct ghost *g, const struct ghost_device *pair)
{
    unsigned i = 0;

    while (g->devices[i] != pair)
        i++;
    remove_at(g, i);
}

void pairs_end(struct ghost *g, const struct ghost_device *dev)
{
    for (unsigned i = g->nr_devices; i-- > 0;) {
        if (is_pair_of(g->devices[i], dev))
            remove_at(g, i);
    }
}

bool real_place(const struct ghost_device *dev, struct sluice_domain **domain, uint16_t *ctx)
{
    struct sluice_device_info info;
    uint32_t pasid;

    sluice_device_info(dev->real, &info);
    *domain = info.domain;
    *ctx = info.ctx_no;
    if (!dev->pasid)
        return true;
    for (unsigned i = 0; !sluice_device_pasid(dev->real, i, &pasid, ctx); i++) {
        if (pasid == dev->pasid)
            return true;
    }
    return false;
}

static unsigned count_pairs(const struct ghost *g, const struct ghost_device *dev,
                            const struct ghost_domain *d)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < g->nr_devices; i++)
        nr += dev ? is_pair_of(g->devices[i], dev)
                  : g->devices[i]->pasid && g->devices[i]->domain == d;
    return nr;
}

static bool is_alone(const struct ghost *g, const struct ghost_device *dev)
{
    for (unsigned i = 0; i < g->nr_devices; i++) {
        if (g->devices[i] != dev && g->devices[i]->group == dev->group)
            return false;
    }
    return true;
}

/* What the pair would find in the context. */
static void judge_place(struct verdict *v, struct ghost *g, const struct inner_call *c,
                        const struct ghost_device *pair, uint16_t ctx)
{
    const enum conflict conflict = group_conflict(g, pair, c->d, ctx);

    may_if(v, conflict == CONFLICTS, -EBUSY);
    may_if(v, c->status == -EBUSY && (conflict == AMBIGUOUS || g->failed), -EBUSY);
    may_if(v, c->status == -ENOMEM && host_may_lack(g, PT_MAX_LEVELS), -ENOMEM);
}

/* After -EIO it is where the machine says, of the two places there are. */
static void settle(struct ghost *g, const struct inner_call *c, struct ghost_device *pair,
                   uint16_t ctx)
{
    struct sluice_domain *domain;
    uint16_t real;

    if (!c->status || (c->status == -EIO && real_place(pair, &domain, &real) && real == ctx)) {
        pair->domain = c->d;
        pair->ctx = ctx;
    } else if (!pair->domain) {
        remove_pair(g, pair);
    }
}

static struct verdict judge_attach(const struct ghost *g, const struct ghost_domain *d,
                                   const struct ghost_device *dev,
                                   const struct pv_iommu_attach_pasid *in)
{
    struct verdict v = {0};

    may_if(&v, !in->pasid || in->pasid > max_pasid(g), -EINVAL);
    may_if(&v, !find_ctx(d, in->ctx_no), -EINVAL);
    if (v.nr)
        return v;
    may_if(&v, !dev, -ENOENT);
    may_if(&v, dev && !is_alone(g, dev), -EBUSY);
    may_if(&v, dev && find_pair(g, dev, in->pasid), -EEXIST);
    may_if(&v, !v.nr && count_pairs(g, NULL, d) >= MOST_PAIRS, -ENOMEM);
    return v;
}

bool called_attach_pasid(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_attach_pasid in;
    struct ghost_device *dev, *pair;
    struct verdict v;
    bool right;

    memcpy(&in, c->in, sizeof(in));
    dev = called_device(g, c->d, &in.dev);
    v = judge_attach(g, c->d, dev, &in);
    if (v.nr)
        return judge(g, &v, c->status, "attach_pasid");
    pair = add(g, dev, in.pasid);
    judge_place(&v, g, c, pair, in.ctx_no);
    right = judge(g, &v, c->status, "attach_pasid");
    settle(g, c, pair, in.ctx_no);
    return right;
}

bool called_detach_pasid(struct ghost *g, const struct inner_call *c)
{
    struct pv_iommu_detach_pasid in;
    const struct ghost_device *dev, *pair;
    struct verdict v = {0};

    memcpy(&in, c->in, sizeof(in));
    dev = called_device(g, c->d, &in.dev);
    pair = dev ? find_pair(g, dev, in.pasid) : NULL;
    may_if(&v, !in.pasid, -EINVAL);
    may_if(&v, in.pasid && !pair, -ENOENT);
    if (!judge(g, &v, c->status, "detach_pasid"))
        return false;
    if (pair && (!c->status || c->status == -EIO))
        remove_pair(g, pair);
    return true;
}

bool pair_moved(struct ghost *g, const struct inner_call *c, const struct ghost_device *dev,
                const struct pv_iommu_reattach_device *in)
{
    struct ghost_device *pair = find_pair(g, dev, in->pasid);
    struct verdict v = {0};

    may_if(&v, !pair, -ENODEV);
    may_if(&v, !find_ctx(c->d, in->ctx_no), -EINVAL);
    if (!v.nr && pair->ctx != in->ctx_no)
        judge_place(&v, g, c, pair, in->ctx_no);
    if (!judge(g, &v, c->status, "reattach_device with a pasid"))
        return false;
    if (pair && (!c->status || c->status == -EIO))
        settle(g, c, pair, in->ctx_no);
    return true;
}

bool check_pairs(struct ghost *g, const struct ghost_device *dev)
{
    const unsigned right = count_pairs(g, dev, NULL);
    struct sluice_device_info info;
    struct sluice_domain *domain;
    uint16_t ctx;

    sluice_device_info(dev->real, &info);
    if (info.nr_pasids != right)
        return complain(g, "%s: has %u pasids, right is %u", dev->name, info.nr_pasids, right);
    for (unsigned i = 0; i < g->nr_devices; i++) {
        const struct ghost_device *pair = g->devices[i];

        if (!is_pair_of(pair, dev))
            continue;
        if (!real_place(pair, &domain, &ctx) || ctx != pair->ctx)
            return complain(g, "%s: pasid %u is not in context %u", dev->name, pair->pasid,
                            pair->ctx);
    }
    return true;
}
