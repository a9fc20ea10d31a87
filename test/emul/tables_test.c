/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries of the guest: what they say, and why not. */
#include "guest.h"

struct unit {
    struct host *h;
    struct vtd_emul e;
};

static int set_up_unit(void **state)
{
    struct unit *u = calloc(1, sizeof(*u));

    assert_non_null(u);
    u->h = host_create(&(struct setup){0});
    add_scattered(u->h, 0, GUEST_MFN, GUEST_PAGES);
    u->e.d = domain_of(u->h->d);
    u->e.port = &u->h->port;
    u->e.cap = CAP_OFFERED;
    u->e.ecap = ECAP_OFFERED;
    *state = u;
    return 0;
}

static int tear_down_unit(void **state)
{
    struct unit *u = *state;

    host_destroy(u->h);
    free(u);
    return 0;
}

static struct vtd_emul_target found(struct unit *u, bool has_pasid, uint32_t pasid)
{
    struct vtd_emul_target t;

    vtd_emul_find(&u->e, SID, has_pasid, pasid, &t);
    return t;
}

static void blocks(struct unit *u, uint8_t reason)
{
    const struct vtd_emul_target t = found(u, false, 0);

    assert_int_equal(t.kind, VTD_EMUL_BLOCKED);
    assert_int_equal(t.reason, reason);
}

static void blocks_pasid(struct unit *u, uint32_t pasid, uint8_t reason)
{
    const struct vtd_emul_target t = found(u, true, pasid);

    assert_int_equal(t.kind, VTD_EMUL_BLOCKED);
    assert_int_equal(t.reason, reason);
}

/* A word, as it is and with bits of `mask` set: each of them is reason enough. */
static void each_bit_blocks(struct unit *u, uint64_t at, uint64_t value, uint64_t mask,
                            uint8_t reason)
{
    for (unsigned bit = 0; bit < 64; bit++) {
        if (!(mask >> bit & 1))
            continue;
        guest_store(&u->e, at, value | BIT64(bit));
        blocks(u, reason);
    }
    guest_store(&u->e, at, value);
    assert_int_not_equal(found(u, false, 0).kind, VTD_EMUL_BLOCKED);
}

static void nothing_translates_before_it_is_told_to(void **state)
{
    assert_int_equal(found(*state, false, 0).kind, VTD_EMUL_THROUGH);
}

static void a_context_entry_names_a_table(void **state)
{
    struct unit *u = *state;
    struct vtd_emul_target t;

    guest_enable(&u->e, false);
    guest_context(&u->e, SID, DID, TABLE, 3);
    t = found(u, false, 0);
    assert_int_equal(t.kind, VTD_EMUL_SECOND);
    assert_int_equal(t.did, DID);
    assert_false(t.silent);
    assert_int_equal(t.table.root, TABLE);
    assert_int_equal(t.table.geo.levels, 3);
    assert_int_equal(t.table.geo.iova_bits, 39);
    assert_int_equal(t.table.geo.format->id, PT_FORMAT_VTDSS);
    assert_int_equal(t.table.geo.leaf_sizes, BIT64(12) | BIT64(21) | BIT64(30));
    guest_context(&u->e, SID, DID, TABLE, 4);
    assert_int_equal(found(u, false, 0).table.geo.iova_bits, 48);
    u->e.cap &= ~VTD_CAP_MGAW;
    u->e.cap |= FIELD_PREP(VTD_CAP_MGAW, 38);
    assert_int_equal(found(u, false, 0).table.geo.iova_bits, 39);
}

