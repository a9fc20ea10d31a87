/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of emulated devices, and the reasons of faults, by the guest's tables. */
#include "guest.h"

static struct rig *start(struct rig *r)
{
    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, SID, NULL), 0);
    guest_enable(r->e, false);
    guest_context(r->e, SID, DID, TABLE, 3);
    return r;
}

static int ask_for(struct rig *r, uint64_t iova, unsigned access,
                   struct sluice_viommu_translation *out)
{
    const struct sluice_viommu_request request = {.sid = SID, .iova = iova, .access = access};

    return sluice_viommu_translate(r->h->d, r->id, &request, out);
}

static int ask(struct rig *r, uint64_t iova, unsigned access)
{
    struct sluice_viommu_translation t;

    return ask_for(r, iova, access, &t);
}

/* The fault that was recorded last: its reason, or 0. */
static uint8_t reason(struct rig *r)
{
    uint64_t lo, hi;

    assert_int_equal(sluice_viommu_read(r->h->d, r->id, VTD_EMUL_FRCD + 8, 8, &hi), 0);
    assert_int_equal(sluice_viommu_read(r->h->d, r->id, VTD_EMUL_FRCD, 8, &lo), 0);
    if (!(hi & VTD_FRCD_F))
        return 0;
    assert_int_equal(FIELD_GET(VTD_FRCD_SID, hi), SID);
    r->e->front.next_record = 0;
    assert_int_equal(sluice_viommu_write(r->h->d, r->id, VTD_EMUL_FRCD + 8, 8, VTD_FRCD_F), 0);
    return (uint8_t)FIELD_GET(VTD_FRCD_FR, hi);
}

static void denied(struct rig *r, uint64_t iova, unsigned access, uint8_t why)
{
    assert_int_equal(ask(r, iova, access), -EACCES);
    assert_int_equal(reason(r), why);
}

static void leaves_of_all_sizes(void **state)
{
    struct rig *r = start(*state);
    struct sluice_viommu_translation t;

    guest_map(r->e, TABLE, 3, 0x5000, DATA, PT_READ);
    assert_int_equal(ask_for(r, 0x5123, PT_READ, &t), 0);
    assert_int_equal(t.gpa, DATA + 0x123);
    assert_int_equal(t.mask, 0xfff);
    assert_int_equal(t.rights, PT_READ);
    guest_map_large(r->e, TABLE, 3, 0x200000, 0x40000000, RW, 1);
    assert_int_equal(ask_for(r, 0x212345, 0, &t), 0);
    assert_int_equal(t.gpa, 0x40012345); /* no memory: registers of somebody */
    assert_int_equal(t.mask, 0x1fffff);
    guest_map_large(r->e, TABLE, 3, 0x40000000, 0x80000000, RW, 2);
    assert_int_equal(ask_for(r, 0x7fffffff, RW, &t), 0);
    assert_int_equal(t.gpa, 0xbfffffff);
    assert_int_equal(t.mask, 0x3fffffff);
    assert_int_equal(ask_for(r, 0x40000000, RW, &t), 0);
    assert_int_equal(t.gpa, 0x80000000);
    assert_int_equal(reason(r), 0);
}

static void reasons(void **state)
{
    struct rig *r = start(*state);

    denied(r, 0x5000, PT_READ, VTD_REASON_READ);
    guest_map(r->e, TABLE, 3, 0x5000, DATA, PT_READ);
    denied(r, 0x5000, RW, VTD_REASON_WRITE);
    denied(r, 0x6000, PT_WRITE, VTD_REASON_WRITE);
    denied(r, BIT64(39), PT_READ, VTD_REASON_WIDTH);
    guest_store(r->e, TABLE, BEYOND | RW);
    denied(r, 0x5000, PT_READ, VTD_REASON_TABLE_ACCESS);
    guest_store(r->e, TABLE, TABLE | RW | VTD_SS_SNP);
    denied(r, 0x5000, PT_READ, VTD_REASON_TABLE_RESERVED);
    guest_context(r->e, SID, DID, BEYOND, 3);
    denied(r, 0x5000, PT_READ, VTD_REASON_CONTEXT_INVALID);
    guest_no_context(r->e, SID);
    denied(r, 0x5000, PT_READ, VTD_REASON_CONTEXT_P);
    guest_store(r->e, CONTEXTS + (SID & 0xff) * 16, VTD_CONTEXT_FPD);
    denied(r, 0x5000, PT_READ, 0);
}

static void rights_are_of_all_levels(void **state)
{
    struct rig *r = start(*state);

    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    guest_store(r->e, TABLE, (TABLE + FRAME_SIZE) | VTD_SS_R);
    denied(r, 0x5000, PT_WRITE, VTD_REASON_WRITE);
    assert_int_equal(ask(r, 0x5000, PT_READ), 0);
}

