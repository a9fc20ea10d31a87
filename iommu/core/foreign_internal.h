/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of foreign.h share. */
#ifndef SLUICE_CORE_FOREIGN_INTERNAL_H
#define SLUICE_CORE_FOREIGN_INTERNAL_H

#include "domain.h"
#include "foreign.h"

#define FOREIGN_HELD(flags) (!((flags)&M2B_NO_REF))

#define FOREIGN_UNDO_NODES 1u /* to take back what came before, if the element fails */

/* What is to become of the entries of an element, each. */
struct foreign_fates {
    uint8_t kind[BIT64(SPACE_MAX_ORDER)]; /* enum space_kind */
};

/* What an element maps. */
struct foreign_shape {
    unsigned nr_runs;
    bool whole; /* one run, aligned */
};

/*
 * Its frames' domain, or one that has taken its number since, or NULL. While the lock is held it
 * stays: a domain leaves the list under it.
 */
struct domain *foreign_owner(struct m2b_locked l, struct instance *s, uint16_t domid);

/* The tuples of explicit entries go; a node is reserved for where they are cut out of a run. */
void foreign_forget_all(struct m2b_locked l, struct space *sp, dfn_t bfn, uint64_t nr,
                        struct foreign_fates *out);

/* Then the entries themselves. */
void foreign_take_all(struct space *sp, dfn_t bfn, uint64_t nr, const struct foreign_fates *fates);

/* Is there room for one more tuple of each frame? */
int foreign_check_tuples(struct m2b_locked l, mfn_t mfn, uint64_t nr);

bool foreign_any_leaving(const struct frames *f, mfn_t mfn, uint64_t nr);

void foreign_add_run(struct foreign_shape *shape, mfn_t mfn, uint64_t run, uint64_t nr);

/*
 * One run of neighbours: references, entries, tuple, for which there is room; where tables ran out,
 * none of the three.
 */
int foreign_map_run(struct m2b_locked l, struct memory_locked ml, struct space *sp, dfn_t bfn,
                    mfn_t mfn, uint64_t nr, const struct foreign_map *map, uint64_t *done);

/* While 1:1 answers live, nothing explicit may come into their way. */
int foreign_check_place(struct space *sp, const struct foreign_map *map);

bool foreign_fits(const struct m2b_tuple *t, uint16_t server);

#endif
