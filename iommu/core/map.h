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
int core_unmap(struct domain *d, const struct page_range *r, uint32_t *done);

/* The gfn at dfn: 0, -EINVAL (context gone), -ENOENT, -ERESTART. */
int core_lookup(struct domain *d, uint16_t ctx_no, uint32_t generation, dfn_t dfn, gfn_t *gfn);

#endif
