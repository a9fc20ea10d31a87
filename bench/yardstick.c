/* SPDX-License-Identifier: BSD-2-Clause */
/* What others are measured against. */
#include "yardstick.h"

#define NOINLINE __attribute__((noinline))
#define ADDR     UINT64_C(0x000ffffffffff000)

/* Eight to a turn, so that it is the stores that limit it and not the loop around them. */
NOINLINE void yard_store(uint64_t *slot, size_t n, uint64_t first, uint64_t step)
{
    for (; n >= 8; n -= 8, slot += 8, first += 8 * step) {
        __atomic_store_n(slot + 0, first, __ATOMIC_RELAXED);
        __atomic_store_n(slot + 1, first + step, __ATOMIC_RELAXED);
        __atomic_store_n(slot + 2, first + 2 * step, __ATOMIC_RELAXED);
        __atomic_store_n(slot + 3, first + 3 * step, __ATOMIC_RELAXED);
        __atomic_store_n(slot + 4, first + 4 * step, __ATOMIC_RELAXED);
        __atomic_store_n(slot + 5, first + 5 * step, __ATOMIC_RELAXED);
        __atomic_store_n(slot + 6, first + 6 * step, __ATOMIC_RELAXED);
        __atomic_store_n(slot + 7, first + 7 * step, __ATOMIC_RELAXED);
    }
    for (; n; n--, slot++, first += step)
        __atomic_store_n(slot, first, __ATOMIC_RELAXED);
}

NOINLINE void yard_store_list(uint64_t *slot, size_t n, const uint64_t *frames, uint64_t low)
{
    for (size_t i = 0; i < n; i++)
        __atomic_store_n(slot + i, frames[i] << 12 | low, __ATOMIC_RELAXED);
}

NOINLINE uint64_t yard_load(const uint64_t *slot, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += __atomic_load_n(slot + i, __ATOMIC_RELAXED);
    return sum;
}

static inline uint64_t *walk(const struct yard_table *t, uint64_t dfn)
{
    uint64_t *table = t->root;

    if (dfn >= t->end)
        return NULL;
    for (unsigned shift = 27; shift; shift -= 9) {
        uint64_t e = __atomic_load_n(table + (dfn >> shift & 511), __ATOMIC_ACQUIRE);

        if ((e & t->table_mask) != t->table_bits)
            return NULL;
        table = (uint64_t *)(void *)(t->map + (e & ADDR));
    }
    return table + (dfn & 511);
}

NOINLINE int yard_map(const struct yard_table *t, uint64_t dfn, uint64_t e)
{
    uint64_t *slot = walk(t, dfn);

    if (!slot || __atomic_load_n(slot, __ATOMIC_RELAXED))
        return -1;
    __atomic_store_n(slot, e, __ATOMIC_RELAXED);
    return 0;
}

NOINLINE int yard_unmap(const struct yard_table *t, uint64_t dfn)
{
    uint64_t *slot = walk(t, dfn);

    if (!slot || !__atomic_load_n(slot, __ATOMIC_RELAXED))
        return -1;
    __atomic_store_n(slot, 0, __ATOMIC_RELAXED);
    return 0;
}

NOINLINE int yard_lookup(const struct yard_table *t, uint64_t dfn, uint64_t *e)
{
    uint64_t *slot = walk(t, dfn);

    if (!slot)
        return -1;
    *e = __atomic_load_n(slot, __ATOMIC_RELAXED);
    return *e ? 0 : -1;
}

static void lock(struct yard_lifo *l)
{
    while (__atomic_exchange_n(&l->lock, 1, __ATOMIC_ACQUIRE))
        continue;
}

static void unlock(struct yard_lifo *l)
{
    __atomic_store_n(&l->lock, 0, __ATOMIC_RELEASE);
}

NOINLINE int yard_put(struct yard_lifo *l, uint64_t number)
{
    const uint32_t most = sizeof(l->number) / sizeof(l->number[0]);
    int err = -1;

    lock(l);
    if (l->nr < most) {
        l->number[l->nr++] = number;
        err = 0;
    }
    unlock(l);
    return err;
}

NOINLINE int yard_take(struct yard_lifo *l, uint64_t *number)
{
    int err = -1;

    lock(l);
    if (l->nr) {
        *number = l->number[--l->nr];
        err = 0;
    }
    unlock(l);
    return err;
}
