/* SPDX-License-Identifier: BSD-2-Clause */
/* Verbs of interfaces that are part of the grammar and not of this build: parsed, refused when
 * played. */
#include "verbs.h"

/* ---- The frames ABI ----------------------------------------------------------------------------
 */

static const struct sc_word frame_flags[] = {{"r", 1},          {"w", 2},        {"rw", 3},
                                             {"no_ref_cnt", 4}, {"swap_mfn", 4}, {"add_m2b", 8},
                                             {"remove_m2b", 1}, {NULL, 0}};

static const struct sc_spec frame_fields[] = {
    {.name = "bfn", .dir = SC_INOUT, .kind = SC_NUMBER},
    {.name = "gfn", .dir = SC_INOUT, .kind = SC_NUMBER},
    {.name = "domid", .dir = SC_IN, .kind = SC_NUMBER, .size = 2},
    {.name = "ioserver", .dir = SC_IN, .kind = SC_NUMBER, .size = 2},
    {.name = "flags", .dir = SC_INOUT, .kind = SC_FLAGS, .words = frame_flags},
    {.name = "order", .dir = SC_INOUT, .kind = SC_NUMBER, .size = 1},
    {.name = NULL},
};

static void run_frames(struct player *p, const struct sc_line *line, struct outcome *out)
{
    (void)p;
    (void)line;
    outcome_cannot(out, "the frames ABI is not in this build");
}

/* ---- The emulated VT-d -------------------------------------------------------------------------
 */

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

/* ---- Emulators' requests -----------------------------------------------------------------------
 */

static const struct sc_spec server_fields[] = {
    {.name = "domid", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "id", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "ring", .dir = SC_IN, .kind = SC_NUMBER, .size = 4},
    {.name = NULL},
};
static const struct sc_spec request_fields[] = {
    {.name = "id", .dir = SC_IN, .kind = SC_NUMBER, .size = 2, .required = true},
    {.name = "type", .dir = SC_OUT, .kind = SC_LABEL},
    {.name = "bfn", .dir = SC_OUT, .kind = SC_NUMBER},
    {.name = NULL},
};

static void run_ioreq(struct player *p, const struct sc_line *line, struct outcome *out)
{
    (void)p;
    (void)line;
    outcome_cannot(out, "I/O servers are not in this build");
}

#define FRAMES(verb)                                                              \
    {                                                                             \
        .name = "frames." #verb, .subject = SC_OF_DOMAIN, .fields = frame_fields, \
        .run = run_frames, .array = true                                          \
    }

const struct sc_verb later_verbs[] = {
    FRAMES(query_caps),
    FRAMES(map_page),
    FRAMES(unmap_page),
    FRAMES(map_foreign_page),
    FRAMES(lookup_foreign_page),
    FRAMES(unmap_foreign_page),
    {.name = "vtd.read", .subject = SC_OF_DOMAIN, .fields = vtd_read_fields, .run = run_vtd},
    {.name = "vtd.write", .subject = SC_OF_DOMAIN, .fields = vtd_write_fields, .run = run_vtd},
    {.name = "ioreq_server", .subject = SC_OF_DOMAIN, .fields = server_fields, .run = run_ioreq},
    {.name = "ioreq", .subject = SC_OF_DOMAIN, .fields = request_fields, .run = run_ioreq},
    {.name = NULL},
};
