/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which frames of RAM are free. They come in a random order, so that no two neighbours of a domain
 * are neighbours in the machine; a frame that was freed is the next to be given out, so that
 * whoever reaches it still is seen.
 */
#include <stdlib.h>

#include "backend.h"

#define USED     1
#define RESERVED 2
#define KEPT     3 /* given back, for nobody but who had it */

static void shuffle(uint32_t *at, uint64_t nr, uint64_t seed)
{
    for (uint64_t i = nr; i > 1; i--) {
        uint64_t k;
        uint32_t other;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        k = (seed >> 33) % i;
        other = at[i - 1];
        at[i - 1] = at[k];
        at[k] = other;
    }
}

/* Frame 0 and the lower half come last: that is where a direct-mapped domain wants to be. */
static void fill_stack(struct ram *ram, uint64_t seed)
{
    const uint64_t half = ram->nr / 2;

    ram->depth = 0;
    for (uint64_t i = 1; i < ram->nr; i++)
        if (!ram->used[i])
            ram->stack[ram->depth++] = (uint32_t)i;
    if (seed && ram->depth > half)
        shuffle(ram->stack + half, ram->depth - half, seed);
}

int ram_init(struct ram *ram, uint64_t size, uint64_t seed)
{
    ram->size = size;
    ram->nr = size >> FRAME_LG2;
    ram->capacity = ram->nr * 2;
    ram->used = calloc(ram->nr, 1);
    ram->stack = malloc(ram->capacity * sizeof(*ram->stack));
    pthread_mutex_init(&ram->lock, NULL);
    if (!ram->used || !ram->stack)
        return -ENOMEM;
    fill_stack(ram, seed | 1);
    return 0;
}

void ram_fini(struct ram *ram)
{
    free(ram->used);
    free(ram->stack);
    pthread_mutex_destroy(&ram->lock);
}

static void mark(struct ram *ram, uint64_t frame)
{
    ram->used[frame] = USED;
    ram->nr_used++;
}

int ram_alloc(struct ram *ram, mfn_t *out)
{
    int err = -ENOMEM;

    pthread_mutex_lock(&ram->lock);
    while (err && ram->depth) {
        const uint32_t frame = ram->stack[--ram->depth];

        if (ram->used[frame])
            continue;
        mark(ram, frame);
        *out = mfn_of(frame);
        err = 0;
    }
    pthread_mutex_unlock(&ram->lock);
    return err;
}

static int take(struct ram *ram, uint64_t frame)
{
    if (frame >= ram->nr)
        return -EINVAL;
    if (ram->used[frame] == KEPT)
        ram->used[frame] = USED;
    else if (ram->used[frame])
        return -EBUSY;
    else
        mark(ram, frame);
    return 0;
}

void ram_reserve(struct ram *ram, mfn_t first, mfn_t last)
{
    for (uint64_t f = first.n; f <= last.n && f < ram->nr; f++)
        if (!ram_take(ram, mfn_of(f))) {
            ram->used[f] = RESERVED;
            ram->nr_reserved++;
        }
}

bool ram_is_reserved(const struct ram *ram, mfn_t frame)
{
    return frame.n < ram->nr && ram->used[frame.n] == RESERVED;
}

int ram_take(struct ram *ram, mfn_t frame)
{
    int err;

    pthread_mutex_lock(&ram->lock);
    err = take(ram, frame.n);
    pthread_mutex_unlock(&ram->lock);
    return err;
}

/* Aligned to 1 GiB or 2 MiB where it is large enough, so that it can be mapped with large leaves.
 */
static uint64_t alignment(uint64_t nr)
{
    return nr >= 262144 ? 262144 : nr >= 512 ? 512 : 1;
}

/* From the top down: the low end is for a direct-mapped domain. */
int ram_alloc_run(struct ram *ram, uint64_t nr, mfn_t *out)
{
    const uint64_t step = alignment(nr);
    uint64_t first, n = 0;

    if (nr > ram->nr)
        return -ENOMEM;
    pthread_mutex_lock(&ram->lock);
    for (first = (ram->nr - nr) / step * step; first; first -= step) {
        for (n = 0; n < nr && !ram->used[first + n]; n++)
            ;
        if (n == nr)
            break;
    }
    for (uint64_t i = 0; n == nr && i < nr; i++)
        mark(ram, first + i);
    pthread_mutex_unlock(&ram->lock);
    *out = mfn_of(first);
    return n == nr ? 0 : -ENOMEM;
}

static void zero(struct ram *ram, mfn_t frame)
{
    if (!ram->ending)
        memset(ram_at(ram, frame.n << FRAME_LG2), 0, FRAME_SIZE);
}

static void unmark(struct ram *ram, uint64_t frame)
{
    ram->used[frame] = 0;
    ram->nr_used--;
    if (ram->depth == ram->capacity)
        fill_stack(ram, 0);
    else if (frame)
        ram->stack[ram->depth++] = (uint32_t)frame;
}

void ram_free(struct ram *ram, mfn_t frame)
{
    zero(ram, frame);
    pthread_mutex_lock(&ram->lock);
    unmark(ram, frame.n);
    pthread_mutex_unlock(&ram->lock);
}

void ram_release(struct ram *ram, mfn_t frame)
{
    zero(ram, frame);
    pthread_mutex_lock(&ram->lock);
    if (frame.n < ram->kept)
        ram->used[frame.n] = KEPT;
    else
        unmark(ram, frame.n);
    pthread_mutex_unlock(&ram->lock);
}

void ram_keep(struct ram *ram, uint64_t end)
{
    pthread_mutex_lock(&ram->lock);
    for (uint64_t f = end; f < ram->kept && f < ram->nr; f++)
        if (ram->used[f] == KEPT)
            unmark(ram, f);
    ram->kept = end;
    pthread_mutex_unlock(&ram->lock);
}

void *ram_at(const struct ram *ram, uint64_t maddr)
{
    return maddr < ram->size ? ram->base + maddr : NULL;
}
