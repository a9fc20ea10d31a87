/* SPDX-License-Identifier: BSD-2-Clause */
/* What comes behind a call: -> variables, => results. */
#include "../../iommu/abi/errno.h"
#include "parser.h"

#include <string.h>

static const struct sc_verb *line_verb(const struct sc_line *line)
{
    return sc_innermost(line->call)->verb;
}

/* ---- -> ----------------------------------------------------------------------------------------
 */

static const struct sc_spec *first_out(const struct sc_verb *verb)
{
    const struct sc_spec *spec = verb->fields;

    while (spec && spec->name && !(spec->dir & SC_OUT))
        spec++;
    return spec && spec->name ? spec : NULL;
}

static bool out_field(struct parser *p, const struct sc_verb *verb, const char *name,
                      const struct sc_spec **spec)
{
    *spec = sc_spec_find(verb->fields, name);
    if (*spec && ((*spec)->dir & SC_OUT))
        return true;
    return parse_fail(p, "%s gives back no field '%.40s'", verb->name, name);
}

/* `$var`, or `field=$var`. */
static bool parse_capture(struct parser *p, struct sc_line *line, const char *item)
{
    struct sc_capture *capture = &line->captures[line->nr_captures];
    const struct sc_verb *verb = line_verb(line);
    size_t size = strcspn(item, "=");

    if (!item[size]) {
        capture->spec = first_out(verb);
        if (!capture->spec)
            return parse_fail(p, "%s gives nothing back that '%.40s' could take", verb->name, item);
        size = 0;
    } else if (!out_field(p, verb, arena_text(&p->sc->arena, item, size), &capture->spec)) {
        return false;
    } else {
        size++;
    }
    if (item[size] != '$')
        return parse_fail(p, "'%.40s' is no variable, expected $name", item + size);
    line->nr_captures++;
    return symbol_define(p, item + size + 1, &capture->var);
}

/* The items of one word; *open says whether one more has to come. */
static bool parse_capture_word(struct parser *p, struct sc_line *line, const char *word, bool *open)
{
    while (*word) {
        size_t size = strcspn(word, ",");

        if (size && !*open)
            return parse_fail(p, "'%.40s': expected ',' between variables", word);
        if (!size && *open)
            return parse_fail(p, "expected $variable before ','");
        if (size && !parse_capture(p, line, arena_text(&p->sc->arena, word, size)))
            return false;
        word += size;
        *open = *word == ',';
        word += *word == ',';
    }
    return true;
}

static bool parse_captures(struct parser *p, struct sc_line *line)
{
    bool open = true;
    size_t room = 0;

    if (line->captures)
        return parse_fail(p, "a second ->");
    for (unsigned i = 0; i < p->nr_tokens; i++)
        room += strlen(p->tokens[i].text);
    line->captures = arena_alloc(&p->sc->arena, room, sizeof(*line->captures));
    while (token_at(p)->kind == TOKEN_WORD)
        if (!parse_capture_word(p, line, p->tokens[p->at++].text, &open))
            return false;
    if (open)
        return parse_fail(p, "expected $variable behind ->, got %s", token_at(p)->text);
    return true;
}

/* ---- => ----------------------------------------------------------------------------------------
 */

static const struct {
    const char *name;
    enum sc_expected what;
} outcomes[] = {
    {"any", SC_EXPECT_ANY},      {"ok", SC_EXPECT_OK},        {"blocked", SC_EXPECT_BLOCKED},
    {"performed", SC_EXPECT_OK}, {"delivered", SC_EXPECT_OK},
};
#define NR_OUTCOMES (sizeof(outcomes) / sizeof(outcomes[0]))

static bool parse_result(struct parser *p, struct sc_call *call, const char *word)
{
    struct sc_expect *expect = &call->expect;
    enum sc_result_style style = sc_innermost(call)->verb->style;

    for (size_t i = 0; i < NR_OUTCOMES; i++)
        if (!strcmp(outcomes[i].name, word)) {
            expect->what = outcomes[i].what;
            if (expect->what == SC_EXPECT_BLOCKED && style != SC_DMA && style != SC_MSI)
                return parse_fail(p, "'blocked' is an outcome of DMA, expected 0 or an errno");
            return true;
        }
    expect->value.number = (uint64_t)-sc_errno_number(word);
    expect->value.text = word;
    if (expect->value.number)
        return true;
    if ((*word < '0' || *word > '9') && *word != '$')
        return parse_fail(p,
                          "'%.40s' is no result, expected 0, a number, an errno name such as "
                          "EINVAL, any%s",
                          word,
                          style == SC_DMA   ? ", ok or blocked"
                          : style == SC_MSI ? ", delivered or blocked"
                                            : "");
    return parse_plain(p, "result", word, &expect->value);
}

static bool parse_expected_field(struct parser *p, struct sc_call *call, const char *word)
{
    const struct sc_verb *verb = sc_innermost(call)->verb;
    struct sc_expect *expect = &call->expect;
    struct sc_setting *set = &expect->fields[expect->nr_fields];
    size_t size = strcspn(word, "=");

    if (!word[size])
        return parse_fail(p, "'%.40s': expected field=VALUE", word);
    if (!out_field(p, verb, arena_text(&p->sc->arena, word, size), &set->spec))
        return false;
    for (unsigned i = 0; i < expect->nr_fields; i++)
        if (expect->fields[i].spec == set->spec)
            return parse_fail(p, "%s is given twice", set->spec->name);
    if (!parse_value(p, set->spec, word + size + 1, &set->value))
        return false;
    expect->nr_fields++;
    return true;
}

static bool parse_expect(struct parser *p, struct sc_call *call)
{
    const struct token *token = token_at(p);

    if (token->kind != TOKEN_WORD)
        return parse_fail(p, "expected a result behind =>, got %s", token->text);
    if (sc_innermost(call)->verb->style == SC_SILENT)
        return parse_fail(p, "%s has no result", call->verb->name);
    p->at++;
    if (!parse_result(p, call, token->text))
        return false;
    call->expect.fields = arena_alloc(&p->sc->arena, p->nr_tokens, sizeof(*call->expect.fields));
    while (token_at(p)->kind == TOKEN_WORD)
        if (!parse_expected_field(p, call, p->tokens[p->at++].text))
            return false;
    return true;
}

/* As many results as the line has calls, with ; between them. */
static bool parse_expects(struct parser *p, struct sc_line *line)
{
    for (struct sc_call *call = line->call; call; call = call->next) {
        if (!parse_expect(p, call))
            return false;
        if (!call->next)
            break;
        if (token_at(p)->kind != TOKEN_NEXT)
            return parse_fail(p, "expected ; and a result for each call, got %s",
                              token_at(p)->text);
        p->at++;
    }
    return true;
}

bool parse_tail(struct parser *p, struct sc_line *line)
{
    bool results = false;

    for (;;) {
        enum token_kind kind = token_at(p)->kind;

        if (kind == TOKEN_END)
            return true;
        if (kind == TOKEN_NEXT)
            return parse_fail(p, "';' is not expected here");
        if (kind == TOKEN_RESULT && results)
            return parse_fail(p, "a second =>");
        p->at++;
        if (!(kind == TOKEN_TO ? parse_captures(p, line) : parse_expects(p, line)))
            return false;
        results |= kind == TOKEN_RESULT;
    }
}
