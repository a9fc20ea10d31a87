/* SPDX-License-Identifier: BSD-2-Clause */
/* The VT-d machines as backends: legacy mode, and scalable mode. */
#include <stdlib.h>
#include <time.h>

#include "vtd.h"

#define IQT 0x88u /* Invalidation Queue Tail (VT-d 11.4.9.3): each write is a submission */

static int open_machine(struct machine *m, bool scalable)
{
    struct vtd_state *state = calloc(1, sizeof(*state));
    int err;

    m->state = state;
    if (!state)
        return -ENOMEM;
    if (m->config.format != PT_FORMAT_VTDSS || m->config.nr_units > 1)
        return machine_fail(m, -EOPNOTSUPP, "this machine has one unit, with VT-d's own tables");
    err = vtd_start_qemu(m, scalable);
    if (err)
        return err;
    m->ram.base = m->ram.view = qemu_ram(state->q, 0, m->config.ram);
    return m->ram.base ? 0 : machine_fail(m, -EINVAL, "this machine has RAM below 2 GiB only");
}

static int open_legacy(struct machine *m)
{
    return open_machine(m, false);
}

static int open_scalable(struct machine *m)
{
    return open_machine(m, true);
}

static void close_machine(struct machine *m)
{
    struct vtd_state *state = m->state;

    if (state)
        qemu_stop(state->q);
    free(state);
}

#define MAILBOX 8u /* frames for each slot, at the end of RAM */

/*
 * What is not RAM in the first MiB; what a stray processor uses, which an interrupt message that is
 * an NMI or an SMI wakes: the code that stops it at 0 and at 0x38000, its stack, and what it saves
 * at an SMI; the mailboxes.
 */
static void reserve(struct machine *m)
{
    struct vtd_state *state = m->state;

    ram_reserve(&m->ram, mfn_of(0), mfn_of(0));
    ram_reserve(&m->ram, mfn_of(0xf), mfn_of(0xf));
    ram_reserve(&m->ram, mfn_of(0x38), mfn_of(0x38));
    ram_reserve(&m->ram, mfn_of(0x3f), mfn_of(0x3f));
    ram_reserve(&m->ram, mfn_of(0xa0), mfn_of(0xff));
    for (unsigned i = 0; i < m->config.nr_slots; i++) {
        struct vtd_slot *slot = &state->slots[i];

        slot->kind = m->config.slots[i].kind;
        slot->mailbox = mfn_of(m->ram.nr - (i + 1) * (uint64_t)MAILBOX);
        if (slot->kind == MACHINE_NVME)
            ram_reserve(&m->ram, slot->mailbox, mfn_add(slot->mailbox, NVME_PAGES - 1));
    }
}

static int open_slot(struct machine *m, unsigned i, mfn_t scratch)
{
    struct vtd_state *state = m->state;
    struct vtd_slot *slot = &state->slots[i];
    const uint8_t devfn = m->config.slots[i].rid.n & 0xff;
    const struct pci_function *f = pci_at(&state->pci, PCI_NO_BRIDGE, devfn);
    int err;

    if (!f)
        return -ENODEV;
    if (slot->kind == MACHINE_NVME)
        return nvme_open(state->q, f, &slot->nvme);
    err = edu_open(state->q, f, scratch.n << FRAME_LG2, &slot->edu);
    return err || slot->edu.window ? err : -EOPNOTSUPP;
}

/* An edu's buffer is found before the unit translates; it takes a page that is free now. */
static int open_slots(struct machine *m)
{
    struct vtd_state *state = m->state;
    mfn_t page;
    int err = ram_alloc(&m->ram, &page);

    if (err)
        return err;
    for (unsigned i = 0; i < m->config.nr_slots && !err; i++)
        err = open_slot(m, i, page);
    ram_free(&m->ram, page);
    return err ? machine_fail(m, err, "a device does not answer: %s", qemu_error(state->q)) : 0;
}

static int add_units(struct machine *m, bool scalable)
{
    int err;

    reserve(m);
    err = open_slots(m);
    return err ? err : vtd_start_unit(m, scalable);
}

static int add_legacy(struct machine *m)
{
    return add_units(m, false);
}

static int add_scalable(struct machine *m)
{
    return add_units(m, true);
}

static void remove_units(struct machine *m)
{
    struct vtd_state *state = m->state;

    if (state->has_unit)
        vtd_fini(&state->unit);
}

static struct hw_unit *unit_at(const struct machine *m, unsigned index)
{
    struct vtd_state *state = m->state;

    return !index && state->has_unit ? &state->unit.hw : NULL;
}

static int add_device(struct machine_device *dev, const struct machine_device_config *config)
{
    struct vtd_state *state = dev->m->state;

    for (unsigned i = 0; i < dev->m->config.nr_slots; i++)
        if (dev->m->config.slots[i].rid.n == config->rids[0].n)
            dev->state = &state->slots[i];
    dev->unit = state->has_unit ? &state->unit.hw : NULL;
    return dev->state ? 0 : machine_fail(dev->m, -ENODEV, "the machine has no such device");
}

static void remove_device(struct machine_device *dev)
{
    (void)dev;
}

static uint64_t now_ns(struct machine *m)
{
    struct timespec t;

    (void)m;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t mmio_read(struct machine *m, uint64_t maddr, unsigned size)
{
    struct vtd_state *state = m->state;

    return qemu_mmio_read(state->q, maddr, size);
}

/* A flush that is to hang is never submitted: the driver waits for it all the same. */
static void mmio_write(struct machine *m, uint64_t maddr, unsigned size, uint64_t value)
{
    struct vtd_state *state = m->state;

    if (maddr == state->unit.config.base + IQT && machine_flush_hangs(m))
        return;
    qemu_mmio_write(state->q, maddr, size, value);
}

const struct machine_backend vtd_backend = {
    .name = "vtd",
    .open = open_legacy,
    .close = close_machine,
    .add_units = add_legacy,
    .remove_units = remove_units,
    .unit = unit_at,
    .add_device = add_device,
    .remove_device = remove_device,
    .dma = vtd_dma,
    .disk = vtd_disk,
    .message = vtd_message,
    .mailbox = vtd_mailbox,
    .now_ns = now_ns,
    .mmio_read = mmio_read,
    .mmio_write = mmio_write,
};

const struct machine_backend vtd_scalable_backend = {
    .name = "vtd-scalable",
    .open = open_scalable,
    .close = close_machine,
    .add_units = add_scalable,
    .remove_units = remove_units,
    .unit = unit_at,
    .add_device = add_device,
    .remove_device = remove_device,
    .dma = vtd_dma,
    .disk = vtd_disk,
    .message = vtd_message,
    .mailbox = vtd_mailbox,
    .now_ns = now_ns,
    .mmio_read = mmio_read,
    .mmio_write = mmio_write,
};
