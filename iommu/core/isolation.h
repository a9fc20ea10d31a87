/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether devices can raise interrupts that were not set up for them, and who may have such a
 * device: the hardware domain, and others that are trusted with the machine anyway; the rest only
 * by the host's leave.
 */
#ifndef SLUICE_CORE_ISOLATION_H
#define SLUICE_CORE_ISOLATION_H

#include "device.h"

/* What it is now. */
enum hw_isolation isolation_of(const struct group *g);

/*
 * May the domain be given the group, which is in quarantine? -EPERM: no, and an event says why.
 * Notes whether it is by leave of the instance only.
 */
int isolation_check(const struct domain *d, struct group *g, enum hw_isolation now);

/* The domain has it: if by leave only, each of its devices is told of, once for ever. */
void isolation_tell(struct group *g, enum hw_isolation now);

#endif
