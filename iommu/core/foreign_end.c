/* SPDX-License-Identifier: BSD-2-Clause */
/* What is left in the reverse map when a domain ends. */
#include "foreign_internal.h"

/* The answers that the user has for one frame. In ascending order, no run is cut in two. */
static void end_answers(struct m2b_locked l, struct domain *user, mfn_t mfn)
{
    struct m2b_tuple t, *after = NULL;

    while (m2b_next(l, mfn, after, &t)) {
        after = &t;
        if (t.user != user || !(t.flags & M2B_1TO1))
            continue;
        foreign_remove(l, &t);
        if (!context_is_reachable(&user->ctx[0]))
            foreign_put(l, user->s, mfn, 1);
    }
}

/* The next frame from *cursor on that any tuple names. */
static bool next_named(struct m2b_locked l, const struct instance *s, mfn_t *cursor, mfn_t *mfn)
{
    if (cursor->n >= s->frames.nr || !m2b_first(l, *cursor, s->frames.nr - cursor->n, mfn))
        return false;
    *cursor = mfn_add(*mfn, 1);
    return true;
}

int foreign_end_user(struct domain *d)
{
    struct instance *s = d->s;
    struct m2b_locked l;
    bool more = true;
    mfn_t mfn;

    while (more) {
        l = m2b_lock(&s->m2b);
        more = d->nr_1to1 && next_named(l, s, &d->tuple_cursor, &mfn);
        if (more)
            end_answers(l, d, mfn);
        m2b_unlock(l);
        if (more && s->port->preempt(s->port->host))
            return -ERESTART;
    }
    return 0;
}
