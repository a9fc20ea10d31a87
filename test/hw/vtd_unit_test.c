/* SPDX-License-Identifier: BSD-2-Clause */
/* Probing, taking over from firmware, turning on and off, giving up. */
#include "vtd_fixture.h"

static int try_init(uint64_t cap, uint64_t ecap, struct vtd_unit *u, uint8_t max_levels)
{
    struct fake *f = fake_create(cap, ecap);
    struct vtd_config config = rig_config(f);
    int err;

    config.max_levels = max_levels;
    err = vtd_init(u, &config);
    if (!err)
        vtd_fini(u);
    fake_destroy(f);
    return err;
}

static uint64_t with_sagaw(uint64_t sagaw, uint64_t mgaw)
{
    return (FAKE_CAP & ~(0x1full << 8 | 0x3full << 16)) | sagaw << 8 | (mgaw - 1) << 16;
}

static void geometry_is_what_the_unit_can_do(void **state)
{
    static const struct {
        uint64_t sagaw, mgaw;
        uint8_t max;
        uint8_t levels, bits; /* 0: none */
    } row[] = {
        {2, 39, 0, 3, 39}, {4, 48, 0, 4, 48},  {6, 48, 0, 4, 48},  {14, 57, 0, 4, 48},
        {8, 57, 0, 5, 57}, {14, 57, 5, 5, 57}, {14, 57, 3, 3, 39}, {4, 46, 0, 4, 46},
        {4, 48, 3, 0, 0},  {0, 48, 0, 0, 0},   {2, 48, 5, 3, 39},  {1, 48, 0, 0, 0},
    };
    struct vtd_unit u;

    (void)state;
    for (unsigned i = 0; i < sizeof(row) / sizeof(*row); i++) {
        const uint64_t cap = with_sagaw(row[i].sagaw, row[i].mgaw);

        assert_int_equal(try_init(cap, FAKE_ECAP, &u, row[i].max), row[i].levels ? 0 : -EOPNOTSUPP);
        if (!row[i].levels)
            continue;
        assert_int_equal(u.hw.geo.levels, row[i].levels);
        assert_int_equal(u.hw.geo.iova_bits, row[i].bits);
        assert_int_equal(u.hw.geo.leaf_sizes, 1u << 12 | 1u << 21 | 1u << 30);
        assert_false(u.hw.geo.noncoherent);
        assert_false(u.hw.geo.dirty);
        assert_true(u.hw.snoop);
        assert_false(u.hw.caching_mode);
        assert_int_equal(u.hw.nr_dids, 65536);
    }
}

static void capabilities_show(void **state)
{
    struct vtd_unit u;

    (void)state;
    assert_int_equal(try_init(FAKE_CAP | FAKE_CM, FAKE_ECAP & ~(1ull << 7), &u, 0), 0);
    assert_true(u.hw.caching_mode);
    assert_false(u.hw.snoop);
    assert_false(u.hw.scalable);
    assert_int_equal(try_init(FAKE_CAP | FAKE_RWBF, FAKE_ECAP, &u, 0), 0);
    assert_true(u.hw.caching_mode);
    assert_int_equal(try_init(FAKE_CAP & ~(3ull << 34) & ~7ull, FAKE_ECAP & ~FAKE_C, &u, 0), 0);
    assert_int_equal(u.hw.geo.leaf_sizes, 1u << 12);
    assert_int_equal(u.hw.nr_dids, 16);
    assert_true(u.hw.geo.noncoherent);
    assert_int_equal(try_init(FAKE_CAP, FAKE_ECAP | FAKE_SM, &u, 0), 0);
    assert_true(u.scalable);
    assert_true(u.hw.scalable);
    assert_false(u.hw.geo.noncoherent);
    assert_int_equal(try_init(FAKE_CAP, (FAKE_ECAP | FAKE_SM) & ~(1ull << 48), &u, 0), 0);
    assert_true(u.hw.geo.noncoherent);
    assert_false(u.noncoherent);
    assert_int_equal(try_init(FAKE_CAP, (FAKE_ECAP | FAKE_SM) & ~(1ull << 46), &u, 0), 0);
    assert_false(u.scalable);
}

