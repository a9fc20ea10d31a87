/* SPDX-License-Identifier: BSD-2-Clause */
/* PASIDs: which there are, their tables, and what is forgotten of them. */
#include "vtd_fixture.h"

#define ADDR  0x000ffffffffff000ull
#define PASID 0x1234u

static struct rig *create(uint64_t cap)
{
    struct rig *r = rig_create(cap, FAKE_ECAP | FAKE_PASIDS(20));

    map(&r->a, 1, 0x77, 1, 12);
    map(&r->b, 1, 0x99, 1, 12);
    return r;
}

static void point_pasid(struct rig *r, uint16_t sid, uint32_t pasid, const struct pgtable *pt,
                        uint16_t did)
{
    const struct hw_space s = pt ? space(pt, did) : (struct hw_space){.did = 0};

    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(sid), pasid), 0);
    r->u.hw.ops->point(&r->u.hw, rid(sid), pasid, pt ? &s : NULL);
}

static void flush_pasid(struct rig *r, uint16_t sid, uint32_t pasid, uint16_t left)
{
    const struct hw_inv inv[] = {{.kind = HW_INV_PASID, .rid = rid(sid), .pasid = pasid},
                                 {.kind = HW_INV_SPACE, .did = left}};

    r->f->nr_log = 0;
    assert_int_equal(r->u.hw.ops->flush(&r->u.hw, inv, left ? 2 : 1), 0);
}

static void attach_pasid(struct rig *r, uint16_t sid, uint32_t pasid, const struct pgtable *pt,
                         uint16_t did, uint16_t left)
{
    point_pasid(r, sid, pasid, pt, did);
    flush_pasid(r, sid, pasid, left);
}

/* Where the page at 0x1000 goes, or 0. */
static uint64_t goes(struct rig *r, uint16_t sid, uint32_t pasid)
{
    uint64_t maddr;

    return fake_dma_pasid(r->f, sid, pasid, 0x1000, false, &maddr) ? 0 : maddr;
}

static uint32_t max_pasid(uint64_t ecap, bool scalable)
{
    struct fake *f = fake_create(FAKE_CAP, ecap);
    struct vtd_config config = rig_config(f);
    struct vtd_unit u;

    config.scalable = scalable;
    assert_int_equal(vtd_init(&u, &config), 0);
    vtd_fini(&u);
    fake_destroy(f);
    return u.hw.max_pasid;
}

static void how_many_there_are(void **state)
{
    (void)state;
    assert_int_equal(max_pasid(FAKE_ECAP | FAKE_PASIDS(1), true), 1);
    assert_int_equal(max_pasid(FAKE_ECAP | FAKE_PASIDS(8), true), 255);
    assert_int_equal(max_pasid(FAKE_ECAP | FAKE_PASIDS(15), true), 32767);
    assert_int_equal(max_pasid(FAKE_ECAP | FAKE_PASIDS(20), true), 32767);
    assert_int_equal(max_pasid(FAKE_ECAP | FAKE_PASIDS(32), true), 32767);
    assert_int_equal(max_pasid(FAKE_ECAP | FAKE_PASIDS(20), false), 0);
    assert_int_equal(max_pasid((FAKE_ECAP | FAKE_PASIDS(20)) & ~(1ull << 40), true), 0);
}

/* The context entry, with the specification's numbers. */
static uint64_t context_word(struct rig *r, uint16_t sid)
{
    const uint64_t root = fake_word(r->f, (r->f->root & ADDR) + (sid >> 8) * 16u);

    return fake_word(r->f, (root & ADDR) + (sid & 127) * 32u);
}

static void the_directory_is_as_large_as_it_must_be(void **state)
{
    static const struct {
        unsigned bits, pdts;
    } row[] = {{1, 0}, {13, 0}, {14, 1}, {15, 2}, {20, 2}};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP | FAKE_PASIDS(row[i].bits));

        attach(r, SID_A, &r->a, DID_A, 0);
        assert_int_equal(context_word(r, SID_A) & 0xfff, row[i].pdts << 9 | 1 << 3 | 1);
        map(&r->a, 1, 0x77, 1, 12);
        attach_pasid(r, SID_A, r->u.hw.max_pasid, &r->a, DID_A, 0);
        assert_int_equal(goes(r, SID_A, r->u.hw.max_pasid), 0x77000);
        assert_int_equal(goes(r, SID_A, r->u.hw.max_pasid + 1), 0);
        rig_destroy(r);
    }
}

