/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Standing mappings: each is of the frames of a buffer, or of the blocks around it, found by its
 * first frame. One without users stays until its room is needed; the search for the one to go
 * passes over those that were found since it last came by (second chance); one that is new and used
 * but once is not.
 */
#include "dma_space.h"

enum state {
    FREE,
    STANDS,
    MOVING, /* on its way in or out; its pages count, and it is not found */
    LOST,   /* could not be unmapped: the device reaches it, and its place is not used again */
};

static struct dma_standing_config *config(struct dma_space *s)
{
    return &s->config.standing;
}

int dma_standing_init(struct dma_space *s)
{
    const struct dma_standing_config *c = config(s);

    s->standing = (struct dma_standing){.free = DMA_NO_STANDER};
    if (!c->standers)
        return 0;
    if (!dma_has_context(s) || !c->nr || c->nr == DMA_NO_STANDER || !c->nr_buckets ||
        c->nr_buckets & (c->nr_buckets - 1) || c->order >= 52)
        return -EINVAL;
    for (uint32_t i = 0; i < c->nr_buckets; i++)
        c->buckets[i] = DMA_NO_STANDER;
    for (uint32_t i = c->nr; i-- > 0; s->standing.free = i)
        c->standers[i] = (struct dma_stander){.next = s->standing.free, .state = FREE};
    return 0;
}

/* What the mapping of a buffer would cover. */
struct extent {
    uint64_t gfn, nr;
    uint8_t rights;
};

static struct extent exact(struct dma_space *s, const struct dma_buffer *b)
{
    return (struct extent){b->gfn, dma_frames(b),
                           config(s)->both ? IOMMU_MAP_readable | IOMMU_MAP_writeable
                                           : dma_rights(b->direction)};
}

static struct extent blocks(struct dma_space *s, const struct dma_buffer *b)
{
    const uint64_t rest = (UINT64_C(1) << config(s)->order) - 1;
    struct extent e = exact(s, b);
    const uint64_t last = (e.gfn + e.nr - 1) | rest;

    e.gfn &= ~rest;
    e.nr = last - e.gfn + 1;
    return e;
}

/* ---- Finding: the lock is held ----------------------------------------------------------------
 */

static uint32_t *bucket(struct dma_space *s, uint64_t gfn)
{
    const uint64_t hash = gfn * 0x9e3779b97f4a7c15u;

    return &config(s)->buckets[(hash >> 32) & (config(s)->nr_buckets - 1)];
}

static uint32_t find(struct dma_space *s, const struct extent *e)
{
    const struct dma_stander *all = config(s)->standers;
    uint32_t i = *bucket(s, e->gfn);

    while (i != DMA_NO_STANDER && (all[i].gfn != e->gfn || all[i].range.nr < e->nr ||
                                   (all[i].rights & e->rights) != e->rights))
        i = all[i].next;
    return i;
}

static void enter(struct dma_space *s, uint32_t i)
{
    struct dma_stander *p = &config(s)->standers[i];
    uint32_t *head = bucket(s, p->gfn);

    p->next = *head;
    p->state = STANDS;
    *head = i;
}

static void remove(struct dma_space *s, uint32_t i)
{
    struct dma_stander *p = &config(s)->standers[i];
    uint32_t *at = bucket(s, p->gfn);

    while (*at != i)
        at = &config(s)->standers[*at].next;
    *at = p->next;
    p->state = MOVING;
}

static void put_free(struct dma_space *s, uint32_t i)
{
    struct dma_stander *p = &config(s)->standers[i];

    p->state = FREE;
    p->next = s->standing.free;
    s->standing.free = i;
}

/* The mapping is a user, if the device reaches it there. */
static bool use(struct dma_space *s, uint32_t i, uint64_t mask, struct dma_mapping *m)
{
    struct dma_stander *p = &config(s)->standers[i];
    const uint64_t first = p->range.first + (m->buffer.gfn - p->gfn);

    if (!dma_reaches(&m->buffer, first, mask))
        return false;
    p->users++;
    m->stander = i;
    m->address = dma_address(&m->buffer, first);
    return true;
}

