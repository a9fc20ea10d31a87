/* SPDX-License-Identifier: BSD-2-Clause */
/* The invalidation queue: what is done, in order, and what stops it. */
#include "unit.h"

#include <limits.h>

#define WAIT_SW(data) (VTD_DESC_WAIT | VTD_DESC_SW | FIELD_PREP(VTD_DESC_DATA, data))

static void descriptors_become_invalidations(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    submit(u,
           VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, 3) | FIELD_PREP(VTD_DESC_DID, 7) |
               FIELD_PREP(VTD_DESC_SID, 0x123) | FIELD_PREP(VTD_DESC_FM, 2),
           0);
    submit(u,
           VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, 3) | FIELD_PREP(VTD_DESC_DID, 8) | VTD_DESC_DW |
               VTD_DESC_DR,
           0xffff000000203000 | VTD_DESC_IH | 9);
    submit(u, VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, 2) | FIELD_PREP(VTD_DESC_DID, 8),
           0x203000 | 63);
    assert_int_equal(stub.nr_log, 3);
    assert_int_equal(stub.log[0].kind, VTD_EMUL_INV_CONTEXTS);
    assert_int_equal(stub.log[0].granularity, VTD_G_DEVICE);
    assert_int_equal(stub.log[0].did, 7);
    assert_int_equal(stub.log[0].sid, 0x123);
    assert_int_equal(stub.log[0].fm, 2);
    assert_int_equal(stub.log[1].kind, VTD_EMUL_INV_IOTLB);
    assert_int_equal(stub.log[1].first.n, 0x200); /* what is beyond MGAW is ignored */
    assert_int_equal(stub.log[1].last.n, 0x3ff);
    assert_true(stub.log[1].paged && stub.log[1].leaf_only);
    assert_int_equal(stub.log[2].granularity, VTD_G_DOMAIN);
    assert_false(stub.log[2].paged);
    assert_int_equal(rd64(u, VTD_IQH), 48);
    assert_int_equal(iqei(u), UINT_MAX);
}

static void those_of_scalable_mode_are_wide(void **state)
{
    struct unit *u = *state;

    set_mode(u, VTD_TTM_SCALABLE);
    queue_on(u, true);
    submit(u,
           VTD_DESC_PASID | FIELD_PREP(VTD_DESC_G, VTD_G_PASID_ONE) | FIELD_PREP(VTD_DESC_DID, 3) |
               FIELD_PREP(VTD_DESC_PASID_NR, 0xabcde),
           0);
    submit(u,
           VTD_DESC_PIOTLB | FIELD_PREP(VTD_DESC_G, VTD_G_FIRST_PAGE) |
               FIELD_PREP(VTD_DESC_DID, 3) | FIELD_PREP(VTD_DESC_PASID_NR, 5),
           0xffff800000001000);
    submit(u, VTD_DESC_PIOTLB | FIELD_PREP(VTD_DESC_G, VTD_G_FIRST_ALL), 0);
    submit(u, VTD_DESC_PIOTLB | FIELD_PREP(VTD_DESC_G, VTD_G_FIRST_PAGE), 63);
    submit(u, VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, VTD_G_DOMAIN), 0);
    assert_int_equal(iqei(u), UINT_MAX);
    assert_int_equal(stub.nr_log, 6);
    assert_int_equal(stub.log[1].kind, VTD_EMUL_INV_PASIDS);
    assert_int_equal(stub.log[1].pasid, 0xabcde);
    assert_int_equal(stub.log[1].did, 3);
    assert_int_equal(stub.log[2].kind, VTD_EMUL_INV_FIRST);
    assert_int_equal(stub.log[2].first.n, 0xffff800000001);
    assert_int_equal(stub.log[2].last.n, 0xffff800000001);
    assert_false(stub.log[3].paged);
    assert_int_equal(stub.log[4].first.n, 0);
    assert_int_equal(stub.log[4].last.n, MASK64(51, 0));
    assert_int_equal(stub.log[5].granularity, VTD_G_GLOBAL); /* 6.5.2.1 */
    assert_int_equal(rd64(u, VTD_IQH), 5 * 32);
}

static void a_wait_tells_that_all_before_it_is_done(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    stub.restarts = 1;
    put(u, RING, (const uint64_t[]){VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, 1), 0}, 16);
    put(u, RING + 16, (const uint64_t[]){WAIT_SW(0x1234) | VTD_DESC_FN, STATUS}, 16);
    assert_int_equal(sluice_viommu_write(u->h->d, u->id, VTD_IQT, 8, 32), -ERESTART);
    assert_int_equal(get(u, STATUS), 0);
    assert_int_equal(rd64(u, VTD_IQH), 0);
    assert_int_equal(sluice_viommu_run(u->h->d, u->id), 0);
    assert_int_equal(get(u, STATUS), 0x1234);
    assert_int_equal(rd64(u, VTD_IQH), 32);
}

