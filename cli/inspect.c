/* SPDX-License-Identifier: BSD-2-Clause */
/* `sluice inspect`: plays a scenario up to a line and shows what the machine is like then. */
#include "inspect.h"

#include "progress.h"
#include "report.h"
#include "scenario/number.h"
#include "terminal.h"

#include <argp.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Playing -----------------------------------------------------------------------------------
 */

static bool stops_at(const struct inspect_options *o, const struct sc_line *line)
{
    if (o->at)
        return line->number > o->at;
    return !line->subject && !strcmp(line->call->verb->name, "break");
}

/* What came out otherwise is said, but what the machine is like then is shown all the same. */
static void play_line(struct player *p, const struct sc_line *line, FILE *err,
                      struct progress *progress)
{
    struct outcome out;
    struct played played = {.player = p, .line = line, .out = &out};
    struct report report = {.out = err};

    player_line(p, line, &out);
    played.fulfilled = !out.cannot[0] && outcome_fulfils(&out, line, p->vars);
    if (!played_well(&played)) {
        progress_clear(progress);
        report_mismatch(&report, &played);
    }
    outcome_end(&out);
}

static void play(const struct inspect_options *o, struct player *p, struct inspection *in)
{
    struct progress progress;
    unsigned i = 0;

    progress_begin(&progress, o->progress, 1);
    for (; i < p->sc->nr_lines && !p->gone && !stops_at(o, &p->sc->lines[i]); i++) {
        progress_show(&progress, p->sc->file, p->sc->lines[i].number, 0);
        play_line(p, &p->sc->lines[i], o->err, &progress);
        in->line = p->sc->lines[i].number;
    }
    progress_clear(&progress);
    in->ended = i == p->sc->nr_lines;
}

static void show(const struct inspect_options *o, struct player *p)
{
    struct inspection in = {.sc = p->sc,
                            .machine = o->machine->name,
                            .utf8 = o->utf8,
                            .few = o->all ? UINT32_MAX : INSPECT_FEW};

    play(o, p, &in);
    inspect_gather(&in, p->m);
    if (o->json)
        inspect_print_json(&in, o->out);
    else
        inspect_print(&in, o->out);
    arena_free(&in.arena);
}

static int inspect_scenario(const struct inspect_options *o, const struct scenario *sc)
{
    const struct player_config config = {.sc = sc, .machine = o->machine};
    const char *lacks = machine_kind_lacks(o->machine, sc);
    struct outcome at_end = {.status = 0};
    char error[MACHINE_ERROR_SIZE] = "";
    struct player p;

    if (lacks) {
        fprintf(o->err, "%s: needs %s, which machine %s does not have\n", sc->file, lacks,
                o->machine->name);
        return 1;
    }
    if (player_open(&p, &config, error)) {
        fprintf(o->err, "%s: %s\n", sc->file, error);
        return 1;
    }
    show(o, &p);
    player_close(&p, &at_end);
    if (at_end.complaint[0])
        fprintf(o->err, "%s: %s\n", sc->file, at_end.complaint);
    return 0;
}

int inspect_text(const struct inspect_options *o, const char *name, const char *text, size_t size)
{
    struct sc_error error;
    struct scenario *sc = sc_parse(name, text, size, &error);
    int status;

    if (!sc) {
        fprintf(o->err, "%s\n", error.text);
        return 2;
    }
    status = inspect_scenario(o, sc);
    sc_free(sc);
    return status;
}

static int inspect_file(const struct inspect_options *o, const char *path)
{
    const bool standard = !strcmp(path, "-");
    FILE *file = standard ? stdin : fopen(path, "rb");
    char *text = xcalloc(1, SC_MAX_FILE + 1);
    size_t size = file ? fread(text, 1, SC_MAX_FILE + 1, file) : 0;
    int status = 2;

    if (!file || ferror(file))
        fprintf(o->err, "%s: %s\n", path, strerror(errno));
    else
        status = inspect_text(o, standard ? "(stdin)" : path, text, size);
    if (file && !standard)
        fclose(file);
    free(text);
    return status;
}

/* ---- The command line --------------------------------------------------------------------------
 */

struct command_line {
    struct inspect_options options;
    const char *file;
};

enum key { KEY_MACHINE = 'm', KEY_JSON = 'j', KEY_AT = 'l', KEY_ALL = 'a' };

static const struct argp_option options[] = {
    {"machine", KEY_MACHINE, "NAME", 0,
     "Play on soft (the default), vtd or vtd-scalable (both start QEMU), or as a guest with an "
     "emulated VT-d: nested-soft, nested-vtd, and both with -scalable",
     0},
    {"at", KEY_AT, "LINE", 0, "Stop after that line, not at a `break` or at the end", 0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {"all", KEY_ALL, NULL, 0, "Leave nothing out of long lists", 0},
    {0},
};

static const char doc[] =
    "Plays FILE (- for standard input) silently, up to its first line `break` or to its end, and "
    "shows the machine as it is then: units, domains with their contexts and mappings, devices, "
    "frames that were given up but are still mapped, and pending fault records, explained.\v"
    "A line that comes out otherwise than it is written is reported on standard error, and playing "
    "goes on. The status is 0, 1 when the machine cannot play the file, 2 for a bad command line "
    "or file.";

static void choose_machine(struct argp_state *state, struct inspect_options *o, const char *name)
{
    struct words why = {.n = 0};

    o->machine = machine_kind_find(name, &why);
    if (!o->machine)
        argp_failure(state, 2, 0, "%s", why.text);
}

static unsigned line_option(struct argp_state *state, const char *text)
{
    uint64_t number;
    bool overflow;

    if (!number_parse(text, strlen(text), &number, &overflow) || !number || number > UINT32_MAX)
        argp_error(state, "'%s' is no line", text);
    return (unsigned)number;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct command_line *line = state->input;
    struct inspect_options *o = &line->options;

    switch (key) {
    case KEY_MACHINE:
        choose_machine(state, o, arg);
        return 0;
    case KEY_AT:
        o->at = line_option(state, arg);
        return 0;
    case KEY_JSON:
        o->json = true;
        return 0;
    case KEY_ALL:
        o->all = true;
        return 0;
    case ARGP_KEY_END:
        if (state->arg_num != 1)
            argp_error(state, "which FILE? expected one");
        return 0;
    case ARGP_KEY_ARG:
        line->file = arg;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_inspect(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "FILE", .doc = doc};
    struct command_line line = {.options = {.machine = machine_kinds,
                                            .utf8 = terminal_utf8(),
                                            .out = stdout,
                                            .err = stderr,
                                            .progress = terminal_progress() ? stderr : NULL}};

    argp_parse(&argp, argc, argv, 0, NULL, &line);
    return inspect_file(&line.options, line.file);
}
