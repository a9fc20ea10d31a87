/* SPDX-License-Identifier: BSD-2-Clause */
#include "drive.h"

#include <string.h>

#include "layout.h"

static uint32_t gsts(struct unit *u)
{
    return (uint32_t)unit_read(u, VTD_GSTS, 4);
}

static uint32_t fsts(struct unit *u)
{
    return (uint32_t)unit_read(u, VTD_FSTS, 4);
}

bool drive_queue_on(struct unit *u)
{
    return gsts(u) & VTD_GCMD_QIE;
}

/* ---- The queue ------------------------------------------------------------------------------- */

static unsigned descriptor_size(const struct unit *u)
{
    return u->scalable ? 32 : 16;
}

static void put_descriptor(struct unit *u, uint64_t at, uint64_t lo, uint64_t hi)
{
    const uint64_t words[4] = {lo, hi};

    u->ops->store(u, table_page(PAGE_QUEUE) + at, words, descriptor_size(u));
}

bool drive_queue(struct unit *u, uint64_t lo, uint64_t hi)
{
    uint64_t tail;

    if (!drive_queue_on(u))
        return false;
    tail = unit_read(u, VTD_IQT, 8) & (WORLD_PAGE - 1) & -(uint64_t)descriptor_size(u);
    put_descriptor(u, tail, lo, hi);
    unit_write(u, VTD_IQT, 8, (tail + descriptor_size(u)) & (WORLD_PAGE - 1));
    return true;
}

static void put_wait(struct unit *u, uint64_t at)
{
    put_descriptor(u, at, VTD_DESC_WAIT | VTD_DESC_SW | FIELD_PREP(VTD_DESC_DATA, 0x3a17),
                   table_page(PAGE_STATUS) + 0xff0);
}

void drive_recover(struct unit *u)
{
    uint64_t head, tail;

    if (!drive_queue_on(u) || !(fsts(u) & VTD_FSTS_IQE))
        return;
    head = unit_read(u, VTD_IQH, 8) & (WORLD_PAGE - 1);
    tail = (head + descriptor_size(u)) & (WORLD_PAGE - 1);
    put_wait(u, head);
    unit_write(u, VTD_IQT, 8, tail);
    unit_write(u, VTD_FSTS, 4, VTD_FSTS_IQE);
    unit_write(u, VTD_IQT, 8, tail);
}

/* ---- GCMD ------------------------------------------------------------------------------------ */

static void gcmd(struct unit *u, uint64_t bit, bool on)
{
    const uint32_t now = gsts(u) & (uint32_t)VTD_GCMD_PERSISTENT;

    unit_write(u, VTD_GCMD, 4, on ? now | bit : now & ~bit);
}

static void queue_on(struct unit *u)
{
    unit_write(u, VTD_IQT, 8, 0);
    unit_write(u, VTD_IQA, 8, table_page(PAGE_QUEUE) | (u->scalable ? VTD_IQA_DW : 0));
    gcmd(u, VTD_GCMD_QIE, true);
}

/* 6.5.2: only when it is empty and has no error. QEMU wants a wait to be the last of it. */
static void queue_off(struct unit *u)
{
    drive_recover(u);
    drive_queue(u, VTD_DESC_WAIT | VTD_DESC_SW, table_page(PAGE_STATUS) + 0xff0);
    gcmd(u, VTD_GCMD_QIE, false);
    unit_write(u, VTD_IQT, 8, 0);
}

void drive_gcmd(struct unit *u, uint64_t bit, bool on)
{
    const uint32_t now = gsts(u);

    if (bit & VTD_GCMD_PERSISTENT && !!(now & bit) == on)
        return;
    if (bit == VTD_GCMD_QIE && on)
        queue_on(u);
    else if (bit == VTD_GCMD_QIE) {
        if (!(now & VTD_GCMD_IRE) && !u->scalable) /* both need it (6.5.2, 5.1) */
            queue_off(u);
    } else if (bit & VTD_GCMD_PERSISTENT) {
        if (bit != VTD_GCMD_IRE || now & VTD_GCMD_QIE)
            gcmd(u, bit, on);
    } else
        gcmd(u, bit, true);
}

/* ---- Invalidations --------------------------------------------------------------------------- */

static void wait_for_it(struct unit *u)
{
    drive_queue(u, VTD_DESC_WAIT | VTD_DESC_SW | FIELD_PREP(VTD_DESC_DATA, 1),
                table_page(PAGE_STATUS) + 0xff8);
}

static void context(struct unit *u, unsigned granularity, uint16_t did, uint16_t sid)
{
    const uint64_t what = FIELD_PREP(VTD_CCMD_DID, did) | FIELD_PREP(VTD_CCMD_SID, sid) |
                          FIELD_PREP(VTD_CCMD_CIRG, granularity);

    if (!drive_queue(u,
                     VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, granularity) |
                         FIELD_PREP(VTD_DESC_DID, did) | FIELD_PREP(VTD_DESC_SID, sid),
                     0))
        unit_write(u, VTD_CCMD, 8, VTD_CCMD_ICC | what);
}

static void pasid(struct unit *u, unsigned granularity, uint16_t did)
{
    if (u->scalable)
        drive_queue(
            u, VTD_DESC_PASID | FIELD_PREP(VTD_DESC_G, granularity) | FIELD_PREP(VTD_DESC_DID, did),
            0);
}

