/* SPDX-License-Identifier: BSD-2-Clause */
/* The software unit's life, and its row of operations. */
#include "internal.h"

void soft_hold(struct soft_unit *u)
{
    u->config.port->lock(u->config.port->host, &u->dma);
}

void soft_let_go(struct soft_unit *u)
{
    u->config.port->unlock(u->config.port->host, &u->dma);
}

static void quiesce(struct hw_unit *unit)
{
    struct soft_unit *u = soft_of(unit);

    soft_hold(u);
    u->blocked = true;
    for (unsigned i = 0; i < SOFT_DEVICES; i++)
        u->devices[i].usable = false;
    soft_let_go(u);
}

static const struct hw_ops ops = {
    .name = "soft",
    .prepare = soft_prepare,
    .point = soft_point,
    .flush = soft_flush,
    .isolation = soft_isolation,
    .drain_faults = soft_drain,
    .quiesce = quiesce,
};

static size_t tlb_size(const struct soft_unit *u)
{
    return sizeof(*u->tlb) << u->config.cache_lg2;
}

static size_t tables_size(const struct soft_unit *u)
{
    return sizeof(*u->tables) << u->config.cache_lg2;
}

/* The device cache is there in any case, so that a hit need not ask; it stays empty without the
 * rest. */
static int init_caches(struct soft_unit *u)
{
    const struct sluice_port *port = u->config.port;

    u->devices = port->alloc(port->host, sizeof(*u->devices) * SOFT_DEVICES);
    if (!u->devices)
        return -ENOMEM;
    if (!u->config.cache_lg2)
        return 0;
    u->tlb_mask = BIT64(u->config.cache_lg2) - 1;
    u->tlb = port->alloc(port->host, tlb_size(u));
    u->tables = port->alloc(port->host, tables_size(u));
    return u->tlb && u->tables ? 0 : -ENOMEM;
}

int soft_page(struct soft_unit *u, mfn_t *page)
{
    const struct sluice_port *port = u->config.port;
    int err = port->alloc_page(port->host, page);

    if (!err && u->config.geo.noncoherent)
        port->writeback(port->host, port_page(port, *page), FRAME_SIZE);
    return err;
}

int soft_init(struct soft_unit *u, const struct soft_config *config)
{
    const struct sluice_port *port = config->port;
    int err;

    memset(u, 0, sizeof(*u));
    if (config->cache_lg2 > 20 || config->max_pasid > SOFT_MAX_PASID)
        return -EINVAL;
    u->config = *config;
    u->mood = config->seed | 1;
    u->hw.ops = &ops;
    u->hw.port = port;
    u->hw.geo = config->geo;
    u->hw.nr_dids = 65536;
    u->hw.translates = true;
    u->hw.caching_mode = config->caching_mode;
    u->hw.snoop = config->geo.format->has_snoop;
    u->hw.queued = true;
    u->hw.nests = config->nests;
    u->hw.max_pasid = config->max_pasid;
    err = init_caches(u);
    if (!err)
        err = soft_page(u, &u->root);
    if (!err)
        err = soft_page(u, &u->ring);
    if (!err)
        err = soft_page(u, &u->status_page);
    if (!err && config->interrupts)
        err = soft_init_interrupts(u);
    if (err)
        soft_fini(u);
    return err;
}

void soft_fini(struct soft_unit *u)
{
    const struct sluice_port *port = u->config.port;

    if (u->tlb)
        port->free(port->host, u->tlb, tlb_size(u));
    if (u->tables)
        port->free(port->host, u->tables, tables_size(u));
    if (u->devices)
        port->free(port->host, u->devices, sizeof(*u->devices) * SOFT_DEVICES);
    if (u->root.n)
        soft_free_tables(u);
    soft_fini_interrupts(u);
    if (u->ring.n)
        port->free_page(port->host, u->ring);
    if (u->status_page.n)
        port->free_page(port->host, u->status_page);
}
