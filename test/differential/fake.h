/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit of registers that keep what is written, and of memory. Where the first word of the trees
 * is not 0, DMA goes to the page that it names.
 */
#ifndef TEST_DIFFERENTIAL_FAKE_H
#define TEST_DIFFERENTIAL_FAKE_H

#include "unit.h"

struct fake_faults {
    unsigned lost;  /* the offset of a register whose writes are lost */
    bool astray;    /* DMA writes go one page too far */
    bool caches;    /* the word is kept until something is invalidated */
    bool deaf;      /* and nothing invalidates it */
    bool forgetful; /* interrupts do not arrive */
};

struct unit *fake_open(const struct fake_faults *faults);

#endif