static void legacy_reasons(void **state)
{
    struct unit *u = *state;
    const uint64_t root = ROOT + (SID >> 8) * 16;
    const uint64_t entry = CONTEXTS + (SID & 0xff) * 16;

    guest_enable(&u->e, false);
    u->e.front.root = BEYOND;
    blocks(u, VTD_REASON_ROOT_ACCESS);
    u->e.front.root = MASK64(63, 12) & ~VTD_RTADDR_TTM;
    blocks(u, VTD_REASON_ROOT_ACCESS);
    guest_enable(&u->e, false);
    blocks(u, VTD_REASON_ROOT_P);
    guest_context(&u->e, SID, DID, TABLE, 3);
    each_bit_blocks(u, root, CONTEXTS | VTD_ROOT_P, MASK64(11, 1) | MASK64(63, 52),
                    VTD_REASON_ROOT_RESERVED);
    each_bit_blocks(u, root + 8, 0, MASK64(63, 0), VTD_REASON_ROOT_RESERVED);
    guest_store(&u->e, root, BEYOND | VTD_ROOT_P);
    blocks(u, VTD_REASON_CONTEXT_ACCESS);
    guest_store(&u->e, root, CONTEXTS | VTD_ROOT_P);
    each_bit_blocks(u, entry, TABLE | VTD_CONTEXT_P, MASK64(11, 4) | MASK64(63, 52),
                    VTD_REASON_CONTEXT_RESERVED);
    each_bit_blocks(u, entry + 8, VTD_AW(3), BIT64(7) | MASK64(63, 24),
                    VTD_REASON_CONTEXT_RESERVED);
    guest_no_context(&u->e, SID);
    blocks(u, VTD_REASON_CONTEXT_P);
    blocks_pasid(u, 1, VTD_REASON_SM_LEGACY_PASID);
}

static void legacy_types_and_widths(void **state)
{
    struct unit *u = *state;
    const uint64_t entry = CONTEXTS + (SID & 0xff) * 16;

    guest_enable(&u->e, false);
    guest_context(&u->e, SID, DID, TABLE, 3);
    for (unsigned aw = 0; aw < 8; aw++) {
        guest_store(&u->e, entry + 8, aw);
        if (aw == VTD_AW(3) || aw == VTD_AW(4))
            assert_int_equal(found(u, false, 0).kind, VTD_EMUL_SECOND);
        else
            blocks(u, VTD_REASON_CONTEXT_INVALID);
    }
    guest_store(&u->e, entry + 8, VTD_AW(3));
    guest_store(&u->e, entry,
                VTD_CONTEXT_P | FIELD_PREP(VTD_CONTEXT_TT, VTD_TT_DEVICE_TLB) | TABLE);
    blocks(u, VTD_REASON_CONTEXT_INVALID); /* there are none */
    u->e.ecap |= VTD_ECAP_DT;
    assert_int_equal(found(u, false, 0).kind, VTD_EMUL_SECOND);
    guest_store(&u->e, entry, VTD_CONTEXT_P | FIELD_PREP(VTD_CONTEXT_TT, VTD_TT_PASSTHROUGH));
    assert_int_equal(found(u, false, 0).kind, VTD_EMUL_THROUGH);
    u->e.ecap &= ~VTD_ECAP_PT;
    blocks(u, VTD_REASON_CONTEXT_INVALID);
    guest_store(&u->e, entry, VTD_CONTEXT_P | VTD_CONTEXT_TT);
    blocks(u, VTD_REASON_CONTEXT_INVALID);
}

static void silence_is_of_the_entry_not_of_the_root(void **state)
{
    struct unit *u = *state;

    guest_enable(&u->e, false);
    assert_false(found(u, false, 0).silent);
    guest_context(&u->e, SID, DID, TABLE, 3);
    guest_store(&u->e, CONTEXTS + (SID & 0xff) * 16, VTD_CONTEXT_FPD);
    blocks(u, VTD_REASON_CONTEXT_P);
    assert_true(found(u, false, 0).silent);
}

static void modes_that_are_none(void **state)
{
    struct unit *u = *state;

    guest_enable(&u->e, false);
    u->e.front.root = ROOT | FIELD_PREP(VTD_RTADDR_TTM, 3);
    blocks(u, VTD_REASON_SM_TTM);
    u->e.front.root = ROOT | FIELD_PREP(VTD_RTADDR_TTM, VTD_TTM_SCALABLE);
    u->e.ecap &= ~VTD_ECAP_SMTS;
    blocks(u, VTD_REASON_SM_TTM);
}

#define SECOND_WORD                                                      \
    (TABLE | VTD_PASID_P | FIELD_PREP(VTD_PASID_PGTT, VTD_PGTT_SECOND) | \
     FIELD_PREP(VTD_PASID_AW, VTD_AW(4)))
