/* SPDX-License-Identifier: BSD-2-Clause */
/* Values of fields: a function for each kind, in a table. */
#include "number.h"
#include "parser.h"

#include <stdio.h>
#include <string.h>

#define MAX_WORDS 200

/* The names of a table as "a, b, c". */
static const char *list_words(const struct sc_word *words, char *to)
{
    size_t n = 0;

    to[0] = '\0';
    for (; words && words->name && n < MAX_WORDS - 32; words++)
        n += (size_t)snprintf(to + n, MAX_WORDS - n, "%s%.24s", n ? ", " : "", words->name);
    return to;
}

static const struct sc_word *find_word(const struct sc_word *words, const char *name, size_t size)
{
    for (; words && words->name; words++)
        if (strlen(words->name) == size && !memcmp(words->name, name, size))
            return words;
    return NULL;
}

static bool variable(struct parser *p, const char *text, struct sc_value *out)
{
    struct symbol *s = symbol_variable(p, text + 1);

    if (!s)
        return parse_fail(p, "undefined variable '%.40s', expected one that a line above sets",
                          text);
    out->is_var = true;
    out->var = s->number;
    return true;
}

bool parse_plain(struct parser *p, const char *what, const char *text, struct sc_value *out)
{
    bool overflow;

    out->text = text;
    if (*text == '$')
        return variable(p, text, out);
    if (number_parse(text, strlen(text), &out->number, &overflow))
        return true;
    if (overflow)
        return parse_fail(p, "%s: '%.40s' does not fit in 64 bits", what, text);
    return parse_fail(p, "%s: '%.40s' is no number, expected decimal or 0x, K M G, or $variable",
                      what, text);
}

static bool value_number(struct parser *p, const struct sc_spec *spec, const char *text,
                         struct sc_value *out)
{
    if (!parse_plain(p, spec->name, text, out))
        return false;
    if (!out->is_var && spec->size && spec->size < 8 && out->number >> (8 * spec->size))
        return parse_fail(p, "%s: '%.40s' does not fit, expected a number of %u bits", spec->name,
                          text, 8u * spec->size);
    return true;
}

/* One piece of flags: a name, or one-letter names in a row. */
static bool flag(const struct sc_word *words, const char *name, size_t size, uint64_t *bits)
{
    const struct sc_word *word = find_word(words, name, size);

    if (word) {
        *bits |= word->value;
        return true;
    }
    for (size_t i = 0; i < size; i++) {
        word = find_word(words, name + i, 1);
        if (!word)
            return false;
        *bits |= word->value;
    }
    return size;
}

static bool value_flags(struct parser *p, const struct sc_spec *spec, const char *text,
                        struct sc_value *out)
{
    char known[MAX_WORDS];
    const char *piece = text;

    if ((*text >= '0' && *text <= '9') || *text == '$')
        return value_number(p, spec, text, out);
    for (;;) {
        size_t size = strcspn(piece, ",");

        if (!flag(spec->words, piece, size, &out->number))
            return parse_fail(p, "%s: unknown flag '%.*s', expected a number or: %s", spec->name,
                              (int)(size < 40 ? size : 40), piece, list_words(spec->words, known));
        piece += size;
        if (!*piece++)
            return true;
    }
}

static bool value_choice(struct parser *p, const struct sc_spec *spec, const char *text,
                         struct sc_value *out)
{
    const struct sc_word *word = find_word(spec->words, text, strlen(text));
    char known[MAX_WORDS];

    if (!word)
        return parse_fail(p, "%s: unknown '%.40s', expected one of: %s", spec->name, text,
                          list_words(spec->words, known));
    out->number = word->value;
    return true;
}

static bool value_label(struct parser *p, const struct sc_spec *spec, const char *text,
                        struct sc_value *out)
{
    (void)out;
    return name_valid(text) || parse_fail(p, "%s: '%.40s' is no name", spec->name, text);
}

static bool value_path(struct parser *p, const struct sc_spec *spec, const char *text,
                       struct sc_value *out)
{
    (void)out;
    return *text || parse_fail(p, "%s: expected a file", spec->name);
}

static bool value_bdf(struct parser *p, const struct sc_spec *spec, const char *text,
                      struct sc_value *out)
{
    uint32_t rid;

    if (!bdf_parse(text, &rid))
        return parse_fail(p, "%s: '%.40s' is no PCI address, expected [SSSS:]BB:DD.F", spec->name,
                          text);
    out->number = rid;
    return true;
}

