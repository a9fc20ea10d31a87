/* SPDX-License-Identifier: BSD-2-Clause */
/* Strict spaces: what is unmapped is gone, whatever fails on the way leaves nothing. */
#include "fake_dma.h"

struct world {
    struct fake_dma f;
    struct dma_space s;
    struct dma_device d;
};

static struct world w;

static const struct dma_buffer small = {
    .gfn = 3, .offset = 100, .domain = DOMID_SELF, .direction = DMA_TO_DEVICE, .length = 200};

static struct dma_buffer frames(uint64_t gfn, uint64_t nr)
{
    return (struct dma_buffer){
        .gfn = gfn, .domain = DOMID_SELF, .direction = DMA_BOTH, .length = nr * DMA_PAGE};
}

static struct dma_space_config config(void)
{
    return (struct dma_space_config){
        .host = &w.f.host, .features = &w.f.features, .policy = DMA_STRICT, .iova = &w.f.iova};
}

static int start(void **state)
{
    struct dma_space_config c;

    (void)state;
    fake_dma_init(&w.f);
    c = config();
    assert_int_equal(dma_space_init(&w.s, &c), 0);
    w.d = (struct dma_device){.space = &w.s, .mask = UINT64_MAX, .protected = true};
    return 0;
}

static int finish(void **state)
{
    (void)state;
    return fake_dma_end(&w.f, &w.s);
}

static void live(uint64_t nr)
{
    struct dma_stats n;
    struct iova_stats iova;

    dma_stats(&w.s, &n);
    iova_stats(&w.f.iova, &iova);
    assert_int_equal(n.live, nr);
    assert_int_equal(iova.live, nr);
}

static void a_buffer_is_at_its_offset_with_its_rights(void **state)
{
    static const uint8_t rights[] = {0, IOMMU_MAP_readable, IOMMU_MAP_writeable, FAKE_RW};
    struct dma_buffer b = small;
    struct dma_mapping m;

    (void)state;
    for (unsigned i = DMA_TO_DEVICE; i <= DMA_BOTH; i++) {
        b.direction = (enum dma_direction)i;
        assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
        assert_int_equal(m.address & (DMA_PAGE - 1), 100);
        assert_int_equal(fake_dma_at(&w.f, m.address)->gfn, 3);
        assert_int_equal(fake_dma_at(&w.f, m.address)->rights, rights[i]);
        assert_int_equal(fake_dma_mapped(&w.f), 1);
        assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
        assert_int_equal(fake_dma_mapped(&w.f), 0);
    }
}

static void pages_are_one_hypercall(void **state)
{
    struct dma_buffer b = {.gfn = 9,
                           .offset = 4000,
                           .domain = DOMID_SELF,
                           .direction = DMA_FROM_DEVICE,
                           .length = 97 + 3 * DMA_PAGE};
    struct dma_mapping m;
    struct dma_stats n;

    (void)state;
    assert_int_equal(dma_map(&w.d, 1, &b, &m), 0);
    assert_int_equal(w.f.maps, 1);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(fake_dma_at(&w.f, m.address + i * DMA_PAGE)->gfn, 9 + i);
    assert_int_equal(fake_dma_mapped(&w.f), 5);
    dma_stats(&w.s, &n);
    assert_int_equal(n.pages_mapped, 5);
    assert_int_equal(n.maps, 1);
    assert_int_equal(dma_unmap(&w.d, 1, &m), 0);
    assert_int_equal(w.f.unmaps, 1);
    dma_stats(&w.s, &n);
    assert_int_equal(n.pages_unmapped, 5);
    assert_int_equal(n.unmaps, 1);
    assert_int_equal(n.hypercalls, w.f.calls);
    assert_int_equal(n.peak, 1);
}

static void large_pages_are_used(void **state)
{
    struct dma_buffer b = frames(512, 1024 + 3);
    struct dma_mapping m;

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(w.f.maps, 2);
    assert_int_equal(fake_dma_at(&w.f, m.address)->order, 9);
    assert_int_equal(fake_dma_at(&w.f, m.address + (uint64_t)1024 * DMA_PAGE)->order, 0);
    assert_int_equal(fake_dma_mapped(&w.f), 1027);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_int_equal(w.f.unmaps, 1);
}

