/* SPDX-License-Identifier: BSD-2-Clause */
/* A guest that writes VT-d tables into its memory, on the small host of the tests of the core. */
#ifndef TEST_EMUL_GUEST_H
#define TEST_EMUL_GUEST_H

#include "../../iommu/emul/vtd/back.h"
#include "../../iommu/spec/vtd_pt.h"
#include "../../iommu/spec/x86_pt.h"
#include "../core/fixture.h"

/* Where it has its tables: pages of its memory, which is gfns 0..GUEST_PAGES - 1. */
#define GUEST_PAGES 64u
#define GUEST_MFN   0x1000u /* frames are scattered: gfn g is GUEST_MFN + 2 * g */
#define ROOT        0x1000u
#define CONTEXTS    0x2000u
#define DIRECTORY   0x3000u
#define PASIDS      0x4000u
#define TABLE       0x10000u /* and the pages after it: one for each level */
#define OTHER_TABLE 0x18000u
#define BEYOND      0x40000000u /* no memory */
#define SID         0x0110u
#define DID         5u
#define DATA        0x20000u

#define CAP_OFFERED                                                                               \
    (FIELD_PREP(VTD_CAP_SAGAW, 6) | FIELD_PREP(VTD_CAP_MGAW, 47) | FIELD_PREP(VTD_CAP_SSLPS, 3) | \
     VTD_CAP_CM | VTD_CAP_FS1GP)
#define ECAP_OFFERED                                                                               \
    (VTD_ECAP_PT | VTD_ECAP_SMTS | VTD_ECAP_SSTS | VTD_ECAP_FSTS | VTD_ECAP_PASID | VTD_ECAP_RPS | \
     FIELD_PREP(VTD_ECAP_PSS, 19) | VTD_ECAP_SMPWC)

struct rig {
    struct host *h;
    uint32_t id;
    struct vtd_emul *e;
};

/* A domain with its memory and a unit that offers all of CAP_OFFERED and ECAP_OFFERED. */
struct rig *rig_create(const struct setup *setup);
void rig_destroy(struct rig *r);
/* cmocka's, with PASIDs */
int rig_set_up(void **state);
int rig_tear_down(void **state);

/* A device of the domain, behind the unit; its requester id is its sid. */
struct sluice_device *rig_device(struct rig *r, uint32_t sid);
struct context *rig_where(struct sluice_device *dev);
/* The frame that it reaches there, or NOWHERE. */
uint64_t rig_reaches(struct sluice_device *dev, uint64_t iova);
static inline uint64_t frame_of(uint64_t gpa)
{
    return GUEST_MFN + 2 * (gpa >> FRAME_LG2);
}

/* To the end; how often it was preempted. */
unsigned rig_invalidate(struct rig *r, const struct vtd_emul_inv *inv);
unsigned rig_all(struct rig *r);                   /* all of it */
unsigned rig_context(struct rig *r, uint32_t sid); /* of one device, new */
unsigned rig_domain(struct rig *r, uint16_t did);  /* the IOTLB */
unsigned rig_page(struct rig *r, uint16_t did, uint64_t iova, uint64_t nr);
unsigned rig_pasid(struct rig *r, uint16_t did, uint32_t pasid);

void guest_store(struct vtd_emul *e, uint64_t gpa, uint64_t value);
/* The root pointer, with translation on: legacy mode, or scalable. */
void guest_enable(struct vtd_emul *e, bool scalable);
/* Root and context entry of a requester, to a table of so many levels. */
void guest_context(struct vtd_emul *e, uint32_t sid, uint16_t did, uint64_t table, unsigned levels);
void guest_no_context(struct vtd_emul *e, uint32_t sid);
/* Scalable mode: all that leads to a PASID table entry; its words 0, 1, 2. */
void guest_pasid(struct vtd_emul *e, uint32_t sid, uint32_t pasid, uint64_t w0, uint64_t w1,
                 uint64_t w2);
/* A second-stage leaf of 4K (or of a larger level), by the tables in the pages from `table` on. */
void guest_map(struct vtd_emul *e, uint64_t table, unsigned levels, uint64_t iova, uint64_t gpa,
               unsigned rights);
void guest_map_large(struct vtd_emul *e, uint64_t table, unsigned levels, uint64_t iova,
                     uint64_t gpa, unsigned rights, unsigned level);
/* The same of a first stage of four levels, with the leaf's flags. */
void guest_map_first(struct vtd_emul *e, uint64_t table, uint64_t iova, uint64_t gpa,
                     uint64_t flags);
void guest_unmap(struct vtd_emul *e, uint64_t table, unsigned levels, uint64_t iova);

#endif
