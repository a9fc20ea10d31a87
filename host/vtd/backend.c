/* SPDX-License-Identifier: BSD-2-Clause */
/* The VT-d machine as a backend. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "vtd.h"

static int open_machine(struct machine *m)
{
    struct vtd_state *state = calloc(1, sizeof(*state));
    int err;

    m->state = state;
    if (!state)
        return -ENOMEM;
    if (m->config.format != PT_FORMAT_VTDSS || m->config.nr_units > 1)
        return machine_fail(m, -EOPNOTSUPP, "this machine has one unit, with VT-d's own tables");
    if (m->config.no_iommu && m->config.nr_slots)
        return machine_fail(m, -EOPNOTSUPP, "this machine has no devices without a unit");
    if (m->config.nr_doorbells)
        return machine_fail(m, -EOPNOTSUPP, "this machine has no doorbells");
    if (m->config.stages == 2)
        return machine_fail(m, -EOPNOTSUPP, "this machine's unit does not nest");
    err = vtd_start_qemu(m);
    if (err)
        return err;
    m->ram.base = m->ram.view = qemu_ram(state->q, 0, m->config.ram);
    return m->ram.base
               ? 0
               : machine_fail(m, -EINVAL,
                              "this machine has RAM below 2 GiB only: machine ram=2G or less");
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
    const struct machine_slot *config = &m->config.slots[i];
    const struct pci_function *f = pci_find(&state->pci, (uint16_t)config->rids[0].n);
    int err;

    if (config->rids[0].n >> 16)
        return 0; /* QEMU has one segment: it is not there */
    if (!f)
        return -ENODEV;
    err = vtd_requester(m, config, &slot->requester);
    if (err)
        return err;
    if (slot->kind == MACHINE_NVME)
        return nvme_open(state->q, f, &slot->nvme);
    err = edu_open(state->q, f, scratch.n << FRAME_LG2, &slot->edu);
    return err || slot->edu.window ? err : -EOPNOTSUPP;
}

/*
 * An edu's buffer is found before the unit translates, with a page that is reserved and not in use
 * yet, and that is low enough for every device.
 */
static int open_slots(struct machine *m)
{
    struct vtd_state *state = m->state;
    int err = 0;

    for (unsigned i = 0; i < m->config.nr_slots && !err; i++)
        err = open_slot(m, i, mfn_of(0x3f));
    if (err && !m->error[0])
        machine_fail(m, err, "a device does not answer: %s", qemu_error(state->q));
    return err;
}

static int add_units(struct machine *m)
{
    int err;

    reserve(m);
    err = open_slots(m);
    return err ? err : vtd_start_units(m);
}

static void describe(const struct machine *m, char *out, size_t size)
{
    const struct vtd_state *state = m->state;

    if (state->nr_units)
        snprintf(out, size, "QEMU %s, q35 with VT-d, registers at 0x%llx", qemu_version(state->q),
                 (unsigned long long)state->units[0].unit.config.base);
    else
        snprintf(out, size, "QEMU %s, q35 without IOMMU", qemu_version(state->q));
}

static void remove_units(struct machine *m)
{
    struct vtd_state *state = m->state;

    for (unsigned i = 0; i < state->nr_units; i++)
        vtd_fini(&state->units[i].unit);
}

static struct hw_unit *unit_at(const struct machine *m, unsigned index)
{
    struct vtd_state *state = m->state;

    return index < state->nr_units ? &state->units[index].unit.hw : NULL;
}

static int add_device(struct machine_device *dev, const struct machine_device_config *config)
{
    struct vtd_state *state = dev->m->state;
    const rid_t rid = config->rids[0];

    for (unsigned i = 0; i < dev->m->config.nr_slots; i++)
        if (dev->m->config.slots[i].rids[0].n == rid.n && !(rid.n >> 16))
            dev->state = &state->slots[i];
    if (!dev->state)
        return machine_fail(dev->m, -ENODEV, "the machine has no such device");
    return vtd_unit_for(dev->m, config->rids, config->nr_rids, &dev->unit);
}

static void remove_device(struct machine_device *dev)
{
    (void)dev;
}

static bool region(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out)
{
    const bool mailbox = vtd_mailbox(m, rid, out);

    if (mailbox && !index)
        return true;
    return vtd_reserved(m->state, rid, mailbox ? index - 1 : index, out);
}

/* A dead QEMU shows when it is asked for something. */
static const char *gone(struct machine *m)
{
    struct vtd_state *state = m->state;

    (void)qemu_mmio_read(state->q, 0, 4);
    return qemu_dead(state->q) ? qemu_error(state->q) : NULL;
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

static bool is_submission(const struct vtd_state *state, uint64_t maddr)
{
    for (unsigned i = 0; i < state->nr_units; i++)
        if (vtd_is_submission(&state->units[i], maddr))
            return true;
    return false;
}

/* A flush that is to hang is never submitted: the driver waits for it all the same. */
static void mmio_write(struct machine *m, uint64_t maddr, unsigned size, uint64_t value)
{
    struct vtd_state *state = m->state;

    if (is_submission(state, maddr) && machine_flush_hangs(m))
        return;
    qemu_mmio_write(state->q, maddr, size, value);
}

const struct machine_backend vtd_backend = {
    .name = "vtd",
    .describe = describe,
    .open = open_machine,
    .close = close_machine,
    .add_units = add_units,
    .remove_units = remove_units,
    .unit = unit_at,
    .add_device = add_device,
    .remove_device = remove_device,
    .appears = vtd_appears,
    .dma = vtd_dma,
    .disk = vtd_disk,
    .message = vtd_message,
    .region = region,
    .gone = gone,
    .now_ns = now_ns,
    .mmio_read = mmio_read,
    .mmio_write = mmio_write,
};
