/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMA layer on several processors at once, on one device: strict, deferred, and with standing
 * mappings in so little room that they push each other out. The fake says whether an address was
 * used again too early, and at the end nothing is mapped or lost.
 */
#include "fake_dma.h"

#define NR_CPUS 3u
#define ROUNDS  3000u
#define HELD    8u

static struct fake_dma f;
static struct dma_space s;
static struct dma_device d;
static struct dma_range queue[32];
static struct dma_stander standers[16];
static uint32_t buckets[16];
static unsigned wrong;

static void must(bool ok)
{
    if (!ok)
        __atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
}

static uint64_t next(uint64_t *random)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return *random >> 33;
}

static void take(uint32_t cpu, struct dma_mapping *m, uint64_t random)
{
    const struct dma_buffer b = {.gfn = 1 + random % 40,
                                 .domain = DOMID_SELF,
                                 .direction = (enum dma_direction)(1 + random % 3),
                                 .length = (1 + random % 2) * DMA_PAGE};
    const int err = dma_map(&d, cpu, &b, m);

    must(!err);
    m->buffer.length = err ? 0 : b.length;
}

static void *run(void *arg)
{
    const uint32_t cpu = (uint32_t)(uintptr_t)arg;
    struct dma_mapping held[HELD] = {{.address = 0}};
    uint64_t random = cpu + 1;

    for (unsigned i = 0; i < ROUNDS; i++) {
        struct dma_mapping *m = &held[next(&random) % HELD];

        if (!m->buffer.length) {
            take(cpu, m, next(&random));
            continue;
        }
        must(!dma_unmap(&d, cpu, m));
        m->buffer.length = 0;
        if (i % 64 == 0)
            must(!dma_flush(&s));
        if (i % 100 == 0)
            (void)dma_forget(&s, 1 + i % 40, 1);
        __atomic_fetch_add(&f.us, 10, __ATOMIC_RELAXED);
        must(!dma_tick(&s));
    }
    for (unsigned i = 0; i < HELD; i++)
        must(!held[i].buffer.length || !dma_unmap(&d, cpu, &held[i]));
    return NULL;
}

static void run_all(enum dma_policy policy, bool standing)
{
    const struct dma_space_config c = {
        .host = &f.host,
        .features = &f.features,
        .policy = policy,
        .iova = &f.iova,
        .queue = {.ranges = queue, .nr_ranges = 32, .max_pages = 60, .max_us = 500},
        .standing = {.standers = standing ? standers : NULL,
                     .nr = 16,
                     .buckets = buckets,
                     .nr_buckets = 16,
                     .max_pages = 20}};
    pthread_t thread[NR_CPUS];

    fake_dma_init(&f);
    assert_int_equal(dma_space_init(&s, &c), 0);
    d = (struct dma_device){.space = &s, .mask = UINT64_MAX, .protected = true};
    for (uintptr_t i = 0; i < NR_CPUS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run, (void *)i), 0);
    for (unsigned i = 0; i < NR_CPUS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(wrong, 0);
    assert_int_equal(fake_dma_end(&f, &s), 0);
    assert_int_equal(s.stats.maps, s.stats.unmaps);
}

static void strict(void **state)
{
    (void)state;
    run_all(DMA_STRICT, false);
}

static void deferred(void **state)
{
    (void)state;
    run_all(DMA_DEFERRED, false);
}

static void standing(void **state)
{
    (void)state;
    run_all(DMA_STRICT, true);
}

static void standing_deferred(void **state)
{
    (void)state;
    run_all(DMA_DEFERRED, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strict),
        cmocka_unit_test(deferred),
        cmocka_unit_test(standing),
        cmocka_unit_test(standing_deferred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
