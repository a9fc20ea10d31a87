/* SPDX-License-Identifier: BSD-2-Clause */
/* Small-scope exhaustion and random walks, compared with the ghost model after every step. */
#include "alphabet.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

struct options {
    struct budget budget;
    unsigned walks;
    uint64_t seed;
};

static const struct argp_option options[] = {
    {"depth", 'd', "N", 0, "explore sequences of up to N operations (6)", 0},
    {"seconds", 's', "S", 0, "stop after S seconds; 0: never (45)", 0},
    {"scope", 'c', "NAME", 0, "contexts (the default), frames, relaxed or slow", 0},
    {"random", 'r', "N", 0, "instead, N random walks over a wider alphabet", 0},
    {"seed", 'e', "S", 0, "of the first walk (1)", 0},
    {"trace", 't', NULL, 0, "print each operation before it is done", 0},
    {0},
};

static unsigned long number(struct argp_state *state, const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 0);

    if (*end || end == text)
        argp_error(state, "not a number: %s", text);
    return value;
}

static const struct scope *scope(struct argp_state *state, const char *name)
{
    static const struct scope *const scopes[] = {&small_scope, &frames_scope, &relaxed_scope,
                                                 &slow_scope};

    for (unsigned i = 0; i < sizeof(scopes) / sizeof(scopes[0]); i++) {
        if (!strcmp(scopes[i]->name, name))
            return scopes[i];
    }
    argp_error(state, "no such scope: %s", name);
    return NULL;
}

static error_t parse(int key, char *text, struct argp_state *state)
{
    struct options *o = state->input;

    switch (key) {
    case 'd':
        o->budget.depth = (unsigned)number(state, text);
        return 0;
    case 's':
        o->budget.seconds = (unsigned)number(state, text);
        return 0;
    case 'c':
        o->budget.scope = scope(state, text);
        return 0;
    case 'r':
        o->walks = (unsigned)number(state, text);
        return 0;
    case 'e':
        o->seed = number(state, text);
        return 0;
    case 't':
        o->budget.trace = stderr;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = options,
        .parser = parse,
        .doc = "Tries every sequence of calls in a small scope; findings print as scenarios.",
    };
    struct options o = {.budget = {.scope = &small_scope, .depth = 6, .seconds = 45}, .seed = 1};
    unsigned findings;

    if (argp_parse(&argp, argc, argv, 0, NULL, &o))
        return 2;
    findings = o.walks ? wander(o.walks, o.seed, &o.budget) : explore(&o.budget);
    return findings ? 1 : 0;
}
