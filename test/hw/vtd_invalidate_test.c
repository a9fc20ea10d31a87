/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors, their order and number; one submission; errors and time. */
#include "vtd_fixture.h"

static void expect(const struct rig *r, unsigned i, uint64_t lo, uint64_t hi)
{
    assert_true(i < r->f->nr_log);
    if (r->f->log[i].lo != lo || r->f->log[i].hi != hi)
        fail_msg("%u: %016llx %016llx", i, (unsigned long long)r->f->log[i].lo,
                 (unsigned long long)r->f->log[i].hi);
}

static bool is_fence(const struct rig *r, unsigned i)
{
    return (r->f->log[i].lo & 0xffffffff) == 0x65;
}

static bool is_wait(const struct rig *r, unsigned i)
{
    return (r->f->log[i].lo & 0xffffffff) == 0x25;
}

static void forget_log(struct rig *r)
{
    r->f->nr_log = 0;
    r->f->submissions = 0;
}

/* IOTLB: type 2, granularity 3, drains in bits 6 and 7, domain in 31:16; address, mask, hint. */
#define PAGES(did)  (2ull | 3 << 4 | 3 << 6 | (uint64_t)(did) << 16)
#define DOMAIN(did) (2ull | 2 << 4 | 3 << 6 | (uint64_t)(did) << 16)

static void ranges_cost_as_little_as_they_can(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);

    (void)state;
    forget_log(r);
    assert_int_equal(flush_range(r, 5, 0x123, 0x123, true), 0);
    expect(r, 0, PAGES(5), 0x123000 | 1 << 6);
    assert_true(is_wait(r, 1));
    assert_int_equal(r->f->nr_log, 2);
    forget_log(r);
    assert_int_equal(flush_range(r, 5, 0x103, 0x104, false), 0);
    expect(r, 0, PAGES(5), 0x100000 | 3);
    assert_int_equal(r->f->nr_log, 2);
    forget_log(r); /* a cover of 2^19 is beyond the mask: two blocks */
    assert_int_equal(flush_range(r, 5, 0x3ffff, 0x40000, false), 0);
    expect(r, 0, PAGES(5), 0x3ffff000);
    expect(r, 1, PAGES(5), 0x40000000);
    assert_int_equal(r->f->submissions, 1);
    forget_log(r); /* too many blocks */
    assert_int_equal(flush_range(r, 5, 1, 0x7fffe, false), 0);
    expect(r, 0, DOMAIN(5), 0);
    forget_log(r);
    assert_int_equal(flush_range(r, 5, 0, 0xfffffffff, false), 0);
    expect(r, 0, DOMAIN(5), 0);
    assert_int_equal(r->f->nr_log, 2);
    rig_destroy(r);
}

static void a_leaf_beyond_the_mask_takes_the_domain(void **state)
{
    struct rig *r = rig_create((FAKE_CAP & ~(63ull << 48)) | 9ull << 48, FAKE_ECAP);

    (void)state;
    forget_log(r);
    assert_int_equal(flush_range(r, 5, 0x1ff, 0x400, false), 0); /* 4K, 2M, 4K */
    expect(r, 0, PAGES(5), 0x1ff000);
    expect(r, 1, PAGES(5), 0x200000 | 9);
    expect(r, 2, PAGES(5), 0x400000);
    forget_log(r);
    assert_int_equal(flush_range(r, 5, 0x40000, 0x7ffff, false), 0);
    expect(r, 0, DOMAIN(5), 0);
    rig_destroy(r);
}

static void without_psi_or_drains(void **state)
{
    struct rig *r = rig_create(FAKE_CAP & ~(FAKE_PSI | 3ull << 54), FAKE_ECAP);

    (void)state;
    forget_log(r);
    assert_int_equal(flush_range(r, 5, 1, 1, true), 0);
    expect(r, 0, 2 | 2 << 4 | 5 << 16, 0);
    rig_destroy(r);
}

