/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The small scope: two domains with three frames each, two contexts, four device frames, two
 * devices, and every call that there is about them.
 */
#include "alphabet.h"

#include <stdlib.h>

#define GFNS     3u
#define DFNS     4u
#define CONTEXTS 2u
#define DEVICES  2u

enum { FIRST, SECOND };

static const char *const second_controls[] = {"dom1"};

static const struct plan plan = {
    .machine = {.ram = 1u << 20},
    .nr_domains = 2,
    .domain = {{.name = "dom1", .domid = 1, .mem = GFNS * FRAME_SIZE, .max_ctx_no = CONTEXTS},
               {.name = "dom2",
                .domid = 2,
                .mem = GFNS * FRAME_SIZE,
                .max_ctx_no = CONTEXTS,
                .hardware = true,
                .controls = second_controls,
                .nr_controls = 1}},
    .nr_devices = DEVICES,
    .device = {{.name = "nic", .rids = {{0x28}}, .nr_rids = 1},
               {.name = "disk", .rids = {{0x30}, {0x31}}, .nr_rids = 2}},
    .owner = {FIRST, FIRST},
    .group_with = {-1, -1},
};

void alphabet_add(struct alphabet *a, struct op op)
{
    if (a->nr == a->room) {
        a->room = a->room * 2 + 128;
        a->op = reallocarray(a->op, a->room, sizeof(*a->op));
        if (!a->op)
            abort();
    }
    if (!op.pgsize)
        op.pgsize = FRAME_SIZE;
    a->op[a->nr++] = op;
}

static void add_maps(struct alphabet *a, uint16_t ctx)
{
    struct op op = {.kind = OP_MAP, .ctx = ctx};

    for (op.gfn = 0; op.gfn < GFNS; op.gfn++) {
        for (op.dfn = 0; op.dfn < DFNS; op.dfn++) {
            op.nr = 1;
            op.flags = IOMMU_MAP_readable;
            alphabet_add(a, op);
            op.flags |= IOMMU_MAP_writeable;
            alphabet_add(a, op);
            op.nr = 2;
            alphabet_add(a, op);
        }
    }
}

static void add_unmaps(struct alphabet *a, uint16_t ctx)
{
    struct op op = {.kind = OP_UNMAP, .ctx = ctx};

    for (op.dfn = 0; op.dfn < DFNS; op.dfn++) {
        for (op.nr = 1; op.nr <= 2; op.nr++)
            alphabet_add(a, op);
    }
}

static void add_contexts(struct alphabet *a, uint8_t domain)
{
    struct op op = {.domain = domain, .caller = domain};

    op.kind = OP_ALLOC;
    for (op.flags = 0; op.flags <= IOMMU_ALLOC_deferred; op.flags++)
        alphabet_add(a, op);
    op.kind = OP_FREE;
    for (op.ctx = 0; op.ctx <= CONTEXTS; op.ctx++) {
        for (op.flags = 0; op.flags < 2; op.flags++)
            alphabet_add(a, op);
    }
}

static void add_devices(struct alphabet *a)
{
    struct op op = {0};

    for (op.device = 0; op.device < DEVICES; op.device++) {
        op.kind = OP_REATTACH;
        for (op.ctx = 0; op.ctx <= CONTEXTS; op.ctx++)
            alphabet_add(a, op);
        op.kind = OP_UNASSIGN;
        alphabet_add(a, op);
        op.kind = OP_ASSIGN;
        for (op.domain = 0; op.domain < 2; op.domain++)
            alphabet_add(a, op);
        op.domain = 0;
    }
}

static void add_memory(struct alphabet *a, uint8_t domain)
{
    struct op op = {.domain = domain, .nr = 1};

    for (op.gfn = 0; op.gfn < GFNS; op.gfn++) {
        op.kind = OP_BALLOON;
        alphabet_add(a, op);
        op.kind = OP_POPULATE;
        alphabet_add(a, op);
    }
}

/* The second domain does a little of everything, to itself and to the first. */
static void add_second(struct alphabet *a)
{
    struct op op = {.caller = SECOND, .ctx = 1, .nr = 1, .gfn = 1, .dfn = 2, .flags = 3};

    for (op.domain = FIRST; op.domain <= SECOND; op.domain++) {
        op.kind = OP_MAP;
        alphabet_add(a, op);
        op.kind = OP_UNMAP;
        alphabet_add(a, op);
    }
    op.domain = FIRST;
    op.kind = OP_FREE;
    op.flags = IOMMU_FREE_reattach_default;
    alphabet_add(a, op);
    op.flags = 0;
    op.kind = OP_ALLOC;
    alphabet_add(a, op);
    op.kind = OP_REATTACH;
    alphabet_add(a, op);
    op.domain = SECOND;
    alphabet_add(a, op);
    op.caller = FIRST; /* which does not control the second */
    op.kind = OP_ALLOC;
    alphabet_add(a, op);
}

static struct alphabet alphabet(void)
{
    struct alphabet a = {0};

    add_contexts(&a, FIRST);
    add_devices(&a);
    add_memory(&a, FIRST);
    for (uint16_t ctx = 1; ctx <= CONTEXTS; ctx++) {
        add_maps(&a, ctx);
        add_unmaps(&a, ctx);
        alphabet_add(&a, (struct op){.kind = OP_FLUSH, .ctx = ctx});
    }
    add_second(&a);
    alphabet_add(&a, (struct op){.kind = OP_DESTROY, .domain = FIRST});
    return a;
}

static bool probe_dma(struct world *w, struct op op)
{
    op.kind = OP_DMA;
    for (op.device = 0; op.device < DEVICES; op.device++) {
        for (op.dfn = 0; op.dfn <= DFNS; op.dfn++) {
            op.write = false;
            if (!world_do(w, &op))
                return false;
            op.write = true;
            op.nr = op.dfn & 1; /* the alias in turn */
            if (!world_do(w, &op))
                return false;
        }
    }
    return true;
}

static bool probe(struct world *w)
{
    struct op op = {.kind = OP_LOOKUP};

    for (op.ctx = 0; op.ctx <= CONTEXTS; op.ctx++) {
        for (op.dfn = 0; op.dfn <= DFNS; op.dfn++) {
            if (!world_do(w, &op))
                return false;
        }
    }
    return probe_dma(w, (struct op){0});
}

const struct scope small_scope = {"contexts", &plan, alphabet, probe};
