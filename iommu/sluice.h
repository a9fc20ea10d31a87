/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a hypervisor or VMM calls. A host creates an instance, gives it units, domains with memory,
 * and devices; it passes guests' hypercalls to a struct sluice_call; and it may look inside.
 *
 * Threads: calls on one instance may come from any thread at any time, except that the host itself
 * keeps structural calls apart from each other and does not race them with their own object's
 * end: sluice_create/destroy, sluice_add_unit, sluice_domain_create/destroy, sluice_device_*.
 * Hypercalls, sluice_memory_*, faults and inspection run beside them and beside each other.
 */
#ifndef SLUICE_H
#define SLUICE_H

#include "hw/hw.h"
#include "port/port.h"

struct sluice;
struct sluice_domain;
struct sluice_device;

/* ---- The instance ------------------------------------------------------------------------------
 */

/*
 * Where devices see their doorbells (struct sluice_device_config), if nothing is said of a device:
 * in every context that it is in, a window of that length. All zero: SLUICE_MSI_BASE and _LENGTH,
 * and it stays there.
 */
#define SLUICE_MSI_BASE   UINT64_C(0x8000000)
#define SLUICE_MSI_LENGTH UINT64_C(0x100000)
struct sluice_msi_window {
    uint64_t base, length; /* bytes, whole pages */
    /* It may be anywhere in lowest..highest where something else is at `base`. Both 0: nowhere. */
    uint64_t lowest, highest;
};

struct sluice_config {
    const struct sluice_port *port;
    uint64_t
        nr_frames; /* frames 0..nr_frames-1 can be given to domains; each costs a 16-byte record */
    /*
     * Domains that are not trusted may have devices whose interrupts are not isolated, and so raise
     * any interrupt at any processor.
     */
    bool allow_unsafe_interrupts;
    uint64_t defer_ns; /* how long a deferred context may wait with a flush; 0: 10 ms */
    struct sluice_msi_window msi_window;
};

/* 0, -ENOMEM, -EINVAL (the window). The port must outlive the instance. */
int sluice_create(const struct sluice_config *config, struct sluice **out);
/* Everything in it must have been destroyed or removed. */
void sluice_destroy(struct sluice *s);

/*
 * Adds a unit that its driver has set up; all its devices start blocked. Before the first domain.
 * -EINVAL: its tables cannot be shared with the units that are there (another format); -ENOSPC: too
 * many. All contexts use the common denominator of the units' geometries.
 */
#define SLUICE_MAX_UNITS 16
int sluice_add_unit(struct sluice *s, struct hw_unit *unit);

/* ---- Domains and their memory ------------------------------------------------------------------
 */

#define SLUICE_NO_LIMIT UINT32_MAX

/*
 * What a domain's bus-frame space is: its context 0, which the frames ABI edits. A window has every
 * machine frame that is a domain's, at bus frame `window` + machine frame; at most one domain has
 * one.
 */
enum sluice_space {
    SLUICE_SPACE_OWN,         /* for its own frames, and others' by map_foreign_page ("strict") */
    SLUICE_SPACE_RELAXED,     /* begins as a window; map_page maps any machine frame of domains */
    SLUICE_SPACE_PASSTHROUGH, /* is a window, for good: no maps */
};

struct sluice_domain_config {
    uint16_t domid;
    void *guest;         /* cookie for copy_from_guest and copy_to_guest */
    uint16_t max_ctx_no; /* contexts 1..max_ctx_no; 0 allows the default context only */
    bool blocked;        /* context 0 blocks all DMA; otherwise it is an identity map */
    bool direct_mapped;  /* the host's promise: each of its gfns is its machine frame */
    /*
     * The hardware domain, or another that is trusted with the machine: may have devices that no
     * unit protects (with one, all memory is its), and those whose interrupts are not isolated.
     */
    bool trusted;
    enum sluice_space space; /* other than OWN: a window instead of either */
    uint64_t window;         /* RELAXED: the bus frame of machine frame 0 */
    /* Budgets: how much of each the domain's own calls may use. SLUICE_NO_LIMIT for none. */
    uint32_t budget_contexts; /* beside context 0 */
    uint32_t budget_tables;   /* table pages; of context 0, those that calls needed */
    uint32_t budget_refs;     /* mapped frames, counted once for each mapping */
};