#define TYPE(type) (VTD_PASID_P | FIELD_PREP(VTD_PASID_PGTT, type))

static void a_pasid_entry_names_a_table_of_either_stage(void **state)
{
    struct unit *u = *state;
    struct vtd_emul_target t;

    guest_enable(&u->e, true);
    guest_pasid(&u->e, SID, 0, SECOND_WORD, DID, 0);
    t = found(u, false, 0);
    assert_int_equal(t.kind, VTD_EMUL_SECOND);
    assert_int_equal(t.did, DID);
    assert_int_equal(t.table.root, TABLE);
    assert_int_equal(t.table.geo.levels, 4);
    guest_pasid(&u->e, SID, 70, TYPE(VTD_PGTT_FIRST), DID | VTD_PASID_PWSNP, OTHER_TABLE);
    t = found(u, true, 70);
    assert_int_equal(t.kind, VTD_EMUL_FIRST);
    assert_int_equal(t.table.root, OTHER_TABLE);
    assert_int_equal(t.table.geo.levels, 4);
    assert_int_equal(t.table.geo.iova_bits, 47);
    assert_int_equal(t.table.geo.format->id, PT_FORMAT_X86);
    guest_pasid(&u->e, SID, 70, TYPE(VTD_PGTT_PASSTHROUGH), DID, 0);
    assert_int_equal(found(u, true, 70).kind, VTD_EMUL_THROUGH);
}

static void scalable_reasons(void **state)
{
    struct unit *u = *state;
    const uint64_t root = ROOT + (SID >> 8) * 16;
    const uint64_t context = CONTEXTS + SID % 128 * 32;
    const uint64_t words = DIRECTORY | VTD_SM_CONTEXT_P | VTD_SM_CONTEXT_PASIDE;

    guest_enable(&u->e, true);
    blocks(u, VTD_REASON_SM_ROOT_P);
    guest_pasid(&u->e, SID, 0, SECOND_WORD, DID, 0);
    each_bit_blocks(u, root, CONTEXTS | VTD_ROOT_P, MASK64(11, 1) | MASK64(63, 52),
                    VTD_REASON_SM_ROOT_RESERVED);
    guest_store(&u->e, root, BEYOND | VTD_ROOT_P);
    blocks(u, VTD_REASON_SM_CONTEXT_ACCESS);
    guest_store(&u->e, root, CONTEXTS | VTD_ROOT_P);
    each_bit_blocks(u, context, words,
                    VTD_SM_CONTEXT_DTE | VTD_SM_CONTEXT_PRE | MASK64(8, 5) | MASK64(63, 52),
                    VTD_REASON_SM_CONTEXT_RESERVED);
    each_bit_blocks(u, context + 8, 0, MASK64(63, 20), VTD_REASON_SM_CONTEXT_RESERVED);
    each_bit_blocks(u, context + 16, 0, MASK64(63, 0), VTD_REASON_SM_CONTEXT_RESERVED);
    each_bit_blocks(u, context + 24, 0, MASK64(63, 0), VTD_REASON_SM_CONTEXT_RESERVED);
    guest_store(&u->e, context, words & ~VTD_SM_CONTEXT_P);
    blocks(u, VTD_REASON_SM_CONTEXT_P);
    u->e.front.root = BEYOND | FIELD_PREP(VTD_RTADDR_TTM, VTD_TTM_SCALABLE);
    blocks(u, VTD_REASON_SM_ROOT_ACCESS);
}

