/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * edu's buffer in QEMU's own memory.
 */
#ifndef HOST_QEMU_EDU_WINDOW_H
#define HOST_QEMU_EDU_WINDOW_H

#include "edu.h"

/* 0 also when there can be no window. Leaves `scratch` as it was. */
int edu_window_open(struct edu *edu, uint64_t scratch);
int edu_window_read(struct edu *edu, void *to, unsigned size);
int edu_window_write(struct edu *edu, const void *from, unsigned size);

#endif
