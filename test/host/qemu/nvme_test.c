/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The NVMe driver, with nothing between the disk and memory.
 */
#include "rig.h"

#include <errno.h>
#include <unistd.h>

#include "../../../host/qemu/nvme.h"

#define PAGES   0x200000u
#define BUFFER  0x1000000u
#define SIZE    (3u << 20)
#define NOWHERE 0x800000000ull /* no memory there */

struct disk_rig {
    struct rig rig;
    struct nvme nvme;
    struct nvme_page pages[NVME_PAGES];
    char image[64];
};

static int setup(void **state)
{
    static struct qemu_device device = {.model = QEMU_NVME, .name = "disk", .slot = 6};
    struct disk_rig *r = calloc(1, sizeof(*r));
    int fd;

    assert_non_null(r);
    strcpy(r->image, "/tmp/nvme_test.XXXXXX");
    fd = mkstemp(r->image);
    assert_true(fd >= 0 && !ftruncate(fd, 16 << 20));
    close(fd);
    device.image = r->image;
    rig_open(&r->rig, &device, 1, QEMU_IOMMU_NONE);
    rig_ok(r->rig.q, nvme_open(r->rig.q, rig_function(&r->rig, "disk"), &r->nvme));
    for (unsigned i = 0; i < NVME_PAGES; i++) {
        r->pages[i].addr = PAGES + 4096u * i;
        r->pages[i].host = qemu_ram(r->rig.q, r->pages[i].addr, 4096);
    }
    rig_ok(r->rig.q, nvme_start(&r->nvme, r->pages, false));
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    struct disk_rig *r = *state;

    qemu_stop(r->rig.q);
    unlink(r->image);
    free(r);
    return 0;
}

static void test_identified(void **state)
{
    struct disk_rig *r = *state;

    assert_int_equal(r->nvme.block_size, 512);
    assert_int_equal(r->nvme.blocks, (16 << 20) / 512);
    assert_int_equal(r->nvme.serial[0], '0');
}

/* Several commands, with PRP lists that begin inside a page. */
static void test_large(void **state)
{
    struct disk_rig *r = *state;
    uint8_t *out = qemu_ram(r->rig.q, BUFFER + 0x204, SIZE);
    uint8_t *in = qemu_ram(r->rig.q, BUFFER + 2 * SIZE + 8, SIZE + 1);

    for (unsigned i = 0; i < SIZE; i++)
        out[i] = (uint8_t)(i * 31 >> 3);
    memset(in, 0, SIZE + 1);
    rig_ok(r->rig.q, nvme_rw(&r->nvme, 77, SIZE / 512, BUFFER + 0x204, true));
    rig_ok(r->rig.q, nvme_flush(&r->nvme));
    rig_ok(r->rig.q, nvme_rw(&r->nvme, 77, SIZE / 512, BUFFER + 2 * SIZE + 8, false));
    assert_memory_equal(in, out, SIZE);
    assert_int_equal(in[SIZE], 0);
}

/* One block, one page, two pages: PRP1 alone, and both. */
static void test_small(void **state)
{
    static const struct {
        uint32_t nr, offset;
    } cases[] = {{1, 0}, {8, 0}, {8, 0x200}, {16, 0}, {17, 0}, {1, 0xf00}};
    struct disk_rig *r = *state;

    for (unsigned c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
        uint64_t at = BUFFER + cases[c].offset, size = cases[c].nr * 512u;
        uint8_t *ram = qemu_ram(r->rig.q, at, size + 0x10000);

        for (unsigned i = 0; i < size; i++)
            ram[i] = (uint8_t)(i * 7 + c);
        memset(ram + 0x8000, 0, size);
        rig_ok(r->rig.q, nvme_rw(&r->nvme, 5, cases[c].nr, at, true));
        rig_ok(r->rig.q, nvme_rw(&r->nvme, 5, cases[c].nr, at + 0x8000, false));
        assert_memory_equal(ram, ram + 0x8000, size);
    }
}

static void test_refused(void **state)
{
    struct disk_rig *r = *state;

    assert_int_equal(nvme_rw(&r->nvme, r->nvme.blocks - 1, 2, BUFFER, false), -ERANGE);
    assert_int_equal(nvme_rw(&r->nvme, 0, 1, BUFFER + 2, false), -EINVAL);
    assert_int_equal(nvme_rw_prp(&r->nvme, r->nvme.blocks, 1, BUFFER, 0, false), -EIO);
    assert_int_equal(r->nvme.status & 0x7ff, 0x80); /* LBA out of range */
    rig_ok(r->rig.q, nvme_rw(&r->nvme, 0, 1, BUFFER, false));
}

