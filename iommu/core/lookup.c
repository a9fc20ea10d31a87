/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup: a device frame back to the guest frame. */
#include "map.h"

/*
 * A mapping keeps the frame and its record; an identity map does not, and needs none. What is
 * another's, in a bus-frame space, has no gfn.
 */
static int gfn_at(const struct context *c, const struct pt_leaf *leaf, gfn_t *gfn)
{
    const struct frames *f = &c->s->frames;

    if (c->identity && !(leaf->attr & PT_MARK)) {
        *gfn = gfn_of(leaf->dfn.n);
        return 0;
    }
    if (leaf->mfn.n >= f->nr) /* a scratch frame may have no record */
        return -ENOENT;
    if (f->owner[leaf->mfn.n].type == SLUICE_FRAME_HOST ||
        f->owner[leaf->mfn.n].domid != c->domain->domid)
        return -ENOENT;
    *gfn = gfn_of(f->gfn[leaf->mfn.n]);
    return 0;
}

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
    if (!err)
        err = gfn_at(c, &leaf, gfn);
    context_leave(c, &span);
    return err;
}
