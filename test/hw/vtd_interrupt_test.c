/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupt remapping: only what was set up, only from whom, and nothing that was taken away. */
#include "vtd_fixture.h"

static int ir_alloc(struct rig *r, unsigned lg2, uint16_t *first)
{
    return r->u.hw.interrupts->alloc(&r->u.hw, lg2, first);
}

static int ir_set(struct rig *r, uint16_t index, uint16_t source, const struct hw_interrupt *what)
{
    return r->u.hw.interrupts->set(&r->u.hw, index, rid(source), what);
}

static int ir_free(struct rig *r, uint16_t first, unsigned lg2)
{
    return r->u.hw.interrupts->free(&r->u.hw, first, lg2);
}

static struct hw_message ir_message(struct rig *r, uint16_t index, bool several)
{
    return r->u.hw.interrupts->message(&r->u.hw, index, several);
}

static struct rig *ir_rig(uint64_t ecap, uint8_t lg2, bool x2apic)
{
    const struct vtd_ir_config config = {.lg2 = lg2, .x2apic = x2apic};
    struct rig *r = rig_create(FAKE_CAP, ecap);

    assert_int_equal(vtd_ir_enable(&r->u, &config), 0);
    return r;
}

static unsigned send(struct rig *r, uint16_t sid, uint16_t index, uint64_t *lo)
{
    const struct hw_message m = ir_message(r, index, false);

    return fake_msi(r->f, sid, m.address, m.data, lo);
}

static void messages_have_the_format(void **state)
{
    struct rig *r = ir_rig(FAKE_ECAP, 8, false);

    (void)state;
    assert_int_equal(ir_message(r, 0, false).address, 0xfee00010);
    assert_int_equal(ir_message(r, 1, false).address, 0xfee00030);
    assert_int_equal(ir_message(r, 0x7fff, false).address, 0xfeeffff0);
    assert_int_equal(ir_message(r, 0x8001, false).address, 0xfee00034);
    assert_int_equal(ir_message(r, 4, true).address, 0xfee00098);
    assert_int_equal(ir_message(r, 4, true).data, 0);
    rig_destroy(r);
}

static void registers_and_entries(void **state)
{
    const struct hw_interrupt e = {.destination = 0x5a, .vector = 0x31};
    struct hw_interrupt other = {.destination = 0xabcdef01,
                                 .vector = 0xfe,
                                 .delivery = HW_DELIVER_NMI,
                                 .logical = true,
                                 .level = true};
    struct rig *r = ir_rig(FAKE_ECAP, 8, false);
    uint16_t i;

    (void)state;
    assert_int_equal(r->f->ir & 0xfff, 7);
    assert_int_equal(r->f->gsts >> 23 & 7, 6); /* IRE, IRTPS; not CFI */
    assert_int_equal(ir_alloc(r, 0, &i), 0);
    assert_int_equal(ir_set(r, i, 0x1234, &e), 0);
    assert_int_equal(fake_word(r->f, (r->f->ir & ~0xfffull) + i * 16u), 0x00005a0000310001);
    assert_int_equal(fake_word(r->f, (r->f->ir & ~0xfffull) + i * 16u + 8), 0x41234);
    assert_int_equal(ir_set(r, i, 0x1234, &other), -EINVAL);
    rig_destroy(r);
    r = ir_rig(FAKE_ECAP, 8, true);
    assert_int_equal(r->f->ir & 0xfff, 0x807);
    assert_int_equal(ir_alloc(r, 0, &i), 0);
    assert_int_equal(ir_set(r, i, 0x1234, &other), 0);
    assert_int_equal(fake_word(r->f, (r->f->ir & ~0xfffull) + i * 16u), 0xabcdef0100fe0095);
    rig_destroy(r);
}

static void only_from_its_source(void **state)
{
    const struct hw_interrupt e = {.destination = 1, .vector = 0x31};
    struct rig *r = ir_rig(FAKE_ECAP, 4, false);
    struct hw_fault fault;
    uint64_t lo, lost = 0;
    uint16_t i;

    (void)state;
    assert_int_equal(ir_alloc(r, 0, &i), 0);
    assert_int_equal(send(r, SID_A, i, &lo), 0x22);
    assert_int_equal(r->u.hw.ops->drain_faults(&r->u.hw, &fault, 1, &lost), 1);
    assert_int_equal(ir_set(r, i, SID_A, &e), 0);
    assert_int_equal(send(r, SID_A, i, &lo), 0);
    assert_int_equal(lo >> 16 & 0xff, 0x31);
    assert_int_equal(send(r, SID_B, i, &lo), 0x26);
    assert_int_equal(r->u.hw.ops->drain_faults(&r->u.hw, &fault, 1, &lost), 1);
    assert_int_equal(fault.rid.n, SID_B);
    assert_int_equal(fault.reason, HW_REASON_MSI);
    assert_int_equal(fault.addr, ir_message(r, i, false).address);
    assert_int_equal(send(r, SID_A, 16, &lo), 0x21);
    assert_int_equal(fake_msi(r->f, SID_A, 0xfee00000, 0x31, &lo), 0x25);
    rig_destroy(r);
}

