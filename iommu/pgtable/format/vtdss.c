/* SPDX-License-Identifier: BSD-2-Clause */
/* VT-d second stage: sections 3.7 and 9.8. There is no present bit: R or W make an entry present.
 */
#include "../format.h"

#include "../../spec/vtd_pt.h"
#include "../pgtable.h"

#define FMT_MIN_LEVELS 3
#define FMT_MAX_LEVELS 5
#define FMT_EMPTY      0
#define FMT_OA_BITS    52
#define FMT_REPEATS    0
#define FMT_HARDWARE   (VTD_SS_A | VTD_SS_D)
#define FMT_LINK       BIT64(10) /* of VTD_SS_IGN */
#define FMT_SYNCED     BIT64(52) /* of VTD_SS_IGN */
#define FMT_MARK       BIT64(54) /* of VTD_SS_IGN */

#define RETIRED BIT64(53) /* of VTD_SS_IGN: also frame 0 is told from an empty entry */
#define RIGHTS  (VTD_SS_R | VTD_SS_W)

_Static_assert(PT_READ == VTD_SS_R && PT_WRITE == VTD_SS_W, "rights are copied as they are");

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
    return level && (e & RIGHTS) && !(e & VTD_SS_PS);
}

static inline bool fmt_is_leaf(uint64_t e, unsigned level)
{
    return (e & RIGHTS) && (!level || (e & VTD_SS_PS));
}

static inline bool fmt_is_retired(uint64_t e)
{
    return (e & (RETIRED | RIGHTS)) == RETIRED;
}

static inline bool fmt_is_reserved(uint64_t e, unsigned level)
{
    if (e & VTD_SS_TM)
        return true;
    if (fmt_is_table(e, level))
        return e & VTD_SS_SNP;
    return level && (e & MASK64(fmt_shift(level) + 11, 12));
}

static inline uint64_t fmt_leaf(uint64_t mfn, unsigned order, unsigned level, unsigned attr,
                                bool track)
{
    (void)order;
    (void)track;
    return FIELD_PREP(VTD_SS_ADDR, mfn) | (level ? VTD_SS_PS : 0) | (attr & RIGHTS) |
           FIELD_PREP(VTD_SS_SNP, attr / PT_SNOOP);
}

static inline uint64_t fmt_next(uint64_t e, unsigned level)
{
    return e + ((uint64_t)FRAME_SIZE << fmt_shift(level));
}

static inline uint64_t fmt_leaf_mfn(uint64_t e, unsigned level)
{
    (void)level;
    return FIELD_GET(VTD_SS_ADDR, e);
}

static inline unsigned fmt_leaf_order(uint64_t e, unsigned level)
{
    (void)e;
    return fmt_shift(level);
}

static inline unsigned fmt_attr(uint64_t e)
{
    if (!(e & RIGHTS))
        return 0;
    return (unsigned)(e & RIGHTS) | (unsigned)((e & VTD_SS_SNP) / (VTD_SS_SNP / PT_SNOOP));
}

static inline uint64_t fmt_retire(uint64_t e)
{
    return (e & ~RIGHTS) | RETIRED;
}

static inline bool fmt_is_dirty(uint64_t e)
{
    return e & VTD_SS_D;
}

static inline uint64_t fmt_dirty(uint64_t e)
{
    return e | VTD_SS_D;
}

static inline uint64_t fmt_clean(uint64_t e)
{
    return e & ~VTD_SS_D;
}

static inline uint64_t fmt_table(uint64_t mfn, unsigned level)
{
    (void)level;
    return FMT_LINK | FIELD_PREP(VTD_SS_ADDR, mfn) | RIGHTS;
}

static inline uint64_t fmt_table_mfn(uint64_t e)
{
    return FIELD_GET(VTD_SS_ADDR, e);
}

static inline unsigned fmt_table_attr(uint64_t e)
{
    return (unsigned)(e & RIGHTS);
}

#include "../template.h"

const struct pt_format pt_format_vtdss = {
    .name = "vtdss",
    .id = PT_FORMAT_VTDSS,
    .min_levels = FMT_MIN_LEVELS,
    .max_levels = FMT_MAX_LEVELS,
    .level_bits = {9, 9, 9, 9, 9},
    .leaf_sizes = BIT64(12) | BIT64(21) | BIT64(30),
    .has_snoop = true,
    .has_dirty = true,
    .ops = &walker,
};
