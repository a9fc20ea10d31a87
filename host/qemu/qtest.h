/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's qtest protocol: registers, ports and memory as the processor would see them.
 * Sizes are 1, 2, 4 or 8 for memory and 1, 2 or 4 for ports; a wrong one is -EINVAL.
 */
#ifndef HOST_QEMU_QTEST_H
#define HOST_QEMU_QTEST_H

#include "qemu.h"

int qtest_read(struct qemu *q, uint64_t addr, unsigned size, uint64_t *value);
int qtest_write(struct qemu *q, uint64_t addr, unsigned size, uint64_t value);
int qtest_in(struct qemu *q, uint16_t port, unsigned size, uint32_t *value);
int qtest_out(struct qemu *q, uint16_t port, unsigned size, uint32_t value);

/* Goes out at once, but does not wait for QEMU: an error shows at the next access. */
int qtest_post(struct qemu *q, uint64_t addr, unsigned size, uint64_t value);
/* Goes out with the next access only, in order. */
int qtest_put(struct qemu *q, uint64_t addr, unsigned size, uint64_t value);
int qtest_put_out(struct qemu *q, uint16_t port, unsigned size, uint32_t value);
/* Waits for all that was posted. */
int qtest_flush(struct qemu *q);

/* Memory of devices. RAM is faster through qemu_ram(). */
int qtest_read_block(struct qemu *q, uint64_t addr, void *to, size_t size);
int qtest_write_block(struct qemu *q, uint64_t addr, const void *from, size_t size);

#endif
