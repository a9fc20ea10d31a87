/* SPDX-License-Identifier: BSD-2-Clause */
/* Root, context and PASID entries: their bits, and what a walker sees between two stores. */
#include "vtd_fixture.h"

#define ADDR 0x000ffffffffff000ull

/* Where the entry of a requester is, found with the specification's numbers. */
static uint64_t context_at(const struct fake *f, uint16_t sid)
{
    const bool scalable = (f->root >> 10 & 3) == 1;
    const unsigned devfn = sid & 0xff;
    uint64_t at = (f->root & ADDR) + (sid >> 8) * 16u, table;

    if (scalable && devfn >= 128)
        at += 8;
    table = fake_word(f, at);
    assert_int_equal(table & ~ADDR, 1);
    return (table & ADDR) + (scalable ? (devfn & 127) * 32u : devfn * 16u);
}

static uint64_t pasid_at(const struct fake *f, uint16_t sid)
{
    const uint64_t directory = fake_word(f, context_at(f, sid)) & ADDR;

    assert_int_equal(fake_word(f, directory) & ~ADDR, 1);
    return fake_word(f, directory) & ADDR;
}

static void legacy_entries(void **state)
{
    static const uint64_t sagaw[] = {2, 4, 8};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        const uint64_t cap = (FAKE_CAP & ~(0x1full << 8)) | sagaw[i] << 8 | 0x3full << 16;
        struct rig *r = rig_create(cap, FAKE_ECAP);

        assert_int_equal(r->f->root & 0xfff, 0);
        point(r, SID_B, &r->a, 0xabcd);
        assert_int_equal(fake_word(r->f, context_at(r->f, SID_B)), r->a.root.n << 12 | 1);
        assert_int_equal(fake_word(r->f, context_at(r->f, SID_B) + 8), 0xabcd00 | (i + 1));
        point(r, SID_B, NULL, 0);
        assert_int_equal(fake_word(r->f, context_at(r->f, SID_B)), 0);
        rig_destroy(r);
    }
}

static void scalable_entries(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP | FAKE_SM);
    uint64_t at;

    (void)state;
    assert_int_equal(r->f->root & 0xfff, 0x400);
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(SID_B), 0), 0);
    assert_int_equal(fake_word(r->f, context_at(r->f, SID_B)) & 0xfff, 0); /* shows nothing */
    point(r, SID_B, &r->a, 0xabcd);
    at = context_at(r->f, SID_B);
    assert_int_equal(fake_word(r->f, at) & 0xfff, 1);
    for (unsigned i = 1; i < 4; i++)
        assert_int_equal(fake_word(r->f, at + i * 8), 0);
    at = pasid_at(r->f, SID_B);
    assert_int_equal(fake_word(r->f, at), r->a.root.n << 12 | 2 << 6 | 2 << 2 | 1);
    assert_int_equal(fake_word(r->f, at + 8), 1u << 23 | 0xabcd);
    for (unsigned i = 2; i < 8; i++)
        assert_int_equal(fake_word(r->f, at + i * 8), 0);
    point(r, SID_B, NULL, 0);
    assert_int_equal(fake_word(r->f, at), 0);
    rig_destroy(r);
}

static void neighbours_share_tables_and_nothing_else(void **state)
{
    static const uint16_t sids[] = {0x0000, 0x007f, 0x0080, 0x00ff, 0xff00, 0xffff};

    (void)state;
    for (unsigned scalable = 0; scalable < 2; scalable++) {
        struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP | (scalable ? FAKE_SM : 0));

        map(&r->a, 1, 0x77, 1, 12);
        for (unsigned i = 0; i < 6; i++) {
            attach(r, sids[i], &r->a, DID_A, 0);
            for (unsigned k = 0; k < 6; k++)
                assert_true(reaches(r, sids[k], 0x1000, 0x77000) == (k <= i));
        }
        rig_destroy(r);
    }
}

/* A unit that does not snoop sees each store as it is written back: old, blocking, or new. */
struct watch {
    uint16_t sid;
    uint64_t old, new;
    unsigned samples, blocked;
    bool scalable;
};

static void look(struct fake *f)
{
    struct watch *w = f->arg;
    const uint64_t table = fake_word(f, (f->root & ADDR) + (w->sid >> 8) * 16u);
    uint64_t at, did;

    if (!(table & 1))
        return;
    at = (table & ADDR) + (w->sid & 0x7f) * (w->scalable ? 32u : 16u);
    w->samples++;
    if (w->scalable && fake_word(f, at) & 1)
        at = fake_word(f, fake_word(f, at) & ADDR) & ADDR;
    if (!(fake_word(f, at) & 1)) {
        w->blocked++;
        return;
    }
    did = w->scalable ? fake_word(f, at + 8) & 0xffff : fake_word(f, at + 8) >> 8;
    assert_true((did == DID_A && (fake_word(f, at) & ADDR) == w->old) ||
                (did == DID_B && (fake_word(f, at) & ADDR) == w->new));
}

static void no_mixture_is_ever_present(void **state)
{
    (void)state;
    for (unsigned scalable = 0; scalable < 2; scalable++) {
        struct rig *r = rig_create(FAKE_CAP, (FAKE_ECAP & ~FAKE_C) | (scalable ? FAKE_SM : 0));
        struct watch w = {
            .sid = SID_A, .old = r->a.root.n << 12, .new = r->b.root.n << 12, .scalable = scalable};

        r->f->arg = &w;
        r->f->sample = look;
        point(r, SID_A, &r->a, DID_A);
        point(r, SID_A, &r->b, DID_B);
        point(r, SID_A, &r->a, DID_A);
        point(r, SID_A, NULL, 0);
        assert_true(w.samples >= 10);
        assert_true(w.blocked >= 4);
        r->f->sample = NULL;
        rig_destroy(r);
    }
}

static void another_segment_s_device_is_refused(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);

    (void)state;
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid_of(1, 0, 0x30), 0), -EINVAL);
    rig_destroy(r);
}

static void what_cannot_be_is_caught(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);
    struct hw_space s = space(&r->a, 0);

    (void)state;
    assert_int_equal(r->u.hw.ops->prepare(&r->u.hw, rid(SID_A), 0), 0);
    expect_assert_failure(r->u.hw.ops->point(&r->u.hw, rid(SID_A), 0, &s)); /* did 0 */
    s.did = DID_A;
    s.levels = 3;
    expect_assert_failure(r->u.hw.ops->point(&r->u.hw, rid(SID_A), 0, &s));
    s.levels = 4;
    expect_assert_failure(r->u.hw.ops->point(&r->u.hw, rid(0x4000), 0, &s));
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(legacy_entries),
        cmocka_unit_test(scalable_entries),
        cmocka_unit_test(neighbours_share_tables_and_nothing_else),
        cmocka_unit_test(no_mixture_is_ever_present),
        cmocka_unit_test(another_segment_s_device_is_refused),
        cmocka_unit_test(what_cannot_be_is_caught),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
