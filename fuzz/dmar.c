/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMAR tables, on bridges with arbitrary bus numbers. The sum is made right, so that it does not
 * keep everything out; what is shown must be what acpi.h promises, and what is answered what
 * topology.h does.
 */
#include <stdlib.h>
#include <string.h>

#include "../iommu/hw/vtd/topology.h"

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

/* Some bridges go down, some up, some in circles. */
static int buses(void *arg, rid_t bridge, uint8_t *first, uint8_t *last)
{
    (void)arg;
    *first = (uint8_t)((bridge.n >> 8) + (bridge.n >> 3 & 0x1f) - 3);
    *last = (uint8_t)(*first + (bridge.n & 7));
    return bridge.n % 13 ? 0 : -ENODEV;
}

static void ask(const struct vtd_topology *t, rid_t rid)
{
    const int u = vtd_topology_unit(t, rid);
    struct dmar_reserved r;
    unsigned next = 0;

    must(u == -ENODEV || (u >= 0 && (unsigned)u < t->nr_units));
    must(u < 0 || t->unit[u].segment == rid.n >> 16);
    while (vtd_topology_reserved(t, rid, &next, &r))
        must(r.segment == rid.n >> 16 && r.first.n <= r.last.n);
    must(next == t->nr_reserved);
}

static void topology(struct fuzz *f)
{
    static struct vtd_topology t;
    const struct vtd_platform platform = {f, buses, is_reserved, quirk};
    unsigned u;
    rid_t rid;

    if (vtd_topology_read(&t, f->table, f->size, &platform)) {
        must(!t.nr_units && !t.nr_reserved && !t.nr_scopes);
        return;
    }
    must(t.nr_units <= VTD_TOPOLOGY_UNITS && t.nr_scopes <= VTD_TOPOLOGY_SCOPES);
    for (uint32_t n = 0; n < 0x20000; n += 7)
        ask(&t, (rid_t){n});
    for (unsigned id = 0; id < 256; id++)
        if (!vtd_topology_source(&t, DMAR_SCOPE_IOAPIC, (uint8_t)id, &u, &rid))
            must(u < t.nr_units && t.unit[u].segment == rid.n >> 16);
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
    topology(&f);
    free(table);
    return 0;
}
