/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows for doorbells: where they are, what is in them, and what that keeps out. */
#include "../../iommu/core/msi_window.h"
#include "fixture.h"

#define PAGES(a, b) ((uint64_t)(a) << 12), ((uint64_t)(b) << 12 | 0xfff)
#define BASE        0x8000u /* frames */
#define ITS         UINT64_C(0x90000040)
#define V2M         UINT64_C(0x90011040)

static const uint64_t doorbells[] = {ITS, V2M};
static const struct setup movable = {
    .msi_window = {.lowest = 0x10000000, .highest = 0x102fffff}}; /* three places */

static struct sluice_device *with(struct host *h, uint32_t rid, unsigned nr_doorbells,
                                  const struct sluice_region *r, unsigned nr)
{
    const rid_t rids[] = {{rid}};
    const struct sluice_device_config config = {.unit = &h->unit[0].hw,
                                                .rids = rids,
                                                .nr_rids = 1,
                                                .regions = r,
                                                .nr_regions = nr,
                                                .doorbells = doorbells,
                                                .nr_doorbells = nr_doorbells};
    struct sluice_device *dev;

    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    return dev;
}

static struct sluice_device *assigned(struct host *h, uint32_t rid, unsigned nr_doorbells)
{
    struct sluice_device *dev = with(h, rid, nr_doorbells, NULL, 0);

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    return dev;
}

static uint64_t composed(struct sluice_device *dev, unsigned index)
{
    struct hw_message m;

    assert_int_equal(sluice_device_compose_msi(dev, index, 77, &m), 0);
    assert_int_equal(m.data, 77);
    return m.address;
}

static void each_doorbell_has_its_page(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = assigned(h, 8, 2);
    unsigned attr;

    assert_int_equal(nr_mapped(h, 0), 2);
    assert_int_equal(goes_to(h, 0, BASE, &attr), ITS >> 12);
    assert_int_equal(attr, PT_WRITE);
    assert_int_equal(goes_to(h, 0, BASE + 1, NULL), V2M >> 12);
    assert_int_equal(composed(dev, 0), 0x8000040);
    assert_int_equal(composed(dev, 1), 0x8001040);
}

static void nobody_elses_devices_have_a_message(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = with(h, 8, 1, NULL, 0);
    struct sluice_device_info info;
    struct hw_message m;

    assert_int_equal(sluice_device_compose_msi(dev, 0, 0, &m), -EPERM);
    assert_int_equal(sluice_device_compose_msi(dev, 1, 0, &m), -EINVAL);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    sluice_device_info(dev, &info);
    assert_int_equal(info.msi_window, 0x8000000);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
    assert_null(context_of(h, 0)->regions);
    sluice_device_info(dev, &info);
    assert_int_equal(info.msi_window, SLUICE_NO_WINDOW);
    assert_int_equal(sluice_device_compose_msi(dev, 0, 0, &m), -EPERM);
}

