/* SPDX-License-Identifier: BSD-2-Clause */
/* Registers: any offset and size is defined, and nobody changes what is not his. */
#include "unit.h"

static void a_new_unit_tells_what_it_has(void **state)
{
    struct unit *u = *state;
    const uint64_t cap = rd64(u, VTD_CAP), ecap = rd64(u, VTD_ECAP);

    assert_int_equal(rd32(u, VTD_VER), 0x10);
    assert_true(cap & VTD_CAP_CM && cap & VTD_CAP_PSI && cap & VTD_CAP_ESRTPS);
    assert_int_equal(FIELD_GET(VTD_CAP_ND, cap), 6);
    assert_int_equal(FIELD_GET(VTD_CAP_MGAW, cap), 47);
    assert_int_equal(FIELD_GET(VTD_CAP_SAGAW, cap), 6);
    assert_int_equal(FIELD_GET(VTD_CAP_SSLPS, cap), 3);
    assert_int_equal(FIELD_GET(VTD_CAP_FRO, cap) * 16, VTD_EMUL_FRCD);
    assert_int_equal(FIELD_GET(VTD_CAP_NFR, cap), VTD_EMUL_RECORDS - 1);
    assert_false(cap & (VTD_CAP_PLMR | VTD_CAP_PHMR | VTD_CAP_RWBF | VTD_CAP_AFL | VTD_CAP_PI));
    assert_true(ecap & VTD_ECAP_QI && ecap & VTD_ECAP_C && ecap & VTD_ECAP_PT);
    assert_true(ecap & VTD_ECAP_IR && ecap & VTD_ECAP_EIM && ecap & VTD_ECAP_SMTS);
    assert_int_equal(FIELD_GET(VTD_ECAP_IRO, ecap) * 16, VTD_EMUL_IVA);
    assert_false(ecap & (VTD_ECAP_NEST | VTD_ECAP_DT | VTD_ECAP_FSTS | VTD_ECAP_PASID));
    assert_int_equal(rd32(u, VTD_FECTL), VTD_ECTL_IM);
    assert_int_equal(rd32(u, VTD_IECTL), VTD_ECTL_IM);
    assert_int_equal(rd32(u, VTD_GSTS), 0);
}

static void what_is_not_offered_is_not_there(void **state)
{
    struct unit *u = *state;

    assert_false(rd64(u, VTD_ECAP) & (VTD_ECAP_IR | VTD_ECAP_EIM | VTD_ECAP_SMTS | VTD_ECAP_MHMV));
    wr64(u, VTD_IRTA, UINT64_MAX);
    assert_int_equal(rd64(u, VTD_IRTA), 0);
    command_on(u, VTD_GCMD_SIRTP);
    command_on(u, VTD_GCMD_IRE);
    command_on(u, VTD_GCMD_CFI);
    assert_int_equal(rd32(u, VTD_GSTS), 0);
}

/* As words, less what only says how it was read. */
static void all_words(struct unit *u, uint32_t *word)
{
    for (unsigned i = 0; i < SLUICE_VIOMMU_SIZE / 4; i++)
        word[i] = rd32(u, i * 4);
}

static void reads_of_any_size_are_of_bytes(void **state)
{
    struct unit *u = *state;
    uint8_t bytes[SLUICE_VIOMMU_SIZE + 16] = {0};
    uint32_t word[SLUICE_VIOMMU_SIZE / 4];

    wr64(u, VTD_RTADDR, 0x123456789abcd000);
    wr64(u, VTD_IQA, 0xfedcba9876543807);
    wr32(u, VTD_FEADDR, 0xfee12344);
    wr32(u, VTD_FEDATA, 0xffffabcd);
    all_words(u, word);
    memcpy(bytes, word, sizeof(word));
    for (unsigned offset = 0; offset < SLUICE_VIOMMU_SIZE; offset++)
        for (unsigned size = 0; size <= 8; size++) {
            uint64_t want = 0;

            memcpy(&want, bytes + offset, size);
            assert_int_equal(rd(u, offset, size), want);
        }
    assert_int_equal(rd(u, VTD_CAP, 9), 0);
    assert_int_equal(rd(u, SLUICE_VIOMMU_SIZE, 4), 0);
    assert_int_equal(rd(u, UINT64_MAX, 8), 0);
    assert_int_equal(rd32(u, VTD_FEDATA), 0xabcd);
    assert_int_equal(rd64(u, VTD_RTADDR), 0x456789abcd000); /* 52 bits of address */
}

