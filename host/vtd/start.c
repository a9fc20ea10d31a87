/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting QEMU with the configuration's devices, and the bridges that they are behind. */
#include <stdio.h>
#include <string.h>

#include "buses.h"
#include "vtd.h"

/* What QEMU is told, and how its buses are numbered. */
struct plan {
    struct vtd_buses buses;
    struct qemu_device devices[QEMU_DEVICES_MAX];
    char names[QEMU_DEVICES_MAX][8];
    struct pci_number numbers[QEMU_DEVICES_MAX];
    unsigned nr_devices, nr_numbers;
};

/* The next device of QEMU's: on `bus`, at devfn. */
static struct qemu_device *add(struct plan *p, uint8_t bus, unsigned devfn)
{
    struct qemu_device *d = &p->devices[p->nr_devices++];

    *d = (struct qemu_device){.bridge = bus ? p->buses.to[bus].name : NULL,
                              .slot = (uint8_t)(devfn >> 3 & 0x1f),
                              .function = (uint8_t)(devfn & 7)};
    return d;
}

static void add_bridge(struct plan *p, const struct vtd_bridge *bridge, unsigned below)
{
    struct qemu_device *d = add(p, bridge->above, bridge->devfn);

    d->model = bridge->model;
    d->name = bridge->name;
    d->bus = (uint8_t)below;
    if (bridge->model == QEMU_OPEN_ROOT)
        return;
    p->numbers[p->nr_numbers++] =
        (struct pci_number){(uint16_t)(bridge->above << 8 | bridge->devfn), (uint8_t)below};
}

static void add_slot(struct plan *p, const struct machine_slot *slot)
{
    char *name = p->names[p->nr_devices];
    struct qemu_device *d = add(p, (uint8_t)(slot->rids[0].n >> 8), slot->rids[0].n);

    snprintf(name, sizeof(p->names[0]), "d%04x", slot->rids[0].n & 0xffff);
    d->name = name;
    d->model = slot->kind == MACHINE_NVME ? QEMU_NVME : QEMU_EDU;
    d->image = slot->image;
    d->mask = (uint8_t)slot->mask;
}

/* Bridges first, those above before those below. A device of another segment does not exist. */
static int make_plan(struct machine *m, struct plan *p)
{
    int err = vtd_buses_plan(m, &p->buses);

    p->nr_devices = p->nr_numbers = 0;
    if (err)
        return err;
    for (unsigned bus = 1; bus < 256 && p->nr_devices < QEMU_DEVICES_MAX; bus++)
        if (p->buses.to[bus].used)
            add_bridge(p, &p->buses.to[bus], bus);
    for (unsigned i = 0; i < m->config.nr_slots; i++) {
        const struct machine_slot *slot = &m->config.slots[i];

        if (slot->rids[0].n >> 16)
            continue;
        if (p->nr_devices == QEMU_DEVICES_MAX)
            return machine_fail(m, -EINVAL, "at most %u devices and bridges", QEMU_DEVICES_MAX);
        add_slot(p, slot);
    }
    return 0;
}

/* A further root bus does not show in bus 0: firmware says that it is there, by its number. */
static int scan(struct vtd_state *state, const struct plan *p)
{
    int err = pci_scan_numbered(state->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, p->numbers, p->nr_numbers,
                                &state->pci);

    for (unsigned bus = 1; bus < 256 && !err; bus++)
        if (p->buses.to[bus].used && p->buses.to[bus].model == QEMU_OPEN_ROOT)
            err = pci_scan_root(state->q, (uint8_t)bus, &state->pci);
    return err;
}

static int start(struct machine *m, const struct plan *p)
{
    struct vtd_state *state = m->state;
    char error[QEMU_ERROR_SIZE];
    const struct qemu_config config = {
        .ram = m->config.ram,
        .iommu = m->config.no_iommu ? QEMU_IOMMU_NONE : QEMU_IOMMU_INTEL,
        .aw_bits = m->config.iova_bits,
        .scalable = m->config.scalable,
        .intremap = !m->config.no_intremap,
        .caching_mode = m->config.caching_mode,
        .devices = p->devices,
        .nr_devices = p->nr_devices,
    };
    int err = qemu_start(&config, &state->q, error);

    if (err == -EIO)
        return machine_fail(m, err, "%s (expected QEMU 7.2 or newer)", error);
    if (err) /* a QEMU that is too old is not what -EOPNOTSUPP, which skips a file, is for */
        return machine_fail(m, err == -EOPNOTSUPP ? -ENODEV : err, "%s", error);
    err = scan(state, p);
    if (!err)
        return 0;
    return machine_fail(m, err == -EOPNOTSUPP ? err : -EIO, "%s", qemu_error(state->q));
}

int vtd_start_qemu(struct machine *m)
{
    struct plan plan;
    int err = 0;

    if (m->config.nr_slots > QEMU_DEVICES_MAX)
        return machine_fail(m, -EINVAL, "at most %u devices", QEMU_DEVICES_MAX);
    err = make_plan(m, &plan);
    return err ? err : start(m, &plan);
}
