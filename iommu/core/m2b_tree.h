/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The runs of the reverse map: one balanced (AVL) tree.
 *
 * The home of a run is the smallest block of 2^i frames, aligned to its size, with all of the run
 * in it. The run then names the frames on both sides of the block's middle, so of the runs of one
 * home, those name a frame left of the middle that begin soon enough, and those a frame right of it
 * that end late enough. That is what makes queries fast although runs overlap: a frame is in one
 * block of each size, and the smallest first and largest last frame of a subtree tell whether
 * any of its runs, which all have the same home, names the frame.
 *
 * The order of the tree is (home, user, bfn - mfn, which). The third is the same for all of a run,
 * and two runs that have all four alike would have a tuple in common.
 */
#ifndef SLUICE_CORE_M2B_TREE_H
#define SLUICE_CORE_M2B_TREE_H

#include "m2b_node.h"

/* Several servers may have the same 1:1 answer; entries in a table there is one of. */
static inline int32_t m2b_which(uint8_t flags, uint16_t server)
{
    return flags & M2B_1TO1 ? server + 1 : 0;
}

void m2b_tree_insert(struct m2b *m, struct m2b_node *n);
void m2b_tree_remove(struct m2b *m, struct m2b_node *n);

/* The run with this tuple, or NULL: also for frames that do not exist. */
struct m2b_node *m2b_tree_find(const struct m2b *m, uint64_t mfn, const struct domain *user,
                               uint64_t bfn, int32_t which);

/*
 * Of the runs that name mfn, which exists, the first after (user, bfn at mfn, which) in that order;
 * or NULL. Nothing is before -1.
 */
struct m2b_node *m2b_tree_after(const struct m2b *m, uint64_t mfn, const struct domain *user,
                                uint64_t bfn, int32_t which);

/* The first frame from mfn on that a run names, or M2B_FRAMES. */
uint64_t m2b_tree_first(const struct m2b *m, uint64_t mfn);

static inline uint64_t m2b_last(const struct m2b_node *n)
{
    return n->mfn + n->nr - 1;
}

/* Visits of nodes, which the test counts. */
#ifndef M2B_VISIT
#define M2B_VISIT() ((void)0)
#endif

#endif
