/* SPDX-License-Identifier: BSD-2-Clause */
/* `sluice play`: its command line. */
#include "commands.h"
#include "run.h"
#include "scenario/number.h"
#include "scenario/verbs/verbs.h"
#include "terminal.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum key {
    KEY_MACHINE = 'm',
    KEY_JSON = 'j',
    KEY_TRACE = 't',
    KEY_KEEP_GOING = 'k',
    KEY_TOUR = 0x100,
    KEY_SWEEP,
    KEY_CONTINUE,
    KEY_MEMORY,
    KEY_STAGES,
    KEY_VERBS,
};

static const struct argp_option options[] = {
    {"machine", KEY_MACHINE, "NAME", 0,
     "Play on soft (the default), vtd or vtd-scalable (both start QEMU), or as a guest with an "
     "emulated VT-d: nested-soft, nested-vtd, and both with -scalable",
     0},
    {"json", KEY_JSON, NULL, 0, "Print one JSON document and nothing else", 0},
    {"trace", KEY_TRACE, NULL, 0, "Print every line with what came out and what it cost", 0},
    {"keep-going", KEY_KEEP_GOING, NULL, 0, "Play on after a line that came out otherwise", 0},
    {"tour", KEY_TOUR, NULL, 0,
     "Tell the file's comments and outcomes as a story; explain what was blocked, and show the "
     "machine at each `break` or at the end",
     0},
    {"sweep", KEY_SWEEP, "alloc|flush", 0,
     "Play once for each allocation (flush) with that one failing", 0},
    {"continue-every", KEY_CONTINUE, "N", 0, "Interrupt hypercalls after every N chunks", 0},
    {"memory", KEY_MEMORY, "direct|coloured", 0,
     "Play with the hardware domain's memory at its machine addresses, or with all memory "
     "scattered, where the file does not say itself where memory is",
     0},
    {"stages", KEY_STAGES, "1|2", 0,
     "Play on units that have one stage of translation, or two, whatever the file says", 0},
    {"verbs", KEY_VERBS, NULL, 0, "List the verbs of a scenario with their fields", 0},
    {0},
};

static const char doc[] =
    "Plays each FILE (- for standard input) on a fresh machine and compares what comes out of "
    "every "
    "line with what is written behind its =>. Beside the machine runs a model of what must be "
    "true; it "
    "is compared with the machine after every line.\v"
    "A line is\n"
    "  SUBJECT: VERB [field=value ...] [-> $var[, field=$var ...]] [=> RESULT [field=value ...]]\n"
    "Numbers are decimal or 0x, with K, M, G; $var wherever a number is; # begins a comment. "
    "RESULT is "
    "0 (required where there is no =>), a number, an errno name without minus, or any; of DMA ok, "
    "blocked or any. Fields behind RESULT are compared exactly, but pgsize_mask and cap_flags need "
    "only "
    "have the given bits: a machine may offer more.\n\n"
    "The last line of output is `N passed, N failed, N skipped`. The status is 0 when every line "
    "came "
    "out as written (files that need what the machine lacks are skipped), 1 when one did not, 2 "
    "for a "
    "bad command line or file.";

static void choose_machine(struct argp_state *state, struct run *run, const char *name)
{
    struct words why = {.n = 0};

    run->machine = machine_kind_find(name, &why);
    if (!run->machine)
        argp_failure(state, 2, 0, "%s", why.text);
}

static void choose_sweep(struct argp_state *state, struct run *run, const char *what)
{
    if (!strcmp(what, "alloc"))
        run->sweep = SWEEP_ALLOC;
    else if (!strcmp(what, "flush"))
        run->sweep = SWEEP_FLUSH;
    else
        argp_error(state, "--sweep=%s: expected alloc or flush", what);
}

static void choose_layout(struct argp_state *state, struct run *run, const char *what)
{
    if (!strcmp(what, "direct"))
        run->layout = LAYOUT_DIRECT;
    else if (!strcmp(what, "coloured"))
        run->layout = LAYOUT_COLOURED;
    else
        argp_error(state, "--memory=%s: expected direct or coloured", what);
}

static unsigned number_option(struct argp_state *state, const char *text)
{
    uint64_t number;
    bool overflow;

    if (!number_parse(text, strlen(text), &number, &overflow) || number > UINT32_MAX)
        argp_error(state, "'%s' is no number", text);
    return (unsigned)number;
}

static unsigned stages_option(struct argp_state *state, const char *what)
{
    if (strcmp(what, "1") && strcmp(what, "2"))
        argp_error(state, "--stages=%s: expected 1 or 2", what);
    return what[0] == '1' ? 1 : 2;
}

static void print_verbs(void)
{
    for (const struct sc_verb *const *group = verb_groups; *group; group++)
        for (const struct sc_verb *verb = *group; verb->name; verb++) {
            struct words w = {.n = 0};

            verb_print(verb, &w);
            puts(w.text);
        }
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct run *run = state->input;

    switch (key) {
    case KEY_MACHINE:
        choose_machine(state, run, arg);
        return 0;
    case KEY_JSON:
        run->report.ops = &report_json;
        return 0;
    case KEY_TRACE:
        run->report.trace = true;
        return 0;
    case KEY_KEEP_GOING:
        run->keep_going = true;
        return 0;
    case KEY_TOUR:
        run->report.ops = &report_tour;
        return 0;
    case KEY_SWEEP:
        choose_sweep(state, run, arg);
        return 0;
    case KEY_MEMORY:
        choose_layout(state, run, arg);
        return 0;
    case KEY_STAGES:
        run->stages = stages_option(state, arg);
        return 0;
    case KEY_CONTINUE:
        run->continue_every = number_option(state, arg);
        return 0;
    case KEY_VERBS:
        print_verbs();
        exit(0);
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "which FILE?");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int command_play(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options, .parser = parse, .args_doc = "FILE...", .doc = doc};
    struct run run = {
        .machine = machine_kinds,
        .err = stderr,
        .report = {.ops = &report_text,
                   .out = stdout,
                   .colour = terminal_colour(),
                   .utf8 = terminal_utf8()},
    };
    int first = 0;

    argp_parse(&argp, argc, argv, 0, &first, &run);
    run.report.machine = run.machine->name;
    if (terminal_progress() && !run.report.trace && run.report.ops != &report_tour)
        progress_begin(&run.progress, stderr, (unsigned)(argc - first));
    for (int i = first; i < argc; i++)
        run_file(&run, argv[i]);
    return run_end(&run);
}
