/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random programs that mostly make sense: tables are built, then used and changed. What is changed
 * by STEP_CHANGE is invalidated as the specification asks; what is changed by STEP_STORE is not.
 *
 * No tree maps addresses below 2 MiB, where QEMU has code: with translation off they would be hit.
 */
#include "../../iommu/spec/vtd_pt.h"
#include "layout.h"
#include "program.h"

#define MAX_ENTRIES 96u
#define MAX_SPACES  3u

/* An entry of a tree, and what it translates. */
struct entry {
    uint64_t addr, iova, word; /* word: what it has at the start */
    unsigned level, space;
};

struct gen {
    struct dice d;
    struct program *p;
    bool odd; /* tables may be wrong */
    unsigned next_page, nr_spaces, nr_entries, nr_leaves;
    struct space {
        uint64_t root;
        unsigned levels;
        uint16_t did;
    } spaces[MAX_SPACES];
    struct entry entries[MAX_ENTRIES];
    uint8_t leaves[MAX_ENTRIES]; /* which of them map something at the start */
    unsigned space[WORLD_SIDS];  /* that the device is in */
};

static const uint16_t sids[WORLD_SIDS] = {WORLD_SID_A, WORLD_SID_B};

static bool chance(struct gen *g, unsigned percent)
{
    return below(&g->d, 100) < percent;
}

/* Something that a driver would not do. */
static bool odd(struct gen *g, unsigned percent)
{
    return chance(g, percent) && g->odd;
}

static uint64_t pick(struct gen *g, const uint64_t *from, unsigned n)
{
    return from[below(&g->d, n)];
}
#define PICK(g, ...)                         \
    pick(g, (const uint64_t[]){__VA_ARGS__}, \
         sizeof((const uint64_t[]){__VA_ARGS__}) / sizeof(uint64_t))

static struct step *add(struct gen *g, enum step_kind kind, uint64_t a, uint64_t b, uint64_t c)
{
    static struct step lost;
    struct step *s = g->p->nr < PROGRAM_STEPS ? &g->p->steps[g->p->nr++] : &lost;

    *s = (struct step){.kind = kind, .arg = {a, b, c}};
    return s;
}

/* ---- Second-stage tables ----------------------------------------------------------------------
 */

static uint64_t data_page(struct gen *g)
{
    return (chance(g, 50) ? DATA_LOW : DATA_HIGH) + (uint64_t)below(&g->d, NR_DATA) * WORLD_PAGE;
}

static uint64_t leaf_target(struct gen *g, unsigned level)
{
    if (odd(g, 5))
        return NO_MEMORY;
    if (odd(g, 2))
        return level == 3 ? 0xc0000000u : 0xfee00000u; /* no place for DMA (3.14) */
    if (level == 3)
        return 0;
    if (level == 2)
        return chance(g, 50) ? TABLES : DATA_HIGH;
    return chance(g, 5) ? table_page(below(&g->d, NR_TABLES)) : data_page(g);
}

static uint64_t rights(struct gen *g)
{
    return PICK(g, 3, 3, 3, 3, 3, 3, 1, 1, 2, 2, 0);
}

/* Bits that are ignored, and bits that are reserved in some entries at least. */
static uint64_t odd_bits(struct gen *g)
{
    return PICK(g, BIT64(2), BIT64(6), BIT64(7), BIT64(8), BIT64(9), BIT64(10), BIT64(11),
                BIT64(13), BIT64(20), BIT64(29), BIT64(52), BIT64(61), BIT64(62), BIT64(63));
}

static uint64_t leaf(struct gen *g, unsigned level)
{
    uint64_t e = leaf_target(g, level) | rights(g) | (level > 1 ? VTD_SS_PS : 0);

    return odd(g, 10) ? e ^ odd_bits(g) : e;
}

static uint64_t pointer(struct gen *g, uint64_t table)
{
    uint64_t e = (odd(g, 4) ? NO_MEMORY : table) | (chance(g, 93) ? 3 : rights(g));

    return odd(g, 5) ? e ^ odd_bits(g) : e;
}

