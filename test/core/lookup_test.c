/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup: a device frame back to the guest's own frame, and nothing else's. */
#include "fixture.h"

static void it_answers_with_the_gfn(void **state)
{
    struct host *h = *state;
    uint64_t gfn;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 100, 0x1000, 512);
    assert_int_equal(map(h, 1, 103, 7, 2, FRAME_LG2, RW, &done), 0);
    assert_int_equal(lookup(h, 1, 7, &gfn), 0);
    assert_int_equal(gfn, 103);
    assert_int_equal(lookup(h, 1, 8, &gfn), 0);
    assert_int_equal(gfn, 104);
    assert_int_equal(lookup(h, 1, 9, &gfn), -ENOENT);
    assert_int_equal(lookup(h, 0, 611, &gfn), 0);
    assert_int_equal(gfn, 611);
}

static void a_large_leaf_answers_for_each_of_its_frames(void **state)
{
    struct host *h = *state;
    uint64_t gfn;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 512, 0x1000, 512);
    assert_int_equal(map(h, 1, 512, 0, 1, 21, RW, &done), 0);
    assert_int_equal(lookup(h, 1, 511, &gfn), 0);
    assert_int_equal(gfn, 1023);
}

static void a_reserved_region_is_not_the_domains(void **state)
{
    static const struct sluice_region r = {0xff000000, 0xff000fff, SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    uint64_t gfn;

    assert_int_equal(sluice_device_assign(add_device_with(h, 8, &r, 1), h->d), 0);
    assert_int_equal(goes_to(h, 0, 0xff000, NULL), 0xff000);
    assert_int_equal(lookup(h, 0, 0xff000, &gfn), -ENOENT);
}

static void what_a_failed_unmap_left_is_not_there(void **state)
{
    struct host *h = *state;
    uint64_t gfn;
    uint32_t done;

    h->lossy = true;
    assert_int_equal(new_context(h), 1);
    add_scattered(h, 0, 0x1000, 40);
    add_device(h, 8);
    attach(h, 8, 1);
    assert_int_equal(map(h, 1, 0, 0, 40, FRAME_LG2, RW, &done), 0);
    h->fail_flush = 1;
    assert_int_equal(unmap(h, 1, 0, 40, FRAME_LG2, &done), -EIO);
    for (uint64_t dfn = 0; dfn < 40; dfn++) /* the later ones are retired */
        assert_int_equal(lookup(h, 1, dfn, &gfn), -ENOENT);
    assert_int_equal(map(h, 1, 0, 39, 1, FRAME_LG2, RW, &done), -EINVAL); /* for ever */
    assert_int_equal(unmap(h, 1, 39, 1, FRAME_LG2, &done), -ENOENT);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_answers_with_the_gfn),
        T(a_large_leaf_answers_for_each_of_its_frames),
        T(a_reserved_region_is_not_the_domains),
        T(what_a_failed_unmap_left_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
