/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a trace, line by line. */
#include "trace.h"

#include "../progress.h"
#include "../scenario/alloc.h"
#include "input.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool trace_wrong(struct trace_reader *r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(r->why, sizeof(r->why), format, args);
    va_end(args);
    return false;
}

bool trace_add_op(struct trace_reader *r, enum trace_kind kind, uint32_t space, uint32_t index,
                  bool left)
{
    struct trace *t = r->t;

    if (t->nr_ops == TRACE_OPS)
        return trace_wrong(r, "this is more than %u maps, unmaps and others: expected fewer",
                           TRACE_OPS);
    t->ops = xgrow(t->ops, t->nr_ops, &t->room_ops, sizeof(*t->ops));
    t->ops[t->nr_ops++] = (struct trace_op){.time = t->latest,
                                            .index = index,
                                            .line = r->number,
                                            .space = (uint16_t)space,
                                            .kind = (uint8_t)kind,
                                            .left = left};
    return true;
}

struct trace_space *trace_space(struct trace_reader *r, bool make)
{
    struct trace *t = r->t;
    struct trace_space *s;

    for (uint32_t i = t->nr_spaces; i > 0; i--)
        if (t->spaces[i - 1].number == r->line.domain && !t->spaces[i - 1].ended)
            return &t->spaces[i - 1];
    if (!make) {
        trace_wrong(r, "domain %u: nothing was mapped in it, and no device is in it",
                    r->line.domain);
        return NULL;
    }
    if (t->nr_spaces == TRACE_SPACES) {
        trace_wrong(r, "domain %u: expected at most %u of them", r->line.domain, TRACE_SPACES);
        return NULL;
    }
    s = &t->spaces[t->nr_spaces++];
    *s = (struct trace_space){.number = r->line.domain};
    return s;
}

static bool read_op(struct trace_reader *r)
{
    struct trace_counts *c = &r->t->counts;

    switch (r->line.op) {
    case 'M':
        return trace_map(r);
    case 'U':
        return trace_unmap(r);
    case 'A':
        return trace_attach(r);
    case 'X':
        return trace_end(r);
    case 'I':
        return trace_invalidate(r);
    case 'F':
        c->drains++;
        return true;
    case 'R':
        c->freed++;
        return true;
    case 'C':
        c->context++;
        return true;
    default:
        c->interrupt++;
        return true;
    }
}

/* Events of several processors may be out of order by a little: time never goes back here. */
static bool read_line(struct trace_reader *r, const char *text)
{
    if (!line_parse(text, &r->line, r->why))
        return false;
    if (!r->line.op)
        return true;
    r->t->counts.events++;
    if (r->line.time > r->t->latest)
        r->t->latest = r->line.time;
    return read_op(r);
}

static bool read_lines(struct trace_reader *r, struct input *in, const char *name,
                       struct progress *progress)
{
    const char *text;

    for (;;) {
        const enum input_got got = input_next(in, &text);

        if (got == INPUT_GOT_END)
            return true;
        if (r->number == UINT32_MAX)
            return trace_wrong(r, "expected fewer lines");
        r->number++;
        if (got == INPUT_GOT_ERROR)
            return trace_wrong(r, "%s", text);
        if (!read_line(r, text))
            return false;
        if (!(r->number % 1024))
            progress_show(progress, name, r->number, 0);
    }
}

bool trace_read(struct trace *t, FILE *file, const char *name, struct progress *progress,
                char *error)
{
    struct trace_reader r = {.t = t};
    struct input *in = input_open(file);
    bool right;

    memset(t, 0, sizeof(*t));
    right = in && read_lines(&r, in, name, progress);
    if (!in)
        snprintf(r.why, sizeof(r.why), "out of memory");
    if (!right)
        snprintf(error, TRACE_ERROR, "%.300s:%u: %s", name, r.number, r.why);
    t->counts.lines = r.number;
    input_close(in);
    trace_settle(t);
    return right;
}

void trace_free(struct trace *t)
{
    free(t->ops);
    free(t->maps);
    free(t->unmaps);
    free(t->invalidations);
    free(t->finals);
    memset(t, 0, sizeof(*t));
}
