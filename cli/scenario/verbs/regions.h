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

/* One that the machine has: no emulated one. */
bool is_device_line(const struct sc_line *line);
/* In what follows, `all` is the caller's to free. */

/* What the line says of the device, and what the machine demands. */
struct regions regions_of(struct machine *m, const struct sc_call *device);
/* The direct ones that the file says of any device. */
struct regions regions_direct(const struct scenario *sc);
/* All those of the devices that the file gives to that owner. */
struct regions regions_of_owner(struct machine *m, const struct scenario *sc, const char *owner);

#endif
