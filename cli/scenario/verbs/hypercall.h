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

/* Untouched outputs show. */
#define POISON 0xaa

/* Where arrays of arguments are, if a line does not say otherwise: the rest of the page. */
#define ARRAY (MACHINE_ARG + FRAME_SIZE / 2)

/* A number where an argument has it: `size` bytes, low ones first. */
void arg_store(uint8_t *to, uint64_t value, unsigned size);
uint64_t arg_load(const uint8_t *from, unsigned size);
/* The field of a call into its argument; false with *out filled in: it does not fit. */
bool arg_put(struct player *p, const struct sc_call *call, const struct sc_spec *spec, uint8_t *arg,
             struct outcome *out);
/* What the field holds after the call. */
void arg_get(const struct sc_spec *spec, const uint8_t *arg, struct outcome *out);
bool arg_poisoned(const uint8_t *at, unsigned size);
/* After how many chances the calls of a line are interrupted; 0: never. */
unsigned line_continue_every(const struct player *p, const struct sc_line *line);

void run_hypercall(struct player *p, const struct sc_line *line, struct outcome *out);

#endif
