/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap_pages. */
#include "pages.h"

int decode_unmap_pages(struct call *call, const void *raw)
{
    const struct pv_iommu_unmap_pages *in = raw;
    struct page_range *r = &call->req.pages.range;
    int err = decode_target(call, in->ctx_no);

    if (!err)
        err = decode_pages(call->d, in->dfn, in->pgsize, in->nr_pages, r);
    if (!err && r->dfn.n > decode_last(call->d))
        err = -ENOENT;
    if (err)
        return err;
    call->d->unmap_calls++;
    return 0;
}

long perform_unmap_pages(struct call *call)
{
    return pages_told(call, core_unmap(call->d, &call->req.pages.range, &call->req.pages.done));
}