/* More commands than a queue has entries, several at a time. */
static void test_overlapping(void **state)
{
    struct disk_rig *r = *state;
    const struct nvme_command flush = {.opcode = 0, .nsid = 1};
    struct nvme_completion done;

    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 32; i++)
            rig_ok(r->rig.q, nvme_submit(&r->nvme, &r->nvme.io, &flush));
        for (unsigned i = 0; i < 32; i++) {
            rig_ok(r->rig.q, nvme_wait(&r->nvme, &r->nvme.io, &done));
            assert_int_equal(done.status, 0);
        }
    }
}

/* Queues that the device cannot reach: bounded, and another start puts it right. */
static void test_unreachable(void **state)
{
    struct disk_rig *r = *state;
    struct nvme_page pages[NVME_PAGES];
    int ret;

    memcpy(pages, r->pages, sizeof(pages));
    pages[NVME_ADMIN_SQ].addr = NOWHERE;
    r->nvme.timeout_ms = 200;
    ret = nvme_start(&r->nvme, pages, false);
    assert_true(ret == -ETIMEDOUT || ret == -EIO);
    pages[NVME_ADMIN_SQ].addr = r->pages[NVME_ADMIN_SQ].addr;
    pages[NVME_ADMIN_CQ].addr = NOWHERE;
    ret = nvme_start(&r->nvme, pages, false);
    assert_true(ret == -ETIMEDOUT || ret == -EIO);
    r->nvme.timeout_ms = 5000;
    rig_ok(r->rig.q, nvme_start(&r->nvme, r->pages, false));
    rig_ok(r->rig.q, nvme_rw(&r->nvme, 0, 1, BUFFER, false));
}

static void test_interrupts(void **state)
{
    struct disk_rig *r = *state;
    struct qemu_interrupt irqs[8];

    rig_ok(r->rig.q, nvme_stop(&r->nvme, true));
    assert_int_equal(nvme_rw_prp(&r->nvme, 0, 1, BUFFER, 0, false), -EINVAL);
    rig_ok(r->rig.q, pci_msix(r->rig.q, r->nvme.function, 0, 0xfee00000, 0x50, false));
    rig_ok(r->rig.q, pci_msix(r->rig.q, r->nvme.function, 1, 0xfee00000, 0x51, false));
    rig_ok(r->rig.q, pci_msix_enable(r->rig.q, r->nvme.function, true));
    rig_ok(r->rig.q, nvme_start(&r->nvme, r->pages, true));
    assert_int_equal(qemu_interrupts(r->rig.q, irqs, 8), 4); /* identify twice, two queues */
    assert_int_equal(irqs[3].vector, 0x50);
    rig_ok(r->rig.q, nvme_rw(&r->nvme, 0, 1, BUFFER, false));
    assert_int_equal(qemu_interrupts(r->rig.q, irqs, 8), 1);
    assert_int_equal(irqs[0].vector, 0x51);
    rig_ok(r->rig.q, nvme_stop(&r->nvme, false));
    rig_ok(r->rig.q, pci_msix_enable(r->rig.q, r->nvme.function, false));
    rig_ok(r->rig.q, nvme_start(&r->nvme, r->pages, false));
}

/* A disk with a name keeps what was written, also when QEMU is stopped at once. */
static void test_kept(void **state)
{
    struct disk_rig *r = *state;
    uint8_t *ram = qemu_ram(r->rig.q, BUFFER, 512), block[512];
    FILE *image;

    memset(ram, 0xc3, 512);
    rig_ok(r->rig.q, nvme_rw(&r->nvme, 9, 1, BUFFER, true));
    image = fopen(r->image, "rb");
    assert_non_null(image);
    assert_int_equal(fseek(image, 9 * 512, SEEK_SET), 0);
    assert_int_equal(fread(block, 1, 512, image), 512);
    assert_memory_equal(block, ram, 512);
    fclose(image);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_identified),  cmocka_unit_test(test_large),
        cmocka_unit_test(test_small),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_overlapping), cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_interrupts),  cmocka_unit_test(test_kept),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, setup, teardown);
}