/* Everywhere but where something begins. */
static bool begins(uint64_t offset, unsigned size)
{
    const uint64_t at[] = {VTD_GCMD, VTD_CCMD + 4, VTD_EMUL_IOTLB + 4};

    for (unsigned i = 0; i < 3; i++)
        if (offset <= at[i] && at[i] < offset + size)
            return true;
    return false;
}

static void what_is_the_units_never_changes(void **state)
{
    struct unit *u = *state;
    static const unsigned mine[] = {VTD_VER,   VTD_CAP,  VTD_CAP + 4, VTD_ECAP,    VTD_ECAP + 4,
                                    VTD_GSTS,  VTD_FSTS, VTD_PMEN,    VTD_PLMBASE, VTD_PHMLIMIT,
                                    VTD_AFLOG, VTD_IQH,  VTD_ICS,     VTD_IQERCD};
    uint32_t before[SLUICE_VIOMMU_SIZE / 4], after[SLUICE_VIOMMU_SIZE / 4];

    all_words(u, before);
    for (unsigned offset = 0; offset < SLUICE_VIOMMU_SIZE; offset++)
        for (unsigned size = 0; size <= 9; size++)
            if (!begins(offset, size))
                wr(u, offset, size, UINT64_MAX);
    wr(u, SLUICE_VIOMMU_SIZE, 8, UINT64_MAX);
    wr(u, UINT64_MAX - 3, 8, UINT64_MAX);
    all_words(u, after);
    for (unsigned i = 0; i < sizeof(mine) / sizeof(mine[0]); i++)
        assert_int_equal(after[mine[i] / 4], before[mine[i] / 4]);
    for (unsigned i = VTD_EMUL_FRCD / 4; i < SLUICE_VIOMMU_SIZE / 4; i++)
        assert_int_equal(after[i], 0);
    assert_int_equal(after[VTD_FECTL / 4], VTD_ECTL_IM); /* IP is not software's */
    assert_int_equal(after[VTD_IQT / 4], VTD_IQ_INDEX);
    assert_int_equal(stub.calls, 0);
}

static void small_and_unaligned_writes_are_lost(void **state)
{
    struct unit *u = *state;

    wr(u, VTD_FEADDR, 1, 0xff);
    wr(u, VTD_FEADDR, 2, 0xffff);
    wr(u, VTD_FEADDR, 3, 0xffff);
    wr(u, VTD_FEADDR, 5, 0xffff);
    wr(u, VTD_FEADDR + 2, 4, UINT32_MAX);
    wr(u, VTD_FEADDR - 2, 8, UINT64_MAX);
    assert_int_equal(rd64(u, VTD_FEADDR), 0);
    assert_int_equal(rd32(u, VTD_FEDATA), 0);
}

static void eight_bytes_are_two_words(void **state)
{
    struct unit *u = *state;

    wr64(u, VTD_FEDATA, 0xfee00004deadbeef);
    assert_int_equal(rd32(u, VTD_FEDATA), 0xbeef);
    assert_int_equal(rd32(u, VTD_FEADDR), 0xfee00004);
    wr32(u, VTD_RTADDR + 4, 0x12);
    wr32(u, VTD_RTADDR, 0x345000);
    assert_int_equal(rd64(u, VTD_RTADDR), 0x1200345000);
}

static void the_root_is_in_effect_when_it_was_told(void **state)
{
    struct unit *u = *state;
    const struct vtd_emul *e = emul_of(u);

    wr64(u, VTD_RTADDR, 0x101000);
    assert_int_equal(e->front.root, 0);
    command_on(u, VTD_GCMD_SRTP);
    assert_int_equal(e->front.root, 0x101000);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_SRTP);
    wr64(u, VTD_RTADDR, 0x102000);
    command_on(u, VTD_GCMD_TE);
    assert_int_equal(e->front.root, 0x101000);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_SRTP | VTD_GCMD_TE);
    command_off(u, VTD_GCMD_TE);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_SRTP);
    assert_int_equal(stub.nr_log, 3);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(stub.log[i].kind, VTD_EMUL_INV_ROOT);
}

