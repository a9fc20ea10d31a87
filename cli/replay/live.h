/* SPDX-License-Identifier: BSD-2-Clause */
/* What is mapped in a domain of the trace: pieces of maps that do not overlap, in a tree. */
#ifndef CLI_REPLAY_LIVE_H
#define CLI_REPLAY_LIVE_H

#include <stdbool.h>
#include <stdint.h>

struct live_piece {
    uint64_t first, last; /* bytes of device addresses */
    uint32_t map;         /* which one it is of */
};

/* Begins as NULL. The pieces are the tree's. */
typedef void *live_tree;

/* A piece that has any of first..last, or NULL. */
const struct live_piece *live_find(const live_tree *t, uint64_t first, uint64_t last);
/* Nothing is there. */
void live_add(live_tree *t, uint64_t first, uint64_t last, uint32_t map);
/* All of it is in one piece; what is left of that on either side stays. */
void live_cut(live_tree *t, uint64_t first, uint64_t last);
/* Takes any piece out: false if there is none. */
bool live_take(live_tree *t, struct live_piece *out);

#endif
