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

/* Descriptors that go into the queue together. */
struct batch {
    unsigned nr;
    struct vtd_descriptor desc[24];
};

static void add(struct batch *b, uint64_t lo, uint64_t hi)
{
    b->desc[b->nr++] = (struct vtd_descriptor){lo, hi};
}

/* What is before it is complete before what is behind it begins. */
static void add_wait(struct batch *b)
{
    add(b, VTD_DESC_WAIT | VTD_DESC_SW | VTD_DESC_FN | FIELD_PREP(VTD_DESC_DATA, 1),
        table_page(PAGE_STATUS) + 0xff8);
}

static bool queue(struct unit *u, const struct batch *b)
{
    const unsigned size = descriptor_size(u);
    uint64_t tail;

    if (!drive_queue_on(u))
        return false;
    tail = unit_read(u, VTD_IQT, 8) & (WORLD_PAGE - 1) & -(uint64_t)size;
    for (unsigned i = 0; i < b->nr; i++) {
        put_descriptor(u, tail, b->desc[i].lo, b->desc[i].hi);
        tail = (tail + size) & (WORLD_PAGE - 1);
    }
    unit_write(u, VTD_IQT, 8, tail);
    return true;
}

bool drive_queue(struct unit *u, uint64_t lo, uint64_t hi)
{
    struct batch b = {0};

    add(&b, lo, hi);
    return queue(u, &b);
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

static void context(struct batch *b, unsigned granularity, uint16_t did, uint16_t sid)
{
    add(b,
        VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, granularity) | FIELD_PREP(VTD_DESC_DID, did) |
            FIELD_PREP(VTD_DESC_SID, sid),
        0);
}

static void pasid(struct batch *b, unsigned granularity, uint16_t did)
{
    add(b, VTD_DESC_PASID | FIELD_PREP(VTD_DESC_G, granularity) | FIELD_PREP(VTD_DESC_DID, did), 0);
}

static void iotlb(struct batch *b, unsigned granularity, uint16_t did, uint64_t page)
{
    add(b, VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, granularity) | FIELD_PREP(VTD_DESC_DID, did),
        page);
}

/* PASID caches are of scalable mode only, also in their descriptors. */
static bool has_pasids(struct unit *u)
{
    return u->scalable &&
           FIELD_GET(VTD_RTADDR_TTM, unit_read(u, VTD_RTADDR, 8)) == VTD_TTM_SCALABLE;
}

static void everything(struct unit *u, struct batch *b)
{
    context(b, VTD_G_GLOBAL, 0, 0);
    add_wait(b);
    if (has_pasids(u))
        pasid(b, VTD_G_PASID_GLOBAL, 0);
    add_wait(b);
    iotlb(b, VTD_G_GLOBAL, 0, 0);
    add(b, VTD_DESC_IEC, 0);
    add_wait(b);
}

static void device(struct unit *u, struct batch *b, uint16_t did, uint16_t sid)
{
    context(b, VTD_G_DEVICE, did, sid);
    add_wait(b);
    if (has_pasids(u))
        pasid(b, VTD_G_PASID_DOMAIN, did);
    add_wait(b);
    iotlb(b, VTD_G_DOMAIN, did, 0);
    add_wait(b);
}

/* The same by registers, where there is no queue. */
static void by_register(struct unit *u, const struct vtd_descriptor *d)
{
    const uint64_t granularity = FIELD_GET(VTD_DESC_G, d->lo), did = FIELD_GET(VTD_DESC_DID, d->lo);

    if (FIELD_GET(VTD_DESC_TYPE, d->lo) == VTD_DESC_CONTEXT)
        unit_write(u, VTD_CCMD, 8,
                   VTD_CCMD_ICC | FIELD_PREP(VTD_CCMD_CIRG, granularity) |
                       FIELD_PREP(VTD_CCMD_DID, did) |
                       FIELD_PREP(VTD_CCMD_SID, FIELD_GET(VTD_DESC_SID, d->lo)));
    if (FIELD_GET(VTD_DESC_TYPE, d->lo) != VTD_DESC_IOTLB)
        return;
    if (granularity == VTD_G_PAGE)
        unit_write(u, u->iotlb + VTD_IVA_REG, 8, d->hi);
    unit_write(u, u->iotlb + VTD_IOTLB_REG, 8,
               VTD_IOTLB_IVT | FIELD_PREP(VTD_IOTLB_IIRG, granularity) |
                   FIELD_PREP(VTD_IOTLB_DID, did));
}

static void carry_out(struct unit *u, const struct batch *b)
{
    if (queue(u, b))
        return;
    for (unsigned i = 0; i < b->nr; i++)
        by_register(u, &b->desc[i]);
}

void drive_flush(struct unit *u)
{
    struct batch b = {0};

    drive_recover(u);
    everything(u, &b);
    carry_out(u, &b);
}

/* In caching mode what was not present, or wrong, may be cached with domain id 0 (6.1). */
void drive_invalidate(struct unit *u, const struct step *s)
{
    const uint16_t did = (uint16_t)s->arg[3], sid = (uint16_t)s->arg[4];
    struct batch b = {0};

    drive_recover(u);
    switch ((enum scope)s->arg[2]) {
    case SCOPE_DOMAIN:
        iotlb(&b, VTD_G_DOMAIN, did, 0);
        break;
    case SCOPE_PAGE:
        iotlb(&b, VTD_G_PAGE, did, (s->arg[4] & VTD_DESC_ADDR) | (s->arg[5] & VTD_DESC_AM));
        break;
    case SCOPE_DEVICE:
        device(u, &b, did, sid);
        device(u, &b, (uint16_t)s->arg[5], sid);
        device(u, &b, 0, sid);
        break;
    default:
        everything(u, &b);
    }
    add_wait(&b);
    carry_out(u, &b);
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
            words[k] = world_word(world_page(i) + k * 8ull);
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

/* Whatever a program has left in it: the last descriptor is a good one. */
static void empty_queue(struct unit *u)
{
    for (unsigned i = 0; i < 4; i++) {
        drive_recover(u);
        drive_queue(u, VTD_DESC_WAIT | VTD_DESC_SW, table_page(PAGE_STATUS) + 0xff0);
    }
    gcmd(u, VTD_GCMD_QIE, false);
    unit_write(u, VTD_IQT, 8, 0);
}

void drive_reset(struct unit *u)
{
    drive_faults(u);
    gcmd(u, VTD_GCMD_TE, false);
    gcmd(u, VTD_GCMD_IRE, false);
    if (drive_queue_on(u))
        empty_queue(u);
    reset_registers(u);
    drive_flush(u);
    drive_faults(u);
    reset_memory(u);
}
