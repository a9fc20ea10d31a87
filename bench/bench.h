/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Measuring beside a yardstick: both run in turn in the same process, round after round, and the
 * medians are compared. Absolute times mean little on a shared machine; the ratio is the result.
 */
#ifndef SLUICE_BENCH_BENCH_H
#define SLUICE_BENCH_BENCH_H

#include <stdint.h>

struct bench_work {
    void (*prepare)(void *arg); /* before every round, not timed; may be NULL */
    void (*run)(void *arg);     /* one round */
    void *arg;
    double units; /* what one round does, for the time of one unit */
};

struct bench_case {
    const char *name;
    const char *yardstick; /* "A", "B" or what else it is compared with */
    struct bench_work limit, subject;
    unsigned rounds;
    double target; /* largest ratio that is good enough; 0: none set */
};

/*
 * Runs the case and prints two lines: one to read, and one of TAB separated fields that begins with
 * "bench": compiler, name, ns, yardstick, its ns, ratio, target, met (yes, no, -).
 */
void bench_run(const struct bench_case *c);

/* Counted, not timed: a line of TAB separated fields: "count", name, number, limit, met. */
void bench_count(const char *name, uint64_t got, uint64_t limit);

void bench_heading(void);

/* Only cases whose name has this in it are run; NULL: all. */
void bench_only(const char *part);

uint64_t bench_now_ns(void);

/* Pushes everything else out of the caches. */
void bench_evict(void);

#endif
