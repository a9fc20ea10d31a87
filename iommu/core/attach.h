/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Moving device groups between contexts. First everything that can fail, showing nothing; then the
 * hardware is pointed at the new context, and only when it has confirmed that nothing of the old
 * one is cached any more, the old one is let go. In between a device obeys the old, the new, or is
 * blocked.
 */
#ifndef SLUICE_CORE_ATTACH_H
#define SLUICE_CORE_ATTACH_H

#include "device.h"

/* The group of `rid` if it is the domain's: it stays so while the domain is locked. NULL otherwise.
 */
struct group *attach_find(struct domain_locked l, rid_t rid);

struct reattach {
    rid_t rid; /* of the group, which must be the domain's */
    uint16_t ctx_no;
    uint32_t generation;
    /* Zero at the start: */
    bool settled;   /* what was pending in the context is released */
    uint64_t until; /* deferred.h */
};

/* reattach_device. -ENODEV -EBUSY -ENOMEM -EIO; -ERESTART: again, with the same struct. */
int attach_device(struct domain *d, struct reattach *move);

/* All groups in `from` to `to`, or none: -EBUSY, -ENOMEM; -EIO: moved, but a unit failed. */
int attach_all(struct domain_locked l, struct context *from, struct context *to);

/*
 * A group that is nobody's, while its devices are being added and removed: parked is quarantined,
 * with its direct regions; unparked is blocked outright. -ENOMEM: blocked. -EIO: its unit failed.
 */
int attach_park(struct group *g);
void attach_unpark(struct group *g);

/* From quarantine into context 0. -EBUSY -ENOMEM -EIO. */
int attach_assign(struct domain_locked l, struct group *g);

/* Out of its domain. -EIO: out, but the unit failed. */
int attach_quarantine(struct group *g);

#endif
