/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU hands out its tables unfinished, with a script for firmware to finish them: which file to
 * put where, where addresses are to be added, which checksums to compute (etc/table-loader; struct
 * BiosLinkerLoaderEntry of QEMU). Loaded at 0, addresses are right as they are; checksums are not.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "acpi.h"
#include "fwcfg.h"
#include "internal.h"

#define TABLES   "etc/acpi/tables"
#define RSDP     "etc/acpi/rsdp"
#define LOADER   "etc/table-loader"
#define CHECKSUM 3u

#define HEADER_SIZE 36u /* of every table that the root table names */
#define RSDP_RSDT   16u

struct step {
    uint32_t command;
    char file[56];
    uint32_t offset, start, length; /* of CHECKSUM */
    uint8_t unused[56];
};

_Static_assert(sizeof(struct step) == 128, "a step of the loader script");

static uint32_t get32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof(value));
    return le32toh(value);
}

static bool within(const struct acpi *acpi, uint64_t at, uint64_t size)
{
    return at <= acpi->size && size <= acpi->size - at;
}

/* The byte that makes all bytes of the range add up to 0. */
static void fill_checksum(struct acpi *acpi, const struct step *s)
{
    uint32_t offset = le32toh(s->offset), start = le32toh(s->start), length = le32toh(s->length);
    uint8_t sum = 0;

    if (!within(acpi, offset, 1) || !within(acpi, start, length))
        return;
    acpi->bytes[offset] = 0;
    for (uint32_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + acpi->bytes[start + i]);
    acpi->bytes[offset] = (uint8_t)-sum;
}

static int run_script(struct qemu *q, struct acpi *acpi)
{
    uint8_t *script = NULL;
    struct step s;
    size_t size;
    int ret = fwcfg_read(q, LOADER, &script, &size);

    if (ret)
        return ret;
    for (size_t at = 0; at + sizeof(s) <= size; at += sizeof(s)) {
        memcpy(&s, script + at, sizeof(s));
        if (le32toh(s.command) == CHECKSUM && !strncmp(s.file, TABLES, sizeof(s.file)))
            fill_checksum(acpi, &s);
    }
    free(script);
    return 0;
}

static int find_root(struct qemu *q, struct acpi *acpi)
{
    uint8_t *rsdp = NULL;
    size_t size;
    int ret = fwcfg_read(q, RSDP, &rsdp, &size);

    if (ret)
        return ret;
    if (size >= RSDP_RSDT + 4 && !memcmp(rsdp, "RSD PTR ", 8))
        acpi->root = get32(rsdp + RSDP_RSDT);
    else
        ret = qemu_fail(q, -EIO, "ACPI: no root pointer");
    free(rsdp);
    return ret;
}

int acpi_read(struct qemu *q, struct acpi *out)
{
    int ret;

    *out = (struct acpi){0};
    ret = fwcfg_read(q, TABLES, &out->bytes, &out->size);
    if (!ret)
        ret = run_script(q, out);
    if (!ret)
        ret = find_root(q, out);
    if (ret)
        acpi_free(out);
    return ret;
}

void acpi_free(struct acpi *acpi)
{
    free(acpi->bytes);
    *acpi = (struct acpi){0};
}

/* The length of the table at `at`; 0: there is none. */
static uint32_t table_size(const struct acpi *acpi, uint32_t at)
{
    uint32_t size;

    if (!within(acpi, at, HEADER_SIZE))
        return 0;
    size = get32(acpi->bytes + at + 4);
    return size >= HEADER_SIZE && within(acpi, at, size) ? size : 0;
}

const uint8_t *acpi_find(const struct acpi *acpi, const char *signature, size_t *size)
{
    uint32_t root_size = table_size(acpi, acpi->root);

    for (uint32_t i = HEADER_SIZE; i + 4 <= root_size; i += 4) {
        uint32_t at = get32(acpi->bytes + acpi->root + i);

        *size = table_size(acpi, at);
        if (*size && !strncmp((const char *)acpi->bytes + at, signature, 4))
            return acpi->bytes + at;
    }
    *size = 0;
    return NULL;
}
