/* SPDX-License-Identifier: BSD-2-Clause */
/* Writing guests' own tables into the contents of frames, and the calls on nested contexts. */
#ifndef TEST_CORE_GUEST_TABLE_H
#define TEST_CORE_GUEST_TABLE_H

#include "../../iommu/core/nested.h"
#include "../../iommu/spec/lpae_pt.h"
#include "../../iommu/spec/x86_pt.h"
#include "fixture.h"

/* The entries of an x86 table: a table, a page, a page of 2M, with write access or not. */
static inline uint64_t x86_table(uint64_t gfn)
{
    return gfn << FRAME_LG2 | X86_PT_P | X86_PT_RW | X86_PT_US;
}

static inline uint64_t x86_page(uint64_t gfn, bool writeable)
{
    return gfn << FRAME_LG2 | X86_PT_P | X86_PT_US | (writeable ? X86_PT_RW : 0);
}

static inline uint64_t x86_large(uint64_t gfn)
{
    return x86_page(gfn, true) | X86_PT_PS;
}

/* The guest writes entry `index` of the table in its frame `gfn`. */
static inline void guest_write(struct host *h, uint64_t gfn, unsigned index, uint64_t entry)
{
    const uint64_t at = (gfn << FRAME_LG2) + index * sizeof(entry);

    assert_int_equal(memory_write(&domain_of(h->d)->memory, at, &entry, sizeof(entry)), 0);
}

/* Tables of 4 levels from frame `root` on: the lowest, frame root + 3, is that of dfns 0..511. */
static inline void make_tables(struct host *h, uint64_t root)
{
    for (unsigned i = 0; i < 3; i++)
        guest_write(h, root + i, 0, x86_table(root + i + 1));
}

static inline long alloc_nested(struct host *h, uint64_t root, uint64_t flags, uint16_t *no)
{
    struct pv_iommu_alloc_nested arg = {.pgtable_gfn = root, .nested_flags = flags};
    const long status = hypercall(h, 1, IOMMU_alloc_nested, &arg, sizeof(arg));

    *no = arg.ctx_no;
    return status;
}

static inline uint16_t new_nested(struct host *h, uint64_t root)
{
    uint16_t no;

    assert_int_equal(alloc_nested(h, root, IOMMU_NESTED_x86_4level, &no), 0);
    return no;
}

static inline long flush_nested(struct host *h, uint16_t no, uint64_t dfn, uint64_t nr)
{
    struct pv_iommu_flush_nested arg = {.ctx_no = no, .dfn = dfn, .nr_pages = nr};

    return hypercall(h, 1, IOMMU_flush_nested, &arg, sizeof(arg));
}

static inline long flush_nested_all(struct host *h, uint16_t no)
{
    struct pv_iommu_flush_nested arg = {.ctx_no = no, .flags = IOMMU_FLUSH_all};

    return hypercall(h, 1, IOMMU_flush_nested, &arg, sizeof(arg));
}

#endif
