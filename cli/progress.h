/* SPDX-License-Identifier: BSD-2-Clause */
/* One line on a terminal that says how far it is, from the third second on. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
    FILE *out; /* NULL: nobody is watching */
    unsigned file, nr_files;
    uint64_t begin, shown; /* milliseconds; shown 0: there is no line now */
};

void progress_begin(struct progress *p, FILE *out, unsigned nr_files);
/* Called often; writes seldom. `nth`: of the runs of a sweep, or 0. */
void progress_show(struct progress *p, const char *file, unsigned line, unsigned nth);
/* Takes the line away: something else is to be written. */
void progress_clear(struct progress *p);

#endif
