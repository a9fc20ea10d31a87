/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TEST_DIFFERENTIAL_SHRINK_H
#define TEST_DIFFERENTIAL_SHRINK_H

#include "compare.h"

/*
 * Takes steps out of the program as long as the two still differ in the same way, and returns that
 * difference; SAME: the program alone does not show it.
 */
struct difference shrink(struct program *p, const struct difference *d, struct unit *a,
                         struct unit *b);

#endif
