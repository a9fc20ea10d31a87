/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Machines that live: RAM, registers, blocks, QMP; many at once.
 */
#include "rig.h"

#include <errno.h>
#include <pthread.h>

#include "../../../host/qemu/qmp.h"
#include "../../../host/qemu/qtest.h"

#define CAP     (QEMU_VTD_REGISTERS + 8)
#define ECAP    (QEMU_VTD_REGISTERS + 16)
#define ECAP_IR 8u

static const struct qemu_config plain = {.ram = 64u << 20, .intremap = true};

static void test_start_stop(void **state)
{
    struct qemu *q = rig_start(&plain);
    uint64_t value;
    (void)state;

    assert_false(qemu_dead(q));
    assert_true(qemu_pid(q) > 0);
    assert_int_not_equal(qemu_mmio_read(q, CAP, 8), ~0ull);
    memcpy(qemu_ram(q, 0x100000, 8), "\1\2\3\4\5\6\7\10", 8);
    rig_ok(q, qtest_read(q, 0x100000, 8, &value));
    assert_int_equal(value, 0x0807060504030201);
    qemu_mmio_write(q, 0x100000, 4, 0xaabbccdd);
    assert_memory_equal(qemu_ram(q, 0x100000, 4), "\xdd\xcc\xbb\xaa", 4);
    qemu_stop(q);
    qemu_stop(NULL);
}

/* A platform without it: the unit itself says so. */
static void test_interrupt_remapping(void **state)
{
    const struct qemu_config without = {.ram = 64u << 20, .iommu = plain.iommu};
    struct qemu *q = rig_start(&plain);

    (void)state;
    assert_int_equal(qemu_mmio_read(q, ECAP, 8) & ECAP_IR, ECAP_IR);
    qemu_stop(q);
    q = rig_start(&without);
    assert_int_equal(qemu_mmio_read(q, ECAP, 8) & ECAP_IR, 0);
    qemu_stop(q);
}

static void test_ram_bounds(void **state)
{
    struct qemu *q = rig_start(&plain);
    uint64_t low, high;
    (void)state;

    qemu_ram_layout(q, &low, &high);
    assert_int_equal(low, 64u << 20);
    assert_int_equal(high, 0);
    assert_non_null(qemu_ram(q, low - 1, 1));
    assert_null(qemu_ram(q, low - 1, 2));
    assert_null(qemu_ram(q, low, 1));
    assert_null(qemu_ram(q, 0, ~0ull));
    assert_null(qemu_ram(q, 1ull << 32, 1));
    qemu_stop(q);
}

/* RAM that does not fit below the devices goes on at 4 GiB. */
static void test_high_ram(void **state)
{
    const struct qemu_config config = {.ram = 3ull << 30};
    struct qemu *q = rig_start(&config);
    uint64_t low, high, value;
    (void)state;

    qemu_ram_layout(q, &low, &high);
    assert_int_equal(low + high, 3ull << 30);
    *(volatile uint32_t *)qemu_ram(q, (1ull << 32) + 0x1000, 4) = 0x11223344;
    rig_ok(q, qtest_read(q, (1ull << 32) + 0x1000, 4, &value));
    assert_int_equal(value, 0x11223344);
    assert_null(qemu_ram(q, low, 4));
    qemu_stop(q);
}

static void test_blocks(void **state)
{
    struct qemu *q = rig_start(&plain);
    uint8_t out[5000], in[5000];
    (void)state;

    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 11 >> 1);
    rig_ok(q, qtest_write_block(q, 0x200123, out, sizeof(out)));
    assert_memory_equal(qemu_ram(q, 0x200123, sizeof(out)), out, sizeof(out));
    rig_ok(q, qtest_read_block(q, 0x200123, in, sizeof(in)));
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(qtest_write(q, 0x200000, 3, 0), -EINVAL);
    assert_int_equal(qtest_out(q, 0x80, 8, 0), -EINVAL);
    qemu_stop(q);
}

/* Far more posted writes than may be on their way, in order. */
static void test_posted(void **state)
{
    struct qemu *q = rig_start(&plain);
    (void)state;

    qemu_post_writes(q, true);
    for (unsigned i = 0; i < 5000; i++)
        qemu_mmio_write(q, 0x200000, 4, i);
    rig_ok(q, qtest_flush(q));
    assert_int_equal(*(volatile uint32_t *)qemu_ram(q, 0x200000, 4), 4999);
    qemu_stop(q);
}

static void test_monitor(void **state)
{
    struct qemu *q = rig_start(&plain);
    unsigned major, minor;
    char *text;
    (void)state;

    rig_ok(q, qmp_version(q, &major, &minor));
    assert_true(major >= 7);
    rig_ok(q, qmp_has_device(q, "edu"));
    assert_int_equal(qmp_has_device(q, "no-such-model"), -ENODEV);
    rig_ok(q, qmp_monitor(q, "info lapic", &text));
    assert_non_null(strstr(text, "LVT0"));
    free(text);
    assert_int_equal(qmp_execute(q, "no-such-command", NULL, NULL), -EIO);
    qemu_stop(q);
}

static void test_parallel(void **state)
{
    struct qemu *q[4];
    (void)state;

    for (unsigned i = 0; i < 4; i++)
        q[i] = rig_start(&plain);
    for (unsigned i = 0; i < 4; i++)
        memset(qemu_ram(q[i], 0x100000, 4096), (int)i + 1, 4096);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(qemu_mmio_read(q[i], 0x100000, 1), i + 1);
    for (unsigned i = 0; i < 4; i++)
        qemu_stop(q[i]);
}

static void *thread(void *arg)
{
    struct qemu *q;
    uint64_t *cap = arg;

    if (!qemu_start(&plain, &q, NULL))
        *cap = qemu_mmio_read(q, CAP, 8);
    qemu_stop(q);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[4];
    uint64_t caps[4] = {0};
    (void)state;

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread, &caps[i]), 0);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(caps[i] && caps[i] != ~0ull && caps[i] == caps[0]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_stop), cmocka_unit_test(test_interrupt_remapping),
        cmocka_unit_test(test_ram_bounds), cmocka_unit_test(test_high_ram),
        cmocka_unit_test(test_blocks),     cmocka_unit_test(test_posted),
        cmocka_unit_test(test_monitor),    cmocka_unit_test(test_parallel),
        cmocka_unit_test(test_threads),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
