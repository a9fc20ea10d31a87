/* SPDX-License-Identifier: BSD-2-Clause */
#include "frames.h"

#include "../scenario/alloc.h"

#include <stdlib.h>
#include <string.h>

#define HOLE     (FRAMES_HOLE / FRAMES_BLOCK)
#define HOLE_END (FRAMES_HOLE_END / FRAMES_BLOCK)

static int by_first(const void *a, const void *b)
{
    const struct frames_run *x = a, *y = b;

    return x->first < y->first ? -1 : x->first > y->first;
}

static size_t named(const struct trace *t, struct frames_run *runs)
{
    size_t nr = 0;

    for (uint32_t i = 0; i < t->nr_maps; i++) {
        const struct trace_map *m = &t->maps[i];

        if (!m->mmio)
            runs[nr++] = (struct frames_run){.first = m->paddr / FRAMES_BLOCK,
                                             .last = (m->paddr + m->size - 1) / FRAMES_BLOCK};
    }
    return nr;
}

static size_t merge(struct frames_run *runs, size_t nr)
{
    size_t kept = 0;

    qsort(runs, nr, sizeof(*runs), by_first);
    for (size_t i = 1; i < nr; i++) {
        if (runs[i].first > runs[kept].last + 1)
            runs[++kept] = runs[i];
        else if (runs[i].last > runs[kept].last)
            runs[kept].last = runs[i].last;
    }
    return nr ? kept + 1 : 0;
}

/* What would lie over the hole comes behind it. */
static uint64_t clear_of_hole(uint64_t at, uint64_t nr)
{
    return at < HOLE_END && at + nr > HOLE ? HOLE_END : at;
}

/* false: too much. */
static bool place(struct frames_map *f)
{
    uint64_t at = 0;

    for (size_t i = 0; i < f->nr; i++) {
        const uint64_t nr = f->runs[i].last - f->runs[i].first + 1;

        if (nr > FRAMES_MOST / FRAMES_BLOCK)
            return false;
        f->runs[i].at = clear_of_hole(at, nr);
        at = f->runs[i].at + nr;
        if (at > FRAMES_MOST / FRAMES_BLOCK)
            return false;
    }
    f->spare = clear_of_hole(at, 1) * FRAMES_BLOCK;
    f->bytes = f->spare + FRAMES_BLOCK;
    return true;
}

void frames_more(struct frames_map *f, uint64_t bytes)
{
    const uint64_t nr = (bytes + FRAMES_BLOCK - 1) / FRAMES_BLOCK;

    f->more = clear_of_hole(f->bytes / FRAMES_BLOCK, nr) * FRAMES_BLOCK;
    f->bytes = f->more + nr * FRAMES_BLOCK;
}

bool frames_map(const struct trace *t, struct frames_map *out, char *error)
{
    out->runs = xcalloc(t->nr_maps, sizeof(*out->runs));
    out->nr = merge(out->runs, named(t, out->runs));
    if (place(out))
        return true;
    snprintf(error, TRACE_ERROR, "the trace maps more than %u GiB of different memory",
             (unsigned)(FRAMES_MOST >> 30));
    return false;
}

void frames_free(struct frames_map *f)
{
    free(f->runs);
    *f = (struct frames_map){0};
}

uint64_t frames_gfn(const struct frames_map *f, uint64_t paddr)
{
    const uint64_t block = paddr / FRAMES_BLOCK;
    size_t low = 0, high = f->nr;

    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (f->runs[middle].first <= block)
            low = middle;
        else
            high = middle;
    }
    return ((f->runs[low].at + block - f->runs[low].first) * FRAMES_BLOCK + paddr % FRAMES_BLOCK) /
           LINE_PAGE;
}
