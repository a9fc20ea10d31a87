/* SPDX-License-Identifier: BSD-2-Clause */
/* Scatter lists: one range of addresses, one hypercall where there is one for it, all or nothing.
 */
#include "fake_dma.h"

#define MOST 300u

static struct world {
    struct fake_dma f;
    struct dma_space s;
    struct dma_device d;
    struct dma_pool pool;
    uint8_t used[16];
    struct dma_stander standers[16];
    uint32_t buckets[16];
    struct dma_buffer b[MOST];
    struct dma_mapping m[MOST];
} w;

static int start(void **state)
{
    struct dma_space_config c = {.host = &w.f.host,
                                 .features = &w.f.features,
                                 .policy = DMA_STRICT,
                                 .iova = &w.f.iova,
                                 .pool = &w.pool};

    (void)state;
    fake_dma_init(&w.f);
    w.pool = (struct dma_pool){.gfn = 40, .nr = 16, .used = w.used};
    assert_int_equal(dma_space_init(&w.s, &c), 0);
    w.f.maps = w.f.calls = 0;
    w.d = (struct dma_device){.space = &w.s, .mask = UINT64_MAX, .protected = true};
    return 0;
}

static int finish(void **state)
{
    int err = fake_dma_end(&w.f, &w.s);

    (void)state;
    for (unsigned i = 0; i < 16; i++)
        err |= w.used[i];
    return err;
}

/* Scattered, of 1 to 3 pages. */
static void fill(size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        w.b[i] = (struct dma_buffer){.gfn = 100 + 7 * i,
                                     .domain = DOMID_SELF,
                                     .direction = DMA_TO_DEVICE,
                                     .length = (1 + i % 3) * DMA_PAGE};
}

static void assert_mapped(size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        for (uint64_t p = 0; p < w.b[i].length; p += DMA_PAGE)
            assert_int_equal(fake_dma_at(&w.f, w.m[i].address + p)->gfn, w.b[i].gfn + (p >> 12));
        if (i)
            assert_int_equal(w.m[i].address, w.m[i - 1].address + w.b[i - 1].length);
    }
}

static int map(size_t nr)
{
    return dma_map_list(&w.d, 0, w.b, w.m, nr);
}

static void unmap(size_t nr)
{
    assert_int_equal(dma_unmap_list(&w.d, 0, w.m, nr), 0);
}

static void a_list_is_one_hypercall_each_way(void **state)
{
    (void)state;
    fill(30);
    assert_int_equal(map(30), 0);
    assert_mapped(30);
    assert_int_equal(w.f.calls, 1);
    assert_int_equal(w.f.lists, 1);
    unmap(30);
    assert_int_equal(w.f.calls, 2);
    assert_int_equal(w.s.stats.maps, 30);
    assert_int_equal(w.s.stats.pages_unmapped, 60);
    assert_int_equal(w.s.stats.pages_mapped, 60 + 16);
}

/* 600 pages at 128 a call. */
static void a_long_list_is_a_few(void **state)
{
    (void)state;
    fill(MOST);
    assert_int_equal(map(MOST), 0);
    assert_mapped(MOST);
    assert_in_range(w.f.lists, 5, 6);
    unmap(MOST);
    assert_int_equal(w.f.unmaps, 1);
}

static void without_map_list_it_is_one_a_run(void **state)
{
    (void)state;
    w.f.features.caps.cap_flags = 0;
    fill(30);
    assert_int_equal(map(30), 0);
    assert_mapped(30);
    assert_int_equal(w.f.maps, 30);
    assert_int_equal(w.f.lists, 0);
    unmap(30);
}

/* A run of many frames goes by itself, with large pages if it may; the order stays. */
static void large_runs_go_by_themselves(void **state)
{
    (void)state;
    fill(5);
    w.b[0].gfn = 0x400;
    w.b[0].length = 512 * DMA_PAGE;
    w.b[3].gfn = 0x1000;
    w.b[3].length = 200 * DMA_PAGE;
    assert_int_equal(map(5), 0);
    assert_mapped(5);
    assert_int_equal(fake_dma_at(&w.f, w.m[0].address)->order, 9);
    assert_int_equal(w.f.maps, 2);
    assert_int_equal(w.f.lists, 2);
    unmap(5);
}

