/* SPDX-License-Identifier: BSD-2-Clause */
/* Standing mappings: the next transfer of the same frames is no hypercall, within bounds. */
#include "fake_dma.h"

#define STANDERS 64u

static struct world {
    struct fake_dma f;
    struct dma_space s;
    struct dma_device d;
    struct dma_stander standers[STANDERS];
    uint32_t buckets[16];
    struct dma_range queue[64];
} w;

static struct dma_buffer pages(uint64_t gfn, uint64_t nr, enum dma_direction direction)
{
    return (struct dma_buffer){
        .gfn = gfn, .domain = DOMID_SELF, .direction = direction, .length = nr * DMA_PAGE};
}

static struct dma_space_config config(void)
{
    return (struct dma_space_config){
        .host = &w.f.host,
        .features = &w.f.features,
        .policy = DMA_STRICT,
        .iova = &w.f.iova,
        .queue = {.ranges = w.queue, .nr_ranges = 64, .max_pages = 10000, .max_us = 10000},
        .standing = {.standers = w.standers,
                     .nr = STANDERS,
                     .buckets = w.buckets,
                     .nr_buckets = 16,
                     .max_pages = 100}};
}

static void init(const struct dma_space_config *c)
{
    assert_int_equal(dma_space_init(&w.s, c), 0);
    w.d = (struct dma_device){.space = &w.s, .mask = UINT64_MAX, .protected = true};
}

static void again(const struct dma_space_config *c)
{
    assert_int_equal(dma_space_end(&w.s), 0);
    init(c);
}

static int start(void **state)
{
    struct dma_space_config c;

    (void)state;
    fake_dma_init(&w.f);
    w.f.stand_last = 0;
    c = config();
    init(&c);
    return 0;
}

static int finish(void **state)
{
    (void)state;
    return fake_dma_end(&w.f, &w.s) || w.s.standing.pages;
}

static struct dma_stats stats(void)
{
    struct dma_stats n;

    dma_stats(&w.s, &n);
    return n;
}

static uint64_t transfer(uint64_t gfn, uint64_t nr, enum dma_direction direction)
{
    const struct dma_buffer b = pages(gfn, nr, direction);
    struct dma_mapping m;

    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(m.route, DMA_ROUTE_STANDING);
    assert_int_equal(fake_dma_at(&w.f, m.address)->gfn, gfn);
    assert_int_equal(fake_dma_at(&w.f, m.address)->rights & direction, direction);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    return m.address;
}

static void the_same_frames_stay_where_they_are(void **state)
{
    const uint64_t first = transfer(5, 2, DMA_FROM_DEVICE);
    const unsigned calls = w.f.calls;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(transfer(5, 2, DMA_FROM_DEVICE), first);
    assert_int_equal(transfer(5, 1, DMA_FROM_DEVICE), first);
    assert_int_equal(w.f.calls, calls);
    assert_int_equal(stats().hits, 101);
    assert_int_equal(stats().misses, 1);
    assert_int_equal(stats().standing, 2);
    assert_int_equal(stats().live, 0);
}

/* A right that was not given is not found: the frames stand twice. */
static void rights_are_those_of_the_direction(void **state)
{
    const uint64_t from = transfer(5, 1, DMA_FROM_DEVICE);

    (void)state;
    assert_int_equal(fake_dma_at(&w.f, from)->rights, IOMMU_MAP_writeable);
    assert_int_not_equal(transfer(5, 1, DMA_TO_DEVICE), from);
    assert_int_equal(stats().standing, 2);
}

static void with_both_one_serves_all_directions(void **state)
{
    struct dma_space_config c = config();
    uint64_t at;

    (void)state;
    c.standing.both = true;
    again(&c);
    at = transfer(5, 1, DMA_FROM_DEVICE);
    assert_int_equal(fake_dma_at(&w.f, at)->rights, FAKE_RW);
    assert_int_equal(transfer(5, 1, DMA_TO_DEVICE), at);
    assert_int_equal(transfer(5, 1, DMA_BOTH), at);
}

