/* SPDX-License-Identifier: BSD-2-Clause */
/* A VT-d unit's life: probe, take over, start, stop, give up. */
#include "internal.h"

#define DEFAULT_TIMEOUT_NS 1000000000ull

static const struct hw_ops ops = {
    .name = "vtd",
    .prepare = vtd_prepare,
    .point = vtd_point,
    .flush = vtd_flush,
    .isolation = vtd_isolation,
    .drain_faults = vtd_drain,
    .quiesce = vtd_quiesce,
};

void vtd_error(const struct vtd_unit *u, const char *where, int error, uint64_t a, uint64_t b)
{
    const struct sluice_event event = {SLUICE_EVENT_ERROR, error, where, a, b};

    u->config.port->event(u->config.port->host, &event);
}

int vtd_page(const struct vtd_unit *u, mfn_t *page)
{
    const struct sluice_port *port = u->config.port;
    int err = port->alloc_page(port->host, page);

    if (!err && u->noncoherent)
        port->writeback(port->host, port_page(port, *page), FRAME_SIZE);
    return err;
}

/* The most levels that are wanted and there (CAP.SAGAW); 0: none. */
static uint8_t pick_levels(const struct vtd_unit *u)
{
    const uint64_t sagaw = FIELD_GET(VTD_CAP_SAGAW, u->cap);
    const uint8_t most = u->config.max_levels ? u->config.max_levels : 4;

    for (uint8_t levels = most; levels >= 3; levels--)
        if (sagaw >> VTD_AW(levels) & 1)
            return levels;
    return !u->config.max_levels && sagaw >> VTD_AW(5u) & 1 ? 5 : 0;
}

static int probe_geometry(struct vtd_unit *u)
{
    struct pt_geometry *geo = &u->hw.geo;
    const uint64_t superpages = FIELD_GET(VTD_CAP_SSLPS, u->cap);
    const unsigned mgaw = (unsigned)FIELD_GET(VTD_CAP_MGAW, u->cap) + 1;

    geo->format = pt_format(PT_FORMAT_VTDSS);
    geo->levels = pick_levels(u);
    if (!geo->levels || mgaw <= FRAME_LG2)
        return -EOPNOTSUPP;
    geo->iova_bits = (uint8_t)(12 + 9 * geo->levels);
    if (mgaw < geo->iova_bits)
        geo->iova_bits = (uint8_t)mgaw;
    geo->leaf_sizes = (superpages & 1 ? BIT64(21) : 0) | (superpages & 2 ? BIT64(30) : 0);
    if (u->config.leaf_sizes)
        geo->leaf_sizes &= u->config.leaf_sizes;
    geo->leaf_sizes |= BIT64(FRAME_LG2);
    geo->noncoherent = u->noncoherent || (u->scalable && !(u->ecap & VTD_ECAP_SMPWC));
    return 0;
}

/* By the width of PASIDs (ECAP.PSS), and by what a directory of one page holds. */
static uint32_t probe_pasids(const struct vtd_unit *u)
{
    const uint64_t most = FRAME_SIZE / sizeof(uint64_t) * VTD_PASID_TABLE_ENTRIES;
    const uint64_t nr = BIT64(FIELD_GET(VTD_ECAP_PSS, u->ecap) + 1);

    if (!u->scalable || !(u->ecap & VTD_ECAP_PASID))
        return 0;
    return (uint32_t)(nr < most ? nr : most) - 1;
}

