/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam between core and hardware: one small table of mandatory operations per kind of unit.
 * Core decides what must be so; a unit makes hardware obey, and never says that it did when it did
 * not.
 *
 * Core calls these under the unit's lock (struct hw_unit.lock), except drain_faults and quiesce,
 * which may come at any time. There is a second table for interrupts, where the unit remaps them.
 */
#ifndef SLUICE_HW_HW_H
#define SLUICE_HW_HW_H

#include "../pgtable/pgtable.h"

struct hw_unit;

/*
 * A first stage: a guest's own table. Its root, and the tables and frames that its entries name,
 * are addresses that the second stage translates.
 */
struct hw_first_stage {
    uint64_t root;          /* address of its root table, page aligned */
    struct pt_geometry geo; /* format, levels and width of its walk */
};

/* An address space as hardware sees it: a table, or one that a guest's own is nested on. */
struct hw_space {
    mfn_t root;
    uint8_t levels;
    uint16_t did; /* the tag of its cached translations; a nested space has its own */
    struct hw_first_stage first; /* geo.format NULL: none. Else the unit has two stages */
};

enum hw_inv_kind {
    HW_INV_DEVICE, /* what is cached of the entries of `rid` and all its PASIDs (and its own TLB) */
    HW_INV_PASID,  /* what is cached of the entry of `pasid`, not 0, of `rid` */
    HW_INV_SPACE,  /* every translation and table pointer cached for `did`, of both stages */
    HW_INV_RANGE,  /* the same for [first, last] only; leaf_only: table pointers stay valid. Of a
                      nested space: addresses of its first stage */
    HW_INV_ALL,
};

struct hw_inv {
    enum hw_inv_kind kind;
    rid_t rid;
    uint32_t pasid;
    uint16_t did;
    dfn_t first, last;
    bool leaf_only;
};

enum hw_reason {
    HW_REASON_NONE,
    HW_REASON_BLOCKED,     /* the device is attached to nothing */
    HW_REASON_WIDTH,       /* the address is beyond the context's width */
    HW_REASON_NOT_PRESENT, /* no leaf, or no table, for the address */
    HW_REASON_NO_READ,
    HW_REASON_NO_WRITE,
    HW_REASON_RESERVED, /* a table entry has reserved bits set */
    HW_REASON_MSI,      /* an access to the interrupt window that is no message, or a message that
                           no entry of the remapping table lets its sender send */
    HW_REASON_UNIT,     /* the unit is failed and blocks everything */
    HW_NR_REASONS
};

struct hw_fault {
    rid_t rid;
    uint32_t pasid;
    uint64_t addr; /* byte address as the device gave it */
    bool write;
    uint8_t level; /* where the walk ended, for HW_REASON_NOT_PRESENT and _RESERVED */
    enum hw_reason reason;
};

/*
 * Can a device raise interrupts that were not set up for it? By what hardware does now, not by what
 * it could do. Up to HW_ISOLATION_COMPATIBLE it can.
 */
enum hw_isolation {
    HW_ISOLATION_NO_UNIT,         /* nothing is between it and the processors */
    HW_ISOLATION_FAILED,          /* its unit was given up: nothing may be assumed of it */
    HW_ISOLATION_NOT_REMAPPING,   /* the unit passes messages on as they are */
    HW_ISOLATION_NOT_TRANSLATING, /* it remaps, but the DMA of any device reaches its table */
    HW_ISOLATION_COMPATIBLE,      /* it remaps, but passes messages in the old format on */
    HW_ISOLATION_REMAPPED,        /* by a table whose entries compare the sender's requester id */
    HW_ISOLATION_DEVICE_ID,       /* by the device's own table, found by the id of its bus (ITS) */
    HW_NR_ISOLATIONS
};

static inline bool hw_isolates(enum hw_isolation isolation)
{
    return isolation == HW_ISOLATION_REMAPPED || isolation == HW_ISOLATION_DEVICE_ID;
}

struct hw_ops {
    const char *name;

    /*
     * Make sure that point() cannot fail for this requester, with this PASID (0: without one).
     * Shows nothing to hardware. 0, -ENOMEM; -EINVAL: beyond max_pasid.
     */
    int (*prepare)(struct hw_unit *unit, rid_t rid, uint32_t pasid);

