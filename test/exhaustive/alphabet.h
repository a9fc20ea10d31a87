/* SPDX-License-Identifier: BSD-2-Clause */
/* The small scope that is explored exhaustively. */
#ifndef TEST_EXHAUSTIVE_ALPHABET_H
#define TEST_EXHAUSTIVE_ALPHABET_H

#include "world.h"

struct alphabet {
    struct op *op;
    size_t nr, room;
};

extern const struct plan small_plan;

/* Every operation that is tried in every state; the caller frees .op. */
struct alphabet small_alphabet(void);

/* Asks and touches everything that can be asked and touched: changes no state, warms every cache.
 */
bool small_probe(struct world *w);

#endif
