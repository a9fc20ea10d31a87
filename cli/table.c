/* SPDX-License-Identifier: BSD-2-Clause */
/* Columns of text. */
#include "table.h"

#include "scenario/alloc.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void table_line(struct table *t)
{
    if (t->nr_lines == t->room) {
        const unsigned room = t->room ? 2 * t->room : 8;
        char *(*more)[TABLE_COLUMNS] = xcalloc(room, sizeof(*more));

        if (t->nr_lines)
            memcpy(more, t->line, t->nr_lines * sizeof(*more));
        free(t->line);
        t->line = more;
        t->room = room;
    }
    t->nr_lines++;
    t->nr_cells = 0;
}

void table_cell(struct table *t, const char *format, ...)
{
    char text[1024], *copy;
    va_list args;
    size_t size;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (!t->nr_lines || t->nr_cells == TABLE_COLUMNS)
        return;
    size = strlen(text) + 1;
    copy = xcalloc(size, 1);
    memcpy(copy, text, size);
    t->line[t->nr_lines - 1][t->nr_cells++] = copy;
}

static int width_of(const struct table *t, unsigned column)
{
    size_t width = 0;

    for (unsigned i = 0; i < t->nr_lines; i++) {
        const char *cell = t->line[i][column];

        if (cell && strlen(cell) > width)
            width = strlen(cell);
    }
    return (int)width;
}

static bool is_last(char *const *line, unsigned column)
{
    for (unsigned k = column + 1; k < TABLE_COLUMNS; k++)
        if (line[k] && line[k][0])
            return false;
    return true;
}

/* Nothing is printed behind the last text. */
static void print_line(char *const *line, const int *width, const char *sides, FILE *out)
{
    const size_t nr_sides = strlen(sides);

    for (unsigned k = 0; k < TABLE_COLUMNS; k++) {
        const bool right = k < nr_sides && sides[k] == 'r';
        const bool last = is_last(line, k);

        if (right)
            fprintf(out, "%*s", width[k], line[k] ? line[k] : "");
        else
            fprintf(out, "%-*s", last ? 0 : width[k], line[k] ? line[k] : "");
        if (last)
            break;
        fputs("  ", out);
    }
    fputs("\n", out);
}

void table_print(struct table *t, const char *indent, const char *sides, FILE *out)
{
    int width[TABLE_COLUMNS];

    for (unsigned k = 0; k < TABLE_COLUMNS; k++)
        width[k] = width_of(t, k);
    for (unsigned i = 0; i < t->nr_lines; i++) {
        fputs(indent, out);
        print_line(t->line[i], width, sides, out);
        for (unsigned k = 0; k < TABLE_COLUMNS; k++)
            free(t->line[i][k]);
    }
    free(t->line);
    *t = (struct table){.line = NULL};
}
