/* SPDX-License-Identifier: BSD-2-Clause */
/* What map_pages and unmap_pages check alike. */
#include "pages.h"

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
