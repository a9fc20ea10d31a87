/* SPDX-License-Identifier: BSD-2-Clause */
/* map_pages. */
#include "pages.h"

#define MAP_FLAGS (IOMMU_MAP_readable | IOMMU_MAP_writeable | IOMMU_MAP_cache)

int decode_map_flags(const struct domain *d, uint32_t flags, unsigned *attr)
{
    if (flags & ~(uint32_t)MAP_FLAGS)
        return -EINVAL;
    if (!(flags & (IOMMU_MAP_readable | IOMMU_MAP_writeable)))
        return -EINVAL;
    if ((flags & IOMMU_MAP_cache) && !(capabilities_of(d) & IOMMUCAP_cache))
        return -EOPNOTSUPP;
    *attr = (flags & IOMMU_MAP_readable ? PT_READ : 0) |
            (flags & IOMMU_MAP_writeable ? PT_WRITE : 0) | (flags & IOMMU_MAP_cache ? PT_SNOOP : 0);
    return 0;
}

static int decode_gfn(uint64_t gfn, struct page_range *r)
{
    if (gfn & (BIT64(r->page_lg2 - FRAME_LG2) - 1))
        return -EINVAL;
    if (gfn + range_frames(r) - 1 < gfn)
        return -EINVAL;
    r->gfn = gfn_of(gfn);
    return 0;
}

int decode_map_pages(struct call *call, const void *raw)
{
    const struct pv_iommu_map_pages *in = raw;
    struct page_range *r = &call->req.pages.range;
    int err = context_resolve(call->d, in->ctx_no, CONTEXT_CHANGE, &r->generation);

    if (!err)
        err = decode_map_flags(call->d, in->map_flags, &r->attr);
    if (!err)
        err = decode_pages(call->d, in->dfn, in->pgsize, in->nr_pages, r);
    if (!err)
        err = decode_gfn(in->gfn, r);
    if (!err)
        err = decode_width(call->d, r);
    if (err)
        return err;
    r->ctx_no = in->ctx_no;
    call->req.pages.done = 0;
    call->req.pages.trim = (struct trim){0};
    call->d->map_calls++;
    return 0;
}

long perform_map_pages(struct call *call)
{
    uint32_t *done = &call->req.pages.done;
    int err = core_map(call->d, &call->req.pages.range, done, &call->req.pages.trim);

    if (err == -ERESTART)
        return err;
    if (call_put(call, offsetof(struct pv_iommu_map_pages, mapped), done, sizeof(*done)))
        return -EFAULT;
    return err;
}
