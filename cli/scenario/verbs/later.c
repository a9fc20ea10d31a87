/* SPDX-License-Identifier: BSD-2-Clause */
/* Verbs of an interface that is part of the grammar and not of this build: parsed, refused when
 * played. */
#include "verbs.h"

/* The emulated VT-d. */
static const struct sc_spec vtd_read_fields[] = {
    {.name = "reg", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "size", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "value", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = NULL},
};
static const struct sc_spec vtd_write_fields[] = {
    {.name = "reg", .dir = SC_IN, .kind = SC_NUMBER, .required = true},
    {.name = "size", .dir = SC_IN, .kind = SC_NUMBER, .size = 1},
    {.name = "value", .dir = SC_IN, .kind = SC_NUMBER},
    {.name = NULL},
};

static void run_vtd(struct player *p, const struct sc_line *line, struct outcome *out)
{
    (void)p;
    (void)line;
    outcome_cannot(out, "the emulated VT-d is not in this build");
}

const struct sc_verb later_verbs[] = {
    {.name = "vtd.read", .subject = SC_OF_DOMAIN, .fields = vtd_read_fields, .run = run_vtd},
    {.name = "vtd.write", .subject = SC_OF_DOMAIN, .fields = vtd_write_fields, .run = run_vtd},
    {.name = NULL},
};