static void entries(void **state)
{
    struct rig *r = create(FAKE_CAP);
    uint64_t at;

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    attach_pasid(r, SID_A, PASID, &r->b, DID_B, 0);
    at = fake_word(r->f, (context_word(r, SID_A) & ADDR) + PASID / 64 * 8);
    assert_int_equal(at & ~ADDR, 1);
    at = (at & ADDR) + PASID % 64 * 64;
    assert_int_equal(fake_word(r->f, at), r->b.root.n << 12 | 2 << 6 | 2 << 2 | 1);
    assert_int_equal(fake_word(r->f, at + 8), 1u << 23 | DID_B);
    for (unsigned i = 2; i < 8; i++)
        assert_int_equal(fake_word(r->f, at + i * 8), 0);
    point_pasid(r, SID_A, PASID, NULL, 0);
    assert_int_equal(fake_word(r->f, at), 0);
    rig_destroy(r);
}

static void each_translates_by_its_own(void **state)
{
    struct rig *r = create(FAKE_CAP);

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    attach(r, SID_B, &r->a, DID_A, 0);
    attach_pasid(r, SID_A, PASID, &r->b, DID_B, 0);
    assert_int_equal(goes(r, SID_A, 0), 0x77000);
    assert_int_equal(goes(r, SID_A, PASID), 0x99000);
    assert_int_equal(goes(r, SID_A, PASID + 1), 0);  /* in the same table */
    assert_int_equal(goes(r, SID_A, PASID + 64), 0); /* in one that is not there */
    assert_int_equal(goes(r, SID_B, PASID), 0);
    rig_destroy(r);
}

static void a_move_flushes_what_it_was(void **state)
{
    struct rig *r = create(FAKE_CAP);

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    attach_pasid(r, SID_A, PASID, &r->a, DID_A, 0);
    assert_int_equal(goes(r, SID_A, PASID), 0x77000);
    point_pasid(r, SID_A, PASID, &r->b, DID_B);
    assert_int_equal(goes(r, SID_A, PASID), 0x77000); /* cached */
    flush_pasid(r, SID_A, PASID, DID_A);
    assert_int_equal(r->f->log[0].lo, 7 | 1 << 4 | DID_A << 16 | (uint64_t)PASID << 32);
    assert_int_equal(r->f->log[1].lo & 0xf, 5); /* a fence */
    assert_int_equal(r->f->log[2].lo & 0x3f, 2 | 2 << 4);
    assert_int_equal(r->f->nr_log, 4);
    assert_int_equal(goes(r, SID_A, PASID), 0x99000);
    attach_pasid(r, SID_A, PASID, NULL, 0, DID_B);
    assert_int_equal(goes(r, SID_A, PASID), 0);
    assert_int_equal(goes(r, SID_A, 0), 0x77000);
    rig_destroy(r);
}

/* What is absent is cached with domain id 0; and so is a context entry. */
static void caching_mode(void **state)
{
    struct rig *r = create(FAKE_CAP | FAKE_CM);

    (void)state;
    assert_int_equal(goes(r, SID_A, PASID), 0);
    attach_pasid(r, SID_A, PASID, &r->a, DID_A, 0); /* the device's first */
    assert_int_equal(goes(r, SID_A, PASID), 0x77000);
    assert_int_equal(goes(r, SID_A, 7), 0);
    attach_pasid(r, SID_A, 7, &r->b, DID_B, 0);
    assert_int_equal(goes(r, SID_A, 7), 0x99000);
    attach_pasid(r, SID_A, 7, NULL, 0, DID_B);
    assert_int_equal(goes(r, SID_A, 7), 0);
    attach_pasid(r, SID_A, 7, &r->a, DID_A, 0);
    assert_int_equal(goes(r, SID_A, 7), 0x77000);
    rig_destroy(r);
}