    /*
     * Let the requester's accesses with that PASID (0: without one) translate through `space`, or
     * block them (NULL). Cannot fail. Hardware sees the old entry, a blocking one, or the new one,
     * never a mix; it may go on using the old until the invalidation of HW_INV_DEVICE, or with a
     * PASID of HW_INV_PASID, is complete.
     */
    void (*point)(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space);

    /*
     * Submit all n invalidations at once and wait until they are complete: one submission. What
     * comes after HW_INV_DEVICE or HW_INV_PASID takes effect after it (a fence): else a device
     * could refill from what its old entry says. 0, or -ETIMEDOUT / -EIO when completion was not
     * seen: then nothing may be assumed to be flushed.
     */
    int (*flush)(struct hw_unit *unit, const struct hw_inv *inv, unsigned n);

    /* What the unit does to messages of the devices behind it, now; not FAILED, not NO_UNIT. */
    enum hw_isolation (*isolation)(struct hw_unit *unit);

    /* Takes at most max records out, oldest first. *lost grows by those that hardware dropped. */
    unsigned (*drain_faults)(struct hw_unit *unit, struct hw_fault *out, unsigned max,
                             uint64_t *lost);

    /* The unit is given up: block all DMA and all remapped interrupts, as well as it still can. */
    void (*quiesce)(struct hw_unit *unit);
};

/* As x86 numbers them. */
enum hw_delivery {
    HW_DELIVER_FIXED = 0,
    HW_DELIVER_LOWEST = 1, /* to one of the destinations */
    HW_DELIVER_SMI = 2,
    HW_DELIVER_NMI = 4,
    HW_DELIVER_INIT = 5,
    HW_DELIVER_EXTINT = 7,
};

/* Where an interrupt goes. */
struct hw_interrupt {
    uint32_t destination;
    uint8_t vector;
    enum hw_delivery delivery;
    bool logical; /* the destination is a set of processors */
    bool level;
};

/* What a device writes to raise an interrupt: what is programmed into MSI, or an MSI-X entry. */
struct hw_message {
    uint64_t address;
    uint32_t data;
};

/* The interrupt remapping table: an entry is one requester's, and it can raise that and no more. */
struct hw_interrupt_ops {
    /* 1 << lg2 neighbouring entries, none present. 0, -ENOSPC, -EINVAL, -EIO. */
    int (*alloc)(struct hw_unit *unit, unsigned lg2, uint16_t *first);

    /*
     * When it returns 0, messages of `source` with that index go where `what` says, and nothing
     * goes where the entry said before. Where only `what` changes, no interrupt is lost meanwhile.
     * -EINVAL: not allocated, or nothing that the unit can do; unchanged. -EIO, -ETIMEDOUT:
     * completion was not seen, nothing may be assumed to be flushed.
     */
    int (*set)(struct hw_unit *unit, uint16_t index, rid_t source, const struct hw_interrupt *what);

    /*
     * When it returns 0, the entries deliver nothing any more, whatever was cached, and may be
     * given out again. -EIO, -ETIMEDOUT: they stay taken for ever.
     */
    int (*free)(struct hw_unit *unit, uint16_t first, unsigned lg2);

    /* `several`: the device adds the number of its message to the data, which counts from index. */
    struct hw_message (*message)(struct hw_unit *unit, uint16_t index, bool several);
};

struct hw_unit {
    const struct hw_ops *ops;
    const struct hw_interrupt_ops *interrupts; /* NULL: interrupts are not remapped */
    const struct sluice_port *port;
    struct pt_geometry geo; /* the most that this unit's walker can do */
    uint32_t nr_dids;       /* tags 0..nr_dids-1 */
    bool translates;        /* false: absent, devices behind it are not protected */
    bool caching_mode;      /* caches not-present entries: mapping needs a flush too */
    bool snoop;             /* honours PT_SNOOP */
    bool nests;             /* has two stages: hw_space.first */
    uint32_t max_pasid;     /* the highest; 0: it has none */
    bool scalable;          /* VT-d: in scalable mode */
    _Atomic bool queued;    /* invalidates by a queue in memory, not by registers */

    /* core's */
    struct sluice_lock lock;
    uint8_t index;
    _Atomic bool failed;
    _Atomic uint64_t nr_submissions, nr_invalidations;
    _Atomic uint64_t nr_faults, nr_faults_lost; /* records taken; those that hardware dropped */
};

#endif
