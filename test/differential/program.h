/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Programs: what a guest does to a unit, step by step. As text, a line each:
 *
 *   # a comment
 *   store 0x201000 0x205001
 *   gcmd 0x80000000 1
 *   dma-read 0x28 0x1000 8
 */
#ifndef TEST_DIFFERENTIAL_PROGRAM_H
#define TEST_DIFFERENTIAL_PROGRAM_H

#include <stdio.h>

#include "unit.h"

#define PROGRAM_STEPS 160u
#define STEP_ARGS     6u

enum step_kind {
    STEP_READ,       /* register, size: registers by number in regs[] */
    STEP_WRITE,      /* register, size, value */
    STEP_WRITE_HALF, /* register, offset in it, value: 4 bytes of 8 */
    STEP_RAW_READ,   /* offset, size: of no register */
    STEP_RAW_WRITE,  /* offset, size, value */
    STEP_GCMD,       /* bit, on */
    STEP_STORE,      /* address, word: to tables, and nothing is invalidated */
    STEP_CHANGE,     /* address, word, enum scope, did, iova, am: the same, and it is */
    STEP_QUEUE,      /* lo, hi: a descriptor */
    STEP_RECOVER,    /* the queue has stopped: it goes on behind the descriptor at fault */
    STEP_FLUSH,      /* everything */
    STEP_DMA_READ,   /* sid, address, size */
    STEP_DMA_WRITE,  /* sid, address, size */
    STEP_MSI,        /* sid, address, data */
    STEP_KINDS
};

enum scope { SCOPE_ALL, SCOPE_DOMAIN, SCOPE_PAGE, SCOPE_DEVICE /* iova: the sid */ };

struct step {
    enum step_kind kind;
    uint64_t arg[STEP_ARGS];
};

struct program {
    bool scalable;
    unsigned nr;
    struct step steps[PROGRAM_STEPS];
};

/* Registers that programs read and write, and what of them two units must agree about. */
struct reg {
    const char *name;
    unsigned offset, size;
    uint64_t same;
    bool write;    /* programs write it as it is; others by steps of their own */
    bool no_queue; /* only while the queue is off (6.5.1, 11.4.9.3) */
    bool iotlb;    /* the offset counts from ECAP.IRO */
};
extern const struct reg regs[];
extern const unsigned nr_regs;

unsigned reg_offset(const struct unit *u, const struct reg *r);

void program_random(struct program *p, uint64_t seed, bool scalable);

void step_print(FILE *f, const struct step *s);
void program_print(FILE *f, const struct program *p);
/* 0, or the number of the line that is none. */
unsigned program_parse(FILE *f, struct program *p);

/* ---- Dice -------------------------------------------------------------------------------------
 */

struct dice {
    uint64_t state;
};
static inline uint64_t roll(struct dice *d)
{
    uint64_t x = d->state += 0x9e3779b97f4a7c15u;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}
static inline unsigned below(struct dice *d, unsigned n)
{
    return (unsigned)(roll(d) % n);
}

#endif