static void a_status_beside_memory_is_lost(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    submit(u, WAIT_SW(1), NO_RAM);
    submit(u, WAIT_SW(1), UNIT_BASE + VTD_GCMD); /* the unit does not program itself */
    submit(u, WAIT_SW(1), 0xfffffffffffffffc);
    submit(u, WAIT_SW(2), STATUS | BIT64(60)); /* addresses have 52 bits */
    assert_int_equal(get(u, STATUS), 2);
    assert_int_equal(rd64(u, VTD_IQH), 64);
    assert_int_equal(iqei(u), UINT_MAX);
}

static void the_ring_wraps(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    for (unsigned i = 1; i <= 700; i++)
        submit(u, WAIT_SW(i), STATUS);
    assert_int_equal(get(u, STATUS), 700);
    assert_int_equal(rd64(u, VTD_IQH), 700 % 256 * 16);
}

static void a_long_queue_is_done_in_steps(void **state)
{
    struct unit *u = *state;
    const uint64_t desc[2] = {VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, 1), 0};
    unsigned runs = 0;
    int err;

    queue_on(u, false);
    for (unsigned i = 0; i < 256; i++)
        put(u, RING + i * 16, desc, 16);
    err = sluice_viommu_write(u->h->d, u->id, VTD_IQT, 4, 255 * 16);
    for (; err == -ERESTART; runs++)
        err = sluice_viommu_run(u->h->d, u->id);
    assert_int_equal(err, 0);
    assert_true(runs >= 3);
    assert_int_equal(stub.nr_log, 255);
    u->h->preempt_every = 1;
    assert_int_equal(sluice_viommu_write(u->h->d, u->id, VTD_IQT, 4, 2 * 16), -ERESTART);
    assert_int_equal(stub.nr_log, 256);
    wr32(u, VTD_IQT, 2 * 16);
    assert_int_equal(stub.nr_log, 258);
}

static void expect_stop(struct unit *u, unsigned why)
{
    const uint64_t head = rd64(u, VTD_IQH);

    assert_int_equal(iqei(u), why);
    /* nothing is fetched until the error is cleared */
    wr64(u, VTD_IQT, rd64(u, VTD_IQT));
    assert_int_equal(rd64(u, VTD_IQH), head);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
}

static void stops(struct unit *u, uint64_t lo, uint64_t hi, unsigned why)
{
    const uint64_t head = rd64(u, VTD_IQH);

    submit(u, lo, hi);
    assert_int_equal(rd64(u, VTD_IQH), head);
    expect_stop(u, why);
    /* it is there still, and so is the error */
    assert_int_equal(iqei(u), why);
    put(u, RING + head, (const uint64_t[4]){VTD_DESC_WAIT, 0, 0, 0},
        rd64(u, VTD_IQA) & VTD_IQA_DW ? 32 : 16);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
    assert_int_equal(iqei(u), UINT_MAX);
    assert_int_equal(rd64(u, VTD_IQH), rd64(u, VTD_IQT));
}

static void stops_for_reserved(struct unit *u, uint64_t lo, uint64_t reserved_lo,
                               uint64_t reserved_hi)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        if (reserved_lo & BIT64(bit))
            stops(u, lo | BIT64(bit), 0, VTD_IQEI_RESERVED);
        if (reserved_hi & BIT64(bit))
            stops(u, lo, BIT64(bit), VTD_IQEI_RESERVED);
    }
}

static void unknown_descriptors_stop_it(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    for (unsigned type = 0; type < 16; type++)
        if (type != 1 && type != 2 && type != 4 && type != 5)
            stops(u, type, 0, VTD_IQEI_TYPE);
    for (unsigned bit = 9; bit < 12; bit++)
        stops(u, VTD_DESC_WAIT | BIT64(bit), 0, VTD_IQEI_TYPE);
    assert_int_equal(stub.nr_log, 0);
}

static void unknown_wide_descriptors_stop_it(void **state)
{
    struct unit *u = *state;

    set_mode(u, VTD_TTM_SCALABLE);
    queue_on(u, true);
    for (unsigned type = 0; type < 16; type++)
        if (!type || type == 3 || type > 7)
            stops(u, type, 0, VTD_IQEI_TYPE);
    set_mode(u, VTD_TTM_LEGACY); /* 256 bits are fine, but there are no PASIDs */
    stops(u, VTD_DESC_PASID, 0, VTD_IQEI_TYPE);
    stops(u, VTD_DESC_PIOTLB | 0x20, 0, VTD_IQEI_TYPE);
    submit(u, WAIT_SW(3), STATUS);
    assert_int_equal(get(u, STATUS), 3);
}

