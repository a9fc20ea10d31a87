/* SPDX-License-Identifier: BSD-2-Clause */
/* The `sluice` command: picks the subcommand. */
#include "commands.h"
#include "inspect.h"

#include <argp.h>
#include <errno.h>
#include <locale.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#ifndef SLUICE_VERSION
#define SLUICE_VERSION "0.1.0"
#endif

const char *argp_program_version = "sluice " SLUICE_VERSION;

const struct command commands[] = {
    {"play", "play scenario files on a machine and compare what comes out", command_play},
    {"inspect", "show what a machine is like at the end of a scenario, or at a line",
     command_inspect},
    {"replay", "play a recorded stream of maps and unmaps, and say what it cost", command_replay},
    {NULL, NULL, NULL},
};

struct chosen {
    const struct command *command;
    int at; /* in argv */
};

static const struct command *find(const char *name)
{
    for (const struct command *command = commands; command->name; command++)
        if (!strcmp(command->name, name))
            return command;
    return NULL;
}

/* The first word ends sluice's own options; the rest is the subcommand's. */
static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct chosen *chosen = state->input;

    switch (key) {
    case ARGP_KEY_ARG:
        chosen->command = find(arg);
        if (!chosen->command)
            argp_error(state, "unknown command '%s'", arg);
        chosen->at = state->next - 1;
        state->next = state->argc;
        return 0;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* The list of commands for --help, from their table. */
static char *help(int key, const char *text, void *input)
{
    static const char form[] = "  %-8s %s\n";
    char *list = NULL;
    size_t size;
    FILE *out;

    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC)
        return (char *)(uintptr_t)text;
    out = open_memstream(&list, &size);
    if (!out)
        return NULL;
    fputs("Commands:\n", out);
    for (const struct command *command = commands; command->name; command++)
        fprintf(out, form, command->name, command->help);
    fputs("\n`sluice COMMAND --help` says more about one.\n", out);
    fclose(out);
    return list;
}

/* What could not be written was not said: a full disk, a closed descriptor. */
static int ended(int status)
{
    if (!fflush(stdout) && !ferror(stdout))
        return status;
    fprintf(stderr, "sluice: standard output: %s\n", strerror(errno));
    return 2;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .parser = parse,
        .args_doc = "COMMAND [ARGUMENT...]",
        .doc =
            "Sluice, a paravirtualised IOMMU for hypervisors: plays and inspects what it does.\v",
        .help_filter = help,
    };
    struct chosen chosen = {.command = NULL};
    char name[64];

    setlocale(LC_CTYPE, "");
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &chosen);
    if (!chosen.command)
        return 2;
    snprintf(name, sizeof(name), "sluice %s", chosen.command->name);
    argv[chosen.at] = name;
    return ended(chosen.command->run(argc - chosen.at, argv + chosen.at));
}
