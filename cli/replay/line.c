/* SPDX-License-Identifier: BSD-2-Clause */
/* A line is cut into words; a table says which fields an op has. Nothing in it is trusted. */
#include "line.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../scenario/number.h"

#define WORDS 8u

struct words_of_line {
    const char *at[WORDS];
    size_t size[WORDS];
    unsigned nr; /* WORDS: perhaps there are more */
};

struct parse {
    struct words_of_line words;
    struct trace_line *out;
    char *why;
};

__attribute__((format(printf, 2, 3))) static bool wrong(struct parse *p, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(p->why, LINE_WHY, format, args);
    va_end(args);
    return false;
}

static void split(const char *text, struct words_of_line *w)
{
    for (w->nr = 0; w->nr < WORDS; w->nr++) {
        text += strspn(text, " \t\r");
        if (!*text)
            return;
        w->at[w->nr] = text;
        w->size[w->nr] = strcspn(text, " \t\r");
        text += w->size[w->nr];
    }
}

static bool number(struct parse *p, unsigned word, unsigned base, const char *what, uint64_t *out)
{
    const char *text = p->words.at[word];
    const size_t size = p->words.size[word];

    *out = 0;
    for (size_t i = 0; i < size; i++) {
        const unsigned digit = (unsigned)digit_parse(text[i]);

        if (digit >= base)
            return wrong(p, "%s '%.*s': expected a %s number", what, (int)(size < 40 ? size : 40),
                         text, base == 16 ? "hexadecimal" : "decimal");
        if (*out > (UINT64_MAX - digit) / base)
            return wrong(p, "%s '%.*s' does not fit in 64 bits", what, (int)(size < 40 ? size : 40),
                         text);
        *out = *out * base + digit;
    }
    return true;
}

static bool small(struct parse *p, unsigned word, unsigned base, const char *what, uint32_t *out)
{
    uint64_t value;

    if (!number(p, word, base, what, &value))
        return false;
    if (value >= UINT32_MAX)
        return wrong(p, "%s 0x%llx: expected one below 0xffffffff", what,
                     (unsigned long long)value);
    *out = (uint32_t)value;
    return true;
}

/* Device addresses that exist: whole pages that do not wrap. */
static bool range(struct parse *p)
{
    const struct trace_line *l = p->out;
    const uint64_t end = UINT64_C(1) << LINE_ADDRESS;

    if (!l->size)
        return wrong(p, "size 0: expected one page of 4096 bytes, or more");
    if (l->iova % LINE_PAGE || l->size % LINE_PAGE)
        return wrong(p, "0x%llx, 0x%llx bytes: expected whole pages of 4096 bytes",
                     (unsigned long long)l->iova, (unsigned long long)l->size);
    if (l->iova >= end || l->size > end - l->iova)
        return wrong(p, "0x%llx, 0x%llx bytes: goes beyond %u bits", (unsigned long long)l->iova,
                     (unsigned long long)l->size, LINE_ADDRESS);
    return true;
}

static bool parse_map(struct parse *p)
{
    struct trace_line *l = p->out;

    if (!number(p, 3, 16, "iova", &l->iova) || !number(p, 4, 16, "size", &l->size) ||
        !number(p, 5, 16, "paddr", &l->paddr) || !small(p, 6, 16, "prot", &l->prot) || !range(p))
        return false;
    if (l->paddr % LINE_PAGE)
        return wrong(p, "paddr 0x%llx: expected the address of a page of 4096 bytes",
                     (unsigned long long)l->paddr);
    if (l->paddr >> 52 || l->size > (UINT64_C(1) << 52) - l->paddr)
        return wrong(p, "paddr 0x%llx, 0x%llx bytes: goes beyond 52 bits",
                     (unsigned long long)l->paddr, (unsigned long long)l->size);
    return true;
}

static bool parse_unmap(struct parse *p)
{
    return number(p, 3, 16, "iova", &p->out->iova) && number(p, 4, 16, "size", &p->out->size) &&
           range(p);
}

