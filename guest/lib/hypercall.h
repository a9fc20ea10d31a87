/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hypercalls of the contexts ABI and the frames ABI, typed. Each returns 0 or a negative number
 * of iommu/abi/errno.h. What maps does all or nothing: what a hypervisor did of a call that failed
 * is undone. An answer that makes no sense (success, but not all of it) is -EIO.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <stdbool.h>
#include <stddef.h>

#include "../../iommu/abi/contexts.h"
#include "../../iommu/abi/errno.h"
#include "../../iommu/abi/frames.h"

/* NULL: this guest does not make that one: -ENOSYS. */
struct hypercall_host {
    void *arg;
    /* iommu_op(subop, data). What handles in `data` point at is this guest's memory too. */
    long (*contexts)(void *arg, int subop, void *data);
    /* pv_iommu_op(ops, count), count <= HYPERCALL_BATCH */
    long (*frames)(void *arg, struct pv_iommu_op *ops, unsigned count);
};

#define HYPERCALL_BATCH 32u /* elements of the frames ABI in a call: 1 KiB */

struct hypercalls {
    const struct hypercall_host *host;
    uint64_t made; /* atomic */
};

int hypercall_alloc_context(struct hypercalls *h, uint32_t flags, uint16_t *ctx_no);
int hypercall_free_context(struct hypercalls *h, uint16_t ctx_no, uint32_t flags);
int hypercall_reattach(struct hypercalls *h, uint16_t ctx_no, struct physdev_pci_device dev);
int hypercall_flush(struct hypercalls *h, uint16_t ctx_no);
/* *nr: room; then how many there are. With -EMSGSIZE too: more than there was room for. */
int hypercall_reserved(struct hypercalls *h, struct physdev_pci_device dev,
                       struct pv_iommu_range *ranges, uint32_t *nr);

/* Of a context. */
struct hypercall_map {
    uint16_t ctx_no;
    uint32_t flags;  /* IOMMU_MAP_* */
    uint32_t pgsize; /* bytes */
    uint32_t nr;     /* pages of that size */
    uint64_t dfn;
    uint64_t gfn;         /* of consecutive frames */
    const uint64_t *gfns; /* or a list of them (IOMMUCAP_map_list) */
};

/*
 * *held: pages that could not be undone and are still mapped, or may be: nobody else may get their
 * dfns. 0 in all ordinary cases.
 */
int hypercall_map(struct hypercalls *h, const struct hypercall_map *map, uint32_t *held);

/* *left: pages, the last ones, that are still mapped, or may be. 0 with success. */
int hypercall_unmap(struct hypercalls *h, uint16_t ctx_no, uint64_t dfn, uint32_t pgsize,
                    uint32_t nr, uint32_t *left);

/* Each element's status is 0 or an error afterwards, -ENODATA if it was not run. */
int hypercall_frames(struct hypercalls *h, struct pv_iommu_op *ops, unsigned count);

#endif
