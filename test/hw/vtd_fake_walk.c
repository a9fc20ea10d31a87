/* SPDX-License-Identifier: BSD-2-Clause */
/* The fake unit's translation: tables by way of caches that forget nothing. */
#include "vtd_fake.h"

#define ADDR 0x000ffffffffff000ull

static void record_fault(struct fake *f, unsigned reason, uint16_t sid, uint32_t pasid, uint64_t lo,
                         bool write)
{
    const unsigned nr = (unsigned)(f->cap >> 40 & 0xff) + 1;
    uint64_t *record = f->frcd[f->next_frcd];

    if (f->fsts & 1)
        return;
    if (record[1] >> 63) {
        f->fsts |= 1;
        return;
    }
    if (!(f->fsts & 2))
        f->fsts = (f->fsts & ~0xff00u) | f->next_frcd << 8;
    record[0] = lo & (reason >= 0x20 && reason < 0x30 ? ~0ull : ~0xfffull);
    record[1] = 1ull << 63 | (write ? 0 : 1ull << 62) | (uint64_t)reason << 32 | sid;
    if (pasid)
        record[1] |= (uint64_t)pasid << 40 | 1ull << 31;
    f->next_frcd = (f->next_frcd + 1) % nr;
}

void fake_fault(struct fake *f, unsigned reason, uint16_t sid, uint64_t lo, bool write)
{
    record_fault(f, reason, sid, 0, lo, write);
}

static unsigned victim(struct fake *f)
{
    return f->victim++ % FAKE_CACHE;
}

static struct fake_tlb *find(struct fake *f, uint16_t did, uint64_t addr, bool table)
{
    for (unsigned i = 0; i < FAKE_CACHE; i++) {
        struct fake_tlb *e = &f->tlb[i];

        if (e->valid && e->table == table && e->did == did && e->block == addr >> e->lg2)
            return e;
    }
    return NULL;
}

static void fill(struct fake *f, uint16_t did, uint64_t addr, unsigned lg2, bool table,
                 uint64_t entry)
{
    f->tlb[victim(f)] = (struct fake_tlb){true, table, did, addr >> lg2, lg2, entry};
}

static unsigned use(const struct fake_tlb *e, uint64_t addr, bool write, uint64_t *maddr)
{
    if (!(e->entry & (write ? 2 : 1)))
        return write ? 5 : 6;
    *maddr = (e->entry & ADDR & ~((1ull << e->lg2) - 1)) | (addr & ((1ull << e->lg2) - 1));
    return 0;
}

static unsigned walk(struct fake *f, uint16_t did, uint64_t root, unsigned levels, uint64_t addr,
                     bool write, uint64_t *maddr)
{
    const struct fake_tlb *hit = find(f, did, addr, false), *table = find(f, did, addr, true);
    uint64_t e = 0, at = table ? table->entry : root;
    unsigned lg2 = table ? 12 : 12 + 9 * (levels - 1);

    if (hit)
        return use(hit, addr, write, maddr);
    for (;; lg2 -= 9) {
        if (lg2 == 12 && !table)
            fill(f, did, addr, 21, true, at);
        e = fake_word(f, at + (addr >> lg2 & 511) * 8);
        if (!(e & 3))
            break;
        if (lg2 == 12 || e & 0x80)
            break;
        at = e & ADDR;
    }
    if (e & 3 || f->cap & FAKE_CM)
        fill(f, did, addr, lg2, false, e);
    return use(&(struct fake_tlb){.lg2 = lg2, .entry = e}, addr, write, maddr);
}

static struct fake_context *context(struct fake *f, uint16_t sid, uint64_t root, uint64_t entry)
{
    struct fake_context *c;
    uint64_t table;

    for (unsigned i = 0; i < FAKE_CACHE; i++)
        if (f->context[i].valid && f->context[i].sid == sid)
            return &f->context[i];
    table = fake_word(f, root);
    c = &f->context[victim(f)];
    *c = (struct fake_context){.sid = sid};
    if (table & 1) {
        c->word[0] = fake_word(f, (table & ADDR) + entry);
        c->word[1] = fake_word(f, (table & ADDR) + entry + 8);
    }
    c->valid = c->word[0] & 1 || f->cap & FAKE_CM;
    return c;
}

static unsigned legacy(struct fake *f, uint16_t sid, uint64_t addr, bool write, uint64_t *maddr)
{
    struct fake_context *c =
        context(f, sid, (f->root & ADDR) + (sid >> 8) * 16u, (sid & 0xff) * 16u);
    const unsigned levels = (c->word[1] & 7) + 2;

    if (!(c->word[0] & 1))
        return 2;
    c->did = (uint16_t)(c->word[1] >> 8);
    if (c->word[0] & 0xffe || c->word[1] & ~0xffff07ull)
        return 0xb;
    if (addr >> (12 + 9 * levels) || addr >> ((f->cap >> 16 & 63) + 1))
        return 4;
    return walk(f, c->did, c->word[0] & ADDR, levels, addr, write, maddr);
}

