/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupts of devices: which entries of its unit's remapping table a device has. They are its
 * owner's, and end with the ownership, so that a device never raises what a former owner wanted.
 *
 * The unit's lock guards all of it: whether devices of a group may have entries, and which.
 */
#ifndef SLUICE_CORE_INTERRUPT_H
#define SLUICE_CORE_INTERRUPT_H

#include "device.h"

/* Entries that were allocated together. */
struct interrupts {
    struct interrupts *next;
    uint16_t first;
    uint8_t lg2;
};

/* The group has an owner: its devices may have entries from now on. */
void interrupt_permit(struct group *g);

/*
 * It is about to have none: its devices lose all entries, which deliver nothing when this returns,
 * and get no more. -EIO: the unit failed and delivers nothing at all; the entries are taken for
 * ever.
 */
int interrupt_revoke(struct group *g);

#endif
