/* SPDX-License-Identifier: BSD-2-Clause */
/* What random walks are made of. */
#ifndef TEST_EXHAUSTIVE_WALK_H
#define TEST_EXHAUSTIVE_WALK_H

#include "world.h"

struct dice {
    uint64_t state;
};
uint64_t dice_roll(struct dice *d);
uint64_t dice_below(struct dice *d, uint64_t n);
bool dice_once_in(struct dice *d, uint64_t n);

struct plan random_plan(struct dice *d);
struct op random_op(struct dice *d, const struct plan *plan);

#endif