/* 10,000 transfers by turns of 90 page-cache pages, of which 100 may stand. */
static void a_stream_over_the_same_pages_costs_nothing(void **state)
{
    struct dma_space_config c = config();

    (void)state;
    c.standing.max_pages = STANDERS;
    c.standing.both = true;
    again(&c);
    w.f.calls = 0;
    for (unsigned i = 0; i < 10000; i++)
        transfer(1 + i * 7 % 60, 1, i & 1 ? DMA_TO_DEVICE : DMA_FROM_DEVICE);
    assert_in_range(w.f.calls, 60, 1000);
}

/* Blocks of 16: 64 of them reach over all of a page cache of 1024 pages. */
static void blocks_stand_wholly_if_they_may(void **state)
{
    struct dma_space_config c = config();
    uint64_t at;

    (void)state;
    c.standing.order = 4;
    c.standing.max_pages = 2048;
    again(&c);
    w.f.stand_last = 2047;
    at = transfer(0x105, 1, DMA_FROM_DEVICE);
    assert_int_equal(fake_dma_at(&w.f, at - 5 * DMA_PAGE)->gfn, 0x100);
    assert_int_equal(stats().standing, 16);
    assert_int_equal(transfer(0x10f, 1, DMA_FROM_DEVICE), at + 10 * DMA_PAGE);
    assert_int_equal(transfer(0x100, 16, DMA_FROM_DEVICE), at - 5 * DMA_PAGE);
    assert_int_equal(w.f.maps, 1);
    /* over the end of a block: two of them */
    transfer(0x10f, 2, DMA_FROM_DEVICE);
    assert_int_equal(stats().standing, 48);
    w.f.calls = 0;
    for (unsigned i = 0; i < 10000; i++)
        transfer(0x200 + i * 7 % 512, 1, DMA_FROM_DEVICE);
    assert_in_range(w.f.calls, 32, 1000);
}

static void a_block_with_a_strange_frame_does_not(void **state)
{
    struct dma_space_config c = config();

    (void)state;
    c.standing.order = 4;
    again(&c);
    w.f.stand_last = 0x10e;
    transfer(0x105, 1, DMA_FROM_DEVICE);
    assert_int_equal(stats().standing, 1);
    w.f.host.may_stand = NULL;
    transfer(0x90, 3, DMA_FROM_DEVICE);
    assert_int_equal(stats().standing, 4);
}

static void no_more_stand_than_may(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        transfer(1 + i * 3, 1 + i % 3, DMA_FROM_DEVICE);
        assert_in_range(stats().standing, 0, 100);
        assert_int_equal(stats().standing, fake_dma_mapped(&w.f));
    }
    assert_in_range(stats().standing, 90, 100);
}

/* Second chance: what is used over and over stays while others pass through. */
static void what_is_used_stays(void **state)
{
    unsigned maps;

    (void)state;
    transfer(1, 1, DMA_FROM_DEVICE);
    for (unsigned i = 0; i < 500; i++) {
        transfer(100 + i, 1, DMA_FROM_DEVICE);
        transfer(1, 1, DMA_FROM_DEVICE);
    }
    maps = w.f.maps;
    transfer(1, 1, DMA_FROM_DEVICE);
    assert_int_equal(w.f.maps, maps);
    assert_int_equal(maps, 501);
}

