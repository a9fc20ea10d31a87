/* SPDX-License-Identifier: BSD-2-Clause */
/* Identity contexts: equal to the domain's memory, as far as devices may see it, at all times. */
#include "fixture.h"

static uint16_t new_identity(struct host *h)
{
    struct pv_iommu_alloc arg = {.alloc_flags = IOMMU_ALLOC_identity};

    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), 0);
    return arg.ctx_no;
}

/* In context `ctx` the domain's gfns first.. are just what the memory map says. */
static void check_same(struct host *h, uint16_t ctx, uint64_t first, uint64_t nr)
{
    for (uint64_t g = first; g < first + nr; g++) {
        mfn_t mfn;
        const bool there = !sluice_memory_lookup(h->d, gfn_of(g), &mfn);

        assert_int_equal(goes_to(h, ctx, g, NULL), there ? mfn.n : NOWHERE);
    }
}

static void they_follow_what_comes_and_goes(void **state)
{
    struct host *h = *state;
    const uint16_t ctx = new_identity(h);

    add_memory(h, 10, 0x1000, 100);
    check_same(h, 0, 0, 120);
    check_same(h, ctx, 0, 120);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(20), 10), 0);
    add_memory(h, 24, 0x2000, 2);
    check_same(h, 0, 0, 120);
    check_same(h, ctx, 0, 120);
    assert_int_equal(nr_mapped(h, ctx), 92);
}

static void a_new_one_has_all_memory(void **state)
{
    struct host *h = *state;
    uint16_t ctx;

    add_scattered(h, 0, 0x1000, 1500);
    add_memory(h, 4096, 0x10000, 1024);
    h->preempt_every = 1;
    ctx = new_identity(h);
    check_same(h, ctx, 0, 6000);
    assert_int_equal(nr_mapped(h, ctx), 1500 + 1024);
}

static void they_hold_no_references(void **state)
{
    struct host *h = *state;

    (void)new_identity(h);
    add_memory(h, 0, 0x1000, 4);
    assert_int_equal(refs_of(h, 0x1000), 1);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 4), 0);
    assert_int_equal(count(h, RELEASED), 4);
}

static void devices_get_no_more_rights_than_the_frame_allows(void **state)
{
    struct host *h = *state;
    unsigned attr;

    add_memory(h, 0, 0x1000, 1);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(1), mfn_of(0x1001), 1, SLUICE_FRAME_READONLY),
                     0);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(2), mfn_of(0x1002), 1, SLUICE_FRAME_PRIVATE),
                     0);
    for (unsigned i = 0; i < 2; i++) {
        const uint16_t ctx = i ? new_identity(h) : 0;

        (void)goes_to(h, ctx, 0, &attr);
        assert_int_equal(attr, RW);
        (void)goes_to(h, ctx, 1, &attr);
        assert_int_equal(attr, PT_READ);
        assert_int_equal(goes_to(h, ctx, 2, NULL), NOWHERE);
    }
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 3), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
}

static void unreachable_and_still_held(struct host *h, struct fake_unit *u,
                                       const struct hw_inv *inv, unsigned n)
{
    (void)u;
    (void)n;
    if (inv->kind != HW_INV_RANGE || !inv->leaf_only)
        return; /* the split before it */
    for (uint64_t g = 100; g < 140; g++) {
        assert_int_equal(goes_to(h, 0, g, NULL), NOWHERE);
        assert_int_equal(refs_of(h, 0x1000 + g), 1);
    }
    assert_int_equal(count(h, RELEASED), 0);
    h->arg = h;
}

static void a_frame_leaves_them_flushed_before_its_owner_lets_it_go(void **state)
{
    struct host *h = *state;

    add_memory(h, 0, 0x1000, 512);
    add_device(h, 8);
    forget(h);
    h->on_flush = unreachable_and_still_held;
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(100), 40), 0);
    assert_ptr_equal(h->arg, h);
    assert_int_equal(count(h, RELEASED), 40);
    h->on_flush = NULL;
}

