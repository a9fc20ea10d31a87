/* SPDX-License-Identifier: BSD-2-Clause */
/* A line as tokens: words between blanks, the subject before its colon, the arrows, and semicolons.
 */
#include "parser.h"

#include <string.h>

static bool blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Everything before the comment has to be printable ASCII. */
static bool check_bytes(struct parser *p, const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)line[i];

        if ((c < ' ' && c != '\t') || c > '~')
            return parse_fail(p, "byte 0x%02x at column %zu, expected printable ASCII", c, i + 1);
    }
    return true;
}

static struct token *add(struct parser *p, enum token_kind kind, const char *text, size_t size)
{
    struct token *token = &p->tokens[p->nr_tokens++];

    token->kind = kind;
    token->text = arena_text(&p->sc->arena, text, size);
    return token;
}

static size_t word_length(const char *text)
{
    return strcspn(text, " \t;");
}

/* `name:` or `name :` at the start of the line. Returns what comes behind it. */
static const char *take_subject(struct parser *p, const char *text)
{
    size_t size = strcspn(text, " \t:;=$");
    const char *colon = text + size + strspn(text + size, " \t");

    if (*colon != ':')
        return text;
    add(p, TOKEN_SUBJECT, text, size);
    return colon + 1;
}

static const char *take_token(struct parser *p, const char *text)
{
    size_t size = word_length(text);

    if (*text == ';') {
        add(p, TOKEN_NEXT, ";", 1);
        return text + 1;
    }
    if (!strncmp(text, "->", 2) || !strncmp(text, "=>", 2)) {
        add(p, *text == '-' ? TOKEN_TO : TOKEN_RESULT, text, 2);
        return text + 2;
    }
    add(p, TOKEN_WORD, text, size);
    return text + size;
}

static size_t trimmed(const char *text, size_t size)
{
    while (size && blank(text[size - 1]))
        size--;
    return size;
}

bool lex_line(struct parser *p, const char *line, size_t size, const char **text)
{
    const char *comment = memchr(line, '#', size), *at;

    if (comment)
        size = (size_t)(comment - line);
    if (!check_bytes(p, line, size))
        return false;
    while (size && blank(*line)) {
        line++;
        size--;
    }
    *text = at = arena_text(&p->sc->arena, line, trimmed(line, size));
    p->nr_tokens = p->at = 0;
    if (*at)
        at = take_subject(p, at);
    while (*(at += strspn(at, " \t")))
        at = take_token(p, at);
    add(p, TOKEN_END, "the end of the line", strlen("the end of the line"));
    return true;
}
