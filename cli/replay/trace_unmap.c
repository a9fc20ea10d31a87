/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines that unmap. An unmap is of maps that lie side by side and cover it. Of addresses that the
 * kernel's allocator gave, it ends whole maps, and those are a list if they came in order.
 */
#include "../scenario/alloc.h"
#include "trace.h"

#include <stdlib.h>

/* What is being unmapped: maps of one kind that touch, made into one operation at a time. */
struct batch {
    struct trace_reader *r;
    struct trace_space *s;
    bool left, open, fixed;
    uint64_t first, end;
    uint32_t map, last_head, tail;
};

static uint32_t index_of(const struct batch *b)
{
    return (uint32_t)(b->s - b->r->t->spaces);
}

static bool emit(struct batch *b)
{
    struct trace *t = b->r->t;

    if (!b->open)
        return true;
    b->open = false;
    t->unmaps = xgrow(t->unmaps, t->nr_unmaps, &t->room_unmaps, sizeof(*t->unmaps));
    t->unmaps[t->nr_unmaps++] =
        (struct trace_unmap){.iova = b->first, .size = b->end - b->first, .map = b->map};
    return trace_add_op(b->r, TRACE_UNMAP, index_of(b), t->nr_unmaps - 1, b->left);
}

static void begin(struct batch *b, uint64_t first, uint32_t map, bool fixed)
{
    b->open = true;
    b->fixed = fixed;
    b->first = first;
    b->end = first;
    b->map = b->last_head = b->tail = map;
}

/* The next map of a list: it came later, and may be reached in the same ways. */
static bool continues(const struct trace *t, uint32_t tail, uint32_t map)
{
    return map > tail && t->maps[map].prot == t->maps[tail].prot;
}

static void link_map(struct batch *b, uint32_t map)
{
    struct trace *t = b->r->t;

    if (continues(t, b->tail, map)) {
        t->maps[b->tail].next = map;
        t->maps[map].head = b->last_head;
        t->counts.lists += t->maps[b->last_head].next == map;
        t->counts.lists_maps += t->maps[b->last_head].next == map ? 2 : 1;
    } else {
        t->maps[b->last_head].sibling = map;
        b->last_head = map;
    }
    b->tail = map;
}

static bool add(struct batch *b, uint64_t first, uint64_t end, uint32_t map)
{
    const struct trace_map *m = &b->r->t->maps[map];

    if (m->mmio || (b->open && b->fixed != m->fixed))
        if (!emit(b))
            return false;
    if (m->mmio)
        return true;
    if (!b->open)
        begin(b, first, map, m->fixed);
    else if (!m->fixed)
        link_map(b, map);
    b->end = end;
    return true;
}

/* What is cut off on a side lives on. */
static void count(struct batch *b, const struct live_piece *p, uint64_t at, uint64_t end)
{
    struct trace_counts *c = &b->r->t->counts;
    const uint64_t rest = (p->first < at ? 1u : 0u) + (p->last >= end ? 1u : 0u);

    c->live_pages -= (end - at) / LINE_PAGE;
    if (!b->left)
        c->pages_unmapped += (end - at) / LINE_PAGE;
    c->live_maps = c->live_maps + rest - 1;
    b->s->live = b->s->live + rest - 1;
}

/* Takes out [at, end), as far as it is of one map; *at moves on. */
static bool take(struct batch *b, uint64_t *at, uint64_t end)
{
    const struct live_piece *found = live_find(&b->s->tree, *at, *at);
    const struct trace *t = b->r->t;
    struct live_piece piece;
    uint64_t stop;

    if (!found)
        return trace_wrong(b->r, "U at 0x%llx: nothing is mapped there", (unsigned long long)*at);
    piece = *found;
    stop = piece.last + 1 < end ? piece.last + 1 : end;
    if (!t->maps[piece.map].fixed && (piece.first < *at || piece.last >= end))
        return trace_wrong(b->r, "U cuts what line %u mapped, 0x%llx..0x%llx",
                           t->maps[piece.map].line, (unsigned long long)piece.first,
                           (unsigned long long)piece.last);
    count(b, &piece, *at, stop);
    if (!add(b, *at, stop, piece.map))
        return false;
    live_cut(&b->s->tree, *at, stop - 1);
    *at = stop;
    return true;
}

bool trace_unmap(struct trace_reader *r)
{
    struct batch b = {.r = r, .s = trace_space(r, false)};
    const uint64_t end = r->line.iova + r->line.size;
    uint64_t at = r->line.iova;

    if (!b.s)
        return false;
    r->t->counts.unmaps++;
    while (at < end)
        if (!take(&b, &at, end))
            return false;
    return emit(&b);
}

/* What is still mapped goes with the domain. */
bool trace_end(struct trace_reader *r)
{
    struct batch b = {.r = r, .s = trace_space(r, false), .left = true};
    struct live_piece piece;

    if (!b.s)
        return false;
    r->t->counts.ends++;
    while (live_take(&b.s->tree, &piece)) {
        count(&b, &piece, piece.first, piece.last + 1);
        if (!add(&b, piece.first, piece.last + 1, piece.map) || !emit(&b))
            return false;
    }
    b.s->ended = true;
    trace_leave(b.s);
    return trace_add_op(r, TRACE_END, index_of(&b), 0, false);
}

void trace_settle(struct trace *t)
{
    struct live_piece piece;

    for (uint32_t i = 0; i < t->nr_spaces; i++)
        while (live_take(&t->spaces[i].tree, &piece)) {
            if (t->maps[piece.map].mmio)
                continue;
            t->finals = xgrow(t->finals, t->nr_finals, &t->room_finals, sizeof(*t->finals));
            t->finals[t->nr_finals++] = (struct trace_final){.iova = piece.first,
                                                             .size = piece.last - piece.first + 1,
                                                             .map = piece.map,
                                                             .space = (uint16_t)i};
        }
}