bool dma_stand_find(struct dma_space *s, uint64_t mask, struct dma_mapping *m)
{
    const struct extent one = exact(s, &m->buffer), wide = blocks(s, &m->buffer);
    uint32_t i;
    bool found;

    if (!config(s)->standers)
        return false;
    dma_lock(s);
    i = find(s, &wide);
    if (i == DMA_NO_STANDER)
        i = find(s, &one);
    found = i != DMA_NO_STANDER && use(s, i, mask, m);
    if (found)
        config(s)->standers[i].referenced = true;
    dma_unlock(s);
    dma_count(found ? &s->stats.hits : &s->stats.misses, 1);
    return found;
}

void dma_stand_leave(struct dma_space *s, struct dma_mapping *m)
{
    dma_lock(s);
    config(s)->standers[m->stander].users--;
    dma_unlock(s);
    m->stander = DMA_NO_STANDER;
}

/* ---- Going ------------------------------------------------------------------------------------
 */

/* It does not stand, so its nr pages do not count. */
static void vacate(struct dma_space *s, uint32_t i, uint64_t nr, bool lost)
{
    dma_lock(s);
    s->standing.pages -= nr;
    if (lost)
        config(s)->standers[i].state = LOST;
    else
        put_free(s, i);
    dma_unlock(s);
}

/* It was taken out. It keeps its place until it is unmapped, so that dma_forget sees it. */
static int evict(struct dma_space *s, uint32_t i)
{
    const struct dma_range range = config(s)->standers[i].range;
    const int lost = dma_clear(s, &range);
    const int err = lost ? lost : dma_release(s, DMA_NO_CPU, &range);

    vacate(s, i, range.nr, lost);
    return err;
}

/* The one to go is taken out. The lock is held. */
static uint32_t choose(struct dma_space *s)
{
    struct dma_standing_config *c = config(s);

    for (uint64_t step = 0; step < 2 * (uint64_t)c->nr; step++) {
        const uint32_t i = s->standing.hand;
        struct dma_stander *p = &c->standers[i];

        s->standing.hand = i + 1 < c->nr ? i + 1 : 0;
        if (p->state != STANDS || p->users)
            continue;
        if (!p->referenced) {
            remove(s, i);
            return i;
        }
        p->referenced = false;
    }
    return DMA_NO_STANDER;
}

/* The lock is held. */
static uint32_t take_free(struct dma_space *s, uint64_t nr)
{
    const uint32_t i = s->standing.free;
    const uint64_t room = config(s)->max_pages - s->standing.pages;

    if (i == DMA_NO_STANDER || nr > room)
        return DMA_NO_STANDER;
    s->standing.free = config(s)->standers[i].next;
    config(s)->standers[i] = (struct dma_stander){.state = MOVING};
    s->standing.pages += nr;
    return i;
}

/* Others go for it. DMA_NO_STANDER: there is no room, and none can be made. */
static uint32_t take(struct dma_space *s, const struct extent *e)
{
    uint32_t i, old;

    do {
        dma_lock(s);
        i = take_free(s, e->nr);
        old = i == DMA_NO_STANDER ? choose(s) : DMA_NO_STANDER;
        dma_unlock(s);
        if (old != DMA_NO_STANDER)
            (void)evict(s, old);
    } while (old != DMA_NO_STANDER);
    return i;
}

/* ---- New ones ---------------------------------------------------------------------------------
 */

static bool whole_blocks(struct dma_space *s, const struct extent *e)
{
    const struct dma_host *h = s->config.host;

    return config(s)->order && h->may_stand && h->may_stand(h->arg, e->gfn, e->nr);
}

static bool map(struct dma_space *s, uint32_t cpu, uint64_t mask, const struct extent *e,
                struct dma_range *range)
{
    struct dma_mapping whole =
        dma_of_frames(e->gfn, e->nr, config(s)->both ? DMA_BOTH : (enum dma_direction)e->rights);
    const struct dma_want want = {.m = &whole, .nr = 1, .limit = dma_limit(mask)};

