/* SPDX-License-Identifier: BSD-2-Clause */
/* Random machines and random operations. */
#include "walk.h"

#define SUPERPAGE (1u << 21)
#define MEM       (6u << 20) /* so that 2 MiB pages fit */
#define SMALL_MEM (64u << 10)

static const char *const controls_all[] = {"dom1", "dom2"};

static const struct sluice_region regions[PLAN_DEVICES][2] = {
    {{0x40000000, 0x40003fff, SLUICE_REGION_DIRECT, PT_READ | PT_WRITE, 0},
     {0x40008000, 0x40008fff, SLUICE_REGION_RESERVED, 0, 0}},
    {{0x40002000, 0x40005fff, SLUICE_REGION_DIRECT, PT_READ | PT_WRITE, 0},
     {0x40010000, 0x40010fff, SLUICE_REGION_MSI, 0, 0}},
    {{0x40000000, 0x40003fff, SLUICE_REGION_DIRECT, PT_READ | PT_WRITE, 0},
     {0x4000a000, 0x4000afff, SLUICE_REGION_DIRECT_RELAXABLE, PT_READ, 0}},
};

static struct machine_config random_machine(struct dice *d)
{
    static const enum pt_format_id formats[] = {PT_FORMAT_VTDSS, PT_FORMAT_AMDV1, PT_FORMAT_LPAE2,
                                                PT_FORMAT_VTDSS};
    struct machine_config m = {.ram = 32u << 20, .seed = dice_roll(d)};

    m.blocked = dice_once_in(d, 3);
    m.format = formats[dice_below(d, 4)];
    m.iova_bits = dice_once_in(d, 3) ? 39 : 48;
    m.nr_units = dice_once_in(d, 4) ? 2 : 1;
    m.caching_mode = dice_once_in(d, 3);
    m.noncoherent = dice_once_in(d, 3);
    return m;
}

static struct machine_domain_config random_domain(struct dice *d, const char *name, uint16_t domid)
{
    struct machine_domain_config c = {.name = name, .domid = domid};

    c.mem = dice_once_in(d, 2) ? MEM : SMALL_MEM;
    c.max_ctx_no = 3;
    c.contiguous = domid == 1 && c.mem == MEM && !dice_once_in(d, 3);
    if (dice_once_in(d, 4))
        c.budget_contexts = 2;
    if (dice_once_in(d, 4))
        c.budget_tables = 12;
    if (dice_once_in(d, 4))
        c.budget_refs = 24;
    return c;
}

/* The first domain emulates for the others, and the second for the third. */
static void random_emulators(struct dice *d, struct plan *p)
{
    static const char *const controls[] = {"dom2"};

    p->domain[1].controls = controls;
    p->domain[1].nr_controls = 1;
    p->nr_servers = PLAN_SERVERS;
    p->server[0] = (struct plan_server){0, 1, 1, 1 + (uint32_t)dice_below(d, 4)};
    p->server[1] = (struct plan_server){0, 2, 1, 1 + (uint32_t)dice_below(d, 4)};
    p->server[2] = (struct plan_server){1, 2, 2, 1 + (uint32_t)dice_below(d, 4)};
    p->slow_emulators = dice_once_in(d, 4);
    if (dice_once_in(d, 3))
        p->domain[0].space = dice_once_in(d, 4) ? SLUICE_SPACE_PASSTHROUGH : SLUICE_SPACE_RELAXED;
    if (dice_once_in(d, 2))
        p->domain[0].window = 1u << dice_below(d, 24);
    p->owner[0] = 0;
}

struct plan random_plan(struct dice *d)
{
    struct plan p = {.machine = random_machine(d), .nr_domains = 3, .nr_devices = 3};
    static const char *const names[] = {"dom0", "dom1", "dom2"};
    static const char *const devices[] = {"nic", "disk", "gpu"};

