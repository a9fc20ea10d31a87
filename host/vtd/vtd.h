/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine whose hardware is QEMU's (host/qemu), behind VT-d units that the library's own driver
 * (iommu/hw/vtd) runs: how the two become a backend.
 */
#ifndef HOST_VTD_VTD_H
#define HOST_VTD_VTD_H

#include "../../iommu/hw/vtd/topology.h"
#include "../machine/backend.h"
#include "../qemu/edu.h"
#include "../qemu/nvme.h"
#include "../qemu/qemu.h"
#include "hardware.h"

/*
 * What stands in a slot. An NVMe controller has its queues in pages of its own, its mailbox, which
 * every context that it is in maps 1:1.
 */
struct vtd_slot {
    enum machine_device_kind kind;
    rid_t requester; /* what its requests come with: bridges may change it */
    struct edu edu;
    struct nvme nvme;
    bool started; /* the controller is */
    mfn_t mailbox;
};

struct vtd_state {
    struct qemu *q;
    struct pci pci;
    struct vtd_topology topology;
    struct vtd_hardware units[VTD_TOPOLOGY_UNITS]; /* by the topology's index */
    unsigned nr_units;
    struct vtd_slot slots[QEMU_DEVICES_MAX]; /* in the configuration's order */
};

/* start.c: QEMU with the configuration's devices. */
int vtd_start_qemu(struct machine *m);

/* units.c: the units that QEMU's tables describe. */
int vtd_start_units(struct machine *m);
/* What all requester ids of a device are behind; *out is NULL where that is no unit. */
int vtd_unit_for(struct machine *m, const rid_t *rids, unsigned nr, struct hw_unit **out);
/* The index-th region that firmware has the device use. */
bool vtd_reserved(const struct vtd_state *state, rid_t rid, unsigned index,
                  struct sluice_region *out);
/* What requests of a device that is there come with. Refuses aliases that it does not have. */
int vtd_requester(struct machine *m, const struct machine_slot *slot, rid_t *out);
/* As machine_device_appears: its own id stands for what hardware makes of it. */
rid_t vtd_appears(struct machine_device *dev, rid_t rid);
/* 0, or -EINVAL in words: the device never appears as that one. */
int vtd_check_requester(struct machine_device *dev, rid_t rid);

/* disk.c */
bool vtd_mailbox(struct machine *m, rid_t rid, struct sluice_region *out);
int vtd_disk_start(struct machine_device *dev); /* -ETIMEDOUT: it does not reach its queues */
int vtd_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
             enum hw_reason *reason);

/* message.c */
/* Did interrupts arrive since the last look? The first of them, if so. */
bool vtd_messages_came(struct vtd_state *state, struct qemu_interrupt *first);
int vtd_message(struct machine_device *dev, rid_t rid, const struct hw_message *m, bool dma,
                struct hw_interrupt *out, enum hw_reason *reason);

/* dma.c */
/* Where the device's context says that the address goes; NULL: nowhere that is RAM. */
void *vtd_where(struct machine_device *dev, uint64_t addr);
int vtd_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
            size_t size, bool write, enum hw_reason *reason);

#endif
