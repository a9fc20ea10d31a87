/* SPDX-License-Identifier: BSD-2-Clause */
/* The sorted array of single pages. */
#include "pages.h"

#include <stdlib.h>
#include <string.h>

void *must_alloc(void *old, size_t nr, size_t size)
{
    void *new = reallocarray(old, nr ? nr : 1, size);

    if (!new)
        abort();
    return new;
}

void pages_free(struct pages *p)
{
    if (p->at)
        free(p->at - p->before);
    *p = (struct pages){0};
}

size_t pages_from(const struct pages *p, uint64_t dfn)
{
    size_t low = 0, high = p->nr;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (p->at[middle].dfn < dfn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct page *pages_at(const struct pages *p, uint64_t dfn)
{
    size_t i = pages_from(p, dfn);

    return i < p->nr && p->at[i].dfn == dfn ? &p->at[i] : NULL;
}

static size_t pages_after(const struct pages *p, uint64_t last)
{
    return last == UINT64_MAX ? p->nr : pages_from(p, last + 1);
}

uint64_t pages_count(const struct pages *p, uint64_t first, uint64_t last)
{
    return first > last ? 0 : pages_after(p, last) - pages_from(p, first);
}

/* Takes the room in front back; only if that is little, more memory. */
static void grow(struct pages *p, size_t nr)
{
    struct page *first = p->at;

    if (p->nr + nr <= p->room)
        return;
    if (p->before) {
        first -= p->before;
        memmove(first, p->at, p->nr * sizeof(*first));
    }
    p->room += p->before;
    p->before = 0;
    if (p->nr + nr > p->room / 2) {
        p->room = (p->nr + nr) * 2;
        first = must_alloc(first, p->room, sizeof(*first));
    }
    p->at = first;
}

void pages_insert(struct pages *p, const struct page *new, size_t nr)
{
    size_t i;

    if (!nr)
        return;
    grow(p, nr);
    i = pages_from(p, new->dfn);
    memmove(p->at + i + nr, p->at + i, (p->nr - i) * sizeof(*p->at));
    memcpy(p->at + i, new, nr * sizeof(*p->at));
    p->nr += nr;
}

void pages_remove(struct pages *p, uint64_t first, uint64_t last)
{
    size_t from = pages_from(p, first), after = pages_after(p, last);

    if (first > last || from == after)
        return;
    p->nr -= after - from;
    if (from) {
        memmove(p->at + from, p->at + after, (p->nr - from) * sizeof(*p->at));
        return;
    }
    p->at += after;
    p->before += after;
    p->room -= after;
}
