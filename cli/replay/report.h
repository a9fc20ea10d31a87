/* SPDX-License-Identifier: BSD-2-Clause */
/* What a replay says: a table beside what the traced system needed, or a JSON object. */
#ifndef CLI_REPLAY_REPORT_H
#define CLI_REPLAY_REPORT_H

#include "replay.h"

#include <stdio.h>

void replay_print(const struct replay *r, const char *name, FILE *out);
void replay_print_json(const struct replay *r, const char *name, FILE *out);

/* Figures of both: 0 where nothing is divided. */
static inline double replay_ratio(uint64_t n, uint64_t of)
{
    return of ? (double)n / (double)of : 0;
}

static inline uint64_t replay_maps(const struct replay *r)
{
    return r->t->counts.maps - r->t->counts.mmio;
}

/* What the guest gave the processor up for. */
static inline uint64_t replay_exits(const struct replay *r)
{
    return r->cost.hypercalls + r->cost.exits;
}

#endif
