/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Requests of emulated devices, and why those of real ones were blocked: by the guest's tables as
 * they are in memory, as hardware walks them. What was found for emulated devices is kept, as
 * hardware does, until the guest invalidates it; nothing that is not present is.
 */
#include "back.h"

#include "../../spec/x86_pt.h"

#define ENTRIES 512u /* a power of two */

#define INTERRUPTS_FIRST 0xfee00000u
#define INTERRUPTS_LAST  0xfeefffffu

struct vtd_emul_iotlb {
    bool valid, has_pasid, first; /* first: of a first stage */
    uint16_t sid, did;
    uint32_t pasid;
    uint64_t iova; /* of the block */
    struct sluice_viommu_translation t;
};

/* ---- One translation ---------------------------------------------------------------------------
 */

struct tracing {
    struct vtd_emul *e;
    bool lost; /* a table was not in memory */
    bool user; /* of a first stage: all entries so far are for users */
};

static uint64_t read_entry(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    struct tracing *tr = arg;
    uint64_t entry = 0;

    (void)level;
    if (memory_read(&tr->e->d->memory, (table.n << FRAME_LG2) + offset, &entry, sizeof(entry)))
        tr->lost = true;
    if (!(entry & X86_PT_US))
        tr->user = false;
    return entry;
}

static bool is_for_interrupts(uint64_t at, uint64_t mask)
{
    return (at & ~mask) <= INTERRUPTS_LAST && (at | mask) >= INTERRUPTS_FIRST;
}

static uint8_t interrupt_reason(const struct vtd_emul *e)
{
    return vtd_emul_is_scalable(e) ? VTD_REASON_SM_INTERRUPT : VTD_REASON_INTERRUPT_RANGE;
}

static uint8_t width_reason(const struct vtd_emul *e, const struct vtd_emul_target *t)
{
    if (t->kind == VTD_EMUL_FIRST)
        return VTD_REASON_SM_CANONICAL;
    return vtd_emul_is_scalable(e) ? VTD_REASON_SM_WIDTH : VTD_REASON_WIDTH;
}

static uint8_t rights_reason(const struct vtd_emul *e, bool write)
{
    if (vtd_emul_is_scalable(e))
        return write ? VTD_REASON_SM_WRITE : VTD_REASON_SM_READ;
    return write ? VTD_REASON_WRITE : VTD_REASON_READ;
}

/* A walk that ended at a table that is not in memory. */
static uint8_t lost_reason(const struct vtd_emul *e, const struct vtd_emul_target *t,
                           const struct pt_leaf *leaf)
{
    const bool at_root = leaf->level + 1 == t->table.geo.levels;

    if (t->kind == VTD_EMUL_FIRST)
        return at_root ? VTD_REASON_SM_FIRST_ROOT : VTD_REASON_SM_FIRST_ACCESS;
    if (vtd_emul_is_scalable(e))
        return at_root ? VTD_REASON_SM_SECOND_ROOT : VTD_REASON_SM_SECOND_ACCESS;
    return at_root ? VTD_REASON_CONTEXT_INVALID : VTD_REASON_TABLE_ACCESS;
}

static uint8_t reserved_reason(const struct vtd_emul *e, const struct vtd_emul_target *t)
{
    if (t->kind == VTD_EMUL_FIRST)
        return VTD_REASON_SM_FIRST_RESERVED;
    return vtd_emul_is_scalable(e) ? VTD_REASON_SM_SECOND_RESERVED : VTD_REASON_TABLE_RESERVED;
}

static uint8_t absent_reason(const struct vtd_emul *e, const struct vtd_emul_target *t, bool write)
{
    if (t->kind == VTD_EMUL_FIRST)
        return VTD_REASON_SM_FIRST_P;
    return vtd_emul_is_scalable(e) ? VTD_REASON_SM_RIGHTS : rights_reason(e, write);
}

/* 0 and *out, or the reason why not. */
static uint8_t walk(struct vtd_emul *e, const struct vtd_emul_target *t, uint64_t iova, bool write,
                    struct sluice_viommu_translation *out)
{
    struct tracing tr = {.e = e, .user = true};
    struct pt_leaf leaf;
    int err;

