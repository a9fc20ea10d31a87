/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines that invalidate. Those of a whole domain may say no more of it than its id in the unit. */
#include "../scenario/alloc.h"
#include "trace.h"

#include <stdlib.h>

static const struct trace_space *find(const struct trace *t, const struct trace_line *l)
{
    for (uint32_t i = t->nr_spaces; i > 0; i--) {
        const struct trace_space *s = &t->spaces[i - 1];

        if (!s->ended &&
            (l->domain == LINE_NO_SPACE ? s->id && s->id == l->id : s->number == l->domain))
            return s;
    }
    return NULL;
}

static void count(struct trace_counts *c, char kind)
{
    c->invalidations++;
    *(kind == 'p' ? &c->pages : kind == 'd' ? &c->domains : &c->all) += 1;
}

bool trace_invalidate(struct trace_reader *r)
{
    struct trace *t = r->t;
    const struct trace_line *l = &r->line;
    const struct trace_space *s = l->kind == 'g' ? NULL : find(t, l);
    const uint32_t i = t->nr_invalidations;

    count(&t->counts, l->kind);
    if (!trace_add_op(r, TRACE_INVALIDATE, s ? (uint32_t)(s - t->spaces) : TRACE_EVERYWHERE, i,
                      false))
        return false;
    t->invalidations = xgrow(t->invalidations, t->nr_invalidations, &t->room_invalidations,
                             sizeof(*t->invalidations));
    t->invalidations[t->nr_invalidations++] = (struct trace_invalidation){
        .iova = l->iova, .size = l->size, .kind = l->kind, .leaf_only = l->leaf_only};
    return true;
}