static void freed_is_silent(void **state)
{
    const struct hw_interrupt e = {.destination = 1, .vector = 0x31};
    const struct hw_interrupt moved = {.destination = 2, .vector = 0x32};
    struct rig *r = ir_rig(FAKE_ECAP & ~FAKE_C, 2, false);
    uint16_t i, first;
    uint64_t lo;

    (void)state;
    assert_int_equal(ir_alloc(r, 2, &first), 0);
    assert_int_equal(ir_alloc(r, 0, &i), -ENOSPC);
    for (i = 0; i < 4; i++)
        assert_int_equal(ir_set(r, i, SID_A, &e), 0);
    assert_int_equal(send(r, SID_A, 3, &lo), 0);
    assert_int_equal(ir_set(r, 3, SID_A, &moved), 0);
    assert_int_equal(send(r, SID_A, 3, &lo), 0);
    assert_int_equal(lo >> 16 & 0xff, 0x32);
    r->f->nr_log = 0;
    assert_int_equal(ir_free(r, first, 2), 0);
    assert_int_equal(r->f->log[0].lo, 4 | 1 << 4 | 2 << 27 | (uint64_t)first << 32);
    for (i = 0; i < 4; i++)
        assert_int_equal(send(r, SID_A, i, &lo), 0x22);
    assert_int_equal(ir_free(r, first, 2), -EINVAL);
    assert_int_equal(ir_set(r, 0, SID_A, &e), -EINVAL);
    assert_int_equal(ir_alloc(r, 1, &i), 0);
    rig_destroy(r);
}

/* Only a change of the source makes the entry absent for a moment. */
static void look(struct fake *f)
{
    const uint64_t lo = fake_word(f, f->ir & ~0xfffull), hi = fake_word(f, (f->ir & ~0xfffull) + 8);

    if (!(lo & 1))
        ++*(unsigned *)f->arg;
    else
        assert_true((lo >> 16 & 0xff) == (hi & 0xffff));
}

static void changes_are_whole(void **state)
{
    struct rig *r = ir_rig(FAKE_ECAP & ~FAKE_C, 2, false);
    struct hw_interrupt e = {.destination = 1, .vector = 0x31};
    unsigned gaps = 0;
    uint16_t i;

    (void)state;
    assert_int_equal(ir_alloc(r, 0, &i), 0);
    assert_int_equal(ir_set(r, i, 0x31, &e), 0);
    r->f->arg = &gaps;
    r->f->sample = look;
    e.destination = 2;
    assert_int_equal(ir_set(r, i, 0x31, &e), 0);
    assert_int_equal(gaps, 0);
    e.vector = 0x32;
    assert_int_equal(ir_set(r, i, 0x32, &e), 0);
    assert_int_equal(gaps, 2);
    r->f->sample = NULL;
    rig_destroy(r);
}

static void a_failed_flush_keeps_the_index(void **state)
{
    const struct hw_interrupt e = {.destination = 1, .vector = 0x31};
    struct rig *r = ir_rig(FAKE_ECAP, 8, false);
    uint16_t i;

    (void)state;
    assert_int_equal(ir_alloc(r, 0, &i), 0);
    assert_int_equal(ir_set(r, i, SID_A, &e), 0);
    r->f->hangs = true;
    assert_int_equal(ir_free(r, i, 0), -ETIMEDOUT);
    assert_true(r->u.ir.used[0] & 1);
    r->u.hw.ops->quiesce(&r->u.hw);
    assert_int_equal(ir_set(r, i, SID_A, &e), -EIO);
    assert_int_equal(ir_free(r, i, 0), -EIO);
    assert_int_equal(ir_alloc(r, 0, &i), -EIO);
    r->f->hangs = false;
    rig_destroy(r);
}

