/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest's processor writes and reads its memory. */
#include "verbs.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DATA (64ull << 20)

static const struct sc_spec write_fields[] = {
    {.name = "gfn", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "offset", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "len", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "fill", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "bytes", .dir = SC_IN, .kind = SC_BYTES},
    {.name = "u64", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = NULL},
};
static const struct sc_spec read_fields[] = {
    {.name = "gfn", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "offset", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "len", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = "fill", .dir = SC_OUT, .kind = SC_NUMBER, .size = 1},
    {.name = "bytes", .dir = SC_OUT, .kind = SC_BYTES, .quiet = true},
    {.name = "u64", .dir = SC_OUT, .kind = SC_NUMBER, .quiet = true},
    {.name = NULL},
};

/* Bytes that the line gives, or expects; NULL when there are none. */
static const struct sc_value *given(const struct sc_line *line, const char *name)
{
    const struct sc_expect *expect = &line->call->expect;
    const struct sc_value *value = sc_get(line->call, name);

    for (unsigned i = 0; !value && i < expect->nr_fields; i++)
        if (!strcmp(expect->fields[i].spec->name, name))
            value = &expect->fields[i].value;
    return value;
}

bool size_of_line(struct player *p, const struct sc_line *line, size_t *size, struct outcome *out)
{
    const struct sc_value *bytes = given(line, "bytes"), *len = sc_get(line->call, "len");
    uint64_t n = 0;

    if (len)
        n = value_number(len, p->vars);
    else if (bytes)
        n = bytes->nr_bytes;
    else if (given(line, "u64"))
        n = sizeof(uint64_t);
    else
        outcome_cannot(out, "how many bytes? expected len=");
    if (n > MAX_DATA)
        outcome_cannot(out, "len=%" PRIu64 ", expected at most 64M", n);
    *size = (size_t)n;
    return !out->cannot[0];
}

/* The given bytes over and over, so that one byte is a fill. */
static void repeat(uint8_t *to, size_t size, const uint8_t *from, size_t nr)
{
    for (size_t i = 0; i < size; i++)
        to[i] = from[i % nr];
}

uint8_t *data_of_line(struct player *p, const struct sc_line *line, size_t *size,
                      struct outcome *out)
{
    const struct sc_value *bytes = sc_get(line->call, "bytes"), *word = sc_get(line->call, "u64");
    const struct sc_value *fill = sc_get(line->call, "fill");
    uint64_t value = value_number(word   ? word
                                  : fill ? fill
                                         : &(struct sc_value){.number = 0},
                                  p->vars);
    uint8_t le[8], *data;

    if (!!bytes + !!word + !!fill > 1) {
        outcome_cannot(out, "expected one of fill=, bytes=, u64=");
        return NULL;
    }
    if (!size_of_line(p, line, size, out))
        return NULL;
    for (unsigned i = 0; i < sizeof(le); i++)
        le[i] = (uint8_t)(value >> (8 * i));
    data = xcalloc(*size, 1);
    if (bytes)
        repeat(data, *size, bytes->bytes, bytes->nr_bytes);
    else
        repeat(data, *size, le, word ? sizeof(le) : 1);
    return data;
}

/* False when it is no address. */
static bool guest_address(struct player *p, const struct sc_call *call, uint64_t *gpa,
                          struct outcome *out)
{
    uint64_t gfn = player_number(p, call, "gfn"), offset = player_number(p, call, "offset");

    if (gfn <= UINT64_MAX >> FRAME_LG2 && !__builtin_add_overflow(gfn << FRAME_LG2, offset, gpa))
        return true;
    outcome_cannot(out, "gfn=0x%" PRIx64 " is beyond all addresses", gfn);
    return false;
}

static void run_write(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    uint64_t gpa;
    uint8_t *data;
    size_t size;

    if (!d || !guest_address(p, line->call, &gpa, out))
        return;
    data = data_of_line(p, line, &size, out);
    if (data)
        out->status = machine_guest_write(d, gpa, data, size);
    free(data);
}

static void run_read(struct player *p, const struct sc_line *line, struct outcome *out)
{
    struct machine_domain *d = player_domain(p, line->subject, out);
    uint64_t gpa;
    uint8_t *data;
    size_t size;

    if (!d || !guest_address(p, line->call, &gpa, out) || !size_of_line(p, line, &size, out))
        return;
    data = xcalloc(size, 1);
    out->status = machine_guest_read(d, gpa, data, size);
    if (out->status)
        free(data);
    else
        outcome_data(out, data, size);
}

const struct sc_verb memory_verbs[] = {
    {.name = "write", .subject = SC_OF_DOMAIN, .fields = write_fields, .run = run_write},
    {.name = "read", .subject = SC_OF_DOMAIN, .fields = read_fields, .run = run_read},
    {.name = NULL},
};