static void directories_are_bounded(void **state)
{
    struct unit *u = *state;
    const uint64_t context = CONTEXTS + SID % 128 * 32;
    const uint64_t words = DIRECTORY | VTD_SM_CONTEXT_P | VTD_SM_CONTEXT_PASIDE;

    guest_enable(&u->e, true);
    guest_pasid(&u->e, SID, 0, SECOND_WORD, DID, 0);
    blocks_pasid(u, 127 * 64, VTD_REASON_SM_PASID_DIR_P);
    blocks_pasid(u, 128 * 64, VTD_REASON_SM_PDTS);
    guest_store(&u->e, context, words | FIELD_PREP(VTD_SM_CONTEXT_PDTS, 1));
    blocks_pasid(u, 128 * 64, VTD_REASON_SM_PASID_DIR_P);
    guest_store(&u->e, context, words);
    guest_store(&u->e, context + 8, 128 * 64);
    blocks(u, VTD_REASON_SM_RID_PASID);
    guest_store(&u->e, context + 8, 70);
    blocks(u, VTD_REASON_SM_PASID_DIR_P);
    u->e.ecap &= ~VTD_ECAP_RPS;
    blocks(u, VTD_REASON_SM_CONTEXT_RESERVED);
    guest_store(&u->e, context + 8, 0);
    u->e.ecap &= ~VTD_ECAP_PSS;
    u->e.ecap |= FIELD_PREP(VTD_ECAP_PSS, 7);
    blocks_pasid(u, 256, VTD_REASON_SM_PDTS);
    blocks_pasid(u, 1, VTD_REASON_SM_PASID_P);
    guest_store(&u->e, context, words & ~VTD_SM_CONTEXT_PASIDE);
    blocks_pasid(u, 1, VTD_REASON_SM_PASIDE);
}

static void reasons_of_pasid_tables(void **state)
{
    struct unit *u = *state;
    const uint64_t dir = DIRECTORY, entry = PASIDS;

    guest_enable(&u->e, true);
    guest_pasid(&u->e, SID, 0, SECOND_WORD, DID, 0);
    each_bit_blocks(u, dir, PASIDS | VTD_PASID_DIR_P, MASK64(11, 2) | MASK64(63, 52),
                    VTD_REASON_SM_PASID_DIR_RESERVED);
    each_bit_blocks(u, entry, SECOND_WORD, BIT64(5) | MASK64(11, 9) | MASK64(63, 52),
                    VTD_REASON_SM_PASID_RESERVED);
    each_bit_blocks(u, entry + 8, DID, MASK64(22, 16) | VTD_PASID_PGSNP,
                    VTD_REASON_SM_PASID_RESERVED);
    each_bit_blocks(u, entry + 16, 0, MASK64(1, 0) | MASK64(11, 4) | MASK64(63, 52),
                    VTD_REASON_SM_PASID_RESERVED);
    for (unsigned i = 3; i < 8; i++)
        each_bit_blocks(u, entry + 8 * i, 0, MASK64(63, 0), VTD_REASON_SM_PASID_RESERVED);
    guest_store(&u->e, dir, BEYOND | VTD_PASID_DIR_P);
    blocks(u, VTD_REASON_SM_PASID_ACCESS);
    guest_store(&u->e, dir, PASIDS);
    blocks(u, VTD_REASON_SM_PASID_DIR_P);
    guest_store(&u->e, CONTEXTS + SID % 128 * 32, BEYOND | VTD_SM_CONTEXT_P);
    blocks(u, VTD_REASON_SM_PASID_DIR_ACCESS);
}

static void what_is_not_offered_is_invalid(void **state)
{
    struct unit *u = *state;

    guest_enable(&u->e, true);
    guest_pasid(&u->e, SID, 0, TYPE(VTD_PGTT_NESTED) | TABLE | FIELD_PREP(VTD_PASID_AW, 2), DID,
                OTHER_TABLE);
    blocks(u, VTD_REASON_SM_PASID_INVALID);
    for (unsigned type = 5; type < 9; type++) {
        guest_pasid(&u->e, SID, 0, TYPE(type % 8), DID, 0); /* 0 too */
        blocks(u, VTD_REASON_SM_PASID_INVALID);
    }
    guest_pasid(&u->e, SID, 0, TYPE(VTD_PGTT_FIRST), DID, TABLE | FIELD_PREP(VTD_PASID_FSPM, 1));
    blocks(u, VTD_REASON_SM_PASID_INVALID);
    u->e.cap |= VTD_CAP_FS5LP;
    assert_int_equal(found(u, false, 0).table.geo.levels, 5);
    assert_int_equal(found(u, false, 0).table.geo.iova_bits, 48);
    u->e.cap |= VTD_CAP_MGAW;
    assert_int_equal(found(u, false, 0).table.geo.iova_bits, 56);
    u->e.ecap &= ~(VTD_ECAP_FSTS | VTD_ECAP_SSTS | VTD_ECAP_PT);
    blocks(u, VTD_REASON_SM_PASID_INVALID);
    guest_pasid(&u->e, SID, 0, SECOND_WORD, DID, 0);
    blocks(u, VTD_REASON_SM_PASID_INVALID);
    guest_pasid(&u->e, SID, 0, TYPE(VTD_PGTT_PASSTHROUGH), DID, 0);
    blocks(u, VTD_REASON_SM_PASID_INVALID);
}

