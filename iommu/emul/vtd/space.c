/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts that mirror guests' tables. One for each (did, table): as hardware, which tags what it
 * has cached with the did, and looks no further.
 */
#include "back.h"

#include "../../core/attach.h"
#include "../../core/identity.h"

static void tell(const struct vtd_emul *e, int err, const struct vtd_emul_space *s)
{
    instance_event(e->d->s, SLUICE_EVENT_ERROR, err, "vtd_emul_space", s->did, s->table.root);
}

/* ---- Contexts of the unit's own ----------------------------------------------------------------
 */

int vtd_emul_hidden(struct vtd_emul *e, struct context **out)
{
    struct domain_locked l = domain_lock(e->d);
    int err = context_alloc(l, false, e->d->serial, out);

    if (!err) {
        (*out)->hidden = true;
        context_show(*out);
    }
    domain_unlock(l);
    return err;
}

/* Of the slot as it is now: the end of the domain may have ended it. */
static int end_context(struct domain_locked l, struct context *c, uint32_t generation)
{
    int err = 0;

    if (c->generation != generation || c->state == CONTEXT_FREE)
        return 0;
    if (c->state == CONTEXT_LIVE)
        err = context_free(l, c->no, generation, false);
    return err ? 0 : context_end(c); /* a device that a failed unit left there keeps it */
}

int vtd_emul_end_hidden(struct vtd_emul *e, struct context *c, uint32_t generation)
{
    struct domain_locked l;
    int err;

    if (!c)
        return 0;
    l = domain_lock(e->d);
    err = end_context(l, c, generation);
    domain_unlock(l);
    return err;
}

static int make_identity(struct vtd_emul *e, struct domain_locked l)
{
    struct vtd_emul_back *b = &e->back;
    int err = context_alloc(l, true, e->d->serial, &b->identity);

    if (err) {
        b->identity = NULL;
        return err;
    }
    b->identity->hidden = true;
    b->identity_generation = b->identity->generation;
    b->identity_cursor = 0;
    return 0;
}

static int fill_identity(struct vtd_emul *e)
{
    struct vtd_emul_back *b = &e->back;
    struct domain_locked l = domain_lock(e->d);
    int err = b->identity ? 0 : make_identity(e, l);

    if (!err)
        err = identity_fill(l, b->identity, &b->identity_cursor);
    if (!err) {
        context_show(b->identity);
        b->identity_live = true;
    }
    domain_unlock(l);
    return err;
}

static bool context_0_is_one(const struct vtd_emul *e)
{
    return !e->d->blocked;
}

int vtd_emul_identity(struct vtd_emul *e, struct context **out)
{
    int err = context_0_is_one(e) || e->back.identity_live ? 0 : fill_identity(e);

    *out = context_0_is_one(e) ? &e->d->ctx[0] : e->back.identity;
    return err;
}

/* ---- Spaces ------------------------------------------------------------------------------------
 */

static dfn_t last_of(const struct vtd_emul_space *s)
{
    return dfn_of(BIT64(s->table.geo.iova_bits - FRAME_LG2) - 1);
}

static bool is_of(const struct vtd_emul_space *s, const struct vtd_emul_target *t)
{
    return !s->ending && s->kind == t->kind && s->did == t->did && s->table.root == t->table.root &&
           s->table.geo.levels == t->table.geo.levels;
}

static struct vtd_emul_space *find(const struct vtd_emul *e, const struct vtd_emul_target *t)
{
    struct vtd_emul_space *s = e->back.spaces;

    while (s && !is_of(s, t))
        s = s->next;
    return s;
}

static struct vtd_emul_space *make(struct vtd_emul *e, const struct vtd_emul_target *t)
{
    struct vtd_emul_space *s = e->port->alloc(e->port->host, sizeof(*s));

    if (!s)
        return NULL;
    s->kind = t->kind;
    s->did = t->did;
    s->table = t->table;
    s->next = e->back.spaces;
    e->back.spaces = s;
    return s;
}

static int make_context(struct vtd_emul *e, struct vtd_emul_space *s)
{
    const enum nested_how how =
        s->kind == VTD_EMUL_FIRST ? NESTED_BY_HARDWARE_IF_IT_CAN : NESTED_BY_SHADOW;
    struct domain_locked l = domain_lock(e->d);
    struct context *c;
    int err = nested_alloc(l, &s->table, how, e->d->serial, &c);

    if (!err) {
        c->hidden = true;
        s->c = c;
        s->generation = c->generation;
    }
    domain_unlock(l);
    return err;
}

