/* SPDX-License-Identifier: BSD-2-Clause */
/* What map_pages, map_list and unmap_pages have in common. */
#ifndef SLUICE_DECODE_PAGES_H
#define SLUICE_DECODE_PAGES_H

#include "call.h"

/* The range is in this context, one that calls may change, and nothing of it is done. -EINVAL. */
int decode_target(struct call *call, uint16_t ctx_no);

/* Pages of a size that the domain may use, at an aligned dfn, at least one, not wrapping. -EINVAL.
 */
int decode_pages(const struct domain *d, uint64_t dfn, uint32_t pgsize, uint32_t nr_pages,
                 struct page_range *out);

/* IOMMU_MAP_* as PT_*. -EINVAL, -EOPNOTSUPP. */
int decode_map_flags(const struct domain *d, uint32_t flags, unsigned *attr);

/* The last device frame within the width of the domain's contexts. */
static inline uint64_t decode_last(const struct domain *d)
{
    return ~(uint64_t)0 >> (64 - (d->s->geo.iova_bits - FRAME_LG2));
}

/* All within the width of the domain's contexts. -ERANGE. */
int decode_width(const struct domain *d, const struct page_range *r);

/* Frames of the range. */
static inline uint64_t range_frames(const struct page_range *r)
{
    return (uint64_t)r->nr_pages << (r->page_lg2 - FRAME_LG2);
}

/* What came of it, its count told unless there is more to do: -EFAULT if it cannot be. */
long pages_told(const struct call *call, int err);

#endif
