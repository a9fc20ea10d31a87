/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulator's side of the buffered ring (iommu/abi/ioreq.h), one reader. The hypervisor takes
 * the same from both pointers now and then, so the reader adds to its own and never stores it.
 */
#ifndef GUEST_IOREQ_RING_H
#define GUEST_IOREQ_RING_H

#include <stdbool.h>

#include "../../iommu/abi/errno.h"
#include "../../iommu/abi/ioreq.h"

struct ioreq_ring {
    struct buffered_iopage *page; /* shared with the hypervisor */
    uint32_t nr_slots;            /* 1..IOREQ_BUFFER_SLOT_NUM, as the server was made */
};

struct ioreq_request {
    uint8_t type; /* IOREQ_TYPE_* */
    bool read;
    uint8_t size; /* of the value, in bytes: 1, 2, 4, 8 */
    uint32_t addr;
    uint64_t data;
};

/*
 * Takes the oldest request out. -ENODATA: there is none. -EIO: the pointers make no sense, or half
 * of a value is missing; nothing was taken.
 */
int ioreq_ring_next(const struct ioreq_ring *ring, struct ioreq_request *out);

#endif
