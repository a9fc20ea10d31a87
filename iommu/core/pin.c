/* SPDX-License-Identifier: BSD-2-Clause */
/* Pinned ranges of contexts. */
#include "pin.h"

#include "reserved.h"

bool pin_touches(const struct context *c, dfn_t first, dfn_t last)
{
    for (unsigned i = 0; i < c->nr_pins; i++)
        if (c->pins[i].first >> FRAME_LG2 <= last.n && c->pins[i].last >> FRAME_LG2 >= first.n)
            return true;
    return false;
}

static void exchange(struct context *c, struct ranges *r)
{
    const struct ranges old = {c->pins, c->nr_pins, c->room_pins};

    c->pins = r->at;
    c->nr_pins = r->nr;
    c->room_pins = r->room;
    *r = old;
}

static bool any_region_pinned(const struct context *c)
{
    for (const struct region_use *u = c->regions; u; u = u->next)
        if (pin_touches(c, u->first, u->last))
            return true;
    return false;
}

/* *r is what was pinned before, or what it was. */
static int set(struct context *c, uint32_t generation, struct ranges *r)
{
    int err = 0;

    context_lock(c);
    if (c->state != CONTEXT_LIVE || c->generation != generation)
        err = -EINVAL;
    if (!err) {
        exchange(c, r);
        err = any_region_pinned(c) ? -ERESTART : 0;
        if (err)
            exchange(c, r);
    }
    context_unlock(c);
    return err;
}

int pin_ranges(struct domain *d, uint16_t no, uint32_t generation, struct ranges *r)
{
    int err = set(&d->ctx[no], generation, r);

    if (!err)
        ranges_free(d, r);
    return err;
}

int pin_release(struct domain *d, uint16_t no, uint32_t generation)
{
    struct ranges none = {0};

    return pin_ranges(d, no, generation, &none);
}

void pin_forget(struct context *c)
{
    struct ranges r = {0};

    context_lock(c);
    exchange(c, &r);
    context_unlock(c);
    if (r.at)
        c->s->port->free(c->s->port->host, r.at, r.room * sizeof(*r.at));
}