/*
 * 0, -EEXIST (domid), -ENOMEM, -ENOSPC (no hardware tag left), -EBUSY (another domain has a
 * window), -EINVAL (the window does not fit into the units' width).
 */
int sluice_domain_create(struct sluice *s, const struct sluice_domain_config *config,
                         struct sluice_domain **out);

/*
 * Ends a domain: its devices go to quarantine, contexts and memory are released. -ERESTART: not
 * done yet, call again (bounded work each). 0: gone. From the first call on, the domain's own calls
 * fail. Frames that others still reference are released when the last of them lets go.
 */
int sluice_domain_destroy(struct sluice_domain *d);

/*
 * What the domain is told of its memory, whatever the architecture: the bit of abi/features.h, one
 * of the two, that the host adds to the features it shows to it (XENVER_get_features, submap 0).
 */
uint32_t sluice_domain_features(struct sluice_domain *d);

enum sluice_frame_type {
    SLUICE_FRAME_HOST,     /* never given to a domain: the hypervisor's own, tables, firmware's */
    SLUICE_FRAME_RAM,      /* ordinary memory of a domain */
    SLUICE_FRAME_READONLY, /* a domain's; devices may read it only */
    SLUICE_FRAME_PRIVATE,  /* a domain's; not for devices */
};

/*
 * Gives nr frames that belong to nobody to the domain, at gfn (populate). They appear in its
 * identity contexts. All or nothing: -EEXIST (gfn in use), -EBUSY (a frame is somebody's, or still
 * referenced), -EINVAL (range, type; gfn is not mfn, and the domain is direct_mapped),
 * -EADDRNOTAVAIL (gfn in the MSI window or in a reserved region of a device in an identity
 * context; or a frame's place in a window of some domain is in such a region), -ERANGE (gfn beyond
 * the units' width), -ENOMEM, -EIO; -ERESTART: a call is at work in a bus-frame space, again.
 */
int sluice_memory_add(struct sluice_domain *d, gfn_t gfn, mfn_t mfn, uint64_t nr,
                      enum sluice_frame_type type);

/*
 * The domain gives nr gfns up (balloon-out). No device reaches them through an identity context or
 * a window when it returns; frames that are mapped by a call stay referenced until unmapped, then
 * the port's release_frame gets them; others get there at once. Where emulators have mapped a
 * frame, they are told (struct sluice_ioreq), and what may be swapped is.
 *
 * -ERESTART: preempted, or a call is at work in an emulator's space, or a synchronous request waits
 * for its emulator (the port's `ioreq` said so): call again with the same arguments. Until it is
 * done the gfns are there, but no emulator can map them anew.
 * -EINVAL: no gfns; -ENOENT: a gfn has no frame; -ENOMEM: a larger leaf could not be split; the
 * gfns are still there, though emulators may have been told. -EIO: a unit failed; the gfns are
 * gone, and the frames that may still be reached stay referenced for ever.
 */
int sluice_memory_remove(struct sluice_domain *d, gfn_t gfn, uint64_t nr);

/* The frame at gfn, or -ENOENT. A snapshot. */
int sluice_memory_lookup(struct sluice_domain *d, gfn_t gfn, mfn_t *mfn);

/* ---- Devices -----------------------------------------------------------------------------------
 */

enum sluice_region_type {
    SLUICE_REGION_DIRECT,           /* mapped 1:1 wherever the device is attached */
    SLUICE_REGION_DIRECT_RELAXABLE, /* the same for the host only; nothing once assigned */
    SLUICE_REGION_RESERVED,         /* never mapped */
    SLUICE_REGION_MSI,              /* written by the device, never translated, never mapped */
    SLUICE_REGION_SW_MSI = 5,       /* the window in which the device sees its doorbells */
};

/* Who says so. */
enum sluice_region_source {
    SLUICE_REGION_BY_HOST,     /* its administrator, or the host's own settings */
    SLUICE_REGION_BY_FIRMWARE, /* a table: DMAR, IVRS, IORT, the device tree */
};

struct sluice_region {
    uint64_t first, last; /* bytes, page aligned: first & 4095 == 0, last & 4095 == 4095 */
    enum sluice_region_type type;
    unsigned prot; /* PT_READ | PT_WRITE, for direct ones */
    enum sluice_region_source source;
};

