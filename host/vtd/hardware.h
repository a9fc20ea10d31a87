/* SPDX-License-Identifier: BSD-2-Clause */
/* A VT-d unit of a machine, and its fault records, whatever is behind its registers. */
#ifndef HOST_VTD_HARDWARE_H
#define HOST_VTD_HARDWARE_H

#include "../../iommu/hw/vtd/vtd.h"
#include "../machine/backend.h"

#define VTD_FAULTS 256u

/* Fault records, taken from hardware to judge an access, kept for whoever collects them. */
struct vtd_faults {
    const struct hw_ops *real;
    struct hw_ops ops; /* the unit's, with a drain_faults that gives out what is kept */
    struct hw_fault kept[VTD_FAULTS];
    unsigned head, nr;
    uint64_t lost;
};

struct vtd_hardware {
    struct vtd_unit unit;
    struct vtd_faults faults;
    bool started; /* vtd_fini() is due */
};

/* hardware.c: starts the unit whose registers are at `base` as the machine wants it, and adds it.
 */
int vtd_hardware_start(struct machine *m, struct vtd_hardware *hardware, uint64_t base,
                       uint16_t segment);
/* Does a write there submit invalidations? */
bool vtd_is_submission(const struct vtd_hardware *hardware, uint64_t maddr);

/* faults.c: between the unit and core. */
void vtd_faults_wrap(struct vtd_hardware *hardware);
/* A record of the requester that came since the last look, if any. */
bool vtd_faults_look(struct hw_unit *unit, rid_t rid, struct hw_fault *out);

#endif
