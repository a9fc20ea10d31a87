/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reserved regions that a file's devices have. They are known before the first line is played,
 * so that memory can keep clear of them.
 */
#ifndef CLI_SCENARIO_VERBS_REGIONS_H
#define CLI_SCENARIO_VERBS_REGIONS_H

#include "verbs.h"

struct regions {
    struct sluice_region *all;
    unsigned nr;
};

extern const struct sc_word region_types[];

bool is_device_line(const struct sc_line *line);
/* Adds those of one device; there has to be room. */
void regions_add(struct regions *r, const struct sc_call *device, bool direct_only);
/* Those of all devices in the file, or of those with that owner; `all` is the caller's to free. */
struct regions regions_in(const struct scenario *sc, const char *owner, bool direct_only);

#endif
