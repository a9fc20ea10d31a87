/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The guest's IOVA allocator. A range and its release, of what a processor keeps, beside a stack
 * with a lock; and either, among 100,000 live ranges with nothing kept, beside the time that an
 * allocation may take. An argument runs only the cases with it in their name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "guest/lib/iova.h"
#include "yardstick.h"

#define LIVE    100000u
#define RANGES  (1u << 17)
#define CALLS   256u
#define AT_ONCE 16u
#define LAST    ((UINT64_C(1) << (48 - 12)) - 1)

struct world {
    struct iova_space s;
    struct yard_lifo lifo;
    struct iova_request request;
    unsigned most; /* sizes are up to this */
    uint64_t first[LIVE], nr[LIVE];
    uint64_t random;
    int locked;
    struct iova_range ranges[RANGES];
    struct iova_block blocks[IOVA_BLOCKS(RANGES)];
    struct iova_slots slots[IOVA_BLOCKS(RANGES)];
    uint32_t buckets[RANGES];
    struct iova_cpu cpu;
};

static void must(long status)
{
    if (!status)
        return;
    fprintf(stderr, "bench: a call failed: %ld\n", status);
    exit(1);
}

static void lock(void *arg)
{
    int *locked = arg;

    while (__atomic_exchange_n(locked, 1, __ATOMIC_ACQUIRE))
        continue;
}

static void unlock(void *arg)
{
    int *locked = arg;

    __atomic_store_n(locked, 0, __ATOMIC_RELEASE);
}

static uint64_t random_below(struct world *w, uint64_t n)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % n;
}

static void start(struct world *w, struct iova_host *host, uint32_t nr_cpus)
{
    const struct iova_config config = {.host = host,
                                       .last = LAST,
                                       .ranges = w->ranges,
                                       .nr_ranges = RANGES,
                                       .blocks = w->blocks,
                                       .slots = w->slots,
                                       .buckets = w->buckets,
                                       .nr_buckets = RANGES,
                                       .cpus = &w->cpu,
                                       .nr_cpus = nr_cpus};

    *host = (struct iova_host){&w->locked, lock, unlock};
    memset(&w->cpu, 0, sizeof(w->cpu));
    must(iova_init(&w->s, &config));
}

/* ---- What a processor keeps --------------------------------------------------------------------
 */

static void lifo_all(void *arg)
{
    struct world *w = arg;
    uint64_t number[AT_ONCE];

    for (unsigned i = 0; i < CALLS; i += AT_ONCE) {
        for (unsigned k = 0; k < AT_ONCE; k++)
            must(yard_take(&w->lifo, &number[k]));
        for (unsigned k = 0; k < AT_ONCE; k++)
            must(yard_put(&w->lifo, number[k]));
    }
}

static void kept_all(void *arg)
{
    struct world *w = arg;
    uint64_t first[AT_ONCE];

    for (unsigned i = 0; i < CALLS; i += AT_ONCE) {
        for (unsigned k = 0; k < AT_ONCE; k++)
            must(iova_alloc(&w->s, 0, &w->request, &first[k]));
        for (unsigned k = 0; k < AT_ONCE; k++)
            must(iova_free(&w->s, 0, first[k], w->request.nr));
    }
}

static void bench_kept(struct world *w)
{
    struct iova_host host;
    struct bench_case c = {.yardstick = "locked LIFO", .rounds = 1001, .target = 1.2};

    start(w, &host, 1);
    for (unsigned k = 0; k < AT_ONCE; k++)
        must(yard_put(&w->lifo, k));
    c.limit = (struct bench_work){NULL, lifo_all, w, CALLS};
    c.subject = (struct bench_work){NULL, kept_all, w, CALLS};
    c.name = "iova: fast path, 1 frame";
    w->request = (struct iova_request){1, LAST, IOVA_ALIGNED};
    bench_run(&c);
    c.name = "iova: fast path, 8 frames, 32 bits";
    w->request = (struct iova_request){8, 0xfffff, IOVA_ALIGNED};
    bench_run(&c);
}

/* ---- A fragmented space ------------------------------------------------------------------------
 */

static void alloc_one(struct world *w, unsigned i)
{
    w->request.nr = random_below(w, w->most) + 1;
    w->nr[i] = iova_frames(w->request.nr, w->request.flags);
    must(iova_alloc(&w->s, IOVA_NO_CPU, &w->request, &w->first[i]));
}

/* The first CALLS of all, which are in no order. */
static void alloc_all(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < CALLS; i++)
        alloc_one(w, i);
}

static void free_all(void *arg)
{
    struct world *w = arg;

    for (unsigned i = 0; i < CALLS; i++)
        must(iova_free(&w->s, IOVA_NO_CPU, w->first[i], w->nr[i]));
}

static void swap(uint64_t *a, uint64_t *b)
{
    const uint64_t t = *a;

    *a = *b;
    *b = t;
}

/* Others come to be the first, at random. */
static void shuffle(struct world *w)
{
    for (unsigned i = 0; i < CALLS; i++) {
        const uint64_t other = random_below(w, LIVE);

        swap(&w->first[i], &w->first[other]);
        swap(&w->nr[i], &w->nr[other]);
    }
}

static void free_some(void *arg)
{
    shuffle(arg);
    free_all(arg);
}

static void alloc_some(void *arg)
{
    alloc_all(arg);
    shuffle(arg);
}

static void wait_500_ns_each(void *arg)
{
    const uint64_t until = bench_now_ns() + UINT64_C(500) * CALLS;

    (void)arg;
    while (bench_now_ns() < until)
        continue;
}

static void fragment(struct world *w, struct iova_host *host, unsigned most, unsigned flags)
{
    start(w, host, 0);
    w->most = most;
    w->request = (struct iova_request){1, LAST, flags};
    for (unsigned i = 0; i < LIVE; i++)
        alloc_one(w, i);
    for (unsigned i = 0; i < 2 * LIVE / CALLS; i++) {
        free_some(w);
        alloc_all(w);
    }
}

static void bench_fragmented(struct world *w, const char *what, unsigned most, unsigned flags)
{
    struct iova_host host;
    struct bench_case c = {.yardstick = "500 ns", .rounds = 1001, .target = 1};
    char name[2][64];

    snprintf(name[0], sizeof(name[0]), "iova: alloc, 100,000 live, %s", what);
    snprintf(name[1], sizeof(name[1]), "iova: free, 100,000 live, %s", what);
    fragment(w, &host, most, flags);
    c.limit = (struct bench_work){NULL, wait_500_ns_each, w, CALLS};
    c.name = name[0];
    c.subject = (struct bench_work){free_some, alloc_all, w, CALLS};
    bench_run(&c);
    shuffle(w);
    c.name = name[1];
    c.subject = (struct bench_work){alloc_some, free_all, w, CALLS};
    c.target = 0;
    free_all(w);
    bench_run(&c);
}

int main(int argc, char **argv)
{
    static struct world w = {.random = 88172645463325252u};

    if (argc > 1)
        bench_only(argv[1]);
    bench_heading();
    bench_kept(&w);
    bench_fragmented(&w, "random sizes", 64, 0);
    bench_fragmented(&w, "random, aligned", 64, IOVA_ALIGNED);
    bench_fragmented(&w, "one frame", 1, 0);
    return 0;
}
