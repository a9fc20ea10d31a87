/* SPDX-License-Identifier: BSD-2-Clause */
/* query_reserved: the ranges in order, what belongs together in one, in the caller's array. */
#include "../core/fixture.h"

#define ARRAY (GUEST_ADDRESS + 0x1000)
#define MSI   0xfee00000u
#define MAX   0xffffffffffffull

static const struct sluice_region regions[] = {
    {0x300000, 0x30ffff, SLUICE_REGION_RESERVED, 0, 0},
    {0x310000, 0x31ffff, SLUICE_REGION_DIRECT, RW, 0},
    {0x320000, 0x32ffff, SLUICE_REGION_RESERVED, 0, 0},
    {0x330000, 0x33ffff, SLUICE_REGION_RESERVED, 0, 0},
    {0x800000, 0x80ffff, SLUICE_REGION_DIRECT_RELAXABLE, RW, 0},
};

static long ask(struct host *h, uint16_t ctx, uint32_t rid, uint32_t flags, uint32_t *nr)
{
    struct pv_iommu_query_reserved q = {.ctx_no = ctx, .flags = flags, .nr_ranges = *nr};
    long status;

    q.dev.bus = (uint8_t)(rid >> 8);
    q.dev.devfn = (uint8_t)rid;
    q.ranges.q = ARRAY;
    status = hypercall(h, 1, IOMMU_query_reserved, &q, sizeof(q));
    *nr = q.nr_ranges;
    return status;
}

static struct pv_iommu_range told(const struct host *h, unsigned index)
{
    struct pv_iommu_range r;

    memcpy(&r, h->guest[1].bytes + (ARRAY - GUEST_ADDRESS) + index * sizeof(r), sizeof(r));
    return r;
}

static void expect(const struct host *h, unsigned index, uint64_t first, uint64_t last,
                   uint32_t type, uint32_t prot)
{
    const struct pv_iommu_range r = told(h, index);

    assert_int_equal(r.first, first);
    assert_int_equal(r.last, last);
    assert_int_equal(r.type, type);
    assert_int_equal(r.prot, prot);
}

static struct host *with_device(void **state)
{
    struct host *h = *state;

    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_device_assign(add_device_with(h, 0x28, regions, 5), h->d), 0);
    attach(h, 0x28, 1);
    return h;
}

static void alike_and_touching_is_one(void **state)
{
    struct host *h = with_device(state);
    uint32_t nr = 8;

    assert_int_equal(ask(h, 1, 0, 0, &nr), 0);
    assert_int_equal(nr, 4);
    expect(h, 0, 0x300000, 0x30ffff, IOMMU_RANGE_reserved, 0);
    expect(h, 1, 0x310000, 0x31ffff, IOMMU_RANGE_direct, 3);
    expect(h, 2, 0x320000, 0x33ffff, IOMMU_RANGE_reserved, 0);
    expect(h, 3, MSI, MSI + 0xfffff, IOMMU_RANGE_msi, 2);
}

static void a_device_tells_relaxable_ones_too(void **state)
{
    struct host *h = with_device(state);
    uint32_t nr = 8;

    assert_int_equal(ask(h, 99, 0x28, IOMMU_RESERVED_device, &nr), 0);
    assert_int_equal(nr, 5);
    expect(h, 3, 0x800000, 0x80ffff, IOMMU_RANGE_direct_relaxable, 3);
    assert_int_equal(ask(h, 0, 0x30, IOMMU_RESERVED_device, &nr), -ENODEV);
    assert_int_equal(nr, 0);
}

static void what_is_left_is_the_rest(void **state)
{
    struct host *h = with_device(state);

    for (uint32_t of = 0; of < 2; of++) {
        uint32_t nr = 3;

        assert_int_equal(ask(h, 1, 0x28, IOMMU_RESERVED_allowed | of, &nr), 0);
        assert_int_equal(nr, 3);
        expect(h, 0, 0, 0x2fffff, IOMMU_RANGE_allowed, 0);
        expect(h, 1, 0x340000, MSI - 1, IOMMU_RANGE_allowed, 0);
        expect(h, 2, MSI + 0x100000, MAX, IOMMU_RANGE_allowed, 0);
    }
}