/* A quarantine with direct regions has no doorbells. */
static void quarantines_have_none(void **state)
{
    static const struct sluice_region r = {PAGES(3, 3), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    struct sluice_device *dev = with(h, 8, 1, &r, 1);
    const struct context *quarantine = device_of(dev)->group->quarantine;
    struct pt_leaf leaf;

    assert_non_null(quarantine);
    assert_null(quarantine->doorbells);
    assert_int_equal(pt_lookup(&quarantine->pt, dfn_of(BASE), 1, &leaf), -ENOENT);
}

static void the_last_device_takes_its_doorbell_along(void **state)
{
    struct host *h = *state;
    struct sluice_device *a = assigned(h, 8, 2), *b = assigned(h, 9, 1);
    const struct happened *e;

    assert_int_equal(sluice_device_unassign(a), 0);
    assert_int_equal(nr_mapped(h, 0), 1);
    assert_int_equal(composed(b, 0), 0x8000040);
    e = nth(h, FLUSHED, count(h, FLUSHED) - 1);
    assert_non_null(e);
    assert_int_equal(e->inv[0].kind, HW_INV_RANGE);
    assert_int_equal(e->inv[0].did, context_of(h, 0)->did);
    assert_true(e->inv[0].first.n <= BASE + 1 && e->inv[0].last.n >= BASE + 1);
    assert_int_equal(sluice_device_unassign(b), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
    assert_null(context_of(h, 0)->doorbells);
}

static void calls_keep_out(void **state)
{
    struct host *h = *state;
    uint64_t gfn;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0x10, 0x1000, 16);
    assigned(h, 8, 1);
    attach(h, 8, 1);
    assert_int_equal(map(h, 1, 0x10, BASE, 1, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(map(h, 1, 0x10, BASE + 0xff, 1, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(map(h, 1, 0x10, BASE + 0x100, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, BASE, 1, FRAME_LG2, &done), -ENOENT);
    assert_int_equal(lookup(h, 1, BASE, &gfn), -ENOENT);
    assert_int_equal(nr_mapped(h, 1), 2);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(BASE), mfn_of(0x2000), 1, SLUICE_FRAME_RAM), 0);
    attach(h, 8, 1);
    assert_int_equal(try_attach(h, 8, 0), -EBUSY); /* memory is there */
}

static void memory_does_not_come_there(void **state)
{
    struct host *h = *state;

    assigned(h, 8, 1);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(BASE + 9), mfn_of(0x2000), 1, SLUICE_FRAME_RAM),
                     -EADDRNOTAVAIL);
}

static void where_it_cannot_move_the_device_does_not_come(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0x10, 0x1000, 16);
    assigned(h, 8, 1);
    assert_int_equal(map(h, 1, 0x10, BASE + 0x80, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(try_attach(h, 8, 1), -EBUSY);
    assert_int_equal(nr_mapped(h, 1), 1);
    assert_null(context_of(h, 1)->regions);
    assert_int_equal(nr_mapped(h, 0), 17);
}

static void it_moves_to_the_first_place_that_is_free(void **state)
{
    struct host *h = host_create(&movable);
    struct sluice_device *dev;
    uint32_t done;

    (void)state;
    assert_int_equal(new_context(h), 1);
    add_memory(h, 0x10, 0x1000, 16);
    dev = assigned(h, 8, 1);
    assert_int_equal(map(h, 1, 0x10, BASE + 0xff, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(map(h, 1, 0x10, 0x10000, 1, FRAME_LG2, RW, &done), 0);
    attach(h, 8, 1);
    assert_int_equal(composed(dev, 0), 0x10100040);
    assert_int_equal(map(h, 1, 0x10, 0x10100, 1, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    attach(h, 8, 0);
    assert_int_equal(composed(dev, 0), 0x8000040);
    assert_int_equal(map(h, 1, 0x10, 0x10100, 1, FRAME_LG2, RW, &done), 0);
    attach(h, 8, 1);
    assert_int_equal(composed(dev, 0), 0x10200040);
    attach(h, 8, 0);
    assert_int_equal(map(h, 1, 0x10, 0x10200, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(try_attach(h, 8, 1), -EBUSY);
    host_destroy(h);
}

/* A second device takes the window as it finds it; a window that a table declares stays. */
static void one_window_does_for_all_that_it_suits(void **state)
{
    static const struct sluice_region fixed = {0x8000000, 0x80fffff, SLUICE_REGION_SW_MSI, 0,
                                               SLUICE_REGION_BY_FIRMWARE};
    struct host *h = host_create(&movable);
    struct sluice_device *a, *b, *c;
    uint32_t done;

    (void)state;
    assert_int_equal(new_context(h), 1);
    add_memory(h, 0x10, 0x1000, 16);
    a = assigned(h, 8, 1);
    b = assigned(h, 9, 1);
    c = with(h, 10, 1, &fixed, 1);
    assert_int_equal(sluice_device_assign(c, h->d), 0);
    assert_int_equal(map(h, 1, 0x10, BASE, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(try_attach(h, 10, 1), -EBUSY);
    attach(h, 8, 1);
    attach(h, 9, 1);
    assert_int_equal(composed(a, 0), 0x10000040);
    assert_int_equal(composed(b, 0), 0x10000040);
    assert_int_equal(composed(c, 0), 0x8000040);
    assert_int_equal(unmap(h, 1, BASE, 1, FRAME_LG2, &done), 0);
    assert_int_equal(try_attach(h, 10, 1), -EBUSY);
    attach(h, 8, 0);
    attach(h, 9, 0);
    attach(h, 10, 1);
    attach(h, 8, 1);
    assert_int_equal(composed(a, 0), 0x8000040);
    host_destroy(h);
}

static void it_moves_out_of_the_way_of_the_devices_own_regions(void **state)
{
    static const struct sluice_region r = {PAGES(BASE + 0x10, BASE + 0x10), SLUICE_REGION_DIRECT,
                                           RW, 0};
    struct host *h = host_create(&movable), *rigid = *state;
    struct sluice_device *dev = with(h, 8, 1, &r, 1);

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(composed(dev, 0), 0x10000040);
    assert_int_equal(goes_to(h, 0, BASE + 0x10, NULL), BASE + 0x10);
    host_destroy(h);
    assert_int_equal(sluice_device_assign(with(rigid, 8, 1, &r, 1), rigid->d), -EBUSY);
    assert_null(context_of(rigid, 0)->regions);
    assert_int_equal(nr_mapped(rigid, 0), 0);
}

/* Whatever kind it is, also where no doorbell is mapped. */
static void regions_of_others_do_not_come_into_it(void **state)
{
    static const struct sluice_region r[] = {
        {PAGES(BASE + 0x80, BASE + 0x80), SLUICE_REGION_RESERVED, 0, 0},
        {PAGES(BASE + 0x80, BASE + 0x80), SLUICE_REGION_DIRECT, RW, 0},
        {PAGES(BASE + 0xff, BASE + 0x101), SLUICE_REGION_MSI, 0, 0}};
    struct host *h = *state;

    assigned(h, 8, 1);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(sluice_device_assign(add_device_with(h, 16 + i, &r[i], 1), h->d), -EBUSY);
    assert_int_equal(nr_mapped(h, 0), 1);
}

static void pins_keep_it_out(void **state)
{
    struct host *h = host_create(&movable);
    struct pv_iommu_query_reserved q = {.flags = IOMMU_RESERVED_allowed | IOMMU_RESERVED_pin,
                                        .nr_ranges = 8};

    (void)state;
    q.ranges.q = GUEST_ADDRESS + 0x1000;
    assert_int_equal(hypercall(h, 1, IOMMU_query_reserved, &q, sizeof(q)), 0);
    assert_int_equal(sluice_device_assign(with(h, 8, 1, NULL, 0), h->d), -EBUSY);
    host_destroy(h);
}

/* The domain with the machine's frames in its space: one that comes later has no place there. */
static void frames_of_others_do_not_come_into_it(void **state)
{
    const struct setup setup = {.no_domain = true};
    const struct sluice_domain_config config = {.domid = 1, .space = SLUICE_SPACE_PASSTHROUGH};
    struct host *h = host_create(&setup);
    struct sluice_domain *other;
    struct sluice_device *dev;

    (void)state;
    assert_int_equal(sluice_domain_create(h->s, &config, &h->d), 0);
    other = host_domain(h, 2);
    dev = with(h, 8, 1, NULL, 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(sluice_memory_add(other, gfn_of(0), mfn_of(BASE), 1, SLUICE_FRAME_RAM),
                     -EADDRNOTAVAIL);
    assert_int_equal(refs_of(h, BASE), 0);
    assert_int_equal(goes_to(h, 0, BASE, NULL), ITS >> 12);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(sluice_memory_add(other, gfn_of(0), mfn_of(BASE), 1, SLUICE_FRAME_RAM), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), -EBUSY);
    host_destroy(h);
}

/* A real one beats it: messages go where they go, untranslated. */
static void a_real_msi_region_leaves_no_window(void **state)
{
    static const struct sluice_region r = {PAGES(0x90000, 0x90011), SLUICE_REGION_MSI, 0, 0};
    struct host *h = *state;
    struct sluice_device *dev = with(h, 8, 2, &r, 1);

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
    assert_int_equal(composed(dev, 1), V2M);
}

/* Nor may it be where messages are never translated, or beyond the width. */
static void some_places_are_none(void **state)
{
    static const struct setup on_x86 = {.msi_window = {.base = 0xfee80000, .length = 0x100000}};
    static const struct setup far = {.msi_window = {.base = UINT64_C(1) << 48, .length = 0x1000}};
    const struct setup *setups[] = {&on_x86, &far};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct host *h = host_create(setups[i]);

        assert_int_equal(sluice_device_assign(with(h, 8, 1, NULL, 0), h->d), -EBUSY);
        host_destroy(h);
    }
}

static void claims_fail_without_a_trace(void **state)
{
    struct host *h = *state;
    int err = -ENOMEM;

    assert_int_equal(new_context(h), 1);
    assigned(h, 8, 2);
    for (unsigned n = 1; err; n++) {
        const unsigned objects = h->objects;

        h->fail_alloc = n;
        err = try_attach(h, 8, 1);
        h->fail_alloc = 0;
        if (!err)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_int_equal(nr_mapped(h, 1), 0);
        assert_null(context_of(h, 1)->regions);
        assert_null(context_of(h, 1)->doorbells);
        assert_int_equal(h->objects, objects);
    }
    assert_int_equal(nr_mapped(h, 1), 2);
}

/* Another processor gives empty tables up while one asks for the second table of the way there. */
static void trim_meanwhile(struct host *h)
{
    const struct context *c = context_of(h, 1);
    const struct page_range r = {.ctx_no = 1, .generation = c->generation};
    struct trim t = {0};

    if (++*(unsigned *)h->arg != 2)
        return;
    h->on_page = NULL;
    assert_int_equal(trim_context(domain_of(h->d), &r, &t), -ERESTART);
    assert_int_equal(count(h, TABLE_FREED), 0);
}

static void tables_on_the_way_there_stay(void **state)
{
    struct host *h = *state;
    const uint16_t no = new_context(h);
    unsigned pages = 0;

    assigned(h, 8, 2);
    forget(h);
    h->arg = &pages;
    h->on_page = trim_meanwhile;
    attach(h, 8, no);
    assert_int_equal(nr_mapped(h, no), 2);
}

static void units_that_cache_what_is_not_there_learn_of_it(void **state)
{
    const struct setup setup = {.caching_mode = true};
    struct host *h = host_create(&setup);
    const struct happened *e;

    (void)state;
    add_device(h, 7);
    forget(h);
    assigned(h, 8, 1);
    for (unsigned i = 0; (e = nth(h, FLUSHED, i)); i++)
        if (e->inv[0].kind == HW_INV_RANGE && e->inv[0].first.n == BASE)
            break;
    assert_non_null(e);
    host_destroy(h);
}

static void a_unit_that_fails_leaves_what_it_may_reach(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = assigned(h, 8, 1);

    h->lossy = true;
    h->fail_flush = 1;
    assert_int_equal(sluice_device_unassign(dev), -EIO);
    assert_non_null(context_of(h, 0)->doorbells);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_doorbell_has_its_page),
        T(nobody_elses_devices_have_a_message),
        T(quarantines_have_none),
        T(the_last_device_takes_its_doorbell_along),
        T(calls_keep_out),
        T(memory_does_not_come_there),
        T(where_it_cannot_move_the_device_does_not_come),
        cmocka_unit_test(it_moves_to_the_first_place_that_is_free),
        cmocka_unit_test(one_window_does_for_all_that_it_suits),
        T(it_moves_out_of_the_way_of_the_devices_own_regions),
        T(regions_of_others_do_not_come_into_it),
        cmocka_unit_test(pins_keep_it_out),
        cmocka_unit_test(frames_of_others_do_not_come_into_it),
        T(a_real_msi_region_leaves_no_window),
        cmocka_unit_test(some_places_are_none),
        T(claims_fail_without_a_trace),
        T(tables_on_the_way_there_stay),
        cmocka_unit_test(units_that_cache_what_is_not_there_learn_of_it),
        T(a_unit_that_fails_leaves_what_it_may_reach),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