static unsigned shift(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static uint64_t tree(struct gen *g, unsigned space, unsigned level, uint64_t iova)
{
    const uint64_t page = table_page(g->next_page++);
    const uint64_t indices[] = {level == 2 ? 3 : 0, 1, 2, 511};
    const unsigned n = 1 + below(&g->d, 4), from = below(&g->d, 4);

    for (unsigned i = 0; i < n && g->nr_entries < MAX_ENTRIES; i++) {
        const uint64_t index = indices[(from + i) % 4];
        struct entry *e = &g->entries[g->nr_entries];

        *e = (struct entry){page + index * 8, iova | index << shift(level), 0, level, space};
        if (level == 1 || (level <= 3 && chance(g, 30)) || g->next_page == NR_TABLES)
            g->leaves[g->nr_leaves++] = (uint8_t)g->nr_entries;
        g->nr_entries++;
        if (g->nr_leaves && e == &g->entries[g->leaves[g->nr_leaves - 1]])
            e->word = leaf(g, level);
        else
            e->word = pointer(g, tree(g, space, level - 1, e->iova));
        add(g, STEP_STORE, e->addr, e->word, 0);
    }
    return page;
}

/* ---- Root, context and PASID tables -----------------------------------------------------------
 */

/* Not of bits 48 to 51: which of them are of an address is the platform's (HAW). */
static uint64_t spoil(struct gen *g, uint64_t word, unsigned percent)
{
    const unsigned bit = below(&g->d, 60);

    return odd(g, percent) ? word ^ BIT64(bit < 48 ? bit : bit + 4) : word;
}

static uint64_t table_root(struct gen *g, const struct space *s)
{
    return odd(g, 4) ? NO_MEMORY : s->root;
}

static unsigned width(struct gen *g, const struct space *s)
{
    return odd(g, 6) ? below(&g->d, 8) : VTD_AW(s->levels);
}

static uint64_t context_addr(const struct gen *g, unsigned device)
{
    return table_page(PAGE_CONTEXT) + (uint64_t)(sids[device] & 0xff) * (g->p->scalable ? 32 : 16);
}

static uint64_t context_low(struct gen *g, const struct space *s)
{
    const uint64_t type = odd(g, 10) ? PICK(g, 1, 3) : PICK(g, 0, 0, 0, 0, 0, 0, 0, 0, 2);

    return spoil(g,
                 table_root(g, s) | FIELD_PREP(VTD_CONTEXT_TT, type) |
                     (odd(g, 6) ? VTD_CONTEXT_FPD : 0) | (odd(g, 6) ? 0 : VTD_CONTEXT_P),
                 4);
}

static uint64_t context_high(struct gen *g, const struct space *s)
{
    return FIELD_PREP(VTD_CONTEXT_DID, s->did) | width(g, s) |
           (odd(g, 3) ? BIT64(7) << below(&g->d, 2) * 20 : 0);
}

static uint64_t pasid_low(struct gen *g, const struct space *s)
{
    const uint64_t type = odd(g, 10) ? PICK(g, 0, 1, 3, 5) : PICK(g, 2, 2, 2, 2, 2, 2, 2, 4);

    return spoil(g,
                 table_root(g, s) | FIELD_PREP(VTD_PASID_PGTT, type) |
                     FIELD_PREP(VTD_PASID_AW, width(g, s)) | (odd(g, 6) ? VTD_PASID_FPD : 0) |
                     (odd(g, 6) ? 0 : VTD_PASID_P),
                 4);
}

/* The device's RID_PASID is its number. */
static uint64_t pasid_addr(unsigned device)
{
    return table_page(PAGE_PASID) + device * 64ull;
}

static uint64_t sm_context_low(struct gen *g)
{
    return spoil(g,
                 (odd(g, 4) ? NO_MEMORY : table_page(PAGE_PASID_DIR)) |
                     (odd(g, 6) ? VTD_SM_CONTEXT_FPD : 0) | (odd(g, 6) ? 0 : VTD_SM_CONTEXT_P),
                 4);
}

static void device(struct gen *g, unsigned i)
{
    const struct space *s = &g->spaces[g->space[i] = below(&g->d, g->nr_spaces)];
    const uint64_t at = context_addr(g, i);

    if (!g->p->scalable) {
        add(g, STEP_STORE, at, context_low(g, s), 0);
        add(g, STEP_STORE, at + 8, context_high(g, s), 0);
        return;
    }
    add(g, STEP_STORE, at, sm_context_low(g), 0);
    add(g, STEP_STORE, at + 8, spoil(g, i, 2), 0);
    add(g, STEP_STORE, pasid_addr(i), pasid_low(g, s), 0);
    add(g, STEP_STORE, pasid_addr(i) + 8, s->did, 0);
}

static uint64_t root_low(struct gen *g)
{
    return spoil(g, (odd(g, 3) ? NO_MEMORY : table_page(PAGE_CONTEXT)) | VTD_ROOT_P, 3);
}

static void tables(struct gen *g)
{
    g->next_page = PAGE_TREES;
    g->nr_spaces = 1 + below(&g->d, MAX_SPACES);
    for (unsigned i = 0; i < g->nr_spaces; i++) {
        struct space *s = &g->spaces[i];

        s->did = (uint16_t)(i + 1 + (chance(g, 20) ? 0x100 : 0));
        s->levels = chance(g, 60) ? 4 : 3;
        if (g->next_page < NR_TABLES)
            s->root = tree(g, i, s->levels, 0);
    }
    add(g, STEP_STORE, table_page(PAGE_ROOT), root_low(g), 0);
    if (g->p->scalable)
        add(g, STEP_STORE, table_page(PAGE_PASID_DIR),
            spoil(g, table_page(PAGE_PASID) | VTD_PASID_DIR_P, 3), 0);
    for (unsigned i = 0; i < WORLD_SIDS; i++)
        device(g, i);
}

/* ---- Interrupts -------------------------------------------------------------------------------
 */

static uint64_t irte_low(struct gen *g)
{
    return spoil(g,
                 VTD_IRTE_P | FIELD_PREP(VTD_IRTE_V, 0x20 + below(&g->d, 0xc0)) |
                     FIELD_PREP(VTD_IRTE_DST8, below(&g->d, 4)) |
                     (chance(g, 20) ? VTD_IRTE_DM : 0) | (chance(g, 20) ? VTD_IRTE_RH : 0) |
                     (chance(g, 10) ? VTD_IRTE_TM : 0),
                 0) &
           (chance(g, 10) ? ~VTD_IRTE_P : ~0ull);
}

static uint64_t irte_high(struct gen *g)
{
    const uint64_t sid = PICK(g, WORLD_SID_A, WORLD_SID_B, WORLD_SID_A | 1, 0x0100, 0x0000);

    return FIELD_PREP(VTD_IRTE_SVT, PICK(g, 0, 1, 1, 1, 2, 3)) |
           FIELD_PREP(VTD_IRTE_SQ, PICK(g, 0, 0, 0, 1, 2, 3)) | FIELD_PREP(VTD_IRTE_SID, sid) |
           (chance(g, 4) ? BIT64(20 + below(&g->d, 44)) : 0);
}

static void remapping(struct gen *g)
{
    for (uint64_t i = 0; i < 4; i++) {
        add(g, STEP_STORE, table_page(PAGE_REMAP) + i * 16, irte_low(g), 0);
        add(g, STEP_STORE, table_page(PAGE_REMAP) + i * 16 + 8, irte_high(g), 0);
    }
}

static void msi(struct gen *g)
{
    const uint64_t handle = chance(g, 90) ? below(&g->d, 5) : PICK(g, 255, 256, 0x7fff, 0x8000);
    const uint64_t addr = 0xfee00000u | (handle & 0x7fff) << 5 | handle >> 15 << 2 |
                          (chance(g, 50) ? BIT64(3) : 0) | (chance(g, 90) ? BIT64(4) : 0);

    add(g, STEP_MSI, sids[below(&g->d, WORLD_SIDS)], addr,
        addr & BIT64(4) ? below(&g->d, 3) : 0x20 + below(&g->d, 0xc0));
}

/* ---- Steps ------------------------------------------------------------------------------------
 */

/* Within what the entry maps, where there is something to see. */
static uint64_t offset(struct gen *g, unsigned level)
{
    const uint64_t in_page = (uint64_t)below(&g->d, 511) * 8;

    if (level == 1)
        return in_page;
    if (level == 2)
        return (data_page(g) & 0x1fffff) | in_page;
    return data_page(g) | in_page;
}

/* Of the space, as a rule. */
static const struct entry *some_entry(struct gen *g, unsigned space)
{
    const bool anywhere = chance(g, 10);
    const struct entry *e;

    for (unsigned i = 0; i < 20; i++) {
        e = &g->entries[chance(g, 85) ? g->leaves[below(&g->d, g->nr_leaves)]
                                      : below(&g->d, g->nr_entries)];
        if (anywhere || e->space == space)
            break;
    }
    return e;
}

static uint64_t address_in(struct gen *g, const struct entry *e)
{
    const uint64_t iova = e->iova + offset(g, e->level);

    return iova < TABLES ? data_page(g) + (uint64_t)below(&g->d, 511) * 8 : iova;
}

static uint64_t address(struct gen *g, unsigned space)
{
    const uint64_t iova = address_in(g, some_entry(g, space));

    if (chance(g, 4))
        return data_page(g) + (uint64_t)below(&g->d, 511) * 8;
    return chance(g, 3) ? iova | BIT64(PICK(g, 39, 47, 48, 56, 63)) : iova;
}

static void dma_at(struct gen *g, unsigned device, uint64_t addr)
{
    add(g, chance(g, 50) ? STEP_DMA_READ : STEP_DMA_WRITE, sids[device], addr, 8);
}

static void dma(struct gen *g)
{
    const unsigned i = below(&g->d, WORLD_SIDS);

    dma_at(g, i, address(g, g->space[i]));
}

static void change(struct gen *g, uint64_t addr, uint64_t word, enum scope scope, uint64_t did,
                   uint64_t iova, uint64_t am)
{
    struct step *s = add(g, STEP_CHANGE, addr, word, scope);

    s->arg[3] = did;
    s->arg[4] = iova;
    s->arg[5] = am;
}

static void change_entry(struct gen *g, const struct entry *e, bool properly)
{
    const uint64_t target = table_page(PAGE_TREES + below(&g->d, NR_TABLES - PAGE_TREES));
    const bool is_leaf = e->level == 1 || (e->level <= 3 && chance(g, 60));
    const uint64_t changed = is_leaf ? leaf(g, e->level) : pointer(g, target);
    const uint64_t word = chance(g, 40) ? e->word : changed;
    const unsigned am = 9 * (e->level - 1);
    enum scope scope = (enum scope)PICK(g, SCOPE_ALL, SCOPE_DOMAIN, SCOPE_PAGE, SCOPE_PAGE);

    if (!properly) {
        add(g, STEP_STORE, e->addr, word, 0);
        return;
    }
    if (scope == SCOPE_PAGE && am > 18)
        scope = SCOPE_DOMAIN;
    change(g, e->addr, word, scope, g->spaces[e->space].did, e->iova, am);
}

/* While it may be cached; and then what it says is asked for. */
static void change_in_use(struct gen *g)
{
    const unsigned i = below(&g->d, WORLD_SIDS);
    const struct entry *e = some_entry(g, g->space[i]);
    const bool properly = chance(g, 92);

    for (unsigned n = below(&g->d, 3); n; n--)
        dma_at(g, i, address_in(g, e));
    change_entry(g, e, properly);
    for (unsigned n = below(&g->d, 3); n; n--)
        dma_at(g, i, address_in(g, e));
}

static void change_context(struct gen *g, unsigned i)
{
    const uint64_t did = g->spaces[g->space[i]].did;

    change(g, context_addr(g, i), sm_context_low(g), SCOPE_DEVICE, did, sids[i], did);
}

/* As the specification wants it: not present, then the rest, then present (6.5.3.3). */
static void change_space(struct gen *g, unsigned i)
{
    const unsigned space = below(&g->d, g->nr_spaces);
    const struct space *s = &g->spaces[space];
    const uint16_t old = g->spaces[g->space[i]].did;
    const uint64_t at = g->p->scalable ? pasid_addr(i) : context_addr(g, i);

    change(g, at, 0, SCOPE_DEVICE, old, sids[i], old);
    add(g, STEP_STORE, at + 8, g->p->scalable ? s->did : context_high(g, s), 0);
    change(g, at, g->p->scalable ? pasid_low(g, s) : context_low(g, s), SCOPE_DEVICE, s->did,
           sids[i], old);
    g->space[i] = space;
}

static void change_device(struct gen *g, unsigned i)
{
    if (g->p->scalable && chance(g, 30))
        change_context(g, i);
    else
        change_space(g, i);
}

static void change_root(struct gen *g)
{
    const bool high = odd(g, 20);

    change(g, table_page(PAGE_ROOT) + (high ? 8 : 0), odd(g, 20) ? 0 : root_low(g), SCOPE_ALL, 0, 0,
           0);
    if (high)
        change(g, table_page(PAGE_ROOT) + 8, 0, SCOPE_ALL, 0, 0, 0);
}

/* What may be wrong is tried, and then put right. */
static void change_top(struct gen *g, bool root)
{
    const bool was = g->odd;
    const unsigned i = below(&g->d, WORLD_SIDS);

    for (unsigned k = 0; k < (was ? 2 : 1); k++) {
        if (root)
            change_root(g);
        else
            change_device(g, i);
        dma(g);
        dma(g);
        g->odd = false;
    }
    g->odd = was;
}

static void change_irte(struct gen *g)
{
    const uint64_t at = table_page(PAGE_REMAP) + (uint64_t)below(&g->d, 4) * 16;

    if (chance(g, 50))
        change(g, at, irte_low(g), SCOPE_ALL, 0, 0, 0);
    else
        change(g, at + 8, irte_high(g), SCOPE_ALL, 0, 0, 0);
}

static void change_something(struct gen *g)
{
    const unsigned what = below(&g->d, 100);

    if (what < 65)
        change_in_use(g);
    else if (what < 92)
        change_top(g, what >= 85);
    else
        change_irte(g);
}

static uint64_t wait_descriptor(struct gen *g, uint64_t *hi)
{
    *hi = table_page(PAGE_STATUS) + 4ull * below(&g->d, 512);
    return VTD_DESC_WAIT | (chance(g, 80) ? VTD_DESC_SW : VTD_DESC_IF) |
           (chance(g, 20) ? VTD_DESC_FN : 0) | FIELD_PREP(VTD_DESC_DATA, 1 + below(&g->d, 1000));
}

static uint64_t iotlb_descriptor(struct gen *g, uint64_t *hi)
{
    *hi = (g->entries[below(&g->d, g->nr_entries)].iova & VTD_DESC_ADDR) |
          PICK(g, 0, 0, 1, 9, 18, 19, 63);
    return VTD_DESC_IOTLB | FIELD_PREP(VTD_DESC_G, PICK(g, 1, 2, 3, 3, 3, 0));
}

static uint64_t pasid_descriptor(struct gen *g)
{
    return PICK(g, VTD_DESC_PASID, VTD_DESC_PASID, VTD_DESC_PIOTLB, VTD_DESC_DEVTLB) |
           FIELD_PREP(VTD_DESC_G, below(&g->d, 4)) | FIELD_PREP(VTD_DESC_PASID_NR, below(&g->d, 2));
}

static uint64_t descriptor(struct gen *g, uint64_t *hi)
{
    const uint64_t did = FIELD_PREP(VTD_DESC_DID, g->spaces[below(&g->d, g->nr_spaces)].did);
    const unsigned what = below(&g->d, 100);

    *hi = 0;
    if (what < 30)
        return wait_descriptor(g, hi);
    if (what < 60)
        return iotlb_descriptor(g, hi) | did;
    if (what < 72)
        return VTD_DESC_IEC | (chance(g, 50) ? VTD_DESC_IEC_INDEX : 0) |
               FIELD_PREP(VTD_DESC_IIDX, below(&g->d, 4));
    if (what < (g->p->scalable ? 82u : 74u))
        return pasid_descriptor(g) | did;
    return VTD_DESC_CONTEXT | FIELD_PREP(VTD_DESC_G, PICK(g, 1, 1, 2, 3, 3, 0)) |
           FIELD_PREP(VTD_DESC_FM, below(&g->d, 4)) |
           FIELD_PREP(VTD_DESC_SID, sids[below(&g->d, WORLD_SIDS)]) | did;
}

/* Good ones, and bits that must not be; but never a wait with IF and SW, at which QEMU ends. */
static void queue(struct gen *g)
{
    uint64_t hi, lo = descriptor(g, &hi);

    if (chance(g, 6))
        lo ^= BIT64(below(&g->d, 12) + 4) & ~VTD_DESC_IF & ~VTD_DESC_SW;
    if (chance(g, 4))
        hi ^= BIT64(below(&g->d, 12));
    add(g, STEP_QUEUE, chance(g, 3) ? lo & ~(uint64_t)0xf : lo, hi, 0);
}

static uint64_t word(struct gen *g)
{
    return PICK(g, 0, ~0ull, BIT64(below(&g->d, 64)), roll(&g->d), roll(&g->d) & 0xffffffff);
}

/* No mode but the two, and scalable mode only where there is one. */
static uint64_t register_value(struct gen *g, unsigned offset)
{
    const uint64_t value = word(g);

    if (offset != VTD_RTADDR)
        return value;
    return (value & VTD_RTADDR_RTA) | (g->p->scalable && chance(g, 70) ? BIT64(10) : 0);
}

static void write_register(struct gen *g)
{
    const unsigned i = below(&g->d, nr_regs);

    if (regs[i].write && regs[i].size == 8 && chance(g, 40))
        add(g, STEP_WRITE_HALF, i, 4ull * below(&g->d, 2), register_value(g, regs[i].offset));
    else if (regs[i].write)
        add(g, STEP_WRITE, i, regs[i].size, register_value(g, regs[i].offset));
    else
        add(g, STEP_READ, i, regs[i].size, 0);
}

static void raw(struct gen *g)
{
    static const uint64_t nothing[] = {0x30, 0x48, 0x50, 0x60, 0x98, 0xc0, 0xd0, 0x108, 0x130};

    if (chance(g, 50))
        add(g, STEP_RAW_WRITE, pick(g, nothing, 9), 4, word(g));
    else
        add(g, STEP_RAW_READ, pick(g, nothing, 9), 4, 0);
}

static void gcmd(struct gen *g)
{
    const uint64_t bit = PICK(g, VTD_GCMD_TE, VTD_GCMD_QIE, VTD_GCMD_IRE, VTD_GCMD_SRTP,
                              VTD_GCMD_SIRTP, VTD_GCMD_WBF, VTD_GCMD_SFL);

    add(g, STEP_GCMD, bit, chance(g, 70), 0);
}

static void body(struct gen *g)
{
    const unsigned what = below(&g->d, 100);

    if (what < 46)
        dma(g);
    else if (what < 70)
        change_something(g);
    else if (what < 78)
        queue(g);
    else if (what < 83)
        add(g, STEP_READ, below(&g->d, nr_regs), 0, 0);
    else if (what < 86)
        write_register(g);
    else if (what < 88)
        raw(g);
    else if (what < 91)
        gcmd(g);
    else if (what < 95)
        msi(g);
    else if (what < 98)
        add(g, STEP_RECOVER, 0, 0, 0);
    else
        add(g, STEP_FLUSH, 0, 0, 0);
}

static unsigned reg_named(unsigned offset)
{
    for (unsigned i = 0; i < nr_regs; i++) {
        if (regs[i].offset == offset && !regs[i].iotlb)
            return i;
    }
    return 0;
}

static void start(struct gen *g)
{
    add(g, STEP_WRITE, reg_named(VTD_RTADDR), 8,
        table_page(PAGE_ROOT) |
            FIELD_PREP(VTD_RTADDR_TTM, g->p->scalable ? VTD_TTM_SCALABLE : VTD_TTM_LEGACY));
    add(g, STEP_GCMD, VTD_GCMD_SRTP, 1, 0);
    if (g->p->scalable || chance(g, 70))
        add(g, STEP_GCMD, VTD_GCMD_QIE, 1, 0);
    add(g, STEP_FLUSH, 0, 0, 0);
    if (chance(g, 40))
        add(g, STEP_GCMD, VTD_GCMD_IRE, 1, 0);
    add(g, STEP_GCMD, VTD_GCMD_TE, 1, 0);
}

void program_random(struct program *p, uint64_t seed, bool scalable)
{
    struct gen g = {.d = {seed}, .p = p};

    unsigned n;

    *p = (struct program){.scalable = scalable};
    g.odd = chance(&g, 60);
    tables(&g);
    if (chance(&g, 50))
        remapping(&g);
    start(&g);
    for (n = 20 + below(&g.d, 40); n; n--)
        body(&g);
}
