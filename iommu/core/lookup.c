/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup: a device frame back to the guest frame. */
#include "map.h"

int core_lookup(struct domain *d, uint16_t ctx_no, uint32_t generation, dfn_t dfn, gfn_t *gfn)
{
    struct span span = {.first = dfn, .last = dfn};
    struct pt_leaf leaf;
    struct context *c;
    uint64_t allowed;
    int err = context_enter(d, ctx_no, generation, &span, &c, &allowed);

    if (err)
        return err;
    err = allowed ? pt_lookup(&c->pt, dfn, 1, &leaf) : -ENOENT;
    if (!err && leaf.retired)
        err = -ENOENT;
    /* A mapping keeps the frame and its record; an identity map does not, and needs none. */
    if (!err)
        *gfn = gfn_of(c->identity ? dfn.n : d->s->frames.gfn[leaf.mfn.n]);
    context_leave(c, &span);
    return err;
}