static void nonsense_is_refused(void **state)
{
    struct fake *f = fake_create(~0ull, ~0ull);
    struct vtd_config config = rig_config(f);
    struct vtd_unit u;

    (void)state;
    assert_int_equal(vtd_init(&u, &config), -ENODEV);
    config.base = 0;
    assert_int_equal(vtd_init(&u, &config), -EINVAL);
    config.base = FAKE_BASE + 8;
    assert_int_equal(vtd_init(&u, &config), -EINVAL);
    config.base = FAKE_BASE;
    config.queue_order = 1;
    assert_int_equal(vtd_init(&u, &config), -EINVAL);
    fake_destroy(f);
}

/* The whole way through all combinations of what matters to the driver. */
static void every_combination_works(void **state)
{
    static const uint64_t caps[] = {FAKE_CM, FAKE_RWBF, FAKE_PSI, FAKE_PMR, 2ull << 8, 1ull << 63};
    static const uint64_t ecaps[] = {FAKE_C, FAKE_QI, FAKE_SM, 1ull << 7};

    (void)state;
    for (unsigned set = 0; set < 1u << 10; set++) {
        uint64_t cap = FAKE_CAP, ecap = FAKE_ECAP;
        struct rig *r;

        for (unsigned i = 0; i < 6; i++)
            cap ^= set >> i & 1 ? caps[i] : 0;
        for (unsigned i = 0; i < 4; i++)
            ecap ^= set >> (6 + i) & 1 ? ecaps[i] : 0;
        r = rig_create(cap, ecap);
        assert_false(reaches(r, SID_A, 0x1000, 0));
        assert_true(r->u.hw.queued == !!(ecap & FAKE_QI));
        map(&r->a, 1, 0x77, 1, 12);
        map(&r->b, 1, 0x88, 1, 12);
        attach(r, SID_A, &r->a, DID_A, 0);
        attach(r, SID_B, &r->b, DID_B, 0);
        assert_true(reaches(r, SID_A, 0x1234, 0x77234));
        assert_true(reaches(r, SID_B, 0x1234, 0x88234));
        unmap(&r->a, 1, 1);
        assert_true(reaches(r, SID_A, 0x1234, 0x77234)); /* stale, as hardware may be */
        assert_int_equal(flush_range(r, DID_A, 1, 1, true), 0);
        assert_false(reaches(r, SID_A, 0x1234, 0));
        assert_true(reaches(r, SID_B, 0x1234, 0x88234));
        attach(r, SID_A, &r->b, DID_B, DID_A);
        assert_true(reaches(r, SID_A, 0x1234, 0x88234));
        attach(r, SID_A, NULL, 0, DID_B);
        assert_false(reaches(r, SID_A, 0x1234, 0));
        assert_true((r->f->write_buffer_flushes > 0) == (cap >> 4 & 1));
        assert_int_equal(r->f->errors, 0);
        rig_destroy(r);
    }
}

static void firmware_s_leftovers_go(void **state)
{
    struct fake *f = fake_create((FAKE_CAP & ~(0xffull << 40)) | FAKE_PMR | 7ull << 40, FAKE_ECAP);
    struct vtd_config config = rig_config(f);
    struct vtd_unit u;
    uint64_t maddr;

    (void)state;
    f->gsts = 1u << 31 | 1u << 30 | 1u << 26 | 1u << 25 | 1u << 23;
    f->rtaddr = f->root = 0x3000;
    f->iqh = f->iqt = 0x40;
    f->pmen = 0x80000001;
    f->plm_limit = 0xffff;
    f->fsts = 0x11;
    f->fectl = 0;
    fake_fault(f, 5, 8, 0x1000, true);
    assert_int_equal(vtd_init(&u, &config), 0);
    assert_int_equal(f->pmen, 0);
    assert_int_equal(f->gsts & (1u << 31 | 1u << 26 | 1u << 25 | 1u << 23), 1u << 31 | 1u << 26);
    assert_int_equal(f->fsts & 0xf1, 0);
    assert_int_equal(f->fectl, 0x80000000);
    assert_int_equal(f->frcd[0][1] >> 63, 0);
    assert_int_not_equal(fake_dma(f, SID_A, 0x1000, false, &maddr), 0);
    vtd_fini(&u);
    assert_int_equal(f->gsts & 1u << 31, 0);
    assert_int_equal(fake_dma(f, SID_A, 0x1000, false, &maddr), 0);
    fake_destroy(f);
}

