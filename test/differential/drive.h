/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a guest's driver does with one unit: short sequences of accesses that depend on nothing but
 * what the unit's registers say.
 */
#ifndef TEST_DIFFERENTIAL_DRIVE_H
#define TEST_DIFFERENTIAL_DRIVE_H

#include "program.h"

/* Memory and registers as they are at the start of every program. */
void drive_reset(struct unit *u);

/* One bit of GCMD, with what it needs. Nothing where that would be undefined. */
void drive_gcmd(struct unit *u, uint64_t bit, bool on);
/* False: there is no queue. */
bool drive_queue(struct unit *u, uint64_t lo, uint64_t hi);
bool drive_queue_on(struct unit *u);
/* The descriptor that the queue stopped at becomes a wait, and the queue goes on. */
void drive_recover(struct unit *u);
void drive_flush(struct unit *u);
/* STEP_CHANGE's: by the queue, or by registers. */
void drive_invalidate(struct unit *u, const struct step *s);

/* The first fault record that is set, after which there is none and no overflow. */
struct record {
    uint64_t address;
    uint32_t pasid;
    uint16_t sid;
    uint8_t reason;
    bool set, write, has_pasid;
};
struct record drive_faults(struct unit *u);

#endif
