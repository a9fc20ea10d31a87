/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

struct rig *rig_create(const struct setup *setup)
{
    const struct sluice_viommu_config config = {
        .type = SLUICE_VIOMMU_VTD, .base = 0xfed90000, .capabilities = SLUICE_VIOMMU_SCALABLE};
    struct rig *r = calloc(1, sizeof(*r));

    assert_non_null(r);
    r->h = host_create(setup);
    add_scattered(r->h, 0, GUEST_MFN, GUEST_PAGES);
    assert_int_equal(sluice_viommu_create(r->h->d, &config, &r->id), 0);
    r->e = (struct vtd_emul *)(void *)domain_of(r->h->d)->viommu;
    r->e->cap = CAP_OFFERED;
    r->e->ecap = ECAP_OFFERED;
    return r;
}

void rig_destroy(struct rig *r)
{
    host_destroy(r->h);
    free(r);
}

int rig_set_up(void **state)
{
    *state = rig_create(&(struct setup){.max_pasid = 2000});
    return 0;
}

int rig_tear_down(void **state)
{
    rig_destroy(*state);
    return 0;
}

struct sluice_device *rig_device(struct rig *r, uint32_t sid)
{
    struct sluice_device *dev = add_device(r->h, sid);

    assert_int_equal(sluice_viommu_add_device(r->h->d, r->id, sid, dev), 0);
    return dev;
}

struct context *rig_where(struct sluice_device *dev)
{
    return device_of(dev)->group->ctx;
}

uint64_t rig_reaches(struct sluice_device *dev, uint64_t iova)
{
    struct pt_leaf leaf;

    if (pt_lookup(&rig_where(dev)->pt, dfn_of(iova >> FRAME_LG2), 1, &leaf) || leaf.retired)
        return NOWHERE;
    return leaf.mfn.n;
}

unsigned rig_invalidate(struct rig *r, const struct vtd_emul_inv *inv)
{
    struct vtd_emul *e = vtd_emul_enter(r->h->d, r->id);
    struct vtd_emul_inv left = *inv;
    unsigned times = 0;
    int err;

    assert_non_null(e);
    while ((err = vtd_emul_invalidate(e, &left)) == -ERESTART)
        assert_true(++times < 100000);
    assert_int_equal(err, 0);
    vtd_emul_leave(e);
    return times;
}

unsigned rig_all(struct rig *r)
{
    return rig_invalidate(r, &(struct vtd_emul_inv){.kind = VTD_EMUL_INV_ROOT});
}

unsigned rig_context(struct rig *r, uint32_t sid)
{
    return rig_invalidate(r, &(struct vtd_emul_inv){.kind = VTD_EMUL_INV_CONTEXTS,
                                                    .granularity = VTD_G_DEVICE,
                                                    .sid = (uint16_t)sid});
}

unsigned rig_domain(struct rig *r, uint16_t did)
{
    return rig_invalidate(r, &(struct vtd_emul_inv){.kind = VTD_EMUL_INV_IOTLB,
                                                    .granularity = VTD_G_DOMAIN,
                                                    .did = did});
}

unsigned rig_page(struct rig *r, uint16_t did, uint64_t iova, uint64_t nr)
{
    const dfn_t first = dfn_of(iova >> FRAME_LG2);

    return rig_invalidate(r, &(struct vtd_emul_inv){.kind = VTD_EMUL_INV_IOTLB,
                                                    .granularity = VTD_G_PAGE,
                                                    .did = did,
                                                    .paged = true,
                                                    .first = first,
                                                    .last = dfn_add(first, nr - 1)});
}

unsigned rig_pasid(struct rig *r, uint16_t did, uint32_t pasid)
{
    return rig_invalidate(r, &(struct vtd_emul_inv){.kind = VTD_EMUL_INV_PASIDS,
                                                    .granularity = VTD_G_PASID_ONE,
                                                    .did = did,
                                                    .pasid = pasid});
}

