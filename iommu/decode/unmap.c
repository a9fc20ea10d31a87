/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap_pages. */
#include "pages.h"

int decode_unmap_pages(struct call *call, const void *raw)
{
    const struct pv_iommu_unmap_pages *in = raw;
    struct page_range *r = &call->req.pages.range;
    int err = context_resolve(call->d, in->ctx_no, CONTEXT_CHANGE, &r->generation);

    if (!err)
        err = decode_pages(call->d, in->dfn, in->pgsize, in->nr_pages, r);
    if (!err && r->dfn.n > decode_last(call->d))
        err = -ENOENT;
    if (err)
        return err;
    r->ctx_no = in->ctx_no;
    call->req.pages.done = 0;
    call->d->unmap_calls++;
    return 0;
}

long perform_unmap_pages(struct call *call)
{
    uint32_t *done = &call->req.pages.done;
    int err = core_unmap(call->d, &call->req.pages.range, done);

    if (err == -ERESTART)
        return err;
    if (call_put(call, offsetof(struct pv_iommu_unmap_pages, unmapped), done, sizeof(*done)))
        return -EFAULT;
    return err;
}
