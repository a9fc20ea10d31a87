/* SPDX-License-Identifier: BSD-2-Clause */
/* A whole file into checked lines. */
#include "parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool parse_fail(struct parser *p, const char *format, ...)
{
    struct sc_error *error = p->error;
    size_t n;
    va_list args;

    error->line = p->number;
    n = (size_t)snprintf(error->text, 200, "%.150s:%u: ", p->sc->file, p->number);
    va_start(args, format);
    vsnprintf(error->text + n, sizeof(error->text) - n, format, args);
    va_end(args);
    return false;
}

static bool parse_subject(struct parser *p, struct sc_line *line, enum sc_subject *kind)
{
    const struct token *token = token_at(p);
    struct symbol *s;

    *kind = SC_ALONE;
    if (token->kind != TOKEN_SUBJECT)
        return true;
    s = symbol_find(p, token->text);
    if (!*token->text)
        return parse_fail(p, "expected a subject before ':'");
    if (!s)
        return parse_fail(p, "unknown subject '%.40s', expected a domain or device declared above",
                          token->text);
    p->at++;
    line->subject = s->name;
    *kind = s->kind == SYMBOL_DOMAIN ? SC_OF_DOMAIN : SC_OF_DEVICE;
    return true;
}

/* continue_every=N before the verb. */
static bool parse_every(struct parser *p, struct sc_line *line)
{
    static const char prefix[] = "continue_every=";
    const char *text = token_at(p)->text;

    if (token_at(p)->kind != TOKEN_WORD || strncmp(text, prefix, sizeof(prefix) - 1))
        return true;
    p->at++;
    line->every_given = true;
    if (!parse_plain(p, "continue_every", text + sizeof(prefix) - 1, &line->continue_every))
        return false;
    if (line->continue_every.number > UINT32_MAX)
        return parse_fail(p, "continue_every: '%.40s' does not fit, expected 32 bits", text);
    return true;
}

/* `batch` before a sub-op: the line's calls are its elements. With fields it is a call as any. */
static void parse_batch(struct parser *p, struct sc_line *line, enum sc_subject kind)
{
    const struct token *token = token_at(p);
    const struct sc_verb *verb = NULL;

    if (token->kind != TOKEN_WORD || strcmp(token->text, "batch"))
        return;
    if (token[1].kind == TOKEN_WORD)
        verb = sc_verb_find(kind, token[1].text);
    line->batch = verb && verb->hypercall;
    p->at += line->batch;
}

/* May `;` stand beside it? */
static bool is_element(const struct sc_line *line, const struct sc_verb *verb)
{
    return line->batch ? verb->hypercall : verb->array;
}

static bool no_element(struct parser *p, const struct sc_verb *verb)
{
    return parse_fail(p, "%s: ';' makes arrays of the frames ABI, and batches, only", verb->name);
}

static bool parse_calls(struct parser *p, struct sc_line *line, enum sc_subject kind)
{
    struct sc_call **at = &line->call;

    parse_batch(p, line, kind);
    for (;;) {
        p->depth = 0;
        *at = arena_alloc(&p->sc->arena, 1, sizeof(**at));
        if (!parse_call(p, kind, *at))
            return false;
        if (token_at(p)->kind != TOKEN_NEXT)
            break;
        if (!is_element(line, (*at)->verb))
            return no_element(p, (*at)->verb);
        p->at++;
        at = &(*at)->next;
    }
    if (line->call->next && !is_element(line, (*at)->verb))
        return no_element(p, (*at)->verb);
    if (line->every_given && !line->call->verb->hypercall && !line->call->verb->frames)
        return parse_fail(p, "continue_every is for hypercalls, not for %s",
                          line->call->verb->name);
    return true;
}

static bool check_order(struct parser *p, const struct sc_verb *verb)
{
    if (verb->setup && p->begun)
        return parse_fail(p, "'%s' comes once and before everything else", verb->name);
    p->begun |= !verb->harmless;
    return true;
}

static bool parse_tokens(struct parser *p, struct sc_line *line)
{
    enum sc_subject kind;

    if (!parse_subject(p, line, &kind) || !parse_every(p, line) || !parse_calls(p, line, kind))
        return false;
    return check_order(p, line->call->verb) && parse_tail(p, line);
}

static bool parse_line(struct parser *p, const char *text, size_t size)
{
    struct sc_line *line = &p->sc->lines[p->sc->nr_lines];

    if (size && text[size - 1] == '\r')
        size--;
    if (size > SC_MAX_LINE)
        return parse_fail(p, "a line of %zu bytes, expected at most %d", size, SC_MAX_LINE);
    if (memchr(text, '\0', size))
        return parse_fail(p, "a NUL byte, expected text");
    p->sc->source[p->sc->nr_source++] = arena_text(&p->sc->arena, text, size);
    if (!lex_line(p, text, size, &line->text))
        return false;
    if (token_at(p)->kind == TOKEN_END)
        return true;
    line->number = p->number;
    p->sc->nr_lines++;
    return parse_tokens(p, line);
}

static unsigned count_lines(const char *text, size_t size)
{
    unsigned n = 1;

    for (const char *end = text + size; (text = memchr(text, '\n', (size_t)(end - text))); text++)
        n++;
    return n;
}

static bool parse_file(struct parser *p, const char *text, size_t size)
{
    const char *end = text + size;

    while (text < end) {
        const char *eol = memchr(text, '\n', (size_t)(end - text));
        const char *stop = eol ? eol : end;

        p->number++;
        if (!parse_line(p, text, (size_t)(stop - text)))
            return false;
        text = stop + 1;
    }
    return true;
}

struct scenario *sc_parse(const char *file, const char *text, size_t size, struct sc_error *error)
{
    struct scenario *sc = xcalloc(1, sizeof(*sc));
    struct parser p = {.sc = sc, .error = error};
    unsigned nr = count_lines(text, size);
    bool well;

    memset(error, 0, sizeof(*error));
    p.tokens = xcalloc(SC_MAX_LINE + 2, sizeof(*p.tokens));
    sc->file = arena_text(&sc->arena, file, strlen(file));
    sc->source = arena_alloc(&sc->arena, nr, sizeof(*sc->source));
    sc->lines = arena_alloc(&sc->arena, nr + 1, sizeof(*sc->lines));
    p.number = size > SC_MAX_FILE; /* or counted below */
    if (size > SC_MAX_FILE)
        well = parse_fail(&p, "%zu bytes, expected at most %u", size, SC_MAX_FILE);
    else
        well = parse_file(&p, text, size);
    free(p.tokens);
    if (well)
        return sc;
    sc_free(sc);
    return NULL;
}

void sc_free(struct scenario *sc)
{
    if (!sc)
        return;
    arena_free(&sc->arena);
    free(sc);
}