static void silence_may_be_of_any_entry(void **state)
{
    struct unit *u = *state;

    guest_enable(&u->e, true);
    guest_pasid(&u->e, SID, 0, VTD_PASID_FPD, DID, 0);
    assert_true(found(u, false, 0).silent);
    guest_pasid(&u->e, SID, 0, 0, DID, 0);
    assert_false(found(u, false, 0).silent);
    guest_store(&u->e, DIRECTORY, VTD_PASID_DIR_FPD);
    assert_true(found(u, false, 0).silent);
    guest_store(&u->e, DIRECTORY, 0);
    guest_store(&u->e, CONTEXTS + SID % 128 * 32, VTD_SM_CONTEXT_FPD);
    assert_true(found(u, false, 0).silent);
}

/* A table that is all tables at once is read no deeper than the formats go. */
static void tables_in_themselves(void **state)
{
    struct unit *u = *state;

    guest_enable(&u->e, true);
    u->e.front.root = DIRECTORY | FIELD_PREP(VTD_RTADDR_TTM, VTD_TTM_SCALABLE);
    for (unsigned i = 0; i < FRAME_SIZE / 8; i++)
        guest_store(&u->e, DIRECTORY + 8 * i, DIRECTORY | 1);
    assert_int_equal(found(u, false, 0).kind, VTD_EMUL_BLOCKED);
    assert_int_equal(found(u, true, 5).kind, VTD_EMUL_BLOCKED);
    u->e.front.root = DIRECTORY;
    assert_int_equal(found(u, false, 0).kind, VTD_EMUL_BLOCKED);
}

static void which_pasids_there_may_be(void **state)
{
    struct unit *u = *state;

    assert_int_equal(vtd_emul_pasid_tables(&u->e, SID), 0);
    guest_enable(&u->e, true);
    assert_int_equal(vtd_emul_pasid_tables(&u->e, SID), 0);
    guest_pasid(&u->e, SID, 70, SECOND_WORD, DID, 0);
    assert_int_equal(vtd_emul_pasid_tables(&u->e, SID), 128);
    assert_false(vtd_emul_has_pasids(&u->e, SID, 0));
    assert_true(vtd_emul_has_pasids(&u->e, SID, 1));
    assert_false(vtd_emul_has_pasids(&u->e, SID, 128));
    u->e.ecap &= ~VTD_ECAP_PSS;
    u->e.ecap |= FIELD_PREP(VTD_ECAP_PSS, 7);
    assert_int_equal(vtd_emul_pasid_tables(&u->e, SID), 4);
    guest_store(&u->e, CONTEXTS + SID % 128 * 32, DIRECTORY | VTD_SM_CONTEXT_P);
    assert_int_equal(vtd_emul_pasid_tables(&u->e, SID), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_unit, tear_down_unit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_translates_before_it_is_told_to),
        TEST(a_context_entry_names_a_table),
        TEST(legacy_reasons),
        TEST(legacy_types_and_widths),
        TEST(silence_is_of_the_entry_not_of_the_root),
        TEST(modes_that_are_none),
        TEST(a_pasid_entry_names_a_table_of_either_stage),
        TEST(scalable_reasons),
        TEST(directories_are_bounded),
        TEST(reasons_of_pasid_tables),
        TEST(what_is_not_offered_is_invalid),
        TEST(silence_may_be_of_any_entry),
        TEST(tables_in_themselves),
        TEST(which_pasids_there_may_be),
    };

    return cmocka_run_group_tests_name("emul/tables", tests, NULL, NULL);
}