/* QEMU's masks: an independent reading of the figures. */
static void reserved_bits_stop_it(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    stops_for_reserved(u, VTD_DESC_CONTEXT | 0x10, 0xfffc00000000f1c0, UINT64_MAX);
    stops_for_reserved(u, VTD_DESC_IOTLB | 0x10, 0xffffffff0000f100, 0xf80);
    stops_for_reserved(u, VTD_DESC_IEC, 0xffff000007fff1e0, UINT64_MAX);
    stops_for_reserved(u, VTD_DESC_WAIT, 0xfffff180, 3);
    stops(u, VTD_DESC_CONTEXT, 0, VTD_IQEI_RESERVED);
    stops(u, VTD_DESC_IOTLB, 0, VTD_IQEI_RESERVED);
    stops(u, VTD_DESC_IOTLB | 0x30, 19, VTD_IQEI_RESERVED);
    stops(u, VTD_DESC_IEC | VTD_DESC_IEC_INDEX | FIELD_PREP(VTD_DESC_IM, 16), 0, VTD_IQEI_RESERVED);
    assert_int_equal(stub.nr_log, 0);
}

static void reserved_bits_of_wide_ones_stop_it(void **state)
{
    struct unit *u = *state;
    uint64_t word[4] = {VTD_DESC_WAIT, 0, 0, 0};

    set_mode(u, VTD_TTM_SCALABLE);
    queue_on(u, true);
    stops_for_reserved(u, VTD_DESC_PASID, 0xfff000000000f1c0, UINT64_MAX);
    stops_for_reserved(u, VTD_DESC_PIOTLB | 0x20, 0xfff000000000f1c0, 0xf80);
    stops(u, VTD_DESC_PASID | 0x20, 0, VTD_IQEI_RESERVED);
    stops(u, VTD_DESC_PIOTLB, 0, VTD_IQEI_RESERVED);
    stops(u, VTD_DESC_PIOTLB | 0x10, 0, VTD_IQEI_RESERVED);
    word[2] = 1;
    submit4(u, word);
    expect_stop(u, VTD_IQEI_RESERVED);
}

static void the_ring_itself_is_checked(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    wr64(u, VTD_IQT, 4096);
    expect_stop(u, VTD_IQEI_TAIL);
    wr64(u, VTD_IQT, 0);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
    assert_int_equal(iqei(u), UINT_MAX);
    wr64(u, VTD_IQA, NO_RAM);
    wr64(u, VTD_IQT, 16);
    expect_stop(u, VTD_IQEI_FETCH);
    assert_int_equal(iqei(u), VTD_IQEI_FETCH);
    wr64(u, VTD_IQA, RING);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE); /* the first of the ring is nothing */
    expect_stop(u, VTD_IQEI_TYPE);
}

static void a_ring_that_shrinks_is_an_error(void **state)
{
    struct unit *u = *state;

    wr64(u, VTD_IQA, RING | 1);
    command_on(u, VTD_GCMD_QIE);
    for (unsigned i = 0; i < 300; i++)
        submit(u, VTD_DESC_WAIT, 0);
    assert_int_equal(rd64(u, VTD_IQH), 4800);
    wr64(u, VTD_IQA, RING);
    wr64(u, VTD_IQT, 0);
    expect_stop(u, VTD_IQEI_TAIL);
    command_off(u, VTD_GCMD_QIE);
    assert_int_equal(rd64(u, VTD_IQH), 0);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
    queue_on(u, false);
    submit(u, WAIT_SW(9), STATUS);
    assert_int_equal(get(u, STATUS), 9);
}

static void the_width_follows_the_mode(void **state)
{
    struct unit *u = *state;

    set_mode(u, VTD_TTM_SCALABLE);
    queue_on(u, false);
    submit(u, WAIT_SW(1), STATUS);
    expect_stop(u, VTD_IQEI_WIDTH);
    command_off(u, VTD_GCMD_QIE);
    wr64(u, VTD_IQT, 0);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
    queue_on(u, true);
    wr64(u, VTD_IQT, 16);
    expect_stop(u, VTD_IQEI_ALIGN);
    wr64(u, VTD_IQT, 0);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
    set_mode(u, 3);
    submit(u, WAIT_SW(1), STATUS);
    expect_stop(u, VTD_IQEI_TTM);
    assert_int_equal(get(u, STATUS), 0);
}

static void a_unit_without_scalable_mode_has_narrow_ones(void **state)
{
    struct unit *u = *state;

    queue_on(u, true);
    submit(u, WAIT_SW(1), STATUS);
    expect_stop(u, VTD_IQEI_WIDTH);
    command_off(u, VTD_GCMD_QIE);
    wr32(u, VTD_FSTS, VTD_FSTS_IQE);
    queue_on(u, false);
    set_mode(u, VTD_TTM_SCALABLE);
    submit(u, WAIT_SW(1), STATUS);
    expect_stop(u, VTD_IQEI_TTM);
}

