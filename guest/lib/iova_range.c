/* SPDX-License-Identifier: BSD-2-Clause */
#include "iova_range.h"

static uint32_t untouched(struct iova_space *s)
{
    if (s->nr_touched == s->config.nr_ranges)
        return IOVA_NONE;
    __atomic_store_n(&s->config.ranges[s->nr_touched].word, IOVA_FREE, __ATOMIC_RELAXED);
    return s->nr_touched++;
}

static uint32_t pop(struct iova_space *s)
{
    const uint32_t i = s->free;

    if (i == IOVA_NONE)
        return untouched(s);
    s->free = s->config.ranges[i].next;
    return i;
}

uint32_t iova_range_take(struct iova_space *s, uint64_t first, uint64_t last)
{
    const uint32_t i = pop(s);

    if (i == IOVA_NONE)
        return i;
    __atomic_store_n(&s->config.ranges[i].first, first, __ATOMIC_RELAXED);
    __atomic_store_n(&s->config.ranges[i].last, last, __ATOMIC_RELAXED);
    return i;
}

void iova_range_drop(struct iova_space *s, uint32_t i)
{
    __atomic_store_n(&s->config.ranges[i].next, s->free, __ATOMIC_RELEASE);
    s->free = i;
}

void iova_range_enter(struct iova_space *s, uint32_t i)
{
    struct iova_range *r = &s->config.ranges[i];
    uint32_t *head = iova_bucket(s, r->first);

    __atomic_store_n(&r->next, *head, __ATOMIC_RELEASE);
    __atomic_store_n(&r->word, iova_next_word(iova_word(r), IOVA_LIVE), __ATOMIC_RELEASE);
    __atomic_store_n(head, i, __ATOMIC_RELEASE);
}

void iova_range_leave(struct iova_space *s, uint32_t i)
{
    uint32_t *at = iova_bucket(s, s->config.ranges[i].first);

    while (*at != i)
        at = &s->config.ranges[*at].next;
    __atomic_store_n(at, s->config.ranges[i].next, __ATOMIC_RELEASE);
}

uint32_t iova_range_find(const struct iova_space *s, uint64_t first)
{
    uint32_t i = *iova_bucket(s, first);

    while (i != IOVA_NONE && s->config.ranges[i].first != first)
        i = s->config.ranges[i].next;
    return i;
}
