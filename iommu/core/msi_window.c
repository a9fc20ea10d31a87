/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows of contexts for doorbells. */
#include "msi_window.h"

#include "doorbell.h"
#include "flush.h"

struct region_use *msi_window_of(const struct context *c)
{
    struct region_use *u = c->regions;

    while (u && u->type != SLUICE_REGION_SW_MSI)
        u = u->next;
    return u;
}

/* ---- Its place ---------------------------------------------------------------------------------
 */

static bool may_move(const struct instance *s, const struct sluice_region *r)
{
    return r->source == SLUICE_REGION_BY_HOST && s->msi_window.highest;
}

/* The device's window could be where that one is. */
static bool suits(const struct instance *s, const struct sluice_region *r,
                  const struct region_use *u)
{
    const uint64_t first = u->first.n << FRAME_LG2, last = first + (r->last - r->first);

    if (last >> FRAME_LG2 != u->last.n)
        return false;
    return first == r->first ||
           (may_move(s, r) && first >= s->msi_window.lowest && last <= s->msi_window.highest);
}

static int enter_at(struct context *c, struct region_use *u, uint64_t first, uint64_t nr)
{
    int err;

    u->first = dfn_of(first);
    u->last = dfn_of(first + nr - 1);
    if (u->last.n >= pt_nr_dfns(&c->pt))
        return -EBUSY;
    err = reserved_enter(c, u);
    if (err)
        return err;
    err = reserved_vacate(c, u);
    if (err)
        reserved_leave(c, u);
    return err;
}

/* Where the device has it; otherwise side by side from the lowest place on. */
static int place(struct context *c, struct region_use *u, const struct sluice_region *r)
{
    const struct sluice_msi_window *w = &c->s->msi_window;
    const uint64_t nr = ((r->last - r->first) >> FRAME_LG2) + 1, end = w->highest >> FRAME_LG2;
    uint64_t first = w->lowest >> FRAME_LG2;
    int err = enter_at(c, u, r->first >> FRAME_LG2, nr);

    for (unsigned i = 0;
         err == -EBUSY && may_move(c->s, r) && i < MSI_WINDOW_PLACES && first + nr - 1 <= end;
         i++, first += nr)
        err = enter_at(c, u, first, nr);
    return err;
}

static int claim_window(struct context *c, const struct sluice_region *r)
{
    struct region_use *u = msi_window_of(c);
    int err;

    if (u && !suits(c->s, r, u))
        return -EBUSY;
    if (u) {
        u->count++;
        return 0;
    }
    u = reserved_new(c, r);
    if (!u)
        return -ENOMEM;
    u->prot = PT_WRITE;
    err = place(c, u, r);
    if (err)
        reserved_free(c, u);
    return err;
}

static void drop_window(struct context *c)
{
    struct region_use *u = msi_window_of(c);

    if (--u->count)
        return;
    reserved_leave(c, u);
    reserved_free(c, u);
}

/* ---- Its pages ---------------------------------------------------------------------------------
 */

static struct doorbell_use *use_of(const struct context *c, mfn_t mfn)
{
    struct doorbell_use *u = c->doorbells;

    while (u && u->mfn.n != mfn.n)
        u = u->next;
    return u;
}

static void unlink_use(struct context *c, struct doorbell_use *u)
{
    struct doorbell_use **p = &c->doorbells;

    while (*p != u)
        p = &(*p)->next;
    *p = u->next;
    c->s->port->free(c->s->port->host, u, sizeof(*u));
}

static void unmap(struct context *c, const struct doorbell_use *u, struct flush *f)
{
    uint64_t done;

    CHECK(c->s->port, !pt_unmap(&c->pt, u->dfn, 1, &f->freed, &done));
}

/* While it is their span, nobody gives up the tables that come to hang there. */
static int map_page(struct context *c, const struct doorbell_use *u)
{
    struct span span = {.first = u->dfn, .last = u->dfn};
    uint64_t done;
    int err = context_occupy(c, &span);

    if (err)
        return err;
    err = pt_map(&c->pt, u->dfn, u->mfn, 1, FRAME_LG2, PT_WRITE, &done);
    context_leave(c, &span);
    return err;
}

static int map(struct context *c, const struct doorbell_use *u)
{
    struct flush f = {.c = c, .first = u->dfn, .last = u->dfn};
    int err = map_page(c, u);

    if (err)
        return err == -ENOSPC ? -ENOMEM : err;
    if (!c->s->caching_mode || !flush_commit(&f))
        return 0;
    unmap(c, u, &f);
    (void)flush_commit(&f);
    return -EIO;
}

static int claim_doorbell(struct context *c, const struct doorbell *b)
{
    const struct sluice_port *port = c->s->port;
    struct doorbell_use *u = use_of(c, b->mfn);
    int err;

    if (u) {
        u->count++;
        return 0;
    }
    u = port->alloc(port->host, sizeof(*u));
    if (!u)
        return -ENOMEM;
    *u = (struct doorbell_use){c->doorbells, b->mfn, dfn_add(msi_window_of(c)->first, b->page), 1};
    err = map(c, u);
    if (err)
        port->free(port->host, u, sizeof(*u));
    else
        c->doorbells = u;
    return err;
}

/* The first nr doorbells of the device, in one flush. */
static int drop_doorbells(struct context *c, const struct device *dev, unsigned nr)
{
    const struct region_use *window = msi_window_of(c);
    struct flush f = {.c = c, .first = window->first, .last = window->last};
    bool any = false;

    for (unsigned i = 0; i < nr; i++) {
        struct doorbell_use *u = use_of(c, dev->doorbells[i].doorbell->mfn);

        if (--u->count)
            continue;
        unmap(c, u, &f);
        unlink_use(c, u);
        any = true;
    }
    return any ? flush_commit(&f) : 0;
}

/* ---- Devices -----------------------------------------------------------------------------------
 */

static int drop_device(struct context *c, const struct device *dev)
{
    int err;

    if (!device_region(dev, SLUICE_REGION_SW_MSI))
        return 0;
    err = drop_doorbells(c, dev, dev->nr_doorbells);
    drop_window(c);
    return err;
}

static int claim_device(struct context *c, const struct device *dev)
{
    const struct sluice_region *r = device_region(dev, SLUICE_REGION_SW_MSI);
    unsigned nr = 0;
    int err = r ? claim_window(c, r) : 0;

    if (!r || err)
        return err;
    while (!err && nr < dev->nr_doorbells) {
        err = claim_doorbell(c, dev->doorbells[nr].doorbell);
        nr += !err;
    }
    if (!err)
        return 0;
    if (drop_doorbells(c, dev, nr))
        err = -EIO;
    drop_window(c);
    return err;
}

/* Those of the group that come before `end`. */
static int drop_before(struct context *c, const struct group *g, const struct device *end)
{
    int err = 0;

    for (const struct device *dev = g->devices; dev != end; dev = dev->sibling)
        if (drop_device(c, dev))
            err = -EIO;
    return err;
}

int msi_window_claim(struct context *c, const struct group *g)
{
    int err = 0;

    if (!c->domain)
        return 0;
    for (const struct device *dev = g->devices; dev; dev = dev->sibling) {
        err = claim_device(c, dev);
        if (err)
            return drop_before(c, g, dev) ? -EIO : err;
    }
    return 0;
}

int msi_window_drop(struct context *c, const struct group *g)
{
    return c->domain ? drop_before(c, g, NULL) : 0;
}

void msi_window_forget(struct context *c)
{
    while (c->doorbells)
        unlink_use(c, c->doorbells);
}
