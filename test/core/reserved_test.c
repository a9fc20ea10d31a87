/* SPDX-License-Identifier: BSD-2-Clause */
/* Reserved regions: exactly declared, counted, and nobody else's. */
#include "fixture.h"

#define PAGES(a, b) ((uint64_t)(a) << 12), ((uint64_t)(b) << 12 | 0xfff)

static struct sluice_device *assigned(struct host *h, uint32_t rid, const struct sluice_region *r,
                                      unsigned nr)
{
    struct sluice_device *dev = add_device_with(h, rid, r, nr);

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    return dev;
}

static void direct_ones_are_as_wide_as_declared_with_their_rights(void **state)
{
    static const struct sluice_region r[] = {{PAGES(3, 5), SLUICE_REGION_DIRECT, PT_READ, 0},
                                             {PAGES(9, 9), SLUICE_REGION_DIRECT, RW, 0}};
    struct host *h = *state;
    unsigned attr;

    assigned(h, 8, r, 2);
    assert_int_equal(nr_mapped(h, 0), 4);
    for (uint64_t n = 3; n <= 5; n++) {
        assert_int_equal(goes_to(h, 0, n, &attr), n);
        assert_int_equal(attr, PT_READ);
    }
    assert_int_equal(goes_to(h, 0, 9, &attr), 9);
    assert_int_equal(attr, RW);
}

