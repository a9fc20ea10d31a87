/* SPDX-License-Identifier: BSD-2-Clause */
/* Deferred spaces: few flushes, and no address is used again before the one that covers it. */
#include "fake_dma.h"

#define QUEUE 64u

static struct world {
    struct fake_dma f;
    struct dma_space s;
    struct dma_device d;
    struct dma_range queue[QUEUE];
} w;

static struct dma_buffer frames(uint64_t gfn, uint64_t nr)
{
    return (struct dma_buffer){
        .gfn = gfn, .domain = DOMID_SELF, .direction = DMA_BOTH, .length = nr * DMA_PAGE};
}

static struct dma_space_config config(void)
{
    return (struct dma_space_config){
        .host = &w.f.host,
        .features = &w.f.features,
        .policy = DMA_DEFERRED,
        .iova = &w.f.iova,
        .queue = {.ranges = w.queue, .nr_ranges = QUEUE, .max_pages = 10000, .max_us = 10000}};
}

static void init(const struct dma_space_config *c)
{
    assert_int_equal(dma_space_init(&w.s, c), 0);
    w.d = (struct dma_device){.space = &w.s, .mask = UINT64_MAX, .protected = true};
}

static int start(void **state)
{
    struct dma_space_config c;

    (void)state;
    fake_dma_init(&w.f);
    c = config();
    init(&c);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    return fake_dma_end(&w.f, &w.s);
}

static struct dma_stats stats(void)
{
    struct dma_stats n;

    dma_stats(&w.s, &n);
    return n;
}

static void map_and_unmap(uint64_t gfn, uint64_t nr)
{
    const struct dma_buffer b = frames(gfn, nr);
    struct dma_mapping m;

    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
}

static void flushes_are_few(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10000; i++)
        map_and_unmap(1 + i % 1000, 1 + i % 3);
    assert_in_range(stats().flushes, 1, 500);
    assert_int_equal(w.f.flushes, stats().flushes);
    assert_int_equal(w.f.reused, 0);
}

static void an_unmap_waits_for_the_flush(void **state)
{
    struct iova_stats n;

    (void)state;
    map_and_unmap(1, 1);
    assert_int_equal(w.f.flushes, 0);
    assert_int_equal(stats().queued, 1);
    iova_stats(&w.f.iova, &n);
    assert_int_equal(n.live, 1);
    assert_int_equal(dma_flush(&w.s), 0);
    assert_int_equal(w.f.flushes, 1);
    assert_int_equal(stats().queued, 0);
    iova_stats(&w.f.iova, &n);
    assert_int_equal(n.live, 0);
}

static void pages_are_a_bound(void **state)
{
    struct dma_space_config c = config();

    (void)state;
    assert_int_equal(dma_space_end(&w.s), 0);
    w.f.flushes = 0;
    c.queue.max_pages = 10;
    init(&c);
    map_and_unmap(1, 9);
    assert_int_equal(w.f.flushes, 0);
    map_and_unmap(1, 1);
    assert_int_equal(w.f.flushes, 1);
}

static void time_is_a_bound(void **state)
{
    (void)state;
    w.f.us = 5;
    map_and_unmap(1, 1);
    w.f.us += 9999;
    map_and_unmap(1, 1);
    assert_int_equal(dma_tick(&w.s), 0);
    assert_int_equal(w.f.flushes, 0);
    w.f.us++;
    assert_int_equal(dma_tick(&w.s), 0);
    assert_int_equal(w.f.flushes, 1);
    w.f.us += 100000;
    assert_int_equal(dma_tick(&w.s), 0);
    assert_int_equal(w.f.flushes, 1);
    map_and_unmap(1, 1);
    w.f.us += 10000;
    map_and_unmap(1, 1);
    assert_int_equal(w.f.flushes, 2);
}

