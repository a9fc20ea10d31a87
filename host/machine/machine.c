/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine: its life. */
#include "machine.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "backend.h"

#define DEFAULT_RAM   (256ull << 20)
#define MOST_PREFETCH 8192u /* leaves of a device: more would only push each other out */

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

const char *machine_hardware(const struct machine *m)
{
    return m->hardware;
}

struct sluice *machine_sluice(struct machine *m)
{
    return m->sluice;
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
    if (c->stages > 2)
        return machine_fail(m, -EINVAL, "a unit has one or two stages");
    return doorbells_check(m);
}

bool machine_flush_hangs(struct machine *m)
{
    if (!m->fail_flush || --m->fail_flush)
        return false;
    m->failed = true;
    return true;
}

static int add_units(struct machine *m)
{
    if (!m->config.no_iommu)
        return m->backend->add_units(m);
    absent_init(&m->absent, &m->port);
    return sluice_add_unit(m->sluice, &m->absent);
}

/* Platform memory is nobody's RAM. */
static void reserve_holes(struct machine *m)
{
    for (unsigned i = 0; i < m->config.nr_holes; i++)
        ram_reserve(&m->ram, mfn_of(m->config.holes[i].first >> FRAME_LG2),
                    mfn_of(m->config.holes[i].last >> FRAME_LG2));
}

static int check_images(struct machine *m)
{
    int err = 0;

    for (unsigned i = 0; i < m->config.nr_slots && !err; i++)
        if (m->config.slots[i].kind == MACHINE_NVME && m->config.slots[i].image)
            err = image_check(m, m->config.slots[i].image);
    return err;
}

static int build(struct machine *m)
{
    struct sluice_config config = {
        .port = &m->port, .defer_ns = HOUR_NS, .msi_window = m->config.msi_window};
    int err = set_defaults(m);

    if (!err)
        err = check_images(m);
    if (err)
        return err;
    err = m->backend->open(m);
    if (!err)
        err = ram_init(&m->ram, m->config.ram, m->config.seed);
    if (err)
        return m->error[0] ? err
                           : machine_fail(m, err,
                                          "no memory for %llu MiB of RAM; the line `machine ram=` "
                                          "says how much",
                                          (unsigned long long)m->config.ram >> 20);
    reserve_holes(m);
    port_init(m);
    config.nr_frames = m->ram.nr;
    config.allow_unsafe_interrupts = m->config.allow_unsafe;
    err = sluice_create(&config, &m->sluice);
    if (err == -EINVAL)
        return machine_fail(m, err, "the window for doorbells must be whole pages");
    if (!err)
        err = add_units(m);
    if (err && !m->error[0])
        machine_fail(m, err, "the units cannot be set up");
    return err;
}

/* What build() made, as far as it came. */
static void unbuild(struct machine *m)
{
    if (!m->config.no_iommu && m->sluice)
        m->backend->remove_units(m);
    if (m->ram.nr)
        ram_fini(&m->ram);
    m->backend->close(m);
}

static void describe(struct machine *m)
{
    snprintf(m->hardware, sizeof(m->hardware), "memory of this process, no hardware");
    if (m->backend->describe)
        m->backend->describe(m, m->hardware, sizeof(m->hardware));
}

int machine_create(const struct machine_config *config, struct machine **out, char *error)
{
    struct machine *m = calloc(1, sizeof(*m));
    int err;

    *out = NULL;
    if (!m)
        return -ENOMEM;
    m->config = *config;
    m->backend = config->backend ? config->backend : &soft_backend;
    pthread_mutex_init(&m->servers_lock, NULL);
    err = build(m);
    if (!err) {
        describe(m);
        *out = m;
        return 0;
    }
    if (error)
        memcpy(error, m->error, MACHINE_ERROR_SIZE);
    if (m->sluice)
        sluice_destroy(m->sluice);
    unbuild(m);
    pthread_mutex_destroy(&m->servers_lock);
    free(m);
    return err;
}

static void remove_device(struct machine *m)
{
    struct machine_device *dev = m->devices;

    m->devices = dev->next;
    if (dev->sluice) {
        (void)sluice_device_unassign(dev->sluice);
        (void)sluice_device_remove(dev->sluice);
    }
    m->backend->remove_device(dev);
    free(dev);
}

unsigned machine_destroy(struct machine *m)
{
    char gone[MACHINE_ERROR_SIZE];

    return machine_end(m, gone);
}

unsigned machine_end(struct machine *m, char *gone)
{
    const char *why;
    uint64_t leaks;

    m->fail_alloc = m->fail_flush = 0;
    m->ram.ending = true;
    while (m->domains)
        (void)machine_domain_destroy(m, m->domains);
    while (m->devices)
        remove_device(m);
    emulated_remove(m);
    sluice_destroy(m->sluice);
    if (!m->config.no_iommu)
        m->backend->remove_units(m);
    leaks = m->ram.nr_used - m->ram.nr_reserved;
    if (m->allocs > m->frees)
        leaks += m->allocs - m->frees;
    why = machine_gone(m);
    snprintf(gone, MACHINE_ERROR_SIZE, "%s", why ? why : "");
    ram_fini(&m->ram);
    m->backend->close(m);
    pthread_mutex_destroy(&m->servers_lock);
    free(m);
    return (unsigned)leaks;
}

bool machine_region(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out)
{
    return m->backend->region && m->backend->region(m, rid, index, out);
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
    for (unsigned i = 0; !m->config.no_iommu; i++) {
        const struct hw_unit *unit = m->backend->unit(m, i);

        if (!unit)
            break;
        out->submissions += unit->nr_submissions;
        out->invalidations += unit->nr_invalidations;
        out->faults += unit->nr_faults;
    }
}

const char *machine_gone(struct machine *m)
{
    return m->backend->gone ? m->backend->gone(m) : NULL;
}

struct prefetch {
    struct machine_device *dev;
    uint32_t pasid;
    unsigned n;
};

static int prefetch_leaf(void *arg, const struct pt_leaf *leaf)
{
    struct prefetch *p = arg;

    p->dev->m->backend->prefetch(p->dev, p->pasid, leaf->dfn);
    return ++p->n == MOST_PREFETCH;
}

/* What the device reaches without a PASID, and with each that has a context. */
static void prefetch_device(struct machine_device *dev)
{
    struct prefetch p = {.dev = dev};
    struct sluice_device_info info;

    sluice_device_info(dev->sluice, &info);
    if (!info.domain)
        return;
    for (unsigned i = 0;; i++) {
        (void)sluice_context_walk(info.domain, info.ctx_no, dfn_of(0), dfn_of(UINT64_MAX),
                                  prefetch_leaf, &p);
        if (sluice_device_pasid(dev->sluice, i, &p.pasid, &info.ctx_no))
            return;
    }
}

void machine_prefetch(struct machine *m)
{
    for (struct machine_device *dev = m->devices; dev && m->backend->prefetch; dev = dev->next) {
        if (!dev->unit)
            continue;
        prefetch_device(dev);
        if (dev->interrupt.domain)
            m->backend->prefetch_interrupt(dev, dev->interrupt.index);
    }
}

void machine_cached(struct machine *m, void (*visit)(void *arg, const struct machine_cached *c),
                    void *arg)
{
    for (struct machine_device *dev = m->devices; dev && m->backend->cached; dev = dev->next)
        if (dev->unit)
            m->backend->cached(dev, visit, arg);
}
