/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emulated unit on the small host of test/core, whose second half only writes down what it is
 * told to forget.
 */
#ifndef TEST_EMUL_UNIT_H
#define TEST_EMUL_UNIT_H

#include "../core/fixture.h"

#include "../../iommu/emul/vtd/emul.h"

#define UNIT_BASE 0xfed90000u
#define RING      0x100000u /* guest memory begins here: RAM_FRAMES of it */
#define STATUS    0x110000u /* where wait descriptors write */
#define IRTES     0x120000u
#define RAM_FIRST 0x100u
#define RAM_LAST  0x17fu
#define RAM_MFN   0x1000u
#define NO_RAM    0x400000u
#define DEVICE    0x0310u /* the requester id that is behind the unit */

#define ALL_CAPS                                                                   \
    (SLUICE_VIOMMU_SECOND_STAGE | SLUICE_VIOMMU_REMAPPING | SLUICE_VIOMMU_X2APIC | \
     SLUICE_VIOMMU_SCALABLE)

/* The second half. */
struct stub {
    struct vtd_emul_inv log[300]; /* those that were completed */
    unsigned nr_log, calls;
    bool forgets_log;  /* keeps none */
    unsigned restarts; /* so many calls from now are preempted */
    unsigned fini_restarts;
    int init;    /* what it says */
    bool silent; /* faults are not recorded */
    bool gone;   /* it was ended */
    uint8_t reason;
    void (*on_invalidate)(void);
};
extern struct stub stub;

struct unit {
    struct host *h;
    uint32_t id;
};

struct unit *unit_create(uint64_t capabilities);
/* cmocka's: with all that is always offered; without anything; scalable and on */
int unit_set_up(void **state);
int unit_set_up_bare(void **state);
int unit_tear_down(void **state);

struct vtd_emul *emul_of(struct unit *u);
uint64_t rd(struct unit *u, uint64_t offset, unsigned size);
uint32_t rd32(struct unit *u, uint64_t offset);
uint64_t rd64(struct unit *u, uint64_t offset);
/* To its end. */
void wr(struct unit *u, uint64_t offset, unsigned size, uint64_t value);
void wr32(struct unit *u, uint64_t offset, uint64_t value);
void wr64(struct unit *u, uint64_t offset, uint64_t value);
/* GCMD with one bit changed, or done. */
void command_on(struct unit *u, uint64_t bit);
void command_off(struct unit *u, uint64_t bit);
void set_mode(struct unit *u, unsigned ttm);

void put(struct unit *u, uint64_t gpa, const void *from, size_t size);
uint32_t get(struct unit *u, uint64_t gpa);

/* The queue: enabled at RING, one page, narrow or wide. */
void queue_on(struct unit *u, bool wide);
/* A descriptor at the tail, and the tail behind it. */
void submit(struct unit *u, uint64_t lo, uint64_t hi);
void submit4(struct unit *u, const uint64_t word[4]);
unsigned iqei(struct unit *u); /* UINT_MAX: no error */

#endif
