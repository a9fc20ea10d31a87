/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scenario as a list of checked lines. The parser takes a whole file and a table of verbs, and
 * gives back either lines in which every name, number and field has been checked, or one error with
 * its line. It knows nothing of machines; design/scenario.md is the grammar.
 */
#ifndef CLI_SCENARIO_SCENARIO_H
#define CLI_SCENARIO_SCENARIO_H

#include "alloc.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SC_MAX_LINE   65536      /* bytes of a line */
#define SC_MAX_FILE   (8u << 20) /* bytes of a file */
#define SC_MAX_NESTED 8          /* remote inside remote inside ... */

/* ---- What verbs look like ----------------------------------------------------------------------
 */

enum sc_kind {
    SC_NUMBER,
    SC_FLAGS,      /* a number, or names of `words` with commas, or one-letter names in a row */
    SC_CHOICE,     /* one of `words` */
    SC_LABEL,      /* any name */
    SC_PATH,       /* any text */
    SC_DEVICE,     /* a device by name or number: number is its requester id */
    SC_BDF,        /* [SSSS:]BB:DD.F */
    SC_DOMAIN,     /* a domain that a line above declares */
    SC_DOMAINS,    /* domains with commas, which may be declared further down */
    SC_BYTES,      /* pairs of hexadecimal digits */
    SC_REGION,     /* FIRST-LAST:TYPE, TYPE of `words` */
    SC_BARE,       /* no value: it is there or not */
    SC_NEW_DOMAIN, /* a name that this line declares */
    SC_NEW_DEVICE,
    SC_END_DOMAIN, /* a domain that is gone after this line */
};

enum sc_dir { SC_IN = 1, SC_OUT = 2, SC_INOUT = 3 };

struct sc_word {
    const char *name; /* NULL ends a table */
    uint64_t value;
};

/* One field of a verb. For a hypercall also where it is in the argument, so that one table serves
 * all. */
struct sc_spec {
    const char *name; /* NULL ends a table */
    enum sc_dir dir;
    enum sc_kind kind;
    uint16_t offset;
    uint8_t size; /* in bytes, and so the bound of its numbers; 0: 8 */
    bool required;
    bool repeat;
    bool at_least; /* a mask: the machine may offer more bits than the line asks for */
    bool quiet;    /* shown only where a line asks for it */
    bool entry;    /* of the index-th entry of the argument's array, not of the argument */
    uint64_t absent;
    const struct sc_word *words;
};

enum sc_subject { SC_ALONE, SC_OF_DOMAIN, SC_OF_DEVICE };

enum sc_result_style {
    SC_STATUS, /* 0 or an errno */
    SC_COUNT,  /* a number or an errno */
    SC_DMA,    /* ok, blocked, or an errno */
    SC_MSI,    /* delivered, blocked, or an errno */
    SC_SILENT, /* nothing can be expected of it */
};

struct sc_line;
struct player;
struct outcome;

struct sc_verb {
    const char *name; /* NULL ends a table */
    enum sc_subject subject;
    enum sc_result_style style;
    const struct sc_spec *args; /* by position, or NULL; the last may repeat */
    const struct sc_spec *fields;
    void (*run)(struct player *p, const struct sc_line *line, struct outcome *out);
    bool hypercall; /* may be continued, and be the command of `remote` */
    bool remote;    /* takes another hypercall as its command */
    bool frames;    /* of the frames ABI: may be continued */
    bool array;     /* several with ; between them are one call */
    bool setup;     /* `machine`: before everything else */
    bool harmless;  /* may stand before `machine` */
    int subop;
    size_t arg_size;             /* of the argument struct; 0: it has none */
    size_t array_at, entry_size; /* its handle of an array; entry_size 0: it has none */
    const char *count;           /* the field that says how many entries a line gives, or NULL */
};

/* Finds a verb; NULL when there is none. Supplied by whoever links the parser. */
const struct sc_verb *sc_verb_find(enum sc_subject subject, const char *name);

/* ---- What a file says --------------------------------------------------------------------------
 */

struct sc_region {
    uint64_t first, last, type;
};

struct sc_value {
    const char *text; /* as written; of a device or domain its name, NULL for a bare number */
    bool is_var;
    unsigned var;
    uint64_t number;
    const uint8_t *bytes;
    size_t nr_bytes;
    struct sc_region region;
    const char *const *names;
    unsigned nr_names;
};

struct sc_setting {
    const struct sc_spec *spec;
    struct sc_value value;
};

enum sc_expected { SC_EXPECT_VALUE, SC_EXPECT_ANY, SC_EXPECT_OK, SC_EXPECT_BLOCKED };

struct sc_expect {
    enum sc_expected what;
    struct sc_value value; /* for an errno its negative number */
    struct sc_setting *fields;
    unsigned nr_fields;
};

/* One VERB with its fields. */
struct sc_call {
    const struct sc_verb *verb;
    struct sc_setting *set;
    unsigned nr_set;
    struct sc_call *inner; /* the command of a remote */
    struct sc_call *next;  /* the next of an array */
    struct sc_expect expect;
};

struct sc_capture {
    const struct sc_spec *spec;
    unsigned var;
};

struct sc_line {
    unsigned number;
    const char *text;    /* without comment and blanks around it */
    const char *subject; /* NULL: the verb stands alone */
    bool batch;          /* the calls are elements of one IOMMU_batch */
    bool every_given;
    struct sc_value continue_every;
    struct sc_call *call;
    struct sc_capture *captures;
    unsigned nr_captures;
};

struct scenario {
    struct arena arena;
    const char *file;
    const char **source; /* lines as they were, for narration; source[0] is line 1 */
    unsigned nr_source;
    struct sc_line *lines;
    unsigned nr_lines;
    unsigned nr_vars;
};

struct sc_error {
    char text[512]; /* file:line: what is wrong, what was expected */
    unsigned line;
};

/* NULL, with *error, unless the whole text is right. */
struct scenario *sc_parse(const char *file, const char *text, size_t size, struct sc_error *error);
void sc_free(struct scenario *sc);

/* ---- Asking ------------------------------------------------------------------------------------
 */

const struct sc_spec *sc_spec_find(const struct sc_spec *specs, const char *name);
/* The n-th setting of that name, or NULL. */
const struct sc_value *sc_nth(const struct sc_call *call, const char *name, unsigned n);
const struct sc_value *sc_get(const struct sc_call *call, const char *name);
/* Its text or the text `absent`. */
const char *sc_text(const struct sc_call *call, const char *name, const char *absent);
/* The call whose OUT fields a line is about: the innermost command of a remote. */
const struct sc_call *sc_innermost(const struct sc_call *call);

/* "EINVAL" for -22, or NULL; and back: 0 when it is not a name. */
const char *sc_errno_name(long status);
/* The same in words for people, or NULL. */
const char *sc_errno_words(long status);
long sc_errno_number(const char *name);

#endif