struct sluice_device_config {
    struct hw_unit *unit; /* what all its requester ids are behind, or NULL: nothing, as far as
                             firmware says; then nobody keeps it from any memory */
    const rid_t *rids;    /* rids[0] names the device; the others are aliases that follow it */
    unsigned nr_rids;
    const struct sluice_region *regions;
    unsigned nr_regions;
    struct sluice_device *group; /* a device this one cannot be told apart from, or NULL */
    /*
     * Arm: machine addresses that its messages are written to, in frames of interrupt controllers
     * (an ITS's GITS_TRANSLATER, a GICv2m's MSI_SETSPI_NS), through translation. It sees them in
     * its SW_MSI region, or in the host's window if it has none; with an MSI region, untranslated.
     */
    const uint64_t *doorbells;
    unsigned nr_doorbells; /* at most SLUICE_MAX_DOORBELLS */
};
#define SLUICE_MAX_DOORBELLS 16

/*
 * A device that belongs to nobody: quarantined. 0, -EEXIST (the device is known, or a requester id
 * is that of one outside its group), -EINVAL (regions overlap or are not aligned; no rid; group
 * behind another unit; several SW_MSI regions, or one beside MSI, which is an error of the
 * platform's description: SLUICE_EVENT_PLATFORM), -ENODEV (not of the unit's segment), -ENOSPC (the
 * window has no page left for a doorbell), -ENOMEM, -EIO (the unit failed).
 */
int sluice_device_add(struct sluice *s, const struct sluice_device_config *config,
                      struct sluice_device **out);
/* From quarantine only: -EBUSY. */
int sluice_device_remove(struct sluice_device *dev);

/*
 * Gives a quarantined device with its whole group to a domain; it starts in context 0. One that no
 * unit protects is in no context, reaches all memory, and cannot be moved. -EPERM: the domain is
 * not `trusted`, and either no unit protects the device, or it can raise interrupts that were not
 * set up for it (sluice_device_isolation) and the instance does not allow that. -ENODEV: the domain
 * is about to end; -EBUSY: it is somebody's, or its regions conflict with context 0, or with what
 * the domain has pinned there; or no unit protects it, and the domain has said that it has no such
 * device (drop_foreign_1to1); -ENOMEM; -ERESTART: a call is at work where its regions go, again;
 * -EIO: its unit failed: before, and nothing has changed, or now, and it is the domain's, blocked.
 */
int sluice_device_assign(struct sluice_device *dev, struct sluice_domain *d);
/* Takes it, with its group, into quarantine: blocked, without interrupts. -ENODEV: it is there
 * already; -EIO. */
int sluice_device_unassign(struct sluice_device *dev);

/* ---- Interrupts --------------------------------------------------------------------------------
 */

/*
 * Entries of the interrupt remapping table, for the messages (MSI, MSI-X) of a device that belongs
 * to a domain. A device raises what its entries say and nothing else; it loses all of them when it
 * leaves its domain, before anybody else can have it. What an entry says is the host's: a guest
 * programs nothing of it. From any thread, until the device is removed.
 *
 * Of all: -EOPNOTSUPP: its unit remaps no interrupts, so that the device can raise any; -EPERM: the
 * device is nobody's; -EIO: the unit failed, now or earlier, and delivers nothing any more.
 */

/* 1 << lg2 neighbouring entries (more than one for MSI with several messages), which deliver
 * nothing yet. -EINVAL: not so many at once; -ENOSPC; -ENOMEM. */
int sluice_interrupt_alloc(struct sluice_device *dev, unsigned lg2, uint16_t *first);
/*
 * When it returns 0, messages of the device's source-th requester id (0 is the device itself; one
 * behind a bridge may send as another) go where `what` says, and nothing goes where the entry said
 * before. -EINVAL: not an entry of the device's, no such requester id, or nothing that the unit can
 * do.
 */
int sluice_interrupt_set(struct sluice_device *dev, uint16_t index, unsigned source,
                         const struct hw_interrupt *what);
/* What was allocated together; when it returns 0 it delivers nothing any more. -EINVAL. */
int sluice_interrupt_free(struct sluice_device *dev, uint16_t first, unsigned lg2);
/*
 * What to program into the device for an entry. `several`: the device adds the number of its
 * message to the data, and `index` is the first of the entries. -EINVAL: not an entry of its own.
 */
int sluice_interrupt_message(struct sluice_device *dev, uint16_t index, bool several,
                             struct hw_message *out);

