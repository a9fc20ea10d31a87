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
 * inner call.
 */
struct ghost_call {
    uint16_t caller;
    int subop;
    const void *in, *out;
    const void *inner_in, *inner_out;
    long status;
};
bool ghost_called(struct ghost *g, const struct ghost_call *call);

/* A DMA of a device: performed (0) or blocked (-EACCES) with a reason. */
bool ghost_dma(struct ghost *g, struct machine_device *dev, rid_t rid, uint64_t addr, uint64_t size,
               bool write, int status, enum hw_reason reason);

/* An interrupt message of a device, and what became of it. */
bool ghost_msi(struct ghost *g, struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
               int status, const struct machine_delivery *out);

/* The whole comparison. */
bool ghost_check(struct ghost *g);

/* A digest of the model's state: equal states have equal digests. For exhaustive runs. */
uint64_t ghost_digest(const struct ghost *g);

#endif
