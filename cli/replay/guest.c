/* SPDX-License-Identifier: BSD-2-Clause */
/* Making the machine, its one guest and its devices, and ending them. */
#include "guest.h"
#include "frames.h"

#include "../scenario/alloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DOMID 1u
#define MIB   (UINT64_C(1) << 20)
#define EXTRA (64 * MIB) /* of the machine's RAM: tables, and what hardware takes */

uint64_t guest_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void guest_wrong(struct guest *g, const char *format, ...)
{
    va_list args;

    if (g->wrong[0])
        return;
    va_start(args, format);
    vsnprintf(g->wrong, sizeof(g->wrong), format, args);
    va_end(args);
}

void guest_told(struct guest *g, bool right)
{
    const char *gone = machine_gone(g->m);

    if (gone)
        guest_wrong(g, "the machine is gone: %s", gone);
    else if (!right)
        guest_wrong(g, "ghost model: %s", ghost_error(g->ghost));
}

void guest_check(struct guest *g)
{
    guest_told(g, ghost_check(g->ghost));
    machine_prefetch(g->m);
}

/* On bus 0, one in each slot: every machine has those. */
static rid_t rid_of_device(unsigned device)
{
    return (rid_t){(device + 1) << 3};
}

struct physdev_pci_device guest_device(unsigned device)
{
    return (struct physdev_pci_device){.devfn = (uint8_t)rid_of_device(device).n};
}

static void configure(struct guest *g, const struct guest_config *config)
{
    const uint64_t ram = config->bytes + config->bytes / 64 + EXTRA;

    g->slots = xcalloc(config->nr_devices, sizeof(*g->slots));
    for (unsigned i = 0; i < config->nr_devices; i++)
        g->slots[i] = (struct machine_slot){.rids = {rid_of_device(i)}, .nr_rids = 1};
    g->config = (struct machine_config){
        .backend = config->machine->backend,
        .outer = config->machine->outer,
        .scalable = config->machine->scalable,
        .ram = (ram + MIB - 1) / MIB * MIB,
        .blocked = true,
        .slots = g->slots,
        .nr_slots = config->nr_devices,
    };
}

static int fail(struct guest *g, int err, char *error)
{
    snprintf(error, GUEST_WRONG, "%s", g->wrong[0] ? g->wrong : machine_error(g->m));
    return err ? err : -EIO;
}

static int add_domain(struct guest *g, const struct guest_config *config, char *error)
{
    static const struct sluice_region hole = {
        .first = FRAMES_HOLE, .last = FRAMES_HOLE_END - 1, .type = SLUICE_REGION_RESERVED};
    const struct machine_domain_config c = {
        .name = "guest",
        .domid = DOMID,
        .mem = config->bytes,
        .max_ctx_no = (uint16_t)config->nr_contexts,
        .holes = &hole,
        .nr_holes = 1,
    };
    const int err = machine_domain_add(g->m, &c, &g->d);

    guest_told(g, ghost_domain_added(g->ghost, &c, err));
    g->list_at = config->list_at;
    return err || g->wrong[0] ? fail(g, err, error) : 0;
}

static int add_device(struct guest *g, unsigned i, char *error)
{
    char name[16];
    const struct machine_device_config c = {.name = name, .rids = {rid_of_device(i)}, .nr_rids = 1};
    int err;

    snprintf(name, sizeof(name), "dev%u", i);
    err = machine_device_add(g->m, &c, &g->devices[i]);
    guest_told(g, ghost_device_added(g->ghost, &c, g->devices[i], err));
    if (!err) {
        err = machine_device_assign(g->devices[i], g->d);
        guest_told(g, ghost_assigned(g->ghost, g->devices[i], DOMID, err));
    }
    return err || g->wrong[0] ? fail(g, err, error) : 0;
}

static int populate(struct guest *g, const struct guest_config *config, char *error)
{
    int err = add_domain(g, config, error);

    g->devices = xcalloc(config->nr_devices, sizeof(struct machine_device *));
    for (unsigned i = 0; i < config->nr_devices && !err; i++)
        err = add_device(g, i, error);
    return err;
}

int guest_open(struct guest *g, const struct guest_config *config, char *error)
{
    int err;

    memset(g, 0, sizeof(*g));
    configure(g, config);
    err = machine_create(&g->config, &g->m, error);
    if (err) {
        free(g->slots);
        return err;
    }
    g->ghost = ghost_create(g->m, &g->config);
    guest_calls_init(g);
    err = populate(g, config, error);
    if (err)
        (void)guest_close(g);
    return err;
}

void guest_end(struct guest *g)
{
    int err;

    for (unsigned i = 0; i < g->config.nr_slots; i++) {
        err = machine_device_unassign(g->devices[i]);
        guest_told(g, ghost_unassigned(g->ghost, g->devices[i], err));
    }
    err = machine_domain_destroy(g->m, g->d);
    guest_told(g, ghost_domain_destroyed(g->ghost, DOMID, err));
    guest_told(g, ghost_check(g->ghost));
}

unsigned guest_close(struct guest *g)
{
    char gone[MACHINE_ERROR_SIZE];
    unsigned leaked;

    ghost_destroy(g->ghost);
    leaked = machine_end(g->m, gone);
    if (gone[0])
        guest_wrong(g, "at the end: the machine is gone: %s", gone);
    free(g->devices);
    free(g->slots);
    return leaked;
}

int guest_viommu(struct guest *g, uint64_t capabilities)
{
    const struct machine_viommu_config config = {.capabilities = capabilities};
    const int err = machine_viommu_create(g->d, &config);

    if (!err)
        ghost_viommu(g->ghost, DOMID);
    return err;
}

int guest_dma(struct guest *g, unsigned device, uint64_t address, void *data, size_t size,
              bool write)
{
    struct machine_device *dev = g->devices[device];
    const rid_t rid = machine_device_rid(dev);
    enum hw_reason reason = HW_REASON_NONE;
    const int err = machine_dma(dev, rid, 0, address, data, size, write, &reason);

    guest_told(g, ghost_dma(g->ghost, dev, rid, 0, address, size, write, err, reason));
    return err;
}
