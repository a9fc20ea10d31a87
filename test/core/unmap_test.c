/* SPDX-License-Identifier: BSD-2-Clause */
/* unmap: exact, never more than asked, and every reference dropped once, however scattered. */
#include "fixture.h"

#define LG2_2M 21u

static int set_up_context(void **state)
{
    (void)set_up(state);
    assert_int_equal(new_context(*state), 1);
    return 0;
}

static void progress_is_exact_at_every_hole(void **state)
{
    static const uint32_t positions[] = {0, 1, 511, 512, 513, 1023, 1024, 1198};
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 1200);
    for (unsigned i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        const uint32_t k = positions[i];

        assert_int_equal(map(h, 1, 0, 0x200, 1200, FRAME_LG2, RW, &done), 0);
        assert_int_equal(unmap(h, 1, 0x200 + k, 1, FRAME_LG2, &done), 0);
        assert_int_equal(unmap(h, 1, 0x200, 1200, FRAME_LG2, &done), -ENOENT);
        assert_int_equal(done, k);
        assert_int_equal(nr_mapped(h, 1), 1199 - k);
        assert_int_equal(domain_of(h->d)->memory.refs, 1199 - k);
        assert_int_equal(context_of(h, 1)->nr_mapped, 1199 - k);
        assert_int_equal(unmap(h, 1, 0x201 + k, 1199 - k, FRAME_LG2, &done), 0);
    }
    for (uint64_t n = 0; n < 1200; n++)
        assert_int_equal(refs_of(h, 0x1000 + n), 1);
}

static void what_is_not_there_costs_nothing(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    assert_int_equal(unmap(h, 1, 0, 1, FRAME_LG2, &done), -ENOENT);
    assert_int_equal(unmap(h, 1, 0, 1, LG2_2M, &done), -ENOENT);
    assert_int_equal(done, 0);
    assert_int_equal(h->nr_log, 0);
}

static void a_range_that_cuts_a_larger_page_is_refused(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(map(h, 1, 0, 0, 2, LG2_2M, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 5, 1, FRAME_LG2, &done), -EINVAL);
    assert_int_equal(unmap(h, 1, 0, 511, FRAME_LG2, &done), -EINVAL);
    assert_int_equal(unmap(h, 1, 0, 513, FRAME_LG2, &done), -EINVAL);
    assert_int_equal(done, 512);
    assert_int_equal(nr_mapped(h, 1), 512);
    assert_int_equal(unmap(h, 1, 511, 513, FRAME_LG2, &done), -ENOENT);
    assert_int_equal(unmap(h, 1, 512, 512, FRAME_LG2, &done), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

static void a_large_page_of_small_leaves_goes_wholly_or_not_at_all(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x2001, 512);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 100, 1, FRAME_LG2, &done), 0);
    assert_int_equal(unmap(h, 1, 0, 1, LG2_2M, &done), -ENOENT);
    assert_int_equal(done, 0);
    assert_int_equal(nr_mapped(h, 1), 511);
    assert_int_equal(map(h, 1, 100, 100, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0, 1, LG2_2M, &done), 0);
    assert_int_equal(done, 1);
    assert_int_equal(nr_mapped(h, 1), 0);
}

static void a_leaf_larger_than_the_page_goes_with_its_pages(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x40000, BIT64(18));
    assert_int_equal(map(h, 1, 0, 0, 1, 30, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0, 511, LG2_2M, &done), -EINVAL);
    assert_int_equal(done, 0);
    assert_int_equal(unmap(h, 1, 0, 512, LG2_2M, &done), 0);
    assert_int_equal(done, 512);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

static void check_scattered(struct host *h, uint32_t nr)
{
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 0x200, nr, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0x200, nr, FRAME_LG2, &done), 0);
    assert_int_equal(done, nr);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    for (uint64_t n = 0; n < nr; n++)
        assert_int_equal(refs_of(h, 0x1000 + 2 * n), 1);
    /* No entry is left behind: the same can be mapped again. */
    assert_int_equal(map(h, 1, 0, 0x200, nr, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0x200, nr, FRAME_LG2, &done), 0);
}

