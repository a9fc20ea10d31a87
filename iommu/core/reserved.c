/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved regions of contexts. */
#include "reserved.h"

#include "flush.h"
#include "msi_window.h"
#include "pin.h"
#include "shadow.h"

/* Of regions that are claimed here: windows are msi_window.c's. */
static bool is_tracked(const struct sluice_region *r)
{
    return r->type != SLUICE_REGION_DIRECT_RELAXABLE && r->type != SLUICE_REGION_SW_MSI;
}

static bool same(const struct region_use *u, const struct sluice_region *r)
{
    return u->first.n == r->first >> FRAME_LG2 && u->last.n == r->last >> FRAME_LG2 &&
           u->type == r->type && u->prot == r->prot;
}

uint64_t reserved_before(const struct context *c, const struct span *span)
{
    const uint64_t first = span->first.n;
    uint64_t end = span->last.n + 1;

    if (reserved_is_msi(first, span->last.n))
        end = first > MSI_FIRST_DFN ? first : MSI_FIRST_DFN;
    for (const struct region_use *u = c->regions; u; u = u->next)
        if (u->first.n < end && u->last.n >= first)
            end = u->first.n > first ? u->first.n : first;
    return end - first;
}

uint64_t reserved_within(const struct context *c, dfn_t dfn)
{
    if (reserved_is_msi(dfn.n, dfn.n))
        return MSI_LAST_DFN - dfn.n + 1;
    for (const struct region_use *u = c->regions; u; u = u->next)
        if (u->first.n <= dfn.n && u->last.n >= dfn.n)
            return u->last.n - dfn.n + 1;
    return 0;
}

bool reserved_touches(struct context *c, dfn_t first, dfn_t last)
{
    bool touches = false;

    context_lock(c);
    for (const struct region_use *u = c->regions; u; u = u->next)
        touches |= u->first.n <= last.n && u->last.n >= first.n;
    context_unlock(c);
    return touches;
}

/*
 * The next run of `u`, from *at on, that no other direct region of the context covers: those pages
 * are mapped and unmapped for `u` alone. False: there is none.
 */
static bool next_own(const struct context *c, const struct region_use *u, dfn_t *at, dfn_t *last)
{
    bool moved = true;

    while (moved) {
        moved = false;
        *last = u->last;
        for (const struct region_use *o = c->regions; o; o = o->next) {
            if (o == u || o->type != SLUICE_REGION_DIRECT || o->last.n < at->n)
                continue;
            if (o->first.n <= at->n) {
                *at = dfn_add(o->last, 1);
                moved = true;
            } else if (o->first.n <= last->n) {
                *last = dfn_of(o->first.n - 1);
            }
        }
        if (at->n > u->last.n)
            return false;
    }
    return true;
}

static int found(void *arg, const struct pt_leaf *leaf)
{
    (void)arg;
    (void)leaf;
    return -EBUSY;
}

/* A page can have one kind of rights only: what shares pages must agree. */
static int check_rights(const struct context *c, const struct region_use *u)
{
    for (const struct region_use *o = c->regions; o; o = o->next)
        if (o != u && o->type == SLUICE_REGION_DIRECT && o->first.n <= u->last.n &&
            o->last.n >= u->first.n && o->prot != u->prot)
            return -EBUSY;
    return 0;
}

/* In a shadow a region comes before what the guest's table has there. */
static int vacate_run(struct context *c, dfn_t first, dfn_t last)
{
    if (context_is_shadow(c))
        return shadow_vacate(c, first, last);
    return pt_walk(&c->pt, first, last, found, NULL);
}

int reserved_vacate(struct context *c, const struct region_use *u)
{
    const uint64_t end = pt_nr_dfns(&c->pt);
    dfn_t at = u->first, last;
    int err = 0;

    while (!err && next_own(c, u, &at, &last) && at.n < end) {
        err = vacate_run(c, at, last.n < end ? last : dfn_of(end - 1));
        at = dfn_add(last, 1);
    }
    return err;
}

