/* SPDX-License-Identifier: BSD-2-Clause */
/* Premapped spaces, pages of other domains in their window, and those that are looked up. */
#include "fake_dma.h"

#define OWN    0x1000u /* frames of memory */
#define WINDOW 0x3000u
#define FOUND  32u

static struct world {
    struct fake_dma f;
    struct dma_space s;
    struct dma_device d;
    struct dma_found found[FOUND];
} w;

static const struct dma_memory memory[] = {{.first = 0x10, .nr = 0x9f0}, {.first = 0xa01, .nr = 3}};

static struct dma_space_config config(enum dma_policy policy)
{
    return (struct dma_space_config){.host = &w.f.host,
                                     .features = &w.f.features,
                                     .policy = policy,
                                     .iova = policy == DMA_DIRECT ? NULL : &w.f.iova,
                                     .server = IOSERVID_any,
                                     .found = w.found,
                                     .nr_found = FOUND};
}

static void init(enum dma_policy policy)
{
    struct dma_space_config c;

    fake_dma_init(&w.f);
    fake_dma_iova(&w.f, WINDOW, WINDOW + 99, FAKE_RANGES);
    c = config(policy);
    assert_int_equal(dma_space_init(&w.s, &c), 0);
    w.d = (struct dma_device){.space = &w.s, .mask = UINT64_MAX, .protected = true};
}

static int premapped(void **state)
{
    (void)state;
    init(DMA_PREMAPPED);
    return 0;
}

/* No unit, machine frames everywhere: lookups tell them. */
static int direct(void **state)
{
    (void)state;
    init(DMA_DIRECT);
    w.d.protected = false;
    w.f.features.direct_mapped = true;
    w.f.lookup_base = 0x100000;
    return 0;
}

static int finish(void **state)
{
    (void)state;
    return fake_dma_end(&w.f, &w.s) || w.f.lookups;
}

static struct dma_buffer pages(uint64_t gfn, uint64_t nr, domid_t domain)
{
    return (struct dma_buffer){.gfn = gfn,
                               .offset = 16,
                               .domain = domain,
                               .direction = DMA_FROM_DEVICE,
                               .length = nr * DMA_PAGE - 16};
}

static void own_memory_costs_nothing(void **state)
{
    const struct dma_buffer b = pages(0x123, 3, DOMID_SELF);
    struct dma_mapping m;

    (void)state;
    assert_int_equal(dma_premap(&w.s, memory, 2), 0);
    assert_int_equal(fake_dma_mapped(&w.f), 0x9f3);
    for (unsigned i = 0x10; i < 0xa00; i++)
        assert_int_equal(w.f.bus[i].gfn, i);
    assert_int_equal(w.f.bus[0x200].order, 9);
    assert_int_equal(w.f.bus[0x10].order, 4);
    /* 4,5,6,7,8 then 9,9,9,9 then 8,7,6,5 for the rest; and 0,1 */
    assert_in_range(w.f.elements, 8, 14);
    assert_int_equal(w.f.calls, 1);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
        assert_int_equal(m.route, DMA_ROUTE_STANDING);
        assert_int_equal(m.address, 0x123010);
        assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    }
    assert_int_equal(w.f.calls, 1);
    assert_int_equal(dma_unpremap(&w.s, memory, 2), 0);
    assert_int_equal(fake_dma_mapped(&w.f), 0);
}

/* A hardware domain names machine frames, and none is held for it. */
static void machine_frames_are_named_where_they_may_be(void **state)
{
    const struct dma_memory one = {.first = 0x10, .nr = 4, .frame = 0x500};

    (void)state;
    w.f.features.all = true;
    assert_int_equal(dma_premap(&w.s, &one, 1), 0);
    assert_int_equal(w.f.bus[0x12].gfn, 0x502);
    assert_int_equal(dma_unpremap(&w.s, &one, 1), 0);
}

static void a_premap_that_fails_leaves_nothing(void **state)
{
    struct dma_memory many[70], beyond = {.first = FAKE_FRAMES - 2, .nr = 3};

    (void)state;
    for (unsigned i = 0; i < 70; i++)
        many[i] = (struct dma_memory){.first = 0x10 + 2 * i, .nr = 1};
    for (unsigned skip = 0; skip < 70; skip++) {
        w.f.odd = (struct fake_odd){.subop = 100 + IOMMUOP_map_page, .skip = skip, .err = -ENOMEM};
        assert_int_equal(dma_premap(&w.s, many, 70), -ENOMEM);
        assert_int_equal(fake_dma_mapped(&w.f), 0);
    }
    for (unsigned after = 0; after < 31; after++) {
        w.f.odd = (struct fake_odd){.subop = 200, .skip = 1, .err = -EFAULT, .after = after};
        assert_int_equal(dma_premap(&w.s, many, 70), -EFAULT);
        assert_int_equal(fake_dma_mapped(&w.f), 0);
    }
    assert_int_equal(dma_premap(&w.s, &beyond, 1), -ENXIO);
    assert_int_equal(fake_dma_mapped(&w.f), 0);
    beyond.nr = UINT64_MAX;
    assert_int_equal(dma_premap(&w.s, &beyond, 1), -EINVAL);
    assert_int_equal(dma_unpremap(&w.s, &beyond, 1), -EINVAL);
}

