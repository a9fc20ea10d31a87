/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * I/O request servers: how emulators are told that a frame which they mapped is its owner's no
 * more. A request goes into the ring that the emulator shares or, if that has no room, into the
 * server's one place for a synchronous request, which the emulator takes by a call. Guarded by the
 * lock of the reverse map.
 */
#ifndef SLUICE_CORE_IOREQ_H
#define SLUICE_CORE_IOREQ_H

#include "domain.h"

/* Is there a server of that id for `target`, and is it the emulator's? Any: always. */
bool ioreq_exists(struct m2b_locked l, const struct domain *target, const struct domain *emulator,
                  uint16_t id);

/* Can INVALIDATE of bfn be sent now, to all that it concerns? */
bool ioreq_room(struct m2b_locked l, struct domain *target, const struct domain *emulator,
                uint16_t id, uint64_t bfn);

/* Sends it, to those that have room; nobody may be concerned. */
void ioreq_send(struct m2b_locked l, struct domain *target, const struct domain *emulator,
                uint16_t id, uint64_t bfn);

/* The domain ends: as a target and as an emulator. */
void ioreq_end(struct domain *d);

#endif
