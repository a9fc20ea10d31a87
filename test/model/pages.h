/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sorted array of single pages: the only container of the model. Contexts and the memory of
 * domains are kept in it, one element for each 4 KiB.
 */
#ifndef TEST_MODEL_PAGES_H
#define TEST_MODEL_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct page {
    uint64_t dfn; /* the key; in a domain's memory the gfn again */
    uint64_t gfn; /* which it was when it was mapped */
    uint64_t mfn;
    uint8_t attr; /* PT_READ | PT_WRITE | PT_SNOOP that a device has */
    uint8_t span; /* log2 of the pgsize that it was mapped with */
    uint8_t leaf; /* log2 of the leaf that hardware has for it */
};

struct pages {
    struct page *at;
    size_t nr, room; /* room: from at on */
    size_t before;   /* free elements in front of at: what was first is taken out fast */
};

void pages_free(struct pages *p);

/* Index of the first page at or after dfn. */
size_t pages_from(const struct pages *p, uint64_t dfn);

/* The page at dfn, or NULL. */
struct page *pages_at(const struct pages *p, uint64_t dfn);

/* How many pages are in first..last. */
uint64_t pages_count(const struct pages *p, uint64_t first, uint64_t last);

/* Adds nr pages with neighbouring dfns, none of which is there. */
void pages_insert(struct pages *p, const struct page *new, size_t nr);

/* Takes out what is in first..last. */
void pages_remove(struct pages *p, uint64_t first, uint64_t last);

/* Allocation that cannot fail: a test without memory has nothing to say. */
void *must_alloc(void *old, size_t nr, size_t size);

#endif
