/* SPDX-License-Identifier: BSD-2-Clause */
/* Which requester ids the DMA of a function may come with, after the bridges above it. */
#ifndef SLUICE_HW_REQUESTER_H
#define SLUICE_HW_REQUESTER_H

#include "../port/types.h"

enum hw_bridge_kind {
    HW_BRIDGE_EXPRESS, /* root port or port of a switch: ids pass */
    HW_BRIDGE_TO_PCI,  /* PCI Express to PCI: what is below appears as device 0 of the bus below */
    HW_BRIDGE_PCI,     /* conventional, or PCI to PCI Express: as the bridge itself */
};

struct hw_bridge {
    enum hw_bridge_kind kind;
    rid_t rid;
    uint8_t secondary; /* the bus below it */
};

/*
 * up[0] is the bridge right above the function, up[nr - 1] the one on the root bus. Fills out,
 * which has room for nr + 1: the function's own id first, then those of bridges that may take a
 * request for their own, upwards (PCI Express to PCI/PCI-X Bridge Specification 1.0, 2.3). A bridge
 * may leave some requests as they are, so all of them belong to the device; functions that share
 * one are one group. Returns how many.
 */
unsigned hw_requester_ids(rid_t function, const struct hw_bridge *up, unsigned nr, rid_t *out);

#endif
