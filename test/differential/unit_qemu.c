/* SPDX-License-Identifier: BSD-2-Clause */
/* QEMU's VT-d, with nothing of ours between it and the program. edu does the DMA. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../host/qemu/edu.h"
#include "layout.h"
#include "unit_kinds.h"

#define SCRATCH 0x600000u /* while the devices are opened */

struct qemu_unit {
    struct unit unit;
    struct qemu *q;
    bool posted; /* a write may still be on its way */
    struct pci pci;
    struct edu edu[WORLD_SIDS];
};

static struct qemu_unit *of(struct unit *u)
{
    return (struct qemu_unit *)u;
}

static uint64_t qemu_unit_read(struct unit *u, unsigned offset, unsigned size)
{
    of(u)->posted = false;
    return qemu_mmio_read(of(u)->q, QEMU_VTD_REGISTERS + offset, size);
}

static void qemu_unit_write(struct unit *u, unsigned offset, unsigned size, uint64_t value)
{
    qemu_mmio_write(of(u)->q, QEMU_VTD_REGISTERS + offset, size, value);
    of(u)->posted = true;
}

static void settle(struct unit *u)
{
    if (of(u)->posted)
        qemu_unit_read(u, VTD_VER, 4);
}

static void qemu_unit_load(struct unit *u, uint64_t addr, void *to, size_t size)
{
    const void *from = qemu_ram(of(u)->q, addr, size);

    settle(u);
    if (from)
        memcpy(to, from, size);
    else
        memset(to, 0, size);
}

static void qemu_unit_store(struct unit *u, uint64_t addr, const void *from, size_t size)
{
    void *to = qemu_ram(of(u)->q, addr, size);

    settle(u);
    if (to)
        memcpy(to, from, size);
}

static struct edu *edu_of(struct unit *u, uint16_t sid)
{
    return &of(u)->edu[sid == WORLD_SID_B];
}

/* A read that was blocked leaves the poison. */
static void qemu_unit_dma(struct unit *u, uint16_t sid, uint64_t addr, void *data, size_t size,
                          bool write)
{
    uint8_t poison[8];

    edu_dma(edu_of(u, sid), addr, data, size, write);
    memset(poison, EDU_POISON, sizeof(poison));
    if (!write && size <= sizeof(poison) && !memcmp(data, poison, size))
        memset(data, 0, size);
}

static unsigned qemu_unit_msi(struct unit *u, uint16_t sid, uint64_t addr, uint32_t data,
                              struct unit_interrupt *out)
{
    struct edu *edu = edu_of(u, sid);
    struct qemu_interrupt got;

    while (qemu_interrupts(of(u)->q, &got, 1))
        ; /* of before */
    pci_msi(of(u)->q, edu->function, addr, data);
    edu_raise(edu, 1);
    edu_lower(edu, 1);
    if (!qemu_interrupts(of(u)->q, &got, 1))
        return 0;
    *out = (struct unit_interrupt){got.dest, got.vector, got.logical, got.level};
    return 1;
}

static const char *qemu_unit_gone(struct unit *u)
{
    return qemu_dead(of(u)->q) ? qemu_error(of(u)->q) : NULL;
}

static void qemu_unit_close(struct unit *u)
{
    qemu_stop(of(u)->q);
    free(u);
}

static const struct unit_ops qemu_unit_ops = {
    .read = qemu_unit_read,
    .write = qemu_unit_write,
    .load = qemu_unit_load,
    .store = qemu_unit_store,
    .dma = qemu_unit_dma,
    .msi = qemu_unit_msi,
    .gone = qemu_unit_gone,
    .close = qemu_unit_close,
};

static int open_devices(struct qemu_unit *u)
{
    static const uint16_t sids[WORLD_SIDS] = {WORLD_SID_A, WORLD_SID_B};
    int err = pci_scan(u->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, &u->pci);

    for (unsigned i = 0; i < WORLD_SIDS && !err; i++) {
        const struct pci_function *f = pci_find(&u->pci, sids[i]);

        err = f ? edu_open(u->q, f, SCRATCH, &u->edu[i]) : -ENODEV;
        if (!err && !u->edu[i].window)
            err = -EOPNOTSUPP;
    }
    return err;
}

struct unit *unit_open_qemu(bool scalable, const char **why, bool *missing)
{
    static const struct qemu_device devices[WORLD_SIDS] = {
        {.model = QEMU_EDU, .name = "a", .slot = WORLD_SID_A >> 3},
        {.model = QEMU_EDU, .name = "b", .slot = WORLD_SID_B >> 3},
    };
    static char error[QEMU_ERROR_SIZE];
    const struct qemu_config config = {
        .ram = WORLD_RAM,
        .scalable = scalable,
        .intremap = true,
        .caching_mode = true,
        .devices = devices,
        .nr_devices = WORLD_SIDS,
    };
    struct qemu_unit *u = calloc(1, sizeof(*u));
    int err = u ? qemu_start(&config, &u->q, error) : -ENOMEM;

    *why = error;
    *missing = err == -ENOENT || err == -EOPNOTSUPP;
    if (!err) {
        u->unit = (struct unit){.ops = &qemu_unit_ops, .name = "QEMU", .scalable = scalable};
        err = open_devices(u);
        if (err)
            *why = "QEMU: edu cannot be opened, or the system forbids to look into a child";
        *missing = err == -EOPNOTSUPP;
    }
    if (!err) {
        qemu_post_writes(u->q, true);
        unit_learn(&u->unit);
        return &u->unit;
    }
    if (u)
        qemu_stop(u->q);
    free(u);
    return NULL;
}