/* Somebody's bus frame is in the way, and stays. */
static void what_was_there_is_not_undone(void **state)
{
    const struct dma_memory one = {.first = 0x12, .nr = 1}, all = {.first = 0x11, .nr = 3};

    (void)state;
    assert_int_equal(dma_premap(&w.s, &one, 1), 0);
    assert_int_equal(dma_premap(&w.s, &all, 1), -EEXIST);
    assert_int_equal(fake_dma_mapped(&w.f), 1);
    assert_int_equal(dma_unpremap(&w.s, &all, 1), -ENOENT);
    (void)dma_unpremap(&w.s, &one, 1);
}

static void pages_of_others_come_to_the_window(void **state)
{
    const struct dma_buffer b = pages(0x77, 40, FAKE_OTHER);
    struct dma_mapping m;

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(w.f.calls, 2);
    assert_int_equal(m.route, DMA_ROUTE_MAP);
    assert_in_range(m.address >> 12, WINDOW, WINDOW + 60);
    for (unsigned i = 0; i < 40; i++) {
        const struct fake_frame *at = &w.f.bus[(m.address >> 12) + i];

        assert_int_equal(at->gfn, 0x77 + i);
        assert_int_equal(at->domain, FAKE_OTHER);
        assert_int_equal(at->rights, IOMMU_MAP_writeable);
    }
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_int_equal(fake_dma_mapped(&w.f), 0);
}

static void a_foreign_map_that_fails_leaves_nothing(void **state)
{
    const struct dma_buffer b = pages(0x77, 40, FAKE_OTHER), c = pages(0x77, 1, 9);
    struct dma_mapping m;
    struct iova_stats n;

    (void)state;
    for (unsigned skip = 0; skip < 40; skip++) {
        w.f.odd =
            (struct fake_odd){.subop = 100 + IOMMUOP_map_foreign_page, .skip = skip, .err = -EIO};
        assert_int_equal(dma_map(&w.d, 0, &b, &m), -EIO);
        assert_int_equal(fake_dma_mapped(&w.f), 0);
        w.f.odd = (struct fake_odd){.subop = 200, .err = -EFAULT, .after = skip % 32};
        assert_int_equal(dma_map(&w.d, 0, &b, &m), -EFAULT);
        assert_int_equal(fake_dma_mapped(&w.f), 0);
    }
    assert_int_equal(dma_map(&w.d, 0, &c, &m), -ENXIO);
    iova_stats(&w.f.iova, &n);
    assert_int_equal(n.live, 0);
}

static void a_foreign_unmap_that_fails_loses_the_window(void **state)
{
    const struct dma_buffer b = pages(0x77, 60, FAKE_OTHER);
    struct dma_mapping m;
    struct dma_stats n;

    (void)state;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    w.f.odd = (struct fake_odd){.subop = 100 + IOMMUOP_unmap_foreign_page, .skip = 5, .err = -EIO};
    assert_int_equal(dma_unmap(&w.d, 0, &m), -EIO);
    assert_int_equal(fake_dma_mapped(&w.f), 1);
    dma_stats(&w.s, &n);
    assert_int_equal(n.lost, 60);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -ENOSPC);
}

/* Not in a context of one's own, and not without map_cap. */
static void where_it_cannot_be_it_is_said(void **state)
{
    const struct dma_buffer b = pages(1, 1, FAKE_OTHER), own = pages(1, 1, DOMID_SELF);
    struct dma_space_config c = config(DMA_PREMAPPED);
    struct dma_mapping m;
    struct dma_space s;

    (void)state;
    w.f.features.choose = false;
    assert_int_equal(dma_space_init(&s, &c), -EOPNOTSUPP);
    c.policy = DMA_STRICT;
    assert_int_equal(dma_space_init(&s, &c), 0);
    w.d.space = &s;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
    assert_non_null(m.why);
    assert_int_equal(dma_premap(&s, memory, 1), -EINVAL);
    assert_int_equal(dma_space_end(&s), 0);
    w.d.space = &w.s;
    w.d.mask = 0xffff;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
    w.d.mask = 0x100f;
    assert_int_equal(dma_map(&w.d, 0, &own, &m), -EOPNOTSUPP);
}

