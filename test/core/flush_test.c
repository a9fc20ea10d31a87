/* SPDX-License-Identifier: BSD-2-Clause */
/* Flush before free: what the records and tables hold at the moment of the flush, and after it. */
#include "fixture.h"

static struct host *with_device(const struct setup *setup)
{
    struct host *h = host_create(setup);

    assert_int_equal(new_context(h), 1);
    add_scattered(h, 0, 0x1000, 64);
    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    return h;
}

static int set_up_device(void **state)
{
    *state = with_device(&(struct setup){0});
    return 0;
}

/* At the moment of the flush: entries are gone, references are there. */
static void all_unreachable_and_all_held(struct host *h, struct fake_unit *u,
                                         const struct hw_inv *inv, unsigned n)
{
    (void)u;
    assert_int_equal(n, 1);
    for (uint64_t dfn = inv->first.n; dfn <= inv->last.n; dfn++) {
        assert_int_equal(goes_to(h, 1, dfn, NULL), NOWHERE);
        assert_int_equal(refs_of(h, 0x1000 + 2 * dfn), h->arg ? 1 : 2);
    }
    assert_int_equal(count(h, RELEASED), 0);
}

static void references_are_dropped_after_the_flush(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 0, 40, FRAME_LG2, RW, &done), 0);
    h->on_flush = all_unreachable_and_all_held;
    assert_int_equal(unmap(h, 1, 0, 40, FRAME_LG2, &done), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(refs_of(h, 0x1000 + 2 * i), 1);
}

static void frames_go_back_to_the_host_after_the_flush(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 0, 40, FRAME_LG2, RW, &done), 0);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 40), 0);
    assert_int_equal(count(h, RELEASED), 0);
    forget(h);
    h->arg = h;
    h->on_flush = all_unreachable_and_all_held;
    assert_int_equal(unmap(h, 1, 0, 40, FRAME_LG2, &done), 0);
    h->on_flush = NULL;
    assert_int_equal(count(h, RELEASED), 40);
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, RELEASED, 0)));
}

static void one_submission_covers_the_whole_call(void **state)
{
    struct host *h = *state;
    const struct happened *e;
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 7, 50, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 7, 50, FRAME_LG2, &done), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    e = nth(h, FLUSHED, 0);
    assert_int_equal(e->inv[0].kind, HW_INV_RANGE);
    assert_int_equal(e->inv[0].did, context_of(h, 1)->did);
    assert_int_equal(e->inv[0].first.n, 7);
    assert_int_equal(e->inv[0].last.n, 56);
    assert_true(e->inv[0].leaf_only);
    assert_int_equal(domain_of(h->d)->submissions, 1);
    assert_int_equal(h->unit[0].hw.nr_submissions, 4); /* added, assigned, attached, unmapped */
}

static void contexts_without_devices_need_no_flush(void **state)
{
    struct host *h = *state;
    uint32_t done;

    attach(h, 8, 0);
    forget(h);
    assert_int_equal(map(h, 1, 0, 0, 40, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0, 40, FRAME_LG2, &done), 0);
    assert_int_equal(count(h, FLUSHED), 0);
}

static void a_failed_flush_releases_nothing_for_ever(void **state)
{
    struct host *h = *state;
    uint32_t done;

    h->lossy = true;
    assert_int_equal(map(h, 1, 0, 0, 40, FRAME_LG2, RW, &done), 0);
    h->fail_flush = 1;
    assert_int_equal(unmap(h, 1, 0, 40, FRAME_LG2, &done), -EIO);
    assert_true(h->unit[0].hw.failed);
    assert_true(h->unit[0].quiet); /* it blocks everything */
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(refs_of(h, 0x1000 + 2 * i), 2);
    destroy_domain(h->d);
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(refs_of(h, 0x1000 + 2 * i), 1);
    for (unsigned i = 0; i < count(h, RELEASED); i++)
        assert_true(nth(h, RELEASED, i)->frame >= 0x1000 + 80);
}

