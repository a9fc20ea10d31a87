/* SPDX-License-Identifier: BSD-2-Clause */
/* The arena: a list of single allocations, freed together. */
#include "alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_object {
    struct arena_object *next;
    _Alignas(16) unsigned char data[];
};

static void *checked(void *p)
{
    if (p)
        return p;
    fputs("sluice: out of memory\n", stderr);
    exit(2);
}

void *xcalloc(size_t nr, size_t size)
{
    return checked(calloc(nr ? nr : 1, size ? size : 1));
}

void *xgrow(void *old, uint32_t nr, uint32_t *room, size_t size)
{
    if (nr < *room)
        return old;
    *room = nr < UINT32_MAX / 2 ? nr * 2 + 64 : UINT32_MAX;
    return checked(nr < *room ? reallocarray(old, *room, size) : NULL);
}

void *arena_alloc(struct arena *arena, size_t nr, size_t size)
{
    struct arena_object *object;

    if (size && nr > (SIZE_MAX / 2 - sizeof(*object)) / size)
        checked(NULL);
    object = checked(calloc(1, sizeof(*object) + nr * size));
    object->next = arena->objects;
    arena->objects = object;
    return object->data;
}

char *arena_text(struct arena *arena, const char *text, size_t size)
{
    char *copy = arena_alloc(arena, size + 1, 1);

    memcpy(copy, text, size);
    return copy;
}

void arena_free(struct arena *arena)
{
    while (arena->objects) {
        struct arena_object *object = arena->objects;

        arena->objects = object->next;
        free(object);
    }
}