static void a_unit_that_is_given_up_delivers_nothing(void **state)
{
    const struct hw_interrupt e = {.destination = 1, .vector = 0x31};
    struct rig *r = ir_rig(FAKE_ECAP, 8, false);
    uint64_t lo;
    uint16_t i;

    (void)state;
    assert_int_equal(ir_alloc(r, 0, &i), 0);
    assert_int_equal(ir_set(r, i, SID_A, &e), 0);
    assert_int_equal(send(r, SID_A, i, &lo), 0);
    r->u.hw.ops->quiesce(&r->u.hw);
    assert_int_equal(send(r, SID_A, i, &lo), 0x22);
    rig_destroy(r);
}

static void bad_wishes_are_refused(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP & ~(1ull << 4));
    const struct hw_interrupt e = {.vector = 0x31};
    struct vtd_ir_config config = {.lg2 = 0};
    uint16_t i;

    (void)state;
    assert_null(r->u.hw.interrupts);
    assert_int_equal(vtd_ir_enable(&r->u, &config), -EINVAL);
    config.lg2 = 9; /* more than a page, and no pages given */
    assert_int_equal(vtd_ir_enable(&r->u, &config), -EINVAL);
    config.lg2 = 8;
    config.x2apic = true;
    assert_int_equal(vtd_ir_enable(&r->u, &config), -EOPNOTSUPP);
    config.x2apic = false;
    for (unsigned n = 1; n < 3; n++) {
        r->f->fail_alloc = n;
        assert_int_equal(vtd_ir_enable(&r->u, &config), -ENOMEM);
    }
    assert_int_equal(vtd_ir_enable(&r->u, &config), 0);
    assert_int_equal(vtd_ir_enable(&r->u, &config), -EBUSY);
    assert_int_equal(ir_alloc(r, 9, &i), -EINVAL);
    assert_int_equal(ir_free(r, 1, 1), -EINVAL);
    assert_int_equal(ir_free(r, 0x100, 0), -EINVAL);
    assert_int_equal(ir_alloc(r, 0, &i), 0);
    assert_int_equal(r->u.hw.interrupts->set(&r->u.hw, i, (rid_t){1u << 16}, &e), -EINVAL);
    rig_destroy(r);
    r = rig_create(FAKE_CAP, FAKE_ECAP & ~(1ull << 3));
    assert_int_equal(vtd_ir_enable(&r->u, &config), -EOPNOTSUPP);
    rig_destroy(r);
    r = rig_create(FAKE_CAP, FAKE_ECAP & ~FAKE_QI);
    assert_int_equal(vtd_ir_enable(&r->u, &config), -EOPNOTSUPP);
    rig_destroy(r);
}

static enum hw_isolation isolation(struct rig *r)
{
    return r->u.hw.ops->isolation(&r->u.hw);
}

/* As hardware says, not as it was told. */
static void it_says_whether_it_isolates(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);
    uint32_t right;

    (void)state;
    assert_int_equal(isolation(r), HW_ISOLATION_NOT_REMAPPING);
    rig_destroy(r);
    r = ir_rig(FAKE_ECAP, 8, false);
    right = r->f->gsts;
    assert_int_equal(isolation(r), HW_ISOLATION_REMAPPED);
    r->f->gsts = right | 1u << 23;
    assert_int_equal(isolation(r), HW_ISOLATION_COMPATIBLE);
    r->f->gsts = right & ~(1u << 25);
    assert_int_equal(isolation(r), HW_ISOLATION_NOT_REMAPPING);
    r->f->gsts = right & ~(1u << 31);
    assert_int_equal(isolation(r), HW_ISOLATION_NOT_TRANSLATING);
    r->f->gsts = UINT32_MAX; /* it is gone */
    assert_false(hw_isolates(isolation(r)));
    r->f->gsts = right;
    rig_destroy(r);
}

/* Remapping that firmware left on is nobody's, though the bit says on. */
static void remapping_of_others_does_not_count(void **state)
{
    struct rig *r = rig_create(FAKE_CAP, FAKE_ECAP);

    (void)state;
    r->f->gsts |= 1u << 25;
    assert_int_equal(isolation(r), HW_ISOLATION_NOT_REMAPPING);
    r->f->gsts &= ~(1u << 25);
    rig_destroy(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_have_the_format),
        cmocka_unit_test(registers_and_entries),
        cmocka_unit_test(only_from_its_source),
        cmocka_unit_test(freed_is_silent),
        cmocka_unit_test(changes_are_whole),
        cmocka_unit_test(a_failed_flush_keeps_the_index),
        cmocka_unit_test(a_unit_that_is_given_up_delivers_nothing),
        cmocka_unit_test(bad_wishes_are_refused),
        cmocka_unit_test(it_says_whether_it_isolates),
        cmocka_unit_test(remapping_of_others_does_not_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
