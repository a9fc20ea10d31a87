/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine whose hardware is a domain of another, the outer one: RAM is that domain's memory, the
 * unit is the VT-d that its guest sees, driven by iommu/hw/vtd, and devices are the outer machine's
 * own. So the library's driver runs against the library's emulator, and that, by what it shadows,
 * against the outer machine's unit.
 */
#ifndef HOST_NESTED_NESTED_H
#define HOST_NESTED_NESTED_H

#include "../machine/backend.h"
#include "../vtd/hardware.h"

struct nested_state {
    struct machine *outer;
    struct machine_domain *guest;
    mfn_t first; /* the outer machine's frame that is frame 0 here */
    struct vtd_hardware unit;
    uint64_t clock;
};

/* outer.c: the outer machine with its domain and its devices. */
int nested_open_outer(struct machine *m);
void nested_close_outer(struct nested_state *state);
/* The outer machine's device in that slot; NULL: it has none. */
struct machine_device *nested_outer_device(const struct nested_state *state, rid_t rid);

/* devices.c */
int nested_add_device(struct machine_device *dev, const struct machine_device_config *config);
void nested_remove_device(struct machine_device *dev);
rid_t nested_appears(struct machine_device *dev, rid_t rid);
int nested_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
               size_t size, bool write, enum hw_reason *reason);
int nested_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
                enum hw_reason *reason);
int nested_message(struct machine_device *dev, rid_t rid, const struct hw_message *message,
                   bool dma, struct hw_interrupt *out, enum hw_reason *reason);
bool nested_region(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out);
/* What the outer machine's unit remembers, where one can look inside. */
void nested_prefetch(struct machine_device *dev, uint32_t pasid, dfn_t dfn);
void nested_prefetch_interrupt(struct machine_device *dev, uint16_t index);
void nested_cached(struct machine_device *dev,
                   void (*visit)(void *arg, const struct machine_cached *c), void *arg);

#endif
