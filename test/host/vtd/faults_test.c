/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of faults that nobody reads: no memory, no harm; what is lost is told, and records come
 * again as soon as somebody reads.
 */
#include "rig.h"

#define MANY 10000u
#define SOME 2000u /* where each is looked at, which takes longer */
#define KEPT 64u   /* for a domain */
#define PFO  1u    /* FSTS: primary fault overflow (VT-d 11.4.7.1) */

static unsigned read_all(struct rig *r, struct sluice_fault *newest, uint64_t *lost)
{
    unsigned n = 0;
    uint64_t more;

    sluice_faults_collect(machine_sluice(r->m));
    *lost = 0;
    while (sluice_faults_read(machine_domain_sluice(r->d), newest, 1, &more)) {
        *lost += more;
        n++;
    }
    *lost += more;
    return n;
}

static void it_works_afterwards(struct rig *r, uint16_t c)
{
    struct sluice_fault fault;
    uint64_t lost;

    rig_ok(r, rig_map(r, c, 0, 1));
    assert_int_equal(rig_dma(r, 0, 0, 0x1234), 0);
    assert_int_equal(rig_word(r, 0), 0x1234);
    rig_ok(r, rig_unmap(r, c, 0, 1));
    assert_int_equal(rig_dma(r, 0, 0, 0x5678), -EACCES);
    assert_int_equal(rig_word(r, 0), 0x1234);
    assert_int_equal(read_all(r, &fault, &lost), 1);
    assert_int_equal(fault.addr, (uint64_t)RIG_DFN << FRAME_LG2);
    assert_true(fault.write);
    assert_int_equal(lost, 0);
    assert_false(rig_failed(r));
}

static uint16_t open_empty(struct rig *r, const struct machine_config *config)
{
    uint16_t c;

    rig_open(r, config);
    c = rig_context(r);
    for (unsigned i = 0; i < RIG_DEVICES; i++)
        rig_ok(r, rig_reattach(r, i, c));
    return c;
}

/* The host collects them, the guest does not read. */
static void the_guest_does_not_read(void **state)
{
    const struct machine_config config = {.backend = &vtd_backend};
    struct sluice_domain_stats domain;
    struct machine_stats before, after;
    struct sluice_fault fault;
    struct rig r;
    uint64_t lost;
    uint16_t c;

    (void)state;
    c = open_empty(&r, &config);
    machine_stats(r.m, &before);
    for (unsigned i = 0; i < SOME; i++)
        assert_int_equal(rig_dma(&r, 0, i, i), -EACCES);
    machine_stats(r.m, &after);
    assert_int_equal(after.allocs, before.allocs);
    sluice_domain_stats(machine_domain_sluice(r.d), &domain);
    assert_int_equal(domain.faults, SOME);
    assert_int_equal(read_all(&r, &fault, &lost), KEPT);
    assert_int_equal(lost, SOME - KEPT);
    assert_int_equal(fault.addr, (uint64_t)(RIG_DFN + SOME - 1) << FRAME_LG2);
    it_works_afterwards(&r, c);
    assert_int_equal(machine_destroy(r.m), 0);
}

/* Nor does the host: the unit has one record, and drops what comes while that is full. */
static void nobody_reads(void **state)
{
    const struct machine_config config = {.backend = &vtd_backend};
    const uint64_t fsts = QEMU_VTD_REGISTERS + VTD_FSTS;
    struct sluice_fault fault;
    struct rig r;
    uint64_t lost;
    uint16_t c;

    (void)state;
    c = open_empty(&r, &config);
    for (unsigned i = 0; i < MANY; i++) {
        struct vtd_slot *slot = r.nic[i % 2]->state;

        assert_int_equal(edu_transfer(&slot->edu, (RIG_DFN + i) << FRAME_LG2, 0, 8, true, false),
                         0);
    }
    assert_true(qemu_mmio_read(rig_state(&r)->q, fsts, 4) & PFO);
    assert_int_equal(read_all(&r, &fault, &lost), 1);
    assert_int_equal(fault.addr, (uint64_t)RIG_DFN << FRAME_LG2);
    assert_int_equal(lost, 1); /* at least: an overflow is a bit */
    assert_false(qemu_mmio_read(rig_state(&r)->q, fsts, 4) & PFO);
    it_works_afterwards(&r, c);
    assert_int_equal(machine_destroy(r.m), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_guest_does_not_read),
        cmocka_unit_test(nobody_reads),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