static bool value_device(struct parser *p, const struct sc_spec *spec, const char *text,
                         struct sc_value *out)
{
    struct symbol *s = symbol_find(p, text);
    uint32_t rid;

    if (*text == '$')
        return variable(p, text, out);
    if (s && s->kind == SYMBOL_DEVICE) {
        out->number = s->number;
        return true;
    }
    if (!bdf_parse(text, &rid))
        return parse_fail(p, "%s: unknown device '%.40s', expected one declared above, or BB:DD.F",
                          spec->name, text);
    out->number = rid;
    for (s = p->symbols; s; s = s->next)
        if (s->kind == SYMBOL_DEVICE && s->number == rid)
            out->text = s->name;
    return true;
}

static bool value_domain(struct parser *p, const struct sc_spec *spec, const char *text,
                         struct sc_value *out)
{
    struct symbol *s = symbol_find(p, text);

    (void)out;
    if (!s || s->kind != SYMBOL_DOMAIN)
        return parse_fail(p, "%s: unknown domain '%.40s', expected one that a line above declares",
                          spec->name, text);
    if (spec->kind == SC_END_DOMAIN)
        s->ended = true;
    return true;
}

/* They may come further down, or be of other plays of the same cast: only that they are names
 * counts. */
static bool value_domains(struct parser *p, const struct sc_spec *spec, const char *text,
                          struct sc_value *out)
{
    const char **names = arena_alloc(&p->sc->arena, strlen(text) + 1, sizeof(*names));

    out->names = names;
    for (;;) {
        size_t size = strcspn(text, ",");
        const char *name = arena_text(&p->sc->arena, text, size);

        if (!name_valid(name))
            return parse_fail(p, "%s: '%.40s' is no name, expected names of domains with commas",
                              spec->name, name);
        names[out->nr_names++] = name;
        text += size;
        if (!*text++)
            return true;
    }
}

static bool value_bytes(struct parser *p, const struct sc_spec *spec, const char *text,
                        struct sc_value *out)
{
    uint8_t *bytes = arena_alloc(&p->sc->arena, strlen(text) / 2 + 1, 1);

    if (!hex_parse(text, bytes, &out->nr_bytes))
        return parse_fail(p, "%s: '%.40s' are no bytes, expected pairs of hexadecimal digits",
                          spec->name, text);
    out->bytes = bytes;
    return true;
}

static bool value_region(struct parser *p, const struct sc_spec *spec, const char *text,
                         struct sc_value *out)
{
    size_t to = strcspn(text, "-"), colon = strcspn(text, ":");
    bool overflow;

    if (to < colon && text[colon] && number_parse(text, to, &out->region.first, &overflow) &&
        number_parse(text + to + 1, colon - to - 1, &out->region.last, &overflow) &&
        out->region.first <= out->region.last) {
        if (!value_choice(p, spec, text + colon + 1, out))
            return false;
        out->region.type = out->number;
        return true;
    }
    return parse_fail(p, "%s: '%.60s' is no region, expected FIRST-LAST:TYPE in bytes, inclusive",
                      spec->name, text);
}

static bool value_bare(struct parser *p, const struct sc_spec *spec, const char *text,
                       struct sc_value *out)
{
    (void)text;
    (void)out;
    return parse_fail(p, "%s takes no value", spec->name);
}

static bool value_new(struct parser *p, const struct sc_spec *spec, const char *text,
                      struct sc_value *out)
{
    (void)out;
    return symbol_declare(p, text, spec->kind == SC_NEW_DEVICE);
}

bool parse_value(struct parser *p, const struct sc_spec *spec, const char *text,
                 struct sc_value *out)
{
    static bool (*const parsers[])(struct parser *, const struct sc_spec *, const char *,
                                   struct sc_value *) = {
        [SC_NUMBER] = value_number,  [SC_FLAGS] = value_flags,    [SC_CHOICE] = value_choice,
        [SC_LABEL] = value_label,    [SC_PATH] = value_path,      [SC_DEVICE] = value_device,
        [SC_BDF] = value_bdf,        [SC_DOMAIN] = value_domain,  [SC_DOMAINS] = value_domains,
        [SC_BYTES] = value_bytes,    [SC_REGION] = value_region,  [SC_BARE] = value_bare,
        [SC_NEW_DOMAIN] = value_new, [SC_NEW_DEVICE] = value_new, [SC_END_DOMAIN] = value_domain,
    };

    out->text = text;
    return parsers[spec->kind](p, spec, text, out);
}
