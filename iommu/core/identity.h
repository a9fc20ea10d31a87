/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Identity contexts: kept equal to the domain's memory map, as far as devices may see it. They hold
 * no references: a frame leaves them, flushed, before its owner lets it go.
 * The hidden second stage is one of them.
 */
#ifndef SLUICE_CORE_IDENTITY_H
#define SLUICE_CORE_IDENTITY_H

#include "domain.h"

/* May memory appear there? -ERANGE (beyond a context's width), -EADDRNOTAVAIL (a reserved region).
 */
int identity_check(struct domain_locked l, gfn_t gfn, uint64_t nr);

/*
 * Into / out of all identity contexts of the domain. The range is not yet / still in the memory
 * map. add: -EEXIST (a reserved region is there), -ERANGE (beyond their width), -ENOMEM: nothing
 * has changed; remove: -ENOMEM likewise. -EIO: a unit failed; the frames may still be reached.
 */
int identity_add(struct domain_locked l, gfn_t gfn, mfn_t mfn, uint64_t nr, unsigned rights);
/* Does all of a removal that can lack memory: -ENOMEM, -EIO. */
int identity_prepare_remove(struct domain_locked l, gfn_t gfn, uint64_t nr);
/* After that. -EIO. */
int identity_remove(struct domain_locked l, gfn_t gfn, uint64_t nr);

/* Undoes an add whose range did not make it into the memory map. -EIO. */
int identity_take_back(struct domain_locked l, gfn_t gfn, uint64_t nr);

/*
 * Fills a context that is being built, from gfn *cursor on, bounded work: 0 with *cursor beyond all
 * memory when it is complete, -ERESTART, -ENOMEM.
 */
int identity_fill(struct domain_locked l, struct context *c, uint64_t *cursor);

/* Splits the leaves that stick out of the range at either end. -ENOMEM. */
int identity_split_ends(struct pgtable *pt, dfn_t first, uint64_t nr, bool *split);

#endif
