/* SPDX-License-Identifier: BSD-2-Clause */
/* Playing files: once each, or in a sweep. */
#ifndef CLI_RUN_H
#define CLI_RUN_H

#include "machines.h"
#include "progress.h"
#include "report.h"

struct run {
    const struct machine_kind *machine;
    bool keep_going;
    enum sweep sweep;
    enum layout layout;
    unsigned continue_every;
    unsigned stages; /* of units; 0: as the file says */
    FILE *err;
    struct report report;
    struct progress progress;
    unsigned counts[NR_VERDICTS];
    bool bad; /* a file could not be read or understood */
};

/* Plays a file, or "-" for standard input; reports and counts it. */
void run_file(struct run *run, const char *path);
/* The same for text in memory. */
void run_text(struct run *run, const char *name, const char *text, size_t size);
/* Ends the report. Returns the command's exit status: 0, 1 (something failed), 2 (bad file). */
int run_end(struct run *run);

/* ---- For run.c and sweep.c ---------------------------------------------------------------------
 */

/* There is no machine as the file wants it. */
void run_no_machine(const struct scenario *sc, int err, const char *why,
                    struct file_result *result);
/* Plays the lines on a machine that is open; false: one of them is wrong. */
bool run_lines(struct run *run, struct player *p, unsigned nth);
/* Repeats the scenario with the first, second, ... failure, until none is left to inject. */
void run_sweep(struct run *run, const struct scenario *sc, struct file_result *result);

#endif
