/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records, their overflow, and the event. */
#include "unit.h"

#define RECORD(i) (VTD_EMUL_FRCD + (i)*VTD_FRCD_SIZE)

static void fault(struct unit *u, uint16_t sid)
{
    const struct vtd_emul_fault f = {
        .sid = sid, .info = 0x123456789abc, .reason = VTD_REASON_WRITE, .write = true};

    vtd_emul_record(emul_of(u), &f);
}

static void service(struct unit *u, unsigned i)
{
    wr32(u, RECORD(i) + 12, VTD_FRCD_F >> 32);
}

static bool is_filled(struct unit *u, unsigned i)
{
    return rd64(u, RECORD(i) + 8) & VTD_FRCD_F;
}

static void a_record_says_what_happened(void **state)
{
    struct unit *u = *state;
    const struct vtd_emul_fault with_pasid = {.sid = 0x311,
                                              .has_pasid = true,
                                              .pasid = 0xabcde,
                                              .info = 0x5000,
                                              .reason = VTD_REASON_SM_PASID_P};
    uint64_t hi;

    fault(u, DEVICE);
    vtd_emul_record(emul_of(u), &with_pasid);
    assert_int_equal(rd32(u, VTD_FSTS), VTD_FSTS_PPF);
    assert_int_equal(rd64(u, RECORD(0)), 0x123456789000);
    hi = rd64(u, RECORD(0) + 8);
    assert_int_equal(hi, VTD_FRCD_F | FIELD_PREP(VTD_FRCD_FR, VTD_REASON_WRITE) | DEVICE);
    hi = rd64(u, RECORD(1) + 8);
    assert_int_equal(hi, VTD_FRCD_F | VTD_FRCD_T1 | VTD_FRCD_PP | FIELD_PREP(VTD_FRCD_PV, 0xabcde) |
                             FIELD_PREP(VTD_FRCD_FR, VTD_REASON_SM_PASID_P) | 0x311);
}

static void records_are_a_ring(void **state)
{
    struct unit *u = *state;

    command_on(u, VTD_GCMD_TE); /* else they begin at the first again */
    for (unsigned i = 0; i < 3; i++)
        fault(u, (uint16_t)i);
    assert_int_equal(FIELD_GET(VTD_FSTS_FRI, rd32(u, VTD_FSTS)), 0);
    for (unsigned i = 0; i < 3; i++)
        service(u, i);
    assert_int_equal(rd32(u, VTD_FSTS), 0);
    for (unsigned i = 0; i < VTD_EMUL_RECORDS; i++)
        fault(u, (uint16_t)(0x100 + i));
    assert_int_equal(rd32(u, VTD_FSTS), VTD_FSTS_PPF | FIELD_PREP(VTD_FSTS_FRI, 3));
    assert_int_equal(rd64(u, RECORD(3) + 8) & VTD_FRCD_SID, 0x100);
    assert_int_equal(rd64(u, RECORD(2) + 8) & VTD_FRCD_SID, 0x107);
    for (unsigned i = 0; i < VTD_EMUL_RECORDS; i++)
        service(u, i);
    command_off(u, VTD_GCMD_TE);
    fault(u, 1);
    assert_int_equal(rd32(u, VTD_FSTS), VTD_FSTS_PPF);
    assert_true(is_filled(u, 0));
}

static void what_has_no_room_overflows(void **state)
{
    struct unit *u = *state;
    struct sluice_viommu_info info;

    for (unsigned i = 0; i <= VTD_EMUL_RECORDS; i++)
        fault(u, (uint16_t)i);
    assert_int_equal(rd32(u, VTD_FSTS), VTD_FSTS_PPF | VTD_FSTS_PFO);
    assert_int_equal(rd64(u, RECORD(0) + 8) & VTD_FRCD_SID, 0);
    service(u, 0);
    fault(u, 0x99); /* nothing is recorded before the overflow is cleared */
    assert_false(is_filled(u, 0));
    wr32(u, VTD_FSTS, VTD_FSTS_PFO);
    assert_int_equal(rd32(u, VTD_FSTS), VTD_FSTS_PPF);
    fault(u, 0x9a);
    assert_int_equal(rd64(u, RECORD(0) + 8) & VTD_FRCD_SID, 0x9a);
    assert_int_equal(sluice_viommu_info(u->h->d, u->id, &info), 0);
    assert_int_equal(info.faults, VTD_EMUL_RECORDS + 3);
    assert_int_equal(info.faults_lost, 2);
}

static void unmask(struct unit *u)
{
    wr32(u, VTD_FEDATA, 0x31);
    wr32(u, VTD_FEADDR, 0xfee02000);
    wr32(u, VTD_FECTL, 0);
}

