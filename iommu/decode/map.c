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
    int err = decode_target(call, in->ctx_no);

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
    call->d->map_calls++;
    return 0;
}

long perform_map_pages(struct call *call)
{
    return pages_told(call, core_map(call->d, &call->req.pages.range, &call->req.pages.done,
                                     &call->req.pages.trim));
}
