/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt remapping: which message arrives where, and why another does not. */
#include "../../iommu/spec/x86_msi.h"
#include "unit.h"

#define PRESENT(vector, destination) \
    (VTD_IRTE_P | FIELD_PREP(VTD_IRTE_V, vector) | FIELD_PREP(VTD_IRTE_DST8, destination))
#define FROM(sid) (FIELD_PREP(VTD_IRTE_SVT, VTD_SVT_SID) | (sid))

static void set(struct unit *u, unsigned index, uint64_t lo, uint64_t hi)
{
    const struct vtd_irte irte = {lo, hi};

    put(u, IRTES + index * sizeof(irte), &irte, sizeof(irte));
}

/* 1 << (size + 1) entries */
static void remapping_on(struct unit *u, uint64_t flags)
{
    wr64(u, VTD_IRTA, IRTES | flags);
    command_on(u, VTD_GCMD_SIRTP);
    command_on(u, VTD_GCMD_IRE);
}

static struct hw_message message(uint32_t handle, bool shv, uint32_t data)
{
    return (struct hw_message){
        X86_MSI_FIRST | X86_MSI_REMAPPABLE | FIELD_PREP(X86_MSI_HANDLE, handle) |
            (handle & 0x8000 ? X86_MSI_HANDLE_HIGH : 0) | (shv ? X86_MSI_SHV : 0),
        data};
}

static int send(struct unit *u, struct hw_message m, struct hw_interrupt *out)
{
    return sluice_viommu_interrupt(u->h->d, u->id, DEVICE, &m, out);
}

static int send_index(struct unit *u, uint32_t index, struct hw_interrupt *out)
{
    return send(u, message(index, false, 0), out);
}

/* The reason that was recorded, with the index; and the record is serviced. */
static unsigned blocked(struct unit *u, struct hw_message m, unsigned index)
{
    struct hw_interrupt out;
    const unsigned i = emul_of(u)->front.next_record;
    const unsigned at = VTD_EMUL_FRCD + i * VTD_FRCD_SIZE;
    uint64_t hi;

    assert_int_equal(send(u, m, &out), -EACCES);
    hi = rd64(u, at + 8);
    if (!(hi & VTD_FRCD_F))
        return 0;
    assert_int_equal(hi & VTD_FRCD_SID, DEVICE);
    assert_int_equal(FIELD_GET(VTD_FRCD_IIDX, rd64(u, at)), index);
    wr32(u, at + 12, VTD_FRCD_F >> 32);
    return (unsigned)FIELD_GET(VTD_FRCD_FR, hi);
}

static unsigned blocked_index(struct unit *u, unsigned index)
{
    return blocked(u, message(index, false, 0), index);
}

static void without_remapping_all_pass(void **state)
{
    struct unit *u = *state;
    struct hw_message m = {0xfee12004, 0x8131};
    struct hw_interrupt out;

    assert_int_equal(send(u, m, &out), 0);
    assert_int_equal(out.destination, 0x12);
    assert_int_equal(out.vector, 0x31);
    assert_int_equal(out.delivery, HW_DELIVER_LOWEST);
    assert_true(out.logical && out.level);
    m.address = 0xfed00000;
    assert_int_equal(send(u, m, &out), -EINVAL);
    m.address = 0x1fee00000;
    assert_int_equal(send(u, m, &out), -EINVAL);
    assert_int_equal(sluice_viommu_interrupt(u->h->d, u->id, DEVICE + 1, &m, &out), -ENOENT);
    assert_int_equal(sluice_viommu_interrupt(u->h->d, u->id + 1, DEVICE, &m, &out), -ENODEV);
}

static void an_entry_says_where_it_goes(void **state)
{
    struct unit *u = *state;
    struct hw_interrupt out;

    set(u, 5,
        PRESENT(0x41, 7) | VTD_IRTE_DM | VTD_IRTE_TM | FIELD_PREP(VTD_IRTE_DLM, HW_DELIVER_LOWEST),
        FROM(DEVICE));
    remapping_on(u, 7);
    assert_int_equal(send_index(u, 5, &out), 0);
    assert_int_equal(out.destination, 7);
    assert_int_equal(out.vector, 0x41);
    assert_int_equal(out.delivery, HW_DELIVER_LOWEST);
    assert_true(out.logical && out.level);
    assert_int_equal(send(u, message(3, true, 2), &out), 0); /* handle and subhandle */
    assert_int_equal(out.vector, 0x41);
    assert_int_equal(send(u, message(5, false, 2), &out), 0); /* its data does not matter */
}