static void the_first_raises_the_event(void **state)
{
    struct unit *u = *state;
    struct host *h = u->h;

    command_on(u, VTD_GCMD_TE);
    unmask(u);
    fault(u, 1);
    assert_int_equal(h->nr_delivered, 1);
    assert_int_equal(h->delivered_address, 0xfee02000);
    assert_int_equal(h->delivered_data, 0x31);
    fault(u, 2);
    queue_on(u, false);
    wr32(u, VTD_IQT, 16); /* and an error of the queue is not a new condition either */
    assert_true(rd32(u, VTD_FSTS) & VTD_FSTS_IQE);
    assert_int_equal(h->nr_delivered, 1);
    service(u, 0);
    service(u, 1);
    fault(u, 3); /* the queue's is not serviced */
    assert_int_equal(h->nr_delivered, 1);
    wr64(u, VTD_IQT, 0);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
    service(u, 2);
    assert_int_equal(rd32(u, VTD_FSTS), 0);
    fault(u, 4);
    assert_int_equal(h->nr_delivered, 2);
}

static void a_masked_event_is_pending(void **state)
{
    struct unit *u = *state;
    struct host *h = u->h;

    fault(u, 1);
    assert_int_equal(rd32(u, VTD_FECTL), VTD_ECTL_IM | VTD_ECTL_IP);
    unmask(u);
    assert_int_equal(h->nr_delivered, 1);
    assert_int_equal(rd32(u, VTD_FECTL), 0);
    service(u, 0);
    wr32(u, VTD_FECTL, VTD_ECTL_IM);
    fault(u, 2);
    service(u, 1); /* serviced without it */
    assert_int_equal(rd32(u, VTD_FECTL), VTD_ECTL_IM);
    wr32(u, VTD_FECTL, 0);
    assert_int_equal(h->nr_delivered, 1);
}

static void the_queues_error_raises_it_too(void **state)
{
    struct unit *u = *state;

    unmask(u);
    queue_on(u, false);
    submit(u, 0, 0);
    assert_int_equal(u->h->nr_delivered, 1);
    assert_int_equal(rd32(u, VTD_IQERCD), VTD_IQEI_TYPE);
}

static void raise(struct unit *u, unsigned nr)
{
    struct fake_unit *hw = &u->h->unit[0];

    for (unsigned i = 0; i < nr; i++)
        hw->fault[hw->nr_faults++] = (struct hw_fault){
            .rid = {DEVICE}, .addr = 0x7000, .write = true, .reason = HW_REASON_NO_WRITE};
    sluice_faults_collect(u->h->s);
}

static void those_of_devices_become_the_guests(void **state)
{
    struct unit *u = *state;
    struct sluice_fault f;
    uint64_t lost;

    add_device(u->h, DEVICE);
    stub.reason = VTD_REASON_WRITE;
    unmask(u);
    raise(u, 1);
    assert_int_equal(u->h->nr_delivered, 0); /* noted, and no more */
    assert_int_equal(sluice_viommu_poll(u->h->d, u->id), 0);
    assert_int_equal(u->h->nr_delivered, 1);
    assert_int_equal(rd64(u, RECORD(0)), 0x7000);
    assert_int_equal(rd64(u, RECORD(0) + 8) & VTD_FRCD_SID, DEVICE);
    assert_int_equal(FIELD_GET(VTD_FRCD_FR, rd64(u, RECORD(0) + 8)), VTD_REASON_WRITE);
    raise(u, 1);
    assert_true(is_filled(u, 1)); /* a read collects */
    stub.silent = true;
    raise(u, 1);
    assert_false(is_filled(u, 2));
    assert_int_equal(sluice_faults_read(u->h->d, &f, 1, &lost), 1); /* the host has them as well */
}

static void many_are_counted(void **state)
{
    struct unit *u = *state;
    struct sluice_viommu_info info;

    add_device(u->h, DEVICE);
    raise(u, VTD_EMUL_NOTED + 5);
    assert_int_equal(sluice_viommu_poll(u->h->d, u->id), 0);
    assert_int_equal(sluice_viommu_info(u->h->d, u->id, &info), 0);
    assert_int_equal(info.faults, VTD_EMUL_NOTED + 5);
    assert_int_equal(info.faults_lost, VTD_EMUL_NOTED + 5 - VTD_EMUL_RECORDS);
}

static void without_a_unit_nobody_is_told(void **state)
{
    struct unit *u = *state;

    add_device(u->h, DEVICE);
    assert_int_equal(sluice_viommu_destroy(u->h->d, u->id), 0);
    raise(u, 1);
    assert_int_equal(sluice_viommu_poll(u->h->d, u->id), -ENODEV);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_set_up, unit_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_record_says_what_happened),        TEST(records_are_a_ring),
        TEST(what_has_no_room_overflows),         TEST(the_first_raises_the_event),
        TEST(a_masked_event_is_pending),          TEST(the_queues_error_raises_it_too),
        TEST(those_of_devices_become_the_guests), TEST(many_are_counted),
        TEST(without_a_unit_nobody_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