    if (iova >> t->table.geo.iova_bits)
        return width_reason(e, t);
    err = pt_trace(&t->table.geo, mfn_of(t->table.root >> FRAME_LG2), iova, read_entry, &tr, &leaf);
    if (tr.lost)
        return lost_reason(e, t, &leaf);
    if (err)
        return err == -EINVAL ? reserved_reason(e, t) : absent_reason(e, t, write);
    if (t->kind == VTD_EMUL_FIRST && !tr.user)
        return VTD_REASON_SM_USER;
    out->mask = BIT64(leaf.lg2) - 1;
    out->gpa = leaf.mfn.n << FRAME_LG2 | iova % FRAME_SIZE;
    out->rights = leaf.attr & (PT_READ | PT_WRITE);
    return 0;
}

/* What the table says goes without interrupts, on either side. */
static uint8_t translate(struct vtd_emul *e, const struct vtd_emul_target *t, uint64_t iova,
                         bool write, struct sluice_viommu_translation *out)
{
    uint8_t reason = 0;

    *out = (struct sluice_viommu_translation){
        .gpa = iova, .mask = FRAME_SIZE - 1, .rights = PT_READ | PT_WRITE};
    if (t->kind == VTD_EMUL_BLOCKED)
        return t->reason;
    if (is_for_interrupts(iova, 0))
        return interrupt_reason(e);
    if (t->kind != VTD_EMUL_THROUGH)
        reason = walk(e, t, iova, write, out);
    if (reason)
        return reason;
    if (is_for_interrupts(out->gpa, 0))
        return interrupt_reason(e);
    if (is_for_interrupts(iova, out->mask) || is_for_interrupts(out->gpa, out->mask))
        out->mask = FRAME_SIZE - 1;
    return 0;
}

/* ---- What was found before ---------------------------------------------------------------------
 */

int vtd_emul_init_iotlb(struct vtd_emul *e)
{
    e->back.iotlb = e->port->alloc(e->port->host, ENTRIES * sizeof(*e->back.iotlb));
    return e->back.iotlb ? 0 : -ENOMEM;
}

void vtd_emul_fini_iotlb(struct vtd_emul *e)
{
    if (e->back.iotlb)
        e->port->free(e->port->host, e->back.iotlb, ENTRIES * sizeof(*e->back.iotlb));
    e->back.iotlb = NULL;
}

static struct vtd_emul_iotlb *slot(struct vtd_emul *e, const struct sluice_viommu_request *r,
                                   uint64_t block)
{
    const uint64_t key = (block >> FRAME_LG2) + r->sid * (uint64_t)31 + r->pasid * (uint64_t)1031;

    return &e->back.iotlb[(key ^ key >> 9 ^ key >> 18) % ENTRIES];
}

static bool is_of(const struct vtd_emul_iotlb *t, const struct sluice_viommu_request *r)
{
    return t->valid && t->sid == r->sid && t->has_pasid == r->has_pasid &&
           (!r->has_pasid || t->pasid == r->pasid) && (r->iova & ~t->t.mask) == t->iova;
}

static const struct vtd_emul_iotlb *find(struct vtd_emul *e, const struct sluice_viommu_request *r)
{
    static const unsigned sizes[] = {12, 21, 30};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        const struct vtd_emul_iotlb *t = slot(e, r, r->iova & ~(BIT64(sizes[i]) - 1));

        if (is_of(t, r))
            return t;
    }
    return NULL;
}

static void keep(struct vtd_emul *e, const struct sluice_viommu_request *r,
                 const struct vtd_emul_target *t, const struct sluice_viommu_translation *out)
{
    const uint64_t block = r->iova & ~out->mask;

    *slot(e, r, block) = (struct vtd_emul_iotlb){.valid = true,
                                                 .has_pasid = r->has_pasid,
                                                 .first = t->kind == VTD_EMUL_FIRST,
                                                 .sid = (uint16_t)r->sid,
                                                 .did = t->did,
                                                 .pasid = r->pasid,
                                                 .iova = block,
                                                 .t = *out};
    slot(e, r, block)->t.gpa &= ~out->mask;
}

static bool touches(const struct vtd_emul_iotlb *t, const struct vtd_emul_inv *inv)
{
    return t->iova >> FRAME_LG2 <= inv->last.n &&
           (t->iova | t->t.mask) >> FRAME_LG2 >= inv->first.n;
}

