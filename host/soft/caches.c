/* SPDX-License-Identifier: BSD-2-Clause */
/* What the units' caches hold: filling them on purpose, and showing them. */
#include "soft.h"

void soft_prefetch(struct machine_device *dev, uint32_t pasid, dfn_t dfn)
{
    struct soft_device *s = dev->state;
    uint64_t maddr;

    soft_hold(s->unit);
    for (unsigned i = 0; i < dev->nr_rids; i++)
        (void)soft_peek(s->unit, dev->rids[i], pasid, dfn.n << FRAME_LG2, false, &maddr);
    soft_let_go(s->unit);
}

struct show {
    rid_t rid;
    uint32_t pasid;
    void (*visit)(void *arg, const struct machine_cached *c);
    void *arg;
};

static void show_one(void *arg, const struct soft_cached *cached)
{
    const struct show *s = arg;
    const struct machine_cached c = {
        .rid = s->rid,
        .pasid = s->pasid,
        .dfn = cached->dfn,
        .mfn = cached->mfn,
        .nr = cached->nr,
        .attr = cached->attr,
        .second = cached->second,
    };

    s->visit(s->arg, &c);
}

static void show_pasids(struct soft_unit *u, struct show *show)
{
    do {
        soft_visit_cached(u, show->rid, show->pasid, show_one, show);
        show->pasid = soft_next_pasid(u, show->rid, show->pasid);
    } while (show->pasid);
}

void soft_cached(struct machine_device *dev,
                 void (*visit)(void *arg, const struct machine_cached *c), void *arg)
{
    struct soft_device *s = dev->state;

    for (unsigned i = 0; i < dev->nr_rids; i++) {
        struct show show = {dev->rids[i], 0, visit, arg};

        show_pasids(s->unit, &show);
    }
}

void soft_prefetch_interrupt(struct machine_device *dev, uint16_t index)
{
    struct soft_device *s = dev->state;

    soft_hold(s->unit);
    soft_peek_interrupt(s->unit, index);
    soft_let_go(s->unit);
}

void soft_entries(struct machine *m,
                  void (*visit)(void *arg, uint16_t index, rid_t source, uint8_t vector), void *arg)
{
    struct soft_unit *u;

    for (unsigned i = 0; (u = soft_machine_unit(m, i)); i++)
        soft_visit_interrupts(u, visit, arg);
}
