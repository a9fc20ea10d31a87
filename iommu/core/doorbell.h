/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doorbells: frames of interrupt controllers that devices write their messages to, through
 * translation (Arm). A frame has one page number for all devices and contexts: in every window it
 * is the page of that number, so that what was programmed into a device holds in another context
 * whose window is at the same base.
 */
#ifndef SLUICE_CORE_DOORBELL_H
#define SLUICE_CORE_DOORBELL_H

#include "device.h"

struct doorbell {
    struct doorbell *next; /* of the instance, whose lock guards it */
    mfn_t mfn;
    uint64_t page;
    unsigned count; /* devices that have it, for each of its addresses */
};

/*
 * The device's doorbells, at their machine addresses. -ENOSPC: its window has not so many pages;
 * -ENOMEM: doorbells_put() for what it got.
 */
int doorbells_get(struct instance *s, struct device *dev, const uint64_t *maddr, unsigned nr);
void doorbells_put(struct instance *s, struct device *dev);

#endif
