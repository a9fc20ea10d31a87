/* SPDX-License-Identifier: BSD-2-Clause */
/* What came out of a line, beside what was expected of it. */
#ifndef CLI_OUTCOME_H
#define CLI_OUTCOME_H

#include "scenario/scenario.h"

#include <stdarg.h>

#define OUTCOME_FIELDS 16

struct got {
    const struct sc_spec *spec;
    uint64_t number;
    const char *text; /* of names, and how a number is called */
    bool untouched;   /* the call did not write it */
    const uint8_t *bytes;
    size_t nr_bytes;
    bool mixed; /* bytes that are not all the same have no fill */
};

struct outcome {
    const struct sc_verb *verb; /* whose fields these are */
    long status;                /* 0 or a count, or -errno; blocked DMA is -EACCES */
    struct got got[OUTCOME_FIELDS];
    unsigned nr_got;
    uint8_t *data;        /* what `bytes` is in */
    bool absent;          /* what the line is about does not exist */
    char cannot[240];     /* the line could not be played; why */
    char why[160];        /* more about an error, from the machine */
    char complaint[512];  /* the ghost model, or another check, disagrees */
    struct outcome *next; /* of an array: what came out of the next call */
};

/* Text of bounded length; what does not fit is cut. */
struct words {
    char text[1024];
    size_t n;
};

/* One for each call of the line. What cannot be played, and complaints, are in the first. */
void outcome_begin(struct outcome *out, const struct sc_line *line);
void outcome_end(struct outcome *out);
void outcome_cannot(struct outcome *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void outcome_complain(struct outcome *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* What a field got. Fields that the verb does not have are left out (NULL). */
struct got *outcome_number(struct outcome *out, const char *field, uint64_t number);
void outcome_text(struct outcome *out, const char *field, const char *text);
/* Takes the bytes over, as fill=, bytes= and u64=. */
void outcome_data(struct outcome *out, uint8_t *data, size_t size);
const struct got *outcome_got(const struct outcome *out, const struct sc_spec *spec);

/* Is it what the line wants? Says nothing about complaints. */
bool outcome_fulfils(const struct outcome *out, const struct sc_line *line, const uint64_t *vars);

void words_add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "EINVAL mapped=0"; of quiet fields those that the line asks for. */
void outcome_print(const struct outcome *out, const struct sc_line *line, struct words *w);
void expect_print(const struct sc_line *line, const uint64_t *vars, struct words *w);
/* For people: "done, mapped=4", "refused: ENOENT (...)", "blocked". */
void outcome_tell(const struct outcome *out, const struct sc_line *line, struct words *w);

static inline uint64_t value_number(const struct sc_value *value, const uint64_t *vars)
{
    return value->is_var ? vars[value->var] : value->number;
}

#endif
