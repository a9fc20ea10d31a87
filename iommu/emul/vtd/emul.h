/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the emulated VT-d. Layouts and rules are those of spec/vtd.h: the driver in
 * hw/vtd and this unit share them.
 *
 *   door.c        viommu.h: creates, destroys, locks, and passes on
 *   registers.c   the register file: every offset and size
 *   queue.c       the invalidation queue: fetch, decode, wait, errors
 *   invalidate.c  what the guest invalidates, by descriptor or register, as one struct
 *   fault.c       fault records, status, the event
 *   interrupt.c   interrupt remapping, and its entry cache
 *   state.c       save and restore
 *
 *   tables.c      root, context and PASID entries of the guest: where a request translates
 *   device.c      devices behind the unit, and where each of them is now
 *   space.c       contexts that mirror guests' tables, and follow their invalidations
 *   translate.c   requests of emulated devices, by an IOTLB of their own
 *
 * The first group knows nothing of core but memory_read() and memory_write(); the second ends in
 * core's verbs. All of it runs with the unit's lock held, which comes before all of core's locks,
 * except vtd_emul_note_fault().
 */
#ifndef SLUICE_EMUL_VTD_EMUL_H
#define SLUICE_EMUL_VTD_EMUL_H

#include "../../core/nested.h"
#include "../../core/pasid.h"
#include "../../spec/vtd.h"
#include "../../viommu.h"

/* What the guest wants to be forgotten. */
enum vtd_emul_inv_kind {
    VTD_EMUL_INV_CONTEXTS, /* context cache: VTD_G_GLOBAL, _DOMAIN (did), _DEVICE (did, sid, fm) */
    VTD_EMUL_INV_PASIDS,   /* PASID cache: VTD_G_PASID_GLOBAL, _DOMAIN (did), _ONE (did, pasid) */
    VTD_EMUL_INV_IOTLB,    /* VTD_G_GLOBAL, _DOMAIN (did), _PAGE (did, first..last, leaf_only) */
    VTD_EMUL_INV_FIRST,    /* first-stage IOTLB of (did, pasid): all, or first..last if `paged` */
    VTD_EMUL_INV_ROOT,     /* the root pointer, the mode or TE changed: everything */
};

struct vtd_emul_inv {
    enum vtd_emul_inv_kind kind;
    unsigned granularity;
    uint16_t did, sid;
    uint8_t fm;
    uint32_t pasid;
    bool paged, leaf_only;
    dfn_t first, last;
    /* How far it came; zero at the start. */
    struct {
        unsigned step, index;
        struct nested_flush flush;
    } at;
};

struct vtd_emul;

/* registers.c, queue.c, fault.c, interrupt.c: what the guest has programmed. */
struct vtd_emul_front {
    uint32_t gsts; /* VTD_GCMD_TE and so on, as they are in effect */
    uint64_t root; /* RTADDR as SRTP last latched it */
};

/* tables.c, device.c, space.c, translate.c: what it has become. */
struct vtd_emul_back {
    unsigned nr_devices;
};

/* ---- tables.c, device.c, space.c: what is in effect
 * ----------------------------------------------
 */

/*
 * Carries an invalidation out, also for emulated devices: when it returns 0, no device behind the
 * unit uses what the guest wants to be forgotten, and what its tables say now is in effect.
 * -ERESTART: again, with the same struct. It never fails otherwise: what cannot be mapped faults,
 * a failed unit blocks, and the host was told.
 */
int vtd_emul_invalidate(struct vtd_emul *e, struct vtd_emul_inv *inv);

/* Where requests of a device translate, by the guest's tables as they are in memory now. */
enum vtd_emul_target_kind {
    VTD_EMUL_BLOCKED, /* reason */
    VTD_EMUL_THROUGH, /* guest addresses */
    VTD_EMUL_SECOND,  /* table: a second stage */
    VTD_EMUL_FIRST,   /* table: a first stage */
};
struct vtd_emul_target {
    enum vtd_emul_target_kind kind;
    uint8_t reason; /* VTD_REASON_* */
    bool silent;    /* FPD: its faults are not recorded */
    uint16_t did;
    struct hw_first_stage table;
};
/* pasid: 0 without PASID (has_pasid false): then of scalable mode's RID_PASID. */
void vtd_emul_find(struct vtd_emul *e, uint32_t sid, bool has_pasid, uint32_t pasid,
                   struct vtd_emul_target *out);

/* ---- fault.c -----------------------------------------------------------------------------------
 */

struct vtd_emul_fault {
    uint16_t sid;
    bool has_pasid;
    uint32_t pasid;
    uint64_t info; /* the page address, or the interrupt index as in VTD_FRCD_IIDX */
    uint8_t reason;
    bool write;
};
/* One more record, or an overflow; and the event, if it is not masked. */
void vtd_emul_record(struct vtd_emul *e, const struct vtd_emul_fault *fault);

/* ---- The unit ----------------------------------------------------------------------------------
 */

struct vtd_emul {
    struct viommu viommu; /* core's view */
    struct domain *d;
    const struct sluice_port *port;
    struct sluice_lock lock;
    uint64_t base, capabilities;
    unsigned iova_bits;
    uint64_t cap, ecap; /* what the guest reads */
    struct vtd_emul_front front;
    struct vtd_emul_back back;
};

#endif
