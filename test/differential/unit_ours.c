/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated VT-d, for a guest on the software machine. Its devices are emulated too, and ask
 * where their DMA goes; or they are the machine's, and contexts mirror the guest's tables.
 */
#include <stdlib.h>
#include <string.h>

#include "../../host/machine/machine.h"
#include "../../iommu/viommu.h"
#include "layout.h"
#include "unit_kinds.h"

#define BASE 0xfed90000u

struct our_unit {
    struct unit unit;
    struct machine *m;
    struct machine_domain *guest;
    struct sluice_domain *d;
    struct machine_device *devices[WORLD_SIDS]; /* NULL: emulated */
    uint32_t id;
    const char *broken;
    char error[MACHINE_ERROR_SIZE];
};

static struct our_unit *of(struct unit *u)
{
    return (struct our_unit *)u;
}

static uint64_t our_unit_read(struct unit *u, unsigned offset, unsigned size)
{
    uint64_t value = 0;

    if (sluice_viommu_read(of(u)->d, of(u)->id, offset, size, &value))
        of(u)->broken = "a register cannot be read";
    return value;
}

static void our_unit_write(struct unit *u, unsigned offset, unsigned size, uint64_t value)
{
    int err = sluice_viommu_write(of(u)->d, of(u)->id, offset, size, value);

    while (err == -ERESTART)
        err = sluice_viommu_run(of(u)->d, of(u)->id);
    if (err)
        of(u)->broken = "a register cannot be written";
}

static void our_unit_load(struct unit *u, uint64_t addr, void *to, size_t size)
{
    if (machine_guest_read(of(u)->guest, addr, to, size))
        memset(to, 0, size);
}

static void our_unit_store(struct unit *u, uint64_t addr, const void *from, size_t size)
{
    (void)machine_guest_write(of(u)->guest, addr, from, size);
}

static void emulated_dma(struct unit *u, uint16_t sid, uint64_t addr, void *data, size_t size,
                         bool write)
{
    const struct sluice_viommu_request request = {
        .sid = sid, .iova = addr, .access = write ? PT_WRITE : PT_READ};
    struct sluice_viommu_translation t;

    if (sluice_viommu_translate(of(u)->d, of(u)->id, &request, &t))
        return;
    t.gpa = (t.gpa & ~t.mask) | (addr & t.mask);
    if (write)
        our_unit_store(u, t.gpa, data, size);
    else
        our_unit_load(u, t.gpa, data, size);
}

static void our_unit_dma(struct unit *u, uint16_t sid, uint64_t addr, void *data, size_t size,
                         bool write)
{
    struct machine_device *dev = of(u)->devices[sid == WORLD_SID_B];
    enum hw_reason reason;

    if (!dev)
        emulated_dma(u, sid, addr, data, size, write);
    else if (machine_dma(dev, machine_device_rid(dev), 0, addr, data, size, write, &reason) &&
             !write)
        memset(data, 0, size);
}

static unsigned our_unit_msi(struct unit *u, uint16_t sid, uint64_t addr, uint32_t data,
                             struct unit_interrupt *out)
{
    const struct hw_message message = {.address = addr, .data = data};
    struct hw_interrupt got;

    if (sluice_viommu_interrupt(of(u)->d, of(u)->id, sid, &message, &got))
        return 0;
    *out = (struct unit_interrupt){got.destination, got.vector, got.logical, got.level};
    return 1;
}

static const char *our_unit_gone(struct unit *u)
{
    return of(u)->broken;
}

static void our_unit_close(struct unit *u)
{
    if (of(u)->m)
        machine_destroy(of(u)->m);
    free(u);
}

static const struct unit_ops our_unit_ops = {
    .read = our_unit_read,
    .write = our_unit_write,
    .load = our_unit_load,
    .store = our_unit_store,
    .dma = our_unit_dma,
    .msi = our_unit_msi,
    .gone = our_unit_gone,
    .close = our_unit_close,
};

static int add_devices(struct our_unit *u, bool assigned)
{
    static const uint16_t sids[WORLD_SIDS] = {WORLD_SID_A, WORLD_SID_B};
    static const char *const names[WORLD_SIDS] = {"a", "b"};
    int err = 0;

    for (unsigned i = 0; i < WORLD_SIDS && !err; i++) {
        const struct machine_device_config config = {
            .name = names[i], .kind = MACHINE_DMA, .rids = {{sids[i]}}, .nr_rids = 1};

        if (assigned)
            err = machine_device_add(u->m, &config, &u->devices[i]);
        if (assigned && !err)
            err = machine_device_assign(u->devices[i], u->guest);
        if (!err)
            err = sluice_viommu_add_device(u->d, u->id, sids[i],
                                           assigned ? machine_device_sluice(u->devices[i]) : NULL);
    }
    return err;
}

static int add_unit(struct our_unit *u, bool scalable)
{
    const struct sluice_viommu_config config = {
        .type = SLUICE_VIOMMU_VTD,
        .base = BASE,
        .capabilities = SLUICE_VIOMMU_SECOND_STAGE | SLUICE_VIOMMU_REMAPPING |
                        (scalable ? SLUICE_VIOMMU_SCALABLE : 0),
        .iova_bits = 48,
    };
    const struct machine_domain_config guest = {.name = "guest", .domid = 1, .mem = WORLD_RAM};
    int err = machine_domain_add(u->m, &guest, &u->guest);

    if (err)
        return err;
    u->d = machine_domain_sluice(u->guest);
    return sluice_viommu_create(u->d, &config, &u->id);
}

struct unit *unit_open_ours(bool scalable, bool assigned, const char **why)
{
    const struct machine_config config = {
        .backend = &soft_backend, .ram = 4ull * WORLD_RAM, .format = PT_FORMAT_LPAE2};
    struct our_unit *u = calloc(1, sizeof(*u));
    int err = u ? machine_create(&config, &u->m, u->error) : -ENOMEM;

    if (!err)
        err = add_unit(u, scalable);
    if (!err)
        err = add_devices(u, assigned);
    if (!err) {
        u->unit = (struct unit){.ops = &our_unit_ops, .name = "ours", .scalable = scalable};
        unit_learn(&u->unit);
        return &u->unit;
    }
    *why = "the software machine with an emulated VT-d cannot be made";
    if (u)
        our_unit_close(&u->unit);
    return NULL;
}
