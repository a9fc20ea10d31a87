/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's PCI: there is no firmware, so bus numbers, bridge windows and BARs are ours.
 * A function is named by its requester id, bus << 8 | device << 3 | function.
 */
#ifndef HOST_QEMU_PCI_H
#define HOST_QEMU_PCI_H

#include "qemu.h"

#define PCI_FUNCTIONS_MAX 64
#define PCI_DEPTH_MAX     8 /* bridges above a function */
#define PCI_BARS          6
#define PCI_NO_BRIDGE     (-1)

#define PCI_CAP_MSI  0x05u
#define PCI_CAP_PCIE 0x10u
#define PCI_CAP_MSIX 0x11u

struct pci_bar {
    uint64_t addr; /* 0: none */
    uint64_t size; /* 0: no memory BAR; BARs of I/O ports are left alone */
};

/* What a bridge is: the type in its PCI Express capability, if it has one. */
enum pci_port {
    PCI_PORT_CONVENTIONAL,
    PCI_PORT_ROOT = 4,
    PCI_PORT_UPSTREAM = 5,
    PCI_PORT_DOWNSTREAM = 6,
    PCI_PORT_TO_PCI = 7,
    PCI_PORT_FROM_PCI = 8,
};

struct pci_function {
    uint16_t id;
    uint16_t vendor, device;
    uint32_t class; /* class << 16 | subclass << 8 | interface */
    int bridge;     /* index of the bridge above it, or PCI_NO_BRIDGE */
    bool is_bridge;
    enum pci_port port;
    uint8_t secondary, subordinate; /* bridges: the buses below */
    struct pci_bar bars[PCI_BARS];
};

/* The bus below a bridge is to have this number. */
struct pci_number {
    uint16_t bridge;
    uint8_t secondary;
};

struct pci {
    unsigned nr;
    struct pci_function functions[PCI_FUNCTIONS_MAX]; /* a bridge comes before what is below it */
    uint64_t next, last;                              /* what is left of the window */
    uint8_t next_bus;
    const struct pci_number *numbers; /* while scanning */
    unsigned nr_numbers;
};

static inline uint8_t pci_devfn(uint8_t slot, uint8_t function)
{
    return (uint8_t)(slot << 3 | function);
}

/* Configuration space, first 256 bytes; size 1, 2 or 4, aligned. No function: all ones. */
int pci_read(struct qemu *q, uint16_t id, unsigned reg, unsigned size, uint32_t *value);
int pci_write(struct qemu *q, uint16_t id, unsigned reg, unsigned size, uint32_t value);

/*
 * Finds all functions, numbers buses, gives memory BARs addresses in [first, last] (of the low
 * 4 GiB), opens the bridges. Functions stay off until pci_enable(). -ENOSPC: the window or `out` is
 * too small.
 */
int pci_scan(struct qemu *q, uint64_t first, uint64_t last, struct pci *out);

/*
 * The same, with the numbers that buses are to have. Numbers rise in the order in which bridges are
 * found, those with lower devices first, and what is below them before what comes after:
 * -EOPNOTSUPP: they do not.
 */
int pci_scan_numbered(struct qemu *q, uint64_t first, uint64_t last,
                      const struct pci_number *numbers, unsigned nr, struct pci *out);

/* Then, what is on a further root bus, numbers rising: -EOPNOTSUPP. */
int pci_scan_root(struct qemu *q, uint8_t bus, struct pci *pci);

/* Memory decoding and bus mastering. */
int pci_enable(struct qemu *q, uint16_t id, bool on);

/* NULL: there is none. */
const struct pci_function *pci_find(const struct pci *pci, uint16_t id);
const struct pci_function *pci_at(const struct pci *pci, int bridge, uint8_t devfn);
const struct pci_function *pci_named(const struct pci *pci, const struct qemu_config *config,
                                     const char *name);

/* Where the capability is in configuration space; -ENOENT. */
int pci_capability(struct qemu *q, uint16_t id, uint8_t wanted, unsigned *reg);

/* One message (a device that asks for several gets one). The address has 32 bits in hardware too:
 * 0xfee..... */
int pci_msi(struct qemu *q, const struct pci_function *f, uint64_t addr, uint32_t data);
int pci_msi_off(struct qemu *q, const struct pci_function *f);

/* An entry of the MSI-X table; the BAR must be enabled. -ERANGE: no such entry. */
int pci_msix(struct qemu *q, const struct pci_function *f, unsigned entry, uint64_t addr,
             uint32_t data, bool masked);
int pci_msix_enable(struct qemu *q, const struct pci_function *f, bool on);

#endif
