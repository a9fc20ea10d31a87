/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration space by the ports 0xcf8 and 0xcfc. PCI Local Bus Specification 3.0, section
 * 3.2.2.3.2 (configuration mechanism) and chapter 6 (configuration space).
 */
#include <string.h>

#include "internal.h"
#include "pci.h"
#include "pci_regs.h"
#include "qtest.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc
#define CONFIG_ENABLE  0x80000000u

static int select_register(struct qemu *q, uint16_t id, unsigned reg, unsigned size)
{
    if (reg > 0xff || reg % size)
        return qemu_fail(q, -EINVAL, "PCI: register 0x%x of %u bytes", reg, size);
    return qtest_put_out(q, CONFIG_ADDRESS, 4, CONFIG_ENABLE | (uint32_t)id << 8 | (reg & 0xfc));
}

int pci_read(struct qemu *q, uint16_t id, unsigned reg, unsigned size, uint32_t *value)
{
    int ret = select_register(q, id, reg, size);

    return ret ? ret : qtest_in(q, (uint16_t)(CONFIG_DATA + (reg & 3)), size, value);
}

int pci_write(struct qemu *q, uint16_t id, unsigned reg, unsigned size, uint32_t value)
{
    int ret = select_register(q, id, reg, size);

    return ret ? ret : qtest_out(q, (uint16_t)(CONFIG_DATA + (reg & 3)), size, value);
}

int pci_enable(struct qemu *q, uint16_t id, bool on)
{
    const uint32_t bits = PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    uint32_t command;
    int ret = pci_read(q, id, PCI_COMMAND, 2, &command);

    if (ret)
        return ret;
    return pci_write(q, id, PCI_COMMAND, 2, on ? command | bits : command & ~bits);
}

int pci_capability(struct qemu *q, uint16_t id, uint8_t wanted, unsigned *reg)
{
    uint32_t value;
    int ret = pci_read(q, id, PCI_STATUS, 2, &value);

    if (!ret && !(value & PCI_STATUS_CAPS))
        return -ENOENT;
    if (!ret)
        ret = pci_read(q, id, PCI_CAPS, 1, &value);
    /* The list lies in 192 bytes, four or more each: a longer one is a loop. */
    for (unsigned i = 0; !ret && i < 48; i++) {
        *reg = value & 0xfc;
        if (!*reg)
            break;
        ret = pci_read(q, id, *reg, 2, &value);
        if (!ret && (value & 0xff) == wanted)
            return 0;
        value >>= 8;
    }
    return ret ? ret : qemu_fail(q, -ENOENT, "PCI %04x: no capability 0x%x", id, wanted);
}

const struct pci_function *pci_find(const struct pci *pci, uint16_t id)
{
    for (unsigned i = 0; i < pci->nr; i++)
        if (pci->functions[i].id == id)
            return &pci->functions[i];
    return NULL;
}

const struct pci_function *pci_at(const struct pci *pci, int bridge, uint8_t devfn)
{
    for (unsigned i = 0; i < pci->nr; i++)
        if (pci->functions[i].bridge == bridge && (pci->functions[i].id & 0xff) == devfn)
            return &pci->functions[i];
    return NULL;
}

const struct pci_function *pci_named(const struct pci *pci, const struct qemu_config *config,
                                     const char *name)
{
    const struct pci_function *above;

    for (unsigned i = 0; i < config->nr_devices; i++) {
        const struct qemu_device *d = &config->devices[i];
        uint8_t devfn = pci_devfn(d->slot, d->function);

        if (strcmp(d->name, name))
            continue;
        if (!d->bridge)
            return pci_at(pci, PCI_NO_BRIDGE, devfn);
        above = pci_named(pci, config, d->bridge);
        return above ? pci_at(pci, (int)(above - pci->functions), devfn) : NULL;
    }
    return NULL;
}
