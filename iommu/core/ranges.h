/* SPDX-License-Identifier: BSD-2-Clause */
/* What a domain is told of reserved regions: sorted, and what belongs together in one piece. */
#ifndef SLUICE_CORE_RANGES_H
#define SLUICE_CORE_RANGES_H

#include "device.h"

/* A type beside those of enum sluice_region_type: what no reserved range touches. */
#define RANGE_ALLOWED 4u

struct range {
    uint64_t first, last; /* bytes */
    unsigned type, prot;  /* PT_*, of direct ones and of windows for interrupts */
};

struct ranges {
    struct range *at;
    unsigned nr, room;
};

/*
 * The regions of the devices in a context, or of the group of `rid`, and the interrupt window; to
 * be freed by ranges_free. How many there are is the host's doing, and so is the work. -EINVAL: the
 * context is gone; -ENODEV: not the domain's; -ENOMEM; -ERESTART: they changed meanwhile, again.
 */
int ranges_of_context(struct domain *d, uint16_t no, uint32_t generation, struct ranges *out);
int ranges_of_device(struct domain *d, rid_t rid, struct ranges *out);
void ranges_free(struct domain *d, struct ranges *r);

/* Instead of the ranges: what they leave of 0..max. Relaxable ones are not in the way. */
void ranges_invert(struct ranges *r, uint64_t max);

#endif
