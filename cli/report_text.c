/* SPDX-License-Identifier: BSD-2-Clause */
/* Text: what went wrong, and with --trace every line with what it cost. */
#include "report.h"

#include <inttypes.h>

void report_mismatch(struct report *r, const struct played *played)
{
    const struct scenario *sc = played->player->sc;
    struct words want = {.n = 0}, got = {.n = 0};

    fprintf(r->out, "%s:%u: %s\n", sc->file, played->line->number, played->line->text);
    if (played->nth)
        fprintf(r->out, "  when failure %u was injected\n", played->nth);
    if (!played->fulfilled) {
        expect_print(played->line, played->player->vars, &want);
        outcome_print(played->out, played->line, &got);
        if (played->out->why[0])
            words_add(&got, " (%s)", played->out->why);
        fprintf(r->out, "  expected %s\n  got %s\n", want.text, got.text);
    }
    if (played->out->complaint[0])
        fprintf(r->out, "  %s\n", played->out->complaint);
}

static void trace(struct report *r, const struct played *played)
{
    const struct machine_stats *before = &played->player->before, *after = &played->player->after;
    struct words got = {.n = 0};

    outcome_print(played->out, played->line, &got);
    fprintf(r->out,
            "%s:%u: %s\n  %s  (exits %" PRIu64 ", submissions %" PRIu64 ", allocations %" PRIu64
            ")\n",
            played->player->sc->file, played->line->number, played->line->text, got.text,
            after->exits - before->exits, after->submissions - before->submissions,
            after->allocs - before->allocs);
}

static void text_file(struct report *r, const struct scenario *sc)
{
    (void)r;
    (void)sc;
}

static void text_line(struct report *r, const struct played *played)
{
    if (r->trace && !played->nth)
        trace(r, played);
    if (!played_well(played))
        report_mismatch(r, played);
}

void report_file_end(struct report *r, const struct file_result *result)
{
    const char *what = result->sweep == SWEEP_ALLOC ? "allocation" : "flush";

    if (result->nr_runs)
        fprintf(r->out, "%s: %u runs, each with another failing %s\n", result->file,
                result->nr_runs, what);
    if (!result->reason[0])
        return;
    fputs(result->file, r->out);
    if (result->line)
        fprintf(r->out, ":%u", result->line);
    fprintf(r->out, ": %s%s\n", result->verdict == VERDICT_SKIPPED ? "skipped: " : "",
            result->reason);
}

void report_counts(struct report *r, const unsigned counts[NR_VERDICTS])
{
    fprintf(r->out, "%u passed, %u failed, %u skipped\n", counts[VERDICT_PASSED],
            counts[VERDICT_FAILED], counts[VERDICT_SKIPPED]);
}

const struct report_ops report_text = {text_file, text_line, report_file_end, report_counts};