static void the_status_follows_what_is_preempted(void **state)
{
    struct unit *u = *state;
    const struct vtd_emul *e = emul_of(u);

    set_mode(u, VTD_TTM_LEGACY);
    stub.restarts = 2;
    assert_int_equal(sluice_viommu_write(u->h->d, u->id, VTD_GCMD, 4, VTD_GCMD_TE), -ERESTART);
    assert_true(e->front.gsts & VTD_GCMD_TE); /* who walks tables must know */
    assert_false(rd32(u, VTD_GSTS) & VTD_GCMD_TE);
    /* one that comes meanwhile is lost */
    assert_int_equal(sluice_viommu_write(u->h->d, u->id, VTD_GCMD, 4, VTD_GCMD_QIE), -ERESTART);
    assert_int_equal(sluice_viommu_run(u->h->d, u->id), 0);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_SRTP | VTD_GCMD_TE);
    stub.restarts = 1;
    assert_int_equal(sluice_viommu_write(u->h->d, u->id, VTD_GCMD, 4, VTD_GCMD_TE | VTD_GCMD_SRTP),
                     -ERESTART);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_TE);
    assert_int_equal(sluice_viommu_run(u->h->d, u->id), 0);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_TE | VTD_GCMD_SRTP);
    assert_int_equal(sluice_viommu_run(u->h->d, u->id), 0);
}

static void what_needs_no_table_is_done_at_once(void **state)
{
    struct unit *u = *state;

    command_on(u, VTD_GCMD_WBF | VTD_GCMD_SFL | VTD_GCMD_EAFL | 0x7fffff);
    assert_int_equal(rd32(u, VTD_GSTS), 0);
    wr64(u, VTD_IRTA, 0x120000 | VTD_IRTA_EIME | 7);
    command_on(u, VTD_GCMD_SIRTP);
    command_on(u, VTD_GCMD_IRE);
    command_on(u, VTD_GCMD_CFI);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_SIRTP | VTD_GCMD_IRE | VTD_GCMD_CFI);
    assert_int_equal(emul_of(u)->front.irta, 0x120000 | VTD_IRTA_EIME | 7);
    command_off(u, VTD_GCMD_IRE);
    command_off(u, VTD_GCMD_CFI);
    assert_int_equal(rd32(u, VTD_GSTS), VTD_GCMD_SIRTP);
    assert_int_equal(stub.calls, 0);
}

static uint64_t context(unsigned g)
{
    return VTD_CCMD_ICC | FIELD_PREP(VTD_CCMD_CIRG, g) | FIELD_PREP(VTD_CCMD_DID, 5) |
           FIELD_PREP(VTD_CCMD_SID, 0x310) | FIELD_PREP(VTD_CCMD_FM, 1);
}

static uint64_t iotlb(unsigned g)
{
    return VTD_IOTLB_IVT | FIELD_PREP(VTD_IOTLB_IIRG, g) | FIELD_PREP(VTD_IOTLB_DID, 9);
}

static void contexts_are_invalidated_by_a_register(void **state)
{
    struct unit *u = *state;

    for (unsigned g = 1; g <= 3; g++) {
        wr64(u, VTD_CCMD, context(g));
        assert_int_equal(FIELD_GET(VTD_CCMD_CAIG, rd64(u, VTD_CCMD)), g);
        assert_false(rd64(u, VTD_CCMD) & VTD_CCMD_ICC);
        assert_int_equal(stub.nr_log, g);
        assert_int_equal(stub.log[g - 1].kind, VTD_EMUL_INV_CONTEXTS);
        assert_int_equal(stub.log[g - 1].granularity, g);
        assert_int_equal(stub.log[g - 1].did, 5);
        assert_int_equal(stub.log[g - 1].sid, 0x310);
        assert_int_equal(stub.log[g - 1].fm, 1);
    }
    wr64(u, VTD_CCMD, context(0));
    assert_int_equal(rd64(u, VTD_CCMD) & (VTD_CCMD_ICC | VTD_CCMD_CAIG), 0);
    wr32(u, VTD_CCMD, 7); /* only the upper word begins one */
    assert_int_equal(stub.nr_log, 3);
}

