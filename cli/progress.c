/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"

#include <time.h>

#define QUIET_MS 2000u
#define EVERY_MS 100u

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void progress_begin(struct progress *p, FILE *out, unsigned nr_files)
{
    *p = (struct progress){.out = out, .nr_files = nr_files, .begin = now_ms()};
}

void progress_show(struct progress *p, const char *file, unsigned line, unsigned nth)
{
    uint64_t now;

    if (!p->out)
        return;
    now = now_ms();
    if (now - p->begin < QUIET_MS || now - p->shown < EVERY_MS)
        return;
    p->shown = now;
    fputs("\r\033[K", p->out);
    if (p->nr_files > 1)
        fprintf(p->out, "[%u/%u] ", p->file, p->nr_files);
    fprintf(p->out, "%.50s:%u", file, line);
    if (nth)
        fprintf(p->out, ", run %u", nth);
    fflush(p->out);
}

void progress_clear(struct progress *p)
{
    if (!p->out || !p->shown)
        return;
    fputs("\r\033[K", p->out);
    fflush(p->out);
    p->shown = 0;
}
