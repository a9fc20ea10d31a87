/* SPDX-License-Identifier: BSD-2-Clause */
/* The units that the DMAR table describes, which devices are behind them, and with which ids. */
#include "../../iommu/hw/requester.h"
#include "../qemu/acpi.h"
#include "vtd.h"

/* ---- What the table is asked with --------------------------------------------------------------
 */

static int buses(void *arg, rid_t bridge, uint8_t *secondary, uint8_t *subordinate)
{
    const struct machine *m = arg;
    const struct vtd_state *state = m->state;
    const struct pci_function *f = pci_find(&state->pci, (uint16_t)bridge.n);

    if (bridge.n >> 16 || !f || !f->is_bridge)
        return -ENODEV;
    *secondary = f->secondary;
    *subordinate = f->subordinate;
    return 0;
}

static bool is_reserved(void *arg, mfn_t first, mfn_t last)
{
    const struct machine *m = arg;

    for (uint64_t n = first.n; n <= last.n && n < m->ram.nr; n++)
        if (!ram_is_reserved(&m->ram, mfn_of(n)))
            return false;
    return true;
}

static int any_quirk(void *arg, enum dmar_quirk quirk, uint32_t offset)
{
    (void)arg;
    (void)quirk;
    (void)offset;
    return 0;
}

static int read_topology(struct machine *m)
{
    const struct vtd_platform platform = {m, buses, is_reserved, any_quirk};
    struct vtd_state *state = m->state;
    const uint8_t *table;
    struct acpi acpi;
    size_t size;
    int err;

    if (acpi_read(state->q, &acpi))
        return machine_fail(m, -EIO, "%s", qemu_error(state->q));
    table = acpi_find(&acpi, "DMAR", &size);
    err = table ? vtd_topology_read(&state->topology, table, size, &platform) : -ENODEV;
    acpi_free(&acpi);
    if (!err && !state->topology.nr_units)
        err = -ENODEV;
    return err ? machine_fail(m, err, "QEMU's tables describe no VT-d unit") : 0;
}

/* ---- Units -------------------------------------------------------------------------------------
 */

static int start_unit(struct machine *m, const struct vtd_topology_unit *found)
{
    struct vtd_state *state = m->state;
    struct vtd_hardware *hardware = &state->units[state->nr_units];
    int err = vtd_hardware_start(m, hardware, found->base, found->segment);

    state->nr_units += hardware->started;
    return err;
}

int vtd_start_units(struct machine *m)
{
    struct vtd_state *state = m->state;
    int err = read_topology(m);

    for (unsigned i = 0; i < state->topology.nr_units && !err; i++)
        err = start_unit(m, &state->topology.unit[i]);
    return err;
}

int vtd_unit_for(struct machine *m, const rid_t *rids, unsigned nr, struct hw_unit **out)
{
    struct vtd_state *state = m->state;
    const int index = vtd_topology_unit(&state->topology, rids[0]);

    for (unsigned i = 1; i < nr; i++)
        if (vtd_topology_unit(&state->topology, rids[i]) != index)
            return machine_fail(m, -EOPNOTSUPP, "requester ids of %04x are behind two units",
                                rids[0].n);
    *out = index < 0 ? NULL : &state->units[index].unit.hw;
    return 0;
}

bool vtd_reserved(const struct vtd_state *state, rid_t rid, unsigned index,
                  struct sluice_region *out)
{
    struct dmar_reserved r;
    unsigned next = 0;

    do {
        if (!vtd_topology_reserved(&state->topology, rid, &next, &r))
            return false;
    } while (index--);
    *out = (struct sluice_region){.first = r.first.n << FRAME_LG2,
                                  .last = ((r.last.n + 1) << FRAME_LG2) - 1,
                                  .type = SLUICE_REGION_DIRECT,
                                  .prot = PT_READ | PT_WRITE,
                                  .source = SLUICE_REGION_BY_FIRMWARE};
    return true;
}

/* ---- Requester ids -----------------------------------------------------------------------------
 */

static enum hw_bridge_kind kind_of(const struct pci_function *bridge)
{
    switch (bridge->port) {
    case PCI_PORT_ROOT:
    case PCI_PORT_UPSTREAM:
    case PCI_PORT_DOWNSTREAM:
        return HW_BRIDGE_EXPRESS;
    case PCI_PORT_TO_PCI:
        return HW_BRIDGE_TO_PCI;
    case PCI_PORT_CONVENTIONAL:
    case PCI_PORT_FROM_PCI:
        return HW_BRIDGE_PCI;
    }
    return HW_BRIDGE_PCI;
}

int vtd_requester(struct machine *m, const struct machine_slot *slot, rid_t *out)
{
    const struct vtd_state *state = m->state;
    const struct pci_function *f = pci_find(&state->pci, (uint16_t)slot->rids[0].n);
    struct hw_bridge up[PCI_DEPTH_MAX];
    rid_t ids[PCI_DEPTH_MAX + 1];
    unsigned nr = 0;

    for (int i = f->bridge; i != PCI_NO_BRIDGE; i = state->pci.functions[i].bridge) {
        const struct pci_function *b = &state->pci.functions[i];

        up[nr++] = (struct hw_bridge){kind_of(b), {b->id}, b->secondary};
    }
    nr = hw_requester_ids((rid_t){f->id}, up, nr, ids);
    for (unsigned i = 0; i < nr; i++)
        if (nr != slot->nr_rids || ids[i].n != slot->rids[i].n)
            return machine_fail(m, -EOPNOTSUPP, "device %04x has other aliases here", f->id);
    *out = ids[nr - 1];
    return 0;
}

rid_t vtd_appears(struct machine_device *dev, rid_t rid)
{
    const struct vtd_slot *slot = dev->state;

    return rid.n == dev->rids[0].n ? slot->requester : rid;
}

int vtd_check_requester(struct machine_device *dev, rid_t rid)
{
    const struct vtd_slot *slot = dev->state;
    const uint32_t id = slot->requester.n;

    if (vtd_appears(dev, rid).n == id)
        return 0;
    return machine_fail(dev->m, -EINVAL, "its bridges let %s appear as %02x:%02x.%x only",
                        dev->name, id >> 8 & 0xff, id >> 3 & 0x1f, id & 7);
}