static void translations_are_invalidated_by_a_register(void **state)
{
    struct unit *u = *state;

    wr64(u, VTD_EMUL_IVA, 0x12345000 | VTD_IVA_IH | 4);
    wr64(u, VTD_EMUL_IOTLB, iotlb(VTD_G_PAGE));
    assert_int_equal(FIELD_GET(VTD_IOTLB_IAIG, rd64(u, VTD_EMUL_IOTLB)), VTD_G_PAGE);
    assert_false(rd64(u, VTD_EMUL_IOTLB) & VTD_IOTLB_IVT);
    assert_int_equal(stub.log[0].kind, VTD_EMUL_INV_IOTLB);
    assert_int_equal(stub.log[0].did, 9);
    assert_int_equal(stub.log[0].first.n, 0x12340);
    assert_int_equal(stub.log[0].last.n, 0x1234f);
    assert_true(stub.log[0].leaf_only);
    wr64(u, VTD_EMUL_IOTLB, iotlb(VTD_G_GLOBAL));
    assert_int_equal(stub.log[1].granularity, VTD_G_GLOBAL);
    assert_false(stub.log[1].paged);
    wr64(u, VTD_EMUL_IVA, 0x12345000 | 19); /* beyond MAMV */
    wr64(u, VTD_EMUL_IOTLB, iotlb(VTD_G_PAGE));
    assert_int_equal(rd64(u, VTD_EMUL_IOTLB) & (VTD_IOTLB_IVT | VTD_IOTLB_IAIG), 0);
    wr64(u, VTD_EMUL_IOTLB, iotlb(0));
    assert_int_equal(rd64(u, VTD_EMUL_IOTLB) & (VTD_IOTLB_IVT | VTD_IOTLB_IAIG), 0);
    assert_int_equal(stub.nr_log, 2);
}

static void registers_are_refused_beside_a_queue(void **state)
{
    struct unit *u = *state;

    queue_on(u, false);
    wr64(u, VTD_CCMD, context(1));
    wr64(u, VTD_EMUL_IOTLB, iotlb(1));
    assert_int_equal(rd64(u, VTD_CCMD) & (VTD_CCMD_ICC | VTD_CCMD_CAIG), 0);
    assert_int_equal(rd64(u, VTD_EMUL_IOTLB) & (VTD_IOTLB_IVT | VTD_IOTLB_IAIG), 0);
    assert_int_equal(stub.nr_log, 0);
}

static void registers_are_refused_in_scalable_mode(void **state)
{
    struct unit *u = *state;

    set_mode(u, VTD_TTM_SCALABLE);
    wr64(u, VTD_CCMD, context(1));
    wr64(u, VTD_EMUL_IOTLB, iotlb(1));
    assert_int_equal(rd64(u, VTD_CCMD) & (VTD_CCMD_ICC | VTD_CCMD_CAIG), 0);
    assert_int_equal(rd64(u, VTD_EMUL_IOTLB) & (VTD_IOTLB_IVT | VTD_IOTLB_IAIG), 0);
    assert_int_equal(stub.nr_log, 1); /* the root's */
}

static void what_is_going_on_keeps_what_it_was_told(void **state)
{
    struct unit *u = *state;
    struct sluice_domain *d = u->h->d;

    stub.restarts = 2;
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_CCMD, 8, context(3)), -ERESTART);
    assert_true(rd64(u, VTD_CCMD) & VTD_CCMD_ICC);
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_CCMD, 8, 0), -ERESTART);
    assert_true(rd64(u, VTD_CCMD) & VTD_CCMD_ICC);
    assert_int_equal(sluice_viommu_run(d, u->id), 0);
    assert_false(rd64(u, VTD_CCMD) & VTD_CCMD_ICC);
    stub.restarts = 1;
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_EMUL_IOTLB, 8, iotlb(2)), -ERESTART);
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_EMUL_IVA, 8, UINT64_MAX), 0);
    assert_int_equal(rd64(u, VTD_EMUL_IVA), 0);
    assert_int_equal(stub.nr_log, 2);
    assert_int_equal(stub.log[1].did, 9);
}

static int try_create(struct host *h, uint64_t base, uint64_t capabilities, unsigned bits)
{
    const struct sluice_viommu_config config = {SLUICE_VIOMMU_VTD, base, capabilities, bits};
    uint32_t id;

    return sluice_viommu_create(h->d, &config, &id);
}

