/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real machine under the model, for its own tests: dom0 controls dom1; dom1 has 16 frames and
 * context 1 with gfns 2..5 at dfns 0x100..0x103, and the device `nic` is in it.
 */
#ifndef TEST_MODEL_FIXTURE_H
#define TEST_MODEL_FIXTURE_H

#include "state.h"

#define NIC 0x28u

struct fixture {
    struct machine *m;
    struct ghost *g;
    struct machine_domain *dom0, *dom1;
    struct machine_device *nic;
};

int set_up(void **state);
/* The same on units of one stage: nested contexts are shadows. */
int with_one_stage(void **state);
/* The same, and dom0 has the I/O server 1 for dom1 with two slots. */
int with_server(void **state);
int tear_down(void **state);

/* What the model was told is right; or wrong, and it has to see that. */
void accepts(const struct fixture *f, bool right);
void notices(bool right);

/* A hypercall by dom1 that the model is not told of; its argument is read back. */
long quietly(const struct fixture *f, int subop, void *arg, size_t size);
/* The model is told of a hypercall by dom1, whether it was made or not. */
bool tell(const struct fixture *f, int subop, const void *in, const void *out, long status);
/* A hypercall that the model is told of truly. */
void call(const struct fixture *f, int subop, void *arg, size_t size);

struct pv_iommu_map_pages a_map(void);      /* what set_up mapped */
struct pv_iommu_unmap_pages an_unmap(void); /* of the same */
struct pv_iommu_reattach_device a_reattach(uint16_t ctx_no);

#define RW (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable)

/* Elements of the frames ABI; foreign ones are about dom1. */
struct pv_iommu_op a_local_map(uint64_t bfn, uint64_t gfn, unsigned flags);
struct pv_iommu_op a_foreign_map(uint64_t bfn, uint64_t gfn, unsigned flags, ioservid_t server);
struct pv_iommu_op a_foreign_unmap(uint64_t bfn, ioservid_t server);
struct pv_iommu_op a_local_unmap(uint64_t bfn);
/* The model is told that dom0 made it, and that it ended like that. */
bool told(const struct fixture *f, struct pv_iommu_op op, int status);
/* A domain makes it, and the model is not told. */
int frames_quietly(const struct fixture *f, struct machine_domain *d, struct pv_iommu_op *op);

#endif