    p.failures = dice_once_in(d, 3);
    for (unsigned i = 0; i < PLAN_DOMAINS; i++)
        p.domain[i] = random_domain(d, names[i], (uint16_t)i);
    p.domain[0].hardware = true;
    p.domain[0].controls = controls_all;
    p.domain[0].nr_controls = 1 + (unsigned)dice_below(d, 2);
    for (unsigned i = 0; i < PLAN_DEVICES; i++) {
        p.device[i] = (struct machine_device_config){.name = devices[i], .nr_rids = 1 + i % 2};
        p.device[i].rids[0].n = 0x28 + 8 * i;
        p.device[i].rids[1].n = 0x29 + 8 * i;
        p.owner[i] = 1;
        p.group_with[i] = -1;
        if (dice_once_in(d, 2)) {
            p.device[i].regions = regions[i];
            p.device[i].nr_regions = 2;
        }
    }
    if (dice_once_in(d, 4) && p.machine.nr_units == 1)
        p.group_with[1] = 0;
    if (dice_once_in(d, 2))
        random_emulators(d, &p);
    return p;
}

static uint64_t random_dfn(struct dice *d, uint32_t pgsize)
{
    static const uint64_t bases[] = {0,     0,       0,       0,       0x200,
                                     0x3fe, 0x40000, 0x3fffe, 0xfedfe, 0x7fffffe};
    /* Two pages alone in their table: it empties, and a larger page takes its place. */
    uint64_t dfn = dice_once_in(d, 4) ? 0x600 + dice_below(d, 2)
                                      : bases[dice_below(d, 10)] + dice_below(d, 16);

    if (pgsize > FRAME_SIZE && !dice_once_in(d, 8))
        dfn &= ~(uint64_t)0x1ff;
    return dfn;
}

static uint32_t random_nr(struct dice *d)
{
    if (dice_once_in(d, 12))
        return (uint32_t)dice_below(d, 1500);
    return (uint32_t)dice_below(d, 6) + !dice_once_in(d, 20);
}

static void random_pages(struct dice *d, struct op *op)
{
    op->pgsize = dice_once_in(d, 4) ? SUPERPAGE : FRAME_SIZE;
    if (dice_once_in(d, 40))
        op->pgsize = 1u << dice_below(d, 32);
    op->nr = op->pgsize == FRAME_SIZE ? random_nr(d) : 1 + (uint32_t)dice_below(d, 2);
    op->dfn = random_dfn(d, op->pgsize);
    op->gfn = op->pgsize == SUPERPAGE ? 0x200 * dice_below(d, 3) : dice_below(d, 20);
    op->ctx = (uint16_t)dice_below(d, 4);
    op->flags = dice_once_in(d, 30) ? (uint32_t)dice_below(d, 16) : 1 + (uint32_t)dice_below(d, 3);
    op->every = dice_once_in(d, 4) ? 1 + (uint32_t)dice_below(d, 2) : 0;
}

static void random_failure(struct dice *d, struct op *op)
{
    op->kind = dice_once_in(d, 2) ? OP_FAIL_ALLOC : OP_FAIL_FLUSH;
    op->nr = 1 + (uint32_t)dice_below(d, op->kind == OP_FAIL_ALLOC ? 4 : 20);
}

static void random_small(struct dice *d, struct op *op, enum op_kind kind)
{
    op->kind = kind;
    op->ctx = (uint16_t)dice_below(d, 4);
    op->device = (uint8_t)dice_below(d, PLAN_DEVICES);
    op->dfn = random_dfn(d, FRAME_SIZE);
    op->gfn = dice_once_in(d, 8) ? 0x40000 + dice_below(d, 12) : dice_below(d, 20);
    op->nr = kind == OP_BALLOON || kind == OP_POPULATE ? 1 + (uint32_t)dice_below(d, 3) : 0;
    op->flags = (uint32_t)dice_below(d, 2);
    if (kind == OP_ATTACH_PASID || kind == OP_DETACH_PASID || dice_once_in(d, 4))
        op->pasid = (uint8_t)dice_below(d, 3);
    if (kind == OP_DMA) {
        op->nr = (uint32_t)dice_below(d, 2);
        op->flags = 1 + (uint32_t)dice_below(d, 2 * FRAME_SIZE);
        op->write = dice_once_in(d, 2);
    }
}

