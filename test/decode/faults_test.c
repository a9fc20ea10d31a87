/* SPDX-License-Identifier: BSD-2-Clause */
/* read_faults: the domain's own records, oldest first, and none lost by an error. */
#include "../core/fixture.h"

#define ARRAY (GUEST_ADDRESS + 0x1000)
#define END   (GUEST_ADDRESS + GUEST_BYTES)
#define SIZE  sizeof(struct pv_iommu_fault)

static void attach_pasid(struct host *h, uint32_t rid, uint32_t pasid, uint16_t ctx)
{
    struct pv_iommu_attach_pasid arg = {
        .ctx_no = ctx, .dev = {0, (uint8_t)(rid >> 8), (uint8_t)rid}, .pasid = pasid};

    assert_int_equal(hypercall(h, 1, IOMMU_attach_pasid, &arg, sizeof(arg)), 0);
}

static int set_up_device(void **state)
{
    *state = host_create(&(struct setup){.max_pasid = 7});
    (void)host_domain(*state, 2);
    add_memory(*state, 0, 0x1000, 64);
    assert_int_equal(new_context(*state), 1);
    (void)add_device(*state, 0x2345);
    attach_pasid(*state, 0x2345, 7, 1);
    return 0;
}

/* nr faults at page 0x100, 0x101, ... */
static void fault(struct host *h, unsigned nr)
{
    struct fake_unit *u = &h->unit[0];

    for (unsigned i = 0; i < nr; i++)
        u->fault[u->nr_faults++] = (struct hw_fault){.rid = {0x2345},
                                                     .pasid = 7,
                                                     .addr = (0x100 + i) * FRAME_SIZE + 8,
                                                     .write = i & 1,
                                                     .reason = HW_REASON_NO_WRITE};
    sluice_faults_collect(h->s);
}

static long ask(struct host *h, uint16_t domid, uint64_t array, struct pv_iommu_read_faults *q,
                uint32_t room)
{
    *q = (struct pv_iommu_read_faults){.nr = room, .left = 77, .lost = 77};
    q->faults.q = array;
    return hypercall(h, domid, IOMMU_read_faults, q, sizeof(*q));
}

static struct pv_iommu_fault told(struct host *h, uint16_t domid, unsigned index)
{
    struct pv_iommu_fault f;

    memcpy(&f, h->guest[domid].bytes + (ARRAY - GUEST_ADDRESS) + index * SIZE, SIZE);
    return f;
}

static void expect(const struct pv_iommu_read_faults *q, uint32_t nr, uint32_t left, uint64_t lost)
{
    assert_int_equal(q->nr, nr);
    assert_int_equal(q->left, left);
    assert_int_equal(q->lost, lost);
}

static void records_come_oldest_first_and_once(void **state)
{
    struct host *h = *state;
    struct pv_iommu_read_faults q;
    struct pv_iommu_fault f;

    fault(h, 3);
    assert_int_equal(ask(h, 1, ARRAY, &q, 2), 0);
    expect(&q, 2, 1, 0);
    f = told(h, 1, 1);
    assert_int_equal(f.addr, 0x101 * FRAME_SIZE + 8);
    assert_int_equal(f.dev.seg, 0);
    assert_int_equal(f.dev.bus, 0x23);
    assert_int_equal(f.dev.devfn, 0x45);
    assert_int_equal(f.pasid, 7);
    assert_int_equal(f.ctx_no, 1);
    assert_int_equal(f.reason, IOMMU_FAULT_no_write);
    assert_int_equal(f.flags, IOMMU_FAULT_write);
    assert_int_equal(told(h, 1, 2).addr, 0);
    assert_int_equal(ask(h, 1, ARRAY, &q, 0), 0);
    expect(&q, 0, 1, 0);
    assert_int_equal(ask(h, 1, ARRAY, &q, 9), 0);
    expect(&q, 1, 0, 0);
    assert_int_equal(told(h, 1, 0).addr, 0x102 * FRAME_SIZE + 8);
    assert_int_equal(told(h, 1, 0).flags, 0);
}

