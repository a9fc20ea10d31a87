/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Enumeration with bridges, configuration space, ACPI tables.
 */
#include "rig.h"

#include <errno.h>

#include "../../../host/qemu/acpi.h"
#include "../../../host/qemu/edu.h"
#include "../../../host/qemu/nvme.h"
#include "../../../iommu/hw/vtd/topology.h"

static const struct qemu_device tree[] = {
    {.model = QEMU_EDU, .name = "edu", .slot = 5},
    {.model = QEMU_NVME, .name = "disk", .slot = 6},
    {.model = QEMU_EDU, .name = "second", .slot = 5, .function = 3},
    {.model = QEMU_PCI_BRIDGE, .name = "old", .slot = 7},
    {.model = QEMU_EDU, .name = "below-old", .bridge = "old", .slot = 1},
    {.model = QEMU_PCIE_PCI_BRIDGE, .name = "new", .slot = 8},
    {.model = QEMU_EDU, .name = "below-new", .bridge = "new", .slot = 2},
    {.model = QEMU_PCI_BRIDGE, .name = "deep", .bridge = "old", .slot = 3},
    {.model = QEMU_NVME, .name = "deepest", .bridge = "deep", .slot = 4},
    {.model = QEMU_ROOT_PORT, .name = "port", .slot = 9},
    {.model = QEMU_NVME, .name = "below-port", .bridge = "port"},
};

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig_open(rig, tree, sizeof(tree) / sizeof(tree[0]), QEMU_IOMMU_INTEL);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    qemu_stop(rig->q);
    free(rig);
    return 0;
}

static void test_found(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_function(rig, "edu")->id, 5 << 3);
    assert_int_equal(rig_function(rig, "second")->id, 5 << 3 | 3);
    assert_int_equal(rig_function(rig, "edu")->device, EDU_DEVICE);
    assert_int_equal(rig_function(rig, "disk")->class, NVME_CLASS);
    assert_null(pci_named(&rig->pci, &rig->config, "nobody"));
}

static void test_buses(void **state)
{
    struct rig *rig = *state;
    const struct pci_function *old = rig_function(rig, "old"), *deep = rig_function(rig, "deep");

    assert_int_equal(rig_function(rig, "below-old")->id, old->secondary << 8 | 1 << 3);
    assert_int_equal(deep->id >> 8, old->secondary);
    assert_int_equal(deep->secondary, old->subordinate);
    assert_int_equal(rig_function(rig, "deepest")->id >> 8, deep->secondary);
    assert_true(rig_function(rig, "new")->secondary > old->subordinate);
}

static void test_ports(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(rig_function(rig, "old")->port, PCI_PORT_CONVENTIONAL);
    assert_int_equal(rig_function(rig, "deep")->port, PCI_PORT_CONVENTIONAL);
    assert_int_equal(rig_function(rig, "new")->port, PCI_PORT_TO_PCI);
    assert_int_equal(rig_function(rig, "port")->port, PCI_PORT_ROOT);
}

/* Every edu answers at its own address, also behind bridges. */
static void test_bars(void **state)
{
    static const char *const names[] = {"edu", "second", "below-old", "below-new"};
    struct rig *rig = *state;
    struct edu edu;

    for (unsigned i = 0; i < 4; i++)
        rig_ok(rig->q, edu_open(rig->q, rig_function(rig, names[i]), RIG_RAM, &edu));
}

/* Numbers with gaps; the others get what comes next. */
static void test_numbered(void **state)
{
    static const struct pci_number numbers[] = {{7 << 3, 0x20}, {8 << 3, 0x40}};
    static const struct pci_number twisted[] = {{7 << 3, 0x40}, {8 << 3, 0x20}};
    struct rig *rig = *state;
    struct pci pci;

    rig_ok(rig->q, pci_scan_numbered(rig->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, numbers, 2, &rig->pci));
    assert_int_equal(rig_function(rig, "below-old")->id, 0x20 << 8 | 1 << 3);
    assert_int_equal(rig_function(rig, "deepest")->id, 0x21 << 8 | 4 << 3);
    assert_int_equal(rig_function(rig, "below-new")->id, 0x40 << 8 | 2 << 3);
    assert_int_equal(rig_function(rig, "below-port")->id, 0x41 << 8);
    assert_ptr_equal(pci_find(&rig->pci, 0x41 << 8), rig_function(rig, "below-port"));
    assert_null(pci_find(&rig->pci, 1 << 8));
    test_bars(state);
    assert_int_equal(pci_scan_numbered(rig->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, twisted, 2, &pci),
                     -EOPNOTSUPP);
    rig_ok(rig->q, pci_scan(rig->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, &rig->pci));
}

/* No two BARs overlap, and all are in the window. */
static void test_bars_apart(void **state)
{
    struct rig *rig = *state;
    uint64_t end = QEMU_PCI_FIRST;

    for (unsigned i = 0; i < rig->pci.nr; i++)
        for (unsigned b = 0; b < PCI_BARS; b++) {
            const struct pci_bar *bar = &rig->pci.functions[i].bars[b];

            if (!bar->size)
                continue;
            assert_true(bar->addr >= end && bar->addr % bar->size == 0);
            end = bar->addr + bar->size;
        }
    assert_true(end - 1 <= QEMU_PCI_LAST);
}

static bool is_below(const struct pci *pci, unsigned function, unsigned bridge)
{
    int above = pci->functions[function].bridge;

    return above != PCI_NO_BRIDGE &&
           ((unsigned)above == bridge || is_below(pci, (unsigned)above, bridge));
}

