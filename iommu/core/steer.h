/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices that a vIOMMU moves, and no hypercall: struct reattach.viommu. Each has a refuge: a
 * context that keeps its regions, so that going there needs no memory.
 */
#ifndef SLUICE_CORE_STEER_H
#define SLUICE_CORE_STEER_H

#include "device.h"

/*
 * -EPERM: the device is not the domain's; -EINVAL: nothing protects it; -EEXIST: it is steered
 * already; -EBUSY: not alone in its group; -ENOMEM. It has lost its PASIDs: -EIO.
 */
int steer_take(struct domain *d, const struct device *dev, struct context *refuge);
/* Hypercalls move the group of `rid` again, if it is the domain's still. */
void steer_give_back(struct domain *d, rid_t rid);
/* The same, of a group that leaves its domain. */
void steer_forget(struct domain_locked l, struct group *g);

#endif
