/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi host tables: section 2.2.3. A leaf is as large as an entry spans (next level 0), or any
 * other power of two (next level 7, the size coded in the address), and then fills several entries.
 */
#include "../format.h"

#include "../../spec/amdv1_pt.h"
#include "../pgtable.h"

#define FMT_MIN_LEVELS 1
#define FMT_MAX_LEVELS 6
#define FMT_EMPTY      0
#define FMT_OA_BITS    52
#define FMT_REPEATS    1
#define FMT_HARDWARE   (AMDV1_A | AMDV1_D)
#define FMT_LINK       BIT64(3) /* of AMDV1_IGN */
#define FMT_SYNCED     BIT64(1) /* of AMDV1_IGN */
#define FMT_MARK       BIT64(4) /* of AMDV1_IGN */

#define RETIRED BIT64(2) /* of AMDV1_IGN: also frame 0 is told from an empty entry */

#define RIGHTS (AMDV1_IR | AMDV1_IW)

_Static_assert(FIELD_GET(RIGHTS, AMDV1_IR) == PT_READ && FIELD_GET(RIGHTS, AMDV1_IW) == PT_WRITE,
               "rights are copied as they are");

static inline unsigned fmt_shift(unsigned level)
{
    return 9 * level;
}

/* The top of six levels translates address bits 63:57. */
static inline unsigned fmt_bits(unsigned level)
{
    return level == 5 ? 7 : 9;
}

static inline unsigned next_level(uint64_t e)
{
    return (unsigned)FIELD_GET(AMDV1_NEXT, e);
}

static inline bool fmt_is_table(uint64_t e, unsigned level)
{
    unsigned next = next_level(e);

    return level && (e & AMDV1_PR) && next != AMDV1_NEXT_LEAF && next != AMDV1_NEXT_SIZED;
}

static inline bool fmt_is_leaf(uint64_t e, unsigned level)
{
    return (e & AMDV1_PR) && !fmt_is_table(e, level);
}

static inline bool fmt_is_retired(uint64_t e)
{
    return (e & (RETIRED | AMDV1_PR)) == RETIRED;
}

/* log2 of the frames of a leaf whose address field is `field`: ones below a zero. */
static inline unsigned coded_order(uint64_t field)
{
    return 1 + (unsigned)__builtin_ctzll(~field);
}

static inline unsigned fmt_leaf_order(uint64_t e, unsigned level)
{
    if (next_level(e) == AMDV1_NEXT_SIZED)
        return coded_order(FIELD_GET(AMDV1_ADDR, e));
    return fmt_shift(level);
}

/* Also: a size that belongs into another table, and a next level that is not the next one. */
static inline bool fmt_is_reserved(uint64_t e, unsigned level)
{
    unsigned order;

    if (e & AMDV1_RSVD)
        return true;
    if (fmt_is_table(e, level))
        return next_level(e) != level;
    if (next_level(e) == AMDV1_NEXT_LEAF)
        return FIELD_GET(AMDV1_ADDR, e) & (((uint64_t)1 << fmt_shift(level)) - 1);
    order = fmt_leaf_order(e, level);
    return next_level(e) != AMDV1_NEXT_SIZED || order < fmt_shift(level) ||
           order >= fmt_shift(level) + fmt_bits(level);
}

static inline uint64_t fmt_leaf(uint64_t mfn, unsigned order, unsigned level, unsigned attr,
                                bool track)
{
    uint64_t e = AMDV1_PR | FIELD_PREP(RIGHTS, attr) | FIELD_PREP(AMDV1_FC, attr / PT_SNOOP);

    (void)track;
    if (order != fmt_shift(level)) {
        e |= FIELD_PREP(AMDV1_NEXT, AMDV1_NEXT_SIZED);
        mfn |= ((uint64_t)1 << (order - 1)) - 1;
    }
    return e | FIELD_PREP(AMDV1_ADDR, mfn);
}

static inline uint64_t fmt_next(uint64_t e, unsigned level)
{
    return e + ((uint64_t)FRAME_SIZE << fmt_shift(level));
}

static inline uint64_t fmt_leaf_mfn(uint64_t e, unsigned level)
{
    return FIELD_GET(AMDV1_ADDR, e) & ~(((uint64_t)1 << fmt_leaf_order(e, level)) - 1);
}

static inline unsigned fmt_attr(uint64_t e)
{
    if (!(e & AMDV1_PR))
        return 0;
    return (unsigned)FIELD_GET(RIGHTS, e) | (unsigned)((e & AMDV1_FC) / (AMDV1_FC / PT_SNOOP));
}

static inline uint64_t fmt_retire(uint64_t e)
{
    return (e & ~AMDV1_PR) | RETIRED;
}

static inline bool fmt_is_dirty(uint64_t e)
{
    return e & AMDV1_D;
}

static inline uint64_t fmt_dirty(uint64_t e)
{
    return e | AMDV1_D;
}

static inline uint64_t fmt_clean(uint64_t e)
{
    return e & ~AMDV1_D;
}

static inline uint64_t fmt_table(uint64_t mfn, unsigned level)
{
    return FMT_LINK | AMDV1_PR | FIELD_PREP(AMDV1_NEXT, level) | FIELD_PREP(AMDV1_ADDR, mfn) |
           RIGHTS;
}

static inline uint64_t fmt_table_mfn(uint64_t e)
{
    return FIELD_GET(AMDV1_ADDR, e);
}

static inline unsigned fmt_table_attr(uint64_t e)
{
    return (unsigned)FIELD_GET(RIGHTS, e);
}

#include "../template.h"

/* No 512G: an erratum of the hardware; nor leaves in the top of six levels (table 15). */
const struct pt_format pt_format_amdv1 = {
    .name = "amdv1",
    .id = PT_FORMAT_AMDV1,
    .min_levels = FMT_MIN_LEVELS,
    .max_levels = FMT_MAX_LEVELS,
    .level_bits = {9, 9, 9, 9, 9, 7},
    .leaf_sizes = MASK64(51, 12) & ~BIT64(39),
    .has_snoop = true,
    .has_dirty = true,
    .ops = &walker,
};
