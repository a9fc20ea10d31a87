/* SPDX-License-Identifier: BSD-2-Clause */
/* The hidden second stage. */
#include "stage2.h"

#include "identity.h"

/* The host pays for it, as for context 0: it is as large as the memory that the host gives. */
static int begin(struct domain *d, struct context *c)
{
    int err = context_init(c, d->s, d, &d->default_pages);

    if (err)
        return err;
    c->identity = true;
    c->hidden = true;
    d->second_cursor = 0;
    return 0;
}

int stage2_get(struct domain_locked l, struct context **out)
{
    struct context *c = &l.d->ctx[domain_nr_slots(l.d) - 1];
    int err = 0;

    *out = c;
    if (c->state == CONTEXT_LIVE)
        return 0;
    if (c->state == CONTEXT_FREE)
        err = begin(l.d, c);
    if (!err)
        err = identity_fill(l, c, &l.d->second_cursor);
    if (!err)
        context_show(c);
    return err;
}
