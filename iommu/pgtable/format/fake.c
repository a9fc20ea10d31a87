/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * No hardware has this format. It breaks what the others share, so that the walker relies on
 * nothing but format.h: an empty entry is not zero, levels differ in size and not all leaf sizes
 * follow them, presence and the dirty mark are inverted, rights are refusals, the address is
 * rotated, and some reserved bits must be set.
 */
#include "../format.h"

#include "../pgtable.h"

#define ABSENT   BIT64(0)
#define NO_READ  BIT64(1)
#define NO_WRITE BIT64(2)
#define LEAF     BIT64(3)
#define RSVD     MASK64(8, 6)
#define RSVD_OK  (BIT64(8) | BIT64(6))
#define RETIRED  BIT64(9)
#define ADDR     MASK64(50, 11)
#define CLEAN    BIT64(62)

#define FMT_MIN_LEVELS 2
#define FMT_MAX_LEVELS 4
#define FMT_EMPTY      (BIT64(63) | MASK64(57, 55) | ABSENT)
#define FMT_OA_BITS    52
#define FMT_REPEATS    0
#define FMT_HARDWARE   CLEAN
#define FMT_LINK       BIT64(60)
#define FMT_SYNCED     BIT64(61)
#define FMT_MARK       BIT64(59)

#define ROTATION   13
#define FRAME_BITS 40
#define FRAME_MASK MASK64(FRAME_BITS - 1, 0)

static inline uint64_t rotate(uint64_t mfn)
{
    return (mfn << ROTATION | mfn >> (FRAME_BITS - ROTATION)) & FRAME_MASK;
}

static inline uint64_t rotate_back(uint64_t field)
{
    return (field >> ROTATION | field << (FRAME_BITS - ROTATION)) & FRAME_MASK;
}

static inline unsigned fmt_shift(unsigned level)
{
    static const uint8_t shift[] = {0, 7, 16, 21, 29, 29};

    return shift[level];
}

static inline unsigned fmt_bits(unsigned level)
{
    static const uint8_t bits[] = {7, 9, 5, 8, 0, 0};

    return bits[level];
}

static inline bool fmt_is_table(uint64_t e, unsigned level)
{
    return level && !(e & (ABSENT | LEAF));
}

static inline bool fmt_is_leaf(uint64_t e, unsigned level)
{
    (void)level;
    return (e & (ABSENT | LEAF)) == LEAF;
}

static inline bool fmt_is_retired(uint64_t e)
{
    return (e & (ABSENT | RETIRED)) == (ABSENT | RETIRED);
}

static inline bool fmt_is_reserved(uint64_t e, unsigned level)
{
    (void)level;
    return (e & RSVD) != RSVD_OK;
}

static inline uint64_t fmt_leaf(uint64_t mfn, unsigned order, unsigned level, unsigned attr,
                                bool track)
{
    (void)order;
    (void)level;
    return FIELD_PREP(ADDR, rotate(mfn)) | LEAF | RSVD_OK | (track ? CLEAN : 0) |
           (attr & PT_READ ? 0 : NO_READ) | (attr & PT_WRITE ? 0 : NO_WRITE);
}

static inline uint64_t fmt_next(uint64_t e, unsigned level)
{
    uint64_t mfn = rotate_back(FIELD_GET(ADDR, e)) + ((uint64_t)1 << fmt_shift(level));

    return (e & ~ADDR) | FIELD_PREP(ADDR, rotate(mfn));
}

static inline uint64_t fmt_leaf_mfn(uint64_t e, unsigned level)
{
    (void)level;
    return rotate_back(FIELD_GET(ADDR, e));
}

static inline unsigned fmt_leaf_order(uint64_t e, unsigned level)
{
    (void)e;
    return fmt_shift(level);
}

static inline unsigned fmt_attr(uint64_t e)
{
    if (e & ABSENT)
        return 0;
    return (e & NO_READ ? 0 : PT_READ) | (e & NO_WRITE ? 0 : PT_WRITE);
}

static inline uint64_t fmt_retire(uint64_t e)
{
    return e | ABSENT | RETIRED;
}

static inline bool fmt_is_dirty(uint64_t e)
{
    return !(e & CLEAN);
}

static inline uint64_t fmt_dirty(uint64_t e)
{
    return e & ~CLEAN;
}

static inline uint64_t fmt_clean(uint64_t e)
{
    return e | CLEAN;
}

static inline uint64_t fmt_table(uint64_t mfn, unsigned level)
{
    (void)level;
    return FMT_LINK | FIELD_PREP(ADDR, rotate(mfn)) | RSVD_OK;
}

static inline uint64_t fmt_table_mfn(uint64_t e)
{
    return rotate_back(FIELD_GET(ADDR, e));
}

static inline unsigned fmt_table_attr(uint64_t e)
{
    return (e & NO_READ ? 0 : PT_READ) | (e & NO_WRITE ? 0 : PT_WRITE);
}

#include "../template.h"

const struct pt_format pt_format_fake = {
    .name = "fake",
    .id = PT_FORMAT_FAKE,
    .min_levels = FMT_MIN_LEVELS,
    .max_levels = FMT_MAX_LEVELS,
    .level_bits = {7, 9, 5, 8},
    .leaf_sizes = BIT64(12) | BIT64(28),
    .has_dirty = true,
    .ops = &walker,
};