static void who_only_asks_leaves_no_record(void **state)
{
    struct rig *r = start(*state);
    const struct sluice_viommu_request request = {
        .sid = SID, .iova = 0x5000, .access = PT_READ, .quiet = true};
    const struct sluice_viommu_request unknown = {.sid = SID + 1};
    struct sluice_viommu_translation t;

    assert_int_equal(sluice_viommu_translate(r->h->d, r->id, &request, &t), -EACCES);
    assert_int_equal(reason(r), 0);
    assert_int_equal(sluice_viommu_translate(r->h->d, r->id, &unknown, &t), -ENOENT);
    assert_int_equal(sluice_viommu_translate(r->h->d, r->id + 1, &request, &t), -ENODEV);
}

/* What is a message is none of a table's, wherever it would go. */
static void interrupts_are_not_translated(void **state)
{
    struct rig *r = start(*state);
    struct sluice_viommu_translation t;

    guest_map_large(r->e, TABLE, 3, 0xc0000000, 0xc0000000, RW, 2);
    assert_int_equal(ask_for(r, 0xfedff000, PT_WRITE, &t), 0);
    assert_int_equal(t.mask, 0xfff);
    denied(r, 0xfee00000, PT_READ, VTD_REASON_INTERRUPT_RANGE);
    denied(r, 0xfeefffff, PT_WRITE, VTD_REASON_INTERRUPT_RANGE);
    assert_int_equal(ask(r, 0xfef00000, PT_WRITE), 0);
    guest_map_large(r->e, TABLE, 3, 0, 0xc0000000, RW, 2);
    denied(r, 0x3ee00000, PT_WRITE, VTD_REASON_INTERRUPT_RANGE);
    r->e->front.gsts = 0;
    denied(r, 0xfee00000, PT_READ, VTD_REASON_INTERRUPT_RANGE);
    assert_int_equal(ask_for(r, 0x1234567, RW, &t), 0);
    assert_int_equal(t.gpa, 0x1234567);
}

static void what_is_cached_goes_with_its_invalidation(void **state)
{
    struct rig *r = start(*state);

    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    guest_map(r->e, TABLE, 3, 0x6000, DATA, RW);
    assert_int_equal(ask(r, 0x5000, RW), 0);
    assert_int_equal(ask(r, 0x6000, RW), 0);
    guest_unmap(r->e, TABLE, 3, 0x5000);
    guest_unmap(r->e, TABLE, 3, 0x6000);
    assert_int_equal(ask(r, 0x5000, RW), 0);
    rig_page(r, DID + 1, 0x5000, 1);
    rig_page(r, DID, 0x7000, 1);
    assert_int_equal(ask(r, 0x5000, RW), 0);
    rig_page(r, DID, 0x5000, 1);
    denied(r, 0x5000, PT_READ, VTD_REASON_READ);
    assert_int_equal(ask(r, 0x6000, RW), 0);
    rig_domain(r, DID + 1);
    assert_int_equal(ask(r, 0x6000, RW), 0);
    rig_domain(r, DID);
    denied(r, 0x6000, PT_READ, VTD_REASON_READ);
}

static void large_ones_go_by_any_of_their_pages(void **state)
{
    struct rig *r = start(*state);

    guest_map_large(r->e, TABLE, 3, 0x200000, 0, RW, 1);
    assert_int_equal(ask(r, 0x201000, RW), 0);
    guest_store(r->e, TABLE + FRAME_SIZE + 8, 0);
    assert_int_equal(ask(r, 0x3ff000, RW), 0);
    rig_page(r, DID, 0x380000, 1);
    denied(r, 0x3ff000, PT_READ, VTD_REASON_READ);
    guest_map_large(r->e, TABLE, 3, 0x200000, 0, RW, 1);
    assert_int_equal(ask(r, 0x201000, RW), 0); /* what is not present is not kept */
    guest_no_context(r->e, SID);
    assert_int_equal(ask(r, 0x201000, RW), 0);
    rig_context(r, SID);
    denied(r, 0x201000, PT_READ, VTD_REASON_CONTEXT_P);
}

static void removal_forgets(void **state)
{
    struct rig *r = start(*state);

    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    assert_int_equal(ask(r, 0x5000, RW), 0);
    assert_int_equal(sluice_viommu_remove_device(r->h->d, r->id, SID), 0);
    assert_int_equal(ask(r, 0x5000, RW), -ENOENT);
    guest_no_context(r->e, SID);
    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, SID, NULL), 0);
    denied(r, 0x5000, PT_READ, VTD_REASON_CONTEXT_P);
}

static int ask_pasid(struct rig *r, uint32_t pasid, uint64_t iova, unsigned access)
{
    const struct sluice_viommu_request request = {
        .sid = SID, .has_pasid = true, .pasid = pasid, .iova = iova, .access = access};
    struct sluice_viommu_translation t;

    return sluice_viommu_translate(r->h->d, r->id, &request, &t);
}

static void denied_pasid(struct rig *r, uint64_t iova, unsigned access, uint8_t why)
{
    assert_int_equal(ask_pasid(r, 5, iova, access), -EACCES);
    assert_int_equal(reason(r), why);
}

