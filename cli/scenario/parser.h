/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parser's files share. Every function answers false after having filled in the error. */
#ifndef CLI_SCENARIO_PARSER_H
#define CLI_SCENARIO_PARSER_H

#include "scenario.h"

enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_SUBJECT, /* the name before the colon */
    TOKEN_TO,      /* -> */
    TOKEN_RESULT,  /* => */
    TOKEN_NEXT,    /* ; */
};

struct token {
    enum token_kind kind;
    const char *text;
};

/* A name that the file gives to something. */
struct symbol {
    struct symbol *next;
    const char *name;
    enum { SYMBOL_DOMAIN, SYMBOL_DEVICE, SYMBOL_VARIABLE } kind;
    bool ended;
    uint32_t number; /* of a device its requester id, of a variable its place */
};

struct parser {
    struct scenario *sc;
    struct sc_error *error;
    unsigned number;      /* of the line */
    struct token *tokens; /* of the line; there is room for as many as a line can have */
    unsigned nr_tokens, at;
    struct symbol *symbols;
    bool begun; /* a line that `machine` may not follow was there */
    unsigned depth;
};

bool parse_fail(struct parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Splits a line (without its end) into tokens; the comment is cut off, *text is what remains. */
bool lex_line(struct parser *p, const char *line, size_t size, const char **text);

static inline const struct token *token_at(const struct parser *p)
{
    return &p->tokens[p->at];
}

/* Checks a value by the kind of its field. */
bool parse_value(struct parser *p, const struct sc_spec *spec, const char *text,
                 struct sc_value *out);
/* A number or $variable without bound. */
bool parse_plain(struct parser *p, const char *what, const char *text, struct sc_value *out);

/* VERB and its fields, up to what cannot be one of them. */
bool parse_call(struct parser *p, enum sc_subject subject, struct sc_call *call);
/* -> and => in either order, up to the end of the line. */
bool parse_tail(struct parser *p, struct sc_line *line);

bool name_valid(const char *name);
struct symbol *symbol_find(struct parser *p, const char *name);
bool symbol_declare(struct parser *p, const char *name, bool device);
struct symbol *symbol_variable(struct parser *p, const char *name);
bool symbol_define(struct parser *p, const char *name, unsigned *var);

#endif