/*
 * Arm: what to program into a device that raises `data` at its doorbell of that index: the address
 * is that of the doorbell in the context that the device is in now. The doorbell is mapped as long
 * as the device is there, so this cannot fail once the device is a domain's; in another context the
 * address may be another, if windows may move. -EINVAL: no such doorbell; -EPERM: it is nobody's.
 */
int sluice_device_compose_msi(struct sluice_device *dev, unsigned index, uint32_t data,
                              struct hw_message *out);

/* ---- Hypercalls --------------------------------------------------------------------------------
 */

/*
 * One call in progress; the host keeps it (a processor has at most one). Private but for its size.
 * Between two runs the guest can change nothing of what was checked.
 */
struct sluice_call {
    uint64_t opaque[112];
};

/* Begins iommu_op(subop, arg) by domain d. */
void sluice_call_start(struct sluice_call *call, struct sluice_domain *d, int subop, uint64_t arg);
/* Begins pv_iommu_op(ops, count) by domain d: the frames ABI. */
void sluice_frames_start(struct sluice_call *call, struct sluice_domain *d, uint64_t ops,
                         uint32_t count);
/* Its status, or -ERESTART: preempted; run again (also after the port said so at every chance). */
long sluice_call_run(struct sluice_call *call);

/*
 * Flushes what deferred contexts have unmapped `defer_ns` ago or earlier, and nobody has flushed
 * since. The library has no timer: the host calls this about that often, from any thread.
 * -ERESTART: preempted, or a call was at work there: soon again.
 */
int sluice_tick(struct sluice *s);

/* ---- Emulators ---------------------------------------------------------------------------------
 */

struct sluice_ioreq_server;

/*
 * Where an emulator is told about frames of `target` that it has mapped. `ring` is a struct
 * buffered_iopage (abi/ioreq.h) that the host shares with the emulator; nothing that the emulator
 * writes there harms anybody but itself. It is aligned to 8 bytes, and stays until the server is
 * destroyed.
 */
struct sluice_ioreq_config {
    struct sluice_domain *emulator, *target;
    uint16_t id; /* unique for the target; not IOSERVID_any */
    void *ring;
    uint32_t nr_slots; /* 1..IOREQ_BUFFER_SLOT_NUM */
    void *cookie;      /* for the port's `ioreq` */
};

/* 0, -EINVAL, -EEXIST, -ENOMEM. The end of either domain destroys it too. */
int sluice_ioreq_create(const struct sluice_ioreq_config *config, struct sluice_ioreq_server **out);
void sluice_ioreq_destroy(struct sluice_ioreq_server *server);

struct sluice_ioreq {
    uint8_t type; /* IOREQ_TYPE_SLUICE_INVALIDATE */
    uint64_t bfn;
};

/* The emulator takes the synchronous request, if there is one: 0, or -ENODATA. */
int sluice_ioreq_take(struct sluice_ioreq_server *server, struct sluice_ioreq *out);

/* ---- Faults ------------------------------------------------------------------------------------
 */

struct sluice_fault {
    struct sluice_device *device; /* one of those that have the requester id */
    rid_t rid;
    uint32_t pasid;
    uint64_t addr; /* bytes */
    bool write;
    uint8_t level;
    enum hw_reason reason;
    uint16_t ctx_no; /* the context it was in when the record was read */
};

/* Takes new records of all units and files them with the domains that own the devices. Bounded. */
void sluice_faults_collect(struct sluice *s);
/* Takes at most max of d's records out, oldest first; *lost: dropped since the last call. */
unsigned sluice_faults_read(struct sluice_domain *d, struct sluice_fault *out, unsigned max,
                            uint64_t *lost);
/* The index-th of d's records, oldest first; it stays. -ENOENT: there are no more. */
int sluice_fault_peek(struct sluice_domain *d, unsigned index, struct sluice_fault *out);
const char *sluice_reason_name(enum hw_reason reason); /* "not-present" ... */

/* What is at a device frame of a context. */
enum sluice_found {
    SLUICE_FOUND_NO_CONTEXT, /* there is no such context any more */
    SLUICE_FOUND_NOTHING,    /* no translation */
    SLUICE_FOUND_MAPPING,    /* one that a call, or the identity map, made */
    SLUICE_FOUND_REGION,     /* a reserved region of a device in the context */
    SLUICE_FOUND_MSI,        /* the interrupt window: written, but no memory */
    SLUICE_FOUND_BEYOND,     /* the context is not that wide */
    SLUICE_FOUND_NO_MEMORY,  /* a guest's own table leads to a gfn that devices have no memory at */
};

