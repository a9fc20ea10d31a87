/* SPDX-License-Identifier: BSD-2-Clause */
/* Devices and groups: who is known, and what comes and goes beside calls. */
#include "../../iommu/core/attach.h"
#include "fixture.h"

static int add(struct host *h, const struct sluice_device_config *config)
{
    struct sluice_device *dev;
    struct sluice_device_config c = *config;

    c.unit = c.unit ? c.unit : &h->unit[0].hw;
    return sluice_device_add(h->s, &c, &dev);
}

static void what_cannot_be_is_refused(void **state)
{
    struct host *h = host_create(&(struct setup){.nr_units = 2});
    struct sluice_device *dev = add_device_with(h, 8, NULL, 0);
    const rid_t known[] = {{9}, {8}}, fresh[] = {{10}};

    (void)state;
    assert_int_equal(add(h, &(struct sluice_device_config){.rids = known, .nr_rids = 2}), -EEXIST);
    assert_int_equal(add(h, &(struct sluice_device_config){.rids = fresh}), -EINVAL);
    assert_int_equal(add(h,
                         &(struct sluice_device_config){
                             .unit = &h->unit[1].hw, .rids = fresh, .nr_rids = 1, .group = dev}),
                     -EINVAL);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(
        add(h, &(struct sluice_device_config){.rids = fresh, .nr_rids = 1, .group = dev}), -EBUSY);
    assert_int_equal(sluice_device_remove(dev), -EBUSY);
    host_destroy(h);
}

/* Two devices behind a bridge that makes them one requester. */
static void a_group_shares_requester_ids(void **state)
{
    struct host *h = *state;
    const rid_t a_rids[] = {{0x108}, {0x100}}, b_rids[] = {{0x110}, {0x100}};
    const bool *pointed = h->unit[0].pointed;
    struct sluice_device_config config = {.unit = &h->unit[0].hw, .rids = a_rids, .nr_rids = 2};
    struct sluice_device *a, *b;

    assert_int_equal(sluice_device_add(h->s, &config, &a), 0);
    config.group = a;
    assert_int_equal(sluice_device_add(h->s, &config, &b), -EEXIST);
    config.rids = b_rids;
    config.group = NULL;
    assert_int_equal(sluice_device_add(h->s, &config, &b), -EEXIST);
    config.group = a;
    assert_int_equal(sluice_device_add(h->s, &config, &b), 0);
    assert_int_equal(sluice_device_assign(b, h->d), 0);
    assert_true(pointed[0x100] && pointed[0x108] && pointed[0x110]);
    assert_int_equal(sluice_device_unassign(a), 0);
    assert_false(pointed[0x100] || pointed[0x108] || pointed[0x110]);
    assert_int_equal(sluice_device_remove(a), 0);
    assert_int_equal(sluice_device_assign(b, h->d), 0);
    assert_true(pointed[0x100] && !pointed[0x108]);
}

static struct sluice_device *add_bare(struct host *h, uint32_t n)
{
    const rid_t rid = {n};
    const struct sluice_device_config config = {.rids = &rid, .nr_rids = 1};
    struct sluice_device *dev = NULL;

    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    return dev;
}

static struct sluice_domain *add_trusted(struct host *h)
{
    const struct sluice_domain_config config = {.domid = 7, .max_ctx_no = 1, .trusted = true};
    struct sluice_domain *d = NULL;

    assert_int_equal(sluice_domain_create(h->s, &config, &d), 0);
    return d;
}

static void behind_nothing_it_goes_to_the_trusted_only(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_bare(h, 8);
    struct sluice_domain *trusted = add_trusted(h);

    assert_int_equal(sluice_device_assign(dev, h->d), -EPERM);
    assert_int_equal(sluice_device_unassign(dev), -ENODEV);
    assert_int_equal(sluice_device_assign(dev, trusted), 0);
    assert_int_equal(sluice_device_assign(dev, trusted), -EBUSY);
    assert_int_equal(sluice_device_assign(dev, h->d), -EBUSY);
    assert_int_equal(sluice_device_remove(dev), -EBUSY);
    assert_int_equal(domain_of(trusted)->nr_exposed, 1);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(domain_of(trusted)->nr_exposed, 0);
    destroy_domain(trusted);
    assert_int_equal(sluice_device_remove(dev), 0);
}

static enum sluice_exposure exposure_of(struct sluice_device *dev)
{
    struct sluice_device_info info;

    sluice_device_info(dev, &info);
    assert_int_equal(info.protected, info.exposure == SLUICE_PROTECTED);
    return info.exposure;
}

