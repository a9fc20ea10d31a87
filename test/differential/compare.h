/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays a program on two units in lock step.
 */
#ifndef TEST_DIFFERENTIAL_COMPARE_H
#define TEST_DIFFERENTIAL_COMPARE_H

#include "drive.h"

enum difference_kind {
    SAME,
    DIFFERENT_REGISTER, /* reg: its value on each */
    DIFFERENT_DMA,      /* where it landed: value: a page of the world, or NOWHERE; record */
    DIFFERENT_RECORD,   /* record */
    DIFFERENT_MSI,      /* value: arrived; interrupt; record */
    DIFFERENT_MEMORY,   /* value: the word at addr */
};
#define NOWHERE UINT64_MAX

/* What one of the two shows. */
struct shown {
    uint64_t value;
    struct record record;
    struct unit_interrupt interrupt;
};

struct difference {
    enum difference_kind kind;
    unsigned step; /* program.nr: at its end */
    struct step what;
    struct reg reg;
    uint64_t addr;
    bool scalable;
    struct unit *unit; /* the reference, for a look into memory */
    struct shown a, b;
};

struct known;

/* What was done. */
struct tally {
    uint64_t programs, steps, dmas, landed, faults, interrupts, stale, ended;
    uint64_t known[32], reasons[256];
};

/*
 * a: the reference. Returns SAME or the first difference that nothing explains. Where an explained
 * one leaves the two in different states, the program ends there.
 */
struct difference compare(const struct program *p, struct unit *a, struct unit *b, struct tally *t);

void difference_print(FILE *f, const struct difference *d, const struct unit *a,
                      const struct unit *b);

#endif
