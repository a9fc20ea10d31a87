/* SPDX-License-Identifier: BSD-2-Clause */
/* The nested machine as a backend. */
#include <stdio.h>
#include <stdlib.h>

#include "nested.h"

static int check(struct machine *m)
{
    const struct machine_config *c = &m->config;

    if (c->format != PT_FORMAT_VTDSS || c->nr_units > 1)
        return machine_fail(m, -EOPNOTSUPP, "this machine has one unit, with VT-d's own tables");
    if (c->no_iommu)
        return machine_fail(m, -EOPNOTSUPP, "this machine has no devices without a unit");
    if (c->nr_doorbells)
        return machine_fail(m, -EOPNOTSUPP, "this machine has no doorbells");
    if (c->iova_bits != 39 && c->iova_bits != 48)
        return machine_fail(m, -EOPNOTSUPP, "this machine's unit has addresses of 39 or 48 bits");
    return 0;
}

static int open_machine(struct machine *m)
{
    struct nested_state *state = calloc(1, sizeof(*state));
    int err;

    m->state = state;
    if (!state)
        return -ENOMEM;
    err = check(m);
    if (!err)
        err = nested_open_outer(m);
    if (err)
        return err;
    m->ram.base = m->ram.view = ram_at(&state->outer->ram, state->first.n << FRAME_LG2);
    return 0;
}

static void close_machine(struct machine *m)
{
    struct nested_state *state = m->state;

    if (state)
        nested_close_outer(state);
    free(state);
}

static void describe(const struct machine *m, char *out, size_t size)
{
    const struct nested_state *state = m->state;

    snprintf(out, size, "a guest with an emulated VT-d at 0x%llx, on: %s",
             (unsigned long long)MACHINE_VIOMMU_BASE, machine_hardware(state->outer));
}

static int add_units(struct machine *m)
{
    struct nested_state *state = m->state;

    return vtd_hardware_start(m, &state->unit, MACHINE_VIOMMU_BASE, 0);
}

static void remove_units(struct machine *m)
{
    struct nested_state *state = m->state;

    if (state->unit.started)
        vtd_fini(&state->unit.unit);
}

static struct hw_unit *unit_at(const struct machine *m, unsigned index)
{
    struct nested_state *state = m->state;

    return index ? NULL : &state->unit.unit.hw;
}

static const char *gone(struct machine *m)
{
    struct nested_state *state = m->state;

    return machine_gone(state->outer);
}

/* Time passes by being looked at: waits end soon, and always after as many looks. */
static uint64_t now_ns(struct machine *m)
{
    struct nested_state *state = m->state;

    return __atomic_add_fetch(&state->clock, 1000000, __ATOMIC_RELAXED);
}

static bool is_register(uint64_t maddr)
{
    return maddr - MACHINE_VIOMMU_BASE < SLUICE_VIOMMU_SIZE;
}

static uint64_t mmio_read(struct machine *m, uint64_t maddr, unsigned size)
{
    struct nested_state *state = m->state;
    uint64_t value;

    if (!is_register(maddr) ||
        machine_viommu_read(state->guest, maddr - MACHINE_VIOMMU_BASE, size, &value))
        return ~(uint64_t)0;
    return value;
}

/* A flush that is to hang is never submitted: the driver waits for it all the same. */
static void mmio_write(struct machine *m, uint64_t maddr, unsigned size, uint64_t value)
{
    struct nested_state *state = m->state;

    if (vtd_is_submission(&state->unit, maddr) && machine_flush_hangs(m))
        return;
    if (is_register(maddr))
        (void)machine_viommu_write(state->guest, maddr - MACHINE_VIOMMU_BASE, size, value, 0);
}

const struct machine_backend nested_backend = {
    .name = "nested",
    .describe = describe,
    .open = open_machine,
    .close = close_machine,
    .add_units = add_units,
    .remove_units = remove_units,
    .unit = unit_at,
    .add_device = nested_add_device,
    .remove_device = nested_remove_device,
    .appears = nested_appears,
    .dma = nested_dma,
    .disk = nested_disk,
    .message = nested_message,
    .region = nested_region,
    .gone = gone,
    .prefetch = nested_prefetch,
    .prefetch_interrupt = nested_prefetch_interrupt,
    .cached = nested_cached,
    .now_ns = now_ns,
    .mmio_read = mmio_read,
    .mmio_write = mmio_write,
};