/* With all of them in use, or a buffer that is too large, it is mapped for itself. */
static void without_room_it_is_mapped_for_itself(void **state)
{
    struct dma_buffer b = pages(1, 101, DMA_FROM_DEVICE);
    struct dma_mapping large, m[STANDERS + 1];

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &b, &large), 0);
    assert_int_equal(large.route, DMA_ROUTE_MAP);
    for (unsigned i = 0; i <= STANDERS; i++) {
        b = pages(200 + 2 * i, 1, DMA_FROM_DEVICE);
        assert_int_equal(dma_map(&w.d, 0, &b, &m[i]), 0);
        assert_int_equal(m[i].route, i < STANDERS ? DMA_ROUTE_STANDING : DMA_ROUTE_MAP);
    }
    for (unsigned i = 0; i <= STANDERS; i++)
        assert_int_equal(dma_unmap(&w.d, 0, &m[i]), 0);
    assert_int_equal(dma_unmap(&w.d, 0, &large), 0);
    assert_int_equal(stats().standing, STANDERS);
    assert_int_equal(fake_dma_mapped(&w.f), STANDERS);
}

static void forgotten_frames_are_out_of_reach(void **state)
{
    const struct dma_buffer b = pages(9, 2, DMA_FROM_DEVICE);
    struct dma_mapping m;

    (void)state;
    transfer(5, 2, DMA_FROM_DEVICE);
    transfer(7, 1, DMA_FROM_DEVICE);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(dma_forget(&w.s, 6, 1), 0);
    assert_int_equal(stats().standing, 3);
    assert_int_equal(dma_forget(&w.s, 8, 1), 0);
    assert_int_equal(stats().standing, 3);
    assert_int_equal(dma_forget(&w.s, 7, 3), -EBUSY);
    assert_int_equal(stats().standing, 2);
    assert_non_null(fake_dma_at(&w.f, m.address));
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_int_equal(dma_forget(&w.s, 10, 1), 0);
    assert_int_equal(fake_dma_mapped(&w.f), 0);
    assert_int_equal(dma_forget(&w.s, 0, 0), -EINVAL);
    assert_int_equal(dma_forget(&w.s, 1, UINT64_MAX), -EINVAL);
}

/* In a deferred space, that takes a flush. */
static void a_deferred_space_is_flushed_for_it(void **state)
{
    struct dma_space_config c = config();

    (void)state;
    c.policy = DMA_DEFERRED;
    again(&c);
    transfer(5, 2, DMA_FROM_DEVICE);
    w.f.flushes = 0;
    assert_int_equal(dma_forget(&w.s, 5, 1), 0);
    assert_int_equal(w.f.flushes, 1);
    for (unsigned i = 0; i < FAKE_FRAMES; i++)
        assert_false(w.f.ctx[i].stale);
}

static void a_failed_unmap_is_told(void **state)
{
    (void)state;
    transfer(5, 2, DMA_FROM_DEVICE);
    w.f.odd = (struct fake_odd){.subop = IOMMU_unmap_pages, .err = -EIO, .after = 2};
    assert_int_equal(dma_forget(&w.s, 5, 1), -EIO);
    assert_int_equal(stats().lost, 2);
    assert_int_equal(stats().standing, 0);
    fake_dma_iova(&w.f, 1, 100, 100);
}

/* One that had to make room, and stays in the device's reach all the same. */
static void a_lost_one_is_not_forgotten(void **state)
{
    struct dma_space_config c = config();

    (void)state;
    c.standing.max_pages = 2;
    again(&c);
    transfer(5, 2, DMA_FROM_DEVICE);
    w.f.odd = (struct fake_odd){.subop = IOMMU_unmap_pages, .err = -EIO, .always = true};
    transfer(9, 2, DMA_FROM_DEVICE);
    w.f.odd.subop = 0;
    assert_int_equal(stats().lost, 2);
    assert_int_equal(dma_forget(&w.s, 6, 1), -EIO);
    assert_int_equal(dma_forget(&w.s, 9, 2), 0);
    assert_int_equal(dma_forget(&w.s, 6, 1), -EIO);
    again(&c); /* the end of the context is the end of it */
    fake_dma_iova(&w.f, 1, 100, 100);
    memset(w.f.ctx, 0, sizeof(w.f.ctx));
}

