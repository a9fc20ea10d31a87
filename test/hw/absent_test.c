/* SPDX-License-Identifier: BSD-2-Clause */
/* A unit that is not there refuses everything, and never says that anybody is protected. */
#include "../../iommu/hw/absent/absent.h"
#include "../core/fixture.h"

static void it_says_yes_to_nothing(void **state)
{
    struct host *h = *state;
    const struct hw_inv inv = {.kind = HW_INV_ALL};
    struct hw_fault fault;
    struct hw_unit unit;
    uint64_t lost = 3;

    absent_init(&unit, &h->port);
    assert_false(unit.translates);
    assert_int_equal(unit.ops->prepare(&unit, (rid_t){8}, 0), -ENODEV);
    assert_int_equal(unit.ops->flush(&unit, &inv, 1), -EIO);
    assert_int_equal(unit.ops->flush(&unit, NULL, 0), -EIO);
    assert_int_equal(unit.ops->drain_faults(&unit, &fault, 1, &lost), 0);
    assert_int_equal(lost, 3);
    assert_false(hw_isolates(unit.ops->isolation(&unit)));
    unit.ops->quiesce(&unit);
    unit.ops->point(&unit, (rid_t){8}, 0, NULL);
}

static void devices_behind_it_are_not_given_away(void **state)
{
    struct host *h = host_create(&(struct setup){.no_domain = true});
    struct hw_unit unit;
    const rid_t rid = {8};
    const struct sluice_device_config config = {.unit = &unit, .rids = &rid, .nr_rids = 1};
    struct sluice_device *dev;

    (void)state;
    absent_init(&unit, &h->port);
    assert_int_equal(sluice_add_unit(h->s, &unit), 0);
    h->d = host_domain(h, 1);
    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), -EPERM);
    assert_int_equal(instance_of(h->s)->geo.iova_bits, 48); /* and it narrows nobody */
    host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_says_yes_to_nothing, set_up, tear_down),
        cmocka_unit_test(devices_behind_it_are_not_given_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