static int fill(struct vtd_emul *e, struct vtd_emul_space *s)
{
    int err = nested_flush(e->d, s->c->no, s->generation, dfn_of(0), last_of(s), &s->at);

    if (err)
        return err;
    e->back.synced += s->c->nr_mapped;
    context_show(s->c);
    s->live = true;
    return 0;
}

int vtd_emul_space(struct vtd_emul *e, const struct vtd_emul_target *t, struct vtd_emul_space **out)
{
    struct vtd_emul_space *s = find(e, t);
    int err = 0;

    if (!s)
        s = make(e, t);
    if (!s)
        return -ENOMEM;
    if (!s->c)
        err = make_context(e, s);
    if (!err && !s->live)
        err = fill(e, s);
    s->ending = err && err != -ERESTART; /* nobody is in it: another try makes another */
    *out = s;
    return err;
}

static void release(struct vtd_emul *e, struct vtd_emul_space *s)
{
    struct vtd_emul_space **p = &e->back.spaces;

    while (*p != s)
        p = &(*p)->next;
    *p = s->next;
    e->port->free(e->port->host, s, sizeof(*s));
}

static struct vtd_emul_space *unused(const struct vtd_emul *e, bool all)
{
    struct vtd_emul_space *s = e->back.spaces;

    while (s && (s->users || !(all || s->live || s->ending)))
        s = s->next;
    return s;
}

int vtd_emul_reap(struct vtd_emul *e, bool all)
{
    struct vtd_emul_space *s;

    while ((s = unused(e, all))) {
        s->ending = true;
        if (vtd_emul_end_hidden(e, s->c, s->generation))
            return -ERESTART;
        release(e, s);
        if (e->port->preempt(e->port->host) && unused(e, all))
            return -ERESTART;
    }
    return 0;
}

/* ---- Following the guest -----------------------------------------------------------------------
 */

static bool is_meant(const struct vtd_emul_space *s, const struct vtd_emul_inv *inv)
{
    if (!s->live || s->ending)
        return false;
    if (inv->kind == VTD_EMUL_INV_FIRST)
        return s->kind == VTD_EMUL_FIRST && s->did == inv->did;
    return inv->kind == VTD_EMUL_INV_ROOT ||
           (inv->kind == VTD_EMUL_INV_IOTLB &&
            (inv->granularity == VTD_G_GLOBAL || s->did == inv->did));
}

static bool is_whole(const struct vtd_emul_inv *inv)
{
    if (inv->kind == VTD_EMUL_INV_FIRST)
        return !inv->paged;
    return inv->kind != VTD_EMUL_INV_IOTLB || inv->granularity != VTD_G_PAGE;
}

static int flush_space(struct vtd_emul *e, struct vtd_emul_space *s, const struct vtd_emul_inv *inv)
{
    const dfn_t end = last_of(s);
    const dfn_t first = is_whole(inv) ? dfn_of(0) : inv->first;
    const dfn_t last = is_whole(inv) || inv->last.n > end.n ? end : inv->last;
    int err;

    if (first.n > last.n)
        return 0;
    if (s->flushing != inv->serial)
        s->at = (struct nested_flush){0};
    s->flushing = inv->serial;
    err = nested_flush(e->d, s->c->no, s->generation, first, last, &s->at);
    if (err == -ERESTART)
        return err;
    e->back.synced += is_whole(inv) ? s->c->nr_mapped : last.n - first.n + 1;
    if (err)
        tell(e, err, s);
    return 0;
}

/* Spaces may come and go between the steps: each remembers what it has done. */
static struct vtd_emul_space *next_meant(const struct vtd_emul *e, const struct vtd_emul_inv *inv)
{
    struct vtd_emul_space *s = e->back.spaces;

    while (s && (s->done == inv->serial || !is_meant(s, inv)))
        s = s->next;
    return s;
}

int vtd_emul_flush_spaces(struct vtd_emul *e, const struct vtd_emul_inv *inv)
{
    struct vtd_emul_space *s;

    while ((s = next_meant(e, inv))) {
        int err = flush_space(e, s, inv);

        if (err)
            return err;
        s->done = inv->serial;
        if (e->port->preempt(e->port->host) && next_meant(e, inv))
            return -ERESTART;
    }
    return 0;
}