/* ---- Lookups ----------------------------------------------------------------------------------
 */

static void a_page_is_held_once_however_often_it_is_used(void **state)
{
    const struct dma_buffer b = pages(0x77, 2, FAKE_OTHER);
    struct dma_mapping m[3];

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(dma_map(&w.d, 0, &b, &m[i]), 0);
        assert_int_equal(m[i].route, DMA_ROUTE_LOOKUP);
        assert_int_equal(m[i].address, 0x100077010);
        assert_int_equal(w.f.lookups, 2);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(w.f.lookups, 2);
        assert_int_equal(dma_unmap(&w.d, 0, &m[i]), 0);
    }
    assert_int_equal(w.f.lookups, 0);
}

static void pages_that_are_scattered_are_not_one_buffer(void **state)
{
    const struct dma_buffer b = pages(0x76, 3, FAKE_OTHER), one = pages(0x76, 1, FAKE_OTHER);
    struct dma_mapping m;

    (void)state;
    w.f.scattered = true;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
    assert_non_null(m.why);
    assert_int_equal(w.f.lookups, 0);
    assert_int_equal(dma_map(&w.d, 0, &one, &m), 0);
    assert_int_equal(m.address, 0x100077010);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    w.d.mask = 0x100077fff - 1;
    assert_int_equal(dma_map(&w.d, 0, &one, &m), -EOPNOTSUPP);
}

static void lookups_that_fail_hold_nothing(void **state)
{
    const struct dma_buffer b = pages(0x77, 3, FAKE_OTHER), many = pages(1, 1000, FAKE_OTHER);
    struct dma_mapping m;

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        w.f.odd =
            (struct fake_odd){.subop = 100 + IOMMUOP_lookup_foreign_page, .skip = i, .err = -EIO};
        assert_int_equal(dma_map(&w.d, 0, &b, &m), -EIO);
        assert_int_equal(w.f.lookups, 0);
    }
    assert_int_equal(dma_map(&w.d, 0, &many, &m), -ENOMEM);
    assert_int_equal(w.f.lookups, 0);
    w.s.config.found = NULL;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
    assert_non_null(m.why);
    w.s.config.found = w.found;
    w.f.features.frames = false;
    assert_int_equal(dma_map(&w.d, 0, &b, &m), -EOPNOTSUPP);
}

/* A protected device that stays in an identity map: its own pages are there, others looked up. */
static void an_identity_map_is_used_as_it_is(void **state)
{
    const struct dma_buffer b = pages(0x77, 1, FAKE_OTHER), own = pages(0x12, 1, DOMID_SELF);
    struct dma_mapping m;

    (void)state;
    w.d.protected = true;
    assert_int_equal(dma_map(&w.d, 0, &own, &m), -EOPNOTSUPP);
    w.f.features.caps.cap_flags |= IOMMUCAP_default_identity;
    assert_int_equal(dma_map(&w.d, 0, &own, &m), 0);
    assert_int_equal(m.route, DMA_ROUTE_STANDING);
    assert_int_equal(m.address, 0x12010);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
    assert_int_equal(dma_map(&w.d, 0, &b, &m), 0);
    assert_int_equal(m.route, DMA_ROUTE_LOOKUP);
    assert_int_equal(dma_unmap(&w.d, 0, &m), 0);
}

int main(void)
{
#define TEST(t, start) cmocka_unit_test_setup_teardown(t, start, finish)
    const struct CMUnitTest tests[] = {
        TEST(own_memory_costs_nothing, premapped),
        TEST(machine_frames_are_named_where_they_may_be, premapped),
        TEST(a_premap_that_fails_leaves_nothing, premapped),
        TEST(what_was_there_is_not_undone, premapped),
        TEST(pages_of_others_come_to_the_window, premapped),
        TEST(a_foreign_map_that_fails_leaves_nothing, premapped),
        cmocka_unit_test_setup(a_foreign_unmap_that_fails_loses_the_window, premapped),
        TEST(where_it_cannot_be_it_is_said, premapped),
        TEST(a_page_is_held_once_however_often_it_is_used, direct),
        TEST(pages_that_are_scattered_are_not_one_buffer, direct),
        TEST(lookups_that_fail_hold_nothing, direct),
        TEST(an_identity_map_is_used_as_it_is, direct),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
