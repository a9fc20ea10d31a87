/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking inside: copies of what is there, for tools and tests. */
#include "../abi/features.h"
#include "device.h"

unsigned sluice_nr_units(struct sluice *ss)
{
    return instance_of(ss)->nr_units;
}

int sluice_unit_info(struct sluice *ss, unsigned index, struct sluice_unit_info *out)
{
    const struct instance *s = instance_of(ss);
    const struct hw_unit *u;

    if (index >= s->nr_units)
        return -EINVAL;
    u = s->unit[index];
    *out = (struct sluice_unit_info){
        .name = u->ops->name,
        .geo = u->geo,
        .nr_tags = u->nr_dids,
        .translates = u->translates,
        .remaps = u->interrupts,
        .caching_mode = u->caching_mode,
        .snoop = u->snoop,
        .scalable = u->scalable,
        .queued = u->queued,
        .max_pasid = u->max_pasid,
        .failed = u->failed,
        .submissions = u->nr_submissions,
        .invalidations = u->nr_invalidations,
        .faults = u->nr_faults,
        .faults_lost = u->nr_faults_lost,
    };
    return 0;
}

static struct context *find(struct domain *d, uint16_t ctx_no)
{
    if (ctx_no > d->max_ctx_no || d->ctx[ctx_no].state != CONTEXT_LIVE)
        return NULL;
    return &d->ctx[ctx_no];
}

int sluice_context_info(struct sluice_domain *sd, uint16_t ctx_no, struct sluice_context_info *out)
{
    struct domain *d = domain_of(sd);
    struct domain_locked l = domain_lock(d);
    const struct context *c = find(d, ctx_no);

    if (c)
        *out = (struct sluice_context_info){
            .identity = c->identity,
            .blocked = !ctx_no && d->blocked,
            .nested = c->nested,
            .shadow = context_is_shadow(c),
            .did = c->did,
            .generation = c->generation,
            .nr_devices = c->nr_devices,
            .nr_mapped = c->nr_mapped,
            .geo = c->pt.geo,
            .root = c->pt.root,
            .guest_geo = c->first.geo,
            .guest_root = gfn_of(c->first.root >> FRAME_LG2),
        };
    domain_unlock(l);
    return c ? 0 : -EINVAL;
}

static int walk(struct domain *d, const struct context *found, struct span *span, pt_visit visit,
                void *arg)
{
    struct context *c;
    uint64_t allowed;
    int err = context_enter(d, found->no, found->generation, span, &c, &allowed);

    if (err)
        return err;
    err = pt_walk(&c->pt, span->first, span->last, visit, arg);
    context_leave(c, span);
    return err;
}

int sluice_context_walk(struct sluice_domain *sd, uint16_t ctx_no, dfn_t first, dfn_t last,
                        pt_visit visit, void *arg)
{
    struct domain *d = domain_of(sd);
    struct domain_locked l = domain_lock(d);
    const struct context *c = find(d, ctx_no);
    struct span span = {.first = first, .last = last};
    uint64_t end;
    int err = -EINVAL;

    if (c) {
        end = pt_nr_dfns(&c->pt);
        if (last.n >= end)
            span.last = dfn_of(end - 1);
        err = first.n <= span.last.n ? walk(d, c, &span, visit, arg) : 0;
    }
    domain_unlock(l);
    return err;
}

/* Tables that begin at dfn and are on the way down to a table of `level`. */
static uint64_t tables_begun(const struct pt_geometry *geo, uint64_t dfn, unsigned level)
{
    uint64_t nr = 0;

    for (unsigned k = level; k < geo->levels; k++)
        nr += k + 1u == geo->levels ? !dfn : !(dfn & (pt_entry_span(geo, k + 1) - 1));
    return nr;
}

/* Goes from entry to entry; each table is counted at its first. */
static uint64_t count_tables(const struct pgtable *pt)
{
    const uint64_t end = pt_nr_dfns(pt);
    struct pt_leaf leaf;
    uint64_t nr = 0, dfn = 0, step;

    while (dfn < end) {
        const int err = pt_lookup(pt, dfn_of(dfn), 1, &leaf);

        step = pt_entry_span(&pt->geo, leaf.level);
        if (!err && BIT64(leaf.lg2 - FRAME_LG2) > step)
            step = BIT64(leaf.lg2 - FRAME_LG2);
        nr += tables_begun(&pt->geo, dfn, leaf.level);
        dfn = (dfn & ~(step - 1)) + step;
    }
    return nr;
}

int sluice_context_tables(struct sluice_domain *sd, uint16_t ctx_no, uint64_t *out)
{
    struct domain *d = domain_of(sd);
    struct domain_locked l = domain_lock(d);
    const struct context *found = find(d, ctx_no);
    struct span all = {.first = dfn_of(0)};
    struct context *c;
    uint64_t allowed;
    int err = -EINVAL;

    if (found) {
        all.last = dfn_of(pt_nr_dfns(&found->pt) - 1);
        err = context_enter(d, ctx_no, found->generation, &all, &c, &allowed);
    }
    if (!err) {
        *out = count_tables(&c->pt);
        context_leave(c, &all);
    }
    domain_unlock(l);
    return err;
}