static void wide_destinations_need_their_mode(void **state)
{
    struct unit *u = *state;
    struct hw_interrupt out;

    set(u, 0, VTD_IRTE_P | FIELD_PREP(VTD_IRTE_DST, 0x12345678), 0);
    remapping_on(u, VTD_IRTA_EIME);
    assert_int_equal(send_index(u, 0, &out), 0);
    assert_int_equal(out.destination, 0x12345678);
    command_off(u, VTD_GCMD_IRE);
    remapping_on(u, 0);
    assert_int_equal(blocked_index(u, 0), VTD_REASON_IR_IRTE);
}

static void bad_requests_are_blocked(void **state)
{
    struct unit *u = *state;

    remapping_on(u, 2); /* 8 entries */
    set(u, 8, PRESENT(1, 1), 0);
    assert_int_equal(blocked(u, message(1, true, 0x10000), 1), VTD_REASON_IR_RESERVED);
    assert_int_equal(blocked_index(u, 8), VTD_REASON_IR_INDEX);
    assert_int_equal(blocked(u, message(0xffff, true, 0xffff), 0xfffe), VTD_REASON_IR_INDEX);
    assert_int_equal(blocked_index(u, 7), VTD_REASON_IR_P);
    wr64(u, VTD_IRTA, NO_RAM | 2);
    command_on(u, VTD_GCMD_SIRTP);
    assert_int_equal(blocked_index(u, 0), VTD_REASON_IR_ACCESS);
}

static void bad_entries_are_blocked(void **state)
{
    struct unit *u = *state;
    const uint64_t lo = MASK64(14, 12) | MASK64(31, 24) | BIT64(15) | MASK64(39, 32) |
                        MASK64(63, 48) | BIT64(6) /* with DLM's lower bit: 3 */;

    remapping_on(u, 7);
    for (unsigned bit = 0; bit < 64; bit++) {
        if (lo & BIT64(bit)) {
            set(u, 1, PRESENT(0x41, 1) | BIT64(5) | BIT64(bit), FROM(DEVICE));
            assert_int_equal(blocked_index(u, 1), VTD_REASON_IR_IRTE);
        }
        if (bit >= 20) {
            set(u, 1, PRESENT(0x41, 1), FROM(DEVICE) | BIT64(bit));
            assert_int_equal(blocked_index(u, 1), VTD_REASON_IR_IRTE);
        }
    }
    set(u, 1, PRESENT(0x41, 1), FIELD_PREP(VTD_IRTE_SVT, 3));
    assert_int_equal(blocked_index(u, 1), VTD_REASON_IR_IRTE);
    set(u, 1, PRESENT(0x41, 1) | FIELD_PREP(VTD_IRTE_DLM, 6), FROM(DEVICE));
    assert_int_equal(blocked_index(u, 1), VTD_REASON_IR_IRTE);
}

static void the_sender_is_verified(void **state)
{
    struct unit *u = *state;
    struct hw_interrupt out;

    remapping_on(u, 7);
    set(u, 1, PRESENT(0x41, 1), FROM(DEVICE + 1));
    assert_int_equal(blocked_index(u, 1), VTD_REASON_IR_SOURCE);
    for (unsigned sq = 0; sq < 4; sq++)
        for (unsigned bit = 0; bit < 16; bit++) {
            const unsigned left_out[] = {0, 4, 6, 7};

            set(u, 20 + sq * 16 + bit, PRESENT(0x41, 1),
                FROM(DEVICE ^ 1u << bit) | FIELD_PREP(VTD_IRTE_SQ, sq));
            if (left_out[sq] & 1u << bit)
                assert_int_equal(send_index(u, 20 + sq * 16 + bit, &out), 0);
            else
                assert_int_equal(blocked_index(u, 20 + sq * 16 + bit), VTD_REASON_IR_SOURCE);
        }
    for (unsigned first = 2; first < 5; first++)
        for (unsigned last = 2; last < 5; last++) {
            const unsigned index = 100 + first * 8 + last;

            set(u, index, PRESENT(0x41, 1),
                FIELD_PREP(VTD_IRTE_SVT, VTD_SVT_BUS) | first << 8 | last);
            if (first <= 3 && last >= 3)
                assert_int_equal(send_index(u, index, &out), 0);
            else
                assert_int_equal(blocked_index(u, index), VTD_REASON_IR_SOURCE);
        }
}

