/* SPDX-License-Identifier: BSD-2-Clause */
/* Doorbells: which there are, and their page numbers. */
#include "doorbell.h"

static bool is_used(struct instance_locked l, uint64_t page)
{
    for (const struct doorbell *b = l.s->doorbells; b; b = b->next)
        if (b->page == page)
            return true;
    return false;
}

static uint64_t free_page(struct instance_locked l)
{
    uint64_t page = 0;

    while (is_used(l, page))
        page++;
    return page;
}

/* The doorbell of that frame; `new`, if there is none yet. */
static struct doorbell *enlist(struct instance *s, struct doorbell *new, mfn_t mfn)
{
    struct instance_locked l = instance_lock(s);
    struct doorbell *b = s->doorbells;

    while (b && b->mfn.n != mfn.n)
        b = b->next;
    if (!b) {
        *new = (struct doorbell){.next = s->doorbells, .mfn = mfn, .page = free_page(l)};
        s->doorbells = b = new;
    }
    b->count++;
    instance_unlock(l);
    return b;
}

static struct doorbell *get(struct instance *s, mfn_t mfn)
{
    struct doorbell *new = s->port->alloc(s->port->host, sizeof(*new)), *b;

    if (!new)
        return NULL;
    b = enlist(s, new, mfn);
    if (b != new)
        s->port->free(s->port->host, new, sizeof(*new));
    return b;
}

static void put(struct instance *s, struct doorbell *b)
{
    struct instance_locked l = instance_lock(s);
    const bool last = !--b->count;
    struct doorbell **p = &s->doorbells;

    while (last && *p != b)
        p = &(*p)->next;
    if (last)
        *p = b->next;
    instance_unlock(l);
    if (last)
        s->port->free(s->port->host, b, sizeof(*b));
}

int doorbells_get(struct instance *s, struct device *dev, const uint64_t *maddr, unsigned nr)
{
    const struct sluice_region *window = device_region(dev, SLUICE_REGION_SW_MSI);

    for (unsigned i = 0; i < nr; i++) {
        struct doorbell *b = get(s, mfn_of(maddr[i] >> FRAME_LG2));

        if (!b)
            return -ENOMEM;
        dev->doorbells[dev->nr_doorbells++] = (struct device_doorbell){maddr[i], b};
        if (window && b->page > (window->last - window->first) >> FRAME_LG2)
            return -ENOSPC;
    }
    return 0;
}

void doorbells_put(struct instance *s, struct device *dev)
{
    while (dev->nr_doorbells)
        put(s, dev->doorbells[--dev->nr_doorbells].doorbell);
}
