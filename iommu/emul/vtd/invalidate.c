/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest invalidates, by descriptor (6.5.2) or by register (11.4.6), as one struct. The
 * interrupt entry cache and wait descriptors are carried out at once.
 */
#include "emul.h"

#define NR_DFNS_LG2 52u

/* 1 << mask pages around the address. */
static void set_range(struct vtd_emul_inv *inv, uint64_t address, unsigned mask)
{
    const uint64_t rest = mask < NR_DFNS_LG2 ? BIT64(mask) - 1 : MASK64(NR_DFNS_LG2 - 1, 0);

    inv->paged = true;
    inv->first = dfn_of(address >> FRAME_LG2 & ~rest);
    inv->last = dfn_of(inv->first.n | rest);
}

static void begin(struct vtd_emul *e, enum vtd_emul_work work, const struct vtd_emul_inv *inv)
{
    e->front.inv = *inv;
    e->front.work = work;
}

/* Addresses of a second stage: what is beyond the guest's width is ignored. */
static bool set_pages(const struct vtd_emul *e, struct vtd_emul_inv *inv, uint64_t address)
{
    const unsigned mask = (unsigned)FIELD_GET(VTD_DESC_AM, address);

    if (mask > FIELD_GET(VTD_CAP_MAMV, e->cap))
        return false;
    set_range(inv, address & MASK64(FIELD_GET(VTD_CAP_MGAW, e->cap), 0), mask);
    inv->leaf_only = address & VTD_DESC_IH;
    return true;
}

/* ---- Registers ---------------------------------------------------------------------------------
 */

/* Not beside a queue, and of legacy mode only: what is refused was done with granularity 0. */
static bool takes_registers(const struct vtd_emul *e)
{
    return !(vtd_emul_get(&e->front, VTD_GSTS) & VTD_GCMD_QIE) &&
           FIELD_GET(VTD_RTADDR_TTM, e->front.root) == VTD_TTM_LEGACY;
}

void vtd_emul_begin_context(struct vtd_emul *e)
{
    const uint64_t ccmd = vtd_emul_get64(&e->front, VTD_CCMD);
    const struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_CONTEXTS,
                                     .granularity = (unsigned)FIELD_GET(VTD_CCMD_CIRG, ccmd),
                                     .did = (uint16_t)FIELD_GET(VTD_CCMD_DID, ccmd),
                                     .sid = (uint16_t)FIELD_GET(VTD_CCMD_SID, ccmd),
                                     .fm = (uint8_t)FIELD_GET(VTD_CCMD_FM, ccmd)};

    if (takes_registers(e) && inv.granularity)
        begin(e, VTD_EMUL_DOES_CONTEXT, &inv);
    else
        vtd_emul_end_context(e, 0);
}

void vtd_emul_end_context(struct vtd_emul *e, unsigned done)
{
    uint64_t ccmd = vtd_emul_get64(&e->front, VTD_CCMD) & ~(VTD_CCMD_ICC | VTD_CCMD_CAIG);

    ccmd |= FIELD_PREP(VTD_CCMD_CAIG, done);
    vtd_emul_set64(&e->front, VTD_CCMD, ccmd);
}

void vtd_emul_begin_iotlb(struct vtd_emul *e)
{
    const uint64_t iotlb = vtd_emul_get64(&e->front, VTD_EMUL_IOTLB);
    struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_IOTLB,
                               .granularity = (unsigned)FIELD_GET(VTD_IOTLB_IIRG, iotlb),
                               .did = (uint16_t)FIELD_GET(VTD_IOTLB_DID, iotlb)};
    bool right = takes_registers(e) && inv.granularity;

    if (right && inv.granularity == VTD_G_PAGE) /* IVA is as that word of a descriptor */
        right = set_pages(e, &inv, vtd_emul_get64(&e->front, VTD_EMUL_IVA));
    if (right)
        begin(e, VTD_EMUL_DOES_IOTLB, &inv);
    else
        vtd_emul_end_iotlb(e, 0);
}

void vtd_emul_end_iotlb(struct vtd_emul *e, unsigned done)
{
    uint64_t iotlb = vtd_emul_get64(&e->front, VTD_EMUL_IOTLB) & ~(VTD_IOTLB_IVT | VTD_IOTLB_IAIG);

    iotlb |= FIELD_PREP(VTD_IOTLB_IAIG, done);
    vtd_emul_set64(&e->front, VTD_EMUL_IOTLB, iotlb);
}

/* ---- Descriptors -------------------------------------------------------------------------------
 */

/* In scalable mode nothing is cached by domain, so such a one is global (6.5.2.1). */
static unsigned decode_context(struct vtd_emul *e, const uint64_t word[4])
{
    struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_CONTEXTS,
                               .granularity = (unsigned)FIELD_GET(VTD_DESC_G, word[0]),
                               .did = (uint16_t)FIELD_GET(VTD_DESC_DID, word[0]),
                               .sid = (uint16_t)FIELD_GET(VTD_DESC_SID, word[0]),
                               .fm = (uint8_t)FIELD_GET(VTD_DESC_FM, word[0])};

    if (word[0] & VTD_DESC_RESERVED_CONTEXT_LO || word[1] || !inv.granularity)
        return VTD_IQEI_RESERVED;
    if (vtd_emul_is_scalable(e) && inv.granularity == VTD_G_DOMAIN)
        inv.granularity = VTD_G_GLOBAL;
    begin(e, VTD_EMUL_DOES_DESCRIPTOR, &inv);
    return 0;
}