static void there_is_one_and_it_is_checked(void **state)
{
    struct unit *u = *state;
    struct host *h = u->h;
    uint64_t caps, value;

    assert_int_equal(try_create(h, UNIT_BASE, 0, 0), -E2BIG);
    assert_int_equal(sluice_viommu_destroy(h->d, u->id + 1), -ENODEV);
    assert_int_equal(sluice_viommu_read(h->d, u->id + 1, 0, 4, &value), -ENODEV);
    stub.fini_restarts = 1;
    assert_int_equal(sluice_viommu_destroy(h->d, u->id), -ERESTART);
    assert_int_equal(sluice_viommu_destroy(h->d, u->id), 0);
    assert_int_equal(sluice_viommu_destroy(h->d, u->id), -ENODEV);
    assert_int_equal(sluice_viommu_write(h->d, u->id, 0, 4, 0), -ENODEV);
    assert_int_equal(sluice_viommu_query_caps(h->s, (enum sluice_viommu_type)7, &caps), -EINVAL);
    assert_int_equal(sluice_viommu_query_caps(h->s, SLUICE_VIOMMU_VTD, &caps), 0);
    assert_int_equal(caps & ALL_CAPS, ALL_CAPS);
    assert_int_equal(try_create(h, UNIT_BASE + 1, 0, 0), -EINVAL);
    assert_int_equal(try_create(h, RAM_FIRST << 12, 0, 0), -EINVAL);
    assert_int_equal(try_create(h, UNIT_BASE, BIT64(40), 0), -EINVAL);
    assert_int_equal(try_create(h, UNIT_BASE, SLUICE_VIOMMU_X2APIC, 0), -EINVAL);
    assert_int_equal(try_create(h, UNIT_BASE, SLUICE_VIOMMU_FIRST_STAGE, 0), -EINVAL);
    assert_int_equal(try_create(h, UNIT_BASE, 0, 57), -EINVAL);
    stub.init = -ENOSPC;
    assert_int_equal(try_create(h, UNIT_BASE, 0, 0), -ENOSPC);
    stub.init = 0;
    h->fail_alloc = 1;
    assert_int_equal(try_create(h, UNIT_BASE, 0, 0), -ENOMEM);
    assert_int_equal(try_create(h, UNIT_BASE, 0, 39), 0);
    assert_int_equal(FIELD_GET(VTD_CAP_MGAW, rd64(u, VTD_CAP)), 38);
    assert_int_equal(FIELD_GET(VTD_CAP_SAGAW, rd64(u, VTD_CAP)), 2);
}

static void it_ends_with_its_domain(void **state)
{
    struct unit *u = *state;

    stub.fini_restarts = 2;
    destroy_domain(u->h->d);
    u->h->d = NULL;
    assert_true(stub.gone);
}

static void it_counts(void **state)
{
    struct unit *u = *state;
    struct sluice_viommu_info info;

    set_mode(u, VTD_TTM_SCALABLE);
    command_on(u, VTD_GCMD_TE);
    assert_int_equal(sluice_viommu_info(u->h->d, u->id, &info), 0);
    assert_true(info.translating && info.scalable && !info.queued && !info.remapping);
    assert_int_equal(info.base, UNIT_BASE);
    assert_int_equal(info.writes, 3);
    assert_int_equal(info.reads, 2);
    assert_int_equal(info.invalidations, 2);
    assert_int_equal(info.nr_devices, 1);
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, unit_set_up, unit_tear_down)
#define BARE_TEST(name) cmocka_unit_test_setup_teardown(name, unit_set_up_bare, unit_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_new_unit_tells_what_it_has),
        BARE_TEST(what_is_not_offered_is_not_there),
        TEST(reads_of_any_size_are_of_bytes),
        TEST(what_is_the_units_never_changes),
        TEST(small_and_unaligned_writes_are_lost),
        TEST(eight_bytes_are_two_words),
        TEST(the_root_is_in_effect_when_it_was_told),
        TEST(the_status_follows_what_is_preempted),
        TEST(what_needs_no_table_is_done_at_once),
        TEST(contexts_are_invalidated_by_a_register),
        TEST(translations_are_invalidated_by_a_register),
        TEST(registers_are_refused_beside_a_queue),
        TEST(registers_are_refused_in_scalable_mode),
        TEST(what_is_going_on_keeps_what_it_was_told),
        TEST(there_is_one_and_it_is_checked),
        TEST(it_ends_with_its_domain),
        TEST(it_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
