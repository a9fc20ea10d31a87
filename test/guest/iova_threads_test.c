/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOVA allocator on several processors at once, in a space so small that they reclaim from each
 * other all the time: no frame is anybody's twice, and none is lost.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guest/lib/iova.h"

#define NR_CPUS 3u
#define LAST    255u
#define HELD    40u
#define ROUNDS  30000u

static struct iova_space s;
static struct iova_range ranges[LAST + 2];
static struct iova_block blocks[IOVA_BLOCKS(LAST + 2)];
static struct iova_slots slots[IOVA_BLOCKS(LAST + 2)];
static uint32_t buckets[64];
static struct iova_cpu cpus[NR_CPUS];
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static unsigned holders[LAST + 1], wrong;

static void lock(void *arg)
{
    pthread_mutex_lock(arg);
}

static void unlock(void *arg)
{
    pthread_mutex_unlock(arg);
}

static void must(bool ok)
{
    if (!ok)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

struct held {
    uint64_t first, nr;
};

static void take(uint32_t cpu, struct held *h, uint64_t nr)
{
    const struct iova_request want = {.nr = nr, .limit = LAST, .flags = nr & 1};
    const int err = iova_alloc(&s, cpu, &want, &h->first);

    must(!err || err == -ENOSPC);
    h->nr = err ? 0 : iova_frames(nr, want.flags);
    for (uint64_t f = h->first; f < h->first + h->nr; f++)
        must(!__atomic_fetch_add(&holders[f], 1, __ATOMIC_RELAXED));
}

static void give(uint32_t cpu, struct held *h)
{
    for (uint64_t f = h->first; f < h->first + h->nr; f++)
        __atomic_fetch_sub(&holders[f], 1, __ATOMIC_RELAXED);
    must(!iova_free(&s, cpu, h->first, h->nr));
    h->nr = 0;
}

static void *run(void *arg)
{
    const uint32_t cpu = (uint32_t)((struct iova_cpu *)arg - cpus);
    struct held held[HELD] = {{0}};
    uint64_t random = cpu + 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct held *h = &held[random >> 33 & 31];

        random = random * 6364136223846793005u + 1442695040888963407u;
        if (h->nr)
            give(cpu, h);
        else
            take(cpu, h, 1 + (random >> 40 & 7));
    }
    for (unsigned i = 0; i < HELD; i++)
        if (held[i].nr)
            give(cpu, &held[i]);
    return NULL;
}

static void run_all(void)
{
    pthread_t thread[NR_CPUS];

    for (unsigned i = 0; i < NR_CPUS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run, &cpus[i]), 0);
    for (unsigned i = 0; i < NR_CPUS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
}

static void no_frame_is_given_twice_and_none_is_lost(void **state)
{
    const struct iova_host host = {&mutex, lock, unlock};
    const struct iova_config config = {.host = &host,
                                       .last = LAST,
                                       .ranges = ranges,
                                       .nr_ranges = LAST + 2,
                                       .blocks = blocks,
                                       .slots = slots,
                                       .buckets = buckets,
                                       .nr_buckets = 64,
                                       .cpus = cpus,
                                       .nr_cpus = NR_CPUS};
    const struct iova_request all = {.nr = LAST, .limit = LAST};
    struct iova_stats stats;
    uint64_t first;

    (void)state;
    assert_int_equal(iova_init(&s, &config), 0);
    run_all();
    assert_int_equal(wrong, 0);
    iova_stats(&s, &stats);
    assert_int_equal(stats.live, 0);
    assert_int_equal(iova_alloc(&s, 0, &all, &first), 0);
    assert_int_equal(first, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_frame_is_given_twice_and_none_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
