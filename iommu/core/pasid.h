/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * PASIDs: (device, pasid) pairs with a context of their own. A pair counts as a device of its
 * context: it keeps it alive, and flushes reach its unit. A device that leaves its domain has lost
 * them all, flushed, before anybody else can have it. Only a device that is alone in its group has
 * any: others could not be told apart from it.
 */
#ifndef SLUICE_CORE_PASID_H
#define SLUICE_CORE_PASID_H

#include "device.h"

/* The highest that all units can do; 0: there are none. */
uint32_t pasid_max(const struct instance *s);

/*
 * As in the ABI: -EINVAL (pasid 0, beyond the unit's, unknown context), -ENOENT (the device is not
 * the domain's), -EEXIST, -EBUSY (not alone in its group; what is never mapped for it is mapped
 * there), -ENOMEM, -EIO.
 */
int pasid_attach(struct domain *d, rid_t rid, uint32_t pasid, uint16_t no, uint32_t generation);
/* Blocked, and flushed when it returns 0. -EINVAL, -ENOENT, -EIO. */
int pasid_detach(struct domain *d, rid_t rid, uint32_t pasid);
/* To another context, as reattach does. -ENODEV: there is no such pair; else as pasid_attach. */
int pasid_move(struct domain *d, rid_t rid, uint32_t pasid, uint16_t no, uint32_t generation);

/* All pairs in `from` to `to`, or none; with the devices' attach_all(). */
int pasid_move_all(struct domain_locked l, struct context *from, struct context *to);
/* The device leaves its domain: none is left. -EIO: its unit failed, and blocks. */
int pasid_detach_all(struct domain_locked l, struct group *g);

#endif
