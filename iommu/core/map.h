/* SPDX-License-Identifier: BSD-2-Clause */
/* map, unmap and lookup of a checked request. */
#ifndef SLUICE_CORE_MAP_H
#define SLUICE_CORE_MAP_H

#include "domain.h"

/*
 * What decode has checked: pages of a supported size, aligned, not wrapping, beginning within the
 * width; for a map all of them within it.
 */
struct page_range {
    uint16_t ctx_no;
    uint32_t generation;
    gfn_t gfn; /* map only */
    dfn_t dfn;
    uint32_t nr_pages;
    uint8_t page_lg2;
    unsigned attr; /* map only: PT_* */
};

/*
 * From page *done on; *done moves on with every page that is done, and is exact at every return.
 * -ERESTART: preempted, or somebody works on the range: call again. The other errors as in the ABI.
 */
struct trim;
int core_map(struct domain *d, const struct page_range *r, uint32_t *done, struct trim *trim);

/* The gfns of pages that lie anywhere, some at a time: gfn[at] is that of the next page. */
#define GFN_LIST 64u
struct gfn_list {
    uint32_t at, nr;
    uint64_t gfn[GFN_LIST];
};

/* Where they come from. `more` refills an empty list, from `page` on, with 1..max. 0, -EFAULT. */
struct gfn_source {
    struct gfn_list *list;
    int (*more)(const struct gfn_source *from, uint32_t page, uint32_t max);
    const void *arg;
};

/* The same for a list; range.gfn is not used. What the source gave is kept between two calls. */
int core_map_list(struct domain *d, const struct page_range *r, const struct gfn_source *from,
                  uint32_t *done, struct trim *trim);

int core_unmap(struct domain *d, const struct page_range *r, uint32_t *done);

/* The gfn at dfn: 0, -EINVAL (context gone), -ENOENT, -ERESTART. */
int core_lookup(struct domain *d, uint16_t ctx_no, uint32_t generation, dfn_t dfn, gfn_t *gfn);

#endif