static int probe(struct vtd_unit *u)
{
    const uint64_t nd = FIELD_GET(VTD_CAP_ND, vtd_read64(u, VTD_CAP));
    const uint64_t wanted = VTD_ECAP_SMTS | VTD_ECAP_SSTS | VTD_ECAP_QI;
    const uint32_t version = vtd_read32(u, VTD_VER);

    if (!FIELD_GET(VTD_VER_MAJOR, version) || version == UINT32_MAX)
        return -ENODEV;
    u->cap = vtd_read64(u, VTD_CAP);
    u->ecap = vtd_read64(u, VTD_ECAP);
    if (u->cap == UINT64_MAX || u->ecap == UINT64_MAX)
        return -ENODEV;
    u->scalable = u->config.scalable && (u->ecap & wanted) == wanted;
    u->hw.scalable = u->scalable;
    u->hw.max_pasid = probe_pasids(u);
    u->noncoherent = !(u->ecap & VTD_ECAP_C);
    u->hw.nr_dids = nd < 7 ? 1u << (4 + 2 * nd) : 65536;
    /* A map is to be flushed where not-present entries are cached, or its writes may linger. */
    u->hw.caching_mode = u->cap & (VTD_CAP_CM | VTD_CAP_RWBF);
    u->hw.snoop = u->ecap & VTD_ECAP_SC;
    u->hw.translates = true;
    return probe_geometry(u);
}

static int allocate(struct vtd_unit *u)
{
    const unsigned width = u->scalable ? 32 : 16;
    int err = vtd_page(u, &u->root);

    if (!err)
        err = vtd_page(u, &u->status);
    u->queue = u->config.queue;
    if (!err && !u->queue.n)
        err = vtd_page(u, &u->queue);
    u->ring = (FRAME_SIZE << u->config.queue_order) / width;
    return err;
}

/*
 * Firmware may have left anything on. Interrupt remapping goes first, then the queue that it needs.
 * Translation stays on while our blocking root takes the place of the old one, so that nothing
 * becomes reachable; but the mode of a root table can be changed only while it is off (11.4.5).
 */
static int take_over(struct vtd_unit *u)
{
    const unsigned mode = u->scalable ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY;
    int err;

    u->gcmd = (uint32_t)(vtd_read32(u, VTD_GSTS) & VTD_GCMD_PERSISTENT);
    vtd_write32(u, VTD_FECTL, VTD_ECTL_IM);
    vtd_write32(u, VTD_IECTL, VTD_ECTL_IM);
    err = vtd_clear(u, VTD_GCMD_IRE);
    if (!err)
        err = vtd_clear(u, VTD_GCMD_CFI);
    if (!err)
        err = vtd_queue_stop(u);
    if (!err)
        err = vtd_clear(u, VTD_GCMD_EAFL);
    if (!err && FIELD_GET(VTD_RTADDR_TTM, vtd_read64(u, VTD_RTADDR)) != mode)
        err = vtd_clear(u, VTD_GCMD_TE);
    if (!err)
        vtd_clear_faults(u);
    return err;
}

static int set_root(struct vtd_unit *u)
{
    const unsigned mode = u->scalable ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY;

    vtd_write64(u, VTD_RTADDR,
                FIELD_PREP(VTD_RTADDR_RTA, u->root.n) | FIELD_PREP(VTD_RTADDR_TTM, mode));
    return vtd_pulse(u, VTD_GCMD_SRTP);
}

/* Firmware protects itself with these ranges until we do; they block DMA that we would allow. */
static int disable_protected_memory(const struct vtd_unit *u)
{
    if (!(u->cap & (VTD_CAP_PLMR | VTD_CAP_PHMR)))
        return 0;
    if (!(vtd_read32(u, VTD_PMEN) & (VTD_PMEN_EPM | VTD_PMEN_PRS)))
        return 0;
    vtd_write32(u, VTD_PMEN, 0);
    return vtd_wait32(u, VTD_PMEN, VTD_PMEN_PRS, 0);
}

static int start(struct vtd_unit *u)
{
    int err = vtd_flush_write_buffer(u);

    if (!err)
        err = set_root(u);
    if (!err && u->ecap & VTD_ECAP_QI)
        err = vtd_queue_start(u);
    if (!err)
        err = vtd_flush_all(u);
    if (!err)
        err = vtd_set(u, VTD_GCMD_TE);
    if (!err)
        err = disable_protected_memory(u);
    return err;
}

