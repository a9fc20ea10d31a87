/* SPDX-License-Identifier: BSD-2-Clause */
/* A hypercall as a line writes it. */
#ifndef CLI_SCENARIO_VERBS_HYPERCALL_H
#define CLI_SCENARIO_VERBS_HYPERCALL_H

#include "verbs.h"

/* The row of `raw`: number and argument are the line's. */
#define SUBOP_RAW (-1)

struct request {
    int subop;
    uint64_t addr;
};

void run_hypercall(struct player *p, const struct sc_line *line, struct outcome *out);

#endif