/* 4K up to where a large one can begin, at an address that the user chose for it. */
static void an_own_address_gets_large_pages_in_the_middle(void **state)
{
    const uint64_t at = 0x1ff0;

    (void)state;
    assert_int_equal(dma_map_at(&w.s, at << 12, 0x3f0, 16 + 512 + 1, DMA_BOTH), 0);
    assert_int_equal(w.f.maps, 3);
    assert_int_equal(fake_dma_at(&w.f, at << 12)->order, 0);
    assert_int_equal(fake_dma_at(&w.f, (at + 16) << 12)->order, 9);
    assert_int_equal(fake_dma_at(&w.f, (at + 16) << 12)->gfn, 0x400);
    assert_int_equal(dma_unmap_at(&w.s, at << 12, 529), 0);
    assert_int_equal(fake_dma_mapped(&w.f), 0);
    assert_int_equal(dma_map_at(&w.s, at << 12 | 1, 1, 1, DMA_BOTH), -EINVAL);
    assert_int_equal(dma_map_at(&w.s, at << 12, 1, 0, DMA_BOTH), -EINVAL);
    assert_int_equal(dma_map_at(&w.s, at << 12, 1, UINT64_MAX, DMA_BOTH), -EINVAL);
    assert_int_equal(dma_map_at(&w.s, at << 12, UINT64_MAX, 1, DMA_BOTH), -EINVAL);
    assert_int_equal(dma_unmap_at(&w.s, at << 12, 1), -ENOENT);
}

static void what_has_no_sense_is_refused(void **state)
{
    const struct dma_buffer bad[] = {
        {.gfn = 1, .domain = DOMID_SELF, .direction = DMA_BOTH},
        {.gfn = 1, .domain = DOMID_SELF, .length = 1},
        {.gfn = 1, .domain = DOMID_SELF, .direction = (enum dma_direction)4, .length = 1},
        {.gfn = 1, .offset = DMA_PAGE, .domain = DOMID_SELF, .direction = DMA_BOTH, .length = 1},
        {.gfn = IOVA_FRAMES, .domain = DOMID_SELF, .direction = DMA_BOTH, .length = 1},
        {.gfn = UINT64_MAX, .domain = DOMID_SELF, .direction = DMA_BOTH, .length = UINT64_MAX}};
    struct dma_mapping m;

    (void)state;
    for (unsigned i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(dma_map(&w.d, 0, &bad[i], &m), -EINVAL);
        assert_non_null(m.why);
    }
    assert_int_equal(dma_map_list(&w.d, 0, bad, &m, 0), -EINVAL);
    live(0);
}

static void the_mask_is_kept(void **state)
{
    struct dma_mapping m;

    (void)state;
    w.d.mask = 0x7fffff;
    assert_int_equal(dma_map(&w.d, 0, &small, &m), 0);
    assert_in_range(m.address, DMA_PAGE, 0x7fffff);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    w.d.mask = 0xfff;
    assert_int_equal(dma_map(&w.d, 0, &small, &m), -EOPNOTSUPP);
    assert_int_equal(m.route, DMA_ROUTE_NONE);
    assert_non_null(m.why);
}

/* Every way in which a map may fail: what was mapped is unmapped, and the addresses are free. */
static void a_map_that_fails_leaves_nothing(void **state)
{
    const struct dma_buffer b = frames(512, 1024 + 3);
    const struct fake_odd odd[] = {
        {.subop = IOMMU_map_pages, .err = -ENOMEM},
        {.subop = IOMMU_map_pages, .err = -ENOMEM, .after = 1},
        {.subop = IOMMU_map_pages, .skip = 1, .err = -ENOMEM},
        {.subop = IOMMU_map_pages, .skip = 1, .err = -ENOMEM, .after = 2},
        /* nothing is known */
        {.subop = IOMMU_map_pages, .err = -EFAULT, .after = 1, .lie = true, .answer = UINT32_MAX},
        {.subop = IOMMU_map_pages, .err = -EFAULT, .lie = true, .answer = UINT32_MAX},
        /* or it makes no sense */
        {.subop = IOMMU_map_pages, .after = 1},
        {.subop = IOMMU_map_pages, .after = 2, .lie = true, .answer = 1000},
        {.subop = IOMMU_map_pages, .err = 1, .after = 1}};
    struct dma_mapping m;

    (void)state;
    for (unsigned i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        struct dma_stats n;

        w.f.odd = odd[i];
        assert_int_equal(dma_map(&w.d, 0, &b, &m), odd[i].err < 0 ? odd[i].err : -EIO);
        assert_int_equal(fake_dma_mapped(&w.f), 0);
        live(0);
        dma_stats(&w.s, &n);
        assert_int_equal(n.lost, 0);
        assert_int_equal(n.pages_mapped, n.pages_unmapped);
    }
}

