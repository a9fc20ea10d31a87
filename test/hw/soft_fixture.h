/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A software unit with two stages on the memory of the small host, with a table of the hypervisor's
 * (the second stage) and one of a guest's, whose pages are at other guest addresses than machine
 * addresses.
 */
#ifndef TEST_HW_SOFT_FIXTURE_H
#define TEST_HW_SOFT_FIXTURE_H

#include "../../iommu/hw/soft/soft.h"
#include "../core/fixture.h"

#define RID    ((rid_t){8})
#define SHIFT  0x100u  /* a guest's frame g is the machine's g + SHIFT */
#define MEMORY 0x4000u /* that many frames from 0 on, and its tables, are the guest's */
#define CHILD  5u      /* did of the nested space, */
#define PARENT 4u      /* and of one of the second stage alone */

struct rig {
    struct host *h;
    struct sluice_port port, guest_port;
    struct soft_unit u;
    struct pt_pages pages, guest_pages;
    struct pgtable second, first;
};

struct rig *rig_create(bool caching_mode, enum pt_format_id first, uint8_t levels);
void rig_destroy(struct rig *r);

void rig_map(struct pgtable *pt, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned lg2,
             unsigned attr);
void rig_unmap(struct pgtable *pt, uint64_t dfn, uint64_t nr);

/* To the nested space, the second stage alone, or (0) to nothing. */
void rig_point(struct rig *r, rid_t rid, uint32_t pasid, uint16_t did);
void rig_flush(struct rig *r, enum hw_inv_kind kind, uint32_t pasid, uint16_t did, uint64_t dfn);

/* Where an access goes: the frame, or NOWHERE and *fault. */
uint64_t rig_access(struct rig *r, rid_t rid, uint32_t pasid, uint64_t addr, bool write,
                    struct hw_fault *fault);
/* A read of a page by RID. */
uint64_t rig_seen(struct rig *r, uint32_t pasid, uint64_t dfn);

#endif
