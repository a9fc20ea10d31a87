/* SPDX-License-Identifier: BSD-2-Clause */
/* A call of the frames ABI as a line writes it. */
#ifndef CLI_SCENARIO_VERBS_FRAMES_H
#define CLI_SCENARIO_VERBS_FRAMES_H

#include "hypercall.h"

void run_frames(struct player *p, const struct sc_line *line, struct outcome *out);
void run_frames_raw(struct player *p, const struct sc_line *line, struct outcome *out);

#endif
