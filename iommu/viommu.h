/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A vIOMMU: an emulated IOMMU for a guest with an unmodified driver. What the guest programs into
 * it becomes contexts of its domain, and moves its devices between them. The embedder passes
 * accesses to its registers on, and asks it about accesses and interrupts of devices that it
 * emulates itself.
 *
 * Threads: as in sluice.h; create, destroy, save and restore are structural.
 *
 * Of all: -ENODEV: the domain has no such unit.
 */
#ifndef SLUICE_VIOMMU_H
#define SLUICE_VIOMMU_H

#include "sluice.h"

enum sluice_viommu_type { SLUICE_VIOMMU_VTD = 1 };

/* What a unit offers to its guest. */
#define SLUICE_VIOMMU_SECOND_STAGE \
    BIT64(0)                               /* tables of bus addresses, by shadowing; always there */
#define SLUICE_VIOMMU_REMAPPING   BIT64(1) /* of interrupts */
#define SLUICE_VIOMMU_X2APIC      BIT64(2) /* with 32-bit destinations; with REMAPPING only */
#define SLUICE_VIOMMU_SCALABLE    BIT64(3) /* scalable mode: PASID tables */
#define SLUICE_VIOMMU_FIRST_STAGE BIT64(4) /* with SCALABLE, and where the units nest */
#define SLUICE_VIOMMU_PASID       BIT64(5) /* with SCALABLE, and where the units have PASIDs */

/* Those that a unit of that type can offer on these units. -EINVAL: unknown type. */
int sluice_viommu_query_caps(struct sluice *s, enum sluice_viommu_type type,
                             uint64_t *capabilities);

#define SLUICE_VIOMMU_SIZE FRAME_SIZE /* of its registers */

struct sluice_viommu_config {
    enum sluice_viommu_type type;
    uint64_t base; /* guest address of its registers: a page that is no memory */
    uint64_t capabilities;
    unsigned iova_bits; /* how wide its second-stage tables are: 39 or 48; 0: 48, or what fits */
};

/*
 * 0 and *id. The domain's devices stay where they are until they are added. -E2BIG: it has one
 * already; -EINVAL: unknown type, `base` not aligned or in memory, capabilities that
 * sluice_viommu_query_caps does not name or that need others; -ENOMEM; -ENOSPC: no context left.
 */
int sluice_viommu_create(struct sluice_domain *d, const struct sluice_viommu_config *config,
                         uint32_t *id);
/* Its devices go to context 0. -ERESTART: again. The end of the domain destroys it too. */
int sluice_viommu_destroy(struct sluice_domain *d, uint32_t id);

/*
 * A device that the guest sees behind the unit, with requester id `sid` (bus << 8 | devfn): one
 * that the domain has, or NULL for one that the embedder emulates. From now on the unit decides
 * where its DMA goes, and no hypercall moves it (-EBUSY); PASIDs that calls attached are gone.
 * -EEXIST: the sid is taken, or the device is there (removed neither when it left the domain);
 * -EPERM: the device is not the domain's; -EBUSY: it is not alone in its group; -EINVAL: sid;
 * nothing protects it; -ENOMEM. -EIO.
 */
int sluice_viommu_add_device(struct sluice_domain *d, uint32_t id, uint32_t sid,
                             struct sluice_device *dev);
/* It goes to context 0, if it is the domain's still. -ENOENT; -EIO. */
int sluice_viommu_remove_device(struct sluice_domain *d, uint32_t id, uint32_t sid);

/*
 * The guest accesses a register: any offset and size is defined, as by hardware. Reads of what is
 * no register are 0 and writes are lost.
 *
 * -ERESTART: the write was taken, and what it started is preempted: sluice_viommu_run() until that
 * returns 0, before the guest goes on (it may be run on another processor; other accesses of the
 * guest meanwhile are fine, and see it going on).
 */
int sluice_viommu_read(struct sluice_domain *d, uint32_t id, uint64_t offset, unsigned size,
                       uint64_t *value);
int sluice_viommu_write(struct sluice_domain *d, uint32_t id, uint64_t offset, unsigned size,
                        uint64_t value);
int sluice_viommu_run(struct sluice_domain *d, uint32_t id);

/*
 * Faults of its devices that were collected (sluice_faults_collect) become the guest's fault
 * records, and raise its event. Reading a register does it too. 0.
 */
int sluice_viommu_poll(struct sluice_domain *d, uint32_t id);

/* An access of an emulated device. */
struct sluice_viommu_request {
    uint32_t sid;
    bool has_pasid;
    uint32_t pasid;
    uint64_t iova;
    unsigned access; /* PT_READ | PT_WRITE: what it needs; 0: it only wants to know */
    bool quiet;      /* no fault is recorded: a translation request, or one that only asks */
};
struct sluice_viommu_translation {
    uint64_t gpa;    /* where iova & ~mask goes is gpa & ~mask */
    uint64_t mask;   /* the block that translates alike, less one */
    unsigned rights; /* PT_READ | PT_WRITE */
};
/* 0; -ENOENT: no such device; -EACCES: blocked, with a fault recorded unless `quiet`. */
int sluice_viommu_translate(struct sluice_domain *d, uint32_t id,
                            const struct sluice_viommu_request *request,
                            struct sluice_viommu_translation *out);

/*
 * A device behind the unit, emulated or not, sends the message that the guest has programmed into
 * it: 0 and what arrives at the guest's processors. -ENOENT: no such device; -EACCES: blocked, with
 * a fault recorded; -EINVAL: not to the interrupt window, so it is no message.
 */
int sluice_viommu_interrupt(struct sluice_domain *d, uint32_t id, uint32_t sid,
                            const struct hw_message *message, struct hw_interrupt *out);

/*
 * The unit's state for migration: what the guest can see and what hangs off it, versioned; *size is
 * what there is room for, then what it took. The guest is stopped. -ENOSPC: *size is what it takes.
 */
int sluice_viommu_save(struct sluice_domain *d, uint32_t id, void *to, size_t *size);
/*
 * Into a unit that was just created with the same capabilities, with its devices added, and the
 * guest's memory in place: everything that the tables say is in effect when it returns 0. -EINVAL:
 * nothing that sluice_viommu_save wrote (of this version, for such a unit), nothing has changed;
 * -ENOMEM, -EIO; -ERESTART: sluice_viommu_run().
 */
int sluice_viommu_restore(struct sluice_domain *d, uint32_t id, const void *from, size_t size);

struct sluice_viommu_info {
    enum sluice_viommu_type type;
    uint64_t base, capabilities;
    bool translating, remapping, scalable, queued;
    unsigned nr_devices, nr_spaces; /* behind it; contexts that mirror guest's tables */
    /* Since it was created. */
    uint64_t reads, writes, invalidations, faults, faults_lost,
        synced; /* synced: pages looked at */
};
int sluice_viommu_info(struct sluice_domain *d, uint32_t id, struct sluice_viommu_info *out);

#endif
