/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between the files of the emulated VT-d. Layouts and rules are those of spec/vtd.h: the driver in
 * hw/vtd and this unit share them.
 *
 *   unit.c        creates and destroys
 *   door.c        viommu.h: locks, and passes on
 *   capabilities.c  what is offered
 *   registers.c   the register file: every offset and size
 *   command.c     global commands
 *   work.c        what registers ask for, one thing after the other
 *   queue.c       the invalidation queue: fetch, decode, wait, errors
 *   invalidate.c  what the guest invalidates, by descriptor or register, as one struct
 *   fault.c       fault records, status, the event
 *   interrupt.c   interrupt remapping, and its entry cache
 *   state.c       save and restore
 *
 *   tables.c      root, context and PASID entries of the guest: where a request translates
 *   device.c      devices behind the unit
 *   place.c       where each of them is now, with each PASID
 *   space.c       contexts that mirror guests' tables, and follow their invalidations
 *   back.c        these as a whole
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
    uint32_t serial; /* its own, once it was begun; zero at the start */
};

struct vtd_emul;

#define VTD_EMUL_ID      0u  /* of a domain's only unit */
#define VTD_EMUL_RECORDS 8u  /* fault records */
#define VTD_EMUL_NOTED   64u /* faults of the domain's devices that wait to be recorded */
#define VTD_EMUL_IRTES   64u /* of the interrupt entry cache; a power of two */

/* Where the registers that have no place of their own in the specification are. */
#define VTD_EMUL_IVA   0xf0u
#define VTD_EMUL_IOTLB (VTD_EMUL_IVA + VTD_IOTLB_REG)
#define VTD_EMUL_FRCD  0x220u
#define VTD_EMUL_WORDS ((VTD_EMUL_FRCD + VTD_EMUL_RECORDS * VTD_FRCD_SIZE) / 4)

/* What is being carried out. One at a time; what waits for it can be seen in the registers. */
enum vtd_emul_work {
    VTD_EMUL_IDLE,
    VTD_EMUL_DOES_COMMAND,    /* GCMD */
    VTD_EMUL_DOES_CONTEXT,    /* CCMD */
    VTD_EMUL_DOES_IOTLB,      /* IOTLB */
    VTD_EMUL_DOES_DESCRIPTOR, /* of the queue, at its head */
    VTD_EMUL_DOES_RESTORE,
};

/* Faults of devices: written with the instance's lock held. Nothing is locked under this lock. */
struct vtd_emul_noted {
    struct sluice_lock lock;
    unsigned head, nr;
    uint64_t lost;
    struct sluice_fault fault[VTD_EMUL_NOTED];
};

/* registers.c, queue.c, fault.c, interrupt.c: what the guest has programmed. */
struct vtd_emul_front {
    /* In effect, for who walks the tables; what the guest sees in GSTS follows. */
    uint32_t gsts; /* VTD_GCMD_TE and so on */
    uint64_t root; /* RTADDR as SRTP last latched it; its TTM may be any value */
    uint64_t irta; /* IRTA as SIRTP last latched it */

    uint32_t word[VTD_EMUL_WORDS];     /* the registers, as they are read */
    uint32_t writable[VTD_EMUL_WORDS]; /* bits that take what is written */
    uint32_t clears[VTD_EMUL_WORDS];   /* bits that a written 1 clears */
    bool commanded;                    /* GCMD was written, and has not been carried out */
    uint32_t command;
    unsigned next_record;

    enum vtd_emul_work work;
    struct vtd_emul_inv inv; /* of `work` */
    unsigned size;           /* of the descriptor */

    struct {
        bool valid;
        uint16_t index;
        struct vtd_irte irte;
    } irte[VTD_EMUL_IRTES];
    struct vtd_emul_noted noted;
    uint64_t reads, writes, invalidations, faults, faults_lost;
};

/* tables.c, device.c, space.c, translate.c: what it has become. */
struct vtd_emul_back {
    struct vtd_emul_device *devices; /* back.h */
    struct vtd_emul_space *spaces;
    struct context *refuge; /* nothing but regions of devices: where they are blocked */
    uint32_t refuge_generation;
    struct context *identity; /* where context 0 is no identity map; NULL: not needed so far */
    uint32_t identity_generation;
    uint64_t identity_cursor; /* of its filling */
    bool identity_live;
    struct vtd_emul_iotlb *iotlb; /* translate.c */
    uint32_t serial;              /* of invalidations */
    uint64_t synced;
};

/* ---- The second group's side -------------------------------------------------------------------
 */

struct vtd_emul_fault {
    uint16_t sid;
    bool has_pasid;
    uint32_t pasid;
    uint64_t info; /* the address, or the interrupt index as in VTD_FRCD_IIDX */
    uint8_t reason;
    bool write;
};

/* A new unit, with all but `back` set up. 0, -ENOMEM, -ENOSPC: then there is nothing to undo. */
int vtd_emul_back_init(struct vtd_emul *e);
/*
 * Its devices that are the domain's still go to context 0, and what mirrors tables goes. 0;
 * -ERESTART: again. A failed unit is no obstacle.
 */
