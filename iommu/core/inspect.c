/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking inside: copies of what is there, for tools and tests. */
#include "domain.h"

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
            .did = c->did,
            .generation = c->generation,
            .nr_devices = c->nr_devices,
            .nr_mapped = c->nr_mapped,
            .geo = c->pt.geo,
            .root = c->pt.root,
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
        .contexts = d->nr_contexts,
        .tables = d->pages.used,
        .refs = d->memory.refs,
    };
}