static void a_failed_unit_is_not_asked_again_and_never_succeeds(void **state)
{
    struct host *h = *state;
    uint32_t done;

    h->lossy = true;
    assert_int_equal(map(h, 1, 0, 0, 2, FRAME_LG2, RW, &done), 0);
    h->fail_flush = 1;
    assert_int_equal(unmap(h, 1, 0, 1, FRAME_LG2, &done), -EIO);
    forget(h);
    assert_int_equal(unmap(h, 1, 1, 1, FRAME_LG2, &done), -EIO);
    assert_int_equal(count(h, FLUSHED), 0);
    assert_int_equal(refs_of(h, 0x1002), 2);
}

static uint64_t lost_in(const struct host *h)
{
    uint64_t lost = 0;

    for (unsigned i = 0; i < count(h, REPORTED); i++)
        if (nth(h, REPORTED, i)->kind == SLUICE_EVENT_FRAMES_LOST)
            lost += nth(h, REPORTED, i)->a;
    return lost;
}

static void lost_frames_are_all_reported(void **state)
{
    struct host *h = *state;
    uint32_t done;

    h->lossy = true;
    assert_int_equal(map(h, 1, 0, 0, 40, FRAME_LG2, RW, &done), 0);
    forget(h);
    h->fail_flush = 1;
    assert_int_equal(unmap(h, 1, 0, 40, FRAME_LG2, &done), -EIO);
    assert_int_equal(lost_in(h), 40);
}

static void every_unit_with_a_device_in_the_context_is_flushed(void **state)
{
    struct host *h = with_device(&(struct setup){.nr_units = 3});
    const rid_t rid = {0x10};
    const struct sluice_device_config config = {.unit = &h->unit[2].hw, .rids = &rid, .nr_rids = 1};
    struct sluice_device *dev;
    uint32_t done;

    (void)state;
    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    attach(h, 0x10, 1);
    assert_int_equal(map(h, 1, 0, 0, 40, FRAME_LG2, RW, &done), 0);
    forget(h);
    assert_int_equal(unmap(h, 1, 0, 40, FRAME_LG2, &done), 0);
    assert_int_equal(count(h, FLUSHED), 2);
    assert_int_equal(nth(h, FLUSHED, 0)->unit, 0);
    assert_int_equal(nth(h, FLUSHED, 1)->unit, 2);
    host_destroy(h);
}

/* The first unit fails: the second is flushed all the same, and nothing is released. */
static void one_unit_that_fails_is_enough_to_release_nothing(void **state)
{
    struct host *h = with_device(&(struct setup){.nr_units = 2});
    const rid_t rid = {0x10};
    const struct sluice_device_config config = {.unit = &h->unit[1].hw, .rids = &rid, .nr_rids = 1};
    struct sluice_device *dev;
    uint32_t done;

    (void)state;
    h->lossy = true;
    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    attach(h, 0x10, 1);
    for (unsigned failing = 1; failing <= 2; failing++) {
        const uint64_t at = failing - 1;

        assert_int_equal(map(h, 1, at, at, 1, FRAME_LG2, RW, &done), 0);
        forget(h);
        h->fail_flush = failing == 1 ? 1 : 0;
        assert_int_equal(unmap(h, 1, at, 1, FRAME_LG2, &done), -EIO);
        assert_int_equal(refs_of(h, 0x1000 + 2 * at), 2);
    }
    assert_int_equal(count(h, FLUSHED), 1); /* the one that works */
    host_destroy(h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_device, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(references_are_dropped_after_the_flush),
        T(frames_go_back_to_the_host_after_the_flush),
        T(one_submission_covers_the_whole_call),
        T(contexts_without_devices_need_no_flush),
        T(a_failed_flush_releases_nothing_for_ever),
        T(a_failed_unit_is_not_asked_again_and_never_succeeds),
        T(lost_frames_are_all_reported),
        cmocka_unit_test(every_unit_with_a_device_in_the_context_is_flushed),
        cmocka_unit_test(one_unit_that_fails_is_enough_to_release_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
