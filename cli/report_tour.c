/* SPDX-License-Identifier: BSD-2-Clause */
/* A tour: the file's own comments tell the story, each command shows what came out in words. */
#include "report.h"

#include <string.h>

static const char *colour(const struct report *r, const char *code)
{
    return r->colour ? code : "";
}

#define BOLD  "\033[1m"
#define GREEN "\033[32m"
#define RED   "\033[31m"
#define PLAIN "\033[0m"

/* A comment line is narration; the licence is not part of the story. */
static void narrate(struct report *r, const char *line)
{
    line += strspn(line, " \t");
    if (!*line || !strcmp(line, "\r"))
        fputs("\n", r->out);
    if (*line != '#' || strstr(line, "SPDX-"))
        return;
    line++;
    fprintf(r->out, "%s\n", line + (*line == ' '));
}

static void narrate_until(struct report *r, const struct scenario *sc, unsigned number)
{
    for (; r->narrated < number && r->narrated < sc->nr_source; r->narrated++)
        narrate(r, sc->source[r->narrated]);
}

static void tour_file(struct report *r, const struct scenario *sc)
{
    (void)sc;
    r->narrated = 0;
}

static void tour_line(struct report *r, const struct played *played)
{
    const struct sc_line *line = played->line;
    bool stopped = played->out->status < 0;
    struct words words = {.n = 0};

    narrate_until(r, played->player->sc, line->number);
    outcome_tell(played->out, line, played->player->vars, &words);
    fprintf(r->out, "  %s> %s%s\n", colour(r, BOLD), line->text, colour(r, PLAIN));
    if (words.n)
        fprintf(r->out, "    %s%s%s\n", colour(r, stopped ? RED : GREEN), words.text,
                colour(r, PLAIN));
    if (!played_well(played))
        report_mismatch(r, played);
}

static void tour_end(struct report *r, const struct file_result *result)
{
    report_file_end(r, result);
    fputs("\n", r->out);
}

const struct report_ops report_tour = {tour_file, tour_line, tour_end, report_counts};