enum sluice_whereabouts {
    SLUICE_DEVICE_HERE,        /* in context ctx_no of this domain */
    SLUICE_DEVICE_QUARANTINED, /* nobody's */
    SLUICE_DEVICE_ELSEWHERE,   /* another domain's */
    SLUICE_DEVICE_GONE,        /* removed */
};

/* How things are now, which need not be how they were when the fault happened. */
struct sluice_explanation {
    enum sluice_whereabouts device;
    uint16_t ctx_no; /* HERE: the context that the device is in now */

    enum sluice_found found; /* at the fault's dfn in the fault's context */
    uint8_t level;           /* NOTHING: of the table where the walk ends; 0: smallest leaves */
    uint8_t lg2;             /* MAPPING: size of the leaf, log2 of bytes */
    unsigned attr;           /* MAPPING: PT_* */
    gfn_t gfn;               /* MAPPING, NO_MEMORY */
    bool guest;              /* NOTHING, MAPPING: of a guest's own table, which hardware walks */
    struct sluice_region region; /* REGION */
    uint8_t iova_bits;           /* BEYOND: how wide the context is */

    /* The newest of the domain's last 64 unmaps that covers the dfn in that context. */
    bool unmapped;
    dfn_t unmap_first, unmap_last;
    uint64_t calls_since; /* calls that the domain began after it */
};

/*
 * Why a device of d was stopped. `fault` is one of d's records; its device may be removed
 * meanwhile. 0; -ERESTART: a call is at work on that dfn, again.
 */
int sluice_fault_explain(struct sluice_domain *d, const struct sluice_fault *fault,
                         struct sluice_explanation *out);

/* ---- Looking inside ----------------------------------------------------------------------------
 */

struct sluice_unit_info {
    const char *name; /* of its driver */
    struct pt_geometry geo;
    uint32_t nr_tags; /* for cached translations */
    bool translates;  /* false: devices behind it are not protected */
    bool remaps;      /* false: devices behind it can raise any interrupt */
    bool caching_mode, snoop, failed;
    bool scalable, queued; /* as in struct hw_unit; so is: */
    uint32_t max_pasid;
    /* Since it was added. Of fault records: taken from it, and dropped by it. */
    uint64_t submissions, invalidations, faults, faults_lost;
};
unsigned sluice_nr_units(struct sluice *s);
/* -EINVAL: index is not below sluice_nr_units(). */
int sluice_unit_info(struct sluice *s, unsigned index, struct sluice_unit_info *out);

struct sluice_context_info {
    bool identity, blocked;
    bool nested; /* a guest's own table translates first; */
    bool shadow; /* composed here with the memory, or (false) walked by hardware */
    uint16_t did;
    uint32_t generation;
    unsigned nr_devices;
    uint64_t nr_mapped; /* frames mapped by calls */
    struct pt_geometry geo;
    mfn_t root;
    struct pt_geometry guest_geo; /* nested: of the guest's own table, */
    gfn_t guest_root;             /* and where it is */
};
/* -EINVAL: no such context. */
int sluice_context_info(struct sluice_domain *d, uint16_t ctx_no, struct sluice_context_info *out);
/*
 * Counts the table pages of a context, the root included. Calls on it wait meanwhile. -EINVAL as
 * above; -ERESTART: a call is at work there, again.
 */
int sluice_context_tables(struct sluice_domain *d, uint16_t ctx_no, uint64_t *out);
/*
 * Visits what is mapped, reserved regions included; stops when the visitor says so. Calls on that
 * range wait meanwhile. -EINVAL as above; -ERESTART: a call is at work there, again.
 */
int sluice_context_walk(struct sluice_domain *d, uint16_t ctx_no, dfn_t first, dfn_t last,
                        pt_visit visit, void *arg);

struct sluice_frame_info {
    enum sluice_frame_type type;
    bool owned; /* false: free, or given up and only held by references */
    uint16_t owner;
    uint32_t refs; /* the owner's one included */
    gfn_t gfn;
};
int sluice_frame_info(struct sluice *s, mfn_t mfn, struct sluice_frame_info *out);

