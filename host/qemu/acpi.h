/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI tables that QEMU built for this machine, as firmware would leave them in RAM, except
 * that they are not in RAM: they are laid out as if loaded at address 0.
 */
#ifndef HOST_QEMU_ACPI_H
#define HOST_QEMU_ACPI_H

#include "qemu.h"

struct acpi {
    uint8_t *bytes;
    size_t size;
    uint32_t root; /* where the root table (RSDT) is */
};

/* BARs and buses should have their addresses: some tables have them too. */
int acpi_read(struct qemu *q, struct acpi *out);
void acpi_free(struct acpi *acpi);

/*
 * The raw bytes of the first table of that signature ("DMAR"), header and all, of the length that
 * it says; valid until acpi_free(). NULL: none that lies within the tables. The checksum is for the
 * reader of the table to judge.
 */
const uint8_t *acpi_find(const struct acpi *acpi, const char *signature, size_t *size);

#endif
