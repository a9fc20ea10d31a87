/* SPDX-License-Identifier: BSD-2-Clause */
/* Measuring beside a yardstick. */
#define _POSIX_C_SOURCE 200809L
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifdef __clang__
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

#define MAX_ROUNDS 1001

static const char *only_part;

void bench_only(const char *part)
{
    only_part = part;
}

uint64_t bench_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void bench_evict(void)
{
    static volatile char buffer[64 << 20];

    for (size_t i = 0; i < sizeof(buffer); i += 64)
        buffer[i]++;
}

static double round_ns(const struct bench_work *w)
{
    uint64_t start, end;

    if (w->prepare)
        w->prepare(w->arg);
    start = bench_now_ns();
    w->run(w->arg);
    end = bench_now_ns();
    return (double)(end - start) / w->units;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof(*v), compare);
    return v[n / 2];
}

void bench_heading(void)
{
    printf("compiler: %s\n%-40s %10s %4s %10s %7s %7s\n", COMPILER, "case", "ns", "", "limit ns",
           "ratio", "target");
}

void bench_count(const char *name, uint64_t got, uint64_t limit)
{
    printf("count\t%s\t%llu\t%llu\t%s\n", name, (unsigned long long)got, (unsigned long long)limit,
           got <= limit ? "yes" : "no");
}

void bench_run(const struct bench_case *c)
{
    static double limit[MAX_ROUNDS], subject[MAX_ROUNDS];
    unsigned n = c->rounds < MAX_ROUNDS ? c->rounds : MAX_ROUNDS;
    double l, s, ratio;
    const char *met;

    if (only_part && !strstr(c->name, only_part))
        return;
    for (unsigned i = 0; i < n; i++) {
        limit[i] = round_ns(&c->limit);
        subject[i] = round_ns(&c->subject);
    }
    l = median(limit, n);
    s = median(subject, n);
    ratio = s / l;
    met = c->target == 0 ? "-" : ratio <= c->target ? "yes" : "no";
    printf("%-40s %10.3f %4s %10.3f %7.2f %7.2f %s\n", c->name, s, c->yardstick, l, ratio,
           c->target, met);
    printf("bench\t%s\t%s\t%.4f\t%s\t%.4f\t%.3f\t%.2f\t%s\n", COMPILER, c->name, s, c->yardstick, l,
           ratio, c->target, met);
    fflush(stdout);
}
