/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Enumeration: depth first, so that buses and windows below a bridge are one run each.
 */
#include "internal.h"
#include "pci.h"
#include "pci_regs.h"

#define WINDOW_SIZE ((uint64_t)1 << 20) /* granule of a bridge's window */

static int scan_bus(struct qemu *q, struct pci *pci, uint8_t bus, int above, unsigned depth);

static uint64_t round_up(uint64_t n, uint64_t to)
{
    return (n + to - 1) & ~(to - 1);
}

/* An aligned part of the window; sizes are powers of two. */
static int take(struct qemu *q, struct pci *pci, uint64_t size, uint64_t *addr)
{
    *addr = round_up(pci->next, size);
    if (*addr > pci->last || size - 1 > pci->last - *addr)
        return qemu_fail(q, -ENOSPC, "PCI: the window is full");
    pci->next = *addr + size;
    return 0;
}

/* What the register holds of all ones: hardware keeps the bits that it decodes. */
static int probe(struct qemu *q, uint16_t id, unsigned reg, uint32_t *mask)
{
    int ret = pci_write(q, id, reg, 4, ~0u);

    return ret ? ret : pci_read(q, id, reg, 4, mask);
}

/* Sizes of 4 GiB and more do not fit below 4 GiB, so the high half of a BAR is always zero. */
static int place_bar(struct qemu *q, struct pci *pci, struct pci_function *f, unsigned i,
                     bool *is_64)
{
    unsigned reg = PCI_BAR0 + 4 * i;
    uint32_t mask;
    int ret = probe(q, f->id, reg, &mask);

    *is_64 = false;
    if (ret)
        return ret;
    if (!mask || (mask & PCI_BAR_IO))
        return pci_write(q, f->id, reg, 4, 0);
    *is_64 = (mask & PCI_BAR_TYPE) == PCI_BAR_64;
    f->bars[i].size = (uint64_t)(~(mask & ~0xfu)) + 1;
    ret = take(q, pci, f->bars[i].size, &f->bars[i].addr);
    if (!ret)
        ret = pci_write(q, f->id, reg, 4, (uint32_t)f->bars[i].addr);
    if (!ret && *is_64)
        ret = pci_write(q, f->id, reg + 4, 4, 0);
    return ret;
}

static int place_bars(struct qemu *q, struct pci *pci, struct pci_function *f)
{
    unsigned nr = f->is_bridge ? 2 : PCI_BARS;
    bool is_64;

    for (unsigned i = 0; i < nr; i += is_64 ? 2 : 1) {
        int ret = place_bar(q, pci, f, i, &is_64);

        if (ret)
            return ret;
    }
    return 0;
}

/* Base and limit hold bits 31:20 of the first and the last address; base above limit is nothing. */
static int close_window(struct qemu *q, uint16_t id, unsigned reg)
{
    return pci_write(q, id, reg, 4, 0x0000fff0);
}

static int open_window(struct qemu *q, uint16_t id, uint64_t first, uint64_t end)
{
    uint64_t last = end - 1;

    if (first == end)
        return close_window(q, id, PCI_BRIDGE_MEMORY);
    return pci_write(q, id, PCI_BRIDGE_MEMORY, 4,
                     (uint32_t)((first >> 16 & 0xfff0) | (last & 0xfff00000)));
}

/* While looking below, the bridge passes on everything up to bus 255. */
static int number_buses(struct qemu *q, struct pci_function *f, uint8_t subordinate)
{
    uint32_t primary = f->id >> 8;

    f->subordinate = subordinate;
    return pci_write(q, f->id, PCI_BRIDGE_BUSES, 4,
                     primary | (uint32_t)f->secondary << 8 | (uint32_t)subordinate << 16);
}

/* The number wanted for the bus below the bridge, or the next. */
static uint8_t number_for(const struct pci *pci, uint16_t bridge)
{
    for (unsigned i = 0; i < pci->nr_numbers; i++)
        if (pci->numbers[i].bridge == bridge)
            return pci->numbers[i].secondary;
    return pci->next_bus;
}

static int find_port(struct qemu *q, struct pci_function *f)
{
    uint32_t flags;
    unsigned reg;
    int ret = pci_capability(q, f->id, PCI_CAP_PCIE, &reg);

    if (ret == -ENOENT)
        return 0;
    if (!ret)
        ret = pci_read(q, f->id, reg + PCIE_FLAGS, 2, &flags);
    if (!ret)
        f->port = (enum pci_port)((flags & PCIE_PORT) >> 4);
    return ret;
}