/* did=N */
static bool parse_id(struct parse *p)
{
    if (p->words.size[6] < 4 || memcmp(p->words.at[6], "did=", 4))
        return wrong(p, "'%.*s': expected did=N",
                     (int)(p->words.size[6] < 40 ? p->words.size[6] : 40), p->words.at[6]);
    p->words.at[6] += 4;
    p->words.size[6] -= 4;
    return small(p, 6, 10, "did", &p->out->id);
}

static bool parse_invalidation(struct parse *p)
{
    const char kind = *p->words.at[5];

    if (!number(p, 3, 16, "iova", &p->out->iova) || !number(p, 4, 16, "size", &p->out->size))
        return false;
    if (!strchr("pdg", kind))
        return wrong(p, "kind '%.*s': expected p, ph, d or g",
                     (int)(p->words.size[5] < 40 ? p->words.size[5] : 40), p->words.at[5]);
    p->out->kind = kind;
    p->out->leaf_only = p->words.size[5] > 1 && p->words.at[5][1] == 'h';
    return p->words.nr < 7 || parse_id(p);
}

static bool parse_free_iova(struct parse *p)
{
    return number(p, 3, 16, "iova", &p->out->iova);
}

static bool parse_attach(struct parse *p)
{
    const size_t size = p->words.size[3];

    if (size >= sizeof(p->out->device))
        return wrong(p, "device '%.40s': expected SSSS:BB:DD.F", p->words.at[3]);
    memcpy(p->out->device, p->words.at[3], size);
    p->out->device[size] = 0;
    for (size_t i = 0; i < size; i++)
        if (!isxdigit((unsigned char)p->out->device[i]) && !strchr(":.", p->out->device[i]))
            return wrong(p, "device '%s': expected SSSS:BB:DD.F", p->out->device);
    return true;
}

static bool parse_nothing(struct parse *p)
{
    (void)p;
    return true;
}

/* In front of the fields are time, domain and op. */
static const struct op {
    char name;
    bool domain; /* it is about one */
    unsigned least, most;
    const char *form;
    bool (*parse)(struct parse *p);
} ops[] = {
    {'M', true, 7, 7, "M iova size paddr prot", parse_map},
    {'U', true, 5, 5, "U iova size", parse_unmap},
    {'I', false, 6, 7, "I iova size kind did=N", parse_invalidation},
    {'F', true, 3, 3, "F", parse_nothing},
    {'R', true, 4, 4, "R iova", parse_free_iova},
    {'A', true, 4, 4, "A device", parse_attach},
    {'X', true, 3, 4, "X", parse_nothing},
    {'C', false, 3, WORDS, "C ...", parse_nothing},
    {'E', false, 3, WORDS, "E ...", parse_nothing},
};

static const struct op *find_op(const struct words_of_line *w)
{
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
        if (w->size[2] == 1 && *w->at[2] == ops[i].name)
            return &ops[i];
    return NULL;
}

static bool parse_domain(struct parse *p)
{
    if (p->words.size[1] == 1 && *p->words.at[1] == '-')
        return true;
    return small(p, 1, 10, "domain", &p->out->domain);
}

bool line_parse(const char *text, struct trace_line *out, char *why)
{
    struct parse p = {.out = out, .why = why};
    const struct op *op;

    *out = (struct trace_line){.domain = LINE_NO_SPACE, .id = LINE_NO_SPACE};
    split(text, &p.words);
    if (!p.words.nr || *p.words.at[0] == '#')
        return true;
    if (p.words.nr < 3)
        return wrong(&p, "expected `TIME DOMAIN OP ...`");
    op = find_op(&p.words);
    if (!op)
        return wrong(&p, "op '%.*s': expected M, U, I, F, R, A, X, C or E",
                     (int)(p.words.size[2] < 40 ? p.words.size[2] : 40), p.words.at[2]);
    if (p.words.nr < op->least || p.words.nr > op->most)
        return wrong(&p, "expected `TIME DOMAIN %s`", op->form);
    if (!number(&p, 0, 10, "time", &out->time) || !parse_domain(&p))
        return false;
    if (op->domain && out->domain == LINE_NO_SPACE)
        return wrong(&p, "%c without a domain: expected its number", op->name);
    out->op = op->name;
    return op->parse(&p);
}
