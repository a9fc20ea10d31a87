/* SPDX-License-Identifier: BSD-2-Clause */
/* A buffer: which way it goes to the device, there, and back. */
#include "dma_space.h"

/* ---- The way ----------------------------------------------------------------------------------
 */

static bool has_sense(const struct dma_buffer *b)
{
    const unsigned direction = (unsigned)b->direction;

    return b->length && b->length <= IOVA_FRAMES && b->offset < DMA_PAGE && direction &&
           !(direction & ~(unsigned)DMA_BOTH) && b->gfn <= IOVA_FRAMES - dma_frames(b);
}

/* At its own address. */
static bool is_at_home(const struct dma_device *d, struct dma_mapping *m)
{
    m->address = dma_address(&m->buffer, m->buffer.gfn);
    return dma_reaches(&m->buffer, m->buffer.gfn, d->mask);
}

/* It is in the reach of a protected device already, and the address is known then. */
static bool is_standing(const struct dma_device *d, struct dma_mapping *m)
{
    struct dma_space *s = d->space;

    if (dma_is_foreign(&m->buffer))
        return false;
    if (dma_has_context(s))
        return !d->untrusted && dma_stand_find(s, d->mask, m);
    if (s->config.policy == DMA_DIRECT && !dma_is_identity(s))
        return false;
    return is_at_home(d, m);
}

/* Device addresses can be had within the mask. */
static bool has_range(const struct dma_device *d, const struct dma_buffer *b)
{
    const struct iova_space *iova = d->space->config.iova;

    return iova && dma_reaches(b, iova->config.first, d->mask);
}

static bool can_look_up(const struct dma_space *s)
{
    return s->config.features->frames && s->config.found;
}

/* What the guest may map, where it chooses the address; or what is looked up. */
static bool is_reachable(const struct dma_device *d, struct dma_mapping *m)
{
    const struct dma_space *s = d->space;
    const bool foreign = dma_is_foreign(&m->buffer);

    if (!d->protected)
        return foreign ? can_look_up(s) : is_at_home(d, m);
    if (s->config.policy == DMA_DIRECT)
        return foreign && can_look_up(s);
    return foreign == (s->config.policy == DMA_PREMAPPED) && has_range(d, &m->buffer);
}

/* looked: where the page is has been told, and that did not do. */
static int decide(struct dma_device *d, struct dma_mapping *m, bool looked)
{
    struct dma_facts facts = {.protected = d->protected,
                              .direct_mapped = d->space->config.features->direct_mapped,
                              .foreign = dma_is_foreign(&m->buffer),
                              .bounce = dma_pool_serves(d)};

    facts.standing = d->protected && is_standing(d, m);
    facts.reachable = facts.standing || (!looked && is_reachable(d, m));
    m->route = dma_route(&facts, &m->why);
    if (m->why && facts.foreign && facts.direct_mapped && !can_look_up(d->space))
        m->why = "where pages of other domains are cannot be asked, and there is no bounce region";
    return m->route == DMA_ROUTE_NONE ? -EOPNOTSUPP : 0;
}

static int check(const struct dma_device *d, struct dma_mapping *m)
{
    if (!has_sense(&m->buffer))
        m->why = "the buffer has no length, offset, direction or frames that can be";
    else if (d->untrusted && d->space->config.policy != DMA_STRICT)
        m->why = "the device is not trusted, and its space is not strict";
    return m->why ? -EINVAL : 0;
}

int dma_prepare(struct dma_device *d, const struct dma_buffer *buffer, struct dma_mapping *m)
{
    int err;

    *m = (struct dma_mapping){.buffer = *buffer,
                              .route = DMA_ROUTE_NONE,
                              .slot = {DMA_NO_SLOT, DMA_NO_SLOT},
                              .stander = DMA_NO_STANDER};
    err = check(d, m);
    if (!err)
        err = decide(d, m, false);
    if (!err && d->untrusted && dma_needs_range(m))
        err = dma_bounce_ends(d->space, m);
    return err;
}

void dma_unprepare(struct dma_device *d, struct dma_mapping *m)
{
    if (m->stander != DMA_NO_STANDER)
        dma_stand_leave(d->space, m);
    dma_free_slots(d->space, m);
}

/* ---- There ------------------------------------------------------------------------------------
 */

/* What is found too far away, or in pieces, may still bounce. */
static int look(struct dma_device *d, struct dma_mapping *m)
{
    int err = dma_lookup(d->space, d->mask, m);

    if (!err)
        m->route = DMA_ROUTE_LOOKUP;
    if (err != -ERANGE)
        return err;
    err = decide(d, m, true);
    return err ? err : dma_bounce(d, m);
}

int dma_go(struct dma_device *d, uint32_t cpu, struct dma_mapping *m)
{
    switch (m->route) {
    case DMA_ROUTE_STANDING:
    case DMA_ROUTE_AS_IS:
        return 0;
    case DMA_ROUTE_MAP:
        if (d->space->config.policy == DMA_DIRECT)
            return look(d, m);
        return dma_map_foreign(d->space, cpu, d->mask, m);
    case DMA_ROUTE_LOOKUP:
        return look(d, m);
    case DMA_ROUTE_BOUNCE:
        return dma_bounce(d, m);
    default:
        return -EOPNOTSUPP;
    }
}

/* ---- Back -------------------------------------------------------------------------------------
 */

static int end_bounce(struct dma_space *s, struct dma_mapping *m)
{
    const int err = dma_copy_back(s, m);

    dma_free_slots(s, m);
    return err;
}

int dma_return(struct dma_device *d, uint32_t cpu, struct dma_mapping *m)
{
    switch (m->route) {
    case DMA_ROUTE_STANDING:
        if (m->stander != DMA_NO_STANDER)
            dma_stand_leave(d->space, m);
        return 0;
    case DMA_ROUTE_MAP:
        return dma_unmap_foreign(d->space, cpu, m);
    case DMA_ROUTE_LOOKUP:
        return dma_unlookup(d->space, m);
    case DMA_ROUTE_BOUNCE:
        return end_bounce(d->space, m);
    default:
        return 0;
    }
}

/* What the device may still reach is not for other buffers. */
int dma_finish(struct dma_space *s, struct dma_mapping *m, int left)
{
    const int err = dma_copy_back(s, m);

    if (!left)
        dma_free_slots(s, m);
    return left ? left : err;
}

int dma_map(struct dma_device *d, uint32_t cpu, const struct dma_buffer *buffer,
            struct dma_mapping *m)
{
    return dma_map_list(d, cpu, buffer, m, 1);
}

int dma_unmap(struct dma_device *d, uint32_t cpu, struct dma_mapping *m)
{
    return dma_unmap_list(d, cpu, m, 1);
}
