/* SPDX-License-Identifier: BSD-2-Clause */
/* The software machine's hardware: units of iommu/hw/soft, RAM from the process, engines in C. */
#ifndef HOST_SOFT_SOFT_H
#define HOST_SOFT_SOFT_H

#include "../../iommu/hw/soft/soft.h"
#include "../machine/backend.h"

struct soft_state {
    uint64_t clock;
    unsigned nr_units;
    struct soft_unit *units;
};

struct soft_device {
    struct soft_unit *unit; /* NULL: none in between */
    char *disk;
    size_t disk_size;
};

/* A unit of a machine on this backend. */
struct soft_unit *soft_machine_unit(const struct machine *m, unsigned index);

/* device.c */
int soft_add_device(struct machine_device *dev, const struct machine_device_config *config);
void soft_remove_device(struct machine_device *dev);
int soft_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
             size_t size, bool write, enum hw_reason *reason);
int soft_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
              enum hw_reason *reason);

int soft_message(struct machine_device *dev, rid_t rid, const struct hw_message *message, bool dma,
                 struct hw_interrupt *out, enum hw_reason *reason);

/* caches.c */
void soft_prefetch(struct machine_device *dev, uint32_t pasid, dfn_t dfn);
void soft_cached(struct machine_device *dev,
                 void (*visit)(void *arg, const struct machine_cached *c), void *arg);
void soft_prefetch_interrupt(struct machine_device *dev, uint16_t index);
void soft_entries(struct machine *m,
                  void (*visit)(void *arg, uint16_t index, rid_t source, uint8_t vector),
                  void *arg);

#endif
