/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMAR tables. The sum is made right, so that it does not keep everything out; what is shown must
 * be what acpi.h promises.
 */
#include <stdlib.h>
#include <string.h>

#include "../iommu/hw/vtd/acpi.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct fuzz {
    const uint8_t *table;
    size_t size;
    unsigned shown;
};

static void must(bool right)
{
    if (!right)
        abort();
}

static int unit(void *arg, const struct dmar_unit *u)
{
    struct fuzz *f = arg;

    must(u->base && !(u->base & (FRAME_SIZE - 1)));
    f->shown++;
    return 0;
}

static int reserved(void *arg, const struct dmar_reserved *r)
{
    struct fuzz *f = arg;

    must(r->first.n <= r->last.n && (r->last.n < 0xfee00 || r->first.n > 0xfeeff));
    f->shown++;
    return 0;
}

static int ats(void *arg, const struct dmar_ats *a)
{
    struct fuzz *f = arg;

    (void)a;
    f->shown++;
    return 0;
}

static int secondary(void *arg, rid_t bridge, uint8_t *bus)
{
    (void)arg;
    *bus = (uint8_t)(bridge.n ^ 1);
    return 0;
}

static int scope(void *arg, enum dmar_owner owner, const struct dmar_scope *s)
{
    struct fuzz *f = arg;
    rid_t rid;

    (void)owner;
    must(f->shown && s->nr_hops && s->path >= f->table);
    must(s->path + 2u * s->nr_hops <= f->table + f->size);
    (void)dmar_resolve(s, 0, secondary, NULL, &rid);
    return 0;
}

static bool is_reserved(void *arg, mfn_t first, mfn_t last)
{
    (void)arg;
    must(first.n <= last.n);
    return first.n & 1;
}

static int quirk(void *arg, enum dmar_quirk q, uint32_t offset)
{
    const struct fuzz *f = arg;

    must(q < DMAR_NR_QUIRKS && offset <= f->size);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz f = {.size = size};
    const struct dmar_visitor v = {&f, unit, reserved, ats, scope, is_reserved, quirk};
    uint8_t *table = malloc(size ? size : 1), sum = 0;

    must(table);
    memcpy(table, data, size);
    if (size >= DMAR_STRUCTURES) {
        memcpy(table, "DMAR", 4);
        table[DMAR_LENGTH] = (uint8_t)size;
        table[DMAR_LENGTH + 1] = (uint8_t)(size >> 8);
        table[DMAR_LENGTH + 2] = (uint8_t)(size >> 16);
        table[DMAR_LENGTH + 3] = 0;
        table[DMAR_CHECKSUM] = 0;
        for (size_t i = 0; i < size; i++)
            sum = (uint8_t)(sum + table[i]);
        table[DMAR_CHECKSUM] = (uint8_t)-sum;
    }
    f.table = table;
    (void)dmar_parse(table, size, &v);
    free(table);
    return 0;
}
