/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: their beginning and their end. */
#include "domain.h"

#include "attach.h"
#include "device.h"
#include "foreign.h"
#include "ioreq.h"
#include "leave.h"
#include "window.h"

/* As many as there are tags for, beside context 0's and that which stays unused. */
#define MAX_CTX_NO (MAX_DIDS - 2)

static size_t contexts_size(const struct domain *d)
{
    return sizeof(*d->ctx) * domain_nr_slots(d);
}

static int enlist(struct instance *s, struct domain *d)
{
    struct instance_locked l = instance_lock(s);
    int err = 0;

    for (const struct domain *o = s->domains; o; o = o->next)
        if (o->domid == d->domid)
            err = -EEXIST;
    if (!err) {
        d->serial = ++s->next_serial;
        d->next = s->domains;
        s->domains = d;
    }
    instance_unlock(l);
    return err;
}

/* Who drops references of its frames finds their owner under the reverse map's lock. */
static void delist(struct domain *d)
{
    struct m2b_locked ml = m2b_lock(&d->s->m2b);
    struct instance_locked l = instance_lock(d->s);
    struct domain **p = &d->s->domains;

    while (*p != d)
        p = &(*p)->next;
    *p = d->next;
    instance_unlock(l);
    m2b_unlock(ml);
}

static void release(struct domain *d)
{
    const struct sluice_port *port = d->s->port;

    port->free(port->host, d->ctx, contexts_size(d));
    port->free(port->host, d, sizeof(*d));
}

/* Context 0: an identity map of memory that is yet to come, or empty, which blocks all DMA. */
static int init_default(struct domain *d)
{
    struct context *c = &d->ctx[0];
    int err;

    if (!d->s->translates)
        return 0;
    err = context_init(c, d->s, d, &d->default_pages);
    if (err)
        return err;
    c->identity = !d->blocked;
    d->implicit_tables = d->default_pages.used; /* its root */
    context_show(c);
    return 0;
}

static struct domain *allocate(struct instance *s, const struct sluice_domain_config *config)
{
    const struct sluice_port *port = s->port;
    struct domain *d = port->alloc(port->host, sizeof(*d));

    if (!d)
        return NULL;
    d->s = s;
    d->domid = config->domid;
    d->guest = config->guest;
    d->blocked = config->blocked || config->space != SLUICE_SPACE_OWN;
    d->direct_mapped = config->direct_mapped;
    d->trusted = config->trusted;
    d->space = config->space;
    d->window = config->space == SLUICE_SPACE_RELAXED && s->translates ? config->window : 0;
    d->one_to_one = config->space != SLUICE_SPACE_OWN || !s->translates;
    d->max_ctx_no = config->max_ctx_no < MAX_CTX_NO ? config->max_ctx_no : MAX_CTX_NO;
    d->budget_contexts = config->budget_contexts;
    d->pages = (struct pt_pages){.port = port, .limit = config->budget_tables};
    d->default_pages = (struct pt_pages){.port = port, .limit = SLUICE_NO_LIMIT};
    d->budget_tables = config->budget_tables;
    d->ctx = port->alloc(port->host, contexts_size(d));
    if (!d->ctx) {
        port->free(port->host, d, sizeof(*d));
        return NULL;
    }
    for (unsigned no = 0; no < domain_nr_slots(d); no++) {
        d->ctx[no].s = s;
        d->ctx[no].no = (uint16_t)no;
    }
    return d;
}

/* One that nobody has seen. */
static void end_default(struct domain *d)
{
    window_close(d);
    while (d->ctx[0].state != CONTEXT_FREE)
        (void)context_end(&d->ctx[0]);
}

int sluice_domain_create(struct sluice *ss, const struct sluice_domain_config *config,
                         struct sluice_domain **out)
{
    struct instance *s = instance_of(ss);
    struct domain *d = allocate(s, config);
    int err;

