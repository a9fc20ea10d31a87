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

/* Pairs of a domain, at most: all of them end or move in one go. */
#define MOST_PASIDS 1024u

/* Guarded by the domain's lock; changed with the instance's too: who has one of them may look. */
struct pasid {
    struct pasid *next; /* of the domain */
    struct group *group;
    uint32_t nr;
    struct context *ctx; /* NULL: it is just being made */
};

/* The highest that all units can do; 0: there are none. */
uint32_t pasid_max(const struct instance *s);

/*
 * As in the ABI: -EINVAL (pasid 0, beyond the unit's, unknown context), -ENOENT (the device is not
 * the domain's), -EEXIST, -EBUSY (not alone in its group; what is never mapped for it is mapped
 * there), -ENOMEM (memory, or it is one too many), -EIO: it is attached, but the unit failed;
 * -ERESTART: again. viommu: as in struct reattach, -EBUSY.
 */
int pasid_attach(struct domain *d, rid_t rid, uint32_t pasid, uint16_t no, uint32_t generation,
                 bool viommu);
/* Blocked, and flushed when it returns 0. -EINVAL, -ENOENT, -EBUSY, -EIO. */
int pasid_detach(struct domain *d, rid_t rid, uint32_t pasid, bool viommu);
/* To another context, as reattach does. -ENODEV: there is no such pair; else as pasid_attach. */
int pasid_move(struct domain *d, rid_t rid, uint32_t pasid, uint16_t no, uint32_t generation,
               bool viommu);

/*
 * All pairs in `from` to `to`, or none; with the devices' attach_all(): first what can fail, which
 * is undone where it does; then the move. -EIO: moved, but a unit failed.
 */
int pasid_claim_all(struct domain_locked l, const struct context *from, struct context *to);
int pasid_commit_all(struct domain_locked l, const struct context *from, struct context *to);
/* The device leaves its domain: none is left. -EIO: its unit failed, and blocks. */
int pasid_detach_all(struct domain_locked l, const struct group *g);

/* The context of the group's requests with that PASID, 0 for those without; 0 if it has none. */
uint16_t pasid_ctx_no(struct instance_locked l, const struct group *g, uint32_t pasid);

#endif