static void reattach_is_fenced(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    point(r, SID_A, &r->b, DID_B);
    forget_log(r);
    assert_int_equal(flush_device(r, SID_A, DID_A), 0);
    expect(r, 0, 1 | 3 << 4 | DID_A << 16 | (uint64_t)SID_A << 32, 0);
    assert_true(is_fence(r, 1));
    expect(r, 2, DOMAIN(DID_A), 0);
    assert_true(is_wait(r, 3));
    assert_int_equal(r->f->nr_log, 4);
    assert_int_equal(r->f->submissions, 1);
    point(r, SID_A, &r->a, DID_A); /* and back: what was flushed is not remembered */
    forget_log(r);
    assert_int_equal(flush_device(r, SID_A, DID_B), 0);
    expect(r, 0, 1 | 3 << 4 | DID_B << 16 | (uint64_t)SID_A << 32, 0);
    rig_destroy(r);
}

static void caching_mode_tags_what_is_absent_with_0(void **state)
{
    struct rig *r = rig_create(FAKE_CAP | FAKE_CM, FAKE_ECAP | FAKE_SM);

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    point(r, SID_A, &r->b, DID_B);
    forget_log(r);
    assert_int_equal(flush_device(r, SID_A, DID_A), 0);
    expect(r, 0, 1 | 3 << 4 | (uint64_t)SID_A << 32, 0);
    expect(r, 1, 1 | 3 << 4 | DID_A << 16 | (uint64_t)SID_A << 32, 0);
    assert_true(is_fence(r, 2));
    expect(r, 3, 7 | 1 << 4, 0);
    expect(r, 4, 7 | 1 << 4 | DID_A << 16, 0);
    assert_true(is_fence(r, 5));
    expect(r, 6, DOMAIN(DID_A), 0);
    rig_destroy(r);
}

static void two_moves_before_a_flush(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    map(&r->a, 1, 0x77, 1, 12);
    assert_true(reaches(r, SID_A, 0x1000, 0x77000));
    point(r, SID_A, &r->b, DID_B);
    point(r, SID_A, NULL, 0);
    forget_log(r);
    assert_int_equal(flush_device(r, SID_A, 0), 0);
    expect(r, 0, 1 | 1 << 4, 0);
    assert_false(reaches(r, SID_A, 0x1000, 0));
    rig_destroy(r);
}

/* 255 single flushes, and then some: the ring wraps at every place. */
static void the_ring_wraps(void **state)
{
    static const uint64_t ecap[] = {FAKE_ECAP, FAKE_ECAP | FAKE_SM};

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct rig *r = rig_create(FAKE_CAP, ecap[k]);

        for (unsigned i = 0; i < 1000; i++) {
            forget_log(r);
            if (i % 3)
                assert_int_equal(flush_range(r, 5, i, i, false), 0);
            else
                assert_int_equal(flush_device(r, SID_A, 5), 0);
            assert_int_equal(r->f->submissions, 1);
            assert_true(is_wait(r, r->f->nr_log - 1));
        }
        rig_destroy(r);
    }
}

static void more_than_the_ring_becomes_everything(void **state)
{
    struct hw_inv inv[300];
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP | FAKE_SM);

    (void)state;
    for (unsigned i = 0; i < 300; i++)
        inv[i] = (struct hw_inv){.kind = HW_INV_SPACE, .did = (uint16_t)(i + 1)};
    for (unsigned n = 1; n < 300; n++) {
        forget_log(r);
        assert_int_equal(r->u.hw.ops->flush(&r->u.hw, inv, n), 0);
        assert_int_equal(r->f->submissions, 1);
        assert_int_equal(r->f->nr_log, n <= 126 ? n + 1 : 6);
    }
    expect(r, 0, 1 | 1 << 4, 0);
    expect(r, 2, 7 | 3 << 4, 0);
    expect(r, 4, 2 | 1 << 4 | 3 << 6, 0);
    rig_destroy(r);
}

