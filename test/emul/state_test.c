/* SPDX-License-Identifier: BSD-2-Clause */
/* Save and restore: nothing is lost, and nothing is believed. */
#include "unit.h"

#define MOST 2048u

struct blob {
    uint8_t bytes[MOST];
    size_t size;
};

static void save(struct unit *u, struct blob *b)
{
    b->size = 0;
    assert_int_equal(sluice_viommu_save(u->h->d, u->id, b->bytes, &b->size), -ENOSPC);
    assert_in_range(b->size, 1, MOST);
    assert_int_equal(sluice_viommu_save(u->h->d, u->id, b->bytes, &b->size), 0);
}

static int restore(struct unit *u, const struct blob *b)
{
    return sluice_viommu_restore(u->h->d, u->id, b->bytes, b->size);
}

/* Another unit of the same kind, in the same memory. */
static void replace(struct unit *u, uint64_t capabilities)
{
    const struct sluice_viommu_config config = {
        .type = SLUICE_VIOMMU_VTD, .base = UNIT_BASE, .capabilities = capabilities};

    assert_int_equal(sluice_viommu_destroy(u->h->d, u->id), 0);
    assert_int_equal(sluice_viommu_create(u->h->d, &config, &u->id), 0);
    stub.nr_log = 0;
}

/* Everything that has a state has one. */
static void use(struct unit *u)
{
    const struct vtd_emul_fault f = {.sid = 3, .has_pasid = true, .pasid = 9, .reason = 6};

    wr64(u, VTD_IRTA, IRTES | VTD_IRTA_EIME | 7);
    command_on(u, VTD_GCMD_SIRTP);
    command_on(u, VTD_GCMD_IRE);
    set_mode(u, VTD_TTM_SCALABLE);
    command_on(u, VTD_GCMD_TE);
    queue_on(u, true);
    submit(u, VTD_DESC_WAIT | VTD_DESC_IF, 0);
    wr64(u, VTD_FEDATA, 0xfee0000400000031);
    vtd_emul_record(emul_of(u), &f);
    vtd_emul_record(emul_of(u), &f);
    submit(u, 0, 0); /* an error of the queue */
}

static void everything_comes_back(void **state)
{
    struct unit *u = *state;
    uint32_t before[SLUICE_VIOMMU_SIZE / 4];
    struct blob b, again;

    use(u);
    for (unsigned i = 0; i < SLUICE_VIOMMU_SIZE / 4; i++)
        before[i] = rd32(u, i * 4);
    save(u, &b);
    replace(u, ALL_CAPS);
    assert_int_equal(restore(u, &b), 0);
    for (unsigned i = 0; i < SLUICE_VIOMMU_SIZE / 4; i++)
        assert_int_equal(rd32(u, i * 4), before[i]);
    assert_int_equal(stub.nr_log, 1); /* what the tables say is in effect */
    assert_int_equal(stub.log[0].kind, VTD_EMUL_INV_ROOT);
    assert_int_equal(emul_of(u)->front.root, 0x101000 | FIELD_PREP(VTD_RTADDR_TTM, 1));
    assert_int_equal(emul_of(u)->front.irta, IRTES | VTD_IRTA_EIME | 7);
    assert_int_equal(emul_of(u)->front.gsts, before[VTD_GSTS / 4]);
    assert_int_equal(emul_of(u)->front.next_record, 2);
    save(u, &again);
    assert_memory_equal(&b, &again, b.size);
    assert_int_equal(restore(u, &b), -EINVAL); /* it is not new any more */
}

