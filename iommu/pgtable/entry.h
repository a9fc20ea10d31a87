/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and changing entries. Hardware and other threads read them at any time, so each change is
 * one 8-byte atomic access; a table is linked with release and followed with acquire order.
 * Included by template.h only.
 */
#ifndef SLUICE_PGTABLE_ENTRY_H
#define SLUICE_PGTABLE_ENTRY_H

#include "pgtable.h"

/* The walker pays for every call that is left in its loops: it is small and compiled per format. */
#define PT_INLINE static inline __attribute__((always_inline))

#define PT_LIKELY(x)   __builtin_expect(!!(x), 1)
#define PT_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* An entry that may belong to another's range: what it points to is set up when it is seen. */
PT_INLINE uint64_t entry_read(const uint64_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_ACQUIRE);
}

/* An entry of the caller's own range: nobody but hardware changes it. */
PT_INLINE uint64_t entry_own(const uint64_t *slot)
{
    return __atomic_load_n(slot, __ATOMIC_RELAXED);
}

PT_INLINE void entry_write(uint64_t *slot, uint64_t e)
{
    __atomic_store_n(slot, e, __ATOMIC_RELAXED);
}

/* Takes an entry out; the value that hardware saw last, with its dirty mark. */
PT_INLINE uint64_t entry_take(uint64_t *slot)
{
    return __atomic_exchange_n(slot, FMT_EMPTY, __ATOMIC_RELAXED);
}

/* From *old to `new`, unless it changed; then *old is what it is now. What new points to is
 * visible. */
PT_INLINE bool entry_swap(uint64_t *slot, uint64_t *old, uint64_t new)
{
    return __atomic_compare_exchange_n(slot, old, new, false, __ATOMIC_RELEASE, __ATOMIC_ACQUIRE);
}

/*
 * Eight entries at a time. Written out, because gcc 12 does not unroll at -O2: a loop of single
 * stores runs at two thirds of the speed of these.
 */
PT_INLINE bool eight_empty(const uint64_t *slot)
{
    uint64_t a = (slot[0] ^ FMT_EMPTY) | (slot[1] ^ FMT_EMPTY);
    uint64_t b = (slot[2] ^ FMT_EMPTY) | (slot[3] ^ FMT_EMPTY);
    uint64_t c = (slot[4] ^ FMT_EMPTY) | (slot[5] ^ FMT_EMPTY);
    uint64_t d = (slot[6] ^ FMT_EMPTY) | (slot[7] ^ FMT_EMPTY);

    return !(a | b | c | d);
}

/* Leaves from `e` on, each for the frames after those of the one before; the ninth. */
PT_INLINE uint64_t eight_leaves(uint64_t *slot, uint64_t e, unsigned level)
{
    uint64_t e1 = fmt_next(e, level), e2 = fmt_next(e1, level), e3 = fmt_next(e2, level);
    uint64_t e4 = fmt_next(e3, level), e5 = fmt_next(e4, level), e6 = fmt_next(e5, level);
    uint64_t e7 = fmt_next(e6, level);

    entry_write(slot + 0, e);
    entry_write(slot + 1, e1);
    entry_write(slot + 2, e2);
    entry_write(slot + 3, e3);
    entry_write(slot + 4, e4);
    entry_write(slot + 5, e5);
    entry_write(slot + 6, e6);
    entry_write(slot + 7, e7);
    return fmt_next(e7, level);
}

/* Are they what eight_leaves would write? Then they are emptied, and *e is the ninth. */
PT_INLINE bool eight_take(uint64_t *slot, uint64_t *e, unsigned level)
{
    uint64_t e0 = *e, e1 = fmt_next(e0, level), e2 = fmt_next(e1, level);
    uint64_t e3 = fmt_next(e2, level), e4 = fmt_next(e3, level), e5 = fmt_next(e4, level);
    uint64_t e6 = fmt_next(e5, level), e7 = fmt_next(e6, level);
    uint64_t a = (slot[0] ^ e0) | (slot[1] ^ e1), b = (slot[2] ^ e2) | (slot[3] ^ e3);
    uint64_t c = (slot[4] ^ e4) | (slot[5] ^ e5), d = (slot[6] ^ e6) | (slot[7] ^ e7);

    if (a | b | c | d)
        return false;
    entry_write(slot + 0, FMT_EMPTY);
    entry_write(slot + 1, FMT_EMPTY);
    entry_write(slot + 2, FMT_EMPTY);
    entry_write(slot + 3, FMT_EMPTY);
    entry_write(slot + 4, FMT_EMPTY);
    entry_write(slot + 5, FMT_EMPTY);
    entry_write(slot + 6, FMT_EMPTY);
    entry_write(slot + 7, FMT_EMPTY);
    *e = fmt_next(e7, level);
    return true;
}

/* A leaf as fmt_leaf makes it, with PT_MARK. */
PT_INLINE uint64_t leaf_make(uint64_t mfn, unsigned order, unsigned level, unsigned attr,
                             bool track)
{
    return fmt_leaf(mfn, order, level, attr, track) | (attr & PT_MARK ? FMT_MARK : 0);
}

PT_INLINE void entries_writeback(const struct pgtable *pt, const uint64_t *slot, unsigned n)
{
    const struct sluice_port *port;

    if (PT_LIKELY(!pt->geo.noncoherent))
        return;
    port = pt->pages->port;
    port->writeback(port->host, slot, n * sizeof(*slot));
}

PT_INLINE unsigned log2_of(uint64_t n)
{
    return 63 - (unsigned)__builtin_clzll(n);
}

/* Frames that an entry, or a whole table, of a level spans; entries of a table; place of dfn in it.
 */
PT_INLINE uint64_t entry_span(unsigned level)
{
    return (uint64_t)1 << fmt_shift(level);
}

PT_INLINE unsigned table_entries(unsigned level)
{
    return 1u << fmt_bits(level);
}

PT_INLINE uint64_t table_span(unsigned level)
{
    return (uint64_t)1 << (fmt_shift(level) + fmt_bits(level));
}

PT_INLINE unsigned table_index(uint64_t dfn, unsigned level)
{
    return (unsigned)(dfn >> fmt_shift(level)) & (table_entries(level) - 1);
}

/* Entries that a leaf (or retired leaf) fills. */
PT_INLINE unsigned leaf_entries(uint64_t e, unsigned level)
{
    if (!FMT_REPEATS)
        return 1;
    return 1u << (fmt_leaf_order(e, level) - fmt_shift(level));
}

PT_INLINE uint64_t leaf_frames(uint64_t e, unsigned level)
{
    return (uint64_t)1 << fmt_leaf_order(e, level);
}

#endif
