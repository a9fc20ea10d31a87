/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup_page. */
#include "pages.h"

int decode_lookup_page(struct call *call, const void *raw)
{
    const struct pv_iommu_lookup_page *in = raw;
    int err = context_resolve(call->d, in->ctx_no, CONTEXT_LOOKUP, &call->req.lookup.generation);

    if (err)
        return err;
    if (in->dfn > decode_last(call->d))
        return -ENOENT;
    call->req.lookup.ctx_no = in->ctx_no;
    call->req.lookup.dfn = dfn_of(in->dfn);
    return 0;
}

long perform_lookup_page(struct call *call)
{
    gfn_t gfn;
    int err = core_lookup(call->d, call->req.lookup.ctx_no, call->req.lookup.generation,
                          call->req.lookup.dfn, &gfn);

    if (err)
        return err;
    return call_put(call, offsetof(struct pv_iommu_lookup_page, gfn), &gfn.n, sizeof(gfn.n));
}
