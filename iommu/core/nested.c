/* SPDX-License-Identifier: BSD-2-Clause */
/* Nested contexts: their beginning, what guests flush, and frames that leave. */
#include "nested.h"

#include "flush.h"
#include "shadow.h"
#include "stage2.h"

int nested_alloc(struct domain_locked l, const struct hw_first_stage *table, enum nested_how how,
                 uint64_t builder, struct context **out)
{
    const bool by_hardware = how == NESTED_BY_HARDWARE_IF_IT_CAN && l.d->s->nests;
    struct context *c, *second = NULL;
    int err = by_hardware ? stage2_get(l, &second) : 0;

    if (!err)
        err = context_alloc(l, false, builder, &c);
    if (err)
        return err;
    c->first = *table;
    c->second = second;
    c->nested = true;
    *out = c;
    return 0;
}

/* Until context_leave. It may be BUILDING: then nobody else knows it, but frames may leave it. */
static int enter(struct context *c, uint32_t generation, struct span *span)
{
    int err = 0;

    context_lock(c);
    if ((c->state != CONTEXT_LIVE && c->state != CONTEXT_BUILDING) || c->generation != generation ||
        !c->nested)
        err = -EINVAL;
    else if (!span_enter(&c->spans, span))
        err = -ERESTART;
    context_unlock(c);
    return err;
}

/* Hardware walks the guest's table: it forgets what it has of it. */
static int flush_walks(struct context *c, dfn_t first, dfn_t last)
{
    const struct flush f = {.c = c, .first = first, .last = last, .tables = true};

    return flush_wait(&f);
}

/* An error of hardware says more than one of memory. */
static void remember(struct nested_flush *at, int err)
{
    if (at->err != -EIO)
        at->err = err;
}

/* Empty tables of a shadow may be given up for those that it lacks; a new one has none. */
static bool may_trim(const struct context *c, const struct nested_flush *at)
{
    return c->state == CONTEXT_LIVE && !at->trim.done;
}

/*
 * A guest's table has no more entries than its memory has words. One that seems to have more leads
 * into itself again and again, and ends here: nothing is mapped behind.
 */
static bool loops(const struct context *c, const struct nested_flush *at)
{
    return at->reads / (FRAME_SIZE / sizeof(uint64_t)) > c->domain->memory.nr;
}

static int step(struct context *c, dfn_t last, struct nested_flush *at, dfn_t *next, bool *mapped)
{
    int err;

    *mapped = false;
    if (!loops(c, at))
        return shadow_update(c, at->next, last, next, &at->reads, mapped);
    err = shadow_empty(c, at->next, last, next);
    return err ? err : -ENOMEM;
}

/* What cannot be done is remembered, and the rest is done all the same. -ENOSPC: trim. */
static int update(struct context *c, dfn_t last, struct nested_flush *at)
{
    const struct sluice_port *port = c->s->port;
    bool mapped;
    dfn_t next;
    int err;

    while (at->next.n <= last.n) {
        err = step(c, last, at, &next, &mapped);
        if (mapped)
            at->trim = (struct trim){0};
        if (err == -ENOSPC && may_trim(c, at))
            return err;
        if (err)
            remember(at, err == -ENOSPC ? -ENOMEM : err);
        at->next = next;
        if (next.n <= last.n && port->preempt(port->host))
            return -ERESTART;
    }
    return at->err;
}

static int flush_in(struct context *c, uint32_t generation, dfn_t last, struct nested_flush *at)
{
    struct span span = shadow_span(c->s, at->next, last);
    int err = enter(c, generation, &span);

    if (err)
        return err;
    if (at->next.n > last.n)
        err = at->err;
    else
        err = c->second ? flush_walks(c, at->next, last) : update(c, last, at);
    context_leave(c, &span);
    return err;
}

int nested_flush(struct domain *d, uint16_t no, uint32_t generation, dfn_t first, dfn_t last,
                 struct nested_flush *at)
{
    const struct page_range r = {.ctx_no = no, .generation = generation};
    const uint64_t end = BIT64(d->s->geo.iova_bits - FRAME_LG2);
    int err = at->trim.active ? trim_context(d, &r, &at->trim) : 0;

    if (err && err != -ENOMEM)
        return err;
    if (!at->begun)
        at->next = first;
    at->begun = true;
    if (last.n >= end)
        last = dfn_of(end - 1); /* beyond it, nothing translates */
    err = flush_in(&d->ctx[no], generation, last, at);
    if (err != -ENOSPC)
        return err;
    at->trim.active = true;
    return -ERESTART;
}

/* ---- Frames that leave the domain --------------------------------------------------------------
 */

/* Does anything but the memory map hold one of them? */
static bool are_held(struct domain *d, gfn_t gfn, uint64_t nr)
{
    struct memory_locked l = memory_lock(&d->memory);
    const uint32_t *refs = d->s->frames.refs;
    uint64_t at, run;
    bool held = false;
    unsigned rights;
    mfn_t mfn;

    for (at = 0; at < nr && !held; at += run) {
        CHECK(d->s->port, !memory_find(l, gfn_add(gfn, at), nr - at, &mfn, &run, &rights));
        for (uint64_t i = 0; i < run; i++)
            held |= refs[mfn.n + i] > 1;
    }
    memory_unlock(l);
    return held;
}

/* Some of a shadow. A call at work there may have found them before they were marked. */
static int leave_some(struct context *c, struct nested_leaving *at)
{
    const struct shadow_leaving who = {.first = at->gfn, .nr = at->nr, .take = at->take};
    struct span span = shadow_span(c->s, at->next, at->next);
    int err = enter(c, c->generation, &span);

    if (err)
        return err;
    err = shadow_leave(c, &who, &at->next);
    context_leave(c, &span);
    return err;
}

static int leave_shadow(struct context *c, struct nested_leaving *at)
{
    const struct sluice_port *port = c->s->port;
    int err;

    while (at->next.n < pt_nr_dfns(&c->pt)) {
        err = leave_some(c, at);
        if (err == -EIO)
            at->failed = true;
        else if (err)
            return err;
        if (port->preempt(port->host))
            return -ERESTART;
    }
    return 0;
}

static bool has_entries(const struct context *c)
{
    return context_is_shadow(c) && (c->state == CONTEXT_LIVE || c->state == CONTEXT_BUILDING);
}

/* From where it stopped on. */
static int leave_shadows(struct domain *d, struct nested_leaving *at)
{
    int err;

    for (; at->no <= d->max_ctx_no; at->no++, at->next = dfn_of(0)) {
        err = has_entries(&d->ctx[at->no]) ? leave_shadow(&d->ctx[at->no], at) : 0;
        if (err)
            return err;
    }
    return 0;
}

/* All that can lack memory first. */
static int leave(struct domain *d, struct nested_leaving *at)
{
    int err = leave_shadows(d, at);

    if (err || at->take)
        return err;
    at->take = true;
    at->no = 0;
    return leave_shadows(d, at);
}

int nested_leave(struct domain_locked l, gfn_t gfn, uint64_t nr)
{
    struct nested_leaving *at = &l.d->leaving;
    int err;

    if (at->gfn.n != gfn.n || at->nr != nr)
        *at = (struct nested_leaving){.gfn = gfn, .nr = are_held(l.d, gfn, nr) ? nr : 0};
    if (!at->nr)
        return 0;
    err = leave(l.d, at);
    if (err == -ERESTART)
        return err;
    if (!err && at->failed)
        err = -EIO;
    *at = (struct nested_leaving){.nr = 0};
    return err;
}
