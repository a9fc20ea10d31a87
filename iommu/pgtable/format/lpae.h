/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What both stages of Arm's long descriptors share: section D8.3. 48-bit output addresses, 4K
 * granule. A format file defines LPAE_RIGHTS(attr), the stage's bits of a leaf, and LPAE_ATTR(e),
 * back again. Hardware's own update of dirty state (DBM) is not used: has_dirty is false.
 * Included by format files only.
 */
#ifndef SLUICE_PGTABLE_FORMAT_LPAE_H
#define SLUICE_PGTABLE_FORMAT_LPAE_H

#include "../format.h"

#include "../../spec/lpae_pt.h"
#include "../pgtable.h"

#define FMT_MIN_LEVELS 3
#define FMT_MAX_LEVELS 4
#define FMT_EMPTY      0
#define FMT_OA_BITS    48
#define FMT_REPEATS    0
#define FMT_HARDWARE   0
#define FMT_LINK       BIT64(57) /* as LPAE_SW */
#define FMT_SYNCED     LPAE_SW
#define FMT_MARK       BIT64(58) /* as LPAE_SW */

/* Of the software bits 58:55: also frame 0 is told from an empty entry. */
#define RETIRED BIT64(56)
#define TYPE    (LPAE_VALID | LPAE_TABLE)

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
    return level && (e & TYPE) == TYPE;
}

/* Pages look like tables; a block in the lowest table is a reserved encoding, not present. */
static inline bool fmt_is_leaf(uint64_t e, unsigned level)
{
    return (e & TYPE) == (level ? LPAE_VALID : TYPE);
}

static inline bool fmt_is_retired(uint64_t e)
{
    return (e & (RETIRED | LPAE_VALID)) == RETIRED;
}

/* An address size fault, or an access flag fault: hardware does not set the flag here. */
static inline bool fmt_is_reserved(uint64_t e, unsigned level)
{
    return (e & LPAE_HIGH) || (fmt_is_leaf(e, level) && !(e & LPAE_AF));
}

static inline uint64_t fmt_leaf(uint64_t mfn, unsigned order, unsigned level, unsigned attr,
                                bool track)
{
    (void)order;
    (void)track;
    return FIELD_PREP(LPAE_ADDR, mfn) | (level ? LPAE_VALID : TYPE) | LPAE_AF |
           FIELD_PREP(LPAE_SH, LPAE_SH_INNER) | LPAE_XN | LPAE_RIGHTS(attr);
}

static inline uint64_t fmt_next(uint64_t e, unsigned level)
{
    return e + ((uint64_t)FRAME_SIZE << fmt_shift(level));
}

/* The bits below the address of a block are RES0: ignored. */
static inline uint64_t fmt_leaf_mfn(uint64_t e, unsigned level)
{
    return FIELD_GET(LPAE_ADDR, e) & ~(((uint64_t)1 << fmt_shift(level)) - 1);
}

static inline unsigned fmt_leaf_order(uint64_t e, unsigned level)
{
    (void)e;
    return fmt_shift(level);
}

static inline unsigned fmt_attr(uint64_t e)
{
    return e & LPAE_VALID ? LPAE_ATTR(e) : 0;
}

static inline uint64_t fmt_retire(uint64_t e)
{
    return (e & ~LPAE_VALID) | RETIRED;
}

static inline bool fmt_is_dirty(uint64_t e)
{
    (void)e;
    return false;
}

static inline uint64_t fmt_dirty(uint64_t e)
{
    return e;
}

static inline uint64_t fmt_clean(uint64_t e)
{
    return e;
}

static inline uint64_t fmt_table(uint64_t mfn, unsigned level)
{
    (void)level;
    return FMT_LINK | FIELD_PREP(LPAE_ADDR, mfn) | TYPE;
}

static inline uint64_t fmt_table_mfn(uint64_t e)
{
    return FIELD_GET(LPAE_ADDR, e);
}

static inline unsigned fmt_table_attr(uint64_t e)
{
    return PT_READ | (e & LPAE_TABLE_RO ? 0 : PT_WRITE);
}

#include "../template.h"

#endif
