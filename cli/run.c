/* SPDX-License-Identifier: BSD-2-Clause */
/* A file: read, parsed as a whole, asked what it needs, played on a fresh machine. */
#include "run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void result_reason(struct file_result *result, enum verdict verdict, const char *reason)
{
    result->verdict = verdict;
    snprintf(result->reason, sizeof(result->reason), "%s", reason);
}

/* The line with the image that the words name, or else the one that says what machine it is. */
static unsigned line_about(const struct scenario *sc, const char *why)
{
    unsigned number = 0;

    for (unsigned i = 0; i < sc->nr_lines; i++) {
        const struct sc_line *line = &sc->lines[i];
        const char *image = sc_text(line->call, "image", NULL);

        if (image && strstr(why, image))
            return line->number;
        if (line->call->verb->setup)
            number = line->number;
    }
    return number;
}

void run_no_machine(const struct scenario *sc, int err, const char *why, struct file_result *result)
{
    unsigned number;

    if (err == -EOPNOTSUPP) {
        result_reason(result, VERDICT_SKIPPED, why);
        return;
    }
    number = line_about(sc, why);
    result->line = number ? number : 1; /* without a machine line, it is about the beginning */
    result_reason(result, VERDICT_FAILED, why);
}

/* A sweep does not compare: there, lines may fail and later ones miss what they are about. */
static bool run_line(struct run *run, struct player *p, const struct sc_line *line, unsigned nth)
{
    struct outcome out;
    struct played played = {.player = p, .line = line, .out = &out, .nth = nth};
    bool well;

    progress_show(&run->progress, p->sc->file, line->number, nth);
    player_line(p, line, &out);
    played.fulfilled = nth || (!out.cannot[0] && outcome_fulfils(&out, line, p->vars));
    well = played_well(&played);
    if (!well)
        progress_clear(&run->progress);
    run->report.ops->line(&run->report, &played);
    outcome_end(&out);
    return well;
}

bool run_lines(struct run *run, struct player *p, unsigned nth)
{
    bool well = true;

    for (unsigned i = 0; i < p->sc->nr_lines && (well || run->keep_going) && !p->gone; i++)
        well &= run_line(run, p, &p->sc->lines[i], nth);
    return well;
}

static void run_once(struct run *run, const struct scenario *sc, struct file_result *result)
{
    const struct player_config config = {.sc = sc,
                                         .machine = run->machine,
                                         .continue_every = run->continue_every,
                                         .layout = run->layout,
                                         .stages = run->stages};
    struct outcome at_end = {.status = 0};
    struct player p;
    char error[MACHINE_ERROR_SIZE] = "";
    const int err = player_open(&p, &config, error);

    if (err) {
        run_no_machine(sc, err, error, result);
        return;
    }
    if (!run_lines(run, &p, 0))
        result->verdict = VERDICT_FAILED;
    machine_stats(p.m, &result->stats);
    result->run = true;
    player_close(&p, &at_end);
    if (at_end.complaint[0])
        result_reason(result, VERDICT_FAILED, at_end.complaint);
}

/* Does the file say where memory is to be? Then it is about that. And a direct-mapped domain that
 * populates gets the frame that it had, or none. */
static bool says_where(const struct scenario *sc, enum layout layout)
{
    for (unsigned i = 0; i < sc->nr_lines; i++) {
        const struct sc_call *call = sc->lines[i].call;

        if (sc_get(call, "direct_mapped") || sc_get(call, "scattered") ||
            !strcmp(call->verb->name, "leaf") ||
            (layout == LAYOUT_DIRECT && !strcmp(call->verb->name, "populate")))
            return true;
    }
    return false;
}

static void play(struct run *run, const struct scenario *sc, struct file_result *result)
{
    const char *lacks = machine_kind_lacks(run->machine, sc);

    run->report.ops->file(&run->report, sc);
    if (lacks) {
        result->verdict = VERDICT_SKIPPED;
        snprintf(result->reason, sizeof(result->reason), "needs %s, which machine %s does not have",
                 lacks, run->machine->name);
    } else if (run->layout != LAYOUT_WRITTEN && says_where(sc, run->layout)) {
        result_reason(result, VERDICT_SKIPPED, "it says itself where memory is");
    } else if (run->sweep != SWEEP_NONE) {
        run_sweep(run, sc, result);
    } else {
        run_once(run, sc, result);
    }
}

static void settle(struct run *run, const struct file_result *result)
{
    run->counts[result->verdict]++;
    progress_clear(&run->progress);
    run->report.ops->file_end(&run->report, result);
}

/* A file that cannot be played: said on stderr, so that JSON stays alone on stdout. */
static void reject(struct run *run, const char *name, const char *why)
{
    struct file_result result = {.file = name, .verdict = VERDICT_FAILED};

    progress_clear(&run->progress);
    fprintf(run->err, "%s\n", why);
    if (run->report.ops == &report_json)
        result_reason(&result, VERDICT_FAILED, why);
    run->bad = true;
    settle(run, &result);
}

void run_text(struct run *run, const char *name, const char *text, size_t size)
{
    struct file_result result = {.file = name, .verdict = VERDICT_PASSED};
    struct sc_error error;
    struct scenario *sc = sc_parse(name, text, size, &error);

    if (!sc) {
        reject(run, name, error.text);
        return;
    }
    play(run, sc, &result);
    settle(run, &result);
    sc_free(sc);
}

/* Everything up to one byte more than is allowed. NULL: errno says why. */
static char *read_all(FILE *file, size_t *size)
{
    char *text = xcalloc(1, SC_MAX_FILE + 1);

    *size = fread(text, 1, SC_MAX_FILE + 1, file);
    if (!ferror(file))
        return text;
    free(text);
    return NULL;
}

void run_file(struct run *run, const char *path)
{
    bool standard = !strcmp(path, "-");
    FILE *file = standard ? stdin : fopen(path, "rb");
    char *text = NULL, why[400];
    size_t size;

    run->progress.file++;
    if (file)
        text = read_all(file, &size);
    if (text) {
        run_text(run, standard ? "(stdin)" : path, text, size);
    } else {
        snprintf(why, sizeof(why), "%.300s: %s", path, strerror(errno));
        reject(run, path, why);
    }
    free(text);
    if (file && !standard)
        fclose(file);
}

int run_end(struct run *run)
{
    run->report.ops->end(&run->report, run->counts);
    if (run->bad)
        return 2;
    return run->counts[VERDICT_FAILED] ? 1 : 0;
}