static void each_has_its_direction(void **state)
{
    (void)state;
    fill(4);
    w.b[2].direction = w.b[3].direction = DMA_FROM_DEVICE;
    assert_int_equal(map(4), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(fake_dma_at(&w.f, w.m[i].address)->rights,
                         i < 2 ? IOMMU_MAP_readable : IOMMU_MAP_writeable);
    assert_int_equal(w.f.lists, 2);
    unmap(4);
}

static void it_is_all_or_nothing(void **state)
{
    (void)state;
    fill(MOST);
    for (unsigned skip = 0; skip < 5; skip++)
        for (unsigned after = 0; after < 120; after += 17) {
            w.f.odd = (struct fake_odd){
                .subop = IOMMU_map_list, .skip = skip, .err = -ENOMEM, .after = after};
            assert_int_equal(map(MOST), -ENOMEM);
            assert_int_equal(fake_dma_mapped(&w.f), 16);
        }
    w.b[77].gfn = FAKE_PAGES;
    assert_int_equal(map(MOST), -ENOENT);
    w.b[77].length = 0;
    assert_int_equal(map(MOST), -EINVAL);
    assert_non_null(w.m[77].why);
    assert_int_equal(fake_dma_mapped(&w.f), 16);
    assert_int_equal(w.s.stats.live, 0);
}

/* Whole pages, ends in slots: together. */
static void ends_bounce_in_a_list(void **state)
{
    (void)state;
    w.d.untrusted = true;
    fill(4);
    for (unsigned i = 0; i < 4; i++)
        w.b[i].gfn = 1 + 4 * i;
    w.b[1].length -= 10;
    w.b[2].offset = 5;
    w.b[2].length -= 5;
    assert_int_equal(map(4), 0);
    assert_int_equal(w.f.calls, 1);
    assert_int_equal(w.used[0] + w.used[1], 2);
    assert_int_equal(fake_dma_at(&w.f, w.m[1].address + DMA_PAGE)->gfn, 40);
    assert_int_equal(fake_dma_at(&w.f, w.m[2].address)->gfn, 41);
    assert_int_equal(fake_dma_at(&w.f, w.m[3].address)->gfn, 13);
    unmap(4);
    w.f.odd = (struct fake_odd){.subop = IOMMU_map_list, .err = -ENOMEM, .after = 3};
    assert_int_equal(map(4), -ENOMEM);
    w.b[3].offset = DMA_PAGE;
    assert_int_equal(map(4), -EINVAL);
}

/* Buffers that go other ways go them, and come back when the last one fails. */
static void ways_may_differ(void **state)
{
    struct dma_space_config c = {.host = &w.f.host,
                                 .features = &w.f.features,
                                 .policy = DMA_STRICT,
                                 .iova = &w.f.iova,
                                 .standing = {.standers = w.standers,
                                              .nr = 16,
                                              .buckets = w.buckets,
                                              .nr_buckets = 16,
                                              .max_pages = 4}};
    unsigned calls;

    (void)state;
    assert_int_equal(dma_space_end(&w.s), 0);
    w.s.config.pool = NULL;
    assert_int_equal(dma_space_init(&w.s, &c), 0);
    fill(6);
    assert_int_equal(map(6), 0);
    assert_int_equal(w.s.standing.pages, 4);
    assert_int_equal(w.m[0].route, DMA_ROUTE_STANDING);
    assert_int_equal(w.m[2].route, DMA_ROUTE_MAP);
    unmap(6);
    assert_int_equal(fake_dma_mapped(&w.f), 4);
    calls = w.f.calls;
    assert_int_equal(map(2), 0);
    unmap(2);
    assert_int_equal(w.f.calls, calls);
    w.b[5].gfn = FAKE_PAGES;
    assert_int_equal(map(6), -ENOENT);
    for (unsigned i = 0; i < 16; i++)
        assert_int_equal(w.standers[i].users, 0);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, start, finish)
    const struct CMUnitTest tests[] = {
        TEST(a_list_is_one_hypercall_each_way),
        TEST(a_long_list_is_a_few),
        TEST(without_map_list_it_is_one_a_run),
        TEST(large_runs_go_by_themselves),
        TEST(each_has_its_direction),
        TEST(it_is_all_or_nothing),
        TEST(ends_bounce_in_a_list),
        TEST(ways_may_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
