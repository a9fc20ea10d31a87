/* SPDX-License-Identifier: BSD-2-Clause */
/* The software machine: RAM is memory of the process, units are software. */
#include <stdlib.h>
#include <sys/mman.h>

#include "soft.h"

static char *map(uint64_t size)
{
    void *p = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

static int soft_open(struct machine *m)
{
    struct soft_state *state = calloc(1, sizeof(*state));

    if (m->config.noncoherent && m->config.stages == 2) {
        free(state);
        return machine_fail(m, -EOPNOTSUPP,
                            "a unit that does not snoop has one stage: guests do not write their "
                            "tables back");
    }
    m->state = state;
    m->ram.base = map(m->config.ram);
    m->ram.view = m->config.noncoherent ? map(m->config.ram) : m->ram.base;
    return state && m->ram.base && m->ram.view ? 0 : -ENOMEM;
}

static void soft_close(struct machine *m)
{
    if (m->ram.view && m->ram.view != m->ram.base)
        munmap(m->ram.view, (size_t)m->config.ram);
    if (m->ram.base)
        munmap(m->ram.base, (size_t)m->config.ram);
    free(m->state);
}

static bool hangs(void *host)
{
    return machine_flush_hangs(host);
}

static int add_unit(struct machine *m, struct soft_unit *u, unsigned index)
{
    const struct machine_config *c = &m->config;
    const struct soft_config config = {
        .port = &m->port,
        .geo = {.format = pt_format(c->format),
                .levels = (uint8_t)c->levels,
                .iova_bits = (uint8_t)c->iova_bits,
                .leaf_sizes = c->leaf_sizes,
                .noncoherent = c->noncoherent},
        .caching_mode = c->caching_mode,
        .interrupts = !c->no_intremap,
        .nests = c->stages != 1 && !c->noncoherent, /* guests cannot write their tables back */
        .max_pasid = c->no_pasid ? 0 : SOFT_MAX_PASID,
        .cache_lg2 = c->friendly          ? 0
                     : c->ram <= 4u << 20 ? 8
                                          : 12,
        .seed = c->seed + index,
        .memory = m->ram.view,
        .memory_size = c->ram,
        .hangs = hangs,
    };
    int err = soft_init(u, &config);

    return err ? err : sluice_add_unit(m->sluice, &u->hw);
}

static int soft_add_units(struct machine *m)
{
    struct soft_state *state = m->state;
    int err = 0;

    state->units = calloc(m->config.nr_units, sizeof(*state->units));
    if (!state->units)
        return -ENOMEM;
    for (; state->nr_units < m->config.nr_units && !err; state->nr_units++)
        err = add_unit(m, &state->units[state->nr_units], state->nr_units);
    return err;
}

static void soft_remove_units(struct machine *m)
{
    struct soft_state *state = m->state;

    for (unsigned i = 0; i < state->nr_units; i++)
        if (state->units[i].hw.ops)
            soft_fini(&state->units[i]);
    free(state->units);
}

struct soft_unit *soft_machine_unit(const struct machine *m, unsigned index)
{
    struct soft_state *state = m->state;

    return index < state->nr_units ? &state->units[index] : NULL;
}

static struct hw_unit *soft_unit_at(const struct machine *m, unsigned index)
{
    struct soft_unit *u = soft_machine_unit(m, index);

    return u ? &u->hw : NULL;
}

/* Time passes by being looked at: waits end soon, and always after as many looks. */
static uint64_t soft_now_ns(struct machine *m)
{
    struct soft_state *state = m->state;

    return __atomic_add_fetch(&state->clock, 1000000, __ATOMIC_RELAXED);
}

/* No device of this machine has registers that the library would use. */
static uint64_t soft_mmio_read(struct machine *m, uint64_t maddr, unsigned size)
{
    (void)m;
    (void)maddr;
    (void)size;
    return ~(uint64_t)0;
}

static void soft_mmio_write(struct machine *m, uint64_t maddr, unsigned size, uint64_t value)
{
    (void)m;
    (void)maddr;
    (void)size;
    (void)value;
}

const struct machine_backend soft_backend = {
    .name = "soft",
    .open = soft_open,
    .close = soft_close,
    .add_units = soft_add_units,
    .remove_units = soft_remove_units,
    .unit = soft_unit_at,
    .add_device = soft_add_device,
    .remove_device = soft_remove_device,
    .dma = soft_dma,
    .disk = soft_disk,
    .message = soft_message,
    .prefetch = soft_prefetch,
    .cached = soft_cached,
    .prefetch_interrupt = soft_prefetch_interrupt,
    .entries = soft_entries,
    .now_ns = soft_now_ns,
    .mmio_read = soft_mmio_read,
    .mmio_write = soft_mmio_write,
};