/* The unit may have the large leaf in its caches: it must forget it in its whole width. */
static void a_split_is_flushed_with_table_pointers(void **state)
{
    struct host *h = *state;
    const struct happened *e;

    add_memory(h, 0, 0x1000, 512);
    add_device(h, 8);
    forget(h);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(100), 1), 0);
    e = nth(h, FLUSHED, 0);
    assert_false(e->inv[0].leaf_only);
    assert_int_equal(e->inv[0].first.n, 0);
    assert_true(e->inv[0].last.n >= 511);
}

static void a_failed_unit_loses_what_it_may_still_reach(void **state)
{
    struct host *h = *state;
    struct sluice_frame_info info;

    h->lossy = true;
    add_memory(h, 0, 0x1000, 4);
    add_device(h, 8);
    h->fail_flush = 1;
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(1), 2), -EIO);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(sluice_frame_info(h->s, mfn_of(0x1001), &info), 0);
    assert_false(info.owned);
    assert_int_equal(info.refs, 1);
    assert_int_equal(nr_mapped(h, 0), 2);
    assert_int_equal(goes_to(h, 0, 1, NULL), NOWHERE);
}

/* The unit may reach the map that its device was to leave: all that is in there. */
static void with_a_failed_unit_they_are_lost_at_the_end(void **state)
{
    struct host *h = *state;

    h->lossy = true;
    add_memory(h, 0, 0x1000, 4);
    add_device(h, 8);
    h->fail_flush = 1;
    destroy_domain(h->d);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(try_give(&instance_of(h->s)->frames, mfn_of(0x1000), 4), -EBUSY);
}

static void one_that_was_lost_is_not_forgotten(void **state)
{
    struct host *h = *state;
    const uint16_t ctx = new_identity(h);
    struct pv_iommu_free arg = {.ctx_no = ctx};

    h->lossy = true;
    add_memory(h, 0, 0x1000, 4);
    add_device(h, 8);
    attach(h, 8, ctx);
    h->fail_flush = 1;
    assert_int_equal(try_attach(h, 8, 0), -EIO);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg)), 0);
    assert_int_equal(new_identity(h), ctx);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(1), 2), -EIO);
    assert_int_equal(count(h, RELEASED), 0);
}

static void calls_cannot_change_them(void **state)
{
    struct host *h = *state;
    uint32_t generation;
    uint64_t gfn;
    const uint16_t ctx = new_identity(h);

    add_memory(h, 3, 0x1000, 1);
    for (uint16_t c = 0; c <= ctx; c++) {
        assert_int_equal(context_resolve(domain_of(h->d), c, CONTEXT_CHANGE, &generation), -EINVAL);
        assert_int_equal(lookup(h, c, 3, &gfn), 0);
        assert_int_equal(gfn, 3);
    }
}

static void a_blocked_default_context_has_nothing(void **state)
{
    struct host *h = host_create(&(struct setup){.blocked = true});
    struct sluice_context_info info;

    (void)state;
    add_memory(h, 0, 0x1000, 8);
    assert_int_equal(nr_mapped(h, 0), 0);
    assert_int_equal(sluice_context_info(h->d, 0, &info), 0);
    assert_true(info.blocked);
    assert_false(info.identity);
    check_same(h, new_identity(h), 0, 8);
    host_destroy(h);
}