static unsigned decode_iotlb(struct vtd_emul *e, const uint64_t word[4])
{
    struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_IOTLB,
                               .granularity = (unsigned)FIELD_GET(VTD_DESC_G, word[0]),
                               .did = (uint16_t)FIELD_GET(VTD_DESC_DID, word[0])};

    if (word[0] & VTD_DESC_RESERVED_IOTLB_LO || word[1] & VTD_DESC_RESERVED_IOTLB_HI ||
        !inv.granularity)
        return VTD_IQEI_RESERVED;
    if (inv.granularity == VTD_G_PAGE && !set_pages(e, &inv, word[1]))
        return VTD_IQEI_RESERVED;
    begin(e, VTD_EMUL_DOES_DESCRIPTOR, &inv);
    return 0;
}

static unsigned decode_first(struct vtd_emul *e, const uint64_t word[4])
{
    struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_FIRST,
                               .granularity = (unsigned)FIELD_GET(VTD_DESC_G, word[0]),
                               .did = (uint16_t)FIELD_GET(VTD_DESC_DID, word[0]),
                               .pasid = (uint32_t)FIELD_GET(VTD_DESC_PASID_NR, word[0])};

    if (word[0] & VTD_DESC_RESERVED_PASID_LO || word[1] & VTD_DESC_RESERVED_IOTLB_HI ||
        inv.granularity < VTD_G_FIRST_ALL)
        return VTD_IQEI_RESERVED;
    if (inv.granularity == VTD_G_FIRST_PAGE) {
        set_range(&inv, word[1], (unsigned)FIELD_GET(VTD_DESC_AM, word[1]));
        inv.leaf_only = word[1] & VTD_DESC_IH;
    }
    begin(e, VTD_EMUL_DOES_DESCRIPTOR, &inv);
    return 0;
}

static unsigned decode_pasid(struct vtd_emul *e, const uint64_t word[4])
{
    const struct vtd_emul_inv inv = {.kind = VTD_EMUL_INV_PASIDS,
                                     .granularity = (unsigned)FIELD_GET(VTD_DESC_G, word[0]),
                                     .did = (uint16_t)FIELD_GET(VTD_DESC_DID, word[0]),
                                     .pasid = (uint32_t)FIELD_GET(VTD_DESC_PASID_NR, word[0])};

    if (word[0] & VTD_DESC_RESERVED_PASID_LO || word[1] ||
        (inv.granularity > VTD_G_PASID_ONE && inv.granularity != VTD_G_PASID_GLOBAL))
        return VTD_IQEI_RESERVED;
    begin(e, VTD_EMUL_DOES_DESCRIPTOR, &inv);
    return 0;
}

static unsigned decode_irtes(struct vtd_emul *e, const uint64_t word[4])
{
    const unsigned mask = (unsigned)FIELD_GET(VTD_DESC_IM, word[0]);
    const bool one = word[0] & VTD_DESC_IEC_INDEX;

    if (word[0] & VTD_DESC_RESERVED_IEC_LO || word[1] ||
        (one && mask > FIELD_GET(VTD_ECAP_MHMV, e->ecap)))
        return VTD_IQEI_RESERVED;
    vtd_emul_forget_irtes(e, one, (uint16_t)FIELD_GET(VTD_DESC_IIDX, word[0]), mask);
    return 0;
}

/*
 * All before it is complete, so it is. Memory that is not there takes the write as it does
 * everywhere. The status is written before the interrupt (6.5.2.10).
 */
static unsigned decode_wait(struct vtd_emul *e, const uint64_t word[4])
{
    const uint32_t data = (uint32_t)FIELD_GET(VTD_DESC_DATA, word[0]);
    const uint64_t where = word[1] & MASK64(51, 2);

    if (word[0] & VTD_DESC_RESERVED_WAIT_LO || word[1] & VTD_DESC_RESERVED_WAIT_HI)
        return VTD_IQEI_RESERVED;
    if (word[0] & VTD_DESC_SW)
        (void)memory_write(&e->d->memory, where, &data, sizeof(data));
    if (word[0] & VTD_DESC_IF)
        vtd_emul_done_event(e);
    return 0;
}

/* Table 26. There are no device TLBs, page requests or host permission tables. */
unsigned vtd_emul_decode(struct vtd_emul *e, const uint64_t word[4])
{
    static unsigned (*const decode[])(struct vtd_emul *, const uint64_t[4]) = {
        [VTD_DESC_CONTEXT] = decode_context, [VTD_DESC_IOTLB] = decode_iotlb,
        [VTD_DESC_IEC] = decode_irtes,       [VTD_DESC_WAIT] = decode_wait,
        [VTD_DESC_PIOTLB] = decode_first,    [VTD_DESC_PASID] = decode_pasid,
    };
    const uint64_t type = word[0] & VTD_DESC_TYPE;

    if (type > VTD_DESC_PASID || !decode[type])
        return VTD_IQEI_TYPE;
    if (type >= VTD_DESC_PIOTLB && !vtd_emul_is_scalable(e))
        return VTD_IQEI_TYPE;
    return word[2] || word[3] ? VTD_IQEI_RESERVED : decode[type](e, word);
}