void guest_store(struct vtd_emul *e, uint64_t gpa, uint64_t value)
{
    assert_int_equal(memory_write(&e->d->memory, gpa, &value, sizeof(value)), 0);
}

void guest_enable(struct vtd_emul *e, bool scalable)
{
    e->front.root = ROOT | FIELD_PREP(VTD_RTADDR_TTM, scalable ? VTD_TTM_SCALABLE : 0);
    e->front.gsts |= (uint32_t)VTD_GCMD_TE;
}

static uint64_t context_at(uint32_t sid)
{
    return CONTEXTS + (sid & 0xff) * sizeof(struct vtd_context_entry);
}

void guest_context(struct vtd_emul *e, uint32_t sid, uint16_t did, uint64_t table, unsigned levels)
{
    guest_store(e, ROOT + (sid >> 8) * 16, CONTEXTS | VTD_ROOT_P);
    guest_store(e, context_at(sid) + 8,
                FIELD_PREP(VTD_CONTEXT_AW, VTD_AW(levels)) | FIELD_PREP(VTD_CONTEXT_DID, did));
    guest_store(e, context_at(sid), table | VTD_CONTEXT_P);
}

void guest_no_context(struct vtd_emul *e, uint32_t sid)
{
    guest_store(e, context_at(sid), 0);
}

void guest_pasid(struct vtd_emul *e, uint32_t sid, uint32_t pasid, uint64_t w0, uint64_t w1,
                 uint64_t w2)
{
    const uint64_t context = CONTEXTS + sid % 128 * sizeof(struct vtd_sm_context_entry);
    const uint64_t entry = PASIDS + pasid % 64 * sizeof(struct vtd_pasid_entry);

    guest_store(e, ROOT + (sid >> 8) * 16 + (sid & 0x80 ? 8 : 0), CONTEXTS | VTD_ROOT_P);
    guest_store(e, context, DIRECTORY | VTD_SM_CONTEXT_P | VTD_SM_CONTEXT_PASIDE);
    guest_store(e, DIRECTORY + pasid / 64 * 8, PASIDS | VTD_PASID_DIR_P);
    guest_store(e, entry + 8, w1);
    guest_store(e, entry + 16, w2);
    guest_store(e, entry, w0);
}

static uint64_t slot_at(uint64_t table, unsigned level, uint64_t iova)
{
    return table + (iova >> (FRAME_LG2 + 9 * level) & 511) * 8;
}

void guest_map_large(struct vtd_emul *e, uint64_t table, unsigned levels, uint64_t iova,
                     uint64_t gpa, unsigned rights, unsigned level)
{
    for (unsigned l = levels - 1; l > level; l--, table += FRAME_SIZE)
        guest_store(e, slot_at(table, l, iova), (table + FRAME_SIZE) | VTD_SS_R | VTD_SS_W);
    guest_store(e, slot_at(table, level, iova), gpa | rights | (level ? VTD_SS_PS : 0));
}

void guest_map(struct vtd_emul *e, uint64_t table, unsigned levels, uint64_t iova, uint64_t gpa,
               unsigned rights)
{
    guest_map_large(e, table, levels, iova, gpa, rights, 0);
}

void guest_map_first(struct vtd_emul *e, uint64_t table, uint64_t iova, uint64_t gpa,
                     uint64_t flags)
{
    for (unsigned level = 3; level; level--, table += FRAME_SIZE)
        guest_store(e, slot_at(table, level, iova),
                    (table + FRAME_SIZE) | X86_PT_P | X86_PT_RW | X86_PT_US);
    guest_store(e, slot_at(table, 0, iova), gpa | flags);
}

void guest_unmap(struct vtd_emul *e, uint64_t table, unsigned levels, uint64_t iova)
{
    guest_store(e, slot_at(table + (levels - 1) * FRAME_SIZE, 0, iova), 0);
}