static struct fake_pasid *pasid_cached(struct fake *f, uint16_t sid, uint32_t nr,
                                       uint64_t directory)
{
    struct fake_pasid *p;
    uint64_t table;

    for (unsigned i = 0; i < FAKE_CACHE; i++)
        if (f->pasid[i].valid && f->pasid[i].sid == sid && f->pasid[i].pasid == nr)
            return &f->pasid[i];
    table = fake_word(f, directory + nr / 64 * 8);
    p = &f->pasid[victim(f)];
    *p = (struct fake_pasid){.sid = sid, .pasid = nr};
    if (table & 1)
        for (unsigned i = 0; i < 2; i++)
            p->word[i] = fake_word(f, (table & ADDR) + nr % 64 * 64 + i * 8);
    p->valid = p->word[0] & 1 || f->cap & FAKE_CM;
    p->did = p->word[0] & 1 ? (uint16_t)p->word[1] : 0;
    return p;
}

/* 3: PASIDE; 11:9: the size of the directory */
static unsigned context_reason(const struct fake *f, const struct fake_context *c, uint32_t nr)
{
    const uint64_t reserved = f->ecap >> 40 & 1 ? 0x1f6 : 0xffe;

    if (!(c->word[0] & 1))
        return 0x41;
    if (c->word[0] & reserved || c->word[1])
        return 0x42;
    if (nr && !(c->word[0] & 8))
        return 0x45;
    return nr / 64 >> ((c->word[0] >> 9 & 7) + 7) ? 0x46 : 0;
}

static unsigned scalable(struct fake *f, uint16_t sid, uint32_t nr, uint64_t addr, bool write,
                         uint64_t *maddr)
{
    const unsigned devfn = sid & 0xff;
    const struct fake_context *c = context(
        f, sid, (f->root & ADDR) + (sid >> 8) * 16u + (devfn >> 7) * 8u, (devfn & 127) * 32u);
    const struct fake_pasid *p;
    unsigned levels, reason = context_reason(f, c, nr);

    if (reason)
        return reason;
    p = pasid_cached(f, sid, nr, c->word[0] & ADDR);
    levels = (unsigned)(p->word[0] >> 2 & 7) + 2;
    if (!(p->word[0] & 1))
        return 0x59;
    if ((p->word[0] >> 6 & 7) != 2 || p->word[0] & 0xe22 || p->word[1] & ~0x80ffffull)
        return 0x5b;
    return walk(f, p->did, p->word[0] & ADDR, levels, addr, write, maddr);
}

unsigned fake_dma(struct fake *f, uint16_t sid, uint64_t addr, bool write, uint64_t *maddr)
{
    return fake_dma_pasid(f, sid, 0, addr, write, maddr);
}

unsigned fake_dma_pasid(struct fake *f, uint16_t sid, uint32_t pasid, uint64_t addr, bool write,
                        uint64_t *maddr)
{
    unsigned reason;

    *maddr = addr;
    if (f->pmen & 1 && addr >= f->plm_base && addr <= f->plm_limit)
        return 0xff;
    if (!(f->gsts >> 31))
        return 0;
    if ((f->root >> 10 & 3) == 1)
        reason = scalable(f, sid, pasid, addr, write, maddr);
    else
        reason = legacy(f, sid, addr, write, maddr);
    if (reason)
        record_fault(f, reason, sid, pasid, addr, write);
    return reason;
}

static struct fake_irte *irte(struct fake *f, uint16_t index)
{
    struct fake_irte *e;

    for (unsigned i = 0; i < FAKE_CACHE; i++)
        if (f->irte[i].valid && f->irte[i].index == index)
            return &f->irte[i];
    e = &f->irte[victim(f)];
    e->valid = true;
    e->index = index;
    e->lo = fake_word(f, (f->ir & ADDR) + index * 16u);
    e->hi = fake_word(f, (f->ir & ADDR) + index * 16u + 8);
    return e;
}

static unsigned remap(struct fake *f, uint16_t sid, unsigned index, uint64_t *lo)
{
    const struct fake_irte *e;

    if (index >= 2u << (f->ir & 15))
        return 0x21;
    e = irte(f, (uint16_t)index);
    if (!(e->lo & 1))
        return 0x22;
    if (e->lo & 0xff00f000 || e->hi & ~0xfffffull)
        return 0x24;
    if ((e->hi >> 18 & 3) == 1 && (uint16_t)e->hi != sid)
        return 0x26;
    *lo = e->lo;
    return 0;
}

unsigned fake_msi(struct fake *f, uint16_t sid, uint64_t addr, uint32_t data, uint64_t *lo)
{
    unsigned index = (unsigned)(addr >> 5 & 0x7fff) | (unsigned)(addr >> 2 & 1) << 15, reason;

    if (!(f->gsts & 1u << 25))
        return 0;
    if (addr & 8)
        index += data & 0xffff;
    reason = addr & 16 ? remap(f, sid, index, lo) : f->gsts & 1u << 23 ? 0 : 0x25;
    if (reason)
        fake_fault(f, reason, sid, (uint64_t)index << 48, true);
    return reason;
}