static void scattered_frames_beyond_the_runs_are_released_too(void **state)
{
    struct host *h = *state;

    add_scattered(h, 0, 0x1000, 2000);
    check_scattered(h, PT_FREED_RUNS);
    check_scattered(h, PT_FREED_RUNS + 1);
    check_scattered(h, 2000);
}

static void more_scattered_frames_than_one_flush_takes_are_continued(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_scattered(h, 0, 0x1000, 70000);
    add_device(h, 8);
    attach(h, 8, 1);
    assert_int_equal(map(h, 1, 0, 0, 70000, FRAME_LG2, RW, &done), 0);
    forget(h);
    assert_int_equal(unmap(h, 1, 0, 70000, FRAME_LG2, &done), 0);
    assert_int_equal(done, 70000);
    assert_int_equal(count(h, FLUSHED), 2);
    assert_int_equal(nth(h, FLUSHED, 0)->inv[0].last.n + 1, nth(h, FLUSHED, 1)->inv[0].first.n);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

static void a_continued_call_goes_on_where_it_was(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_scattered(h, 0, 0x1000, 1200);
    assert_int_equal(map(h, 1, 0, 0x200, 1200, FRAME_LG2, RW, &done), 0);
    h->preempt_every = 1;
    assert_int_equal(unmap(h, 1, 0x200, 1200, FRAME_LG2, &done), 0);
    assert_true(h->preempts >= 2);
    assert_int_equal(done, 1200);
    assert_int_equal(domain_of(h->d)->pages_unmapped, 1200);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

static void neither_allocates_nor_needs_memory(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_scattered(h, 0, 0x1000, 600);
    assert_int_equal(map(h, 1, 0, 0, 600, FRAME_LG2, RW, &done), 0);
    h->fail_alloc = 1;
    assert_int_equal(unmap(h, 1, 0, 600, FRAME_LG2, &done), 0);
    assert_int_equal(h->fail_alloc, 1);
}

static void a_frame_that_its_owner_gave_up_goes_with_its_last_mapping(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 1);
    assert_int_equal(map(h, 1, 0, 0, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(map(h, 1, 0, 1, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 1), 0);
    assert_int_equal(unmap(h, 1, 0, 1, FRAME_LG2, &done), 0);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(unmap(h, 1, 1, 1, FRAME_LG2, &done), 0);
    assert_int_equal(count(h, RELEASED), 1);
}

static void reserved_regions_are_not_the_domains_to_unmap(void **state)
{
    static const struct sluice_region r = {0x3000, 0x4fff, SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0x10, 0x1000, 8);
    assert_int_equal(sluice_device_assign(add_device_with(h, 8, &r, 1), h->d), 0);
    attach(h, 8, 1);
    assert_int_equal(map(h, 1, 0x10, 0, 3, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0, 5, FRAME_LG2, &done), -ENOENT);
    assert_int_equal(done, 3);
    assert_int_equal(unmap(h, 1, 3, 1, FRAME_LG2, &done), -ENOENT);
    assert_int_equal(goes_to(h, 1, 3, NULL), 3);
    assert_int_equal(goes_to(h, 1, 4, NULL), 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_context, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(progress_is_exact_at_every_hole),
        T(what_is_not_there_costs_nothing),
        T(a_range_that_cuts_a_larger_page_is_refused),
        T(a_large_page_of_small_leaves_goes_wholly_or_not_at_all),
        T(a_leaf_larger_than_the_page_goes_with_its_pages),
        T(scattered_frames_beyond_the_runs_are_released_too),
        T(more_scattered_frames_than_one_flush_takes_are_continued),
        T(a_continued_call_goes_on_where_it_was),
        T(neither_allocates_nor_needs_memory),
        T(a_frame_that_its_owner_gave_up_goes_with_its_last_mapping),
        T(reserved_regions_are_not_the_domains_to_unmap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