    return !dma_enter(s, cpu, &want, range);
}

/* The range is lost, or empty. */
static void give_up(struct dma_space *s, uint32_t i, const struct extent *e,
                    const struct dma_range *range)
{
    dma_lock(s);
    config(s)->standers[i].gfn = e->gfn;
    config(s)->standers[i].range = *range;
    dma_unlock(s);
    vacate(s, i, e->nr, range->nr);
}

static bool stand(struct dma_space *s, uint32_t cpu, uint64_t mask, const struct extent *e,
                  struct dma_mapping *m)
{
    const uint32_t i = e->nr <= config(s)->max_pages ? take(s, e) : DMA_NO_STANDER;
    struct dma_range range;
    bool used;

    if (i == DMA_NO_STANDER)
        return false;
    if (!map(s, cpu, mask, e, &range)) {
        give_up(s, i, e, &range);
        return false;
    }
    dma_lock(s);
    config(s)->standers[i] =
        (struct dma_stander){.gfn = e->gfn, .range = range, .rights = e->rights};
    enter(s, i);
    used = use(s, i, mask, m);
    dma_unlock(s);
    return used;
}

bool dma_stand_new(struct dma_space *s, uint32_t cpu, uint64_t mask, struct dma_mapping *m)
{
    const struct extent one = exact(s, &m->buffer), wide = blocks(s, &m->buffer);

    if (!config(s)->standers)
        return false;
    if (whole_blocks(s, &wide) && stand(s, cpu, mask, &wide, m))
        return true;
    return stand(s, cpu, mask, &one, m);
}

/* ---- Ends -------------------------------------------------------------------------------------
 */

/* One on its way in has none yet: who gives frames away does not map them any more. */
static bool has_any(const struct dma_stander *p, uint64_t gfn, uint64_t last)
{
    return p->state != FREE && p->gfn <= last && p->gfn + p->range.nr > gfn;
}

static int check_lost(struct dma_space *s, uint64_t gfn, uint64_t last)
{
    bool any = false;

    dma_lock(s);
    for (uint32_t i = 0; config(s)->standers && i < config(s)->nr && !any; i++) {
        const struct dma_stander *p = &config(s)->standers[i];

        any = p->state == LOST && has_any(p, gfn, last);
    }
    dma_unlock(s);
    return any ? -EIO : 0;
}

/* Takes it out, or says that it has to stay. The lock is held. */
static int take_out(struct dma_space *s, uint32_t i)
{
    const struct dma_stander *p = &config(s)->standers[i];

    if (p->state != STANDS || p->users)
        return -EBUSY;
    remove(s, i);
    return 0;
}

static int drop_one(struct dma_space *s, uint32_t i, uint64_t gfn, uint64_t last)
{
    bool concerned;
    int err = 0;

    dma_lock(s);
    concerned = config(s)->standers[i].state != LOST && has_any(&config(s)->standers[i], gfn, last);
    if (concerned)
        err = take_out(s, i);
    dma_unlock(s);
    return concerned && !err ? evict(s, i) : err;
}

/* Those with any frame of [gfn, last]. */
static int drop(struct dma_space *s, uint64_t gfn, uint64_t last)
{
    int err = 0;

    for (uint32_t i = 0; config(s)->standers && i < config(s)->nr; i++) {
        const int one = drop_one(s, i, gfn, last);

        err = err ? err : one;
    }
    return err;
}

int dma_standing_drop(struct dma_space *s)
{
    return drop(s, 0, UINT64_MAX);
}

int dma_forget(struct dma_space *s, uint64_t gfn, uint64_t nr)
{
    int err, flushed, lost;

    if (!nr || gfn >= IOVA_FRAMES || nr > IOVA_FRAMES - gfn)
        return -EINVAL;
    err = drop(s, gfn, gfn + nr - 1);
    flushed = dma_flush(s);
    lost = check_lost(s, gfn, gfn + nr - 1);
    err = err ? err : flushed;
    return err ? err : lost;
}