static uint32_t random_flags(struct dice *d, unsigned order)
{
    uint32_t flags = 1 + (uint32_t)dice_below(d, 3);

    flags |= (uint32_t)dice_below(d, 4) << 2;
    if (dice_once_in(d, 30))
        flags = (uint32_t)dice_roll(d) & 0x3ff;
    return flags | IOMMU_page_order(order);
}

static void random_element(struct dice *d, struct op *op)
{
    unsigned order = dice_once_in(d, 5) ? 9 : 0;

    if (dice_once_in(d, 30))
        order = (unsigned)dice_below(d, 64);
    op->kind = OP_FRAMES;
    op->frames = (uint8_t)dice_below(d, dice_once_in(d, 30) ? 9 : 7);
    op->again = op->frames == IOMMUOP_unmap_foreign_page && dice_once_in(d, 2);
    op->caller = dice_once_in(d, 4) ? 1 : 0;
    op->domain = (uint8_t)(1 + dice_below(d, 2));
    op->ctx = dice_once_in(d, 2) ? IOSERVID_any : (uint16_t)(1 + dice_below(d, 2));
    op->dfn = random_dfn(d, order == 9 ? SUPERPAGE : FRAME_SIZE);
    op->gfn = order ? 0x200 * dice_below(d, 3) : dice_below(d, 20);
    op->flags = random_flags(d, order);
    op->every = dice_once_in(d, 4) ? 1 + (uint32_t)dice_below(d, 2) : 0;
}

static void random_request(struct dice *d, struct op *op)
{
    op->kind = dice_once_in(d, 60) ? OP_SERVER_END : OP_IOREQ;
    op->caller = dice_once_in(d, 3) ? 1 : 0;
    op->domain = (uint8_t)(1 + dice_below(d, 2));
    op->ctx = (uint16_t)(1 + dice_below(d, 2));
}

static enum op_kind random_kind(struct dice *d)
{
    static const enum op_kind kinds[] = {
        OP_MAP,          OP_MAP,          OP_MAP,          OP_MAP,      OP_UNMAP,
        OP_UNMAP,        OP_UNMAP,        OP_DMA,          OP_DMA,      OP_DMA,
        OP_DMA,          OP_DMA,          OP_DMA,          OP_DMA,      OP_ALLOC,
        OP_ALLOC,        OP_FREE,         OP_REATTACH,     OP_REATTACH, OP_REATTACH,
        OP_BALLOON,      OP_LOOKUP,       OP_POPULATE,     OP_FLUSH,    OP_ATTACH_PASID,
        OP_ATTACH_PASID, OP_ATTACH_PASID, OP_DETACH_PASID, OP_DMA,      OP_DMA,
    };
    uint64_t face = dice_below(d, 600);

    if (face == 0)
        return OP_DESTROY;
    if (face < 6)
        return OP_UNASSIGN;
    if (face < 14)
        return OP_ASSIGN;
    if (face < 16)
        return OP_QUERY;
    return kinds[face % (sizeof(kinds) / sizeof(kinds[0]))];
}

struct op random_op(struct dice *d, const struct plan *plan)
{
    struct op op = {.domain = dice_once_in(d, 5) ? (uint8_t)dice_below(d, PLAN_DOMAINS) : 1};
    enum op_kind kind = random_kind(d);

    op.caller = dice_once_in(d, 8) ? (uint8_t)dice_below(d, PLAN_DOMAINS) : op.domain;
    if (plan->failures && dice_once_in(d, 40)) {
        random_failure(d, &op);
    } else if (plan->nr_servers && dice_once_in(d, 2)) {
        if (dice_once_in(d, 5))
            random_request(d, &op);
        else
            random_element(d, &op);
    } else if (kind == OP_MAP || kind == OP_UNMAP) {
        op.kind = kind;
        random_pages(d, &op);
    } else {
        random_small(d, &op, kind);
    }
    return op;
}