/* Addresses that wait are brought back before there are none. */
static void a_space_that_is_full_of_waiting_is_flushed(void **state)
{
    struct dma_space_config c = config();

    (void)state;
    assert_int_equal(dma_space_end(&w.s), 0);
    fake_dma_iova(&w.f, 1, 16, FAKE_RANGES);
    init(&c);
    for (unsigned i = 0; i < 20; i++)
        map_and_unmap(1, 8);
    assert_int_equal(w.f.reused, 0);
    assert_in_range(stats().flushes, 9, 11);
}

/* What was mapped of a list that failed can still be reached. */
static void what_was_undone_waits_too(void **state)
{
    const struct dma_buffer b = frames(FAKE_PAGES - 2, 4);
    struct dma_mapping m;

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOENT);
    assert_int_equal(stats().queued, 1);
    map_and_unmap(1, 4);
    assert_int_equal(w.f.reused, 0);
}

static void a_flush_that_fails_frees_nothing(void **state)
{
    struct iova_stats n;

    (void)state;
    w.f.odd = (struct fake_odd){.subop = IOMMU_flush_context, .err = -EIO, .always = true};
    for (unsigned i = 0; i < QUEUE - 1; i++)
        map_and_unmap(1, 1);
    for (unsigned i = 0; i < 3; i++) {
        const struct dma_buffer b = frames(1, 1);
        struct dma_mapping m;

        assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
        assert_int_equal(dma_unmap(&w.d, 0, &m), -EIO);
    }
    assert_int_equal(dma_flush(&w.s), -EIO);
    assert_int_equal(stats().queued, QUEUE);
    assert_int_equal(stats().lost, 2);
    w.f.odd.subop = 0;
    assert_int_equal(dma_flush(&w.s), 0);
    iova_stats(&w.f.iova, &n);
    assert_int_equal(n.live, 2);
    fake_dma_iova(&w.f, 1, 10, FAKE_RANGES);
}

/* Flushes failed until the queue was full; then one does not, and all that waited is free. */
static void a_full_queue_ends_with_the_next_flush(void **state)
{
    const struct dma_buffer b = frames(1, 1);
    struct dma_mapping m;

    (void)state;
    w.f.odd = (struct fake_odd){.subop = IOMMU_flush_context, .err = -EIO, .always = true};
    for (unsigned i = 0; i < QUEUE - 1; i++)
        map_and_unmap(1, 1);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(dma_unmap(&w.d, 0, &m), -EIO);
    w.f.odd.subop = 0;
    w.f.flushes = 0;
    for (unsigned i = 0; i < QUEUE; i++)
        map_and_unmap(1, 1);
    assert_int_equal(w.f.flushes, 1);
    assert_int_equal(stats().queued, QUEUE - 1);
    assert_int_equal(stats().lost, 0);
}

static void what_it_needs_is_asked_for(void **state)
{
    struct dma_space_config c = config();
    struct dma_space s;

    (void)state;
    w.f.features.caps.cap_flags = 0;
    assert_int_equal(dma_space_init(&s, &c), -EOPNOTSUPP);
    w.f.features.caps.cap_flags = IOMMUCAP_deferred;
    c.queue.nr_ranges = 0;
    assert_int_equal(dma_space_init(&s, &c), -EINVAL);
    assert_true(w.f.deferred);
}

static void an_untrusted_device_is_refused(void **state)
{
    const struct dma_buffer b = frames(1, 1);
    struct dma_mapping m;

    (void)state;
    w.d.untrusted = true;
    assert_int_equal(dma_attach(&w.d), -EINVAL);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EINVAL);
    assert_non_null(m.why);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, start, finish)
    const struct CMUnitTest tests[] = {
        TEST(flushes_are_few),
        TEST(an_unmap_waits_for_the_flush),
        TEST(pages_are_a_bound),
        TEST(time_is_a_bound),
        TEST(a_space_that_is_full_of_waiting_is_flushed),
        TEST(what_was_undone_waits_too),
        TEST(a_flush_that_fails_frees_nothing),
        TEST(a_full_queue_ends_with_the_next_flush),
        TEST(what_it_needs_is_asked_for),
        TEST(an_untrusted_device_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
