/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting: QEMU, its devices, and the unit that its DMAR table describes. */
#include <stdio.h>
#include <string.h>

#include "../../iommu/hw/vtd/acpi.h"
#include "../qemu/acpi.h"
#include "vtd.h"

#define TIMEOUT_NS 200000000ull /* QEMU does not take long, and a test that makes it hang waits */

static int add_slot(struct machine *m, const struct machine_slot *slot, struct qemu_device *out,
                    char *name)
{
    if (slot->rid.n >> 8)
        return machine_fail(m, -EOPNOTSUPP, "this machine has devices on bus 0 only");
    if (slot->aliases)
        return machine_fail(m, -EOPNOTSUPP, "a device of this machine has one requester id");
    if (slot->unprotected)
        return machine_fail(m, -EOPNOTSUPP, "this machine's unit is for all devices");
    snprintf(name, 8, "d%02x", slot->rid.n & 0xff);
    *out = (struct qemu_device){.model = slot->kind == MACHINE_NVME ? QEMU_NVME : QEMU_EDU,
                                .name = name,
                                .image = slot->image,
                                .slot = (uint8_t)(slot->rid.n >> 3 & 0x1f),
                                .function = (uint8_t)(slot->rid.n & 7)};
    return 0;
}

int vtd_start_qemu(struct machine *m, bool scalable)
{
    struct vtd_state *state = m->state;
    struct qemu_device devices[QEMU_DEVICES_MAX];
    char names[QEMU_DEVICES_MAX][8], error[QEMU_ERROR_SIZE];
    const struct qemu_config config = {
        .ram = m->config.ram,
        .iommu = m->config.no_iommu ? QEMU_IOMMU_NONE : QEMU_IOMMU_INTEL,
        .aw_bits = m->config.iova_bits,
        .scalable = scalable,
        .intremap = !m->config.no_intremap,
        .caching_mode = m->config.caching_mode,
        .devices = devices,
        .nr_devices = m->config.nr_slots,
    };
    int err = 0;

    if (m->config.nr_slots > QEMU_DEVICES_MAX)
        return machine_fail(m, -EINVAL, "at most %u devices", QEMU_DEVICES_MAX);
    for (unsigned i = 0; i < m->config.nr_slots && !err; i++)
        err = add_slot(m, &m->config.slots[i], &devices[i], names[i]);
    if (err)
        return err;
    err = qemu_start(&config, &state->q, error);
    if (err)
        return machine_fail(m, err, "%s", error);
    if (pci_scan(state->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, &state->pci))
        return machine_fail(m, -EIO, "%s", qemu_error(state->q));
    return 0;
}

static int first_unit(void *arg, const struct dmar_unit *unit)
{
    uint64_t *base = arg;

    if (!*base)
        *base = unit->base;
    return 0;
}

static int no_reserved(void *arg, const struct dmar_reserved *reserved)
{
    (void)arg;
    (void)reserved;
    return 0;
}

static int no_ats(void *arg, const struct dmar_ats *ats)
{
    (void)arg;
    (void)ats;
    return 0;
}

static int no_scope(void *arg, enum dmar_owner owner, const struct dmar_scope *scope)
{
    (void)arg;
    (void)owner;
    (void)scope;
    return 0;
}

static bool never_reserved(void *arg, mfn_t first, mfn_t last)
{
    (void)arg;
    (void)first;
    (void)last;
    return false;
}

static int any_quirk(void *arg, enum dmar_quirk quirk, uint32_t offset)
{
    (void)arg;
    (void)quirk;
    (void)offset;
    return 0;
}

/* QEMU has one unit, which is for everything. */
static int find_unit(struct machine *m, uint64_t *base)
{
    const struct dmar_visitor visitor = {.arg = base,
                                         .unit = first_unit,
                                         .reserved = no_reserved,
                                         .ats = no_ats,
                                         .scope = no_scope,
                                         .is_reserved = never_reserved,
                                         .quirk = any_quirk};
    struct vtd_state *state = m->state;
    const uint8_t *table;
    struct acpi acpi;
    size_t size;
    int err;

    *base = 0;
    if (acpi_read(state->q, &acpi))
        return machine_fail(m, -EIO, "%s", qemu_error(state->q));
    table = acpi_find(&acpi, "DMAR", &size);
    err = table ? dmar_parse(table, size, &visitor) : -ENODEV;
    acpi_free(&acpi);
    if (!err && !*base)
        err = -ENODEV;
    return err ? machine_fail(m, err, "QEMU's tables describe no VT-d unit") : 0;
}

int vtd_start_unit(struct machine *m, bool scalable)
{
    struct vtd_state *state = m->state;
    struct vtd_config config = {.port = &m->port,
                                .scalable = scalable,
                                .max_levels = m->config.iova_bits <= 39 ? 3 : 4,
                                .leaf_sizes = m->config.leaf_sizes,
                                .timeout_ns = TIMEOUT_NS};
    const struct vtd_ir_config interrupts = {.lg2 = 8};
    int err = find_unit(m, &config.base);

    if (err)
        return err;
    err = vtd_init(&state->unit, &config);
    if (err)
        return machine_fail(m, err, "the VT-d unit does not start");
    state->has_unit = true;
    if (!m->config.no_intremap && vtd_ir_enable(&state->unit, &interrupts))
        return machine_fail(m, -EIO, "the VT-d unit does not remap interrupts");
    vtd_faults_wrap(state);
    return sluice_add_unit(m->sluice, &state->unit.hw);
}