static void first_stages(void **state)
{
    struct rig *r = start(*state);
    const uint64_t word = VTD_PASID_P | FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_FIRST);
    const struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_FIRST, .did = DID, .pasid = 5};

    guest_store(r->e, ROOT + (SID >> 8) * 16, 0);
    guest_enable(r->e, true);
    denied_pasid(r, 0x5000, PT_READ, VTD_REASON_SM_ROOT_P);
    guest_pasid(r->e, SID, 5, word, DID, OTHER_TABLE);
    denied_pasid(r, 0x5000, PT_READ, VTD_REASON_SM_FIRST_P);
    guest_map_first(r->e, OTHER_TABLE, 0x5000, DATA, X86_PT_P | X86_PT_US);
    assert_int_equal(ask_pasid(r, 5, 0x5000, PT_READ), 0);
    denied_pasid(r, 0x5000, PT_WRITE, VTD_REASON_SM_WRITE);
    denied_pasid(r, BIT64(47), PT_READ, VTD_REASON_SM_CANONICAL);
    denied_pasid(r, 0xfee00000, PT_WRITE, VTD_REASON_SM_INTERRUPT);
    guest_map_first(r->e, OTHER_TABLE, 0x5000, DATA, X86_PT_P);
    assert_int_equal(ask_pasid(r, 5, 0x5000, PT_READ), 0);
    rig_invalidate(r, &inv);
    denied_pasid(r, 0x5000, PT_READ, VTD_REASON_SM_USER);
    guest_pasid(r->e, SID, 5, word, DID, BEYOND);
    denied_pasid(r, 0x5000, PT_READ, VTD_REASON_SM_FIRST_ROOT);
}

static void pasids_are_told_apart(void **state)
{
    struct rig *r = start(*state);
    const uint64_t word = VTD_PASID_P | FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_SECOND) |
                          FIELD_PREP(VTD_PASID_AW, VTD_AW(3));

    guest_store(r->e, ROOT + (SID >> 8) * 16, 0);
    guest_enable(r->e, true);
    guest_map(r->e, TABLE, 3, 0x5000, DATA, RW);
    guest_pasid(r->e, SID, 5, word | TABLE, DID, 0);
    guest_pasid(r->e, SID, 6, word | OTHER_TABLE, DID, 0);
    guest_pasid(r->e, SID, 0, word | OTHER_TABLE, DID, 0);
    assert_int_equal(ask_pasid(r, 5, 0x5000, RW), 0);
    assert_int_equal(ask_pasid(r, 6, 0x5000, RW), -EACCES);
    assert_int_equal(reason(r), VTD_REASON_SM_RIGHTS);
    denied(r, 0x5000, RW, VTD_REASON_SM_RIGHTS);
    guest_pasid(r->e, SID, 5, 0, 0, 0);
    assert_int_equal(ask_pasid(r, 5, 0x5000, RW), 0);
    rig_pasid(r, DID, 5);
    denied_pasid(r, 0x5000, RW, VTD_REASON_SM_PASID_P);
}

static void faults_of_real_devices_get_the_guests_reasons(void **state)
{
    struct rig *r = *state;
    struct sluice_device *dev = rig_device(r, 8);
    struct sluice_fault fault = {
        .device = dev, .rid = {8}, .addr = 0x5000, .write = true, .reason = HW_REASON_NOT_PRESENT};
    struct vtd_emul_fault out;

    guest_enable(r->e, false);
    assert_true(vtd_emul_explain(r->e, &fault, &out));
    assert_int_equal(out.sid, 8);
    assert_int_equal(out.reason, VTD_REASON_ROOT_P);
    assert_int_equal(out.info, 0x5000);
    assert_true(out.write);
    assert_false(out.has_pasid);
    guest_context(r->e, 8, DID, TABLE, 3);
    guest_map(r->e, TABLE, 3, 0x5000, DATA, PT_READ);
    assert_true(vtd_emul_explain(r->e, &fault, &out));
    assert_int_equal(out.reason, VTD_REASON_WRITE);
    fault.write = false;
    assert_false(vtd_emul_explain(r->e, &fault, &out)); /* the guest lets it through */
    fault.device = NULL;
    assert_false(vtd_emul_explain(r->e, &fault, &out));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leaves_of_all_sizes),
        TEST(reasons),
        TEST(rights_are_of_all_levels),
        TEST(who_only_asks_leaves_no_record),
        TEST(interrupts_are_not_translated),
        TEST(what_is_cached_goes_with_its_invalidation),
        TEST(large_ones_go_by_any_of_their_pages),
        TEST(removal_forgets),
        TEST(first_stages),
        TEST(pasids_are_told_apart),
        TEST(faults_of_real_devices_get_the_guests_reasons),
    };

    return cmocka_run_group_tests_name("emul/translate", tests, NULL, NULL);
}
