/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory of a command that ends when there is none left, and an arena: objects that live exactly as
 * long as what they belong to.
 */
#ifndef CLI_SCENARIO_ALLOC_H
#define CLI_SCENARIO_ALLOC_H

#include <stddef.h>
#include <stdint.h>

struct arena {
    struct arena_object *objects;
};

/* Zeroed. Never NULL: without memory the process says so and ends with status 2. */
void *xcalloc(size_t nr, size_t size);
/* Room for one more behind `nr` elements; *room is how many there is room for. Ends likewise. */
void *xgrow(void *old, uint32_t nr, uint32_t *room, size_t size);
void *arena_alloc(struct arena *arena, size_t nr, size_t size);
/* A copy of `size` bytes with a NUL behind them. */
char *arena_text(struct arena *arena, const char *text, size_t size);
void arena_free(struct arena *arena);

#endif