/* Entries go with what they were made of, whether hardware would keep them or not. */
static bool is_meant(const struct vtd_emul_iotlb *t, const struct vtd_emul_inv *inv)
{
    switch (inv->kind) {
    case VTD_EMUL_INV_IOTLB:
        return inv->granularity == VTD_G_GLOBAL ||
               (t->did == inv->did && (inv->granularity != VTD_G_PAGE || touches(t, inv)));
    case VTD_EMUL_INV_FIRST:
        return t->first && t->did == inv->did && (!inv->paged || touches(t, inv));
    default:
        return true;
    }
}

void vtd_emul_forget(struct vtd_emul *e, const struct vtd_emul_inv *inv)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (is_meant(&e->back.iotlb[i], inv))
            e->back.iotlb[i].valid = false;
}

void vtd_emul_forget_device(struct vtd_emul *e, uint32_t sid)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (e->back.iotlb[i].sid == sid)
            e->back.iotlb[i].valid = false;
}

/* ---- Requests ----------------------------------------------------------------------------------
 */

static int deny(struct vtd_emul *e, const struct sluice_viommu_request *r, uint8_t reason,
                bool silent)
{
    const struct vtd_emul_fault fault = {.sid = (uint16_t)r->sid,
                                         .has_pasid = r->has_pasid,
                                         .pasid = r->pasid,
                                         .info = r->iova,
                                         .reason = reason,
                                         .write = r->access & PT_WRITE};

    if (!silent && !r->quiet)
        vtd_emul_record(e, &fault);
    return -EACCES;
}

static int walk_for(struct vtd_emul *e, const struct sluice_viommu_request *r,
                    struct sluice_viommu_translation *out)
{
    struct vtd_emul_target t;
    uint8_t reason;

    vtd_emul_find(e, r->sid, r->has_pasid, r->pasid, &t);
    reason = translate(e, &t, r->iova, r->access & PT_WRITE, out);
    if (reason)
        return deny(e, r, reason, t.silent);
    if (r->access & ~out->rights)
        return deny(e, r, rights_reason(e, r->access & ~out->rights & PT_WRITE), t.silent);
    if (t.kind != VTD_EMUL_THROUGH)
        keep(e, r, &t, out);
    return 0;
}

int vtd_emul_translate(struct vtd_emul *e, const struct sluice_viommu_request *r,
                       struct sluice_viommu_translation *out)
{
    const struct vtd_emul_iotlb *cached;

    if (!vtd_emul_device(e, r->sid))
        return -ENOENT;
    cached = find(e, r);
    if (!cached || r->access & ~cached->t.rights)
        return walk_for(e, r, out);
    *out = cached->t;
    out->gpa |= r->iova & cached->t.mask;
    return 0;
}

int sluice_viommu_translate(struct sluice_domain *d, uint32_t id,
                            const struct sluice_viommu_request *request,
                            struct sluice_viommu_translation *out)
{
    struct vtd_emul *e = vtd_emul_enter(d, id);
    int err;

    if (!e)
        return -ENODEV;
    err = vtd_emul_translate(e, request, out);
    vtd_emul_leave(e);
    return err;
}

/* ---- Faults of real devices --------------------------------------------------------------------
 */

static const struct vtd_emul_device *device_that_faulted(const struct vtd_emul *e,
                                                         const struct sluice_fault *fault)
{
    const struct vtd_emul_device *dev = e->back.devices;

    while (dev && (!dev->dev || dev->dev != device_of(fault->device)))
        dev = dev->next;
    return dev;
}

bool vtd_emul_explain(struct vtd_emul *e, const struct sluice_fault *fault,
                      struct vtd_emul_fault *out)
{
    const struct vtd_emul_device *dev = device_that_faulted(e, fault);
    struct sluice_viommu_translation found;
    struct vtd_emul_target t;

    if (!dev)
        return false;
    *out = (struct vtd_emul_fault){.sid = dev->sid,
                                   .has_pasid = fault->pasid,
                                   .pasid = fault->pasid,
                                   .info = fault->addr,
                                   .write = fault->write};
    vtd_emul_find(e, dev->sid, out->has_pasid, out->pasid, &t);
    out->reason = translate(e, &t, fault->addr, fault->write, &found);
    if (!out->reason && !(found.rights & (fault->write ? PT_WRITE : PT_READ)))
        out->reason = rights_reason(e, fault->write);
    return out->reason && !t.silent;
}