int vtd_emul_back_fini(struct vtd_emul *e);
bool vtd_emul_has_device(const struct vtd_emul *e, uint32_t sid);
/* nr_devices, nr_spaces, synced. */
void vtd_emul_back_info(const struct vtd_emul *e, struct sluice_viommu_info *out);
/*
 * What the guest's hardware would have recorded for a fault of a device of the domain: sid, pasid,
 * address and reason by the guest's tables. False: nothing (FPD; no device behind the unit; the
 * guest's tables let the access through).
 */
bool vtd_emul_explain(struct vtd_emul *e, const struct sluice_fault *fault,
                      struct vtd_emul_fault *out);

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

/* ---- The first group's side --------------------------------------------------------------------
 */

/*
 * The unit of a domain, locked; NULL: it has no such unit. For all calls of viommu.h but create and
 * destroy.
 */
struct vtd_emul *vtd_emul_enter(struct sluice_domain *d, uint32_t id);
void vtd_emul_leave(struct vtd_emul *e);

/* capabilities.c: what the instance's units back, and what needs what; and CAP and ECAP. */
bool vtd_emul_can_offer(struct instance *s, uint64_t capabilities);
void vtd_emul_offer(struct vtd_emul *e);

/* fault.c: one more record, or an overflow; and the event, if it is not masked. */
void vtd_emul_record(struct vtd_emul *e, const struct vtd_emul_fault *fault);
void vtd_emul_note_fault(struct viommu *v, const struct sluice_fault *fault);
void vtd_emul_collect(struct vtd_emul *e); /* what was noted becomes records */
void vtd_emul_queue_error(struct vtd_emul *e, unsigned iqei);
void vtd_emul_done_event(struct vtd_emul *e); /* a wait descriptor with IF */
/* PPF and the pending bits as they follow from the rest; what is unmasked now is delivered. */
void vtd_emul_settle(struct vtd_emul *e);

/* registers.c: any offset and size. */
void vtd_emul_reset(struct vtd_emul *e);
uint64_t vtd_emul_read(const struct vtd_emul *e, uint64_t offset, unsigned size);
void vtd_emul_write(struct vtd_emul *e, uint64_t offset, unsigned size, uint64_t value);
static inline bool vtd_emul_is_scalable(const struct vtd_emul *e)
{
    return FIELD_GET(VTD_RTADDR_TTM, e->front.root) == VTD_TTM_SCALABLE;
}

/* command.c: what GCMD says takes effect. What needs no invalidation is done when it returns. */
void vtd_emul_begin_command(struct vtd_emul *e);
void vtd_emul_end_command(struct vtd_emul *e);

/* work.c: what registers ask for. Bounded. 0, or -ERESTART: again. */
int vtd_emul_work(struct vtd_emul *e);

/* invalidate.c: from a register or a descriptor to `inv` and `work`. */
void vtd_emul_begin_context(struct vtd_emul *e);
void vtd_emul_begin_iotlb(struct vtd_emul *e);
void vtd_emul_end_context(struct vtd_emul *e, unsigned done);
void vtd_emul_end_iotlb(struct vtd_emul *e, unsigned done);
/* 0, with `work` idle if it is carried out already; or a VTD_IQEI_*. */
unsigned vtd_emul_decode(struct vtd_emul *e, const uint64_t word[4]);

/* queue.c: one descriptor. */
bool vtd_emul_queue_waits(const struct vtd_emul_front *f); /* for vtd_emul_begin_descriptor() */
void vtd_emul_begin_descriptor(struct vtd_emul *e);
void vtd_emul_end_descriptor(struct vtd_emul *e);

/* interrupt.c */
void vtd_emul_forget_irtes(struct vtd_emul *e, bool one, uint16_t index, unsigned mask);
int vtd_emul_remap(struct vtd_emul *e, uint16_t sid, const struct hw_message *message,
                   struct hw_interrupt *out);

/* state.c */
size_t vtd_emul_state_size(void);
void vtd_emul_save(const struct vtd_emul *e, void *to);
int vtd_emul_restore(struct vtd_emul *e, const void *from, size_t size); /* -EINVAL */

static inline uint32_t vtd_emul_get(const struct vtd_emul_front *f, unsigned offset)
{
    return f->word[offset / 4];
}

static inline void vtd_emul_set(struct vtd_emul_front *f, unsigned offset, uint32_t value)
{
    f->word[offset / 4] = value;
}

static inline uint64_t vtd_emul_get64(const struct vtd_emul_front *f, unsigned offset)
{
    return f->word[offset / 4] | (uint64_t)f->word[offset / 4 + 1] << 32;
}

static inline void vtd_emul_set64(struct vtd_emul_front *f, unsigned offset, uint64_t value)
{
    f->word[offset / 4] = (uint32_t)value;
    f->word[offset / 4 + 1] = (uint32_t)(value >> 32);
}

#endif
