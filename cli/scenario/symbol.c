/* SPDX-License-Identifier: BSD-2-Clause */
/* The names in a file: domains, devices, variables. */
#include "parser.h"

#include <string.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

bool name_valid(const char *name)
{
    size_t size = strspn(name, NAME_CHARS);

    return size && size < 64 && !name[size];
}

static struct symbol *find(struct parser *p, const char *name, bool variable)
{
    for (struct symbol *s = p->symbols; s; s = s->next)
        if ((s->kind == SYMBOL_VARIABLE) == variable && !strcmp(s->name, name))
            return s;
    return NULL;
}

struct symbol *symbol_find(struct parser *p, const char *name)
{
    return find(p, name, false);
}

struct symbol *symbol_variable(struct parser *p, const char *name)
{
    return find(p, name, true);
}

static struct symbol *add(struct parser *p, const char *name)
{
    struct symbol *s = arena_alloc(&p->sc->arena, 1, sizeof(*s));

    s->name = name;
    s->next = p->symbols;
    p->symbols = s;
    return s;
}

bool symbol_declare(struct parser *p, const char *name, bool device)
{
    struct symbol *s = symbol_find(p, name);

    if (!name_valid(name))
        return parse_fail(p, "'%.40s' is no name, expected letters, digits, '_', '-', '.'", name);
    if (s && !s->ended)
        return parse_fail(p, "'%s' exists already, expected a new name", name);
    s = add(p, name);
    s->kind = device ? SYMBOL_DEVICE : SYMBOL_DOMAIN;
    return true;
}

bool symbol_define(struct parser *p, const char *name, unsigned *var)
{
    struct symbol *s = symbol_variable(p, name);

    if (!name_valid(name))
        return parse_fail(p, "'$%.40s' is no variable, expected $ and a name", name);
    if (!s) {
        s = add(p, name);
        s->kind = SYMBOL_VARIABLE;
        s->number = p->sc->nr_vars++;
    }
    *var = s->number;
    return true;
}