/* As long as there is room for, beginning at every place of the ring: each descriptor arrives. */
static void the_longest_submission_wraps(void **state)
{
    static const uint64_t ecap[] = {FAKE_ECAP, FAKE_ECAP | FAKE_SM};

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct rig *r = rig_create(FAKE_CAP, ecap[k]);
        const unsigned most = r->u.ring - 2;
        struct hw_inv inv[254];

        for (unsigned round = 0; round < r->u.ring; round++) {
            for (unsigned i = 0; i < most; i++)
                inv[i] = (struct hw_inv){.kind = HW_INV_SPACE, .did = (uint16_t)(round + i + 1)};
            forget_log(r);
            assert_int_equal(r->u.hw.ops->flush(&r->u.hw, inv, most), 0);
            assert_int_equal(r->f->nr_log, most + 1);
            for (unsigned i = 0; i < most; i++)
                expect(r, i, DOMAIN(round + i + 1), 0);
            assert_true(is_wait(r, most));
            assert_int_equal(r->f->iqh, r->f->iqt);
        }
        rig_destroy(r);
    }
}

static uint16_t nth_sid(unsigned i)
{
    return (uint16_t)(i << 3);
}

/* All that are in A go to B. How many descriptors that took. */
static unsigned move_all(struct rig *r, unsigned nr)
{
    struct hw_inv inv[64];

    for (unsigned i = 0; i < nr; i++) {
        point(r, nth_sid(i), &r->b, DID_B);
        inv[i] = (struct hw_inv){.kind = HW_INV_DEVICE, .rid = rid(nth_sid(i))};
    }
    inv[nr] = (struct hw_inv){.kind = HW_INV_SPACE, .did = DID_A};
    forget_log(r);
    assert_int_equal(r->u.hw.ops->flush(&r->u.hw, inv, nr + 1), 0);
    assert_int_equal(r->f->submissions, 1);
    return r->f->nr_log;
}

/* In caching mode a device takes four; 30 of them just fit into a ring of 128, 31 do not. */
static void many_devices_move_at_once(void **state)
{
    (void)state;
    for (unsigned nr = 29; nr <= 32; nr++) {
        struct rig *r = rig_create(FAKE_CAP | FAKE_CM, FAKE_ECAP | FAKE_SM);

        map(&r->a, 1, 0x77, 1, 12);
        map(&r->b, 1, 0x99, 1, 12);
        for (unsigned i = 0; i < nr; i++) {
            attach(r, nth_sid(i), &r->a, DID_A, 0);
            assert_true(reaches(r, nth_sid(i), 0x1000, 0x77000));
        }
        assert_int_equal(move_all(r, nr), nr <= 30 ? 4 * nr + 4 : 6);
        for (unsigned i = 0; i < nr; i++)
            assert_true(reaches(r, nth_sid(i), 0x1000, 0x99000));
        rig_destroy(r);
    }
}

static void a_larger_queue_of_the_host_s(void **state)
{
    struct fake *f = fake_create(FAKE_CAP, FAKE_ECAP);
    struct vtd_config config = rig_config(f);
    struct hw_inv inv[1000];
    struct vtd_unit u;

    (void)state;
    config.queue = mfn_of(FAKE_PAGES - 4);
    config.queue_order = 2;
    assert_int_equal(vtd_init(&u, &config), 0);
    assert_int_equal(f->iqa, (FAKE_PAGES - 4) << 12 | 2);
    for (unsigned i = 0; i < 1000; i++)
        inv[i] = (struct hw_inv){.kind = HW_INV_SPACE, .did = 3};
    for (unsigned i = 0; i < 5; i++) {
        f->nr_log = 0;
        assert_int_equal(u.hw.ops->flush(&u.hw, inv, 1000), 0);
        assert_int_equal(f->nr_log, 1001);
    }
    vtd_fini(&u);
    fake_destroy(f);
}

/* Late is not lost: but the token of an earlier flush is not this one's. */
static void it_waits_for_its_own_token(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);
    uint64_t before;

    (void)state;
    for (unsigned late = 1; late < 50; late += 7) {
        r->f->late = late;
        before = r->f->clock;
        assert_int_equal(flush_range(r, 5, 1, 1, false), 0);
        assert_true(r->f->clock - before >= late * 1000000ull);
    }
    r->u.token = UINT32_MAX - 1; /* 0 is never a token: it is what a fresh page has */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(flush_range(r, 5, 1, 1, false), 0);
    assert_int_equal(r->u.token, 3);
    rig_destroy(r);
}

