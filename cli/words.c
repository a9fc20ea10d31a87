/* SPDX-License-Identifier: BSD-2-Clause */
/* What came and what was expected, in words. */
#include "outcome.h"

#include "../iommu/abi/errno.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MAX_SHOWN_BYTES 32

void words_add(struct words *w, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(w->text + w->n, sizeof(w->text) - w->n, format, args);
    va_end(args);
    if (n > 0)
        w->n += (size_t)n;
    if (w->n >= sizeof(w->text))
        w->n = sizeof(w->text) - 1;
}

static void add_status(struct words *w, const struct sc_verb *verb, long status)
{
    const char *name = sc_errno_name(status);

    if (verb->style == SC_DMA && (status == 0 || status == -EACCES))
        words_add(w, "%s", status ? "blocked" : "ok");
    else if (verb->style == SC_MSI && (status == 0 || status == -EACCES))
        words_add(w, "%s", status ? "blocked" : "delivered");
    else if (status < 0 && name)
        words_add(w, "%s", name);
    else
        words_add(w, "%ld", status);
}

static void add_bytes(struct words *w, const uint8_t *bytes, size_t nr)
{
    for (size_t i = 0; i < nr && i < MAX_SHOWN_BYTES; i++)
        words_add(w, "%02x", bytes[i]);
    if (nr > MAX_SHOWN_BYTES)
        words_add(w, "...");
}

static void add_bdf(struct words *w, uint64_t rid)
{
    if (rid >> 16)
        words_add(w, "%04x:", (unsigned)(rid >> 16) & 0xffff);
    words_add(w, "%02x:%02x.%x", (unsigned)(rid >> 8) & 0xff, (unsigned)(rid >> 3) & 31,
              (unsigned)rid & 7);
}

static void add_size(struct words *w, uint64_t size)
{
    static const char suffixes[] = "GMK";

    for (unsigned i = 0; i < 3; i++) {
        unsigned shift = 30 - 10 * i;

        if (size && !(size & (((uint64_t)1 << shift) - 1))) {
            words_add(w, "%" PRIu64 "%c", size >> shift, suffixes[i]);
            return;
        }
    }
    words_add(w, "%" PRIu64, size);
}

/* The names of the bits, and a number for bits without name. */
static void add_flags(struct words *w, const struct sc_spec *spec, uint64_t bits)
{
    const char *comma = "";

    for (const struct sc_word *word = spec->words; word->name; word++) {
        if (!word->value || (bits & word->value) != word->value)
            continue;
        bits &= ~word->value;
        words_add(w, "%s%s", comma, word->name);
        comma = ",";
    }
    if (bits)
        words_add(w, "%s0x%" PRIx64, comma, bits);
}

/* Counts and small numbers are decimal; addresses, frames, masks and bytes are not. */
static bool counts(const struct sc_spec *spec)
{
    return spec->kind == SC_NUMBER && !spec->at_least && (spec->size == 2 || spec->size == 4);
}

static void add_number(struct words *w, const struct sc_spec *spec, uint64_t number)
{
    const struct sc_word *word = spec->kind == SC_CHOICE ? spec->words : NULL;

    for (; word && word->name; word++)
        if (word->value == number) {
            words_add(w, "%s", word->name);
            return;
        }
    if (spec->kind == SC_FLAGS && number)
        add_flags(w, spec, number);
    else if (spec->kind == SC_DEVICE)
        add_bdf(w, number);
    else if (!strcmp(spec->name, "size"))
        add_size(w, number);
    else if (number < 10 || counts(spec))
        words_add(w, "%" PRIu64, number);
    else
        words_add(w, "0x%" PRIx64, number);
}

static void add_got(struct words *w, const struct got *got)
{
    words_add(w, "%s%s=", w->n ? " " : "", got->spec->name);
    if (got->untouched)
        words_add(w, "untouched");
    else if (got->mixed)
        words_add(w, "mixed");
    else if (got->text)
        words_add(w, "%s", got->text);
    else if (got->bytes)
        add_bytes(w, got->bytes, got->nr_bytes);
    else
        add_number(w, got->spec, got->number);
}