static void why_it_is_not_protected_is_told(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8);

    assert_int_equal(exposure_of(add_bare(h, 9)), SLUICE_EXPOSED_NO_UNIT);
    assert_int_equal(exposure_of(dev), SLUICE_PROTECTED);
    h->unit[0].hw.failed = true;
    assert_int_equal(exposure_of(dev), SLUICE_EXPOSED_FAILED);
    h->unit[0].hw.failed = false;
    h->unit[0].hw.translates = false;
    assert_int_equal(exposure_of(dev), SLUICE_EXPOSED_ABSENT);
    h->unit[0].hw.translates = true;
}

static void behind_nothing_it_is_in_no_context(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_bare(h, 8);
    struct sluice_domain *trusted = add_trusted(h);
    struct reattach move = {.rid = {8}};
    struct sluice_device_info info;
    struct sluice_context_info c;

    assert_int_equal(sluice_device_assign(dev, trusted), 0);
    assert_int_equal(sluice_context_info(trusted, 0, &c), 0);
    assert_int_equal(c.nr_devices, 0);
    move.generation = c.generation;
    assert_int_equal(attach_device(domain_of(trusted), &move), -ENODEV);
    destroy_domain(trusted);
    sluice_device_info(dev, &info);
    assert_null(info.domain);
}

static void no_interrupts_are_remapped_for_it(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_bare(h, 8);
    struct sluice_domain *trusted = add_trusted(h);
    uint16_t first;

    assert_int_equal(sluice_device_assign(dev, trusted), 0);
    assert_int_equal(sluice_interrupt_alloc(dev, 0, &first), -EOPNOTSUPP);
    destroy_domain(trusted);
}

/* Right after the lock of the lists is dropped, the host takes a device away that is nobody's. */
static void take_it_away(struct host *h, const struct sluice_lock *lock)
{
    struct sluice_device *dev = h->arg;

    if (lock != &instance_of(h->s)->lock || !dev)
        return;
    h->on_unlock = NULL;
    h->arg = NULL;
    assert_int_equal(sluice_device_remove(dev), 0);
}

/* Run with a checker of memory, this sees a device that is looked at after it is gone. */
static void a_device_that_goes_away_is_not_looked_at_again(void **state)
{
    struct host *h = *state;

    assert_int_equal(new_context(h), 1);
    h->arg = add_device_with(h, 8, NULL, 0);
    h->on_unlock = take_it_away;
    assert_int_equal(try_attach(h, 8, 1), -ENODEV);
    assert_null(h->arg);
}

static void what_is_left_of_a_group_is_quarantined_again(void **state)
{
    static const struct sluice_region r = {0x7000, 0x7fff, SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    struct sluice_device *a = add_device_with(h, 8, &r, 1), *b;
    const rid_t rid = {9};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = &rid, .nr_rids = 1, .group = a};

    assert_true(h->unit[0].pointed[8]);
    assert_int_equal(sluice_device_add(h->s, &config, &b), 0);
    assert_true(h->unit[0].pointed[9]);
    assert_int_equal(h->unit[0].space[8].did, h->unit[0].space[9].did);
    assert_int_equal(sluice_device_remove(b), 0);
    assert_false(h->unit[0].pointed[9]);
    assert_true(h->unit[0].pointed[8]);
    assert_int_equal(sluice_device_remove(a), 0);
    assert_false(h->unit[0].pointed[8]);
}

static void a_member_that_cannot_join_leaves_the_group_as_it_was(void **state)
{
    static const struct sluice_region r = {0x7000, 0x7fff, SLUICE_REGION_DIRECT, RW, 0};
    struct host *h = *state;
    struct sluice_device *a = add_device_with(h, 8, &r, 1), *b;
    const rid_t rid = {9};
    const struct sluice_device_config config = {
        .unit = &h->unit[0].hw, .rids = &rid, .nr_rids = 1, .group = a};

    h->fail_prepare = 2;
    assert_int_equal(sluice_device_add(h->s, &config, &b), -ENOMEM);
    assert_true(h->unit[0].pointed[8]);
    assert_false(h->unit[0].pointed[9]);
    assert_int_equal(sluice_device_assign(a, h->d), 0);
    assert_int_equal(context_of(h, 0)->nr_devices, 1);
    assert_int_equal(goes_to(h, 0, 7, NULL), 7);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_cannot_be_is_refused),
        T(a_group_shares_requester_ids),
        T(behind_nothing_it_goes_to_the_trusted_only),
        T(behind_nothing_it_is_in_no_context),
        T(why_it_is_not_protected_is_told),
        T(no_interrupts_are_remapped_for_it),
        T(a_device_that_goes_away_is_not_looked_at_again),
        T(what_is_left_of_a_group_is_quarantined_again),
        T(a_member_that_cannot_join_leaves_the_group_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
