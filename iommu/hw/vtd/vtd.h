/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of an Intel VT-d unit: legacy mode, and scalable mode with second-stage tables.
 *
 *   unit.c       probe, take over from firmware, enable, disable, give up
 *   attach.c     root and context tables; pasid.c: PASID tables
 *   invalidate.c what to invalidate, in the right strength and order
 *   queue.c      the invalidation queue; registers.c the way without one
 *   fault.c      fault records
 *   interrupt.c  interrupt remapping
 *
 * Devices never get a device TLB: nothing here enables ATS, and context entries block translation
 * requests, so there is none to invalidate.
 */
#ifndef SLUICE_HW_VTD_VTD_H
#define SLUICE_HW_VTD_VTD_H

#include "../../spec/vtd.h"
#include "../hw.h"

struct vtd_config {
    const struct sluice_port *port;
    uint64_t base; /* machine address of its registers */
    uint16_t segment;
    bool scalable;       /* scalable mode, if the unit has it */
    uint8_t max_levels;  /* of a walk: 3, 4, 5. 0: 4, or else 3, or else 5 */
    uint64_t leaf_sizes; /* the only ones to use, as bits; 4K always is. 0: all that it has */
    uint8_t queue_order; /* log2 of the pages of the queue; without `queue` it must be 0 */
    mfn_t queue;         /* that many contiguous pages, the host's; 0: one of alloc_page */
    uint64_t timeout_ns; /* of any wait; 0: one second */
};

/* The interrupt remapping table, and which of its entries are given out. */
struct vtd_ir {
    mfn_t table;
    bool enabled, own, x2apic;
    uint8_t lg2; /* 1 << lg2 entries */
    uint64_t *used;
};

struct vtd_bus;

struct vtd_unit {
    struct hw_unit hw;
    struct vtd_config config;
    uint64_t cap, ecap;
    bool scalable;
    bool noncoherent; /* of root, context, PASID and interrupt tables; geo has that of the others */
    _Atomic bool dead; /* given up: blocks everything, refuses everything */

    /*
     * Below a unit's lock in the lock order: what follows, the registers, and the links in the
     * root table. vtd_quiesce and vtd_ir_enable come without the unit's lock.
     */
    struct sluice_lock lock;
    uint32_t gcmd; /* the persistent bits as we last wrote them */
    mfn_t root;
    struct vtd_bus *bus[256];

    bool queued; /* invalidation by queue; else by registers */
    mfn_t queue, status;
    unsigned ring;      /* descriptors that the queue has room for, a power of two */
    unsigned tail, put; /* what hardware knows of; what is written */
    uint32_t token;

    struct sluice_lock fault_lock;
    unsigned fault_next; /* the record that is next, if nothing was lost */

    struct vtd_ir ir;
};

/*
 * Takes the unit over from whoever had it, and turns translation on with every device blocked.
 * 0; -EINVAL: bad configuration; -ENODEV: no unit answers there; -EOPNOTSUPP: none of the wanted
 * features; -ENOMEM; -ETIMEDOUT, -EIO: it does not do as it is told.
 */
int vtd_init(struct vtd_unit *u, const struct vtd_config *config);

/*
 * Turns it off and frees its tables; devices' DMA then goes through unhindered. If it does not turn
 * off, it keeps its tables for ever (SLUICE_EVENT_ERROR says so).
 */
void vtd_fini(struct vtd_unit *u);

struct vtd_ir_config {
    uint8_t lg2; /* 1 << lg2 entries, 1..16; without `table` at most 8 */
    mfn_t table; /* contiguous zeroed pages for them, the host's; 0: one of alloc_page */
    bool x2apic; /* destinations of 32 bits; -EOPNOTSUPP where the unit cannot */
};

/*
 * Switches interrupt remapping on, before core gets the unit: from now on hw.interrupts is there,
 * and requests in compatibility format are blocked. 0; -EINVAL, -EOPNOTSUPP, -EBUSY (is enabled),
 * -ENOMEM, -ETIMEDOUT, -EIO.
 */
int vtd_ir_enable(struct vtd_unit *u, const struct vtd_ir_config *config);

#endif
