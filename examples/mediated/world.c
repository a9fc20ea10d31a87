/* SPDX-License-Identifier: BSD-2-Clause */
/* The machine, and how the driver domain's operating system serves the frame service. */
#include "world.h"

#include <stdio.h>

#define GUEST  2
#define SERVER 0
#define SLOTS  16

#define MOST_REGIONS 4u /* of the disk, that the machine demands */

/* ---- The frame service's hypercalls ------------------------------------------------------------
 */

static long call(void *arg, struct pv_iommu_op *ops, unsigned nr)
{
    struct world *w = arg;
    const size_t size = nr * sizeof(*ops);
    long err = machine_guest_write(w->driver, MACHINE_ARG, ops, size);

    if (!err)
        err = machine_frames_call(w->driver, MACHINE_ARG, nr, 0);
    if (!err)
        err = machine_guest_read(w->driver, MACHINE_ARG, ops, size);
    return err;
}

static int synchronous(void *arg, uint16_t domid, uint16_t server, struct ioreq_request *out)
{
    const struct world *w = arg;
    struct sluice_ioreq request;
    int err = machine_ioreq_synchronous(w->driver, domid, server, &request);

    if (!err)
        *out = (struct ioreq_request){.type = request.type, .data = request.bfn};
    return err;
}

static int start_emulator(struct world *w)
{
    int err = frame_service_init(&w->service, &w->host, WINDOW, w->records, FRAMES);

    if (!err)
        err = machine_ioreq_server(w->driver, w->guest, SERVER, SLOTS);
    if (err)
        return err;
    w->emulator = (struct emulator){
        .guest = w->guest,
        .disk = w->disk,
        .client = {.domid = GUEST,
                   .server = SERVER,
                   .ring = {machine_ioreq_ring(w->driver, GUEST, SERVER), SLOTS}},
    };
    return emulator_start(&w->emulator, &w->service);
}

/* ---- The machine -------------------------------------------------------------------------------
 */

static const struct machine_slot slot = {.rids = {{6 << 3}}, .nr_rids = 1, .kind = MACHINE_NVME};

static int add_domains(struct world *w)
{
    static const char *const controls[] = {"guest"};
    const struct machine_domain_config driver = {
        .name = "driver", .domid = 1, .mem = 1 << 20, .controls = controls, .nr_controls = 1};
    const struct machine_domain_config guest = {.name = "guest", .domid = GUEST, .mem = 1 << 20};
    const struct machine_domain_config neighbour = {
        .name = "neighbour", .domid = 3, .mem = 1 << 20};
    int err = machine_domain_add(w->m, &driver, &w->driver);

    if (!err)
        err = machine_domain_add(w->m, &guest, &w->guest);
    return err ? err : machine_domain_add(w->m, &neighbour, &w->neighbour);
}

static int add_disk(struct world *w)
{
    struct sluice_region regions[MOST_REGIONS];
    struct machine_device_config disk = {
        .name = "disk", .kind = MACHINE_NVME, .rids = {slot.rids[0]}, .nr_rids = 1};
    int err;

    disk.regions = regions;
    while (disk.nr_regions < MOST_REGIONS &&
           machine_region(w->m, slot.rids[0], disk.nr_regions, &regions[disk.nr_regions]))
        disk.nr_regions++;
    err = machine_device_add(w->m, &disk, &w->disk);
    return err ? err : machine_device_assign(w->disk, w->driver);
}

int world_open(struct world *w, const struct machine_backend *backend, bool scalable, char *error)
{
    const struct machine_config config = {
        .backend = backend, .scalable = scalable, .ram = 64 << 20, .slots = &slot, .nr_slots = 1};
    int err = machine_create(&config, &w->m, error);

    if (err)
        return err;
    w->host = (struct frame_host){w, call, synchronous};
    err = add_domains(w);
    if (!err)
        err = add_disk(w);
    if (!err)
        err = start_emulator(w);
    if (err) {
        snprintf(error, 160, "%s", machine_error(w->m));
        (void)machine_destroy(w->m);
    }
    return err;
}

int world_close(struct world *w)
{
    int err = frame_leave(&w->emulator.client);

    return machine_destroy(w->m) ? -EBUSY : err;
}
