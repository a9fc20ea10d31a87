/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * RAM and registers by machine address.
 */
#include "internal.h"
#include "qtest.h"

void qemu_ram_layout(const struct qemu *q, uint64_t *low, uint64_t *high)
{
    *low = q->ram_low;
    *high = q->ram_size - q->ram_low;
}

void *qemu_ram(const struct qemu *q, uint64_t addr, uint64_t size)
{
    uint64_t high = q->ram_size - q->ram_low;

    if (addr < q->ram_low)
        return size <= q->ram_low - addr ? q->ram + addr : NULL;
    if (addr < 4 * GIB || addr - 4 * GIB >= high)
        return NULL;
    addr -= 4 * GIB;
    return size <= high - addr ? q->ram + q->ram_low + addr : NULL;
}

uint64_t qemu_mmio_read(struct qemu *q, uint64_t addr, unsigned size)
{
    uint64_t value;

    return qtest_read(q, addr, size, &value) ? ~(uint64_t)0 : value;
}

void qemu_mmio_write(struct qemu *q, uint64_t addr, unsigned size, uint64_t value)
{
    if (q->posted)
        qtest_post(q, addr, size, value);
    else
        qtest_write(q, addr, size, value);
}

void qemu_post_writes(struct qemu *q, bool on)
{
    q->posted = on;
}
