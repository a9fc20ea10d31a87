/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PASIDs on QEMU's unit. Its devices send none: what is seen is that it takes the tables and the
 * invalidations, and that the tables in its memory say what they should.
 */
#include "rig.h"

#define ADDR 0x000ffffffffff000ull

static uint64_t word(const struct rig *r, uint64_t maddr)
{
    uint64_t value;

    assert_true(maddr + sizeof(value) <= r->config.ram);
    memcpy(&value, (const char *)r->m->ram.view + maddr, sizeof(value));
    return value;
}

/* The context entry of the device, as the registers lead there (9.2, 9.4). */
static uint64_t context_at(const struct rig *r, unsigned nic)
{
    const uint64_t root = vtd_backend.mmio_read(r->m, QEMU_VTD_REGISTERS + VTD_RTADDR, 8);
    const unsigned devfn = rig_rid(nic).n & 0xff;

    assert_int_equal(root >> 10 & 3, 1);
    return (word(r, (root & ADDR) + devfn / 128 * 8) & ADDR) + devfn % 128 * 32;
}

/* 9.5, 9.6 */
static uint64_t pasid_at(const struct rig *r, unsigned nic, uint32_t pasid)
{
    const uint64_t directory = word(r, context_at(r, nic)) & ADDR;
    const uint64_t entry = word(r, directory + pasid / 64 * 8);

    assert_int_equal(entry & ~ADDR, 1);
    return (entry & ADDR) + pasid % 64 * 64;
}

static void expect(struct rig *r, unsigned nic, uint32_t pasid, uint16_t ctx_no)
{
    const uint64_t at = pasid_at(r, nic, pasid);
    struct sluice_context_info info;

    assert_int_equal(sluice_context_info(machine_domain_sluice(r->d), ctx_no, &info), 0);
    assert_int_equal(word(r, at) & 1, 1);
    assert_int_equal(word(r, at) >> 6 & 7, 2); /* the second stage */
    assert_int_equal(word(r, at) & ADDR, info.root.n << 12);
    assert_int_equal(word(r, at + 8) & 0xffff, info.did);
}

static long attach(struct rig *r, unsigned nic, uint32_t pasid, uint16_t ctx_no)
{
    struct pv_iommu_attach_pasid a = {
        .ctx_no = ctx_no, .dev = {0, 0, (uint8_t)rig_rid(nic).n}, .pasid = pasid};

    return rig_call(r, IOMMU_attach_pasid, &a, sizeof(a));
}

static long detach(struct rig *r, unsigned nic, uint32_t pasid)
{
    struct pv_iommu_detach_pasid a = {.dev = {0, 0, (uint8_t)rig_rid(nic).n}, .pasid = pasid};

    return rig_call(r, IOMMU_detach_pasid, &a, sizeof(a));
}

static void tables(bool caching_mode)
{
    const struct machine_config config = {
        .backend = &vtd_backend, .scalable = true, .caching_mode = caching_mode};
    struct pv_iommu_capabilities caps = {0};
    struct rig r;
    uint16_t c;

    rig_open(&r, &config);
    rig_ok(&r, rig_call(&r, IOMMU_query_capabilities, &caps, sizeof(caps)));
    assert_true(caps.cap_flags & IOMMUCAP_pasid);
    c = rig_context(&r);
    rig_ok(&r, attach(&r, 0, caps.max_pasid, c));
    assert_int_equal(word(&r, context_at(&r, 0)) & 9, 9); /* present, with PASIDs */
    expect(&r, 0, caps.max_pasid, c);
    expect(&r, 0, 0, 0);
    rig_ok(&r, rig_reattach(&r, 0, c));
    expect(&r, 0, 0, c);
    rig_ok(&r, rig_map(&r, c, 0, 1));
    assert_int_equal(rig_dma(&r, 0, 0, 5), 0);
    rig_ok(&r, detach(&r, 0, caps.max_pasid));
    assert_int_equal(word(&r, pasid_at(&r, 0, caps.max_pasid)), 0);
    assert_int_equal(rig_dma(&r, 0, 0, 6), 0);
    assert_int_equal(rig_word(&r, 0), 6);
    rig_ok(&r, attach(&r, 0, caps.max_pasid, c));
    rig_ok(&r, machine_device_unassign(r.nic[0]));
    assert_int_equal(word(&r, pasid_at(&r, 0, caps.max_pasid)), 0);
    assert_false(rig_failed(&r));
    machine_destroy(r.m);
}

static void qemu_takes_them(void **state)
{
    (void)state;
    tables(false);
    tables(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(qemu_takes_them)};

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
