/* SPDX-License-Identifier: BSD-2-Clause */
/* The subcommands, a file each. They get their own arguments, argv[0] being "sluice NAME". */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

struct command {
    const char *name; /* NULL ends the table */
    const char *help;
    int (*run)(int argc, char **argv);
};

extern const struct command commands[];

int command_play(int argc, char **argv);
int command_replay(int argc, char **argv);

#endif
