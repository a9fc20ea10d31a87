/* SPDX-License-Identifier: BSD-2-Clause */
/* How the outcome of a run is shown: as text, as a tour, or as JSON. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

#include "player.h"

#include <stdio.h>

enum verdict { VERDICT_PASSED, VERDICT_FAILED, VERDICT_SKIPPED, NR_VERDICTS };

/* A line that was played. */
struct played {
    const struct player *player;
    const struct sc_line *line;
    const struct outcome *out;
    bool fulfilled; /* it came out as written */
    unsigned nth;   /* of a sweep: which failure was injected, otherwise 0 */
};

struct file_result {
    const char *file;
    enum verdict verdict;
    char reason[600]; /* why it was skipped, or failed beside its lines */
    unsigned line;    /* that the reason is about; 0: the whole file */
    bool run;         /* stats are there */
    struct machine_stats stats;
    enum sweep sweep;
    unsigned nr_runs; /* of a sweep */
};

struct report;

struct report_ops {
    void (*file)(struct report *r, const struct scenario *sc);
    void (*line)(struct report *r, const struct played *played);
    void (*file_end)(struct report *r, const struct file_result *result);
    void (*end)(struct report *r, const unsigned counts[NR_VERDICTS]);
};

struct report {
    const struct report_ops *ops;
    FILE *out;
    const char *machine;
    bool trace;
    bool colour, utf8;
    unsigned narrated;    /* tour: lines of the file that were looked at */
    bool begun, shown;    /* tour: of the file a line was played, the machine was shown */
    struct json_t *files; /* json */
    struct json_t *lines;
};

extern const struct report_ops report_text, report_tour, report_json;

/* Nothing to say against the line? */
static inline bool played_well(const struct played *played)
{
    return played->fulfilled && !played->out->complaint[0];
}

/* What is wrong with the line, as text. */
void report_mismatch(struct report *r, const struct played *played);
/* What is to say about a file beside its lines. */
void report_file_end(struct report *r, const struct file_result *result);
void report_counts(struct report *r, const unsigned counts[NR_VERDICTS]);

#endif
