/* SPDX-License-Identifier: BSD-2-Clause */
/* Frame records: who holds a frame, and when it goes back to the host. */
#include "fixture.h"

static struct frames *frames_of(struct host *h)
{
    return &instance_of(h->s)->frames;
}

static void given_frames_have_their_owner_and_one_reference(void **state)
{
    struct host *h = *state;
    struct frames *f = frames_of(h);
    struct sluice_frame_info info;

    assert_int_equal(frames_give(f, mfn_of(10), 3, 9, gfn_of(77), SLUICE_FRAME_READONLY), 0);
    assert_int_equal(sluice_frame_info(h->s, mfn_of(12), &info), 0);
    assert_int_equal(info.owner, 9);
    assert_int_equal(info.gfn.n, 79);
    assert_int_equal(info.refs, 1);
    assert_int_equal(info.type, SLUICE_FRAME_READONLY);
    assert_true(info.owned);
    assert_int_equal(refs_of(h, 9), 0);
    assert_int_equal(refs_of(h, 13), 0);
    frames_disown(f, mfn_of(10), 3);
}

static void the_last_reference_releases_exactly_once(void **state)
{
    struct host *h = *state;
    struct frames *f = frames_of(h);
    struct sluice_frame_info info;

    assert_int_equal(frames_give(f, mfn_of(10), 1, 1, gfn_of(0), SLUICE_FRAME_RAM), 0);
    frames_get(f, mfn_of(10), 1);
    frames_get(f, mfn_of(10), 1);
    frames_put(f, mfn_of(10), 1);
    frames_disown(f, mfn_of(10), 1);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(sluice_frame_info(h->s, mfn_of(10), &info), 0);
    assert_false(info.owned);
    frames_put(f, mfn_of(10), 1);
    assert_int_equal(count(h, RELEASED), 1);
    assert_int_equal(nth(h, RELEASED, 0)->frame, 10);
}

static void of_a_run_only_those_without_references_are_released(void **state)
{
    struct host *h = *state;
    struct frames *f = frames_of(h);

    assert_int_equal(frames_give(f, mfn_of(10), 4, 1, gfn_of(0), SLUICE_FRAME_RAM), 0);
    frames_get(f, mfn_of(12), 1);
    frames_disown(f, mfn_of(10), 4);
    assert_int_equal(count(h, RELEASED), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_not_equal(nth(h, RELEASED, i)->frame, 12);
    frames_put(f, mfn_of(12), 1);
    assert_int_equal(nth(h, RELEASED, 3)->frame, 12);
}

static void a_reference_too_many_dropped_is_a_bug_and_not_a_wrap(void **state)
{
    struct host *h = *state;
    jmp_buf back;
    volatile bool caught = false;

    if (!setjmp(back)) {
        h->panicked = &back;
        frames_put(frames_of(h), mfn_of(20), 1);
    } else {
        caught = true;
    }
    h->panicked = NULL;
    assert_true(caught);
    frames_of(h)->refs[20] = 0;
}

static void frames_in_use_or_out_of_range_are_not_free(void **state)
{
    struct host *h = *state;
    struct frames *f = frames_of(h);

    assert_int_equal(frames_give(f, mfn_of(10), 1, 1, gfn_of(0), SLUICE_FRAME_RAM), 0);
    assert_int_equal(try_give(f, mfn_of(9), 1), 0);
    assert_int_equal(try_give(f, mfn_of(9), 2), -EBUSY);
    assert_int_equal(try_give(f, mfn_of(10), 1), -EBUSY);
    assert_int_equal(try_give(f, mfn_of(11), 0), -EINVAL);
    assert_int_equal(try_give(f, mfn_of(NR_FRAMES - 1), 1), 0);
    assert_int_equal(try_give(f, mfn_of(NR_FRAMES - 1), 2), -EINVAL);
    assert_int_equal(try_give(f, mfn_of(NR_FRAMES), 1), -EINVAL);
    assert_int_equal(try_give(f, mfn_of(1), UINT64_MAX), -EINVAL);
    frames_disown(f, mfn_of(10), 1);
}

static void given_up_but_referenced_is_not_free(void **state)
{
    struct host *h = *state;
    struct frames *f = frames_of(h);

    assert_int_equal(frames_give(f, mfn_of(10), 1, 1, gfn_of(0), SLUICE_FRAME_RAM), 0);
    frames_get(f, mfn_of(10), 1);
    frames_disown(f, mfn_of(10), 1);
    assert_int_equal(try_give(f, mfn_of(10), 1), -EBUSY);
    frames_put(f, mfn_of(10), 1);
    assert_int_equal(try_give(f, mfn_of(10), 1), 0);
}

static void lost_frames_are_nobodys_and_never_released(void **state)
{
    struct host *h = *state;
    struct frames *f = frames_of(h);
    struct sluice_frame_info info;

    h->lossy = true;
    assert_int_equal(frames_give(f, mfn_of(10), 2, 1, gfn_of(0), SLUICE_FRAME_RAM), 0);
    frames_lose(f, mfn_of(10), 3); /* 12 had no owner and is lost as well */
    assert_int_equal(sluice_frame_info(h->s, mfn_of(10), &info), 0);
    assert_false(info.owned);
    assert_int_equal(info.refs, 1);
    for (uint64_t n = 10; n < 13; n++)
        assert_int_equal(try_give(f, mfn_of(n), 1), -EBUSY);
    assert_int_equal(count(h, RELEASED), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(given_frames_have_their_owner_and_one_reference),
        T(the_last_reference_releases_exactly_once),
        T(of_a_run_only_those_without_references_are_released),
        T(a_reference_too_many_dropped_is_a_bug_and_not_a_wrap),
        T(frames_in_use_or_out_of_range_are_not_free),
        T(given_up_but_referenced_is_not_free),
        T(lost_frames_are_nobodys_and_never_released),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