static void fpd_keeps_it_quiet(void **state)
{
    struct unit *u = *state;

    remapping_on(u, 7);
    set(u, 1, VTD_IRTE_FPD, 0);
    assert_int_equal(blocked_index(u, 1), 0);
    set(u, 2, PRESENT(0x41, 1) | VTD_IRTE_FPD | BIT64(12), 0);
    assert_int_equal(blocked_index(u, 2), 0);
    set(u, 3, PRESENT(0x41, 1) | VTD_IRTE_FPD, FROM(DEVICE + 1));
    assert_int_equal(blocked_index(u, 3), 0);
    assert_int_equal(rd32(u, VTD_FSTS), 0);
}

static void the_old_format_needs_leave(void **state)
{
    struct unit *u = *state;
    const struct hw_message m = {0xfee01000, 0x31};
    struct hw_interrupt out;

    remapping_on(u, 7);
    assert_int_equal(blocked(u, m, 0), VTD_REASON_IR_COMPAT);
    command_on(u, VTD_GCMD_CFI);
    assert_int_equal(send(u, m, &out), 0);
    assert_int_equal(out.vector, 0x31);
    command_off(u, VTD_GCMD_IRE);
    remapping_on(u, 7 | VTD_IRTA_EIME);
    assert_int_equal(blocked(u, m, 0), VTD_REASON_IR_COMPAT);
}

static unsigned vector_of(struct unit *u, unsigned index)
{
    struct hw_interrupt out;

    return send_index(u, index, &out) ? 0 : out.vector;
}

static void drop(struct unit *u, uint64_t what)
{
    submit(u, VTD_DESC_IEC | what, 0);
}

static uint64_t indices(unsigned index, unsigned mask)
{
    return VTD_DESC_IEC_INDEX | FIELD_PREP(VTD_DESC_IIDX, index) | FIELD_PREP(VTD_DESC_IM, mask);
}

static void entries_are_kept_until_they_are_invalidated(void **state)
{
    struct unit *u = *state;

    remapping_on(u, 7);
    queue_on(u, false);
    for (unsigned i = 0; i < 8; i++) {
        set(u, i, PRESENT(0x40 + i, 1), 0);
        assert_int_equal(vector_of(u, i), 0x40 + i);
        set(u, i, PRESENT(0x80 + i, 1), 0);
        assert_int_equal(vector_of(u, i), 0x40 + i);
    }
    drop(u, indices(5, 0));
    assert_int_equal(vector_of(u, 5), 0x85);
    assert_int_equal(vector_of(u, 4), 0x44);
    drop(u, indices(3, 1)); /* 2 and 3 */
    assert_int_equal(vector_of(u, 1), 0x41);
    assert_int_equal(vector_of(u, 2), 0x82);
    assert_int_equal(vector_of(u, 3), 0x83);
    assert_int_equal(vector_of(u, 4), 0x44);
    drop(u, 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(vector_of(u, i), 0x80 + i);
    set(u, 0, PRESENT(0x90, 1), 0);
    command_on(u, VTD_GCMD_SIRTP); /* CAP.ESIRTPS */
    assert_int_equal(vector_of(u, 0), 0x90);
    set(u, VTD_EMUL_IRTES, PRESENT(0x91, 1), 0); /* the same place in the cache */
    assert_int_equal(vector_of(u, VTD_EMUL_IRTES), 0x91);
    assert_int_equal(vector_of(u, 0), 0x90);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_set_up, unit_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(without_remapping_all_pass),
        TEST(an_entry_says_where_it_goes),
        TEST(wide_destinations_need_their_mode),
        TEST(bad_requests_are_blocked),
        TEST(bad_entries_are_blocked),
        TEST(the_sender_is_verified),
        TEST(fpd_keeps_it_quiet),
        TEST(the_old_format_needs_leave),
        TEST(entries_are_kept_until_they_are_invalidated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
