/* SPDX-License-Identifier: BSD-2-Clause */
/* Doorbells of an instance: one page number for each frame, as long as a device has it. */
#include "../../iommu/core/doorbell.h"
#include "fixture.h"

static int add(struct host *h, uint32_t rid, const uint64_t *maddr, unsigned nr,
               struct sluice_device **out)
{
    const rid_t rids[] = {{rid}};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = rids, .nr_rids = 1, .doorbells = maddr, .nr_doorbells = nr};

    return sluice_device_add(h->s, &config, out);
}

static uint64_t page_of(struct sluice_device *dev, unsigned index)
{
    return device_of(dev)->doorbells[index].doorbell->page;
}

static void a_frame_has_one_page_for_all(void **state)
{
    static const uint64_t maddr[] = {0x90000040, 0x90001040, 0x90000080};
    struct host *h = *state;
    struct sluice_device *a, *b;
    uint64_t told;

    assert_int_equal(add(h, 8, maddr, 3, &a), 0);
    assert_int_equal(page_of(a, 0), 0);
    assert_int_equal(page_of(a, 1), 1);
    assert_int_equal(page_of(a, 2), 0);
    assert_int_equal(add(h, 9, &maddr[1], 1, &b), 0);
    assert_int_equal(page_of(b, 0), 1);
    assert_int_equal(sluice_device_doorbell(a, 1, &told), 0);
    assert_int_equal(told, maddr[1]);
    assert_int_equal(sluice_device_doorbell(a, 3, &told), -ENOENT);
}

static void a_page_is_free_when_the_last_device_is_gone(void **state)
{
    static const uint64_t maddr[] = {0x90000040, 0x90001040, 0x90002040};
    struct host *h = *state;
    struct sluice_device *a, *b, *c;

    assert_int_equal(add(h, 8, maddr, 1, &a), 0);
    assert_int_equal(add(h, 9, maddr, 2, &b), 0);
    assert_int_equal(sluice_device_remove(a), 0);
    assert_int_equal(add(h, 10, &maddr[2], 1, &c), 0);
    assert_int_equal(page_of(c, 0), 2);
    assert_int_equal(sluice_device_remove(b), 0);
    assert_int_equal(add(h, 9, &maddr[1], 1, &b), 0);
    assert_int_equal(page_of(b, 0), 0);
}

static void there_are_as_many_as_the_window_has_pages(void **state)
{
    static const uint64_t maddr[] = {0x90000040, 0x90001040, 0x90002040};
    const struct setup setup = {.msi_window = {.base = 0x40000, .length = 0x2000}};
    struct host *h = host_create(&setup);
    struct sluice_device *dev;

    (void)state;
    assert_int_equal(add(h, 8, maddr, 3, &dev), -ENOSPC);
    assert_null(instance_of(h->s)->doorbells);
    assert_int_equal(add(h, 8, maddr, 2, &dev), 0);
    host_destroy(h);
}

static void failures_leave_none(void **state)
{
    static const uint64_t maddr[] = {0x90000040, 0x90001040};
    struct host *h = *state;
    struct sluice_device *dev;
    int err = -ENOMEM;

    for (unsigned n = 1; err; n++) {
        const unsigned objects = h->objects;

        h->fail_alloc = n;
        err = add(h, 8, maddr, 2, &dev);
        h->fail_alloc = 0;
        if (!err)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_int_equal(h->objects, objects);
        assert_null(instance_of(h->s)->doorbells);
    }
    assert_int_equal(add(h, 9, maddr, SLUICE_MAX_DOORBELLS + 1, &dev), -EINVAL);
}

static void windows_that_make_no_sense_are_refused(void **state)
{
    static const struct sluice_msi_window bad[] = {
        {0x8000800, 0x100000, 0, 0},
        {0x8000000, 0x100800, 0, 0},
        {0x8000000, 0, 0, 0},
        {UINT64_MAX - 0xfff, 0x2000, 0, 0},
        {0x8000000, 0x100000, 0x10000000, 0x1ffffff},
        {0x8000000, 0x100000, 0x1000, 0x1ffff00},
        {0, 0, 0x10, 0x1ffffff},
    };
    struct host *h = *state;
    struct sluice_config config = {.port = &h->port, .nr_frames = 16};
    struct sluice *s;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const unsigned objects = h->objects;

        config.msi_window = bad[i];
        assert_int_equal(sluice_create(&config, &s), -EINVAL);
        assert_int_equal(h->objects, objects);
    }
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_frame_has_one_page_for_all),
        T(a_page_is_free_when_the_last_device_is_gone),
        cmocka_unit_test(there_are_as_many_as_the_window_has_pages),
        T(failures_leave_none),
        T(windows_that_make_no_sense_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