static void what_was_going_on_begins_again(void **state)
{
    struct unit *u = *state;
    struct sluice_domain *d = u->h->d;
    struct blob b;

    queue_on(u, false);
    put(u, RING, (const uint64_t[]){VTD_DESC_IOTLB | 0x10, 0}, 16);
    put(u, RING + 16, (const uint64_t[]){VTD_DESC_WAIT | VTD_DESC_SW | BIT64(32), STATUS}, 16);
    stub.restarts = 2;
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_IQT, 4, 32), -ERESTART);
    wr64(u, VTD_RTADDR, 0x103000);
    stub.restarts = 1;
    assert_int_equal(sluice_viommu_write(d, u->id, VTD_GCMD, 4, VTD_GCMD_QIE | VTD_GCMD_SRTP),
                     -ERESTART);
    save(u, &b);
    replace(u, ALL_CAPS);
    stub.restarts = 1;
    assert_int_equal(restore(u, &b), -ERESTART);
    assert_int_equal(sluice_viommu_run(d, u->id), 0);
    assert_int_equal(get(u, STATUS), 1);
    assert_int_equal(rd64(u, VTD_IQH), 32);
    assert_int_equal(emul_of(u)->front.root, 0x103000);
    assert_true(rd32(u, VTD_GSTS) & VTD_GCMD_SRTP);
}

/* PPF is what the records say. */
static void records_and_status_agree(void **state)
{
    struct unit *u = *state;
    const size_t words = 48; /* before the registers */
    uint32_t fsts;
    struct blob b;

    save(u, &b);
    memcpy(&fsts, b.bytes + words + VTD_FSTS, sizeof(fsts));
    fsts |= (uint32_t)VTD_FSTS_PPF;
    memcpy(b.bytes + words + VTD_FSTS, &fsts, sizeof(fsts));
    replace(u, ALL_CAPS);
    assert_int_equal(restore(u, &b), -EINVAL);
}

static void another_unit_takes_nothing(void **state)
{
    struct unit *u = *state;
    struct blob b;

    use(u);
    save(u, &b);
    replace(u, ALL_CAPS & ~SLUICE_VIOMMU_X2APIC);
    assert_int_equal(restore(u, &b), -EINVAL);
    replace(u, ALL_CAPS);
    b.size--;
    assert_int_equal(restore(u, &b), -EINVAL);
    b.size += 2;
    assert_int_equal(restore(u, &b), -EINVAL);
    b.size--;
    assert_int_equal(restore(u, &b), 0);
}

/* Whatever is taken is a state that a guest could have made: what it has not, nobody sets. */
static void check_invariants(struct unit *u, uint64_t cap, uint64_t ecap)
{
    const struct vtd_emul_front *f = &emul_of(u)->front;

    assert_int_equal(rd64(u, VTD_CAP), cap);
    assert_int_equal(rd64(u, VTD_ECAP), ecap);
    assert_int_equal(rd32(u, VTD_VER), 0x10);
    assert_int_equal(rd32(u, VTD_PMEN), 0);
    assert_int_equal(rd64(u, VTD_AFLOG), 0);
    assert_true(f->next_record < VTD_EMUL_RECORDS);
    assert_false(f->root >> 52 || f->irta >> 52);
    assert_false(rd64(u, VTD_IQH) & ~VTD_IQ_INDEX);
    assert_true(FIELD_GET(VTD_FSTS_FRI, rd32(u, VTD_FSTS)) < VTD_EMUL_RECORDS);
}

static void any_flipped_bit_is_refused_or_harmless(void **state)
{
    struct unit *u = *state;
    const uint64_t cap = rd64(u, VTD_CAP), ecap = rd64(u, VTD_ECAP);
    unsigned refused = 0;
    struct blob b;

    use(u);
    save(u, &b);
    for (unsigned bit = 0; bit < b.size * 8; bit++) {
        int err;

        replace(u, ALL_CAPS);
        b.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        err = restore(u, &b);
        assert_true(!err || err == -EINVAL || err == -ERESTART);
        if (err == -EINVAL) {
            refused++;
            assert_int_equal(rd32(u, VTD_GSTS), 0); /* nothing has changed */
            assert_int_equal(stub.nr_log, 0);
        }
        check_invariants(u, cap, ecap);
        b.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(refused > b.size * 8 / 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_set_up, unit_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_comes_back),
        TEST(what_was_going_on_begins_again),
        TEST(records_and_status_agree),
        TEST(another_unit_takes_nothing),
        TEST(any_flipped_bit_is_refused_or_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