/* Quiet fields are shown where the line asks for them, and bytes also where there is no fill. */
static bool shown(const struct outcome *out, const struct sc_call *call, const struct got *got)
{
    const struct sc_expect *expect = &call->expect;
    const struct got *fill = outcome_got(out, sc_spec_find(out->verb->fields, "fill"));

    if (!got->spec->quiet || (got->bytes && fill && fill->mixed))
        return true;
    for (unsigned i = 0; i < expect->nr_fields; i++)
        if (expect->fields[i].spec == got->spec)
            return true;
    return false;
}

static void add_fields(const struct outcome *out, const struct sc_call *call, struct words *w)
{
    for (unsigned i = 0; i < out->nr_got; i++)
        if (shown(out, call, &out->got[i]))
            add_got(w, &out->got[i]);
}

/* The same without what was not written: nothing that a reader of a tour has to know. */
static void tell_fields(const struct outcome *out, const struct sc_call *call, struct words *w)
{
    struct words fields = {.n = 0};

    for (unsigned i = 0; i < out->nr_got; i++)
        if (!out->got[i].untouched && shown(out, call, &out->got[i]))
            add_got(&fields, &out->got[i]);
    if (fields.n)
        words_add(w, "%s%s", w->n ? ", " : "", fields.text);
}

void outcome_print(const struct outcome *out, const struct sc_line *line, struct words *w)
{
    if (out->cannot[0]) {
        words_add(w, "%s", out->cannot);
        return;
    }
    for (const struct sc_call *call = line->call; call; call = call->next, out = out->next) {
        add_status(w, out->verb, out->status);
        add_fields(out, call, w);
        words_add(w, "%s", call->next ? " ; " : "");
    }
}

static void expect_call(const struct sc_call *call, const uint64_t *vars, struct words *w)
{
    static const char *const names[] = {[SC_EXPECT_ANY] = "any", [SC_EXPECT_BLOCKED] = "blocked"};
    const struct sc_expect *expect = &call->expect;
    const struct sc_verb *verb = sc_innermost(call)->verb;

    if (expect->what == SC_EXPECT_VALUE)
        add_status(w, verb, (long)value_number(&expect->value, vars));
    else if (expect->what == SC_EXPECT_OK)
        add_status(w, verb, 0);
    else
        words_add(w, "%s", names[expect->what]);
    for (unsigned i = 0; i < expect->nr_fields; i++) {
        const struct sc_setting *want = &expect->fields[i];

        words_add(w, " %s=%s%s", want->spec->name, want->spec->at_least ? "at least " : "",
                  want->value.text);
        if (want->value.is_var)
            words_add(w, " (%" PRIu64 ")", vars[want->value.var]);
    }
}

void expect_print(const struct sc_line *line, const uint64_t *vars, struct words *w)
{
    for (const struct sc_call *call = line->call; call; call = call->next) {
        expect_call(call, vars, w);
        words_add(w, "%s", call->next ? " ; " : "");
    }
}

/* Setting up goes without saying. */
static const char *tell_success(const struct outcome *out)
{
    return out->verb->subject == SC_ALONE ? "" : "done";
}

static bool is_dma(const struct outcome *out)
{
    return out->verb->style == SC_DMA && (!out->status || out->status == -EACCES);
}

static bool is_interrupt(const struct outcome *out)
{
    return out->verb->style == SC_MSI && (!out->status || out->status == -EACCES);
}

static void tell_call(const struct outcome *out, const struct sc_call *call, struct words *w)
{
    const char *why = sc_errno_words(out->status);

    if (is_dma(out) && out->status) {
        words_add(w, "blocked");
        return;
    }
    if (is_dma(out))
        words_add(w, "performed");
    else if (is_interrupt(out))
        words_add(w, "%s", out->status ? "blocked" : "delivered");
    else if (out->status < 0)
        words_add(w, "refused: %s (%s)", sc_errno_name(out->status), why ? why : "?");
    else if (out->verb->style == SC_COUNT)
        words_add(w, "%ld", out->status);
    else
        words_add(w, "%s", tell_success(out));
    tell_fields(out, call, w);
}

void outcome_tell(const struct outcome *out, const struct sc_line *line, struct words *w)
{
    if (out->cannot[0]) {
        words_add(w, "not played: %s", out->cannot);
        return;
    }
    for (const struct sc_call *call = line->call; call; call = call->next, out = out->next) {
        struct words one = {.n = 0};

        tell_call(out, call, &one);
        words_add(w, "%s%s", one.text, call->next ? "; " : "");
    }
}