static void a_gfn_without_a_frame_is_told(void **state)
{
    const struct dma_buffer b = frames(FAKE_PAGES - 2, 4);
    struct dma_mapping m;

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOENT);
    assert_int_equal(fake_dma_mapped(&w.f), 0);
    live(0);
}

/* If it cannot be undone either, nobody gets the addresses any more. */
static void what_cannot_be_undone_is_lost(void **state)
{
    const struct dma_buffer b = frames(512, 512 + 3);
    struct dma_mapping m;
    struct dma_stats n;

    (void)state;
    fake_dma_iova(&w.f, 1, 2048, FAKE_RANGES);
    w.f.features.caps.pgsize_mask = 0x1000;
    w.f.odd = (struct fake_odd){.subop = IOMMU_unmap_pages, .err = -EIO, .after = 2};
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(dma_unmap(&w.d, 0, &m), -EIO);
    dma_stats(&w.s, &n);
    assert_int_equal(n.lost, 515);
    assert_int_equal(n.live, 0);
    assert_int_equal(n.pages_unmapped, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOSPC);
}

/* A map that failed, and whose first frames cannot be unmapped: its error says so. */
static void a_map_that_stays_is_an_error_of_its_own(void **state)
{
    const struct dma_buffer b = frames(5, 8);
    struct dma_mapping m;
    struct dma_stats n;

    (void)state;
    w.f.odd = (struct fake_odd){
        .subop = IOMMU_map_pages, .err = -EPERM, .after = 3, .lie = true, .answer = 4};
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EIO);
    dma_stats(&w.s, &n);
    assert_int_equal(n.lost, 8);
}

/* Success, but not all of it. */
static void an_unmap_that_stops_short_is_an_error(void **state)
{
    const struct dma_buffer b = frames(5, 3);
    struct dma_mapping m;
    struct dma_stats n;

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    w.f.odd = (struct fake_odd){.subop = IOMMU_unmap_pages, .after = 2};
    assert_int_equal(dma_unmap(&w.d, 0, &m), -EIO);
    dma_stats(&w.s, &n);
    assert_int_equal(n.lost, 3);
}

static void no_room_and_no_memory_are_told(void **state)
{
    const struct dma_buffer b = frames(1, 4);
    struct dma_mapping m[3];

    (void)state;
    fake_dma_iova(&w.f, 1, 8, FAKE_RANGES);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(dma_map(&w.d, 0, &b, &m[i]), 0);
    assert_int_equal(dma_map(&w.d, 0, &b, &m[2]), -ENOSPC);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(dma_unmap(&w.d, 0, &m[i]), 0);
    fake_dma_iova(&w.f, 1, 100, 2);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(dma_map(&w.d, 0, &b, &m[i]), 0);
    assert_int_equal(dma_map(&w.d, 0, &b, &m[2]), -ENOMEM);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(dma_unmap(&w.d, 0, &m[i]), 0);
}

static void a_space_says_what_is_missing(void **state)
{
    struct dma_space_config c = config();
    struct dma_space s;

    (void)state;
    w.f.features.contexts = false;
    assert_int_equal(dma_space_init(&s, &c), -EOPNOTSUPP);
    w.f.features.contexts = true;
    w.f.features.caps.pgsize_mask = 0x200000;
    assert_int_equal(dma_space_init(&s, &c), -EOPNOTSUPP);
    w.f.features.caps.pgsize_mask = 0x1000;
    w.f.features.caps.max_iova_addr = 0xffff;
    assert_int_equal(dma_space_init(&s, &c), -EINVAL);
    w.f.features.caps.max_iova_addr = UINT64_MAX;
    w.f.odd = (struct fake_odd){.subop = IOMMU_alloc_context, .err = -ENOSPC};
    assert_int_equal(dma_space_init(&s, &c), -ENOSPC);
    c.policy = (enum dma_policy)9;
    assert_int_equal(dma_space_init(&s, &c), -EINVAL);
    c.host = NULL;
    assert_int_equal(dma_space_init(&s, &c), -EINVAL);
}