/* A block that was mapped in part, and is not undone. */
static void a_block_that_is_lost_is_not_forgotten(void **state)
{
    struct dma_space_config c = config();
    const struct dma_buffer b = pages(0x25, 1, DMA_FROM_DEVICE);
    struct dma_mapping m;

    (void)state;
    c.standing.order = 4;
    again(&c);
    w.f.stand_last = UINT64_MAX;
    w.f.odd = (struct fake_odd){
        .subop = IOMMU_map_pages, .err = -EPERM, .after = 3, .lie = true, .answer = 4};
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_int_equal(stats().standing, 1);
    assert_int_not_equal(stats().lost, 0);
    assert_int_equal(dma_forget(&w.s, 0x2f, 1), -EIO);
    assert_int_equal(dma_forget(&w.s, 0x30, 1), 0);
    again(&c); /* the end of the context is the end of it */
    fake_dma_iova(&w.f, 1, 100, 100);
    memset(w.f.ctx, 0, sizeof(w.f.ctx));
}

/* The hypervisor refuses a block: the buffer alone is tried, and its error is the answer. */
static void a_block_that_is_refused_is_not_the_end(void **state)
{
    struct dma_space_config c = config();
    const struct dma_buffer hole = pages(FAKE_PAGES + 1, 1, DMA_FROM_DEVICE);
    struct dma_mapping m;

    (void)state;
    c.standing.order = 4;
    again(&c);
    w.f.stand_last = UINT64_MAX;
    w.f.odd = (struct fake_odd){.subop = IOMMU_map_pages, .err = -EPERM, .after = 3};
    transfer(0x25, 1, DMA_FROM_DEVICE);
    assert_int_equal(stats().standing, 1);
    assert_int_equal(dma_map(&w.d, 0, &hole, &m), -ENOENT);
    assert_int_equal(stats().standing, 1);
    assert_int_equal(fake_dma_mapped(&w.f), 1);
}

/* Addresses run out: what stands idle gives its own. */
static void standing_ones_make_room_for_others(void **state)
{
    struct dma_space_config c = config();
    struct dma_buffer b = pages(300, 12, DMA_FROM_DEVICE);
    struct dma_mapping m;

    (void)state;
    assert_int_equal(dma_space_end(&w.s), 0);
    fake_dma_iova(&w.f, 1, 16, FAKE_RANGES);
    c.standing.max_pages = 16;
    init(&c);
    for (unsigned i = 0; i < 10; i++)
        transfer(1 + i, 1, DMA_FROM_DEVICE);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    b = pages(300, 17, DMA_FROM_DEVICE);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOSPC);
}

static void one_beyond_the_mask_is_not_used(void **state)
{
    const uint64_t high = transfer(5, 1, DMA_FROM_DEVICE);
    const struct dma_buffer b = pages(5, 1, DMA_FROM_DEVICE);
    struct dma_mapping m;

    (void)state;
    w.d.mask = high - 1;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_in_range(m.address, 0, high - 1);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, start, finish)
    const struct CMUnitTest tests[] = {
        TEST(the_same_frames_stay_where_they_are),
        TEST(rights_are_those_of_the_direction),
        TEST(with_both_one_serves_all_directions),
        TEST(a_stream_over_the_same_pages_costs_nothing),
        TEST(blocks_stand_wholly_if_they_may),
        TEST(a_block_with_a_strange_frame_does_not),
        TEST(no_more_stand_than_may),
        TEST(what_is_used_stays),
        TEST(without_room_it_is_mapped_for_itself),
        TEST(forgotten_frames_are_out_of_reach),
        TEST(a_deferred_space_is_flushed_for_it),
        TEST(a_failed_unmap_is_told),
        TEST(a_lost_one_is_not_forgotten),
        TEST(a_block_that_is_lost_is_not_forgotten),
        TEST(a_block_that_is_refused_is_not_the_end),
        TEST(standing_ones_make_room_for_others),
        TEST(one_beyond_the_mask_is_not_used),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