/* Two that were not flushed, of one device; or one that was changed twice. */
static void two_moves_before_a_flush(void **state)
{
    (void)state;
    for (unsigned twice = 0; twice < 2; twice++) {
        struct rig *r = create(FAKE_CAP);

        attach(r, SID_A, &r->a, DID_A, 0);
        attach_pasid(r, SID_A, 5, &r->a, DID_A, 0);
        attach_pasid(r, SID_A, 6, &r->b, DID_B, 0);
        assert_int_equal(goes(r, SID_A, 5), 0x77000);
        assert_int_equal(goes(r, SID_A, 6), 0x99000);
        point_pasid(r, SID_A, 5, &r->b, DID_B);
        if (twice)
            point_pasid(r, SID_A, 5, NULL, 0);
        else
            point_pasid(r, SID_A, 6, NULL, 0);
        flush_pasid(r, SID_A, 5, DID_A);
        assert_int_equal(r->f->log[0].lo, 7 | 3 << 4);
        flush_pasid(r, SID_A, 6, DID_B);
        assert_int_equal(goes(r, SID_A, 5), twice ? 0 : 0x99000);
        assert_int_equal(goes(r, SID_A, 6), twice ? 0x99000 : 0);
        point_pasid(r, SID_A, 5, &r->a, DID_A);
        flush_pasid(r, SID_A, 5, DID_B);
        assert_int_equal(r->f->log[0].lo >> 4 & 3, 1); /* nothing is left of it */
        rig_destroy(r);
    }
}

/* Its PASIDs go with it, whichever domains they were in. */
static void a_device_takes_its_pasids_along(void **state)
{
    struct rig *r = create(FAKE_CAP);

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    attach_pasid(r, SID_A, 5, &r->a, DID_A, 0);
    attach_pasid(r, SID_A, 6, &r->b, DID_B, 0);
    assert_int_equal(goes(r, SID_A, 5), 0x77000);
    assert_int_equal(goes(r, SID_A, 6), 0x99000);
    point_pasid(r, SID_A, 5, NULL, 0);
    point_pasid(r, SID_A, 6, NULL, 0);
    attach(r, SID_A, NULL, 0, DID_A);
    for (uint32_t pasid = 5; pasid < 7; pasid++)
        assert_int_equal(goes(r, SID_A, pasid), 0);
    rig_destroy(r);
}

static void faults_carry_the_pasid(void **state)
{
    struct rig *r = create(FAKE_CAP);
    struct hw_fault fault;
    uint64_t lost = 0;

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(goes(r, SID_A, PASID + i), 0);
        assert_int_equal(r->u.hw.ops->drain_faults(&r->u.hw, &fault, 1, &lost), 1);
        assert_int_equal(fault.rid.n, SID_A);
        assert_int_equal(fault.pasid, PASID + i);
        assert_int_equal(fault.reason, HW_REASON_BLOCKED);
    }
    rig_destroy(r);
}

/* Each allocation fails in turn: nothing is shown, and it works the next time. */
static void without_memory(void **state)
{
    struct rig *r = create(FAKE_CAP);
    unsigned n;

    (void)state;
    for (n = 1; n < 9; n++) {
        r->f->fail_alloc = n;
        if (!r->u.hw.ops->prepare(&r->u.hw, rid(SID_A), PASID))
            break;
        assert_int_equal(goes(r, SID_A, PASID), 0);
    }
    assert_true(n > 1 && n < 9);
    r->f->fail_alloc = 0;
    attach_pasid(r, SID_A, PASID, &r->a, DID_A, 0);
    assert_int_equal(goes(r, SID_A, PASID), 0x77000);
    rig_destroy(r);
}

static void what_cannot_be_is_refused(void **state)
{
    struct rig *r = create(FAKE_CAP);
    const struct hw_space s = space(&r->a, DID_A);

    (void)state;
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(SID_A), 32768), -EINVAL);
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(SID_A), 5), 0);
    expect_assert_failure(r->u.hw.ops->point(&r->u.hw, rid(SID_A), 32768, &s));
    expect_assert_failure(r->u.hw.ops->point(&r->u.hw, rid(SID_A), 64, &s));
    rig_destroy(r);
    r = rig_create(FAKE_CAP, FAKE_ECAP);
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(SID_A), 1), -EINVAL);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(how_many_there_are),
        cmocka_unit_test(the_directory_is_as_large_as_it_must_be),
        cmocka_unit_test(entries),
        cmocka_unit_test(each_translates_by_its_own),
        cmocka_unit_test(a_move_flushes_what_it_was),
        cmocka_unit_test(caching_mode),
        cmocka_unit_test(two_moves_before_a_flush),
        cmocka_unit_test(a_device_takes_its_pasids_along),
        cmocka_unit_test(faults_carry_the_pasid),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(what_cannot_be_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
