/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Blocks: some neighbouring ranges each, with the gaps before them. Together they are all of the
 * space, and behind it: each begins where the one before it ends, which is with a range.
 */
#ifndef GUEST_IOVA_BLOCK_H
#define GUEST_IOVA_BLOCK_H

#include "iova_range.h"

struct iova_want {
    uint64_t nr;    /* 1..IOVA_FRAMES */
    uint64_t limit; /* in the space */
    bool aligned;   /* nr is a power of two, and the range aligned to it */
};

static inline struct iova_block *iova_block(const struct iova_space *s, uint32_t i)
{
    return &s->config.blocks[i];
}

static inline struct iova_slot *iova_slots(const struct iova_space *s, uint32_t i)
{
    return s->config.slots[i].slot;
}

/* An empty one that begins there; there always is one. */
uint32_t iova_block_take(struct iova_space *s, uint64_t first);
void iova_block_drop(struct iova_space *s, uint32_t i);

/* The first range that ends at this frame or later: its number in the block. */
unsigned iova_block_find(const struct iova_space *s, uint32_t i, uint64_t frame);

/* There is room for one more. */
void iova_block_insert(struct iova_space *s, uint32_t i, uint64_t first, uint64_t last);
void iova_block_remove(struct iova_space *s, uint32_t i, unsigned at);
/* Its ranges from `from` on become the last of the other, which is right before them. */
void iova_block_move(struct iova_space *s, uint32_t i, unsigned from, uint32_t to);
/* It begins there now. */
void iova_block_extend(struct iova_space *s, uint32_t i, uint64_t first);

/* The highest place in its gaps below the limit. False: there is none. */
bool iova_block_place(const struct iova_space *s, uint32_t i, const struct iova_want *want,
                      uint64_t *first);

#endif
