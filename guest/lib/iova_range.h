/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ranges: which are free, what state they are in, and finding one by its first frame.
 *
 * The state changes without the lock where a processor keeps a range or takes it again. It is one
 * word with a count of its changes, so whoever changes it from the word that they saw changes
 * nothing that anybody changed in between: of two who free a range, or of one who takes it while
 * another reclaims it, one comes first and the other notices. Ranges are never given back to the
 * caller, so a look at one that has become something else is harmless.
 */
#ifndef GUEST_IOVA_RANGE_H
#define GUEST_IOVA_RANGE_H

#include "iova.h"

#define IOVA_NONE UINT32_MAX

enum iova_state {
    IOVA_FREE,     /* or reserved, which nobody finds */
    IOVA_LIVE,     /* only its holder frees it */
    IOVA_KEPT_CPU, /* in a magazine, whose entry has this word */
    IOVA_KEPT_ALL, /* in the depot: changes under the lock */
};

#define IOVA_STATE 3u
#define IOVA_COUNT 4u /* is added at each change */

static inline uint32_t iova_word(const struct iova_range *r)
{
    return __atomic_load_n(&r->word, __ATOMIC_ACQUIRE);
}

static inline uint32_t iova_next_word(uint32_t word, enum iova_state state)
{
    return ((word & ~IOVA_STATE) + IOVA_COUNT) | (uint32_t)state;
}

/* False: the word is not `from` any more. */
static inline bool iova_turn(struct iova_range *r, uint32_t from, enum iova_state state)
{
    return __atomic_compare_exchange_n(&r->word, &from, iova_next_word(from, state), false,
                                       __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static inline uint64_t iova_first(const struct iova_range *r)
{
    return __atomic_load_n(&r->first, __ATOMIC_RELAXED);
}

static inline uint64_t iova_last(const struct iova_range *r)
{
    return __atomic_load_n(&r->last, __ATOMIC_RELAXED);
}

static inline uint64_t iova_size(const struct iova_range *r)
{
    return iova_last(r) - iova_first(r) + 1;
}

static inline uint32_t *iova_bucket(const struct iova_space *s, uint64_t first)
{
    return &s->config.buckets[(first * 0x9e3779b97f4a7c15u >> 1) >> s->bucket_shift];
}

static inline uint32_t iova_range_head(const struct iova_space *s, uint64_t first)
{
    return __atomic_load_n(iova_bucket(s, first), __ATOMIC_ACQUIRE);
}

/*
 * Without the lock. A chain that changes on the way may lead elsewhere, so the way is bounded, and
 * IOVA_NONE means only that it was not found.
 */
static inline uint32_t iova_range_look(const struct iova_space *s, uint64_t first)
{
    uint32_t i = iova_range_head(s, first);

    for (unsigned steps = 0; i != IOVA_NONE && steps < 16; steps++) {
        if (iova_first(&s->config.ranges[i]) == first)
            return i;
        i = __atomic_load_n(&s->config.ranges[i].next, __ATOMIC_ACQUIRE);
    }
    return IOVA_NONE;
}

/* The lock is held in all that follows. */

/* Takes a free one out; IOVA_NONE. It is in no bucket. */
uint32_t iova_range_take(struct iova_space *s, uint64_t first, uint64_t last);
/* Its state is IOVA_FREE, and it is in no bucket. */
void iova_range_drop(struct iova_space *s, uint32_t i);

/* Can be found by its first frame from now on, and is live. */
void iova_range_enter(struct iova_space *s, uint32_t i);
void iova_range_leave(struct iova_space *s, uint32_t i);
/* The one that begins there; IOVA_NONE. */
uint32_t iova_range_find(const struct iova_space *s, uint64_t first);

#endif