/* Each allocation fails in turn; in the end nothing is left (fake_destroy looks). */
static void no_memory_leaves_nothing(void **state)
{
    int err = -ENOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        struct fake *f = fake_create(FAKE_CAP, FAKE_ECAP | FAKE_SM);
        struct vtd_config config = rig_config(f);
        struct vtd_unit u;

        f->fail_alloc = n;
        err = vtd_init(&u, &config);
        assert_true(!err || err == -ENOMEM);
        if (!err) {
            f->fail_alloc = n = 1;
            for (; (err = u.hw.ops->prepare(&u.hw, rid(SID_A), 0)); f->fail_alloc = ++n)
                assert_int_equal(err, -ENOMEM);
            assert_int_equal(n, 4); /* each attempt keeps the tables that the last one made */
            vtd_fini(&u);
        }
        fake_destroy(f);
    }
}

/* A unit that does not do as told: bounded, and its tables are kept as long as it may walk them. */
static void stuck_bits_end_in_an_error(void **state)
{
    static const unsigned bit[] = {31, 30, 26};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct fake *f = fake_create(FAKE_CAP, FAKE_ECAP);
        struct vtd_config config = rig_config(f);
        struct vtd_unit u;

        f->stuck = 1u << bit[i];
        assert_int_equal(vtd_init(&u, &config), -ETIMEDOUT);
        assert_true(f->errors >= 1);
        assert_int_equal(f->pages, 0);
        fake_destroy(f);
    }
}

static void fini_keeps_what_hardware_may_use(void **state)
{
    struct fake *f = fake_create(FAKE_CAP, FAKE_ECAP);
    struct vtd_config config = rig_config(f);
    const struct vtd_ir_config interrupts = {.lg2 = 8};
    struct vtd_unit u;

    (void)state;
    assert_int_equal(vtd_init(&u, &config), 0);
    assert_int_equal(vtd_ir_enable(&u, &interrupts), 0);
    assert_int_equal(u.hw.ops->prepare(&u.hw, rid(SID_A), 0), 0);
    assert_int_equal(f->objects, 2);
    f->stuck = 1u << 31;
    vtd_fini(&u);
    assert_int_equal(f->errors, 2);
    assert_int_equal(f->pages, 5);
    assert_int_equal(f->objects, 0); /* no hardware reaches these */
    assert_null(u.hw.interrupts);
    f->port.free_page(f, mfn_of(fake_word(f, f->root & ~0xfffull) >> 12));
    f->port.free_page(f, mfn_of(f->irta >> 12));
    f->stuck = 0;
    u.gcmd = 1u << 31 | (f->gsts & (1u << 26 | 1u << 25));
    vtd_fini(&u);
    fake_destroy(f);
}

static void given_up_it_blocks(uint64_t ecap, bool hangs, bool deaf)
{
    struct rig *r = rig_create(FAKE_CAP, ecap);

    map(&r->a, 1, 0x77, 1, 12);
    attach(r, SID_A, &r->a, DID_A, 0);
    assert_true(reaches(r, SID_A, 0x1000, 0x77000));
    r->f->hangs = hangs;
    r->f->deaf = deaf;
    r->u.hw.ops->quiesce(&r->u.hw);
    assert_int_equal(r->f->gsts >> 31, 1);
    if (!deaf)
        assert_false(reaches(r, SID_A, 0x1000, 0));
    assert_false(reaches(r, SID_B, 0x1000, 0));
    assert_int_equal(flush_range(r, DID_A, 1, 1, false), -EIO);
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(SID_B), 0), -EIO);
    r->u.hw.ops->point(&r->u.hw, rid(SID_A), 0, NULL);
    rig_destroy(r);
}

static void quiesce_blocks_as_well_as_it_can(void **state)
{
    (void)state;
    given_up_it_blocks(FAKE_ECAP, false, false);
    given_up_it_blocks(FAKE_ECAP, true, false);
    given_up_it_blocks(FAKE_ECAP, true, true);
    given_up_it_blocks(FAKE_ECAP & ~FAKE_QI, false, false);
    given_up_it_blocks(FAKE_ECAP | FAKE_SM, false, false);
    given_up_it_blocks(FAKE_ECAP & ~FAKE_C, false, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geometry_is_what_the_unit_can_do),
        cmocka_unit_test(capabilities_show),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(every_combination_works),
        cmocka_unit_test(firmware_s_leftovers_go),
        cmocka_unit_test(no_memory_leaves_nothing),
        cmocka_unit_test(stuck_bits_end_in_an_error),
        cmocka_unit_test(fini_keeps_what_hardware_may_use),
        cmocka_unit_test(quiesce_blocks_as_well_as_it_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
