/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain's memory: given and taken back all or nothing. */
#include "fixture.h"

static int add(struct host *h, uint64_t gfn, uint64_t mfn, uint64_t nr, int type)
{
    return sluice_memory_add(h->d, gfn_of(gfn), mfn_of(mfn), nr, (enum sluice_frame_type)type);
}

static uint64_t at(struct host *h, uint64_t gfn)
{
    mfn_t mfn;

    return sluice_memory_lookup(h->d, gfn_of(gfn), &mfn) ? NOWHERE : mfn.n;
}

static void what_cannot_be_given_is_refused(void **state)
{
    struct host *h = *state;

    add_memory(h, 100, 0x1000, 1);
    assert_int_equal(add(h, 0, 0x2000, 1, SLUICE_FRAME_HOST), -EINVAL);
    assert_int_equal(add(h, 0, 0x2000, 1, SLUICE_FRAME_PRIVATE + 1), -EINVAL);
    assert_int_equal(add(h, 0, 0x2000, 1, -1), -EINVAL);
    assert_int_equal(add(h, 0, 0x2000, 0, SLUICE_FRAME_RAM), -EINVAL);
    assert_int_equal(add(h, BIT64(36), 0x2000, 1, SLUICE_FRAME_RAM), -EINVAL);
    assert_int_equal(add(h, BIT64(36) - 1, 0x2000, 2, SLUICE_FRAME_RAM), -EINVAL);
    assert_int_equal(add(h, 1, 0x2000, UINT64_MAX, SLUICE_FRAME_RAM), -EINVAL);
    assert_int_equal(add(h, UINT64_MAX, 0x2000, 1, SLUICE_FRAME_RAM), -EINVAL);
    assert_int_equal(add(h, 0, NR_FRAMES - 1, 2, SLUICE_FRAME_RAM), -EINVAL);
    assert_int_equal(add(h, 0, UINT64_MAX, 1, SLUICE_FRAME_RAM), -EINVAL);
    assert_int_equal(add(h, 0, 0xfff, 2, SLUICE_FRAME_RAM), -EBUSY);
    assert_int_equal(add(h, 99, 0x2000, 2, SLUICE_FRAME_RAM), -EEXIST);
    assert_int_equal(add(h, 0xfedff, 0x2000, 2, SLUICE_FRAME_RAM), -EADDRNOTAVAIL);
    assert_int_equal(add(h, 0xfeeff, 0x2000, 1, SLUICE_FRAME_RAM), -EADDRNOTAVAIL);
    assert_int_equal(nr_mapped(h, 0), 1);
    assert_int_equal(add(h, BIT64(36) - 1, 0x2000, 1, SLUICE_FRAME_RAM), 0);
}

static void the_map_says_what_was_given(void **state)
{
    struct host *h = *state;

    add_memory(h, 5, 0x1000, 3);
    assert_int_equal(at(h, 4), NOWHERE);
    assert_int_equal(at(h, 5), 0x1000);
    assert_int_equal(at(h, 7), 0x1002);
    assert_int_equal(at(h, 8), NOWHERE);
    assert_int_equal(at(h, BIT64(36)), NOWHERE);
    assert_int_equal(at(h, UINT64_MAX), NOWHERE);
}

static void removal_of_a_part_splits_larger_leaves(void **state)
{
    struct host *h = *state;

    add_memory(h, 0, 0x1000, 2048);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(700), 1000), 0);
    assert_int_equal(count(h, RELEASED), 1000);
    for (uint64_t g = 0; g < 2048; g++) {
        const bool gone = g >= 700 && g < 1700;

        assert_int_equal(at(h, g), gone ? NOWHERE : 0x1000 + g);
        assert_int_equal(goes_to(h, 0, g, NULL), gone ? NOWHERE : 0x1000 + g);
        assert_int_equal(refs_of(h, 0x1000 + g), gone ? 0 : 1);
    }
}

static void removal_is_all_or_nothing(void **state)
{
    struct host *h = *state;

    add_memory(h, 0, 0x1000, 10);
    add_memory(h, 11, 0x2000, 10);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 21), -ENOENT);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(10), 1), -ENOENT);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 0), -EINVAL);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(1), UINT64_MAX), -EINVAL);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(nr_mapped(h, 0), 20);
}

static void scattered_frames_beyond_the_runs_are_all_given_back(void **state)
{
    struct host *h = *state;

    add_scattered(h, 0, 0x1000, 100);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 100), 0);
    assert_int_equal(count(h, RELEASED), 100);
    assert_int_equal(nr_mapped(h, 0), 0);
    add_scattered(h, 0, 0x1000, 100); /* nothing was left in the tables */
}

