/* SPDX-License-Identifier: BSD-2-Clause */
#include "guest.h"

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

void guest_unmap(struct vtd_emul *e, uint64_t table, unsigned levels, uint64_t iova)
{
    guest_store(e, slot_at(table + (levels - 1) * FRAME_SIZE, 0, iova), 0);
}
