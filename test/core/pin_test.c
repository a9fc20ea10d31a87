/* SPDX-License-Identifier: BSD-2-Clause */
/* Pins: what a domain relies on is not taken away by a device that comes. */
#include "../../iommu/core/pin.h"
#include "fixture.h"

#define ARRAY  (GUEST_ADDRESS + 0x1000)
#define PIN    (IOMMU_RESERVED_allowed | IOMMU_RESERVED_pin)
#define UNPIN  IOMMU_RESERVED_unpin
#define TOUCH  0x28u /* devices */
#define INSIDE 0x30u
#define OTHER  0x38u

static const struct sluice_region hole = {0x300000, 0x30ffff, SLUICE_REGION_RESERVED, 0, 0};
static const struct sluice_region in_hole = {0x304000, 0x307fff, SLUICE_REGION_RESERVED, 0, 0};
static const struct sluice_region edge = {0x30f000, 0x310fff, SLUICE_REGION_RESERVED, 0, 0};

static long query(struct host *h, uint16_t ctx, uint32_t flags, uint32_t room)
{
    struct pv_iommu_query_reserved q = {.ctx_no = ctx, .flags = flags, .nr_ranges = room};

    q.ranges.q = ARRAY;
    return hypercall(h, 1, IOMMU_query_reserved, &q, sizeof(q));
}

static void assigned(struct host *h, uint32_t rid, const struct sluice_region *r)
{
    assert_int_equal(sluice_device_assign(add_device_with(h, rid, r, 1), h->d), 0);
}

/* Contexts 1 and 2, and three devices in context 0. */
static struct host *with_devices(void **state)
{
    struct host *h = *state;

    assert_int_equal(new_context(h), 1);
    assert_int_equal(new_context(h), 2);
    assigned(h, TOUCH, &edge);
    assigned(h, INSIDE, &in_hole);
    assigned(h, OTHER, &hole);
    return h;
}

static void a_device_that_narrows_them_does_not_come(void **state)
{
    struct host *h = with_devices(state);

    attach(h, OTHER, 1);
    assert_int_equal(query(h, 1, PIN, 8), 0);
    forget(h);
    assert_int_equal(try_attach(h, TOUCH, 1), -EBUSY);
    assert_int_equal(count(h, POINTED), 0);
    assert_int_equal(context_of(h, 1)->nr_devices, 1);
    assert_null(context_of(h, 1)->regions->next);
    attach(h, INSIDE, 1); /* takes nothing that is pinned */
    assert_int_equal(query(h, 1, UNPIN, 8), 0);
    attach(h, TOUCH, 1);
}

/* What came back since is not relied on. */
static void pinned_is_what_was_told(void **state)
{
    struct host *h = with_devices(state);

    attach(h, OTHER, 1);
    assert_int_equal(query(h, 1, PIN, 8), 0);
    attach(h, OTHER, 2);
    attach(h, OTHER, 1);
    attach(h, OTHER, 2);
    assert_int_equal(query(h, 1, PIN, 8), 0); /* now all of it */
    assert_int_equal(try_attach(h, OTHER, 1), -EBUSY);
    assert_int_equal(try_attach(h, INSIDE, 1), -EBUSY);
    attach(h, OTHER, 0);
}

static void nothing_is_pinned_where_the_call_fails(void **state)
{
    struct host *h = with_devices(state);

    assert_int_equal(query(h, 1, PIN, 0), -EMSGSIZE);
    h->fail_alloc = 1;
    assert_int_equal(query(h, 1, PIN, 8), -ENOMEM);
    assert_int_equal(query(h, 1, IOMMU_RESERVED_pin, 8), -EINVAL);
    assert_int_equal(query(h, 1, PIN | UNPIN, 8), -EINVAL);
    assert_int_equal(query(h, 1, PIN | IOMMU_RESERVED_device, 8), -EINVAL);
    assert_int_equal(query(h, 1, UNPIN | IOMMU_RESERVED_device, 8), -EINVAL);
    assert_int_equal(query(h, 3, PIN, 8), -EINVAL);
    attach(h, TOUCH, 1);
}

static void a_pin_ends_with_its_context(void **state)
{
    struct host *h = with_devices(state);
    struct pv_iommu_free end = {.ctx_no = 1};

    assert_int_equal(query(h, 1, PIN, 8), 0);
    assert_int_equal(try_attach(h, TOUCH, 1), -EBUSY);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &end, sizeof(end)), 0);
    assert_int_equal(new_context(h), 1);
    attach(h, TOUCH, 1);
}

/* They hold against the host too, and against the end of another context. */
static void the_default_context_can_be_pinned(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device_with(h, TOUCH, &edge, 1);
    struct pv_iommu_free end = {.ctx_no = 1, .free_flags = IOMMU_FREE_reattach_default};

    assert_int_equal(new_context(h), 1);
    assert_int_equal(query(h, 0, PIN, 8), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), -EBUSY);
    assert_int_equal(query(h, 0, UNPIN, 8), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    attach(h, TOUCH, 1);
    assert_int_equal(query(h, 0, PIN, 8), 0);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &end, sizeof(end)), -EBUSY);
    assert_int_equal(context_of(h, 1)->nr_devices, 1);
    assert_int_equal(query(h, 0, UNPIN, 0), -EMSGSIZE); /* unpinned all the same */
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &end, sizeof(end)), 0);
}

/* Between the answer and the pin: the guest is told again, and that is what is pinned. */
static void come_in_between(struct host *h, const struct sluice_lock *lock)
{
    static unsigned unlocks;

    if (lock != &context_of(h, 1)->lock || ++unlocks != 2)
        return;
    h->on_unlock = NULL;
    attach(h, TOUCH, 1);
}

static void what_comes_before_the_pin_is_told(void **state)
{
    struct host *h = with_devices(state);

    h->on_unlock = come_in_between;
    assert_int_equal(query(h, 1, PIN, 8), 0);
    assert_null(h->on_unlock);
    assert_int_equal(context_of(h, 1)->nr_pins, 3);
    assert_int_equal(context_of(h, 1)->pins[0].last, edge.first - 1);
}

/* A device joins no group that has an owner, so it cannot bring regions into a context that way. */
static void groups_of_domains_do_not_grow(void **state)
{
    struct host *h = *state;
    const rid_t rid = {INSIDE};
    struct sluice_device *dev = add_device_with(h, TOUCH, NULL, 0), *second;
    const struct sluice_device_config config = {.unit = &h->unit[0].hw,
                                                .rids = &rid,
                                                .nr_rids = 1,
                                                .regions = &edge,
                                                .nr_regions = 1,
                                                .group = dev};

    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(query(h, 0, PIN, 8), 0);
    assert_int_equal(sluice_device_add(h->s, &config, &second), -EBUSY);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(sluice_device_add(h->s, &config, &second), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), -EBUSY);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_device_that_narrows_them_does_not_come),
        T(pinned_is_what_was_told),
        T(nothing_is_pinned_where_the_call_fails),
        T(a_pin_ends_with_its_context),
        T(the_default_context_can_be_pinned),
        T(what_comes_before_the_pin_is_told),
        T(groups_of_domains_do_not_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
