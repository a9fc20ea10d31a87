/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live, kept and reserved ranges in the order of their frames, and the gaps before them; behind all
 * of them is the end of the space. Blocks of ranges (iova_block.h) are in a balanced (AVL) tree. On
 * either side of each, the widest gap and the largest aligned block are known, so the way to one
 * that is good enough does not go wrong: however many ranges there are, the steps of a call grow
 * with the logarithm of their number.
 *
 * The lock is held.
 */
#ifndef GUEST_IOVA_TREE_H
#define GUEST_IOVA_TREE_H

#include "iova_block.h"

/* The tree has nothing but the end of the space. */
void iova_tree_init(struct iova_space *s);

/* The highest place for it. False: there is none. */
bool iova_tree_place(const struct iova_space *s, const struct iova_want *want, uint64_t *first);

/* Its frames are in one gap. It has been taken out of the free ranges, so there is memory. */
void iova_tree_insert(struct iova_space *s, uint64_t first, uint64_t last);
/* The range that begins there. */
void iova_tree_remove(struct iova_space *s, uint64_t first);

/* The first range that ends at this frame or later, which may be the end of the space. */
struct iova_slot iova_tree_from(const struct iova_space *s, uint64_t frame);

/* Any frame. The block with it is about to be changed: memory is told while there is other work to
 * do. */
void iova_tree_approach(const struct iova_space *s, uint64_t frame);

/* Visits of blocks, which the test counts. */
#ifndef IOVA_VISIT
#define IOVA_VISIT() ((void)0)
#endif

#endif
