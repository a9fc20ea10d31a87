/* SPDX-License-Identifier: BSD-2-Clause */
/* The leaves of a context, folded into runs. */
#include "inspect.h"

struct fold {
    struct inspection *in;
    struct machine *m;
    const struct inspect_domain *d;
    struct inspect_context *c;
    struct inspect_run now; /* still growing; nr 0: none */
};

static void finish(struct fold *f)
{
    struct inspect_context *c = f->c;

    if (!f->now.nr)
        return;
    c->total_runs++;
    if (c->nr_runs >= f->in->few)
        return;
    c->run = inspect_grow(f->in, c->run, c->nr_runs, &c->room, sizeof(*c->run));
    c->run[c->nr_runs++] = f->now;
}

/* Direct ones, and where its doorbells are. */
static bool is_mapped(const struct inspect_device *dev, const struct sluice_region *r, uint64_t dfn)
{
    uint64_t first = r->first;

    if (r->type == SLUICE_REGION_SW_MSI)
        first = dev->info.msi_window;
    else if (r->type != SLUICE_REGION_DIRECT)
        return false;
    return dfn >= first >> FRAME_LG2 && dfn <= (first + (r->last - r->first)) >> FRAME_LG2;
}

/* Is the frame there because a device in the context wants it? */
static bool in_region(const struct fold *f, uint64_t dfn)
{
    struct sluice_region r;

    for (unsigned i = 0; i < f->in->nr_devices; i++) {
        const struct inspect_device *dev = &f->in->device[i];

        if (!inspect_is_in(dev, f->d, f->c))
            continue;
        for (unsigned k = 0; !sluice_device_region(dev->sluice, k, &r); k++)
            if (is_mapped(dev, &r, dfn))
                return true;
    }
    return false;
}

static uint64_t gfn_of_leaf(const struct fold *f, const struct pt_leaf *leaf)
{
    struct sluice_frame_info frame;

    if (f->c->info.identity || sluice_frame_info(machine_sluice(f->m), leaf->mfn, &frame))
        return leaf->dfn.n;
    return frame.gfn.n;
}

static bool continues(const struct inspect_run *a, const struct inspect_run *b)
{
    return a->nr && a->dfn + a->nr == b->dfn && a->gfn + a->nr == b->gfn && a->attr == b->attr &&
           a->lg2 == b->lg2 && a->region == b->region;
}

static int add(void *arg, const struct pt_leaf *leaf)
{
    struct fold *f = arg;
    struct inspect_run run = {.dfn = leaf->dfn.n,
                              .nr = BIT64(leaf->lg2 - FRAME_LG2),
                              .attr = leaf->attr & ~PT_MARK, /* does not cut what reads the same */
                              .lg2 = leaf->lg2,
                              .region = in_region(f, leaf->dfn.n)};

    if (leaf->retired) {
        f->c->retired += run.nr;
        return 0;
    }
    run.gfn = run.region ? leaf->mfn.n : gfn_of_leaf(f, leaf);
    if (continues(&f->now, &run)) {
        f->now.nr += run.nr;
        return 0;
    }
    finish(f);
    f->now = run;
    return 0;
}

void inspect_fold(struct inspection *in, struct machine *m, const struct inspect_domain *d,
                  struct inspect_context *c)
{
    struct fold f = {.in = in, .m = m, .d = d, .c = c};

    (void)sluice_context_walk(d->sluice, c->no, dfn_of(0), dfn_of(UINT64_MAX), add, &f);
    finish(&f);
}