static int scan_bridge(struct qemu *q, struct pci *pci, unsigned index, unsigned depth)
{
    struct pci_function *f = &pci->functions[index];
    uint64_t first;
    int ret = find_port(q, f);

    if (ret)
        return ret;
    if (depth == PCI_DEPTH_MAX || pci->next_bus == 0xff)
        return qemu_fail(q, -ENOSPC, "PCI: too many bridges");
    f->secondary = number_for(pci, f->id);
    if (f->secondary < pci->next_bus)
        return qemu_fail(q, -EOPNOTSUPP, "PCI %04x: bus %02x below it would be out of order", f->id,
                         f->secondary);
    pci->next_bus = (uint8_t)(f->secondary + 1);
    first = pci->next = round_up(pci->next, WINDOW_SIZE);
    ret = number_buses(q, f, 0xff);
    if (!ret)
        ret = scan_bus(q, pci, f->secondary, (int)index, depth + 1);
    if (!ret)
        ret = number_buses(q, f, (uint8_t)(pci->next_bus - 1));
    if (ret)
        return ret;
    pci->next = round_up(pci->next, WINDOW_SIZE);
    ret = open_window(q, f->id, first, pci->next);
    if (!ret)
        ret = close_window(q, f->id, PCI_BRIDGE_PREFETCH);
    if (!ret)
        ret = pci_write(q, f->id, PCI_BRIDGE_IO, 2, 0x00f0);
    return ret ? ret : pci_enable(q, f->id, true);
}

/* *header is 0 when there is no function. */
static int scan_function(struct qemu *q, struct pci *pci, uint16_t id, int above, unsigned depth,
                         uint32_t *header)
{
    struct pci_function *f = &pci->functions[pci->nr];
    uint32_t ids, class;
    int ret = pci_read(q, id, PCI_ID, 4, &ids);

    *header = 0;
    if (ret || (ids & 0xffff) == 0xffff)
        return ret;
    if (pci->nr == PCI_FUNCTIONS_MAX)
        return qemu_fail(q, -ENOSPC, "PCI: more than %d functions", PCI_FUNCTIONS_MAX);
    ret = pci_read(q, id, PCI_CLASS, 4, &class);
    if (!ret)
        ret = pci_read(q, id, PCI_HEADER, 1, header);
    if (ret)
        return ret;
    *f = (struct pci_function){.id = id,
                               .vendor = (uint16_t)ids,
                               .device = (uint16_t)(ids >> 16),
                               .class = class >> 8,
                               .bridge = above,
                               .is_bridge = (*header & PCI_HEADER_TYPE) == PCI_HEADER_BRIDGE};
    pci->nr++;
    ret = place_bars(q, pci, f);
    if (ret || !f->is_bridge)
        return ret;
    return scan_bridge(q, pci, pci->nr - 1, depth);
}

static int scan_bus(struct qemu *q, struct pci *pci, uint8_t bus, int above, unsigned depth)
{
    uint32_t header;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        int ret =
            scan_function(q, pci, (uint16_t)((unsigned)bus << 8 | devfn), above, depth, &header);

        if (ret)
            return ret;
        if (devfn % 8 == 0 && !(header & PCI_HEADER_MULTIPLE))
            devfn += 7;
    }
    return 0;
}

int pci_scan_numbered(struct qemu *q, uint64_t first, uint64_t last,
                      const struct pci_number *numbers, unsigned nr, struct pci *out)
{
    int ret;

    *out = (struct pci){
        .next = first, .last = last, .next_bus = 1, .numbers = numbers, .nr_numbers = nr};
    if (!first || last < first || last > 0xffffffff)
        return qemu_fail(q, -EINVAL, "PCI: a bad window");
    ret = scan_bus(q, out, 0, PCI_NO_BRIDGE, 0);
    out->numbers = NULL;
    out->nr_numbers = 0;
    return ret;
}

int pci_scan_root(struct qemu *q, uint8_t bus, struct pci *pci)
{
    if (bus < pci->next_bus || bus == 0xff)
        return qemu_fail(q, -EOPNOTSUPP, "PCI: root bus %02x would be out of order", bus);
    pci->next_bus = (uint8_t)(bus + 1);
    return scan_bus(q, pci, bus, PCI_NO_BRIDGE, 0);
}

int pci_scan(struct qemu *q, uint64_t first, uint64_t last, struct pci *out)
{
    return pci_scan_numbered(q, first, last, NULL, 0, out);
}
