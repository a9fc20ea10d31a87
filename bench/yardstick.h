/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What others are measured against, in a translation unit of its own so that nothing is inlined or
 * left out. Those for page tables work on the very table pages that the subject uses.
 */
#ifndef SLUICE_BENCH_YARDSTICK_H
#define SLUICE_BENCH_YARDSTICK_H

#include <stddef.h>
#include <stdint.h>

/* Limit A: as many 8-byte entry stores or loads, and nothing else. */
void yard_store(uint64_t *slot, size_t n, uint64_t first, uint64_t step);
void yard_store_list(uint64_t *slot, size_t n, const uint64_t *frames, uint64_t low);
uint64_t yard_load(const uint64_t *slot, size_t n);

/* Limit B: range check, walk of four levels, present check, one store or load. x86-like entries. */
struct yard_table {
    char *map; /* where machine address 0 is seen */
    uint64_t *root;
    uint64_t end;        /* first dfn that does not exist */
    uint64_t table_mask; /* these bits of an entry ... */
    uint64_t table_bits; /* ... have this value if it points to a table */
};

int yard_map(const struct yard_table *t, uint64_t dfn, uint64_t e);
int yard_unmap(const struct yard_table *t, uint64_t dfn);
int yard_lookup(const struct yard_table *t, uint64_t dfn, uint64_t *e);

/* The least that hands numbers out again: a lock, and the one that came back last. */
struct yard_lifo {
    int lock;
    uint32_t nr;
    uint64_t number[64];
};

int yard_put(struct yard_lifo *l, uint64_t number);
int yard_take(struct yard_lifo *l, uint64_t *number);

#endif
