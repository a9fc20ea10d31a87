/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMA and interrupts of edu, with nothing between it and memory.
 */
#include "rig.h"

#include <errno.h>

#include "../../../host/qemu/edu.h"
#include "../../../host/qemu/qmp.h"

#define AT   0x300ffeu /* two bytes before a page's end */
#define SIZE 20000u

struct edu_rig {
    struct rig rig;
    struct edu edu;
    uint8_t data[SIZE], got[SIZE];
};

static int setup(void **state)
{
    static const struct qemu_device device = {.model = QEMU_EDU, .name = "edu", .slot = 5};
    struct edu_rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    rig_open(&r->rig, &device, 1, QEMU_IOMMU_NONE);
    rig_ok(r->rig.q, edu_open(r->rig.q, rig_function(&r->rig, "edu"), RIG_RAM, &r->edu));
    for (unsigned i = 0; i < SIZE; i++)
        r->data[i] = (uint8_t)(i * 13 >> 2);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct edu_rig *r = *state;

    qemu_stop(r->rig.q);
    free(r);
    return 0;
}

static void round_trip(struct edu_rig *r)
{
    uint8_t *ram = qemu_ram(r->rig.q, AT, SIZE + 1);

    memset(ram, 0, SIZE + 1);
    memset(r->got, 0, SIZE);
    rig_ok(r->rig.q, edu_dma(&r->edu, AT, r->data, SIZE, true));
    assert_memory_equal(ram, r->data, SIZE);
    assert_int_equal(ram[SIZE], 0);
    rig_ok(r->rig.q, edu_dma(&r->edu, AT, r->got, SIZE, false));
    assert_memory_equal(r->got, r->data, SIZE);
}

static void test_window(void **state)
{
    struct edu_rig *r = *state;

    if (!r->edu.window)
        skip(); /* the system forbids to look into a child */
    round_trip(r);
}

static void test_bounce(void **state)
{
    struct edu_rig *r = *state;
    uint64_t window = r->edu.window;

    r->edu.window = 0;
    assert_int_equal(edu_dma(&r->edu, AT, r->data, 1, true), -EOPNOTSUPP);
    edu_set_bounce(&r->edu, qemu_ram(r->rig.q, RIG_RAM, 4096), RIG_RAM);
    round_trip(r);
    edu_set_bounce(&r->edu, NULL, 0);
    r->edu.window = window;
}

/* Nothing is there: no data comes, and none of what the buffer held before. */
static void test_no_memory(void **state)
{
    struct edu_rig *r = *state;

    if (!r->edu.window)
        skip();
    rig_ok(r->rig.q, edu_dma(&r->edu, AT, r->data, 64, true));
    rig_ok(r->rig.q, edu_dma(&r->edu, 0x800000000ull, r->got, 64, false));
    for (unsigned i = 0; i < 64; i++)
        assert_true(r->got[i] == EDU_POISON || r->got[i] == 0 || r->got[i] == 0xff);
}

/* QEMU would abort. */
static void test_too_long(void **state)
{
    struct edu_rig *r = *state;

    assert_int_equal(edu_transfer(&r->edu, AT, 0, 4096, true, false), -EINVAL);
    assert_int_equal(edu_transfer(&r->edu, AT, 4095, 1, true, false), -EINVAL);
    rig_ok(r->rig.q, edu_transfer(&r->edu, AT, 0, 4095, true, false));
}

static void test_interrupts(void **state)
{
    struct edu_rig *r = *state;
    struct qemu_interrupt irqs[4];

    rig_ok(r->rig.q, pci_msi(r->rig.q, r->edu.function, 0xfee00000, 0x41));
    assert_int_equal(qemu_interrupts(r->rig.q, irqs, 4), 0);
    rig_ok(r->rig.q, edu_raise(&r->edu, 1));
    rig_ok(r->rig.q, edu_lower(&r->edu, 1));
    assert_int_equal(qemu_interrupts(r->rig.q, irqs, 4), 1);
    assert_int_equal(irqs[0].vector, 0x41);
    assert_false(irqs[0].remapped);
    rig_ok(r->rig.q, edu_transfer(&r->edu, AT, 0, 8, true, true));
    assert_int_equal(qemu_interrupts(r->rig.q, irqs, 4), 1);
    rig_ok(r->rig.q, edu_lower(&r->edu, 0x100));
    rig_ok(r->rig.q, pci_msi_off(r->rig.q, r->edu.function));
    rig_ok(r->rig.q, edu_raise(&r->edu, 1));
    rig_ok(r->rig.q, edu_lower(&r->edu, 1));
    assert_int_equal(qemu_interrupts(r->rig.q, irqs, 4), 0);
}

/* The processor is asleep, or will be in a moment. */
static void assert_sleeps(struct qemu *q)
{
    bool asleep = false;

    for (unsigned i = 0; i < 100 && !asleep; i++) {
        char *text;

        rig_ok(q, qmp_monitor(q, "info registers", &text));
        asleep = strstr(text, "HLT=1") != NULL;
        free(text);
    }
    assert_true(asleep);
}

/* Messages that are an NMI, an INIT, a SIPI, an SMI: the processor stays out of the way. */
static void test_stray_processor(void **state)
{
    static const uint32_t delivery[] = {4, 5, 6, 2};
    struct edu_rig *r = *state;
    struct qemu_interrupt irqs[4];

    for (unsigned i = 0; i < 4; i++) {
        rig_ok(r->rig.q, pci_msi(r->rig.q, r->edu.function, 0xfee00000, delivery[i] << 8));
        rig_ok(r->rig.q, edu_raise(&r->edu, 1));
        rig_ok(r->rig.q, edu_lower(&r->edu, 1));
        assert_int_equal(qemu_interrupts(r->rig.q, irqs, 4), 1);
        assert_int_equal(irqs[0].delivery, delivery[i]);
        rig_ok(r->rig.q, edu_transfer(&r->edu, AT, 0, 4095, true, false));
        assert_sleeps(r->rig.q);
    }
    rig_ok(r->rig.q, pci_msi_off(r->rig.q, r->edu.function));
}

/* What does not fit waits for the next call. */
static void test_many_interrupts(void **state)
{
    struct edu_rig *r = *state;
    struct qemu_interrupt irqs[64];
    unsigned nr, all = 0;

    rig_ok(r->rig.q, pci_msi(r->rig.q, r->edu.function, 0xfee00000, 0x42));
    for (unsigned i = 0; i < 1000; i++)
        rig_ok(r->rig.q, edu_raise(&r->edu, 1));
    while ((nr = qemu_interrupts(r->rig.q, irqs, 64)))
        for (unsigned i = 0; i < nr; i++, all++)
            assert_int_equal(irqs[i].vector, 0x42);
    assert_int_equal(all, 1000);
    rig_ok(r->rig.q, edu_lower(&r->edu, 1));
    rig_ok(r->rig.q, pci_msi_off(r->rig.q, r->edu.function));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_window),          cmocka_unit_test(test_bounce),
        cmocka_unit_test(test_no_memory),       cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_interrupts),      cmocka_unit_test(test_many_interrupts),
        cmocka_unit_test(test_stray_processor),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, setup, teardown);
}