static void nobody_sees_anothers(void **state)
{
    struct host *h = *state;
    struct pv_iommu_read_faults q;

    fault(h, 3);
    assert_int_equal(ask(h, 2, ARRAY, &q, 9), 0);
    expect(&q, 0, 0, 0);
    assert_int_equal(ask(h, 1, ARRAY, &q, 9), 0);
    expect(&q, 3, 0, 0);
}

static void the_newest_unmap_is_told(void **state)
{
    struct host *h = *state;
    struct pv_iommu_read_faults q;
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 0x101, 4, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0x101, 4, FRAME_LG2, &done), 0);
    fault(h, 2);
    assert_int_equal(ask(h, 1, ARRAY, &q, 9), 0);
    assert_int_equal(told(h, 1, 0).flags, 0);
    assert_int_equal(told(h, 1, 0).unmap_last, 0);
    assert_int_equal(told(h, 1, 1).flags, IOMMU_FAULT_write | IOMMU_FAULT_unmapped);
    assert_int_equal(told(h, 1, 1).unmap_first, 0x101);
    assert_int_equal(told(h, 1, 1).unmap_last, 0x104);
}

static void what_is_lost_is_counted_and_told_once(void **state)
{
    struct host *h = *state;
    struct pv_iommu_read_faults q;

    fault(h, DOMAIN_FAULTS + 5);
    h->guest[1].fail_write = 2; /* the count first, then the end */
    assert_int_equal(ask(h, 1, ARRAY, &q, 0), -EFAULT);
    assert_int_equal(ask(h, 1, ARRAY, &q, 99), 0);
    expect(&q, DOMAIN_FAULTS, 0, 5);
    assert_int_equal(told(h, 1, 0).addr, 0x105 * FRAME_SIZE + 8);
    assert_int_equal(ask(h, 1, ARRAY, &q, 99), 0);
    expect(&q, 0, 0, 0);
}

/* The array ends in the middle of the third; or is nowhere. */
static void what_cannot_be_written_stays(void **state)
{
    struct host *h = *state;
    struct pv_iommu_read_faults q;

    fault(h, 4);
    assert_int_equal(ask(h, 1, UINT64_MAX - 8, &q, 9), -EFAULT);
    expect(&q, 0, 4, 0);
    assert_int_equal(ask(h, 1, END - 2 * SIZE - 8, &q, 9), -EFAULT);
    expect(&q, 2, 2, 0);
    assert_int_equal(ask(h, 1, ARRAY, &q, 9), 0);
    expect(&q, 2, 0, 0);
    assert_int_equal(told(h, 1, 0).addr, 0x102 * FRAME_SIZE + 8);
}

static void nothing_goes_where_its_number_cannot_be_told(void **state)
{
    struct host *h = *state;
    struct pv_iommu_read_faults q;

    fault(h, 4);
    h->guest[1].fail_write = 1;
    assert_int_equal(ask(h, 1, ARRAY, &q, 9), -EFAULT);
    assert_int_equal(ask(h, 1, ARRAY, &q, 9), 0);
    expect(&q, 4, 0, 0);
}

static void it_is_preempted_between_records(void **state)
{
    struct host *h = *state;
    struct pv_iommu_read_faults q;

    fault(h, 40);
    h->preempt_every = 1;
    assert_int_equal(ask(h, 1, ARRAY, &q, 30), 0);
    expect(&q, 30, 10, 0);
    for (unsigned i = 0; i < 30; i++)
        assert_int_equal(told(h, 1, i).addr, (0x100 + i) * FRAME_SIZE + 8);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_device, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(records_come_oldest_first_and_once), T(nobody_sees_anothers),
        T(the_newest_unmap_is_told),           T(what_is_lost_is_counted_and_told_once),
        T(what_cannot_be_written_stays),       T(nothing_goes_where_its_number_cannot_be_told),
        T(it_is_preempted_between_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
