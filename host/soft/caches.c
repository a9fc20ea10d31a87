/* SPDX-License-Identifier: BSD-2-Clause */
/* What the units' caches hold: filling them on purpose, and showing them. */
#include "internal.h"

#define MOST_LEAVES 8192u /* more than that would only push each other out */

struct prefetch {
    struct machine_device *dev;
    unsigned leaves;
};

static int prefetch_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct prefetch *p = arg;
    uint64_t maddr;

    soft_hold(p->dev->unit);
    for (unsigned i = 0; i < p->dev->nr_rids; i++)
        (void)soft_peek(p->dev->unit, p->dev->rids[i], leaf->dfn.n << FRAME_LG2, false, &maddr);
    soft_let_go(p->dev->unit);
    return ++p->leaves == MOST_LEAVES;
}

void machine_prefetch(struct machine *m)
{
    for (struct machine_device *dev = m->devices; dev; dev = dev->next) {
        struct sluice_device_info info;
        struct prefetch p = {.dev = dev};

        if (!dev->sluice)
            continue;
        sluice_device_info(dev->sluice, &info);
        if (info.domain)
            (void)sluice_context_walk(info.domain, info.ctx_no, dfn_of(0), dfn_of(UINT64_MAX),
                                      prefetch_leaf, &p);
    }
}

struct show {
    rid_t rid;
    void (*visit)(void *arg, const struct machine_cached *c);
    void *arg;
};

static void show_one(void *arg, dfn_t dfn, mfn_t mfn, uint64_t nr, unsigned attr)
{
    const struct show *s = arg;
    const struct machine_cached c = {s->rid, dfn, mfn, nr, attr};

    s->visit(s->arg, &c);
}

void machine_cached(struct machine *m, void (*visit)(void *arg, const struct machine_cached *c),
                    void *arg)
{
    for (struct machine_device *dev = m->devices; dev; dev = dev->next)
        for (unsigned i = 0; dev->unit && i < dev->nr_rids; i++) {
            struct show s = {dev->rids[i], visit, arg};

            soft_visit_cached(dev->unit, dev->rids[i], show_one, &s);
        }
}
