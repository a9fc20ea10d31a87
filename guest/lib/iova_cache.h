/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is kept. A magazine is changed by its own processor alone, without the lock. Others only
 * reclaim: they turn the word of a range that an entry names, and the entry means nothing any more.
 */
#ifndef GUEST_IOVA_CACHE_H
#define GUEST_IOVA_CACHE_H

#include "iova_tree.h"

static inline unsigned iova_zone(const struct iova_space *s, uint64_t last)
{
    return last > s->config.last_low ? IOVA_HIGH : IOVA_LOW;
}

static inline uint64_t iova_entry(uint32_t i, uint32_t word)
{
    return (uint64_t)i << 32 | word;
}

static inline struct iova_range *iova_entry_range(const struct iova_space *s, uint64_t entry)
{
    return &s->config.ranges[entry >> 32];
}

static inline uint32_t iova_entry_word(uint64_t entry)
{
    return (uint32_t)entry;
}

/* An entry only ever moves down, so who reads from the top down misses none: iova_reclaim. */
static inline void iova_set_entry(struct iova_magazine *m, uint32_t at, uint64_t entry)
{
    __atomic_store_n(&m->entry[at], entry, __ATOMIC_RELEASE);
}

/* Others read it for the statistics. */
static inline uint32_t iova_magazine_nr(const struct iova_magazine *m)
{
    return __atomic_load_n(&m->nr, __ATOMIC_RELAXED);
}

static inline void iova_set_nr(struct iova_magazine *m, uint32_t nr)
{
    __atomic_store_n(&m->nr, nr, __ATOMIC_RELAXED);
}

/* The lock is held in all that follows. */

/* A range that nobody holds or keeps, its word says, is part of a gap again. */
void iova_return(struct iova_space *s, uint32_t i);

/* Half a magazine for an empty one, as far as the depot has it. */
void iova_refill(struct iova_space *s, struct iova_magazine *m, struct iova_depot *depot);

/* The older half of a full magazine goes to the depot, or back to the tree if that is full. */
void iova_spill(struct iova_space *s, struct iova_magazine *m, struct iova_depot *depot);

/* All that is kept when it is called comes back. False: there was nothing. */
bool iova_reclaim(struct iova_space *s);

/* Ranges that are kept, as far as can be told while processors run. */
uint64_t iova_kept(const struct iova_space *s);

#endif