static void only_what_is_direct_is_mapped(void **state)
{
    static const struct sluice_region r[] = {
        {PAGES(3, 5), SLUICE_REGION_RESERVED, 0, 0},
        {PAGES(9, 9), SLUICE_REGION_DIRECT_RELAXABLE, RW, 0},
        {PAGES(0xfee00, 0xfeeff), SLUICE_REGION_MSI, PT_WRITE, 0}};
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    assigned(h, 8, r, 3);
    attach(h, 8, 1);
    assert_int_equal(nr_mapped(h, 0), 0);
    add_memory(h, 0x100, 0x1000, 16);
    assert_int_equal(map(h, 1, 0x100, 5, 1, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(map(h, 1, 0x100, 0, 4, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(map(h, 1, 0x100, 0, 3, FRAME_LG2, RW, &done), 0);
    assert_int_equal(map(h, 1, 0x100, 9, 1, FRAME_LG2, RW, &done), 0); /* relaxable: not here */
}

static void two_devices_share_by_count(void **state)
{
    static const struct sluice_region r = {PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    struct sluice_device *a = assigned(h, 8, &r, 1), *b = assigned(h, 9, &r, 1);

    assert_int_equal(nr_mapped(h, 0), 3);
    assert_int_equal(sluice_device_unassign(a), 0);
    assert_int_equal(nr_mapped(h, 0), 3);
    assert_int_equal(sluice_device_unassign(b), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
}

/* The other device of the context may have the region in its unit's caches. */
static void a_region_that_goes_is_flushed_for_those_who_stay(void **state)
{
    static const struct sluice_region r = {PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    struct sluice_device *dev = assigned(h, 9, &r, 1);
    const struct happened *e;

    add_device(h, 8);
    forget(h);
    assert_int_equal(sluice_device_unassign(dev), 0);
    e = nth(h, FLUSHED, 1);
    assert_non_null(e);
    assert_int_equal(e->inv[0].kind, HW_INV_RANGE);
    assert_int_equal(e->inv[0].did, context_of(h, 0)->did);
    assert_int_equal(e->inv[0].first.n, 3);
    assert_int_equal(e->inv[0].last.n, 5);
}

/* Whoever comes first and whoever leaves first: the other keeps its own, exactly. */
static void overlapping_ones_keep_what_the_other_needs(void **state)
{
    static const struct sluice_region r[2] = {{PAGES(3, 10), SLUICE_REGION_DIRECT, RW, 0},
                                              {PAGES(5, 6), SLUICE_REGION_DIRECT, RW, 0}};

    (void)state;
    for (unsigned order = 0; order < 4; order++) {
        struct host *h = host_create(&(struct setup){0});
        const unsigned first = order & 1, leaves = order >> 1;
        struct sluice_device *dev[2];
        uint64_t want;

        dev[first] = assigned(h, 8, &r[first], 1);
        dev[!first] = assigned(h, 9, &r[!first], 1);
        assert_int_equal(nr_mapped(h, 0), 8);
        assert_int_equal(sluice_device_unassign(dev[leaves]), 0);
        want = leaves ? 8 : 2;
        assert_int_equal(nr_mapped(h, 0), want);
        for (uint64_t n = leaves ? 3 : 5; n <= (leaves ? 10 : 6); n++)
            assert_int_equal(goes_to(h, 0, n, NULL), n);
        assert_int_equal(sluice_device_unassign(dev[!leaves]), 0);
        assert_int_equal(nr_mapped(h, 0), 0);
        host_destroy(h);
    }
}

/* A page cannot be read-only for one device and writeable for another in the same context. */
static void where_rights_differ_they_do_not_come_together(void **state)
{
    static const struct sluice_region r[2] = {{PAGES(3, 10), SLUICE_REGION_DIRECT, RW, 0},
                                              {PAGES(5, 6), SLUICE_REGION_DIRECT, PT_READ, 0}};
    struct host *h = *state;
    struct sluice_device *narrow = assigned(h, 9, &r[1], 1), *wide;
    unsigned attr;

    wide = add_device_with(h, 8, &r[0], 1);
    assert_int_equal(sluice_device_assign(wide, h->d), -EBUSY);
    assert_int_equal(nr_mapped(h, 0), 2);
    (void)goes_to(h, 0, 5, &attr);
    assert_int_equal(attr, PT_READ);
    assert_int_equal(sluice_device_unassign(narrow), 0);
    assert_int_equal(sluice_device_assign(wide, h->d), 0);
    (void)goes_to(h, 0, 5, &attr);
    assert_int_equal(attr, RW);
}

static void claims_fail_without_a_trace(void **state)
{
    static const struct sluice_region r[] = {{PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0},
                                             {PAGES(0x300, 0x305), SLUICE_REGION_DIRECT, RW, 0},
                                             {PAGES(0x90000, 0x90000), SLUICE_REGION_DIRECT, RW, 0},
                                             {PAGES(7, 7), SLUICE_REGION_RESERVED, 0, 0}};
    struct host *h = *state;
    int err = -ENOMEM;

    assert_int_equal(new_context(h), 1);
    assigned(h, 8, r, 4);
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
        assert_int_equal(h->objects, objects);
    }
    assert_int_equal(nr_mapped(h, 1), 10);
}

/*
 * Its own pages come in two runs, around another device's region; tables for the second run fail:
 * the first must not stay, since nobody would know that it is not the domain's.
 */
static void a_region_in_two_runs_fails_without_a_trace(void **state)
{
    static const struct sluice_region inner = {PAGES(0x1fe, 0x1fe), SLUICE_REGION_DIRECT, RW, 0};
    static const struct sluice_region outer = {PAGES(0x1fd, 0x201), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    int err = -ENOMEM;

    assert_int_equal(new_context(h), 1);
    assigned(h, 8, &inner, 1);
    attach(h, 8, 1);
    assigned(h, 9, &outer, 1);
    for (unsigned n = 1; err; n++) {
        h->fail_alloc = n;
        err = try_attach(h, 9, 1);
        h->fail_alloc = 0;
        if (err)
            assert_int_equal(nr_mapped(h, 1), 1);
    }
    assert_int_equal(nr_mapped(h, 1), 5);
}

/* A failing unit in caching mode: what is mapped without being known as reserved is the guest's. */
static void a_claim_whose_flush_fails_leaves_nothing_untracked(void **state)
{
    static const struct sluice_region r = {PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = host_create(&(struct setup){.caching_mode = true});
    uint64_t gfn;

    (void)state;
    h->lossy = true;
    assert_int_equal(new_context(h), 1);
    add_device(h, 8);
    attach(h, 8, 1);
    assigned(h, 9, &r, 1);
    h->fail_flush = 1;
    assert_int_equal(try_attach(h, 9, 1), -EIO);
    assert_int_equal(lookup(h, 1, 3, &gfn), -ENOENT);
    host_destroy(h);
}

static void units_that_cache_what_is_not_there_learn_of_a_region(void **state)
{
    static const struct sluice_region r = {PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = host_create(&(struct setup){.caching_mode = true});
    const struct happened *e;

    (void)state;
    add_device(h, 8);
    forget(h);
    assigned(h, 9, &r, 1);
    for (unsigned i = 0; (e = nth(h, FLUSHED, i)); i++)
        if (e->inv[0].kind == HW_INV_RANGE && e->inv[0].did == context_of(h, 0)->did)
            break;
    assert_non_null(e);
    assert_int_equal(e->inv[0].first.n, 3);
    assert_int_equal(e->inv[0].last.n, 5);
    host_destroy(h);
}

static void a_region_where_somebody_works_is_claimed_later(void **state)
{
    static const struct sluice_region r = {PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    struct span span = {.first = dfn_of(5), .last = dfn_of(7)};
    struct context *c;
    uint64_t allowed;

    assert_int_equal(new_context(h), 1);
    assigned(h, 8, &r, 1);
    assert_int_equal(
        context_enter(domain_of(h->d), 1, context_of(h, 1)->generation, &span, &c, &allowed), 0);
    assert_int_equal(allowed, 3);
    assert_int_equal(try_attach(h, 8, 1), -ERESTART);
    assert_null(c->regions);
    assert_int_equal(nr_mapped(h, 1), 0);
    context_leave(c, &span);
    attach(h, 8, 1);
}

static uint64_t before(const struct context *c, uint64_t first, uint64_t nr)
{
    const struct span span = {.first = dfn_of(first), .last = dfn_of(first + nr - 1)};

    return reserved_before(c, &span);
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

static void tables_on_the_way_to_a_region_stay(void **state)
{
    static const struct sluice_region r = {PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    const uint16_t no = new_context(h);
    unsigned pages = 0;

    assigned(h, 8, &r, 1);
    forget(h);
    h->arg = &pages;
    h->on_page = trim_meanwhile;
    attach(h, 8, no);
    assert_int_equal(nr_mapped(h, no), 3);
}

static void the_part_before_the_first_reserved_frame_is_known(void **state)
{
    static const struct sluice_region r[] = {{PAGES(20, 29), SLUICE_REGION_RESERVED, 0, 0},
                                             {PAGES(10, 12), SLUICE_REGION_DIRECT, RW, 0}};
    struct host *h = *state;
    struct context *c = context_of(h, 0);

    assigned(h, 8, r, 2);
    assert_int_equal(before(c, 0, 10), 10);
    assert_int_equal(before(c, 0, 11), 10);
    assert_int_equal(before(c, 0, 100), 10);
    assert_int_equal(before(c, 12, 1), 0);
    assert_int_equal(before(c, 13, 7), 7);
    assert_int_equal(before(c, 13, 8), 7);
    assert_int_equal(before(c, 25, 100), 0);
    assert_int_equal(before(c, 30, 100), 100);
    assert_int_equal(before(c, 0xfee00, 1), 0);
    assert_int_equal(before(c, 0xfeeff, 1), 0);
    assert_int_equal(before(c, 0xfef00, 1), 1);
    assert_int_equal(before(c, 0xfed00, 0x1000), 0x100);
}

/* What must never be mapped is not mapped by the host either. */
static void memory_does_not_come_where_a_device_has_a_region(void **state)
{
    static const struct sluice_region r[] = {{PAGES(3, 5), SLUICE_REGION_RESERVED, 0, 0},
                                             {PAGES(9, 9), SLUICE_REGION_DIRECT, RW, 0}};
    struct host *h = *state;

    assigned(h, 8, r, 2);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(8), mfn_of(0x1000), 2, SLUICE_FRAME_RAM),
                     -EADDRNOTAVAIL);
    assert_int_equal(goes_to(h, 0, 8, NULL), NOWHERE);
    assert_int_equal(refs_of(h, 0x1000), 0);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(3), mfn_of(0x1000), 1, SLUICE_FRAME_RAM),
                     -EADDRNOTAVAIL);
}

/* 0 or the error, or 1: the library took it for a bug of its own. */
static int add_bad(struct host *h, const struct sluice_region *r, unsigned nr)
{
    const rid_t rid = {8};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = &rid, .nr_rids = 1, .regions = r, .nr_regions = nr};
    struct sluice_device *dev;
    volatile int err = 1;
    jmp_buf back;

    h->panicked = &back;
    if (!setjmp(back))
        err = sluice_device_add(h->s, &config, &dev);
    h->panicked = NULL;
    return err;
}

static void regions_that_make_no_sense_are_refused(void **state)
{
    static const struct sluice_region bad[] = {
        {1, 0xfff, SLUICE_REGION_DIRECT, RW, 0},
        {0, 0xffe, SLUICE_REGION_DIRECT, RW, 0},
        {0x2000, 0x1fff, SLUICE_REGION_DIRECT, RW, 0},
        {0, 0xfff, (enum sluice_region_type)4, RW, 0},
        {0, 0xfff, (enum sluice_region_type)6, RW, 0},
        {0, 0xfff, SLUICE_REGION_DIRECT, RW, (enum sluice_region_source)2},
        {0, 0xfff, SLUICE_REGION_DIRECT, 0, 0},
        {0, 0xfff, SLUICE_REGION_DIRECT, 0x100, 0}};
    static const struct sluice_region overlap[] = {{PAGES(3, 5), SLUICE_REGION_DIRECT, RW, 0},
                                                   {PAGES(5, 6), SLUICE_REGION_RESERVED, 0, 0}};
    struct host *h = *state;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const int err = add_bad(h, &bad[i], 1);

        h->lossy = err == 1;
        assert_int_equal(err, -EINVAL);
    }
    assert_int_equal(add_bad(h, overlap, 2), -EINVAL);
}

static void who_says_so_is_told(void **state)
{
    static const struct sluice_region r[] = {
        {PAGES(3, 5), SLUICE_REGION_DIRECT, RW, SLUICE_REGION_BY_FIRMWARE},
        {PAGES(7, 7), SLUICE_REGION_RESERVED, 0, SLUICE_REGION_BY_HOST}};
    struct sluice_device *dev = add_device_with(*state, 8, r, 2);
    struct sluice_region told;

    assert_int_equal(sluice_device_region(dev, 0, &told), 0);
    assert_int_equal(told.source, SLUICE_REGION_BY_FIRMWARE);
    assert_int_equal(sluice_device_region(dev, 1, &told), 0);
    assert_int_equal(told.source, SLUICE_REGION_BY_HOST);
}

/* Two ways for its messages: the platform is described wrongly, and somebody has to be told. */
static void messages_that_go_two_ways_are_refused(void **state)
{
    static const struct sluice_region both[] = {{PAGES(0x100, 0x1ff), SLUICE_REGION_SW_MSI, 0, 0},
                                                {PAGES(0x300, 0x300), SLUICE_REGION_MSI, 0, 0},
                                                {PAGES(0x400, 0x4ff), SLUICE_REGION_SW_MSI, 0, 0}};
    struct host *h = *state;
    const struct sluice_region two[] = {both[0], both[2]};
    const struct happened *e;

    assert_int_equal(add_bad(h, both, 2), -EINVAL);
    e = nth(h, REPORTED, 0);
    assert_non_null(e);
    assert_int_equal(e->kind, SLUICE_EVENT_PLATFORM);
    assert_int_equal(e->a, 8);
    assert_int_equal(add_bad(h, two, 2), -EINVAL);
    assert_int_equal(count(h, REPORTED), 2);
    assert_int_equal(add_bad(h, both, 1), 0);
    assert_int_equal(count(h, REPORTED), 2);
}

/* What it leaves and where it goes to: mapped at every moment, also on the way to quarantine. */
static void a_region_is_mapped_wherever_the_device_is(void **state)
{
    static const struct sluice_region r = {PAGES(3, 5), SLUICE_REGION_DIRECT, PT_READ, 0};
    struct host *h = *state;
    struct sluice_device *dev = assigned(h, 8, &r, 1);
    const struct context *quarantine = device_of(dev)->group->quarantine;
    struct pt_leaf leaf;

    assert_int_equal(new_context(h), 1);
    attach(h, 8, 1);
    assert_int_equal(nr_mapped(h, 0), 0);
    assert_int_equal(nr_mapped(h, 1), 3);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(h->unit[0].space[8].root.n, quarantine->pt.root.n);
    for (uint64_t n = 3; n <= 5; n++) {
        assert_int_equal(pt_lookup(&quarantine->pt, dfn_of(n), 1, &leaf), 0);
        assert_int_equal(leaf.mfn.n, n);
        assert_int_equal(leaf.attr & RW, PT_READ);
    }
    assert_int_equal(pt_lookup(&quarantine->pt, dfn_of(6), 1, &leaf), -ENOENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(direct_ones_are_as_wide_as_declared_with_their_rights),
        T(only_what_is_direct_is_mapped),
        T(two_devices_share_by_count),
        T(a_region_that_goes_is_flushed_for_those_who_stay),
        cmocka_unit_test(overlapping_ones_keep_what_the_other_needs),
        T(where_rights_differ_they_do_not_come_together),
        T(claims_fail_without_a_trace),
        T(a_region_in_two_runs_fails_without_a_trace),
        cmocka_unit_test(a_claim_whose_flush_fails_leaves_nothing_untracked),
        cmocka_unit_test(units_that_cache_what_is_not_there_learn_of_a_region),
        T(a_region_where_somebody_works_is_claimed_later),
        T(tables_on_the_way_to_a_region_stay),
        T(the_part_before_the_first_reserved_frame_is_known),
        T(memory_does_not_come_where_a_device_has_a_region),
        T(regions_that_make_no_sense_are_refused),
        T(who_says_so_is_told),
        T(messages_that_go_two_ways_are_refused),
        T(a_region_is_mapped_wherever_the_device_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
