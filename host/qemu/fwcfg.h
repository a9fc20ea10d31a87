/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that QEMU offers to firmware (docs/specs/fw_cfg of QEMU).
 */
#ifndef HOST_QEMU_FWCFG_H
#define HOST_QEMU_FWCFG_H

#include "qemu.h"

/*
 * *bytes is the caller's to free. -ENOENT: no such file. Some RAM below 1 MiB is borrowed and put
 * back. The ACPI files are made anew from the machine's present state when they are read.
 */
int fwcfg_read(struct qemu *q, const char *name, uint8_t **bytes, size_t *size);

#endif