static void iotlb(struct unit *u, unsigned granularity, uint16_t did, uint64_t iova, unsigned am)
{
    if (drive_queue(
            u, VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, granularity) | FIELD_PREP(VTD_DESC_DID, did),
            granularity == VTD_G_PAGE ? iova | am : 0))
        return;
    if (granularity == VTD_G_PAGE)
        unit_write(u, u->iotlb + VTD_IVA_REG, 8, iova | am);
    unit_write(u, u->iotlb + VTD_IOTLB_REG, 8,
               VTD_IOTLB_IVT | FIELD_PREP(VTD_IOTLB_IIRG, granularity) |
                   FIELD_PREP(VTD_IOTLB_DID, did));
}

void drive_flush(struct unit *u)
{
    drive_recover(u);
    context(u, VTD_G_GLOBAL, 0, 0);
    pasid(u, VTD_G_PASID_GLOBAL, 0);
    iotlb(u, VTD_G_GLOBAL, 0, 0, 0);
    drive_queue(u, VTD_DESC_IEC, 0);
    wait_for_it(u);
}

static void device(struct unit *u, uint16_t did, uint16_t sid)
{
    context(u, VTD_G_DEVICE, did, sid);
    wait_for_it(u);
    pasid(u, VTD_G_PASID_DOMAIN, did);
    wait_for_it(u);
    iotlb(u, VTD_G_DOMAIN, did, 0, 0);
    wait_for_it(u);
}

/* In caching mode what was not present, or wrong, may be cached with domain id 0 (6.1). */
void drive_invalidate(struct unit *u, const struct step *s)
{
    const uint16_t did = (uint16_t)s->arg[3];

    drive_recover(u);
    switch ((enum scope)s->arg[2]) {
    case SCOPE_DOMAIN:
        iotlb(u, VTD_G_DOMAIN, did, 0, 0);
        break;
    case SCOPE_PAGE:
        iotlb(u, VTD_G_PAGE, did, s->arg[4], (unsigned)s->arg[5]);
        break;
    case SCOPE_DEVICE:
        device(u, did, (uint16_t)s->arg[4]);
        device(u, (uint16_t)s->arg[5], (uint16_t)s->arg[4]);
        device(u, 0, (uint16_t)s->arg[4]);
        break;
    default:
        drive_flush(u);
        return;
    }
    wait_for_it(u);
}

/* ---- Faults ---------------------------------------------------------------------------------- */

static struct record read_record(struct unit *u, unsigned at)
{
    const uint64_t lo = unit_read(u, at, 8), hi = unit_read(u, at + 8, 8);

    return (struct record){
        .set = hi & VTD_FRCD_F,
        .address = lo & VTD_FRCD_FI,
        .sid = (uint16_t)FIELD_GET(VTD_FRCD_SID, hi),
        .reason = (uint8_t)FIELD_GET(VTD_FRCD_FR, hi),
        .write = !(hi & VTD_FRCD_T1),
        .has_pasid = hi & VTD_FRCD_PP,
        .pasid = hi & VTD_FRCD_PP ? (uint32_t)FIELD_GET(VTD_FRCD_PV, hi) : 0,
    };
}

struct record drive_faults(struct unit *u)
{
    const uint32_t status = fsts(u);
    struct record first = {0};

    if (!(status & (VTD_FSTS_PPF | VTD_FSTS_PFO)))
        return first;
    for (unsigned i = 0, n = (unsigned)FIELD_GET(VTD_FSTS_FRI, status); i < u->nr_faults; i++) {
        const unsigned at = u->fault + VTD_FRCD_SIZE * ((n + i) % u->nr_faults);
        const struct record r = read_record(u, at);

        if (!r.set)
            continue;
        if (!first.set)
            first = r;
        unit_write(u, at + 12, 4, VTD_FRCD_F >> 32);
    }
    unit_write(u, VTD_FSTS, 4, VTD_FSTS_PFO);
    return first;
}

/* ---- The start of a program ------------------------------------------------------------------ */

static void reset_memory(struct unit *u)
{
    static const uint8_t zeros[NR_TABLES * WORLD_PAGE];
    uint64_t words[WORLD_PAGE / 8];

    u->ops->store(u, TABLES, zeros, sizeof(zeros));
    for (unsigned i = NR_TABLES; i < WORLD_PAGES; i++) {
        for (unsigned k = 0; k < WORLD_PAGE / 8; k++)
            words[k] = world_word(world_page(i) + k * 8u);
        u->ops->store(u, world_page(i), words, sizeof(words));
    }
}

static void reset_registers(struct unit *u)
{
    unit_write(u, VTD_FECTL, 4, VTD_ECTL_IM);
    unit_write(u, VTD_IECTL, 4, VTD_ECTL_IM);
    unit_write(u, VTD_ICS, 4, VTD_ICS_IWC);
    unit_write(u, VTD_FSTS, 4, 0xff);
    unit_write(u, VTD_RTADDR, 8, table_page(PAGE_NOTHING));
    gcmd(u, VTD_GCMD_SRTP, true);
    unit_write(u, VTD_IRTA, 8, table_page(PAGE_REMAP) | 7);
    gcmd(u, VTD_GCMD_SIRTP, true);
    unit_write(u, VTD_FEADDR, 4, 0xfee00000);
    unit_write(u, VTD_IEADDR, 4, 0xfee00000);
}

static void empty_queue(struct unit *u)
{
    drive_recover(u);
    drive_recover(u);
    wait_for_it(u);
    gcmd(u, VTD_GCMD_QIE, false);
    unit_write(u, VTD_IQT, 8, 0);
}

void drive_reset(struct unit *u)
{
    drive_faults(u);
    gcmd(u, VTD_GCMD_TE, false);
    gcmd(u, VTD_GCMD_IRE, false);
    reset_memory(u);
    if (drive_queue_on(u))
        empty_queue(u);
    reset_registers(u);
    drive_flush(u);
    drive_faults(u);
}
