/* SPDX-License-Identifier: BSD-2-Clause */
/* The small scopes that are explored exhaustively. */
#ifndef TEST_EXHAUSTIVE_ALPHABET_H
#define TEST_EXHAUSTIVE_ALPHABET_H

#include "world.h"

struct alphabet {
    struct op *op;
    size_t nr, room;
};

struct scope {
    const char *name;
    const struct plan *plan;
    /* Every operation that is tried in every state; the caller frees .op. */
    struct alphabet (*alphabet)(void);
    /* Asks and touches everything that can be: changes no state, warms every cache. */
    bool (*probe)(struct world *w);
};

/* Contexts; emulators and a guest that balloons: strict, relaxed, slow. */
extern const struct scope small_scope, frames_scope, relaxed_scope, slow_scope;

void alphabet_add(struct alphabet *a, struct op op);

#endif