    if (!d)
        return -ENOMEM;
    err = memory_init(&d->memory, &s->frames, config->budget_refs);
    if (err) {
        release(d);
        return -ENOMEM;
    }
    err = init_default(d);
    if (!err && d->space != SLUICE_SPACE_OWN)
        err = window_open(d);
    if (!err)
        err = enlist(s, d);
    if (err) {
        end_default(d);
        memory_fini(&d->memory);
        release(d);
        return err;
    }
    *out = (struct sluice_domain *)(void *)d;
    return 0;
}

struct domain *domain_pin(struct instance *s, uint16_t domid)
{
    struct instance_locked l = instance_lock(s);
    struct domain *d = s->domains;

    while (d && d->domid != domid)
        d = d->next;
    if (d && d->dying)
        d = NULL;
    if (d)
        d->pins++;
    instance_unlock(l);
    return d;
}

void domain_unpin(struct domain *d)
{
    d->pins--;
}

/* Nobody pins it from now on. Has everybody let go? */
static bool mark_dying(struct domain *d)
{
    struct instance_locked l = instance_lock(d->s);
    bool alone;

    d->dying = true;
    alone = !d->pins;
    instance_unlock(l);
    return alone;
}

/* Every device leaves before anything that it could reach is released. */
static void quarantine_all(struct domain *d)
{
    struct group *g;

    while ((g = group_of_domain(d)))
        (void)attach_quarantine(g); /* a failed unit blocks: the device is out all the same */
}

/* Its contexts are the domain's, and go with the others. */
static int end_viommu(struct domain *d)
{
    struct viommu *v = d->viommu;

    return v && v->end(v) ? -ERESTART : 0;
}

/* What its calls were making, or taking down, for other domains is nobody's now. */
static int end_half_built(struct domain *d, struct domain *other)
{
    struct domain_locked l = domain_lock(other);
    int err = 0;

    for (unsigned no = 0; no <= other->max_ctx_no && !err; no++)
        if (other->ctx[no].state == CONTEXT_DYING ||
            (other->ctx[no].state == CONTEXT_BUILDING && other->ctx[no].builder == d->serial))
            err = context_end(&other->ctx[no]);
    domain_unlock(l);
    return err;
}

/* A nested context before the second stage that it is on, which is the last. */
static int end_contexts(struct domain *d)
{
    for (unsigned no = 0; no < domain_nr_slots(d); no++) {
        struct context *c = &d->ctx[no];
        int err;

        if (c->state == CONTEXT_FREE)
            continue;
        context_lock(c);
        c->state = CONTEXT_DYING;
        context_unlock(c);
        err = context_end(c);
        if (err)
            return err;
    }
    return 0;
}

/*
 * What it has of others, and then what others have of it: in that order, as the second waits for
 * those others' ends, and of its own frames it may be a user itself.
 */
static int end_space(struct domain *d)
{
    int err = space_end(d);

    if (!err)
        err = foreign_end_user(d);
    if (!err)
        err = leave_all(d);
    if (err)
        return err;
    ioreq_end(d);
    return 0;
}

/* Where its devices were, nothing points at it any more; if they still are, it is lost. */
static void free_scratch(struct domain *d)
{
    const struct sluice_port *port = d->s->port;

    if (d->scratch.n && !context_is_reachable(&d->ctx[0]))
        port->free_page(port->host, d->scratch);
    d->scratch = mfn_of(0);
}

int sluice_domain_destroy(struct sluice_domain *sd)
{
    struct domain *d = domain_of(sd);
    const struct sluice_port *port = d->s->port;
    int err;

    if (!mark_dying(d))
        return -ERESTART;
    quarantine_all(d);
    window_close(d); /* nobody is there any more who could use it */
    err = end_viommu(d);
    if (!err)
        err = end_space(d);
    if (err)
        return err;
    for (struct domain *other = d->s->domains; other; other = other->next) {
        err = other == d ? 0 : end_half_built(d, other);
        if (err)
            return err;
    }
    err = end_contexts(d);
    if (err)
        return err;
    free_scratch(d);
    while (memory_reap(&d->memory, d->lost))
        if (port->preempt(port->host))
            return -ERESTART;
    delist(d);
    memory_fini(&d->memory);
    release(d);
    return 0;
}