/* What a bridge passes on: the BARs of what is below it, all of them and no others. */
static void test_bridge_windows(void **state)
{
    struct rig *rig = *state;
    const struct pci *pci = &rig->pci;

    for (unsigned b = 0; b < pci->nr; b++) {
        uint32_t window;
        uint64_t first, last;

        if (!pci->functions[b].is_bridge)
            continue;
        rig_ok(rig->q, pci_read(rig->q, pci->functions[b].id, 0x20, 4, &window));
        first = (uint64_t)(window & 0xfff0) << 16;
        last = (window & 0xfff00000) | 0xfffff;
        for (unsigned i = 0; i < pci->nr; i++)
            for (unsigned n = 0; n < PCI_BARS; n++) {
                const struct pci_bar *bar = &pci->functions[i].bars[n];
                bool inside = bar->addr >= first && bar->addr + bar->size - 1 <= last;

                if (bar->size)
                    assert_int_equal(inside, is_below(pci, i, b));
            }
    }
}

static void test_window_full(void **state)
{
    struct rig *rig = *state;
    struct pci pci;

    assert_int_equal(pci_scan(rig->q, 0xe0000000, 0xe00fffff, &pci), -ENOSPC);
    rig_ok(rig->q, pci_scan(rig->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, &rig->pci));
}

static void test_capabilities(void **state)
{
    struct rig *rig = *state;
    uint16_t edu = rig_function(rig, "edu")->id, disk = rig_function(rig, "disk")->id;
    unsigned reg;

    rig_ok(rig->q, pci_capability(rig->q, edu, PCI_CAP_MSI, &reg));
    rig_ok(rig->q, pci_capability(rig->q, disk, PCI_CAP_MSIX, &reg));
    assert_int_equal(pci_capability(rig->q, edu, PCI_CAP_MSIX, &reg), -ENOENT);
    assert_int_equal(pci_msix(rig->q, rig_function(rig, "disk"), 5000, 0, 0, true), -ERANGE);
}

static void test_dmar(void **state)
{
    struct rig *rig = *state;
    const uint8_t *table;
    struct acpi acpi;
    uint8_t sum = 0;
    size_t size;

    rig_ok(rig->q, acpi_read(rig->q, &acpi));
    table = acpi_find(&acpi, "DMAR", &size);
    assert_non_null(table);
    assert_true(size >= 64);
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + table[i]);
    assert_int_equal(sum, 0);
    assert_null(acpi_find(&acpi, "NONE", &size));
    acpi_free(&acpi);
}

static int buses(void *arg, rid_t bridge, uint8_t *secondary, uint8_t *subordinate)
{
    const struct rig *rig = arg;
    const struct pci_function *f = pci_find(&rig->pci, (uint16_t)bridge.n);

    if (!f || !f->is_bridge)
        return -ENODEV;
    *secondary = f->secondary;
    *subordinate = f->subordinate;
    return 0;
}

static bool is_reserved(void *arg, mfn_t first, mfn_t last)
{
    (void)arg;
    return first.n > last.n;
}

/* QEMU names each device of bus 0. */
static int quirk(void *arg, enum dmar_quirk q, uint32_t offset)
{
    (void)arg;
    (void)offset;
    return q == DMAR_QUIRK_INCLUDE_ALL_NONE ? 0 : -EINVAL;
}

/* One unit for all that is there, behind bridges too; the IOAPIC has an id of its own. */
static void test_topology(void **state)
{
    static struct vtd_topology t;
    struct rig *rig = *state;
    const struct vtd_platform platform = {rig, buses, is_reserved, quirk};
    const uint8_t *table;
    struct acpi acpi;
    unsigned unit;
    size_t size;
    rid_t rid;
    int ret;

    rig_ok(rig->q, acpi_read(rig->q, &acpi));
    table = acpi_find(&acpi, "DMAR", &size);
    assert_non_null(table);
    ret = vtd_topology_read(&t, table, size, &platform);
    acpi_free(&acpi);
    assert_int_equal(ret, 0);
    assert_int_equal(t.nr_units, 1);
    assert_int_equal(t.unit[0].base, QEMU_VTD_REGISTERS);
    for (unsigned i = 0; i < rig->pci.nr; i++)
        assert_int_equal(vtd_topology_unit(&t, (rid_t){rig->pci.functions[i].id}), 0);
    assert_int_equal(vtd_topology_unit(&t, (rid_t){0x1e << 3}), -ENODEV);
    assert_int_equal(vtd_topology_source(&t, DMAR_SCOPE_IOAPIC, 0, &unit, &rid), 0);
    assert_int_equal(unit, 0);
    assert_int_equal(rid.n, 0xff00);
}

/* Reading the tables leaves RAM as it was. */
static void test_ram_kept(void **state)
{
    struct rig *rig = *state;
    uint8_t *low = qemu_ram(rig->q, 0, 640 << 10), *before = malloc(640 << 10);
    struct acpi acpi;

    assert_non_null(before);
    memset(low + 0x1000, 0x5a, (640 << 10) - 0x1000);
    memcpy(before, low, 640 << 10);
    rig_ok(rig->q, acpi_read(rig->q, &acpi));
    assert_memory_equal(low, before, 640 << 10);
    acpi_free(&acpi);
    free(before);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found),          cmocka_unit_test(test_buses),
        cmocka_unit_test(test_bars),           cmocka_unit_test(test_bars_apart),
        cmocka_unit_test(test_bridge_windows), cmocka_unit_test(test_window_full),
        cmocka_unit_test(test_capabilities),   cmocka_unit_test(test_dmar),
        cmocka_unit_test(test_ram_kept),       cmocka_unit_test(test_ports),
        cmocka_unit_test(test_numbered),       cmocka_unit_test(test_topology),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, setup, teardown);
}
