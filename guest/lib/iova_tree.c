/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of blocks: order, balance, and where there is room. */
#include "iova_tree.h"

enum { LEFT, RIGHT };

/* No AVL tree of less than 2^32 nodes is deeper. */
#define MAX_DEPTH 48

/* Two neighbours with no more ranges than this become one. */
#define FEW (IOVA_SLOTS / 2)

/* The way down to a block: at each one, which side it went on. */
struct way {
    unsigned depth;
    uint32_t at[MAX_DEPTH];
    uint8_t side[MAX_DEPTH];
};

/* ---- Balance -----------------------------------------------------------------------------------
 */

static uint64_t max_gap(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint8_t max_byte(uint8_t a, uint8_t b)
{
    return a > b ? a : b;
}

/* The subtree becomes a side of *b, and *b learns what is in it. */
static void link(const struct iova_space *s, struct iova_block *b, unsigned side, uint32_t subtree)
{
    const struct iova_block *c;

    b->child[side] = subtree;
    if (subtree == IOVA_NONE) {
        b->widest[side] = 0;
        b->order[side] = b->height[side] = 0;
        return;
    }
    c = iova_block(s, subtree);
    b->widest[side] = max_gap(c->gap, max_gap(c->widest[LEFT], c->widest[RIGHT]));
    b->order[side] = max_byte(c->own_order, max_byte(c->order[LEFT], c->order[RIGHT]));
    b->height[side] = (uint8_t)(max_byte(c->height[LEFT], c->height[RIGHT]) + 1);
}

/* The child on that side becomes the root of the subtree. */
static uint32_t rotate(const struct iova_space *s, uint32_t i, unsigned side)
{
    const uint32_t top = iova_block(s, i)->child[side];

    link(s, iova_block(s, i), side, iova_block(s, top)->child[!side]);
    link(s, iova_block(s, top), !side, i);
    return top;
}

static int lean(const struct iova_block *b, unsigned side)
{
    return b->height[side] - b->height[!side];
}

/* The root of a subtree of which one side changed by one: the new root. */
static uint32_t balance(const struct iova_space *s, uint32_t i)
{
    struct iova_block *b = iova_block(s, i);

    for (unsigned side = LEFT; side <= RIGHT; side++) {
        if (lean(b, side) <= 1)
            continue;
        if (lean(iova_block(s, b->child[side]), side) < 0)
            link(s, b, side, rotate(s, b->child[side], !side));
        return rotate(s, i, side);
    }
    return i;
}

static void go(struct way *w, uint32_t i, unsigned side)
{
    IOVA_VISIT();
    w->at[w->depth] = i;
    w->side[w->depth++] = (uint8_t)side;
}

/* What was under the last of the way is now this subtree. */
static void go_back(struct iova_space *s, struct way *w, uint32_t subtree)
{
    while (w->depth) {
        const uint32_t i = w->at[--w->depth];

        IOVA_VISIT();
        link(s, iova_block(s, i), w->side[w->depth], subtree);
        subtree = balance(s, i);
    }
    s->root = subtree;
}

/* ---- Blocks ------------------------------------------------------------------------------------
 */

/* On which side of a block a frame is: LEFT, RIGHT, or neither. */
static int side_of(const struct iova_block *b, uint64_t frame)
{
    return frame < b->first ? LEFT : frame > b->last ? RIGHT : -1;
}

/* The way to the block with a frame, or to where it belongs: IOVA_NONE. */
static uint32_t find_way(const struct iova_space *s, struct way *w, uint64_t frame)
{
    uint32_t at = s->root;

    for (w->depth = 0; at != IOVA_NONE; at = iova_block(s, at)->child[w->side[w->depth - 1]]) {
        const int side = side_of(iova_block(s, at), frame);

        if (side < 0)
            break;
        go(w, at, (unsigned)side);
    }
    return at;
}

static uint32_t find(const struct iova_space *s, uint64_t frame)
{
    uint32_t at = s->root;

    for (;;) {
        const int side = side_of(iova_block(s, at), frame);

        IOVA_VISIT();
        if (side < 0)
            return at;
        at = iova_block(s, at)->child[side];
    }
}

/* It comes in, or what is in it has changed. */
static void refresh(struct iova_space *s, uint32_t i)
{
    struct way w;

    find_way(s, &w, iova_block(s, i)->first);
    go_back(s, &w, i);
}

static uint32_t leftmost(const struct iova_space *s, uint32_t at)
{
    while (iova_block(s, at)->child[LEFT] != IOVA_NONE) {
        IOVA_VISIT();
        at = iova_block(s, at)->child[LEFT];
    }
    return at;
}

/* The next block comes to where this one was; what was below the next one, to where that was. */
static void replace(struct iova_space *s, struct way *w, const struct iova_block *b)
{
    const uint32_t next = leftmost(s, b->child[RIGHT]);
    const uint32_t below = iova_block(s, next)->child[RIGHT];

    go(w, next, RIGHT);
    for (uint32_t at = b->child[RIGHT]; at != next; at = iova_block(s, at)->child[LEFT])
        go(w, at, LEFT);
    link(s, iova_block(s, next), LEFT, b->child[LEFT]);
    link(s, iova_block(s, next), RIGHT, b->child[RIGHT]);
    go_back(s, w, below);
}

static void take_out(struct iova_space *s, uint32_t i)
{
    const struct iova_block *b = iova_block(s, i);
    struct way w;

    find_way(s, &w, b->first);
    if (b->child[LEFT] != IOVA_NONE && b->child[RIGHT] != IOVA_NONE)
        replace(s, &w, b);
    else
        go_back(s, &w, b->child[b->child[LEFT] == IOVA_NONE ? RIGHT : LEFT]);
}

/* A full block: its upper half becomes one of its own. */
static void split(struct iova_space *s, uint32_t i)
{
    const unsigned half = IOVA_SLOTS / 2;
    const uint32_t upper = iova_block_take(s, iova_slots(s, i)[half - 1].last + 1);

    iova_block_move(s, i, half, upper);
    refresh(s, upper);
}

/* The ranges of a block, and of the next one, come together. */
static void join(struct iova_space *s, uint32_t i, uint32_t next)
{
    take_out(s, next);
    iova_block_move(s, next, 0, i);
    iova_block_drop(s, next);
    refresh(s, i);
}

/* Joins a block with one beside it, if they are too small. */
static void join_beside(struct iova_space *s, uint32_t i)
{
    const struct iova_block *b = iova_block(s, i);
    uint32_t beside;

    if (b->last != UINT64_MAX) {
        beside = find(s, b->last + 1);
        if (b->nr + iova_block(s, beside)->nr <= FEW)
            join(s, i, beside);
    }
    if (b->first != s->config.first) {
        beside = find(s, b->first - 1);
        if (b->nr + iova_block(s, beside)->nr <= FEW)
            join(s, beside, i);
    }
}

/* ---- Ranges ------------------------------------------------------------------------------------
 */

void iova_tree_init(struct iova_space *s)
{
    s->root = iova_block_take(s, s->config.first);
    iova_block_insert(s, s->root, s->config.last + 1, UINT64_MAX);
}

void iova_tree_insert(struct iova_space *s, uint64_t first, uint64_t last)
{
    struct way w;
    uint32_t i = find_way(s, &w, first);

    if (iova_block(s, i)->nr == IOVA_SLOTS) {
        split(s, i);
        i = find_way(s, &w, first);
    }
    iova_block_insert(s, i, first, last);
    go_back(s, &w, i);
}

/* The last range of a block is gone: the gap before it is the next one's. */
static void give_gap(struct iova_space *s, uint32_t i, uint32_t next)
{
    refresh(s, i);
    iova_block_extend(s, next, iova_block(s, i)->last + 1);
    refresh(s, next);
}

/* All of a block's ranges are gone. */
static void give_all(struct iova_space *s, uint32_t i, uint32_t next)
{
    take_out(s, i);
    iova_block_extend(s, next, iova_block(s, i)->first);
    iova_block_drop(s, i);
    refresh(s, next);
}

void iova_tree_remove(struct iova_space *s, uint64_t first)
{
    struct way w;
    const uint32_t i = find_way(s, &w, first);
    const struct iova_block *b = iova_block(s, i);
    const uint64_t last = b->last;
    const unsigned at = iova_block_find(s, i, first);

    iova_block_remove(s, i, at);
    if (!b->nr) {
        give_all(s, i, find(s, last + 1));
        return;
    }
    if (at == b->nr)
        give_gap(s, i, find(s, last + 1));
    else
        go_back(s, &w, i);
    if (b->nr < FEW)
        join_beside(s, i);
}

/* ---- Queries -----------------------------------------------------------------------------------
 */

struct iova_slot iova_tree_from(const struct iova_space *s, uint64_t frame)
{
    const uint32_t i = find(s, frame);

    return iova_slots(s, i)[iova_block_find(s, i, frame)];
}

void iova_tree_approach(const struct iova_space *s, uint64_t frame)
{
    const char *slots;

    if (frame < s->config.first)
        return;
    slots = (const char *)iova_slots(s, find(s, frame));

    for (size_t line = 0; line < sizeof(struct iova_slots); line += 64)
        __builtin_prefetch(slots + line);
}

static bool enough(uint64_t gap, uint8_t order, const struct iova_want *want)
{
    return want->aligned ? order > __builtin_ctzll(want->nr) : gap >= want->nr;
}

static bool room_beside(const struct iova_block *b, unsigned side, const struct iova_want *want)
{
    return enough(b->widest[side], b->order[side], want);
}

/* The limit cuts through one block, which is looked into. */
static bool room_in(const struct iova_space *s, uint32_t i, const struct iova_want *want)
{
    const struct iova_block *b = iova_block(s, i);
    uint64_t first;

    if (!enough(b->gap, b->own_order, want))
        return false;
    return b->last <= want->limit || iova_block_place(s, i, want, &first);
}

/* The block with the highest room in a subtree that has some, all of it below the limit. */
static uint32_t highest(const struct iova_space *s, uint32_t at, const struct iova_want *want)
{
    for (;;) {
        const struct iova_block *b = iova_block(s, at);
        const bool right = room_beside(b, RIGHT, want);

        IOVA_VISIT();
        if (!right && enough(b->gap, b->own_order, want))
            return at;
        at = b->child[right ? RIGHT : LEFT];
    }
}

/*
 * Down along the limit. On the way, the last block with room in it or on its left is the one to go
 * back to; only what the limit cuts through may turn out to have none.
 */
static uint32_t highest_below(const struct iova_space *s, const struct iova_want *want)
{
    uint32_t at = s->root, best = IOVA_NONE;

    while (at != IOVA_NONE) {
        const struct iova_block *b = iova_block(s, at);
        const bool below = b->first <= want->limit;

        IOVA_VISIT();
        if (below && (room_beside(b, LEFT, want) || room_in(s, at, want)))
            best = at;
        if (below && !room_beside(b, RIGHT, want))
            break;
        at = b->child[below ? RIGHT : LEFT];
    }
    if (best == IOVA_NONE || room_in(s, best, want))
        return best;
    return highest(s, iova_block(s, best)->child[LEFT], want);
}

bool iova_tree_place(const struct iova_space *s, const struct iova_want *want, uint64_t *first)
{
    const uint32_t i = highest_below(s, want);

    return i != IOVA_NONE && iova_block_place(s, i, want, first);
}
