/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake unit's invalidations, by queue and by registers. */
#include <string.h>

#include "vtd_fake_internal.h"

static bool is_scalable(const struct fake *f)
{
    return (f->root >> 10 & 3) == 1;
}

static void drop_context(struct fake *f, unsigned g, uint16_t did, uint16_t sid)
{
    for (unsigned i = 0; i < FAKE_CACHE; i++) {
        struct fake_context *e = &f->context[i];

        if (g == 1 || (e->sid == sid && (is_scalable(f) || e->did == did) && g == 3) ||
            (g == 2 && e->did == did))
            e->valid = false;
    }
}

static void drop_pasid(struct fake *f, unsigned g, uint16_t did, uint32_t pasid)
{
    for (unsigned i = 0; i < FAKE_CACHE; i++) {
        struct fake_pasid *e = &f->pasid[i];

        if (g == 3 || (e->did == did && (!g || e->pasid == pasid)))
            e->valid = false;
    }
}

/* am: pages; ih: pointers to tables stay */
static void drop_tlb(struct fake *f, unsigned g, uint16_t did, uint64_t addr, unsigned am, bool ih)
{
    const uint64_t first = addr >> (12 + am) << (12 + am), last = first + (4096ull << am) - 1;

    for (unsigned i = 0; i < FAKE_CACHE; i++) {
        struct fake_tlb *e = &f->tlb[i];
        const uint64_t a = e->block << e->lg2, z = a + (1ull << e->lg2) - 1;

        if (g != 1 && e->did != did)
            continue;
        if (g == 3 && (a > last || z < first || (e->table && ih)))
            continue;
        /* a leaf larger than the mask may survive (6.5.2.3) */
        if (g == 3 && !e->table && e->lg2 > 12 + am)
            continue;
        e->valid = false;
    }
}

static void drop_irte(struct fake *f, bool one, uint16_t index, unsigned im)
{
    for (unsigned i = 0; i < FAKE_CACHE; i++)
        if (!one || f->irte[i].index >> im == index >> im)
            f->irte[i].valid = false;
}

static bool bad(struct fake *f, uint32_t error)
{
    f->fsts |= error;
    return false;
}

static bool wait(struct fake *f, uint64_t lo, uint64_t hi)
{
    const uint32_t data = (uint32_t)(lo >> 32);

    /* neither status write nor interrupt: some units know no such descriptor */
    if (!(lo & 0x30) || lo & 0xffffff80 || hi & 3)
        return bad(f, 0x10);
    if (lo & 0x20)
        __atomic_store_n((uint32_t *)(void *)(f->ram + hi), data, __ATOMIC_RELEASE);
    return true;
}

static bool execute(struct fake *f, uint64_t lo, uint64_t hi)
{
    const unsigned g = lo >> 4 & 3;
    const uint16_t did = (uint16_t)(lo >> 16);

    if (f->error_at && !--f->error_at)
        return bad(f, f->error);
    if (f->nr_log < FAKE_LOG) {
        f->log[f->nr_log].lo = lo;
        f->log[f->nr_log++].hi = hi;
    }
    switch (lo & 0xe0f) {
    case 1:
        if (!g || hi || lo & 0xfffc00000000f1c0)
            return bad(f, 0x10);
        drop_context(f, g, did, (uint16_t)(lo >> 32));
        return true;
    case 2:
        if (!g || (g == 3 && !(f->cap & FAKE_PSI)) || (hi & 0x3f) > (f->cap >> 48 & 0x3f))
            return bad(f, 0x10);
        if (lo & 0xffffffff0000f100 || hi & 0xf80 || (g != 3 && hi))
            return bad(f, 0x10);
        drop_tlb(f, g, did, hi, hi & 0x3f, hi >> 6 & 1);
        return true;
    case 4:
        if (lo & 0xffff000007fff1e0 || hi || (lo >> 27 & 31) > (f->ecap >> 20 & 15))
            return bad(f, 0x10);
        drop_irte(f, lo >> 4 & 1, (uint16_t)(lo >> 32), lo >> 27 & 31);
        return true;
    case 5:
        return wait(f, lo, hi);
    case 7:
        if (!is_scalable(f) || g == 2 || hi || lo & 0xfff000000000f1c0)
            return bad(f, 0x10);
        drop_pasid(f, g, did, lo >> 32 & 0xfffff);
        return true;
    }
    return bad(f, 0x10);
}

void fake_run_queue(struct fake *f)
{
    const unsigned size = f->iqa & 0x800 ? 32 : 16;
    const uint32_t bytes = 4096u << (f->iqa & 7);

    f->late = 0;
    while (!f->hangs && f->iqh != f->iqt && !(f->fsts & 0x50)) {
        uint64_t d[4] = {0};

        memcpy(d, f->ram + (f->iqa & ~0xfffull) + f->iqh, size);
        if (f->iqt % size || is_scalable(f) != (size == 32) || d[2] || d[3] ||
            !execute(f, d[0], d[1])) {
            f->fsts |= f->fsts & 0x70 ? 0 : 0x10;
            return;
        }
        f->iqh = (f->iqh + size) % bytes;
    }
}

void fake_context_register(struct fake *f, uint64_t value)
{
    const unsigned g = value >> 61 & 3;

    assert_false(f->gsts & 1u << 26);
    f->ccmd = value;
    if (f->deaf)
        return;
    drop_context(f, g, (uint16_t)value, (uint16_t)(value >> 16));
    f->ccmd = (value & ~(1ull << 63)) | (uint64_t)g << 59;
}

void fake_iotlb_register(struct fake *f, uint64_t value)
{
    const unsigned g = value >> 60 & 3;

    assert_false(f->gsts & 1u << 26);
    f->iotlb = value;
    if (f->deaf)
        return;
    drop_tlb(f, g, (uint16_t)(value >> 32), f->iva, f->iva & 0x3f, f->iva >> 6 & 1);
    f->iotlb = (value & ~(1ull << 63)) | (uint64_t)g << 57;
}