/* 4K leaves, so that what another region shares with this one can be left standing. */
static int map_run(struct context *c, dfn_t *at, dfn_t last, unsigned prot)
{
    uint64_t done;
    int err = 0;

    for (; at->n <= last.n && !err; *at = dfn_add(*at, done))
        err = pt_map(&c->pt, *at, mfn_of(at->n), last.n - at->n + 1, FRAME_LG2, prot, &done);
    return err == -ENOSPC ? -ENOMEM : err;
}

static int unmap_run(struct context *c, dfn_t at, dfn_t last)
{
    struct flush f = {.c = c, .first = at, .last = last};
    uint64_t done;

    for (; at.n <= last.n; at = dfn_add(at, done))
        CHECK(c->s->port, !pt_unmap(&c->pt, at, last.n - at.n + 1, &f.freed, &done));
    return flush_commit(&f);
}

/* Takes away what was mapped for `u` alone before frame `end`. */
static int unmap_own(struct context *c, const struct region_use *u, dfn_t end)
{
    dfn_t at = u->first, last;
    int err = 0;

    while (next_own(c, u, &at, &last) && at.n < end.n) {
        if (last.n >= end.n)
            last.n = end.n - 1;
        if (unmap_run(c, at, last))
            err = -EIO;
        at = dfn_add(last, 1);
    }
    return err;
}

/* While it is their span, nobody gives up the tables that come to hang there. */
static int map_own(struct context *c, const struct region_use *u)
{
    struct flush f = {.c = c, .first = u->first, .last = u->last};
    struct span span = {.first = u->first, .last = u->last};
    dfn_t at = u->first, last;
    int err = context_occupy(c, &span);

    if (err)
        return err;
    while (!err && next_own(c, u, &at, &last))
        err = map_run(c, &at, last, u->prot);
    if (!err && c->s->caching_mode)
        err = flush_commit(&f);
    if (err && unmap_own(c, u, at))
        err = -EIO;
    context_leave(c, &span);
    return err;
}

/* A window is nobody else's: neither another region's nor the interrupt window's. */
static bool clashes(const struct context *c, const struct region_use *u)
{
    const bool window = u->type == SLUICE_REGION_SW_MSI;

    for (const struct region_use *o = c->regions; o; o = o->next)
        if ((window || o->type == SLUICE_REGION_SW_MSI) && o->first.n <= u->last.n &&
            o->last.n >= u->first.n)
            return true;
    return window && reserved_is_msi(u->first.n, u->last.n);
}

int reserved_enter(struct context *c, struct region_use *u)
{
    struct span span = {.first = u->first, .last = u->last};
    int err = 0;

    context_lock(c);
    if (clashes(c, u) || pin_touches(c, u->first, u->last))
        err = -EBUSY;
    else if (!span_enter(&c->spans, &span))
        err = -ERESTART;
    if (!err) {
        span_leave(&c->spans, &span);
        u->next = c->regions;
        c->regions = u;
    }
    context_unlock(c);
    return err;
}

void reserved_leave(struct context *c, const struct region_use *u)
{
    struct region_use **p = &c->regions;

    context_lock(c);
    while (*p != u)
        p = &(*p)->next;
    *p = u->next;
    context_unlock(c);
}

struct region_use *reserved_new(struct context *c, const struct sluice_region *r)
{
    struct region_use *u = c->s->port->alloc(c->s->port->host, sizeof(*u));

    if (u)
        *u = (struct region_use){.first = dfn_of(r->first >> FRAME_LG2),
                                 .last = dfn_of(r->last >> FRAME_LG2),
                                 .type = r->type,
                                 .prot = r->prot,
                                 .count = 1};
    return u;
}

void reserved_free(struct context *c, struct region_use *u)
{
    c->s->port->free(c->s->port->host, u, sizeof(*u));
}

static void unlink_use(struct context *c, struct region_use *u)
{
    reserved_leave(c, u);
    reserved_free(c, u);
}

