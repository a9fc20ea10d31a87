/* SPDX-License-Identifier: BSD-2-Clause */
/* The machines that scenarios can be played on. */
#ifndef CLI_MACHINES_H
#define CLI_MACHINES_H

#include "../host/machine/machine.h"
#include "outcome.h"

struct machine_kind {
    const char *name;                      /* NULL ends the table */
    const struct machine_backend *backend; /* NULL: not in this build */
    const char *const *features;           /* what `require` may ask for; ends with NULL */
    bool scalable;
    const struct machine_backend *outer; /* a nested one: of the machine that it is a guest of */
};

extern const struct machine_kind machine_kinds[];

/* NULL, with *why: there is no such machine, or not in this build. */
const struct machine_kind *machine_kind_find(const char *name, struct words *why);
/* The first feature that the scenario requires and the machine lacks, or NULL. */
const char *machine_kind_lacks(const struct machine_kind *kind, const struct scenario *sc);

#endif
