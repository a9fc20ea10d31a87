/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86 4- and 5-level tables: SDM volume 3 section 4.5; VT-d first stage, section 9.7. A present
 * entry can always be read: PT_WRITE alone maps as read and write. Without dirty tracking the
 * accessed and dirty marks are set from the start, so that hardware never writes to the tables.
 */
#include "../format.h"

#include "../../spec/x86_pt.h"
#include "../pgtable.h"

#define FMT_MIN_LEVELS 4
#define FMT_MAX_LEVELS 5
#define FMT_EMPTY      0
#define FMT_OA_BITS    52
#define FMT_REPEATS    0
#define FMT_HARDWARE   (X86_PT_A | X86_PT_D)
#define FMT_LINK       BIT64(9)  /* of X86_PT_IGN */
#define FMT_SYNCED     BIT64(52) /* of X86_PT_IGN */
#define FMT_MARK       BIT64(54) /* of X86_PT_IGN */

#define RETIRED BIT64(53) /* of X86_PT_IGN: also frame 0 is told from an empty entry */

_Static_assert(PT_WRITE == X86_PT_RW, "the right is copied as it is");

static inline unsigned fmt_shift(unsigned level)
{
    return 9 * level;
}

static inline unsigned fmt_bits(unsigned level)
{
    (void)level;
    return 9;
}

static inline bool fmt_is_table(uint64_t e, unsigned level)
{
    return level && (e & (X86_PT_P | X86_PT_PS)) == X86_PT_P;
}

static inline bool fmt_is_leaf(uint64_t e, unsigned level)
{
    return (e & X86_PT_P) && (!level || (e & X86_PT_PS));
}

static inline bool fmt_is_retired(uint64_t e)
{
    return (e & (RETIRED | X86_PT_P)) == RETIRED;
}

static inline bool fmt_is_reserved(uint64_t e, unsigned level)
{
    if (!level || fmt_is_table(e, level))
        return false;
    return e & MASK64(fmt_shift(level) + 11, 12) & ~X86_PT_PAT;
}

static inline uint64_t fmt_leaf(uint64_t mfn, unsigned order, unsigned level, unsigned attr,
                                bool track)
{
    (void)order;
    return FIELD_PREP(X86_PT_ADDR, mfn) | X86_PT_P | X86_PT_US | X86_PT_A |
           (level ? X86_PT_PS : 0) | (attr & PT_WRITE) |
           (track ? 0 : FIELD_PREP(X86_PT_D, attr / PT_WRITE));
}

static inline uint64_t fmt_next(uint64_t e, unsigned level)
{
    return e + ((uint64_t)FRAME_SIZE << fmt_shift(level));
}

static inline uint64_t fmt_leaf_mfn(uint64_t e, unsigned level)
{
    return FIELD_GET(X86_PT_ADDR, e) & ~(((uint64_t)1 << fmt_shift(level)) - 1);
}

static inline unsigned fmt_leaf_order(uint64_t e, unsigned level)
{
    (void)e;
    return fmt_shift(level);
}

static inline unsigned fmt_attr(uint64_t e)
{
    if (!(e & X86_PT_P))
        return 0;
    return PT_READ | (unsigned)(e & X86_PT_RW);
}

static inline uint64_t fmt_retire(uint64_t e)
{
    return (e & ~X86_PT_P) | RETIRED;
}

static inline bool fmt_is_dirty(uint64_t e)
{
    return e & X86_PT_D;
}

static inline uint64_t fmt_dirty(uint64_t e)
{
    return e | X86_PT_D;
}

static inline uint64_t fmt_clean(uint64_t e)
{
    return e & ~X86_PT_D;
}

static inline uint64_t fmt_table(uint64_t mfn, unsigned level)
{
    (void)level;
    return FMT_LINK | FIELD_PREP(X86_PT_ADDR, mfn) | X86_PT_P | X86_PT_RW | X86_PT_US | X86_PT_A;
}

static inline uint64_t fmt_table_mfn(uint64_t e)
{
    return FIELD_GET(X86_PT_ADDR, e);
}

static inline unsigned fmt_table_attr(uint64_t e)
{
    return PT_READ | (unsigned)(e & X86_PT_RW);
}

#include "../template.h"

const struct pt_format pt_format_x86 = {
    .name = "x86",
    .id = PT_FORMAT_X86,
    .min_levels = FMT_MIN_LEVELS,
    .max_levels = FMT_MAX_LEVELS,
    .level_bits = {9, 9, 9, 9, 9},
    .leaf_sizes = BIT64(12) | BIT64(21) | BIT64(30),
    .has_dirty = true,
    .write_reads = true,
    .ops = &walker,
};
