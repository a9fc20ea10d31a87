/* SPDX-License-Identifier: BSD-2-Clause */
/* What map_pages, map_list and unmap_pages have in common. */
#include "pages.h"

int decode_target(struct call *call, uint16_t ctx_no)
{
    struct page_range *r = &call->req.pages.range;

    r->ctx_no = ctx_no;
    call->req.pages.done = 0;
    call->req.pages.trim = (struct trim){0};
    return context_resolve(call->d, ctx_no, CONTEXT_CHANGE, &r->generation);
}

int decode_pages(const struct domain *d, uint64_t dfn, uint32_t pgsize, uint32_t nr_pages,
                 struct page_range *out)
{
    if (!pgsize || (pgsize & (pgsize - 1)) || !(pgsize & page_sizes_of(d)))
        return -EINVAL;
    if (!nr_pages)
        return -EINVAL;
    if (dfn & ((pgsize >> FRAME_LG2) - 1))
        return -EINVAL;
    out->dfn = dfn_of(dfn);
    out->nr_pages = nr_pages;
    out->page_lg2 = (uint8_t)__builtin_ctz(pgsize);
    return dfn + range_frames(out) - 1 < dfn ? -EINVAL : 0;
}

int decode_width(const struct domain *d, const struct page_range *r)
{
    const uint64_t last = r->dfn.n + range_frames(r) - 1;

    return last > decode_last(d) ? -ERANGE : 0;
}

long pages_told(const struct call *call, int err)
{
    const uint32_t *done = &call->req.pages.done;

    if (err == -ERESTART)
        return err;
    return call_put(call, call->op->count_at, done, sizeof(*done)) ? -EFAULT : err;
}
