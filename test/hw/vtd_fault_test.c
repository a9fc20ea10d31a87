/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records: what they mean, in which order they come, what an overflow costs. */
#include "vtd_fixture.h"

#define RECORDS(n) ((FAKE_CAP & ~(0xffull << 40)) | ((n)-1ull) << 40)

static unsigned drain(struct rig *r, struct hw_fault *out, unsigned max, uint64_t *lost)
{
    return r->u.hw.ops->drain_faults(&r->u.hw, out, max, lost);
}

static void real_faults_are_told(void **state)
{
    struct rig *r = rig_create(RECORDS(8), FAKE_ECAP);
    struct hw_fault fault[8];
    uint64_t lost = 0, maddr, done;

    (void)state;
    map(&r->a, 1, 0x77, 1, 12);
    assert_int_equal(pt_map(&r->a, dfn_of(2), mfn_of(9), 1, 12, PT_READ, &done), 0);
    attach(r, SID_A, &r->a, DID_A, 0);
    fake_dma(r->f, SID_B, 0x5678, true, &maddr);
    fake_dma(r->f, SID_A, 0x2008, true, &maddr);
    fake_dma(r->f, SID_A, 0x3008, false, &maddr);
    fake_dma(r->f, SID_A, 1ull << 48, false, &maddr);
    assert_int_equal(drain(r, fault, 8, &lost), 4);
    assert_int_equal(fault[0].rid.n, SID_B);
    assert_int_equal(fault[0].addr, 0x5000);
    assert_int_equal(fault[0].reason, HW_REASON_BLOCKED);
    assert_true(fault[0].write);
    assert_int_equal(fault[1].reason, HW_REASON_NO_WRITE);
    assert_int_equal(fault[1].addr, 0x2000);
    assert_int_equal(fault[2].reason, HW_REASON_NO_READ);
    assert_false(fault[2].write);
    assert_int_equal(fault[3].reason, HW_REASON_WIDTH);
    assert_int_equal(lost, 0);
    assert_int_equal(drain(r, fault, 8, &lost), 0);
    rig_destroy(r);
}

static void every_reason_has_a_meaning(void **state)
{
    static const struct {
        uint8_t reason;
        enum hw_reason means;
    } row[] = {
        {1, HW_REASON_BLOCKED},     {2, HW_REASON_BLOCKED},    {3, HW_REASON_RESERVED},
        {4, HW_REASON_WIDTH},       {7, HW_REASON_RESERVED},   {0xc, HW_REASON_RESERVED},
        {0xd, HW_REASON_BLOCKED},   {0xe, HW_REASON_MSI},      {0x22, HW_REASON_MSI},
        {0x26, HW_REASON_MSI},      {0x39, HW_REASON_BLOCKED}, {0x41, HW_REASON_BLOCKED},
        {0x44, HW_REASON_BLOCKED},  {0x51, HW_REASON_BLOCKED}, {0x59, HW_REASON_BLOCKED},
        {0x5a, HW_REASON_RESERVED}, {0x79, HW_REASON_NO_READ}, {0x7a, HW_REASON_RESERVED},
        {0x80, HW_REASON_WIDTH},    {0x83, HW_REASON_WIDTH},   {0x85, HW_REASON_NO_WRITE},
        {0x86, HW_REASON_NO_READ},  {0x87, HW_REASON_MSI},     {0xff, HW_REASON_RESERVED},
    };
    struct rig *r = rig_create(RECORDS(1), FAKE_ECAP);
    struct hw_fault fault;
    uint64_t lost = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
        fake_fault(r->f, row[i].reason, SID_A, 0x1000, false);
        assert_int_equal(drain(r, &fault, 1, &lost), 1);
        assert_int_equal(fault.reason, row[i].means);
    }
    r->u.hw.ops->quiesce(&r->u.hw);
    fake_fault(r->f, 1, SID_A, 0x1000, false);
    assert_int_equal(drain(r, &fault, 1, &lost), 1);
    assert_int_equal(fault.reason, HW_REASON_UNIT);
    rig_destroy(r);
}

static void pasid_and_atomics(void **state)
{
    struct rig *r = rig_create(RECORDS(1), FAKE_ECAP);
    struct hw_fault fault;
    uint64_t lost = 0;

    (void)state;
    fake_fault(r->f, 0x85, SID_A, 0x1000, false);
    r->f->frcd[0][1] |= 1u << 28 | 1u << 31 | 0x12345ull << 40;
    assert_int_equal(drain(r, &fault, 1, &lost), 1);
    assert_int_equal(fault.pasid, 0x12345);
    assert_true(fault.write);
    rig_destroy(r);
}

static void order_and_overflow(void **state)
{
    struct rig *r = rig_create(RECORDS(4), FAKE_ECAP);
    struct hw_fault fault[4];
    uint64_t lost = 0, next = 0, sent = 0;

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 3; i++)
            fake_fault(r->f, 6, SID_A, ++sent << 12, false);
        for (unsigned n = 0; n < 3;) {
            const unsigned got = drain(r, fault, 1 + round % 2, &lost);

            assert_true(got >= 1);
            for (unsigned i = 0; i < got; i++)
                assert_int_equal(fault[i].addr, ++next << 12);
            n += got;
        }
    }
    assert_int_equal(lost, 0);
    for (unsigned i = 0; i < 10000; i++)
        fake_fault(r->f, 6, SID_A, 0x1000, false);
    assert_int_equal(drain(r, fault, 4, &lost), 4);
    assert_int_equal(lost, 1);
    assert_int_equal(r->f->fsts & 1, 0);
    assert_int_equal(drain(r, fault, 4, &lost), 0);
    fake_fault(r->f, 6, SID_A, 0x9000, false);
    assert_int_equal(drain(r, fault, 4, &lost), 1);
    assert_int_equal(fault[0].addr, 0x9000);
    assert_int_equal(drain(r, fault, 0, &lost), 0);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_faults_are_told),
        cmocka_unit_test(every_reason_has_a_meaning),
        cmocka_unit_test(pasid_and_atomics),
        cmocka_unit_test(order_and_overflow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