/* A bus frame of a domain that names a frame which is not its own, or which it does not hold. */
struct sluice_tuple {
    uint16_t domid;
    uint16_t server; /* IOSERVID_any: any; with `local`, nobody's */
    uint64_t bfn;
    bool local;      /* by map_page */
    bool swappable;  /* by map_foreign_page with swap_mfn */
    bool unheld;     /* no reference: it goes when the frame does, or names a scratch frame */
    bool one_to_one; /* by lookup_foreign_page */
    bool left;       /* the frame's owner gave it up; the server was told */
};
/* Visits the tuples of a frame; stops when the visitor says so and returns that. */
int sluice_frame_tuples(struct sluice *s, mfn_t mfn,
                        int (*visit)(void *arg, const struct sluice_tuple *t), void *arg);
/* The reverse map as a whole. */
void sluice_reverse_map(struct sluice *s, uint64_t *nodes, uint64_t *bytes);

/* Why nothing translates a device's addresses. */
enum sluice_exposure {
    SLUICE_PROTECTED,       /* something does */
    SLUICE_EXPOSED_NO_UNIT, /* it was added without a unit: firmware names none for it */
    SLUICE_EXPOSED_ABSENT,  /* its unit is one that does not translate: there is no IOMMU */
    SLUICE_EXPOSED_FAILED,  /* its unit failed, and blocks all DMA */
};

struct sluice_device_info {
    struct sluice_domain *domain; /* NULL: quarantine */
    uint16_t ctx_no;
    uint32_t nr_pasids;            /* pasids with a context of their own */
    uint32_t nr_interrupts;        /* entries of the remapping table that it has */
    bool protected;                /* it is behind a unit that translates and has not failed */
    enum sluice_exposure exposure; /* if it is not: why */
    bool unsafe;         /* was assigned without isolation, by leave of allow_unsafe_interrupts */
    uint64_t msi_window; /* where it sees its doorbells now; SLUICE_NO_WINDOW: nowhere */
};
#define SLUICE_NO_WINDOW UINT64_MAX
void sluice_device_info(struct sluice_device *dev, struct sluice_device_info *out);

/* What keeps the device from raising others' interrupts, or why nothing does: as it is now. */
enum hw_isolation sluice_device_isolation(struct sluice_device *dev);
const char *sluice_isolation_name(enum hw_isolation isolation); /* "remapped" ... */

/* The index-th requester id (region, doorbell) of a device, from 0. -ENOENT: there are no more. */
int sluice_device_rid(struct sluice_device *dev, unsigned index, rid_t *out);
int sluice_device_region(struct sluice_device *dev, unsigned index, struct sluice_region *out);
int sluice_device_doorbell(struct sluice_device *dev, unsigned index, uint64_t *out);
/* The same of its pasids that have a context of their own, and of its number: in no order. */
int sluice_device_pasid(struct sluice_device *dev, unsigned index, uint32_t *pasid,
                        uint16_t *ctx_no);
/* The index of the unit it is behind; -ENODEV: none that was added. */
int sluice_device_unit(struct sluice_device *dev);
/* Do the two always move together? */
bool sluice_device_grouped(struct sluice_device *a, struct sluice_device *b);

struct sluice_domain_info {
    uint16_t domid, max_ctx_no;
    bool blocked;       /* context 0 blocks; otherwise it is an identity map */
    bool direct_mapped; /* as the host said; so is: */
    bool trusted;
    uint32_t budget_contexts, budget_tables, budget_refs; /* SLUICE_NO_LIMIT: none */
    enum sluice_space space;
    bool one_to_one;   /* lookups still answer with the window */
    bool foreign_1to1; /* it has others' frames in a window, and has not said that it needs none */
    bool has_scratch;
    mfn_t scratch; /* where swapped mappings point */
};
void sluice_domain_info(struct sluice_domain *d, struct sluice_domain_info *out);

struct sluice_domain_stats {
    uint64_t calls, map_calls, unmap_calls, pages_mapped, pages_unmapped, submissions;
    uint64_t faults, faults_lost;    /* filed; of those, and of its units', dropped unread */
    uint32_t contexts, tables, refs; /* in use now, as the budgets count them */
    uint64_t window_changes;         /* frames put into its window, and taken out of it */
    uint64_t foreign;                /* tuples of the reverse map: frames of others, and unheld */
};
void sluice_domain_stats(struct sluice_domain *d, struct sluice_domain_stats *out);

#endif
