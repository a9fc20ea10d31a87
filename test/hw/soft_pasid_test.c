/* SPDX-License-Identifier: BSD-2-Clause */
/* PASIDs: entries of their own, and caches of them that only their commands drop. */
#include "soft_fixture.h"

#define DFN   0x200u
#define PLAIN (DFN + SHIFT) /* by the second stage alone */
#define MFN   (0x300u + SHIFT)
#define PASID 300u

static int begin(void **state)
{
    struct rig *r = rig_create(false, PT_FORMAT_X86, 4);

    rig_map(&r->first, DFN, 0x300, 1, FRAME_LG2, RW);
    *state = r;
    return 0;
}

static int begin_caching(void **state)
{
    struct rig *r = rig_create(true, PT_FORMAT_X86, 4);

    rig_map(&r->first, DFN, 0x300, 1, FRAME_LG2, RW);
    *state = r;
    return 0;
}

static int end(void **state)
{
    rig_destroy(*state);
    return 0;
}

static void each_has_its_own_space(void **state)
{
    static const uint32_t pasids[] = {1, 127, 128, PASID, SOFT_MAX_PASID};
    struct rig *r = *state;

    rig_point(r, RID, 0, PARENT);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(rig_seen(r, pasids[i], DFN), NOWHERE);
        rig_point(r, RID, pasids[i], i % 2 ? PARENT : CHILD);
        assert_int_equal(rig_seen(r, pasids[i], DFN), i % 2 ? PLAIN : MFN);
        assert_int_equal(rig_seen(r, 0, DFN), PLAIN);
    }
    rig_point(r, RID, 0, 0);
    rig_flush(r, HW_INV_DEVICE, 0, 0, 0);
    assert_int_equal(rig_seen(r, 0, DFN), NOWHERE);
    assert_int_equal(rig_seen(r, PASID, DFN), PLAIN);
}

static void one_beyond_the_highest_has_none(void **state)
{
    struct rig *r = *state;
    struct hw_unit *unit = &r->u.hw;

    assert_int_equal(unit->ops->prepare(unit, RID, SOFT_MAX_PASID + 1), -EINVAL);
    assert_int_equal(rig_seen(r, SOFT_MAX_PASID + 1, DFN), NOWHERE);
    assert_int_equal(rig_seen(r, UINT32_MAX, DFN), NOWHERE);
}

static void an_old_entry_is_obeyed_until_its_own_flush(void **state)
{
    struct rig *r = *state;

    rig_point(r, RID, 0, PARENT);
    rig_point(r, RID, PASID, CHILD);
    assert_int_equal(rig_seen(r, 0, DFN), PLAIN);
    assert_int_equal(rig_seen(r, PASID, DFN), MFN);
    rig_point(r, RID, PASID, 0);
    rig_point(r, RID, 0, 0);
    rig_flush(r, HW_INV_PASID, PASID + 1, 0, 0);
    rig_flush(r, HW_INV_SPACE, 0, CHILD, 0);
    assert_int_equal(rig_seen(r, PASID, DFN), MFN);
    rig_flush(r, HW_INV_PASID, PASID, 0, 0);
    assert_int_equal(rig_seen(r, PASID, DFN), NOWHERE);
    assert_int_equal(rig_seen(r, 0, DFN), PLAIN); /* that was another entry */
}

static void the_devices_flush_drops_all_of_it(void **state)
{
    struct rig *r = *state;
    struct hw_fault fault;

    rig_point(r, (rid_t){9}, PASID, CHILD);
    for (uint32_t pasid = 0; pasid < 4; pasid++) {
        rig_point(r, RID, pasid, CHILD);
        assert_int_equal(rig_seen(r, pasid, DFN), MFN);
        rig_point(r, RID, pasid, 0);
    }
    assert_int_equal(rig_access(r, (rid_t){9}, PASID, DFN << 12, false, &fault), MFN);
    rig_point(r, (rid_t){9}, PASID, 0);
    rig_flush(r, HW_INV_DEVICE, 0, 0, 0);
    for (uint32_t pasid = 0; pasid < 4; pasid++)
        assert_int_equal(rig_seen(r, pasid, DFN), NOWHERE);
    assert_int_equal(rig_access(r, (rid_t){9}, PASID, DFN << 12, false, &fault), MFN);
}

static void one_that_was_not_there_is_remembered_in_caching_mode(void **state)
{
    struct rig *r = *state;

    assert_int_equal(rig_seen(r, PASID, DFN), NOWHERE);
    rig_point(r, RID, PASID, CHILD);
    assert_int_equal(rig_seen(r, PASID, DFN), NOWHERE);
    rig_flush(r, HW_INV_PASID, PASID, 0, 0);
    assert_int_equal(rig_seen(r, PASID, DFN), MFN);
}