static int claim_new(struct context *c, const struct sluice_region *r)
{
    struct region_use *u = reserved_new(c, r);
    int err;

    if (!u)
        return -ENOMEM;
    err = reserved_enter(c, u);
    if (err) {
        reserved_free(c, u);
        return err;
    }
    err = reserved_vacate(c, u);
    if (!err && u->type == SLUICE_REGION_DIRECT)
        err = check_rights(c, u);
    if (!err && u->type == SLUICE_REGION_DIRECT)
        err = u->last.n < pt_nr_dfns(&c->pt) ? map_own(c, u) : -EBUSY;
    if (err)
        unlink_use(c, u);
    return err;
}

static struct region_use *find(struct context *c, const struct sluice_region *r)
{
    struct region_use *u = c->regions;

    while (u && !same(u, r))
        u = u->next;
    return u;
}

static int claim(struct context *c, const struct sluice_region *r)
{
    struct region_use *u = find(c, r);

    if (!u)
        return claim_new(c, r);
    u->count++;
    return 0;
}

static int drop(struct context *c, const struct sluice_region *r)
{
    struct region_use *u = find(c, r);
    int err = 0;

    if (!u || --u->count)
        return 0;
    if (u->type == SLUICE_REGION_DIRECT)
        err = unmap_own(c, u, dfn_add(u->last, 1));
    unlink_use(c, u);
    return err;
}

static bool is_never_mapped(const struct sluice_region *r)
{
    return is_tracked(r) && r->type != SLUICE_REGION_DIRECT;
}

typedef bool (*region_test)(const struct sluice_region *r);

/* The k-th of the group's regions of that kind; NULL: it has fewer. */
static const struct sluice_region *region_at(const struct group *g, region_test is, unsigned k)
{
    for (const struct device *dev = g->devices; dev; dev = dev->sibling)
        for (unsigned i = 0; i < dev->nr_regions; i++)
            if (is(&dev->regions[i]) && !k--)
                return &dev->regions[i];
    return NULL;
}

/* The first nr of them; or all, if there are fewer. */
static int drop_first(struct context *c, const struct group *g, region_test is, unsigned nr)
{
    const struct sluice_region *r;
    int err = 0;

    for (unsigned k = 0; k < nr && (r = region_at(g, is, k)); k++)
        if (drop(c, r))
            err = -EIO;
    return err;
}

/* All of that kind, or none. */
static int claim_all(struct context *c, const struct group *g, region_test is)
{
    const struct sluice_region *r;
    int err = 0;

    for (unsigned k = 0; (r = region_at(g, is, k)); k++) {
        err = claim(c, r);
        if (!err)
            continue;
        (void)drop_first(c, g, is, k);
        return err;
    }
    return 0;
}

/* Does the group have what must be mapped? */
static bool has_mapped(const struct group *g)
{
    for (const struct device *dev = g->devices; dev; dev = dev->sibling)
        if (device_region(dev, SLUICE_REGION_DIRECT) || device_region(dev, SLUICE_REGION_SW_MSI))
            return true;
    return false;
}

int reserved_claim(struct context *c, const struct group *g)
{
    int err;

    if (c->second && has_mapped(g))
        return -EBUSY; /* what is mapped there is the guest's affair alone */
    err = claim_all(c, g, is_tracked);
    if (err)
        return err;
    err = msi_window_claim(c, g);
    if (err)
        (void)drop_first(c, g, is_tracked, UINT32_MAX);
    return err;
}

int reserved_drop(struct context *c, const struct group *g)
{
    int err = msi_window_drop(c, g);

    return drop_first(c, g, is_tracked, UINT32_MAX) ? -EIO : err;
}

int reserved_claim_pasid(struct context *c, const struct group *g)
{
    return claim_all(c, g, is_never_mapped);
}

/* Nothing of them is mapped, so there is nothing to flush. */
void reserved_drop_pasid(struct context *c, const struct group *g)
{
    (void)drop_first(c, g, is_never_mapped, UINT32_MAX);
}

void reserved_forget(struct context *c)
{
    while (c->regions)
        unlink_use(c, c->regions);
    msi_window_forget(c);
    pin_forget(c);
}
