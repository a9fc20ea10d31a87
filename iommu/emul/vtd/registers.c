/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The register file: words of 32 bits. A read of any size at any offset is of bytes. A write of 4
 * bytes that is aligned is one of a word, and one of 8 bytes at a multiple of 4 is two, the lower
 * first; others are lost (11.2: what software must not do). Nothing the guest writes changes a bit
 * that is not its own.
 */
#include "emul.h"

#define MOST_ADDRESS MASK64(19, 0) /* upper words: addresses have 52 bits */

static void own(struct vtd_emul_front *f, unsigned offset, uint64_t writable, uint64_t clears)
{
    f->writable[offset / 4] = (uint32_t)writable;
    f->clears[offset / 4] = (uint32_t)clears;
}

static void own_event(struct vtd_emul_front *f, unsigned control, unsigned data, unsigned address)
{
    own(f, control, VTD_ECTL_IM, 0);
    own(f, data, VTD_EVENT_DATA, 0);
    own(f, address, VTD_EVENT_ADDRESS, 0);
    own(f, address + 4, UINT32_MAX, 0);
    vtd_emul_set(f, control, (uint32_t)VTD_ECTL_IM);
}

static void own_address(struct vtd_emul_front *f, unsigned offset, uint64_t low)
{
    own(f, offset, MASK64(31, 12) | low, 0);
    own(f, offset + 4, MOST_ADDRESS, 0);
}

static void own_invalidation(struct vtd_emul_front *f)
{
    own(f, VTD_CCMD, UINT32_MAX, 0);
    own(f, VTD_CCMD + 4, (VTD_CCMD_ICC | VTD_CCMD_CIRG | VTD_CCMD_FM) >> 32, 0);
    own(f, VTD_EMUL_IVA, MASK64(31, 12) | VTD_IVA_IH | VTD_IVA_AM, 0);
    own(f, VTD_EMUL_IVA + 4, UINT32_MAX, 0);
    own(f, VTD_EMUL_IOTLB + 4,
        (VTD_IOTLB_IVT | VTD_IOTLB_IIRG | VTD_IOTLB_DR | VTD_IOTLB_DW | VTD_IOTLB_DID) >> 32, 0);
    own(f, VTD_IQT, VTD_IQ_INDEX, 0);
    own_address(f, VTD_IQA, VTD_IQA_DW | VTD_IQA_QS);
    own(f, VTD_ICS, 0, VTD_ICS_IWC);
    own_event(f, VTD_IECTL, VTD_IEDATA, VTD_IEADDR);
}

static void own_faults(struct vtd_emul_front *f)
{
    own(f, VTD_FSTS, 0, VTD_FSTS_PFO | VTD_FSTS_IQE);
    own_event(f, VTD_FECTL, VTD_FEDATA, VTD_FEADDR);
    for (unsigned i = 0; i < VTD_EMUL_RECORDS; i++)
        own(f, VTD_EMUL_FRCD + i * VTD_FRCD_SIZE + 12, 0, VTD_FRCD_F >> 32);
}

void vtd_emul_reset(struct vtd_emul *e)
{
    struct vtd_emul_front *f = &e->front;

    vtd_emul_set(f, VTD_VER, (uint32_t)FIELD_PREP(VTD_VER_MAJOR, 1));
    vtd_emul_set64(f, VTD_CAP, e->cap);
    vtd_emul_set64(f, VTD_ECAP, e->ecap);
    own_address(f, VTD_RTADDR, VTD_RTADDR_TTM);
    own_invalidation(f);
    own_faults(f);
    if (e->ecap & VTD_ECAP_IR)
        own_address(f, VTD_IRTA, VTD_IRTA_S | (e->ecap & VTD_ECAP_EIM ? VTD_IRTA_EIME : 0));
}

static uint8_t byte(const struct vtd_emul_front *f, uint64_t offset)
{
    if (offset / 4 >= VTD_EMUL_WORDS)
        return 0;
    return (uint8_t)(f->word[offset / 4] >> offset % 4 * 8);
}

uint64_t vtd_emul_read(const struct vtd_emul *e, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    if (offset >= SLUICE_VIOMMU_SIZE || size > sizeof(value))
        return 0;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)byte(&e->front, offset + i) << i * 8;
    return value;
}

/* What an invalidation that is going on was told (11.4.6). */
static bool is_busy(const struct vtd_emul_front *f, uint64_t offset)
{
    if (offset == VTD_CCMD || offset == VTD_CCMD + 4)
        return vtd_emul_get64(f, VTD_CCMD) & VTD_CCMD_ICC;
    return offset >= VTD_EMUL_IVA && offset < VTD_EMUL_IOTLB + 8 &&
           vtd_emul_get64(f, VTD_EMUL_IOTLB) & VTD_IOTLB_IVT;
}

/* One that comes before the last one is through is lost. */
static void write_command(struct vtd_emul_front *f, uint32_t value)
{
    if (f->commanded)
        return;
    f->commanded = true;
    f->command = value;
}

static void write_word(struct vtd_emul *e, uint64_t offset, uint32_t value)
{
    struct vtd_emul_front *f = &e->front;
    const uint64_t i = offset / 4;

    if (i >= VTD_EMUL_WORDS || is_busy(f, offset))
        return;
    if (offset == VTD_GCMD) {
        write_command(f, value);
        return;
    }
    f->word[i] &= ~(f->writable[i] | (f->clears[i] & value));
    f->word[i] |= f->writable[i] & value;
    vtd_emul_settle(e);
}

void vtd_emul_write(struct vtd_emul *e, uint64_t offset, unsigned size, uint64_t value)
{
    if (offset % 4 || (size != 4 && size != 8))
        return;
    write_word(e, offset, (uint32_t)value);
    if (size == 8 && offset < SLUICE_VIOMMU_SIZE)
        write_word(e, offset + 4, (uint32_t)(value >> 32));
}
