/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The unit's state for migration. What was going on is not in it: it is in the registers that asked
 * for it, and begins again. What comes back may be anything.
 */
#include "emul.h"

#define MAGIC   0x31445456u /* "VTD1" */
#define VERSION 1u

struct state {
    uint32_t magic, version;
    uint64_t capabilities;
    uint64_t root, irta;
    uint32_t iova_bits, next_record;
    uint32_t commanded, command;
    uint32_t word[VTD_EMUL_WORDS];
};
_Static_assert(sizeof(struct state) == 48 + 4 * VTD_EMUL_WORDS, "no padding");

size_t vtd_emul_state_size(void)
{
    return sizeof(struct state);
}

void vtd_emul_save(const struct vtd_emul *e, void *to)
{
    const struct vtd_emul_front *f = &e->front;
    struct state s = {
        .magic = MAGIC,
        .version = VERSION,
        .capabilities = e->capabilities,
        .root = f->root,
        .irta = f->irta,
        .iova_bits = e->iova_bits,
        .next_record = f->next_record,
        .commanded = f->commanded,
        .command = f->command,
    };

    memcpy(s.word, f->word, sizeof(s.word));
    memcpy(to, &s, sizeof(s));
}

/* Bits that change, beside those that software owns. */
static uint32_t status_bits(const struct vtd_emul *e, unsigned offset)
{
    switch (offset) {
    case VTD_GSTS:
        return (
            uint32_t)(VTD_GCMD_TE | VTD_GCMD_SRTP | VTD_GCMD_QIE |
                      (e->ecap & VTD_ECAP_IR ? VTD_GCMD_IRE | VTD_GCMD_SIRTP | VTD_GCMD_CFI : 0));
    case VTD_CCMD + 4:
        return (uint32_t)(VTD_CCMD_CAIG >> 32);
    case VTD_EMUL_IOTLB + 4:
        return (uint32_t)(VTD_IOTLB_IAIG >> 32);
    case VTD_FSTS:
        return (uint32_t)(VTD_FSTS_PPF | VTD_FSTS_FRI);
    case VTD_FECTL:
    case VTD_IECTL:
        return (uint32_t)VTD_ECTL_IP;
    case VTD_IQH:
        return (uint32_t)VTD_IQ_INDEX;
    case VTD_IQERCD:
        return (uint32_t)VTD_IQERCD_IQEI;
    default:
        return 0;
    }
}

static uint32_t record_bits(unsigned offset)
{
    static const uint64_t hi =
        VTD_FRCD_SID | VTD_FRCD_PP | VTD_FRCD_FR | VTD_FRCD_PV | VTD_FRCD_T1 | VTD_FRCD_F;
    const uint32_t bits[4] = {(uint32_t)VTD_FRCD_FI, (uint32_t)(VTD_FRCD_FI >> 32), (uint32_t)hi,
                              (uint32_t)(hi >> 32)};

    return offset < VTD_EMUL_FRCD ? 0 : bits[(offset - VTD_EMUL_FRCD) / 4 % 4];
}

/* Everything else is as it is in a new unit. */
static bool are_words_right(const struct vtd_emul *e, const uint32_t *word)
{
    const struct vtd_emul_front *f = &e->front;

    for (unsigned i = 0; i < VTD_EMUL_WORDS; i++) {
        const uint32_t may =
            f->writable[i] | f->clears[i] | status_bits(e, i * 4) | record_bits(i * 4);

        if ((word[i] ^ f->word[i]) & ~may)
            return false;
    }
    return true;
}

static bool has_fault(const struct state *s)
{
    for (unsigned i = 0; i < VTD_EMUL_RECORDS; i++)
        if (s->word[(VTD_EMUL_FRCD + i * VTD_FRCD_SIZE + 12) / 4] & VTD_FRCD_F >> 32)
            return true;
    return false;
}

static bool is_pointer(uint64_t value, uint64_t low)
{
    return !(value & ~(MASK64(51, 12) | low));
}

static bool is_right(const struct vtd_emul *e, const struct state *s)
{
    const uint32_t fsts = s->word[VTD_FSTS / 4];

    if (s->magic != MAGIC || s->version != VERSION || s->capabilities != e->capabilities ||
        s->iova_bits != e->iova_bits)
        return false;
    if (s->next_record >= VTD_EMUL_RECORDS || s->commanded > 1 ||
        !is_pointer(s->root, VTD_RTADDR_TTM) ||
        !is_pointer(s->irta, VTD_IRTA_S | (e->ecap & VTD_ECAP_EIM ? VTD_IRTA_EIME : 0)))
        return false;
    if (FIELD_GET(VTD_FSTS_FRI, fsts) >= VTD_EMUL_RECORDS || !(fsts & VTD_FSTS_PPF) == has_fault(s))
        return false;
    return are_words_right(e, s->word);
}

/* A unit that was just created, but for its devices. */
static bool is_new(const struct vtd_emul *e)
{
    return !e->front.gsts && e->front.work == VTD_EMUL_IDLE && !e->front.commanded;
}

int vtd_emul_restore(struct vtd_emul *e, const void *from, size_t size)
{
    struct vtd_emul_front *f = &e->front;
    struct state s;

    if (size != sizeof(s) || !is_new(e))
        return -EINVAL;
    memcpy(&s, from, sizeof(s));
    if (!is_right(e, &s))
        return -EINVAL;
    memcpy(f->word, s.word, sizeof(s.word));
    f->gsts = vtd_emul_get(f, VTD_GSTS);
    f->root = s.root;
    f->irta = s.irta;
    f->next_record = s.next_record;
    f->commanded = s.commanded;
    f->command = s.command;
    f->inv = (struct vtd_emul_inv){.kind = VTD_EMUL_INV_ROOT};
    f->work = VTD_EMUL_DOES_RESTORE;
    vtd_emul_settle(e);
    return 0;
}
