/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts: their life, and who may work on them. */
#include "context.h"

#include "attach.h"
#include "deferred.h"
#include "domain.h"
#include "reserved.h"

static bool allows(const struct context *c, enum context_use use)
{
    if (c->state != CONTEXT_LIVE || c->hidden)
        return false;
    if (use != CONTEXT_ANY && c->nested != (use == CONTEXT_NESTED))
        return false;
    return use != CONTEXT_CHANGE || (c->no != 0 && !c->identity);
}

int context_resolve(struct domain *d, uint16_t no, enum context_use use, uint32_t *generation)
{
    const struct context *c;
    bool ok;

    if (no > d->max_ctx_no)
        return -EINVAL;
    c = &d->ctx[no];
    /* No lock: what is true of this generation only matters if it is still there when it is used.
     */
    *generation = c->generation;
    ok = allows(c, use);
    return ok && c->generation == *generation ? 0 : -EINVAL;
}

int context_enter(struct domain *d, uint16_t no, uint32_t generation, struct span *span,
                  struct context **out, uint64_t *allowed)
{
    struct context *c = &d->ctx[no];
    int err = 0;

    context_lock(c);
    if (c->state != CONTEXT_LIVE || c->generation != generation)
        err = -EINVAL;
    else if (!span_enter(&c->spans, span))
        err = -ERESTART;
    else
        *allowed = reserved_before(c, span);
    context_unlock(c);
    *out = c;
    return err;
}

int context_occupy(struct context *c, struct span *span)
{
    bool entered;

    context_lock(c);
    entered = span_enter(&c->spans, span);
    context_unlock(c);
    return entered ? 0 : -ERESTART;
}

void context_leave(struct context *c, struct span *span)
{
    context_lock(c);
    span_leave(&c->spans, span);
    context_unlock(c);
}

int context_init(struct context *c, struct instance *s, struct domain *d, struct pt_pages *pages)
{
    int err = did_alloc(s, &c->did);

    if (err)
        return err;
    err = pt_init(&c->pt, &s->geo, pages);
    if (err) {
        did_free(s, c->did);
        return -ENOMEM;
    }
    context_lock(c);
    c->domain = d;
    c->identity = false;
    c->hidden = false;
    c->defers = false;
    c->deferred = NULL;
    c->nested = false;
    c->first = (struct hw_first_stage){.root = 0};
    c->second = NULL;
    c->regions = NULL;
    c->pins = NULL;
    c->nr_pins = 0;
    c->doorbells = NULL;
    c->nr_devices = 0;
    c->nr_mapped = 0;
    for (unsigned i = 0; i < SLUICE_MAX_UNITS; i++)
        c->attached[i] = 0;
    c->generation++;
    c->state = CONTEXT_BUILDING;
    context_unlock(c);
    return 0;
}

void context_show(struct context *c)
{
    context_lock(c);
    c->state = CONTEXT_LIVE;
    context_unlock(c);
}

struct hw_space context_space(const struct context *c)
{
    const struct context *second = c->second ? c->second : c;
    struct hw_space space = {
        .root = second->pt.root, .levels = second->pt.geo.levels, .did = c->did};

    if (c->second)
        space.first = c->first;
    return space;
}

bool context_is_reachable(const struct context *c)
{
    for (unsigned i = 0; i < c->s->nr_units; i++)
        if (c->attached[i])
            return true;
    return false;
}

/*
 * One step of emptying the tables. Quarantines and identity maps hold no references, nor does what
 * is left of a bus-frame space.
 */
static bool reap(struct context *c)
{
    struct memory_locked l;
    bool more;

    if (c->identity || !c->domain || !c->no)
        return pt_reap(&c->pt, memory_pass_run, NULL);
    l = memory_lock(&c->domain->memory);
    more = pt_reap(&c->pt, memory_put_run, &l);
    memory_unlock(l);
    return more;
}

/* A failed unit that may still reach this context may reach what it is nested on. */
static void pass_on(const struct context *c)
{
    for (unsigned i = 0; c->second && i < c->s->nr_units; i++)
        c->second->attached[i] += c->attached[i];
}

/* Those that hold no references hold the frames of the domain all the same: for ever. */
static void lose(struct context *c)
{
    if (c->identity && c->domain)
        c->domain->lost = true;
    pass_on(c);
}

static void vacate(struct context *c)
{
    if (c->domain && c->no && c->no <= c->domain->max_ctx_no)
        c->domain->nr_contexts--;
    c->second = NULL;
    context_lock(c);
    c->state = CONTEXT_FREE;
    context_unlock(c);
}

int context_end(struct context *c)
{
    const struct sluice_port *port = c->s->port;
    bool busy;

    context_lock(c);
    busy = c->spans || deferred_is_busy(c);
    context_unlock(c);
    if (busy)
        return -ERESTART;
    if (context_is_reachable(c)) {
        /* Only a failed unit leaves requesters behind: its tag, tables and frames are lost. */
        instance_event(c->s, SLUICE_EVENT_FRAMES_LOST, -EIO, "context_end",
                       c->nr_mapped + deferred_frames(c), c->did);
        lose(c);
        deferred_fini(c);
        reserved_forget(c);
        vacate(c);
        return 0;
    }
    while (reap(c))
        if (port->preempt(port->host))
            return -ERESTART;
    deferred_fini(c);
    reserved_forget(c);
    pt_fini(&c->pt);
    did_free(c->s, c->did);
    vacate(c);
    return 0;
}

static struct context *free_slot(struct domain *d)
{
    for (unsigned no = 1; no <= d->max_ctx_no; no++)
        if (d->ctx[no].state == CONTEXT_FREE)
            return &d->ctx[no];
    return NULL;
}

int context_alloc(struct domain_locked l, bool identity, uint64_t builder, struct context **out)
{
    struct domain *d = l.d;
    struct context *c = free_slot(d);
    int err;

    if (!c)
        return -ENOSPC;
    if (d->nr_contexts >= d->budget_contexts)
        return -ENOMEM;
    err = context_init(c, d->s, d, &d->pages);
    if (err)
        return err;
    c->identity = identity;
    c->builder = builder;
    d->nr_contexts++;
    *out = c;
    return 0;
}

int context_free(struct domain_locked l, uint16_t no, uint32_t generation, bool reattach)
{
    struct context *c = &l.d->ctx[no];
    int err;

    if (c->state != CONTEXT_LIVE || c->generation != generation)
        return -EINVAL;
    if (c->nr_devices && !reattach)
        return -EBUSY;
    if (c->nr_devices) {
        err = attach_all(l, c, &l.d->ctx[0]);
        if (err)
            return err;
    }
    context_lock(c);
    c->state = CONTEXT_DYING;
    context_unlock(c);
    return 0;
}
