/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets a device that can raise interrupts which were not set up for it. */
#include "fixture.h"

static const enum hw_isolation unsafe_ones[] = {
    HW_ISOLATION_NOT_REMAPPING, HW_ISOLATION_NOT_TRANSLATING, HW_ISOLATION_COMPATIBLE};

static struct host *host_of(bool hardware, bool allow_unsafe)
{
    return host_create(&(struct setup){.hardware = hardware, .allow_unsafe = allow_unsafe});
}

static bool is_marked(struct sluice_device *dev)
{
    struct sluice_device_info info;

    sluice_device_info(dev, &info);
    return info.unsafe;
}

static bool is_owned(struct sluice_device *dev)
{
    struct sluice_device_info info;

    sluice_device_info(dev, &info);
    return info.domain;
}

static void expect_event(const struct host *h, unsigned n, enum sluice_event_kind kind,
                         uint32_t rid, enum hw_isolation why)
{
    const struct happened *e = nth(h, REPORTED, n);

    assert_non_null(e);
    assert_int_equal(e->kind, kind);
    assert_int_equal(e->a, rid);
    assert_int_equal(e->b, why);
}

static void isolated_ones_are_anybodys(void **state)
{
    static const enum hw_isolation safe[] = {HW_ISOLATION_REMAPPED, HW_ISOLATION_DEVICE_ID};
    struct host *h = *state;
    struct sluice_device *dev = add_device_with(h, 8, NULL, 0);

    for (unsigned i = 0; i < 2; i++) {
        h->unit[0].isolation = safe[i];
        assert_int_equal(sluice_device_isolation(dev), safe[i]);
        assert_int_equal(sluice_device_assign(dev, h->d), 0);
        assert_false(is_marked(dev));
        assert_int_equal(count(h, REPORTED), i);
        assert_int_equal(sluice_device_unassign(dev), 0); /* which is reported */
    }
}

/* Not its place, not a reference, not hardware. */
static void others_are_refused_and_nothing_has_changed(void **state)
{
    static const struct sluice_region r = {0x7000, 0x7fff, SLUICE_REGION_DIRECT, RW,
                                           SLUICE_REGION_BY_HOST};
    struct host *h = *state;
    struct sluice_device *dev = add_device_with(h, 8, &r, 1);
    const unsigned objects = h->objects, pages = h->pages;
    const uint16_t did = h->unit[0].space[8].did;

    for (unsigned i = 0; i < 3; i++) {
        h->unit[0].isolation = unsafe_ones[i];
        forget(h);
        assert_int_equal(sluice_device_assign(dev, h->d), -EPERM);
        assert_int_equal(h->nr_log, 1);
        expect_event(h, 0, SLUICE_EVENT_UNSAFE_REFUSED, 8, unsafe_ones[i]);
        assert_false(is_owned(dev));
        assert_false(is_marked(dev));
        assert_int_equal(context_of(h, 0)->nr_devices, 0);
        assert_int_equal(h->unit[0].space[8].did, did);
        assert_int_equal(h->objects, objects);
        assert_int_equal(h->pages, pages);
        assert_int_equal(sluice_device_unassign(dev), -ENODEV);
    }
    h->unit[0].isolation = HW_ISOLATION_REMAPPED;
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
}

static void the_hardware_domain_has_them(void **state)
{
    struct host *h = host_of(true, false);
    struct sluice_device *dev = add_device_with(h, 8, NULL, 0);

    (void)state;
    h->unit[0].isolation = HW_ISOLATION_NOT_REMAPPING;
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_false(is_marked(dev));
    assert_int_equal(count(h, REPORTED), 0);
    host_destroy(h);
}

