/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding verbs in their groups, and writing them down for help. */
#include "verbs.h"

#include <string.h>

const struct sc_verb *const verb_groups[] = {
    setup_verbs,  device_verbs, hypercall_verbs, frames_verbs, feature_verbs, ioreq_verbs,
    memory_verbs, dma_verbs,    doorbell_verbs,  host_verbs,   look_verbs,    vtd_verbs,
    NULL};

const struct sc_verb *sc_verb_find(enum sc_subject subject, const char *name)
{
    for (const struct sc_verb *const *group = verb_groups; *group; group++)
        for (const struct sc_verb *verb = *group; verb->name; verb++)
            if (verb->subject == subject && !strcmp(verb->name, name))
                return verb;
    return NULL;
}

static void add_words(struct words *w, const struct sc_word *words, char between)
{
    for (const struct sc_word *word = words; word && word->name; word++)
        words_add(w, "%s%.1s", word->name, word[1].name ? &between : "");
}

static void add_value(struct words *w, const struct sc_spec *spec)
{
    static const char *const kinds[] = {
        [SC_NUMBER] = "N",
        [SC_LABEL] = "NAME",
        [SC_PATH] = "FILE",
        [SC_DEVICE] = "DEVICE",
        [SC_BDF] = "BB:DD.F",
        [SC_DOMAIN] = "DOMAIN",
        [SC_DOMAINS] = "DOMAIN,..",
        [SC_BYTES] = "HEX",
        [SC_REGION] = "FIRST-LAST:",
        [SC_NEW_DOMAIN] = "NAME",
        [SC_NEW_DEVICE] = "NAME",
        [SC_END_DOMAIN] = "DOMAIN",
        [SC_BARE] = "",
        [SC_FLAGS] = "",
        [SC_CHOICE] = "",
    };

    words_add(w, "%s", kinds[spec->kind]);
    if (spec->words)
        add_words(w, spec->words, spec->kind == SC_FLAGS ? ',' : '|');
}

static void add_fields(const struct sc_verb *verb, enum sc_dir dir, struct words *w)
{
    for (const struct sc_spec *spec = verb->fields; spec && spec->name; spec++) {
        if (!(spec->dir & dir))
            continue;
        words_add(w, spec->required ? " %s" : " [%s", spec->name);
        if (spec->kind != SC_BARE)
            words_add(w, "=");
        add_value(w, spec);
        words_add(w, "%s%s", spec->required ? "" : "]", spec->repeat ? "..." : "");
    }
}

void verb_print(const struct sc_verb *verb, struct words *w)
{
    static const char *const subjects[] = {"", "DOMAIN: ", "DEVICE: "};
    struct words outs = {.n = 0};

    words_add(w, "%s%s", subjects[verb->subject], verb->name);
    for (const struct sc_spec *arg = verb->args; arg && arg->name; arg++) {
        words_add(w, " ");
        add_value(w, arg);
        words_add(w, "%s", arg->repeat ? "..." : "");
    }
    add_fields(verb, SC_IN, w);
    words_add(w, "%s", verb->remote ? " SUB-OP ..." : "");
    add_fields(verb, SC_OUT, &outs);
    if (outs.n)
        words_add(w, " =>%s", outs.text);
}