/* Each allocation of it fails once: nothing has changed, nor does any device reach the frames. */
static void giving_without_memory_changes_nothing(void **state)
{
    int err = -ENOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        struct host *h = host_create(&(struct setup){0});

        h->fail_alloc = n;
        err = add(h, 500, 0x1000, 1300, SLUICE_FRAME_RAM);
        h->fail_alloc = 0;
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(at(h, 500), NOWHERE);
            assert_int_equal(nr_mapped(h, 0), 0);
            assert_int_equal(refs_of(h, 0x1000), 0);
            assert_int_equal(count(h, RELEASED), 0);
            assert_int_equal(add(h, 500, 0x1000, 1300, SLUICE_FRAME_RAM), 0);
        }
        host_destroy(h);
    }
}

static void taking_without_memory_changes_nothing(void **state)
{
    int err = -ENOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        struct host *h = host_create(&(struct setup){0});

        add_memory(h, 0, 0x1000, 1536);
        h->fail_alloc = n;
        err = sluice_memory_remove(h->d, gfn_of(100), 1000);
        h->fail_alloc = 0;
        if (err) {
            assert_int_equal(err, -ENOMEM);
            for (uint64_t g = 0; g < 1536; g++)
                assert_int_equal(at(h, g), 0x1000 + g);
            assert_int_equal(nr_mapped(h, 0), 1536);
            assert_int_equal(count(h, RELEASED), 0);
        }
        host_destroy(h);
    }
}

static void referenced_frames_are_given_back_later(void **state)
{
    struct host *h = *state;
    struct sluice_frame_info info;
    uint64_t gfn;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 2);
    assert_int_equal(map(h, 1, 0, 0x10, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 2), 0);
    assert_int_equal(count(h, RELEASED), 1);
    assert_int_equal(nth(h, RELEASED, 0)->frame, 0x1001);
    assert_int_equal(sluice_frame_info(h->s, mfn_of(0x1000), &info), 0);
    assert_false(info.owned);
    assert_int_equal(info.refs, 1);
    assert_int_equal(add(h, 7, 0x1000, 1, SLUICE_FRAME_RAM), -EBUSY);
    assert_int_equal(lookup(h, 1, 0x10, &gfn), 0);
    assert_int_equal(gfn, 0);
    assert_int_equal(map(h, 1, 0, 0x20, 1, FRAME_LG2, RW, &done), -ENOENT);
    assert_int_equal(unmap(h, 1, 0x10, 1, FRAME_LG2, &done), 0);
    assert_int_equal(count(h, RELEASED), 2);
}

static void the_budget_counts_each_mapping_and_never_goes_over(void **state)
{
    struct host *h = *state;
    struct domain *d = domain_of(h->d);
    struct memory_locked l;

    add_memory(h, 0, 0x1000, 10);
    d->memory.refs_limit = 9;
    l = memory_lock(&d->memory);
    assert_int_equal(memory_get(l, mfn_of(0x1000), 10), -ENOMEM);
    assert_int_equal(d->memory.refs, 0);
    assert_int_equal(memory_get(l, mfn_of(0x1000), 9), 0);
    assert_int_equal(memory_get(l, mfn_of(0x1000), 1), -ENOMEM);
    assert_int_equal(refs_of(h, 0x1000), 2);
    memory_put(l, mfn_of(0x1000), 9);
    assert_int_equal(d->memory.refs, 0);
    memory_unlock(l);
}

static void without_a_limit_a_count_still_cannot_overflow(void **state)
{
    struct host *h = *state;

    assert_true(domain_of(h->d)->memory.refs_limit < UINT32_MAX);
}

static void rights_are_the_same_under_a_mark(void **state)
{
    (void)state;
    assert_int_equal(memory_rights(RW | PT_MARK), RW);
    assert_int_equal(memory_rights(PT_READ | PT_MARK), PT_READ);
    assert_int_equal(memory_rights(MEMORY_PRIVATE), 0);
    assert_int_equal(memory_rights(MEMORY_PRIVATE | PT_MARK), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_cannot_be_given_is_refused),
        T(the_map_says_what_was_given),
        T(removal_of_a_part_splits_larger_leaves),
        T(removal_is_all_or_nothing),
        T(scattered_frames_beyond_the_runs_are_all_given_back),
        cmocka_unit_test(giving_without_memory_changes_nothing),
        cmocka_unit_test(taking_without_memory_changes_nothing),
        T(referenced_frames_are_given_back_later),
        T(the_budget_counts_each_mapping_and_never_goes_over),
        T(without_a_limit_a_count_still_cannot_overflow),
        cmocka_unit_test(rights_are_the_same_under_a_mark),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
