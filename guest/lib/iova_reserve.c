/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames that nobody gets. */
#include "iova_cache.h"

/* Nobody finds it. */
static bool is_reserved(const struct iova_space *s, uint64_t first)
{
    return iova_range_find(s, first) == IOVA_NONE;
}

/* [first, last] is free. What was added in this call is a list. */
static int add(struct iova_space *s, uint64_t first, uint64_t last, uint32_t *added)
{
    const uint32_t i = iova_range_take(s, first, last);

    if (i == IOVA_NONE)
        return -ENOMEM;
    s->config.ranges[i].next_kept = *added;
    *added = i;
    iova_tree_insert(s, first, last);
    return 0;
}

static void undo(struct iova_space *s, uint32_t added)
{
    while (added != IOVA_NONE) {
        const uint32_t next = s->config.ranges[added].next_kept;

        iova_tree_remove(s, s->config.ranges[added].first);
        iova_range_drop(s, added);
        added = next;
    }
}

static int reserve(struct iova_space *s, const struct iova_reserved *want, uint32_t *added)
{
    const uint64_t last = want->last < s->config.last ? want->last : s->config.last;
    uint64_t at = want->first > s->config.first ? want->first : s->config.first;

    while (at <= last) {
        const struct iova_slot next = iova_tree_from(s, at);
        const uint64_t end = next.first <= last ? next.first - 1 : last;

        if (next.first <= at && !is_reserved(s, next.first))
            return -EBUSY;
        if (next.first > at && add(s, at, end, added))
            return -ENOMEM;
        at = next.first > at ? end + 1 : next.last + 1;
    }
    return 0;
}

/* The lock is held. */
static int reserve_all(struct iova_space *s, const struct iova_reserved *list, size_t nr)
{
    uint32_t added = IOVA_NONE;
    int err = 0;

    iova_reclaim(s);
    for (size_t i = 0; i < nr && !err; i++)
        err = reserve(s, &list[i], &added);
    if (err)
        undo(s, added);
    return err;
}

int iova_reserve(struct iova_space *s, const struct iova_reserved *list, size_t nr)
{
    int err;

    for (size_t i = 0; i < nr; i++)
        if (list[i].first > list[i].last)
            return -EINVAL;
    s->config.host->lock(s->config.host->arg);
    err = reserve_all(s, list, nr);
    s->config.host->unlock(s->config.host->arg);
    return err;
}