static void a_space_in_use_does_not_end(void **state)
{
    struct dma_mapping m;

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &small, &m), 0);
    assert_int_equal(dma_space_end(&w.s), -EBUSY);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
}

/* What the device may not be given is reserved before it comes. */
static void a_device_brings_what_is_reserved(void **state)
{
    struct dma_mapping m[8];
    const struct dma_buffer b = frames(1, 1);

    (void)state;
    fake_dma_iova(&w.f, 1, 8, FAKE_RANGES);
    w.f.features.caps.cap_flags |= IOMMUCAP_query_reserved;
    w.f.reserved[0] = (struct pv_iommu_range){0x2000, 0x3fff, IOMMU_RANGE_direct, FAKE_RW};
    w.f.reserved[1] =
        (struct pv_iommu_range){0x5000, 0x5fff, IOMMU_RANGE_direct_relaxable, FAKE_RW};
    w.f.reserved[2] = (struct pv_iommu_range){0x8000, 0x8000, IOMMU_RANGE_msi, 2};
    w.f.nr_reserved = 3;
    assert_int_equal(dma_attach(&w.d), 0);
    assert_true(w.f.attached);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(dma_map(&w.d, 0, &b, &m[i]), 0);
        assert_true(m[i].address != 0x2000 && m[i].address != 0x3000 && m[i].address != 0x8000);
    }
    assert_int_equal(dma_map(&w.d, 0, &b, &m[5]), -ENOSPC);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(dma_unmap(&w.d, 0, &m[i]), 0);
    assert_int_equal(dma_detach(&w.d), 0);
    assert_false(w.f.attached);
}

static void a_device_that_cannot_come_does_not(void **state)
{
    struct dma_mapping m;

    (void)state;
    fake_dma_iova(&w.f, 1, 1, FAKE_RANGES);
    w.f.features.caps.cap_flags |= IOMMUCAP_query_reserved;
    w.f.reserved[0] = (struct pv_iommu_range){0x1000, 0x1fff, IOMMU_RANGE_reserved, 0};
    w.f.nr_reserved = 1;
    assert_int_equal(dma_map(&w.d, 0, &small, &m), 0);
    assert_int_equal(dma_attach(&w.d), -EBUSY);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    w.f.nr_reserved = 40;
    assert_int_equal(dma_attach(&w.d), -EMSGSIZE);
    w.f.nr_reserved = 0;
    w.f.odd = (struct fake_odd){.subop = IOMMU_reattach_device, .err = -EBUSY};
    assert_int_equal(dma_attach(&w.d), -EBUSY);
    assert_false(w.f.attached);
    w.d.protected = false;
    assert_int_equal(dma_attach(&w.d), -EINVAL);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, start, finish)
    const struct CMUnitTest tests[] = {
        TEST(a_buffer_is_at_its_offset_with_its_rights),
        TEST(pages_are_one_hypercall),
        TEST(large_pages_are_used),
        TEST(an_own_address_gets_large_pages_in_the_middle),
        TEST(what_has_no_sense_is_refused),
        TEST(the_mask_is_kept),
        TEST(a_map_that_fails_leaves_nothing),
        TEST(a_gfn_without_a_frame_is_told),
        cmocka_unit_test_setup(what_cannot_be_undone_is_lost, start),
        cmocka_unit_test_setup(a_map_that_stays_is_an_error_of_its_own, start),
        cmocka_unit_test_setup(an_unmap_that_stops_short_is_an_error, start),
        TEST(no_room_and_no_memory_are_told),
        TEST(a_space_says_what_is_missing),
        TEST(a_space_in_use_does_not_end),
        TEST(a_device_brings_what_is_reserved),
        TEST(a_device_that_cannot_come_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
