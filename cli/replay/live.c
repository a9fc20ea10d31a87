/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree is libc's; pieces that overlap compare as equal, so that one search finds any of them.
 */
#include "live.h"

#include "../scenario/alloc.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const struct live_piece *x = a, *y = b;

    if (x->last < y->first)
        return -1;
    return x->first > y->last ? 1 : 0;
}

static struct live_piece *find(const live_tree *t, uint64_t first, uint64_t last)
{
    const struct live_piece key = {.first = first, .last = last};
    void *node = tfind(&key, (void *const *)t, compare);

    return node ? *(struct live_piece **)node : NULL;
}

const struct live_piece *live_find(const live_tree *t, uint64_t first, uint64_t last)
{
    return find(t, first, last);
}

void live_add(live_tree *t, uint64_t first, uint64_t last, uint32_t map)
{
    struct live_piece *piece = xcalloc(1, sizeof(*piece));

    *piece = (struct live_piece){first, last, map};
    if (tsearch(piece, t, compare))
        return;
    fputs("sluice: out of memory\n", stderr);
    exit(2);
}

void live_cut(live_tree *t, uint64_t first, uint64_t last)
{
    struct live_piece *piece = find(t, first, last);
    const struct live_piece was = *piece;

    tdelete(piece, t, compare);
    free(piece);
    if (was.first < first)
        live_add(t, was.first, first - 1, was.map);
    if (was.last > last)
        live_add(t, last + 1, was.last, was.map);
}

bool live_take(live_tree *t, struct live_piece *out)
{
    struct live_piece *piece;

    if (!*t)
        return false;
    piece = *(struct live_piece **)*t;
    *out = *piece;
    tdelete(piece, t, compare);
    free(piece);
    return true;
}
