/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to invalidate, how much of it at a time, and in which order (6.5).
 *
 * Hardware fills the PASID cache by what the context cache says, and the IOTLB by what those two
 * say; and it takes descriptors in any order but across a fence. So: context entries, fence, PASID
 * entries, fence, translations.
 *
 * An invalidation flushes the write buffers of a unit with RWBF too, but we do not rely on it.
 */
#include "internal.h"

/* A range that is no single aligned block may cost this many descriptors; more drop the domain. */
#define MOST_BLOCKS 8u

static int fence(struct vtd_unit *u)
{
    return u->queued ? vtd_put_fence(u) : 0; /* registers: each is done before the next */
}

static int context(struct vtd_unit *u, unsigned granularity, uint16_t did, uint16_t sid)
{
    if (!u->queued)
        return vtd_register_context(u, granularity, did, sid);
    return vtd_put(u,
                   VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, granularity) |
                       FIELD_PREP(VTD_DESC_DID, did) | FIELD_PREP(VTD_DESC_SID, sid),
                   0);
}

/* There is no way by registers: a unit with scalable mode has a queue. */
static int pasid(struct vtd_unit *u, unsigned granularity, uint16_t did, uint32_t nr)
{
    if (!u->queued)
        return -EIO;
    return vtd_put(u,
                   VTD_DESC_PASID | FIELD_PREP(VTD_DESC_G, granularity) |
                       FIELD_PREP(VTD_DESC_DID, did) | FIELD_PREP(VTD_DESC_PASID_NR, nr),
                   0);
}

static int iotlb(struct vtd_unit *u, const struct vtd_iotlb *what)
{
    uint64_t lo = VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, what->granularity) |
                  FIELD_PREP(VTD_DESC_DID, what->did);

    if (!u->queued)
        return vtd_register_iotlb(u, what);
    if (u->cap & VTD_CAP_DRD)
        lo |= VTD_DESC_DR;
    if (u->cap & VTD_CAP_DWD)
        lo |= VTD_DESC_DW;
    if (what->granularity != VTD_G_PAGE)
        return vtd_put(u, lo, 0);
    return vtd_put(u, lo,
                   FIELD_PREP(VTD_DESC_ADDR, what->dfn) | FIELD_PREP(VTD_DESC_AM, what->order) |
                       (what->leaf_only ? VTD_DESC_IH : 0));
}

static int iotlb_domain(struct vtd_unit *u, uint16_t did)
{
    return iotlb(u, &(struct vtd_iotlb){.granularity = VTD_G_DOMAIN, .did = did});
}

/* The smallest aligned power of two of pages around [first, last]. */
static unsigned cover(uint64_t first, uint64_t last)
{
    return first == last ? 0 : 64 - (unsigned)__builtin_clzll(first ^ last);
}

/* The largest aligned power of two of pages that begins at first and ends by last. */
static unsigned block(uint64_t first, uint64_t last)
{
    const unsigned size = 63 - (unsigned)__builtin_clzll(last - first + 1);
    const unsigned alignment = first ? (unsigned)__builtin_ctzll(first) : 63;

    return size < alignment ? size : alignment;
}

/*
 * How many blocks make up the range; more than MOST_BLOCKS when it is not to be done so. A block
 * never cuts through a leaf: both are aligned, and the range has whole leaves. A block larger than
 * the unit's mask must not be cut up either, since a leaf may be as large (6.5.2.3).
 */
static unsigned nr_blocks(const struct vtd_unit *u, uint64_t first, uint64_t last)
{
    const unsigned most = (unsigned)FIELD_GET(VTD_CAP_MAMV, u->cap);
    unsigned n = 0;

    for (; n <= MOST_BLOCKS; n++) {
        const unsigned order = block(first, last);

        if (order > most)
            return MOST_BLOCKS + 1;
        if (last - first < BIT64(order))
            return n + 1;
        first += BIT64(order);
    }
    return n;
}

static int iotlb_range(struct vtd_unit *u, const struct hw_inv *inv)
{
    struct vtd_iotlb what = {
        .granularity = VTD_G_PAGE,
        .did = inv->did,
        .dfn = inv->first.n,
        .order = cover(inv->first.n, inv->last.n),
        .leaf_only = inv->leaf_only,
    };
    unsigned n = 1;
    int err = 0;

    if (!(u->cap & VTD_CAP_PSI))
        return iotlb_domain(u, inv->did);
    if (what.order <= FIELD_GET(VTD_CAP_MAMV, u->cap)) {
        what.dfn &= ~(BIT64(what.order) - 1);
        return iotlb(u, &what);
    }
    n = nr_blocks(u, inv->first.n, inv->last.n);
    if (n > MOST_BLOCKS)
        return iotlb_domain(u, inv->did);
    for (; n && !err; n--) {
        what.order = block(what.dfn, inv->last.n);
        err = iotlb(u, &what);
        what.dfn += BIT64(what.order);
    }
    return err;
}

/*
 * Entries are cached with the domain id that they had (6.5.2.1), and with 0 in caching mode if they
 * were not present.
 */
static int device_context(struct vtd_unit *u, rid_t rid)
{
    const uint32_t did = vtd_stale(u, rid, 0);
    int err = 0;

    if (did == VTD_STALE_MANY)
        return context(u, VTD_G_GLOBAL, 0, 0);
    if (did && u->cap & VTD_CAP_CM)
        err = context(u, VTD_G_DEVICE, 0, (uint16_t)rid.n);
    return err ? err : context(u, VTD_G_DEVICE, (uint16_t)did, (uint16_t)rid.n);
}

