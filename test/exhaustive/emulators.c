/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small scope of the frames ABI: a guest with two frames, two emulators for it, each with a
 * device, and few bus frames.
 */
#include "alphabet.h"

#define RW   (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable)
#define SWAP (RW | IOMMU_MAP_OP_swap_mfn)

#define GFNS    2u
#define DEVICES 2u

enum { GUEST, FIRST, SECOND };

/* One where the identity map is, and one where nothing is. */
static const uint64_t bfns[] = {1, 9};

static const char *const controls[] = {"guest"};

/* The ring of the first emulator is full. */
static const struct op full_ring[] = {
    {.kind = OP_FRAMES,
     .frames = IOMMUOP_map_foreign_page,
     .caller = FIRST,
     .dfn = 9,
     .ctx = FIRST,
     .flags = RW},
    {.kind = OP_BALLOON, .domain = GUEST, .nr = 1},
    {.kind = OP_FRAMES,
     .frames = IOMMUOP_unmap_foreign_page,
     .caller = FIRST,
     .dfn = 9,
     .ctx = FIRST},
    {.kind = OP_POPULATE, .domain = GUEST, .nr = 1},
};

#define PLAN(first_space, slots, slow, first_ops, nr_first)                                   \
    {                                                                                         \
        .machine = {.ram = 1u << 20}, .nr_domains = 3,                                        \
        .domain = {{.name = "guest", .domid = 1, .mem = GFNS * FRAME_SIZE, .max_ctx_no = 1},  \
                   {.name = "em1",                                                            \
                    .domid = 2,                                                               \
                    .mem = GFNS * FRAME_SIZE,                                                 \
                    .max_ctx_no = 1,                                                          \
                    .hardware = true,                                                         \
                    .controls = controls,                                                     \
                    .nr_controls = 1,                                                         \
                    .space = (first_space)},                                                  \
                   {.name = "em2",                                                            \
                    .domid = 3,                                                               \
                    .mem = GFNS * FRAME_SIZE,                                                 \
                    .max_ctx_no = 1,                                                          \
                    .controls = controls,                                                     \
                    .nr_controls = 1}},                                                       \
        .nr_devices = DEVICES,                                                                \
        .device = {{.name = "nic", .rids = {{0x28}}, .nr_rids = 1},                           \
                   {.name = "disk", .rids = {{0x30}}, .nr_rids = 1}},                         \
        .owner = {FIRST, SECOND}, .group_with = {-1, -1},                                     \
        .server = {{FIRST, GUEST, 1, (slots)}, {SECOND, GUEST, 2, (slots)}}, .nr_servers = 2, \
        .slow_emulators = (slow), .prologue = (first_ops), .nr_prologue = (nr_first),         \
    }

static const struct plan strict_plan = PLAN(SLUICE_SPACE_OWN, 1, false, NULL, 0);
static const struct plan relaxed_plan = PLAN(SLUICE_SPACE_RELAXED, 2, false, NULL, 0);
static const struct plan slow_plan = PLAN(SLUICE_SPACE_OWN, 1, true, full_ring, 4);

/* What the emulator does with a bus frame. */
static void add_at(struct alphabet *a, uint8_t emulator, uint64_t bfn)
{
    const uint16_t id = emulator; /* of its server */
    struct op op = {.kind = OP_FRAMES, .caller = emulator, .domain = GUEST, .dfn = bfn, .ctx = id};

    op.frames = IOMMUOP_map_foreign_page;
    for (op.gfn = 0; op.gfn < GFNS; op.gfn++) {
        op.flags = RW;
        alphabet_add(a, op);
        op.flags = SWAP;
        alphabet_add(a, op);
    }
    op.gfn = 0;
    op.ctx = IOSERVID_any;
    op.flags = IOMMU_MAP_OP_readable;
    alphabet_add(a, op);
    op.frames = IOMMUOP_unmap_foreign_page;
    op.ctx = id;
    alphabet_add(a, op);
    op.ctx = 3; /* nobody's */
    alphabet_add(a, op);
    op.ctx = id;
    op.again = true;
    op.flags = SWAP;
    op.gfn = 1;
    alphabet_add(a, op);
}