static void disabling_waits_for_what_is_going_on(void **state)
{
    struct unit *u = *state;
    struct sluice_domain *d = u->h->d;

    queue_on(u, false);
    stub.restarts = 2;
    put(u, RING, (const uint64_t[]){VTD_DESC_IOTLB | 0x10, 0}, 16);
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_IQT, 4, 16), -ERESTART);
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_GCMD, 4, 0), -ERESTART);
    assert_true(rd32(u, VTD_GSTS) & VTD_GCMD_QIE);
    assert_int_equal(sluice_viommu_run(d, u->id), 0);
    assert_int_equal(stub.nr_log, 1);
    assert_false(rd32(u, VTD_GSTS) & VTD_GCMD_QIE);
    assert_int_equal(rd64(u, VTD_IQH), 0);
}

/* An invalidation may not run inside another one, whatever the guest arranges. */
static unsigned depth;

static void count_depth(void)
{
    assert_int_equal(depth, 0);
    depth++;
    depth--;
}

static void it_does_not_enter_itself(void **state)
{
    struct unit *u = *state;

    stub.on_invalidate = count_depth;
    queue_on(u, false);
    submit(u, VTD_DESC_IOTLB | 0x10, 0);
    submit(u, WAIT_SW(0x20), UNIT_BASE + VTD_IQT);
    submit(u, WAIT_SW(VTD_DESC_IOTLB | 0x10), RING + 48); /* into the ring, behind the tail */
    assert_int_equal(rd64(u, VTD_IQT), 48);
    assert_int_equal(rd64(u, VTD_IQH), 48);
    assert_int_equal(stub.nr_log, 1);
}

static void a_wait_raises_its_event(void **state)
{
    struct unit *u = *state;
    struct host *h = u->h;

    queue_on(u, false);
    wr32(u, VTD_IEDATA, 0x4041);
    wr32(u, VTD_IEADDR, 0xfee01000);
    wr32(u, VTD_IEUADDR, 0x100);
    submit(u, WAIT_SW(1) | VTD_DESC_IF, STATUS);
    assert_int_equal(get(u, STATUS), 1);
    assert_int_equal(rd32(u, VTD_ICS), VTD_ICS_IWC);
    assert_int_equal(rd32(u, VTD_IECTL), VTD_ECTL_IM | VTD_ECTL_IP);
    assert_int_equal(h->nr_delivered, 0);
    wr32(u, VTD_IECTL, 0);
    assert_int_equal(h->nr_delivered, 1);
    assert_int_equal(h->delivered_address, 0x100fee01000);
    assert_int_equal(h->delivered_data, 0x4041);
    assert_int_equal(rd32(u, VTD_IECTL), 0);
    submit(u, VTD_DESC_WAIT | VTD_DESC_IF, 0); /* the last one is not serviced */
    assert_int_equal(h->nr_delivered, 1);
    wr32(u, VTD_ICS, VTD_ICS_IWC);
    assert_int_equal(rd32(u, VTD_ICS), 0);
    submit(u, VTD_DESC_WAIT | VTD_DESC_IF, 0);
    assert_int_equal(h->nr_delivered, 2);
    wr32(u, VTD_ICS, VTD_ICS_IWC);
    wr32(u, VTD_IECTL, VTD_ECTL_IM);
    submit(u, VTD_DESC_WAIT | VTD_DESC_IF, 0);
    wr32(u, VTD_ICS, VTD_ICS_IWC); /* serviced without it */
    wr32(u, VTD_IECTL, 0);
    assert_int_equal(h->nr_delivered, 2);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, unit_set_up, unit_tear_down)
#define BARE_TEST(name) cmocka_unit_test_setup_teardown(name, unit_set_up_bare, unit_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(descriptors_become_invalidations),
        TEST(those_of_scalable_mode_are_wide),
        TEST(a_wait_tells_that_all_before_it_is_done),
        TEST(a_status_beside_memory_is_lost),
        TEST(the_ring_wraps),
        TEST(a_long_queue_is_done_in_steps),
        TEST(unknown_descriptors_stop_it),
        TEST(unknown_wide_descriptors_stop_it),
        TEST(reserved_bits_stop_it),
        TEST(reserved_bits_of_wide_ones_stop_it),
        TEST(the_ring_itself_is_checked),
        TEST(a_ring_that_shrinks_is_an_error),
        TEST(the_width_follows_the_mode),
        BARE_TEST(a_unit_without_scalable_mode_has_narrow_ones),
        TEST(disabling_waits_for_what_is_going_on),
        TEST(it_does_not_enter_itself),
        TEST(a_wait_raises_its_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
