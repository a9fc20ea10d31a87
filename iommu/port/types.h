/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frame numbers and ids. Each kind is a struct of one member, so that mixing two kinds does not
 * compile. A frame is 4 KiB everywhere. A range is first + count, or first/last inclusive.
 */
#ifndef SLUICE_PORT_TYPES_H
#define SLUICE_PORT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_LG2  12u
#define FRAME_SIZE 4096u

/* Guest frame number: a domain's own view of its memory. */
typedef struct {
    uint64_t n;
} gfn_t;

/* Machine frame number: what the memory bus sees. */
typedef struct {
    uint64_t n;
} mfn_t;

/* Device frame number: an I/O virtual address in frames, meaningful within one context. */
typedef struct {
    uint64_t n;
} dfn_t;

/* Requester id with its PCI segment: segment << 16 | bus << 8 | devfn. */
typedef struct {
    uint32_t n;
} rid_t;

static inline gfn_t gfn_of(uint64_t n)
{
    return (gfn_t){n};
}

static inline mfn_t mfn_of(uint64_t n)
{
    return (mfn_t){n};
}

static inline dfn_t dfn_of(uint64_t n)
{
    return (dfn_t){n};
}

static inline rid_t rid_of(uint16_t seg, uint8_t bus, uint8_t devfn)
{
    return (rid_t){(uint32_t)seg << 16 | (uint32_t)bus << 8 | devfn};
}

static inline gfn_t gfn_add(gfn_t g, uint64_t n)
{
    return (gfn_t){g.n + n};
}

static inline mfn_t mfn_add(mfn_t m, uint64_t n)
{
    return (mfn_t){m.n + n};
}

static inline dfn_t dfn_add(dfn_t d, uint64_t n)
{
    return (dfn_t){d.n + n};
}

/* A field of a hardware word is one mask; these move values in and out of it. */
#define FIELD_GET(mask, word)   (((word) & (mask)) / ((mask) & -(mask)))
#define FIELD_PREP(mask, value) (((uint64_t)(value) * ((mask) & -(mask))) & (mask))
#define BIT64(n)                ((uint64_t)1 << (n))
#define MASK64(high, low)       ((~(uint64_t)0 >> (63 - (high))) & (~(uint64_t)0 << (low)))

#endif