static void faults_say_whose_they_are(void **state)
{
    struct rig *r = *state;
    struct hw_fault fault;

    assert_int_equal(rig_access(r, RID, PASID, 0x5000, true, &fault), NOWHERE);
    assert_int_equal(fault.reason, HW_REASON_BLOCKED);
    assert_int_equal(fault.pasid, PASID);
    assert_int_equal(fault.rid.n, RID.n);
    rig_point(r, RID, PASID, PARENT);
    assert_int_equal(rig_access(r, RID, PASID, 0xfee00000, true, &fault), NOWHERE);
    assert_int_equal(fault.reason, HW_REASON_MSI);
    assert_int_equal(fault.pasid, PASID);
    assert_int_equal(rig_access(r, RID, 0, 0x5000, true, &fault), NOWHERE);
    assert_int_equal(fault.pasid, 0);
}

static void count_one(void *arg, const struct soft_cached *cached)
{
    (void)cached;
    ++*(unsigned *)arg;
}

/* Whenever the unit lets go between two commands, the device makes an access. */
static void access_between(struct host *h, const struct sluice_lock *lock)
{
    struct rig *r = h->arg;
    uint64_t maddr;

    if (lock != &r->u.dma)
        return;
    h->on_unlock = NULL;
    (void)soft_peek(&r->u, RID, PASID, DFN << 12, false, &maddr);
    h->on_unlock = access_between;
}

static void nothing_is_refilled_from_an_entry_that_was_dropped(void **state)
{
    const struct hw_inv inv[2] = {{.kind = HW_INV_PASID, .rid = RID, .pasid = PASID},
                                  {.kind = HW_INV_SPACE, .did = CHILD}};
    struct rig *r = *state;

    r->h->arg = r;
    for (unsigned times = 0; times < 50; times++) {
        unsigned left = 0;

        rig_point(r, RID, PASID, CHILD);
        assert_int_equal(rig_seen(r, PASID, DFN), MFN);
        rig_point(r, RID, PASID, 0);
        r->h->on_unlock = access_between;
        assert_int_equal(r->u.hw.ops->flush(&r->u.hw, inv, 2), 0);
        r->h->on_unlock = NULL;
        rig_point(r, RID, PASID, CHILD);
        soft_visit_cached(&r->u, RID, PASID, count_one, &left);
        assert_int_equal(left, 0);
        rig_flush(r, HW_INV_ALL, 0, 0, 0);
    }
}

static void all_of_a_device_are_found(void **state)
{
    struct rig *r = *state;

    assert_int_equal(soft_next_pasid(&r->u, RID, 0), 0);
    rig_point(r, RID, 0, PARENT);
    rig_point(r, RID, PASID, CHILD);
    rig_point(r, RID, SOFT_MAX_PASID, CHILD);
    assert_int_equal(rig_seen(r, PASID, DFN), MFN);
    rig_point(r, RID, PASID, 0); /* it is cached */
    assert_int_equal(soft_next_pasid(&r->u, RID, 0), PASID);
    assert_int_equal(soft_next_pasid(&r->u, RID, PASID), SOFT_MAX_PASID);
    assert_int_equal(soft_next_pasid(&r->u, RID, SOFT_MAX_PASID), 0);
}

/* Each of its three tables can be missing. */
static void preparing_can_fail_and_be_done_again(void **state)
{
    struct rig *r = *state;
    struct hw_unit *unit = &r->u.hw;

    for (unsigned i = 0; i < 3; i++) {
        r->h->fail_alloc = 1;
        assert_int_equal(unit->ops->prepare(unit, RID, PASID), -ENOMEM);
        r->h->fail_alloc = i < 2 ? 2 : 0;
        assert_int_equal(unit->ops->prepare(unit, RID, PASID), i < 2 ? -ENOMEM : 0);
    }
    r->h->fail_alloc = 0;
    rig_point(r, RID, PASID, CHILD);
    assert_int_equal(rig_seen(r, PASID, DFN), MFN);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_has_its_own_space),
        T(one_beyond_the_highest_has_none),
        T(an_old_entry_is_obeyed_until_its_own_flush),
        T(the_devices_flush_drops_all_of_it),
        cmocka_unit_test_setup_teardown(one_that_was_not_there_is_remembered_in_caching_mode,
                                        begin_caching, end),
        T(faults_say_whose_they_are),
        T(nothing_is_refilled_from_an_entry_that_was_dropped),
        T(all_of_a_device_are_found),
        T(preparing_can_fail_and_be_done_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
