/* SPDX-License-Identifier: BSD-2-Clause */
/* A tour: the file's own comments tell the story, each command shows what came out in words. */
#include "inspect.h"
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

#define TOUR_FEW 6u /* runs of a context that are shown */

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
    r->begun = r->shown = false;
}

/* ---- What a line says --------------------------------------------------------------------------
 */

#define WIDTH  80 /* of lines, where words can be broken */
#define INDENT 4
#define BESIDE 50 /* where an outcome begins that stands beside its command */

/* Words of `text` from `column` on, over as many lines as it takes. */
static void wrap(FILE *out, const char *text, size_t column)
{
    const char *blank = "";

    for (size_t word; *text; text += word + strspn(text + word, " ")) {
        word = strcspn(text, " ");
        if (column > INDENT && column + 1 + word > WIDTH) {
            fprintf(out, "\n%*s", INDENT, "");
            column = INDENT;
            blank = "";
        }
        fprintf(out, "%s%.*s", blank, (int)word, text);
        column += word + 1;
        blank = " ";
    }
    fputs("\n", out);
}

/* The command, without what is expected of it: what came out stands behind it. */
static int command_length(const char *text)
{
    const char *expected = strstr(text, " =>");

    return expected && !strstr(expected, "->") ? (int)(expected - text) : (int)strlen(text);
}

static void look(const struct report *r, const struct player *p, struct inspection *in)
{
    *in = (struct inspection){.sc = p->sc, .machine = r->machine, .utf8 = r->utf8, .few = TOUR_FEW};
    inspect_gather(in, p->m);
}

/* The same words as `sluice inspect` has for the record. */
static void add_why(const struct report *r, const struct played *played, struct words *w)
{
    const struct player *p = played->player;
    struct inspection in;

    look(r, p, &in);
    words_add(w, ": ");
    words_blocked(w, &in, played->line->subject, p->after.faults > p->before.faults);
    arena_free(&in.arena);
}

static bool was_blocked(const struct played *played)
{
    return played->out->verb->style == SC_DMA && played->out->status == -EACCES;
}

/* The column of an outcome beside a command of that length; 0: it goes below. */
static int beside(const struct played *played, int length, size_t size)
{
    const int end = INDENT + length + 2;
    const int column = end > BESIDE ? end : BESIDE;

    return was_blocked(played) || (size_t)column + size > WIDTH ? 0 : column;
}

static void say(struct report *r, const struct played *played)
{
    const int length = command_length(played->line->text);
    const bool stopped = played->out->status < 0;
    struct words words = {.n = 0};
    int column;

    outcome_tell(played->out, played->line, &words);
    column = beside(played, length, words.n);
    if (was_blocked(played))
        add_why(r, played, &words);
    fprintf(r->out, "  %s> %.*s%s", colour(r, BOLD), length, played->line->text, colour(r, PLAIN));
    if (words.n) {
        fprintf(r->out, "%s%*s%s", column ? "" : "\n", column ? column - INDENT - length : INDENT,
                "", colour(r, stopped ? RED : GREEN));
        wrap(r->out, words.text, INDENT);
        fputs(colour(r, PLAIN), r->out);
    } else {
        fputs("\n", r->out);
    }
}

/* ---- The machine -------------------------------------------------------------------------------
 */

static void show_hardware(struct report *r, const struct player *p)
{
    struct sluice *s = machine_sluice(p->m);
    struct sluice_unit_info unit;

    fprintf(r->out, "    %s", colour(r, GREEN));
    wrap(r->out, machine_hardware(p->m), INDENT);
    for (unsigned i = 0; !sluice_unit_info(s, i, &unit); i++) {
        struct words w = {.n = 0};

        words_add(&w, "unit %u, ", i);
        words_unit(&w, &unit, ", ");
        fprintf(r->out, "%*s", INDENT, "");
        wrap(r->out, w.text, INDENT);
    }
    fputs(colour(r, PLAIN), r->out);
}

static void show_machine(struct report *r, const struct player *p)
{
    struct inspection in;

    look(r, p, &in);
    fputs("\n", r->out);
    inspect_print_brief(&in, r->out);
    arena_free(&in.arena);
    r->shown = true;
}

static bool is_break(const struct sc_line *line)
{
    return !line->subject && !strcmp(line->call->verb->name, "break");
}

static void tour_line(struct report *r, const struct played *played)
{
    const struct player *p = played->player;
    const struct sc_line *line = played->line;

    narrate_until(r, p->sc, line->number);
    if (is_break(line)) {
        show_machine(r, p);
        return;
    }
    say(r, played);
    if (!r->begun)
        show_hardware(r, p);
    r->begun = true;
    if (!played_well(played))
        report_mismatch(r, played);
    if (line == &p->sc->lines[p->sc->nr_lines - 1] && !r->shown)
        show_machine(r, p);
}

static void tour_end(struct report *r, const struct file_result *result)
{
    report_file_end(r, result);
    fputs("\n", r->out);
}

const struct report_ops report_tour = {tour_file, tour_line, tour_end, report_counts};
