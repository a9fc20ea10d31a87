/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines of cells, each column as wide as its widest cell. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include <stdio.h>

#define TABLE_COLUMNS 16

/* Begins empty, all zeros. A line has at most TABLE_COLUMNS cells. */
struct table {
    char *(*line)[TABLE_COLUMNS];
    unsigned nr_lines, room, nr_cells; /* of the last line */
};

void table_line(struct table *t);
/* Appends to the last line. */
void table_cell(struct table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/*
 * Prints all lines behind `indent` and empties the table. sides[i] is 'l' or 'r': where column i
 * has its text; columns without a letter have it left.
 */
void table_print(struct table *t, const char *indent, const char *sides, FILE *out);

#endif
