/* SPDX-License-Identifier: BSD-2-Clause */
/* What map.c and map_list.c have of each other. */
#ifndef SLUICE_CORE_MAP_LIST_H
#define SLUICE_CORE_MAP_LIST_H

#include "map.h"

/* Pages of the list, from page `done` on: as many as it has, or one larger page. */
int map_list_step(struct context *c, const struct page_range *r, const struct gfn_source *from,
                  uint32_t done, uint32_t *pages);

/*
 * Frames that are not neighbours, at consecutive dfns: as many as the budget and the table allow.
 * The references come first and go again where no entry was made. -EINVAL: something is there.
 */
int map_scattered(struct memory_locked l, struct context *c, dfn_t dfn, const mfn_t *mfn,
                  uint64_t nr, unsigned attr, uint64_t *done);

/* One page larger than 4K: wholly, or not at all. */
int map_larger_page(struct context *c, const struct page_range *r, gfn_t gfn, dfn_t dfn);

/* Do the frame's rights allow what the mapping asks for? -EPERM. */
int map_check_rights(unsigned attr, unsigned rights);

#endif
