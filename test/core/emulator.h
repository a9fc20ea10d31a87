/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * On the small host: domain 1 is an emulator, 2 is a guest, 3 another emulator. Verbs of the frames
 * ABI, and what an emulator does with its ring.
 */
#ifndef TEST_CORE_EMULATOR_H
#define TEST_CORE_EMULATOR_H

#include "fixture.h"

#include "../../iommu/abi/frames.h"
#include "../../iommu/abi/ioreq.h"
#include "../../iommu/core/foreign.h"
#include "../../iommu/core/ioreq.h"

#define GUEST       2u
#define OTHER       3u
#define SERVER      5u
#define GUEST_FRAME 0x4000u /* the guest's gfn g is frame GUEST_FRAME + g */
#define GUEST_GFNS  0x800u

#define READ_WRITE (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable)
#define SWAPPABLE  (READ_WRITE | IOMMU_MAP_OP_swap_mfn)

/* cmocka's: the guest has memory, the emulator a device (rid 8) and a server with a ring of 8. */
int set_up_emulator(void **state);
int tear_down_emulator(void **state);

/* The same, as the test wants its host; and a domain 1 with a window. */
struct host *emulator_host(const struct setup *setup);
struct host *window_host(const struct setup *setup, enum sluice_space space, uint64_t window);
void emulator_host_destroy(struct host *h);

struct domain *domain_number(struct host *h, uint16_t domid);
struct sluice_domain *guest_of(struct host *h);

/* One array: the status of the call. One element: its status. */
long frames_call(struct host *h, uint16_t domid, struct pv_iommu_op *ops, unsigned nr);
long frames_call_at(struct host *h, uint16_t domid, uint64_t at, uint32_t nr);
int frames_op(struct host *h, uint16_t domid, struct pv_iommu_op *op);
struct pv_iommu_op map_op(unsigned flags, uint64_t bfn, uint64_t gfn, uint16_t server);
struct pv_iommu_op unmap_op(unsigned flags, uint64_t bfn, uint16_t server);
int map_foreign(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn, uint64_t gfn,
                uint16_t server);
int unmap_foreign(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn, uint16_t server);
int lookup_foreign(struct host *h, uint16_t domid, uint64_t gfn, uint16_t server, uint64_t *bfn);
int map_page(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn, uint64_t gfn);
int unmap_page(struct host *h, uint16_t domid, unsigned flags, uint64_t bfn);

/* Until it does not say -ERESTART any more; it may do so a bounded number of times. */
int give_up(struct host *h, uint16_t domid, uint64_t gfn, uint64_t nr);

/* Where the emulator's bus frame leads. */
uint64_t bus(struct host *h, uint64_t bfn);
unsigned nr_tuples_of(struct host *h, uint64_t mfn);

/* The rings: of servers by number, whose cookie is that number. */
#define NR_RINGS 4u
struct buffered_iopage *ring(unsigned number);
struct sluice_ioreq_server *server(unsigned number);
unsigned kicks(unsigned number);
int add_server(struct host *h, unsigned number, uint16_t emulator, uint16_t target, uint16_t id,
               uint32_t nr_slots);
/* What is in the ring, at most max; taken out. */
unsigned drain(unsigned number, uint64_t *bfn, unsigned max);
/* The synchronous request, or NOWHERE. */
uint64_t take(unsigned number);

#endif
