/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that became empty. Their pages are freed after a flush that covers table pointers. */
#include "trim.h"

#include "flush.h"

/* Takes tables without entries away: some of them, from *cursor on, flushed and freed. */
static int prune_some(struct context *c, dfn_t *cursor, dfn_t last, unsigned *nr)
{
    struct flush f = {.c = c, .first = *cursor, .last = last, .tables = true};

    f.nr_tables = *nr = pt_prune(&c->pt, cursor, last, f.table, FLUSH_TABLES);
    return *nr ? flush_commit(&f) : 0;
}

int trim_range(struct context *c, dfn_t first, dfn_t last)
{
    dfn_t cursor = first;
    unsigned nr;
    int err = 0;

    while (cursor.n <= last.n && !err)
        err = prune_some(c, &cursor, last, &nr);
    return err;
}

/* Passes over the context until one finds nothing: a table is empty only once those below it went.
 */
static int search(struct context *c, dfn_t last, struct trim *t)
{
    const struct sluice_port *port = c->s->port;
    bool found = true;
    unsigned nr;
    int err;

    while (found) {
        found = false;
        while (t->cursor.n <= last.n) {
            err = prune_some(c, &t->cursor, last, &nr);
            if (err)
                return err;
            found |= nr;
            t->freed |= nr;
            if (port->preempt(port->host))
                return -ERESTART;
        }
        t->cursor = dfn_of(0);
    }
    return 0;
}

int trim_context(struct domain *d, const struct page_range *r, struct trim *t)
{
    struct span all = {.first = dfn_of(0)};
    struct context *c;
    uint64_t allowed;
    int err;

    if (t->done)
        return -ENOMEM;
    all.last = dfn_of(BIT64(d->s->geo.iova_bits - FRAME_LG2) - 1);
    t->active = true;
    err = context_enter(d, r->ctx_no, r->generation, &all, &c, &allowed);
    if (err)
        return err;
    err = search(c, all.last, t);
    context_leave(c, &all);
    if (err)
        return err;
    t->active = false;
    t->done = true;
    return t->freed ? -ERESTART : -ENOMEM;
}
