/* SPDX-License-Identifier: BSD-2-Clause */
/* What the units' caches hold: filling them on purpose, and showing them. */
#include "soft.h"

void soft_prefetch(struct machine_device *dev, dfn_t dfn)
{
    struct soft_device *s = dev->state;
    uint64_t maddr;

    soft_hold(s->unit);
    for (unsigned i = 0; i < dev->nr_rids; i++)
        (void)soft_peek(s->unit, dev->rids[i], dfn.n << FRAME_LG2, false, &maddr);
    soft_let_go(s->unit);
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

void soft_cached(struct machine_device *dev,
                 void (*visit)(void *arg, const struct machine_cached *c), void *arg)
{
    struct soft_device *s = dev->state;

    for (unsigned i = 0; i < dev->nr_rids; i++) {
        struct show show = {dev->rids[i], visit, arg};

        soft_visit_cached(s->unit, dev->rids[i], show_one, &show);
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