static void memory_beyond_their_width_is_refused_and_changes_nothing(void **state)
{
    struct host *h = host_create(&(struct setup){.iova_bits = 39});

    (void)state;
    assert_int_not_equal(
        sluice_memory_add(h->d, gfn_of(BIT64(27) - 1), mfn_of(0x1000), 2, SLUICE_FRAME_RAM), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
    assert_int_equal(refs_of(h, 0x1000), 0);
    add_memory(h, BIT64(27) - 1, 0x1000, 1);
    host_destroy(h);
}

static void units_that_cache_what_is_not_there_learn_of_new_memory(void **state)
{
    struct host *h = host_create(&(struct setup){.caching_mode = true});
    const struct happened *e;

    (void)state;
    add_device(h, 8);
    forget(h);
    add_memory(h, 5, 0x1000, 3);
    assert_int_equal(count(h, FLUSHED), 1);
    e = nth(h, FLUSHED, 0);
    assert_int_equal(e->inv[0].first.n, 5);
    assert_int_equal(e->inv[0].last.n, 7);
    assert_int_equal(e->inv[0].did, context_of(h, 0)->did);
    host_destroy(h);
}

/* The context's leaves may be larger than those of the memory map, where tables hang already. */
static void check_large_leaves_over_small_runs(struct host *h, uint64_t nr)
{
    assert_int_equal(sluice_memory_add(h->d, gfn_of(0), mfn_of(0x100), 1, SLUICE_FRAME_PRIVATE), 0);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 1), 0);
    forget(h);
    add_memory(h, 0, 0x40000, nr);
    assert_int_equal(nr_mapped(h, 0), nr);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), nr), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
}

static void nothing_stays_of_a_leaf_larger_than_the_maps_own(void **state)
{
    struct host *h = *state;

    check_large_leaves_over_small_runs(h, BIT64(18));
}

static void nothing_stays_of_a_leaf_of_any_power_of_two(void **state)
{
    struct host *h = host_create(&(struct setup){.format = PT_FORMAT_AMDV1});

    (void)state;
    check_large_leaves_over_small_runs(h, 1024);
    host_destroy(h);
}

/* The same by the guest's own doing: its context is younger than the holes in the map. */
static void nothing_stays_in_a_context_younger_than_the_maps_tables(void **state)
{
    struct host *h = host_create(&(struct setup){.format = PT_FORMAT_AMDV1});
    uint16_t ctx;

    (void)state;
    add_memory(h, 5, 0x100, 1);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(5), 1), 0);
    ctx = new_identity(h);
    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 1024), 0);
    assert_int_equal(nr_mapped(h, 0), 0);
    assert_int_equal(nr_mapped(h, ctx), 0);
    host_destroy(h);
}

/* Where nothing was given, nothing is mapped: also in the context where it failed. */
static void memory_that_could_not_be_given_is_in_no_context(void **state)
{
    struct host *h = host_create(&(struct setup){.caching_mode = true});

    (void)state;
    h->lossy = true;
    add_device(h, 8);
    h->fail_flush = 1;
    assert_int_equal(sluice_memory_add(h->d, gfn_of(0), mfn_of(0x1000), 4, SLUICE_FRAME_RAM), -EIO);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(try_give(&instance_of(h->s)->frames, mfn_of(0x1000), 4), -EBUSY);
    assert_int_equal(nr_mapped(h, 0), 0);
    host_destroy(h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(they_follow_what_comes_and_goes),
        T(a_new_one_has_all_memory),
        T(they_hold_no_references),
        T(devices_get_no_more_rights_than_the_frame_allows),
        T(a_frame_leaves_them_flushed_before_its_owner_lets_it_go),
        T(a_split_is_flushed_with_table_pointers),
        T(a_failed_unit_loses_what_it_may_still_reach),
        T(with_a_failed_unit_they_are_lost_at_the_end),
        T(one_that_was_lost_is_not_forgotten),
        T(calls_cannot_change_them),
        cmocka_unit_test(a_blocked_default_context_has_nothing),
        cmocka_unit_test(memory_beyond_their_width_is_refused_and_changes_nothing),
        T(nothing_stays_of_a_leaf_larger_than_the_maps_own),
        cmocka_unit_test(nothing_stays_of_a_leaf_of_any_power_of_two),
        cmocka_unit_test(nothing_stays_in_a_context_younger_than_the_maps_tables),
        cmocka_unit_test(units_that_cache_what_is_not_there_learn_of_new_memory),
        cmocka_unit_test(memory_that_could_not_be_given_is_in_no_context),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
