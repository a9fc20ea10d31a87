/* SPDX-License-Identifier: BSD-2-Clause */
/* The software machine: its life. */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "internal.h"

#define DEFAULT_RAM (256ull << 20)

int machine_fail(struct machine *m, int err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(m->error, sizeof(m->error), format, args);
    va_end(args);
    return err;
}

const char *machine_error(const struct machine *m)
{
    return m->error;
}

struct sluice *machine_sluice(struct machine *m)
{
    return m->sluice;
}

struct soft_unit *machine_unit(struct machine *m, unsigned index)
{
    return m->units && index < m->config.nr_units ? &m->units[index] : NULL;
}

/* The fewest levels of the format that span so many address bits; 0: it cannot. */
static unsigned levels_for(const struct pt_format *format, unsigned iova_bits)
{
    unsigned bits = FRAME_LG2;

    for (unsigned levels = 1; levels <= format->max_levels; levels++) {
        bits += format->level_bits[levels - 1];
        if (bits >= iova_bits && levels >= format->min_levels)
            return levels;
    }
    return 0;
}

static int set_defaults(struct machine *m)
{
    struct machine_config *c = &m->config;

    if (!c->ram)
        c->ram = DEFAULT_RAM;
    if (!c->iova_bits)
        c->iova_bits = 48;
    if (!c->nr_units)
        c->nr_units = 1;
    if (!c->seed)
        c->seed = 1;
    if (c->format >= PT_NR_FORMATS)
        return machine_fail(m, -EINVAL, "no such table format");
    if (!c->leaf_sizes)
        c->leaf_sizes = pt_format(c->format)->leaf_sizes;
    if (!c->levels)
        c->levels = levels_for(pt_format(c->format), c->iova_bits);
    if (!c->levels || c->iova_bits < 20 || c->iova_bits > 64)
        return machine_fail(m, -EINVAL, "format %s cannot do addresses of %u bits",
                            pt_format(c->format)->name, c->iova_bits);
    if (c->ram % FRAME_SIZE || c->ram < 1u << 20 || c->ram > 64ull << 30)
        return machine_fail(m, -EINVAL, "ram must be whole pages, from 1M to 64G");
    if (c->nr_units > SLUICE_MAX_UNITS)
        return machine_fail(m, -EINVAL, "at most %d units", SLUICE_MAX_UNITS);
    return 0;
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
        .cache_lg2 = c->kind              ? 0
                     : c->ram <= 4u << 20 ? 8
                                          : 12,
        .seed = c->seed + index,
        .memory = m->ram.view,
    };
    int err = soft_init(u, &config);

    if (!err)
        err = sluice_add_unit(m->sluice, &u->hw);
    return err;
}

static bool flush_hangs(void *host)
{
    struct machine *m = host;

    if (!m->fail_flush || --m->fail_flush)
        return false;
    m->failed = true;
    return true;
}

static int add_units(struct machine *m)
{
    int err = 0;

    if (m->config.no_iommu) {
        absent_init(&m->absent, &m->port);
        return sluice_add_unit(m->sluice, &m->absent);
    }
    m->units = calloc(m->config.nr_units, sizeof(*m->units));
    if (!m->units)
        return -ENOMEM;
    for (unsigned i = 0; i < m->config.nr_units && !err; i++) {
        err = add_unit(m, &m->units[i], i);
        m->units[i].config.hangs = flush_hangs;
    }
    return err;
}

/* Platform memory is nobody's RAM. */
static int take_holes(struct machine *m)
{
    for (unsigned i = 0; i < m->config.nr_holes; i++) {
        const struct sluice_region *r = &m->config.holes[i];

        for (uint64_t f = r->first >> FRAME_LG2; f <= r->last >> FRAME_LG2 && f < m->ram.nr; f++)
            (void)ram_take(&m->ram, mfn_of(f)); /* holes may overlap */
    }
    return 0;
}

static int build(struct machine *m)
{
    struct sluice_config config = {.port = &m->port};
    int err = set_defaults(m);

    if (err)
        return err;
    err = ram_init(&m->ram, m->config.ram, m->config.noncoherent, m->config.seed);
    if (err)
        return machine_fail(m, err, "no memory for %llu bytes of RAM",
                            (unsigned long long)m->config.ram);
    take_holes(m);
    port_init(m);
    config.nr_frames = m->ram.nr;
    err = sluice_create(&config, &m->sluice);
    if (!err)
        err = add_units(m);
    return err ? machine_fail(m, err, "the units cannot be set up") : 0;
}

static void fini_units(struct machine *m)
{
    for (unsigned i = 0; m->units && i < m->config.nr_units; i++)
        if (m->units[i].hw.ops)
            soft_fini(&m->units[i]);
    free(m->units);
}

int machine_create(const struct machine_config *config, struct machine **out, char *error)
{
    struct machine *m = calloc(1, sizeof(*m));
    int err;

    *out = NULL;
    if (!m)
        return -ENOMEM;
    m->config = *config;
    err = build(m);
    if (!err) {
        *out = m;
        return 0;
    }
    if (error)
        memcpy(error, m->error, ERROR_SIZE);
    fini_units(m);
    if (m->sluice)
        sluice_destroy(m->sluice);
    if (m->ram.nr)
        ram_fini(&m->ram);
    free(m);
    return err;
}

static uint64_t nr_hole_frames(const struct machine *m)
{
    uint64_t nr = 0;

    for (uint64_t f = 0; f < m->ram.nr; f++) {
        bool hole = false;

        for (unsigned i = 0; i < m->config.nr_holes; i++)
            hole |= f >= m->config.holes[i].first >> FRAME_LG2 &&
                    f <= m->config.holes[i].last >> FRAME_LG2;
        nr += hole;
    }
    return nr;
}

static void remove_device(struct machine *m)
{
    struct machine_device *dev = m->devices;

    m->devices = dev->next;
    if (dev->sluice) {
        (void)sluice_device_unassign(dev->sluice);
        (void)sluice_device_remove(dev->sluice);
    }
    free(dev->disk);
    free(dev);
}

unsigned machine_destroy(struct machine *m)
{
    uint64_t leaks;

    m->fail_alloc = m->fail_flush = 0;
    while (m->domains)
        (void)machine_domain_destroy(m, m->domains);
    while (m->devices)
        remove_device(m);
    sluice_destroy(m->sluice);
    fini_units(m);
    leaks = m->ram.nr_used - nr_hole_frames(m);
    if (m->allocs > m->frees)
        leaks += m->allocs - m->frees; /* failed ones were not counted as allocations */
    ram_fini(&m->ram);
    free(m);
    return (unsigned)leaks;
}

void machine_fail_alloc(struct machine *m, unsigned n)
{
    m->fail_alloc = n;
    m->failed = false;
}

void machine_fail_flush(struct machine *m, unsigned n)
{
    m->fail_flush = n;
    m->failed = false;
}

bool machine_failed(const struct machine *m)
{
    return m->failed;
}

void machine_stats(const struct machine *m, struct machine_stats *out)
{
    *out = (struct machine_stats){.allocs = m->allocs,
                                  .frees = m->frees,
                                  .exits = m->exits,
                                  .free_frames = m->ram.nr - m->ram.nr_used,
                                  .lost_frames = m->lost};
    for (unsigned i = 0; m->units && i < m->config.nr_units; i++) {
        out->submissions += m->units[i].hw.nr_submissions;
        out->invalidations += m->units[i].hw.nr_invalidations;
    }
}
