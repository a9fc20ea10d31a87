/* SPDX-License-Identifier: BSD-2-Clause */
/* VERB with its arguments and fields, against the verb's table. */
#include "parser.h"

#include <stdio.h>
#include <string.h>

static bool add_setting(struct parser *p, struct sc_call *call, const struct sc_spec *spec,
                        const char *text)
{
    struct sc_setting *set = &call->set[call->nr_set];

    if (!spec->repeat && sc_get(call, spec->name))
        return parse_fail(p, "%s is given twice", spec->name);
    set->spec = spec;
    if (spec->kind == SC_BARE && !text) {
        call->nr_set++;
        return true;
    }
    if (!parse_value(p, spec, text, &set->value))
        return false;
    call->nr_set++;
    return true;
}

static bool parse_args(struct parser *p, struct sc_call *call)
{
    const struct sc_spec *spec = call->verb->args;
    bool more = false;

    while (spec && spec->name) {
        const struct token *token = token_at(p);

        if (token->kind != TOKEN_WORD && more)
            return true;
        if (token->kind != TOKEN_WORD)
            return parse_fail(p, "%s: expected %s, got %s", call->verb->name, spec->name,
                              token->text);
        p->at++;
        if (!add_setting(p, call, spec, token->text))
            return false;
        more = spec->repeat;
        spec += !more;
    }
    return true;
}

/* The requester id of a device that this line declares becomes what its name stands for. */
static void note_device(struct parser *p, const struct sc_call *call)
{
    if (call->nr_set >= 2 && call->set[0].spec->kind == SC_NEW_DEVICE)
        symbol_find(p, call->set[0].value.text)->number = (uint32_t)call->set[1].value.number;
}

static const char *list_fields(const struct sc_spec *spec, enum sc_dir dir, char *to, size_t size)
{
    size_t n = 0;

    snprintf(to, size, "none");
    for (; spec && spec->name && n + 32 < size; spec++)
        if (spec->dir & dir)
            n += (size_t)snprintf(to + n, size - n, "%s%.24s", n ? ", " : "", spec->name);
    return to;
}

static bool unknown_field(struct parser *p, const struct sc_verb *verb, const char *word,
                          size_t size)
{
    char known[300];

    return parse_fail(p, "%s has no field '%.*s', expected: %s", verb->name,
                      (int)(size < 40 ? size : 40), word,
                      list_fields(verb->fields, SC_IN, known, sizeof(known)));
}

static bool parse_field(struct parser *p, struct sc_call *call, const char *word)
{
    size_t size = strcspn(word, "=");
    const char *name = arena_text(&p->sc->arena, word, size);
    const struct sc_spec *spec = sc_spec_find(call->verb->fields, name);

    if (!spec)
        return unknown_field(p, call->verb, word, size);
    if (!(spec->dir & SC_IN))
        return parse_fail(p, "%s is what %s gives back, expected behind =>", name,
                          call->verb->name);
    if (!word[size] && spec->kind != SC_BARE)
        return parse_fail(p, "%s: expected %s=VALUE", name, name);
    return add_setting(p, call, spec, word[size] ? word + size + 1 : NULL);
}

static bool parse_inner(struct parser *p, struct sc_call *call)
{
    call->inner = arena_alloc(&p->sc->arena, 1, sizeof(*call->inner));
    if (++p->depth > SC_MAX_NESTED)
        return parse_fail(p, "remote inside remote, expected at most %d", SC_MAX_NESTED);
    return parse_call(p, SC_OF_DOMAIN, call->inner);
}

static bool parse_fields(struct parser *p, struct sc_call *call)
{
    for (const struct token *token; (token = token_at(p))->kind == TOKEN_WORD;) {
        bool field = strchr(token->text, '=') || sc_spec_find(call->verb->fields, token->text);

        if (call->verb->remote && !field)
            return parse_inner(p, call);
        p->at++;
        if (!parse_field(p, call, token->text))
            return false;
    }
    if (call->verb->remote)
        return parse_fail(p, "%s: expected the command, got %s", call->verb->name,
                          token_at(p)->text);
    return true;
}

static bool check_required(struct parser *p, const struct sc_call *call)
{
    for (const struct sc_spec *spec = call->verb->fields; spec && spec->name; spec++)
        if (spec->required && !sc_get(call, spec->name))
            return parse_fail(p, "%s: expected %s=", call->verb->name, spec->name);
    return true;
}

static const char *kind_of_verb(enum sc_subject subject)
{
    switch (subject) {
    case SC_OF_DOMAIN:
        return "for a domain";
    case SC_OF_DEVICE:
        return "for a device";
    default:
        return "without a subject";
    }
}

static bool parse_verb(struct parser *p, enum sc_subject subject, struct sc_call *call)
{
    const struct token *token = token_at(p);

    if (token->kind != TOKEN_WORD)
        return parse_fail(p, "expected a verb, got %s", token->text);
    call->verb = sc_verb_find(subject, token->text);
    if (!call->verb &&
        (sc_verb_find(SC_OF_DOMAIN, token->text) || sc_verb_find(SC_OF_DEVICE, token->text)))
        return parse_fail(p,
                          "'%.40s' is no verb %s, expected another subject and a colon before it",
                          token->text, kind_of_verb(subject));
    if (!call->verb)
        return parse_fail(p, "unknown verb '%.40s', expected one %s (see sluice play --verbs)",
                          token->text, kind_of_verb(subject));
    if (p->depth && !call->verb->hypercall)
        return parse_fail(p, "remote: '%s' is no sub-op", token->text);
    p->at++;
    return true;
}

bool parse_call(struct parser *p, enum sc_subject subject, struct sc_call *call)
{
    if (!parse_verb(p, subject, call))
        return false;
    call->set = arena_alloc(&p->sc->arena, p->nr_tokens, sizeof(*call->set));
    if (!parse_args(p, call))
        return false;
    note_device(p, call);
    return parse_fields(p, call) && check_required(p, call);
}
