/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract of a format file (format/NAME.c). It defines the constants and inline functions
 * below and then includes template.h, which compiles the walker over them. Numbers and orders are
 * in 4 KiB frames; an order is log2 of a number of frames.
 *
 * Constants (macros):
 *   FMT_MIN_LEVELS, FMT_MAX_LEVELS  of the walk
 *   FMT_EMPTY     value of an empty entry; no other state has it
 *   FMT_OA_BITS   machine addresses are below 1 << FMT_OA_BITS
 *   FMT_REPEATS   1 if a leaf may fill several neighbouring entries, all of the same value
 *   FMT_HARDWARE  bits that hardware may change in a present leaf (accessed, dirty); 0 for none
 *   FMT_LINK      a bit that hardware ignores, set by fmt_table and in no other entry; to test it
 *                 alone makes the walk down our own tables a fifth faster than fmt_is_table
 *   FMT_SYNCED    a bit that hardware ignores in an entry that points to a table: see find.h
 *   FMT_MARK      a bit that hardware ignores in a leaf: PT_MARK. The walker sets and reads it, the
 *                 functions below neither; fmt_next, fmt_retire and those of the dirty mark keep it
 *
 * Included by format files only.
 *
 * An entry is in one of four states: empty, table, leaf, retired. Hardware sees the first and the
 * last as not present.
 */
#ifndef SLUICE_PGTABLE_FORMAT_H
#define SLUICE_PGTABLE_FORMAT_H

#include "../port/types.h"

/* Geometry: the order that one entry of a table of `level` spans, and log2 of its entries. */
static inline unsigned fmt_shift(unsigned level);
static inline unsigned fmt_bits(unsigned level);

/*
 * States. fmt_is_table and fmt_is_leaf judge as hardware does, so that any table, also one that
 * others wrote, can be traced; an entry that is neither is not present.
 */
static inline bool fmt_is_table(uint64_t e, unsigned level);
static inline bool fmt_is_leaf(uint64_t e, unsigned level);
static inline bool fmt_is_retired(uint64_t e);

/* Does a table or leaf have reserved bits set, so that hardware would refuse it? */
static inline bool fmt_is_reserved(uint64_t e, unsigned level);

/*
 * A leaf at `level` of 1 << order frames from mfn. Its accessed mark is set wherever that keeps
 * hardware from writing to the entry; its dirty mark too, unless `track`.
 */
static inline uint64_t fmt_leaf(uint64_t mfn, unsigned order, unsigned level, unsigned attr,
                                bool track);

/* The leaf that maps the frames after those of `e`, which fills one entry, with the same
 * attributes. */
static inline uint64_t fmt_next(uint64_t e, unsigned level);

/* Of a leaf or a retired leaf: first frame, order. The attributes of a leaf; 0 once retired. */
static inline uint64_t fmt_leaf_mfn(uint64_t e, unsigned level);
static inline unsigned fmt_leaf_order(uint64_t e, unsigned level);
static inline unsigned fmt_attr(uint64_t e);

/* A leaf without rights: frame, order and dirty mark stay readable. */
static inline uint64_t fmt_retire(uint64_t e);

/* The dirty mark of a leaf. */
static inline bool fmt_is_dirty(uint64_t e);
static inline uint64_t fmt_dirty(uint64_t e);
static inline uint64_t fmt_clean(uint64_t e);

/* An entry of a table of `level` that points to a table and takes no rights away. */
static inline uint64_t fmt_table(uint64_t mfn, unsigned level);
static inline uint64_t fmt_table_mfn(uint64_t e);

/* The rights (PT_READ, PT_WRITE) that an entry that points to a table leaves to what is below. */
static inline unsigned fmt_table_attr(uint64_t e);

#endif
