/* SPDX-License-Identifier: BSD-2-Clause */
/* A domain with a 1:1 window says that it needs nothing of others there. */
#include "emulator.h"

#define WINDOW 0x100000u
#define ROW    (WINDOW + GUEST_FRAME)

static struct host *relaxed(void)
{
    return window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, WINDOW);
}

static int drop(struct host *h, uint16_t domid)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_drop_foreign_1to1};

    return frames_op(h, domid, &op);
}

static uint64_t work(struct host *h)
{
    struct sluice_domain_stats stats;

    sluice_domain_stats(h->d, &stats);
    return stats.window_changes;
}

static bool foreign_1to1(struct host *h)
{
    struct sluice_domain_info info;

    sluice_domain_info(h->d, &info);
    return info.foreign_1to1;
}

static void others_frames_go_and_its_own_stay(void **state)
{
    struct host *h = relaxed();
    uint64_t bfn;

    (void)state;
    add_memory(h, 0, 0x2000, 2);
    assert_true(foreign_1to1(h));
    assert_int_equal(bus(h, ROW + 7), GUEST_FRAME + 7);
    forget(h);
    assert_int_equal(drop(h, 1), 0);
    assert_true(count(h, FLUSHED));
    assert_false(foreign_1to1(h));
    assert_int_equal(bus(h, ROW + 7), NOWHERE);
    assert_int_equal(bus(h, WINDOW + 0x2001), 0x2001);
    assert_int_equal(lookup_foreign(h, 1, 7, SERVER, &bfn), -ENOENT);
    forget(h);
    assert_int_equal(drop(h, 1), 0);
    assert_false(count(h, FLUSHED));
    host_destroy(h);
}

/* This is what it is for. */
static void no_work_is_done_for_others_any_more(void **state)
{
    struct host *h = relaxed();
    uint64_t before = work(h);

    (void)state;
    assert_int_equal(give_up(h, GUEST, 0x10, 4), 0);
    assert_int_equal(work(h), before + 4);
    assert_int_equal(drop(h, 1), 0);
    before = work(h);
    forget(h);
    assert_int_equal(give_up(h, GUEST, 0x20, 4), 0);
    assert_int_equal(sluice_memory_add(guest_of(h), gfn_of(0x20), mfn_of(GUEST_FRAME + 0x20), 4,
                                       SLUICE_FRAME_RAM),
                     0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(bus(h, 0x100), GUEST_FRAME + 7);
    assert_int_equal(work(h), before);
    assert_int_equal(bus(h, ROW + 0x20), NOWHERE);
    add_memory(h, 0, 0x2000, 2);
    assert_int_equal(work(h), before + 2);
    host_destroy(h);
}

static void who_has_none_or_uses_them_keeps_them(void **state)
{
    struct host *h = relaxed();
    uint64_t bfn;

    (void)state;
    assert_int_equal(drop(h, GUEST), -EPERM);
    assert_int_equal(lookup_foreign(h, 1, 7, SERVER, &bfn), 0);
    assert_int_equal(drop(h, 1), -EBUSY);
    assert_int_equal(bus(h, bfn), GUEST_FRAME + 7);
    assert_int_equal(unmap_foreign(h, 1, 0, bfn, SERVER), 0);
    domain_of(h->d)->nr_exposed = 1;
    assert_int_equal(drop(h, 1), -EPERM);
    domain_of(h->d)->nr_exposed = 0;
    assert_true(foreign_1to1(h));
    assert_int_equal(drop(h, 1), 0);
    host_destroy(h);
}

static void it_gets_no_device_that_would_need_them(void **state)
{
    struct host *h = relaxed();
    const rid_t rid = {0x77};
    const struct sluice_device_config config = {.rids = &rid, .nr_rids = 1};
    struct sluice_device *bare;

    (void)state;
    domain_of(h->d)->trusted = true;
    assert_int_equal(sluice_device_add(h->s, &config, &bare), 0);
    assert_int_equal(drop(h, 1), 0);
    assert_int_equal(sluice_device_assign(bare, h->d), -EBUSY);
    host_destroy(h);
}

/* A device may still have others' frames in its unit's cache: those are never anybody's again. */
static void a_flush_that_fails_keeps_others_frames(void **state)
{
    struct host *h = relaxed();

    (void)state;
    h->fail_flush = 1;
    h->lossy = true;
    assert_int_equal(drop(h, 1), -EIO);
    assert_int_equal(bus(h, ROW + 7), NOWHERE);
    forget(h);
    assert_int_equal(give_up(h, GUEST, 7, 1), -EIO);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 1);
    assert_int_equal(drop(h, 1), -EIO);
    host_destroy(h);
}

static void get_stuck(struct host *h, const struct sluice_lock *lock)
{
    unsigned *left = h->arg;

    if (lock != &context_of(h, 0)->lock || --*left)
        return;
    h->on_unlock = NULL;
    domain_of(h->d)->dropped = WINDOW_STUCK;
}

/* Who waited for the space learns what became of it: in each of the two times that it is entered.
 */
static void one_that_has_just_failed_keeps_them_too(void **state)
{
    (void)state;
    for (unsigned n = 1; n <= 3; n++) {
        struct host *h = relaxed();
        unsigned left = n;

        h->lossy = true;
        h->arg = &left;
        h->on_unlock = get_stuck;
        assert_int_equal(give_up(h, GUEST, 7, 1), -EIO);
        assert_ptr_equal(h->on_unlock, NULL);
        assert_int_equal(count(h, RELEASED), 0);
        assert_int_equal(refs_of(h, GUEST_FRAME + 7), 1);
        host_destroy(h);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_frames_go_and_its_own_stay),
        cmocka_unit_test(no_work_is_done_for_others_any_more),
        cmocka_unit_test(who_has_none_or_uses_them_keeps_them),
        cmocka_unit_test(it_gets_no_device_that_would_need_them),
        cmocka_unit_test(a_flush_that_fails_keeps_others_frames),
        cmocka_unit_test(one_that_has_just_failed_keeps_them_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
