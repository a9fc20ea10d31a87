/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's view of what it runs on: whether its memory is direct-mapped (iommu/abi/features.h),
 * and which of the two ABIs there is, with what. Asked once, at boot; none of it changes.
 */
#ifndef GUEST_FEATURES_H
#define GUEST_FEATURES_H

#include <stdbool.h>

#include "../../iommu/abi/contexts.h"
#include "../../iommu/abi/errno.h"
#include "../../iommu/abi/features.h"
#include "../../iommu/abi/frames.h"

/* The hypercalls. NULL: this guest does not make that one, so it is taken as not there. */
struct features_host {
    void *arg;
    /* xen_version(cmd, info) */
    long (*version)(void *arg, int cmd, struct xen_feature_info *info);
    /* iommu_op(subop, caps) */
    long (*contexts)(void *arg, int subop, struct pv_iommu_capabilities *caps);
    /* pv_iommu_op(op, 1) */
    long (*frames)(void *arg, struct pv_iommu_op *op);
};

struct features {
    bool direct_mapped;
    bool assumed;  /* an older hypervisor: it did not say direct_mapped, this is what it does */
    bool contexts; /* the contexts ABI is there, with: */
    struct pv_iommu_capabilities caps;
    bool frames;   /* the frames ABI is there, with: */
    bool choose;   /* map_cap */
    bool all;      /* map_all_mfns */
    uint8_t order; /* the largest of a map */
};

/*
 * What the bits of submap 0 say; hardware: this is the hardware domain. -EINVAL: both are set,
 * which no hypervisor may say; *out is as before.
 */
int features_read(uint32_t submap, bool hardware, struct features *out);

/*
 * Asks for everything. A hypercall that the hypervisor does not have is an answer, and so is one
 * that has nothing for this domain (no IOMMU). -EINVAL as above; -EIO: success without a usable
 * answer; or the hypervisor's error, that is, it has the hypercall but could not say. After an
 * error *out is all zero.
 */
int features_discover(const struct features_host *host, bool hardware, struct features *out);

#endif
