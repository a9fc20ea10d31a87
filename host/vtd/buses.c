/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device on bus 0 needs nothing. One on another bus without aliases is behind a root port; the
 * alias BUS:00.0 says that its bus is behind a PCI Express to PCI bridge, any other alias is a
 * conventional bridge, whose place that is. One that no unit protects is behind a root port alone
 * on a root bus for which the unit does not translate, whose number is one less.
 */
#include <stdio.h>

#include "buses.h"

#define FIRST_DEVFN (1u << 3)  /* 00:00.0 is the chipset's, */
#define END_DEVFN   (31u << 3) /* and so is 00:1f */

static int refuse(struct machine *m, rid_t rid, const char *why)
{
    return machine_fail(m, -EOPNOTSUPP, "%02x:%02x.%x: %s", rid.n >> 8 & 0xff, rid.n >> 3 & 0x1f,
                        rid.n & 7, why);
}

/* How many devices have the address. */
static unsigned nr_at(const struct machine *m, rid_t rid)
{
    unsigned nr = 0;

    for (unsigned i = 0; i < m->config.nr_slots; i++)
        nr += m->config.slots[i].rids[0].n == rid.n;
    return nr;
}

static bool is_chipset(rid_t rid)
{
    return !(rid.n >> 8) && (rid.n < FIRST_DEVFN || rid.n >= END_DEVFN);
}

static uint8_t bus_of(rid_t rid)
{
    return (uint8_t)(rid.n >> 8);
}

/* Bus `bus` is below such a bridge; devfn 0: wherever there is room on the bus above. */
static int add_bridge(struct machine *m, struct vtd_buses *b, rid_t device, uint8_t bus,
                      enum qemu_model model, rid_t at)
{
    struct vtd_bridge *bridge = &b->to[bus];
    const uint8_t devfn = (uint8_t)at.n;

    if (bridge->used && (bridge->model != model || bridge->above != bus_of(at) ||
                         (devfn && bridge->devfn != devfn)))
        return refuse(m, device, "another device on its bus has other aliases");
    bridge->used = true;
    bridge->model = model;
    bridge->above = bus_of(at);
    bridge->devfn = devfn;
    snprintf(bridge->name, sizeof(bridge->name), "b%02x", bus);
    return 0;
}

/* One bridge up, to the bus that it is on. */
static int climb(struct machine *m, struct vtd_buses *b, rid_t device, rid_t alias, uint8_t *bus)
{
    const uint8_t from = *bus;

    if (!from)
        return refuse(m, device, "on bus 0 a device of this machine has one requester id");
    if (alias.n == (rid_t){(uint32_t)from << 8}.n) {
        *bus = 0;
        return add_bridge(m, b, device, from, QEMU_PCIE_PCI_BRIDGE, (rid_t){0});
    }
    *bus = bus_of(alias);
    if (alias.n >> 16 || *bus >= from || !(alias.n & 0xff))
        return refuse(m, device, "no bridge above it has that alias");
    if (is_chipset(alias) || nr_at(m, alias))
        return refuse(m, alias, "no bridge can be there");
    return add_bridge(m, b, device, from, QEMU_PCI_BRIDGE, alias);
}

static int add_open(struct machine *m, struct vtd_buses *b, const struct machine_slot *slot)
{
    const rid_t device = slot->rids[0];
    const uint8_t bus = bus_of(device), root = (uint8_t)(bus - 1);
    int err;

    if (bus < 2 || (device.n >> 3 & 0x1f) || slot->nr_rids > 1)
        return refuse(m, device,
                      "QEMU's unit is there for all of bus 0; a device behind none is behind a "
                      "root port of another root bus: 41:00.0, without alias");
    err = add_bridge(m, b, device, root, QEMU_OPEN_ROOT, (rid_t){0});
    return err ? err : add_bridge(m, b, device, bus, QEMU_ROOT_PORT, (rid_t){(uint32_t)root << 8});
}

static int add_slot(struct machine *m, struct vtd_buses *b, const struct machine_slot *slot)
{
    const rid_t device = slot->rids[0];
    uint8_t bus = bus_of(device);
    int err = 0;

    if (is_chipset(device))
        return refuse(m, device, "the chipset is there");
    if (nr_at(m, device) > 1)
        return refuse(m, device, "two devices cannot be in one place");
    if (slot->unprotected)
        return add_open(m, b, slot);
    for (unsigned i = 1; i < slot->nr_rids && !err; i++)
        err = climb(m, b, device, slot->rids[i], &bus);
    if (err || !bus)
        return err;
    if (slot->nr_rids > 1)
        return refuse(m, device, "the alias of the bridge on bus 0 is missing");
    if (device.n >> 3 & 0x1f)
        return refuse(m, device,
                      "behind a root port a device has number 0; behind a PCI bridge it has an "
                      "alias");
    return add_bridge(m, b, device, bus, QEMU_ROOT_PORT, (rid_t){0});
}

/* ---- Places on bus 0 ---------------------------------------------------------------------------
 */

static bool is_device(const struct machine *m, unsigned slot)
{
    for (unsigned i = 0; i < m->config.nr_slots; i++)
        if (m->config.slots[i].rids[0].n >> 3 == slot)
            return true;
    return false;
}

static bool is_bridge(const struct vtd_buses *b, unsigned slot)
{
    for (unsigned bus = 1; bus < 256; bus++)
        if (b->to[bus].used && !b->to[bus].above && b->to[bus].devfn >> 3 == slot)
            return true;
    return false;
}

/* Numbers rise with devices, so each bridge comes behind the last; from *devfn on. */
static int place(struct machine *m, const struct vtd_buses *b, unsigned bus,
                 struct vtd_bridge *bridge, unsigned *devfn)
{
    const rid_t below = {bus << 8};

    if (!bridge->devfn) {
        *devfn = (*devfn + 7) & ~7u;
        while (*devfn < END_DEVFN && (is_device(m, *devfn >> 3) || is_bridge(b, *devfn >> 3)))
            *devfn += 8;
        if (*devfn >= END_DEVFN)
            return refuse(m, below, "no room on bus 0 for the bridge above");
        bridge->devfn = (uint8_t)*devfn;
    }
    if (bridge->devfn < *devfn)
        return refuse(m, below, "buses have numbers in the order of their bridges");
    *devfn = bridge->devfn + 1u;
    return 0;
}

int vtd_buses_plan(struct machine *m, struct vtd_buses *out)
{
    unsigned devfn = FIRST_DEVFN;
    int err = 0;

    *out = (struct vtd_buses){0};
    for (unsigned i = 0; i < m->config.nr_slots && !err; i++)
        if (!(m->config.slots[i].rids[0].n >> 16))
            err = add_slot(m, out, &m->config.slots[i]);
    for (unsigned bus = 1; bus < 256 && !err; bus++)
        if (out->to[bus].used && !out->to[bus].above)
            err = place(m, out, bus, &out->to[bus], &devfn);
    return err;
}