static int stop(struct vtd_unit *u)
{
    int err = vtd_clear(u, VTD_GCMD_TE);

    if (!err)
        err = vtd_clear(u, VTD_GCMD_IRE);
    return err ? err : vtd_queue_stop(u);
}

static void free_all(struct vtd_unit *u)
{
    const struct sluice_port *port = u->config.port;

    vtd_free_tables(u);
    vtd_ir_release(u);
    if (u->queue.n && !u->config.queue.n)
        port->free_page(port->host, u->queue);
    if (u->status.n)
        port->free_page(port->host, u->status);
    if (u->root.n)
        port->free_page(port->host, u->root);
}

/* What hardware may still walk or write to is not anybody else's, ever. */
static void stop_and_free(struct vtd_unit *u)
{
    const int err = stop(u);

    if (!err) {
        free_all(u);
        return;
    }
    vtd_error(u, "vtd_fini", err, u->root.n, u->queue.n);
    vtd_forget_tables(u);
    vtd_ir_forget_table(u);
}

int vtd_init(struct vtd_unit *u, const struct vtd_config *config)
{
    int err;

    memset(u, 0, sizeof(*u));
    if (!config->base || config->base & (FRAME_SIZE - 1) || config->queue_order > 7)
        return -EINVAL;
    if (config->max_levels > 5 || (config->queue_order && !config->queue.n))
        return -EINVAL;
    u->config = *config;
    if (!u->config.timeout_ns)
        u->config.timeout_ns = DEFAULT_TIMEOUT_NS;
    u->hw.ops = &ops;
    u->hw.port = config->port;
    err = probe(u);
    if (err)
        return err;
    err = allocate(u);
    if (err) {
        free_all(u);
        return err;
    }
    err = take_over(u);
    if (err) { /* it knows nothing of our tables yet, so it stays as firmware left it */
        free_all(u);
        return err;
    }
    err = start(u);
    if (err)
        stop_and_free(u);
    return err;
}

void vtd_fini(struct vtd_unit *u)
{
    vtd_lock(u);
    stop_and_free(u);
    vtd_unlock(u);
}

/* A queue that stopped runs again after a reset; one that hangs does not, but registers may do. */
static int forget_everything(struct vtd_unit *u)
{
    int err = u->gcmd & VTD_GCMD_QIE ? vtd_queue_stop(u) : 0;

    if (err)
        return err;
    if (u->ecap & VTD_ECAP_QI && !vtd_queue_start(u) && !vtd_flush_all(u))
        return vtd_ir_forget(u);
    err = vtd_queue_stop(u);
    if (!err && !u->scalable)
        err = vtd_flush_all(u);
    else
        err = -EIO;
    return err ? err : vtd_ir_forget(u);
}

/*
 * Translation and remapping stay on, with tables that have nothing in them. The pointer
 * to the root table is set once more, which on new units (CAP.ESRTPS) drops all caches; then they
 * are dropped in the ways that are left. When even that fails, what hardware has cached stays
 * usable until it is reset, and core keeps all that it might reach.
 */
void vtd_give_up(struct vtd_unit *u)
{
    int err;

    if (u->dead)
        return;
    u->dead = true;
    u->config.timeout_ns = u->config.timeout_ns / 8 + 1; /* of each of several waits */
    vtd_block_all(u);
    vtd_ir_block_all(u);
    err = set_root(u);
    if (!err)
        err = forget_everything(u);
    if (err)
        vtd_error(u, "vtd_quiesce", err, u->config.base, vtd_read32(u, VTD_GSTS));
}

void vtd_quiesce(struct hw_unit *unit)
{
    struct vtd_unit *u = vtd_of(unit);

    vtd_lock(u);
    vtd_give_up(u);
    vtd_unlock(u);
}
