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
    uint32_t pasid; /* not 0: it is the device's pair that moves: pasid.h */
    bool fresh;     /* and there is none yet */
    bool viommu;    /* a vIOMMU moves it, not a call: steer.h */
    /* Zero at the start: */
    bool settled;   /* what was pending in the context is released */
    uint64_t until; /* deferred.h */
};

/* reattach_device and attach_pasid, with their errors; -ERESTART: again, with the same struct. */
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

/* Out of its domain, without its PASIDs. -EIO: out, but the unit failed. */
int attach_quarantine(struct group *g);

/*
 * The hardware's part of a move, for the devices' requests with that PASID, 0 for those without
 * one: what can fail, with -ENOMEM or -EIO; then the new context, NULL for none, which counts them
 * as attached; then what is cached of the old one. -EIO: the unit failed, and the old context
 * counts them for ever.
 */
int attach_prepare(struct group *g, uint32_t pasid);
void attach_point(struct group *g, uint32_t pasid, struct context *to);
int attach_flush(struct group *g, uint32_t pasid, struct context *from);

#endif