static int one_pasid(struct vtd_unit *u, rid_t rid, uint32_t nr)
{
    const uint32_t did = vtd_stale(u, rid, nr);
    int err = 0;

    if (did == VTD_STALE_MANY)
        return pasid(u, VTD_G_PASID_GLOBAL, 0, 0);
    if (did && u->cap & VTD_CAP_CM)
        err = pasid(u, VTD_G_PASID_ONE, 0, nr);
    return err ? err : pasid(u, VTD_G_PASID_ONE, (uint16_t)did, nr);
}

/* A device's PASIDs may be in as many domains. */
static int pasid_of(struct vtd_unit *u, const struct hw_inv *inv)
{
    if (inv->kind == HW_INV_PASID)
        return one_pasid(u, inv->rid, inv->pasid);
    if (vtd_has_pasids(u, inv->rid))
        return pasid(u, VTD_G_PASID_GLOBAL, 0, 0);
    return one_pasid(u, inv->rid, 0);
}

/* The first space of a PASID may be the device's first, and its context entry was not present. */
static int context_of(struct vtd_unit *u, const struct hw_inv *inv)
{
    if (inv->kind == HW_INV_DEVICE)
        return device_context(u, inv->rid);
    return u->cap & VTD_CAP_CM ? context(u, VTD_G_DEVICE, 0, (uint16_t)inv->rid.n) : 0;
}

/* All of the devices and PASIDs at inv[0..n), with a fence behind. */
static int devices(struct vtd_unit *u, const struct hw_inv *inv, unsigned n)
{
    bool contexts = u->cap & VTD_CAP_CM;
    int err = 0;

    for (unsigned i = 0; i < n && !err; i++) {
        err = context_of(u, &inv[i]);
        contexts |= inv[i].kind == HW_INV_DEVICE;
    }
    if (!err && contexts)
        err = fence(u);
    if (!u->scalable || err)
        return err;
    for (unsigned i = 0; i < n && !err; i++)
        err = pasid_of(u, &inv[i]);
    return err ? err : fence(u);
}

static int everything(struct vtd_unit *u)
{
    int err = context(u, VTD_G_GLOBAL, 0, 0);

    if (!err)
        err = fence(u);
    if (!err && u->scalable)
        err = pasid(u, VTD_G_PASID_GLOBAL, 0, 0);
    if (!err && u->scalable)
        err = fence(u);
    return err ? err : iotlb(u, &(struct vtd_iotlb){.granularity = VTD_G_GLOBAL});
}

static unsigned run_of_devices(const struct hw_inv *inv, unsigned n)
{
    unsigned run = 0;

    while (run < n && (inv[run].kind == HW_INV_DEVICE || inv[run].kind == HW_INV_PASID))
        run++;
    return run;
}

static int plan(struct vtd_unit *u, const struct hw_inv *inv, unsigned n)
{
    int err = 0;

    for (unsigned i = 0, run; i < n && !err; i += run ? run : 1) {
        run = run_of_devices(inv + i, n - i);
        if (run)
            err = devices(u, inv + i, run);
        else if (inv[i].kind == HW_INV_SPACE)
            err = iotlb_domain(u, inv[i].did);
        else if (inv[i].kind == HW_INV_RANGE)
            err = iotlb_range(u, &inv[i]);
        else
            err = everything(u);
    }
    return err;
}

static int finish(struct vtd_unit *u, int err)
{
    if (err)
        vtd_rewind(u);
    return err || !u->queued ? err : vtd_submit(u);
}

int vtd_flush_all(struct vtd_unit *u)
{
    int err = vtd_flush_write_buffer(u);

    return err ? err : finish(u, everything(u));
}

/* More than the ring has room for becomes less: everything at once. */
static int flush(struct vtd_unit *u, const struct hw_inv *inv, unsigned n)
{
    int err = u->dead ? -EIO : vtd_flush_write_buffer(u);

    if (err)
        return err;
    err = plan(u, inv, n);
    if (err == -ENOSPC) {
        vtd_rewind(u);
        err = everything(u);
    }
    err = finish(u, err);
    for (unsigned i = 0; i < n && !err; i++)
        if (inv[i].kind == HW_INV_DEVICE || inv[i].kind == HW_INV_PASID)
            vtd_not_stale(u, &inv[i]);
    return err;
}

int vtd_flush(struct hw_unit *unit, const struct hw_inv *inv, unsigned n)
{
    struct vtd_unit *u = vtd_of(unit);
    int err;

    vtd_lock(u);
    err = flush(u, inv, n);
    vtd_unlock(u);
    return err;
}

/* Interrupt entries: 1 << lg2 from first, which is aligned; one by one if the mask is too small. */
int vtd_flush_ir(struct vtd_unit *u, uint16_t first, unsigned lg2)
{
    const uint64_t lo = VTD_DESC_IEC | VTD_DESC_IEC_INDEX | FIELD_PREP(VTD_DESC_IM, lg2) |
                        FIELD_PREP(VTD_DESC_IIDX, first);

    if (lg2 > FIELD_GET(VTD_ECAP_MHMV, u->ecap))
        return vtd_flush_ir_all(u);
    return finish(u, vtd_put(u, lo, 0));
}

int vtd_flush_ir_all(struct vtd_unit *u)
{
    return finish(u, vtd_put(u, VTD_DESC_IEC, 0));
}