/* Its own frames; machine frames, where the first may map those. */
static void add_local(struct alphabet *a, uint8_t emulator, uint64_t bfn, uint64_t gfn)
{
    struct op op = {.kind = OP_FRAMES, .caller = emulator, .domain = emulator, .dfn = bfn};

    op.gfn = gfn;
    op.frames = IOMMUOP_map_page;
    op.flags = RW;
    alphabet_add(a, op);
    op.flags = RW | IOMMU_MAP_OP_no_ref_cnt;
    alphabet_add(a, op);
    op.frames = IOMMUOP_unmap_page;
    alphabet_add(a, op);
}

static void add_emulator(struct alphabet *a, uint8_t emulator, bool slow)
{
    struct op op = {.caller = emulator, .domain = GUEST, .ctx = emulator};

    for (unsigned i = 0; i < sizeof(bfns) / sizeof(bfns[0]); i++)
        add_at(a, emulator, bfns[i]);
    op.kind = OP_FRAMES;
    op.frames = IOMMUOP_lookup_foreign_page;
    for (op.gfn = 0; op.gfn < GFNS; op.gfn++)
        alphabet_add(a, op);
    op.kind = OP_IOREQ;
    op.all = !slow;
    alphabet_add(a, op);
    alphabet_add(a, (struct op){.kind = OP_DESTROY, .domain = emulator});
}

static void add_memory(struct alphabet *a, uint8_t domain, uint64_t gfn, uint32_t nr)
{
    struct op op = {.domain = domain, .gfn = gfn, .nr = nr};

    op.kind = OP_BALLOON;
    alphabet_add(a, op);
    op.kind = OP_POPULATE;
    alphabet_add(a, op);
}

static struct alphabet alphabet(bool slow)
{
    struct alphabet a = {0};

    add_emulator(&a, FIRST, slow);
    add_emulator(&a, SECOND, slow);
    add_local(&a, FIRST, bfns[0], 0);
    add_local(&a, FIRST, bfns[1], 1);
    add_memory(&a, GUEST, 0, 1);
    add_memory(&a, GUEST, 1, 1);
    add_memory(&a, GUEST, 0, 2);
    add_memory(&a, FIRST, 1, 1);
    alphabet_add(&a, (struct op){.kind = OP_SERVER_END, .caller = FIRST, .ctx = FIRST});
    alphabet_add(&a, (struct op){.kind = OP_DESTROY, .domain = GUEST});
    alphabet_add(&a, (struct op){.kind = OP_CREATE, .domain = GUEST});
    return a;
}

static struct alphabet fast_alphabet(void)
{
    return alphabet(false);
}

static struct alphabet slow_alphabet(void)
{
    return alphabet(true);
}

static bool probe_dma(struct world *w, uint8_t device, uint64_t bfn)
{
    struct op op = {.kind = OP_DMA, .device = device, .dfn = bfn};

    if (!world_do(w, &op))
        return false;
    op.write = true;
    return world_do(w, &op);
}

static bool probe(struct world *w)
{
    struct op query = {.kind = OP_FRAMES, .frames = IOMMUOP_query_caps, .caller = FIRST};

    for (uint8_t device = 0; device < DEVICES; device++) {
        if (!probe_dma(w, device, 0) || !probe_dma(w, device, bfns[0]) ||
            !probe_dma(w, device, bfns[1]))
            return false;
    }
    return world_do(w, &query);
}

const struct scope frames_scope = {"frames", &strict_plan, fast_alphabet, probe};
const struct scope relaxed_scope = {"relaxed", &relaxed_plan, fast_alphabet, probe};
const struct scope slow_scope = {"slow", &slow_plan, slow_alphabet, probe};