static void no_answer_ends_in_time(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);
    uint64_t before = r->f->clock;

    (void)state;
    r->f->hangs = true;
    assert_int_equal(flush_range(r, 5, 1, 1, false), -ETIMEDOUT);
    assert_true(r->f->clock - before < 1100000000);
    assert_int_equal(r->f->errors, 1);
    r->u.hw.ops->quiesce(&r->u.hw);
    assert_true(r->f->clock - before < 3000000000);
    r->f->hangs = false;
    rig_destroy(r);
}

static void every_queue_error_is_an_error(void **state)
{
    static const uint32_t error[] = {0x10, 0x20, 0x40};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);

        r->f->error_at = 1;
        r->f->error = error[i];
        r->f->late = 2;
        assert_int_equal(flush_range(r, 5, 1, 1, false), -EIO);
        assert_int_equal(r->f->errors, 1);
        r->u.hw.ops->quiesce(&r->u.hw);
        assert_int_equal(r->f->fsts & 0x70, 0);
        assert_int_equal(r->f->errors, 1); /* the queue runs again: everything is forgotten */
        assert_int_equal(flush_range(r, 5, 1, 1, false), -EIO);
        rig_destroy(r);
    }
}

static void register_invalidation(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP & ~FAKE_QI);

    (void)state;
    attach(r, SID_A, &r->a, DID_A, 0);
    point(r, SID_A, &r->b, DID_B);
    assert_int_equal(flush_device(r, SID_A, DID_A), 0);
    assert_int_equal(r->f->ccmd, 3ull << 61 | 3ull << 59 | (uint64_t)SID_A << 16 | DID_A);
    assert_int_equal(r->f->iotlb, 2ull << 60 | 2ull << 57 | 3ull << 48 | (uint64_t)DID_A << 32);
    assert_int_equal(flush_range(r, DID_B, 0x10, 0x1f, true), 0);
    assert_int_equal(r->f->iva, 0x10000 | 1 << 6 | 4);
    assert_int_equal(r->f->iotlb, 3ull << 60 | 3ull << 57 | 3ull << 48 | (uint64_t)DID_B << 32);
    r->f->deaf = true;
    assert_int_equal(flush_range(r, DID_B, 0x10, 0x1f, true), -ETIMEDOUT);
    assert_int_equal(flush_device(r, SID_A, 0), -ETIMEDOUT);
    assert_int_equal(r->f->submissions, 0);
    r->f->deaf = false;
    rig_destroy(r);
}

/* Pointers to tables stay where only leaves went, and only there. */
static void tables_are_forgotten_when_asked(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);
    mfn_t pages[8];
    dfn_t cursor = dfn_of(0);
    unsigned n;

    (void)state;
    map(&r->a, 0, 0x40, 512, 12);
    attach(r, SID_A, &r->a, DID_A, 0);
    assert_true(reaches(r, SID_A, 0x1000, 0x41000));
    unmap(&r->a, 0, 512);
    n = pt_prune(&r->a, &cursor, dfn_of(511), pages, 8);
    assert_true(n > 0);
    assert_int_equal(flush_range(r, DID_A, 0, 511, false), 0);
    pt_free_pages(&r->a, pages, n);
    map(&r->a, 0, 0x200, 512, 21);
    assert_true(reaches(r, SID_A, 0x1000, 0x201000));
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_cost_as_little_as_they_can),
        cmocka_unit_test(a_leaf_beyond_the_mask_takes_the_domain),
        cmocka_unit_test(without_psi_or_drains),
        cmocka_unit_test(reattach_is_fenced),
        cmocka_unit_test(caching_mode_tags_what_is_absent_with_0),
        cmocka_unit_test(two_moves_before_a_flush),
        cmocka_unit_test(the_ring_wraps),
        cmocka_unit_test(more_than_the_ring_becomes_everything),
        cmocka_unit_test(the_longest_submission_wraps),
        cmocka_unit_test(many_devices_move_at_once),
        cmocka_unit_test(a_larger_queue_of_the_host_s),
        cmocka_unit_test(it_waits_for_its_own_token),
        cmocka_unit_test(no_answer_ends_in_time),
        cmocka_unit_test(every_queue_error_is_an_error),
        cmocka_unit_test(register_invalidation),
        cmocka_unit_test(tables_are_forgotten_when_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
