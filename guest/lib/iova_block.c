/* SPDX-License-Identifier: BSD-2-Clause */
#include "iova_block.h"

uint32_t iova_block_take(struct iova_space *s, uint64_t first)
{
    uint32_t i = s->free_block;

    if (i == IOVA_NONE)
        i = s->nr_blocks++;
    else
        s->free_block = iova_block(s, i)->child[0];
    *iova_block(s, i) = (struct iova_block){.first = first, .child = {IOVA_NONE, IOVA_NONE}};
    return i;
}

void iova_block_drop(struct iova_space *s, uint32_t i)
{
    iova_block(s, i)->child[0] = s->free_block;
    s->free_block = i;
}

/* Where the gap before a range begins. */
static uint64_t gap_first(const struct iova_space *s, uint32_t i, unsigned at)
{
    return at ? iova_slots(s, i)[at - 1].last + 1 : iova_block(s, i)->first;
}

/* A gap of 2^n frames or more has an aligned block of 2^(n-1) at least. */
static uint8_t order_of_gap(uint64_t first, uint64_t nr)
{
    const unsigned order = 63 - (unsigned)__builtin_clzll(nr);
    const uint64_t size = UINT64_C(1) << order;
    const uint64_t aligned = (first + size - 1) & ~(size - 1);

    return (uint8_t)(aligned + size > first + nr ? order : order + 1);
}

static void sum_up(const struct iova_space *s, uint32_t i)
{
    struct iova_block *b = iova_block(s, i);
    const struct iova_slot *slot = iova_slots(s, i);
    uint64_t first = b->first;

    b->gap = 0;
    b->own_order = 0;
    for (unsigned k = 0; k < b->nr; first = slot[k++].last + 1) {
        const uint64_t nr = slot[k].first - first;
        uint8_t order;

        if (nr > b->gap)
            b->gap = nr;
        if (!(nr >> b->own_order))
            continue;
        order = order_of_gap(first, nr);
        if (order > b->own_order)
            b->own_order = order;
    }
    if (b->nr)
        b->last = slot[b->nr - 1].last;
}

unsigned iova_block_find(const struct iova_space *s, uint32_t i, uint64_t frame)
{
    const struct iova_slot *slot = iova_slots(s, i);
    unsigned at = 0;

    while (slot[at].last < frame)
        at++;
    return at;
}

void iova_block_insert(struct iova_space *s, uint32_t i, uint64_t first, uint64_t last)
{
    struct iova_block *b = iova_block(s, i);
    struct iova_slot *slot = iova_slots(s, i);
    unsigned at = b->nr++;

    for (; at && slot[at - 1].first > last; at--)
        slot[at] = slot[at - 1];
    slot[at] = (struct iova_slot){first, last};
    sum_up(s, i);
}

void iova_block_remove(struct iova_space *s, uint32_t i, unsigned at)
{
    struct iova_block *b = iova_block(s, i);
    struct iova_slot *slot = iova_slots(s, i);

    b->nr--;
    for (; at < b->nr; at++)
        slot[at] = slot[at + 1];
    sum_up(s, i);
}

void iova_block_move(struct iova_space *s, uint32_t i, unsigned from, uint32_t to)
{
    struct iova_block *b = iova_block(s, i);

    for (unsigned at = from; at < b->nr; at++)
        iova_slots(s, to)[iova_block(s, to)->nr++] = iova_slots(s, i)[at];
    b->nr = (uint8_t)from;
    sum_up(s, i);
    sum_up(s, to);
}

void iova_block_extend(struct iova_space *s, uint32_t i, uint64_t first)
{
    iova_block(s, i)->first = first;
    sum_up(s, i);
}

static bool place_in_gap(uint64_t gap, uint64_t end, const struct iova_want *want, uint64_t *first)
{
    if (end > want->limit + 1)
        end = want->limit + 1;
    if (gap + want->nr > end)
        return false;
    *first = end - want->nr;
    if (want->aligned)
        *first &= ~(want->nr - 1);
    return *first >= gap;
}

bool iova_block_place(const struct iova_space *s, uint32_t i, const struct iova_want *want,
                      uint64_t *first)
{
    for (unsigned at = iova_block(s, i)->nr; at-- > 0;)
        if (place_in_gap(gap_first(s, i, at), iova_slots(s, i)[at].first, want, first))
            return true;
    return false;
}
