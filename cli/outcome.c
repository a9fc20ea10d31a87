/* SPDX-License-Identifier: BSD-2-Clause */
/* Filling in what came out of a line, and comparing it with what was expected. */
#include "outcome.h"

#include "../iommu/abi/errno.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void outcome_begin(struct outcome *out, const struct sc_line *line)
{
    memset(out, 0, sizeof(*out));
    for (const struct sc_call *call = line->call;; out = out->next) {
        out->verb = sc_innermost(call)->verb;
        call = call->next;
        if (!call)
            return;
        out->next = xcalloc(1, sizeof(*out->next));
    }
}

void outcome_end(struct outcome *out)
{
    struct outcome *next = out->next;

    free(out->data);
    out->data = NULL;
    out->next = NULL;
    while (next) {
        out = next;
        next = out->next;
        free(out->data);
        free(out);
    }
}

void outcome_cannot(struct outcome *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(out->cannot, sizeof(out->cannot), format, args);
    va_end(args);
}

/* The first complaint stays: the others often follow from it. */
void outcome_complain(struct outcome *out, const char *format, ...)
{
    va_list args;

    if (out->complaint[0])
        return;
    va_start(args, format);
    vsnprintf(out->complaint, sizeof(out->complaint), format, args);
    va_end(args);
}

static struct got *add(struct outcome *out, const char *field)
{
    const struct sc_spec *spec = sc_spec_find(out->verb->fields, field);
    struct got *got = &out->got[out->nr_got];

    if (!spec || out->nr_got == OUTCOME_FIELDS)
        return NULL;
    out->nr_got++;
    got->spec = spec;
    return got;
}

struct got *outcome_number(struct outcome *out, const char *field, uint64_t number)
{
    struct got *got = add(out, field);

    if (got)
        got->number = number;
    return got;
}

void outcome_text(struct outcome *out, const char *field, const char *text)
{
    struct got *got = add(out, field);

    if (got)
        got->text = text;
}

static void add_fill(struct outcome *out, const uint8_t *data, size_t size)
{
    struct got *got = add(out, "fill");

    if (!got)
        return;
    got->number = size ? data[0] : 0;
    got->mixed = !size;
    for (size_t i = 1; i < size; i++)
        got->mixed |= data[i] != data[0];
}

static void add_bytes(struct outcome *out, const uint8_t *data, size_t size)
{
    struct got *got = add(out, "bytes");

    if (!got)
        return;
    got->bytes = data;
    got->nr_bytes = size;
}

void outcome_data(struct outcome *out, uint8_t *data, size_t size)
{
    uint64_t number = 0;

    out->data = data;
    add_fill(out, data, size);
    add_bytes(out, data, size);
    if (size < sizeof(number))
        return;
    for (size_t i = sizeof(number); i > 0; i--)
        number = number << 8 | data[i - 1];
    outcome_number(out, "u64", number);
}

const struct got *outcome_got(const struct outcome *out, const struct sc_spec *spec)
{
    for (unsigned i = 0; i < out->nr_got; i++)
        if (out->got[i].spec == spec)
            return &out->got[i];
    return NULL;
}

static bool status_fulfils(const struct outcome *out, const struct sc_expect *expect,
                           const uint64_t *vars)
{
    switch (expect->what) {
    case SC_EXPECT_ANY:
        return true;
    case SC_EXPECT_OK:
        return out->status == 0;
    case SC_EXPECT_BLOCKED:
        return out->status == -EACCES;
    default:
        return out->status == (long)value_number(&expect->value, vars);
    }
}

static bool field_fulfils(const struct outcome *out, const struct sc_setting *want,
                          const uint64_t *vars)
{
    const struct got *got = outcome_got(out, want->spec);
    uint64_t number = value_number(&want->value, vars);

    if (!got || got->mixed)
        return false;
    if (want->value.bytes)
        return got->nr_bytes == want->value.nr_bytes &&
               !memcmp(got->bytes, want->value.bytes, got->nr_bytes);
    if (want->spec->kind == SC_LABEL)
        return got->text && !strcmp(got->text, want->value.text);
    /* A machine may offer more capabilities and page sizes than a scenario asks for. */
    if (want->spec->at_least)
        return (got->number & number) == number;
    return got->number == number;
}

static bool call_fulfils(const struct outcome *out, const struct sc_expect *expect,
                         const uint64_t *vars)
{
    if (!status_fulfils(out, expect, vars))
        return false;
    for (unsigned i = 0; i < expect->nr_fields; i++)
        if (!field_fulfils(out, &expect->fields[i], vars))
            return false;
    return true;
}

bool outcome_fulfils(const struct outcome *out, const struct sc_line *line, const uint64_t *vars)
{
    for (const struct sc_call *call = line->call; call; call = call->next, out = out->next)
        if (!call_fulfils(out, &call->expect, vars))
            return false;
    return true;
}