/* A group is told of device by device, each of them once, however often it comes and goes. */
static void allowed_ones_are_told_of_once(void **state)
{
    struct host *h = host_of(false, true);
    struct sluice_device *a = add_device_with(h, 8, NULL, 0), *b;
    const rid_t rid = {9};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = &rid, .nr_rids = 1, .group = a};

    (void)state;
    assert_int_equal(sluice_device_add(h->s, &config, &b), 0);
    h->unit[0].isolation = HW_ISOLATION_COMPATIBLE;
    for (unsigned i = 0; i < 3; i++) {
        forget(h);
        assert_int_equal(sluice_device_assign(a, h->d), 0);
        assert_true(is_marked(a) && is_marked(b));
        assert_int_equal(count(h, REPORTED), i ? 0 : 2);
        if (!i) {
            expect_event(h, 0, SLUICE_EVENT_UNSAFE_ALLOWED, 9, HW_ISOLATION_COMPATIBLE);
            expect_event(h, 1, SLUICE_EVENT_UNSAFE_ALLOWED, 8, HW_ISOLATION_COMPATIBLE);
        }
        assert_int_equal(sluice_device_unassign(b), 0);
        assert_false(is_marked(a) || is_marked(b));
    }
    host_destroy(h);
}

/* The mark goes with the reason for it; nobody is told of what did not come to be. */
static void the_mark_is_of_this_assignment(void **state)
{
    struct host *h = host_of(false, true);
    struct sluice_device *dev = add_device_with(h, 8, NULL, 0);

    (void)state;
    h->unit[0].isolation = HW_ISOLATION_NOT_REMAPPING;
    h->fail_prepare = 1;
    assert_int_equal(sluice_device_assign(dev, h->d), -ENOMEM);
    assert_false(is_marked(dev));
    assert_int_equal(count(h, REPORTED), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_true(is_marked(dev));
    assert_int_equal(count(h, REPORTED), 1);
    assert_int_equal(sluice_device_unassign(dev), 0);
    h->unit[0].isolation = HW_ISOLATION_REMAPPED;
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_false(is_marked(dev));
    host_destroy(h);
}

static void it_is_as_it_is_now(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8), *other;
    const rid_t rid = {16};
    const struct sluice_device_config config = {.rids = &rid, .nr_rids = 1};

    assert_int_equal(sluice_device_isolation(dev), HW_ISOLATION_REMAPPED);
    h->unit[0].isolation = HW_ISOLATION_COMPATIBLE;
    assert_int_equal(sluice_device_isolation(dev), HW_ISOLATION_COMPATIBLE);
    assert_false(is_marked(dev));
    h->lossy = true;
    h->unit[0].hw.failed = true;
    assert_int_equal(sluice_device_isolation(dev), HW_ISOLATION_FAILED);
    assert_int_equal(sluice_device_add(h->s, &config, &other), 0);
    assert_int_equal(sluice_device_isolation(other), HW_ISOLATION_NO_UNIT);
}

/* By leave or not: a unit that has failed gives nobody a device. */
static void behind_a_failed_unit_it_is_an_error(void **state)
{
    (void)state;
    for (unsigned allowed = 0; allowed < 2; allowed++) {
        struct host *h = host_of(false, allowed);
        struct sluice_device *dev = add_device_with(h, 8, NULL, 0);

        h->lossy = true;
        h->unit[0].hw.failed = true;
        assert_int_equal(sluice_device_assign(dev, h->d), -EIO);
        assert_false(is_owned(dev));
        assert_int_equal(count(h, REPORTED), 0);
        host_destroy(h);
    }
}

static void all_have_names(void **state)
{
    (void)state;
    assert_string_equal(sluice_isolation_name(HW_ISOLATION_REMAPPED), "remapped");
    assert_string_equal(sluice_isolation_name(HW_NR_ISOLATIONS), "unknown");
    for (unsigned i = 0; i < HW_NR_ISOLATIONS; i++)
        for (unsigned k = 0; k < i; k++)
            assert_string_not_equal(sluice_isolation_name((enum hw_isolation)i),
                                    sluice_isolation_name((enum hw_isolation)k));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(isolated_ones_are_anybodys),
        T(others_are_refused_and_nothing_has_changed),
        cmocka_unit_test(the_hardware_domain_has_them),
        cmocka_unit_test(allowed_ones_are_told_of_once),
        cmocka_unit_test(the_mark_is_of_this_assignment),
        T(it_is_as_it_is_now),
        cmocka_unit_test(behind_a_failed_unit_it_is_an_error),
        cmocka_unit_test(all_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
