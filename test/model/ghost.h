/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ghost model: an obviously right description of what must be true, beside a machine. It is
 * told of every event and its outcome, says whether that outcome could be right, and compares the
 * whole state of the machine with its own: contexts, mappings (by walking the real tables),
 * attachments, frames and their references, and what the unit's caches could still let through.
 *
 * It shares no code with the library: its own data are plain arrays and maps of single pages.
 * Every function returns true, or false with ghost_error() in words.
 */
#ifndef TEST_MODEL_GHOST_H
#define TEST_MODEL_GHOST_H

#include "../../host/machine/machine.h"
#include "../../iommu/abi/frames.h"
#include "../../iommu/abi/ioreq.h"

struct ghost;

struct ghost *ghost_create(struct machine *m, const struct machine_config *config);
void ghost_destroy(struct ghost *g);
const char *ghost_error(const struct ghost *g);

/*
 * From now on a failure may be injected: any event may end in -ENOMEM or -EIO, having done exactly
 * the part that it reports.
 */
void ghost_allow_failure(struct ghost *g);

/* After an event; `status` is its outcome (0, -errno). Events that failed are told too. */
bool ghost_domain_added(struct ghost *g, const struct machine_domain_config *config, int status);
bool ghost_domain_destroyed(struct ghost *g, uint16_t domid, int status);
bool ghost_device_added(struct ghost *g, const struct machine_device_config *config,
                        struct machine_device *dev, int status);
bool ghost_assigned(struct ghost *g, struct machine_device *dev, uint16_t domid, int status);
bool ghost_unassigned(struct ghost *g, struct machine_device *dev, int status);
bool ghost_populated(struct ghost *g, uint16_t domid, uint64_t gfn, uint64_t nr, int status);
bool ghost_ballooned(struct ghost *g, uint16_t domid, uint64_t gfn, uint64_t nr, int status);

/*
 * A hypercall by `caller`. in/out: the argument before and after, of the sub-op's struct (NULL
 * where it has none or could not be read). For IOMMU_remote_cmd inner_in/inner_out are those of the
 * inner call. gfns: of a map_list, as many elements of its array as can be read. The
 * elements of a batch are told one by one, as calls.
 */
struct ghost_call {
    uint16_t caller;
    int subop;
    const void *in, *out;
    const void *inner_in, *inner_out;
    long status;
    const uint64_t *gfns;
    uint64_t nr_gfns;
    bool element; /* of a batch */
};
bool ghost_called(struct ghost *g, const struct ghost_call *call);

/*
 * A call of the frames ABI by `caller`: its elements before and after, and what the call returned.
 * NULL where the array cannot be read, then -EFAULT is right. With -EFAULT and arrays, `count` is
 * the number of the elements that were done.
 */
bool ghost_frames(struct ghost *g, uint16_t caller, const struct pv_iommu_op *before,
                  const struct pv_iommu_op *after, unsigned count, long result);

/* The host made an I/O server with that many slots, or destroyed one. */
bool ghost_ioreq_server(struct ghost *g, uint16_t emulator, uint16_t target, uint16_t id,
                        uint32_t nr_slots, int status);
bool ghost_ioreq_server_destroyed(struct ghost *g, uint16_t target, uint16_t id);
/* The emulator wrote nonsense into the server's ring: what it will find there nobody can say. */
void ghost_ioreq_spoiled(struct ghost *g, uint16_t emulator, uint16_t id);
/*
 * The emulator asked for its next request, in the ring or synchronous: 0 with type and bfn, or
 * -ENODATA.
 */
bool ghost_ioreq(struct ghost *g, uint16_t emulator, uint16_t target, uint16_t id, int status,
                 uint8_t type, uint64_t bfn);

/*
 * The domain's guest has got an emulated VT-d unit, and its devices are behind that. What its
 * tables say is no business of the model's.
 */
void ghost_viommu(struct ghost *g, uint16_t domid);

/* A DMA of a device, with a PASID or (0) without: performed (0) or blocked (-EACCES), and why. */
bool ghost_dma(struct ghost *g, struct machine_device *dev, rid_t rid, uint32_t pasid,
               uint64_t addr, uint64_t size, bool write, int status, enum hw_reason reason);

/* An interrupt message of a device, and what became of it. */
bool ghost_msi(struct ghost *g, struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
               int status, const struct machine_delivery *out);

/* The whole comparison. */
bool ghost_check(struct ghost *g);

/* A digest of the model's state: equal states have equal digests. For exhaustive runs. */
uint64_t ghost_digest(const struct ghost *g);

#endif