int sluice_frame_info(struct sluice *ss, mfn_t mfn, struct sluice_frame_info *out)
{
    const struct frames *f = &instance_of(ss)->frames;

    if (mfn.n >= f->nr)
        return -EINVAL;
    *out = (struct sluice_frame_info){
        .type = (enum sluice_frame_type)f->owner[mfn.n].type,
        .owned = f->owner[mfn.n].owned,
        .owner = f->owner[mfn.n].domid,
        .refs = f->refs[mfn.n],
        .gfn = gfn_of(f->gfn[mfn.n]),
    };
    return 0;
}

int sluice_device_rid(struct sluice_device *sdev, unsigned index, rid_t *out)
{
    const struct device *dev = device_of(sdev);

    if (index >= dev->nr_rids)
        return -ENOENT;
    *out = dev->rids[index];
    return 0;
}

int sluice_device_region(struct sluice_device *sdev, unsigned index, struct sluice_region *out)
{
    const struct device *dev = device_of(sdev);

    if (index >= dev->nr_regions)
        return -ENOENT;
    *out = dev->regions[index];
    return 0;
}

int sluice_device_doorbell(struct sluice_device *sdev, unsigned index, uint64_t *out)
{
    const struct device *dev = device_of(sdev);

    if (index >= dev->nr_doorbells)
        return -ENOENT;
    *out = dev->doorbells[index].maddr;
    return 0;
}

int sluice_device_unit(struct sluice_device *sdev)
{
    const struct group *g = device_of(sdev)->group;

    for (unsigned i = 0; i < g->s->nr_units; i++)
        if (g->s->unit[i] == g->unit)
            return (int)i;
    return -ENODEV;
}

bool sluice_device_grouped(struct sluice_device *a, struct sluice_device *b)
{
    return device_of(a)->group == device_of(b)->group;
}

void sluice_domain_info(struct sluice_domain *sd, struct sluice_domain_info *out)
{
    const struct domain *d = domain_of(sd);
    const uint32_t limit = d->memory.refs_limit; /* "none" is one less there */

    *out = (struct sluice_domain_info){
        .domid = d->domid,
        .max_ctx_no = d->max_ctx_no,
        .blocked = d->blocked,
        .direct_mapped = d->direct_mapped,
        .trusted = d->trusted,
        .budget_contexts = d->budget_contexts,
        .budget_tables = d->pages.limit,
        .budget_refs = limit < SLUICE_NO_LIMIT - 1 ? limit : SLUICE_NO_LIMIT,
        .space = d->space,
        .one_to_one = d->one_to_one,
        .foreign_1to1 =
            d->s->translates && d->space != SLUICE_SPACE_OWN && d->dropped == WINDOW_WHOLE,
        .has_scratch = d->scratch.n,
        .scratch = d->scratch,
    };
}

uint32_t sluice_domain_features(struct sluice_domain *sd)
{
    const struct domain *d = domain_of(sd);

    return UINT32_C(1) << (d->direct_mapped ? XENFEAT_direct_mapped : XENFEAT_not_direct_mapped);
}

void sluice_domain_stats(struct sluice_domain *sd, struct sluice_domain_stats *out)
{
    const struct domain *d = domain_of(sd);

    *out = (struct sluice_domain_stats){
        .calls = d->calls,
        .map_calls = d->map_calls,
        .unmap_calls = d->unmap_calls,
        .pages_mapped = d->pages_mapped,
        .pages_unmapped = d->pages_unmapped,
        .submissions = d->submissions,
        .faults = d->faults.total,
        .faults_lost = d->faults.total_lost,
        .contexts = d->nr_contexts,
        .tables = d->pages.used,
        .refs = d->memory.refs,
        .foreign = d->nr_tuples,
        .window_changes = d->window_changes,
    };
}

int sluice_frame_tuples(struct sluice *ss, mfn_t mfn,
                        int (*visit)(void *arg, const struct sluice_tuple *t), void *arg)
{
    struct instance *s = instance_of(ss);
    struct m2b_locked l = m2b_lock(&s->m2b);
    struct m2b_tuple t, *after = NULL;
    int err = 0;

    for (; !err && m2b_next(l, mfn, after, &t); after = &t) {
        const struct sluice_tuple out = {
            .domid = t.user->domid,
            .server = t.server,
            .bfn = t.bfn.n,
            .local = t.flags & M2B_LOCAL,
            .swappable = t.flags & M2B_SWAP,
            .unheld = t.flags & M2B_NO_REF,
            .one_to_one = t.flags & M2B_1TO1,
            .left = t.flags & M2B_LEFT,
        };

        err = visit(arg, &out);
    }
    m2b_unlock(l);
    return err;
}

void sluice_reverse_map(struct sluice *ss, uint64_t *nodes, uint64_t *bytes)
{
    struct instance *s = instance_of(ss);
    struct m2b_locked l = m2b_lock(&s->m2b);

    *nodes = s->m2b.nr_nodes;
    *bytes = m2b_bytes(&s->m2b);
    m2b_unlock(l);
}