static void nothing_is_left_at_both_ends(void **state)
{
    const struct sluice_region ends[] = {{0, 0xffff, SLUICE_REGION_RESERVED, 0, 0},
                                         {MSI, MAX | 0xfff, SLUICE_REGION_RESERVED, 0, 0},
                                         {MAX + 1, UINT64_MAX, SLUICE_REGION_RESERVED, 0, 0}};
    struct host *h = *state;
    uint32_t nr = 8;

    assert_int_equal(sluice_device_assign(add_device_with(h, 0x30, ends, 3), h->d), 0);
    assert_int_equal(ask(h, 0, 0x30, IOMMU_RESERVED_device | IOMMU_RESERVED_allowed, &nr), 0);
    assert_int_equal(nr, 1);
    expect(h, 0, 0x10000, MSI - 1, IOMMU_RANGE_allowed, 0);
}

static void too_small_an_array_is_left_alone(void **state)
{
    struct host *h = with_device(state);
    uint32_t nr = 3;

    memset(h->guest[1].bytes, 0x77, GUEST_BYTES);
    assert_int_equal(ask(h, 1, 0, 0, &nr), -EMSGSIZE);
    assert_int_equal(nr, 4);
    assert_int_equal(told(h, 0).type, 0x77777777);
    assert_int_equal(ask(h, 1, 0, 0, &nr), 0);
    assert_int_equal(nr, 4);
    h->guest[1].bytes[ARRAY - GUEST_ADDRESS + 4 * sizeof(struct pv_iommu_range)] = 0x55;
    assert_int_equal(told(h, 4).first & 0xff, 0x55); /* nothing behind the last */
}

static void errors_are_told_and_leave_nothing(void **state)
{
    struct host *h = with_device(state);
    struct pv_iommu_query_reserved q = {.ctx_no = 1, .nr_ranges = 8};
    uint32_t nr = 8;

    assert_int_equal(ask(h, 2, 0, 0, &nr), -EINVAL);
    assert_int_equal(nr, 0);
    assert_int_equal(ask(h, 1, 0, 4, &nr), -EINVAL);
    h->fail_alloc = 1;
    assert_int_equal(ask(h, 1, 0, 0, &nr), -ENOMEM);
    for (unsigned i = 0; i < 3; i++) {
        q.nr_ranges = 8;
        q.ranges.q = (uint64_t[]){0, UINT64_MAX - 3, GUEST_ADDRESS + GUEST_BYTES - 25}[i];
        assert_int_equal(hypercall(h, 1, IOMMU_query_reserved, &q, sizeof(q)), -EFAULT);
        assert_int_equal(q.nr_ranges, 0);
    }
}

/* The list grows between counting and copying: once more. */
static void add_behind_its_back(struct host *h, const struct sluice_lock *lock)
{
    static struct region_use late[2];
    struct context *c = context_of(h, 1);

    if (lock != &c->lock)
        return;
    h->on_unlock = NULL;
    for (unsigned i = 0; i < 2; i++) {
        late[i] = (struct region_use){.next = c->regions,
                                      .first = dfn_of(0x1000 + 2 * i),
                                      .last = dfn_of(0x1000 + 2 * i),
                                      .type = SLUICE_REGION_RESERVED};
        c->regions = &late[i];
    }
}

static void ranges_that_come_meanwhile_are_there(void **state)
{
    struct host *h = with_device(state);
    struct region_use *before = context_of(h, 1)->regions;
    uint32_t nr = 8;

    h->on_unlock = add_behind_its_back;
    assert_int_equal(ask(h, 1, 0, 0, &nr), 0);
    assert_int_equal(nr, 6);
    context_of(h, 1)->regions = before;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(alike_and_touching_is_one),
        T(a_device_tells_relaxable_ones_too),
        T(what_is_left_is_the_rest),
        T(nothing_is_left_at_both_ends),
        T(too_small_an_array_is_left_alone),
        T(errors_are_told_and_leave_nothing),
        T(ranges_that_come_meanwhile_are_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
