/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A machine: RAM, domains, devices and an IOMMU, made of what its backend has: memory alone, or
 * QEMU's device models. Many of them can exist at once. It is the host of a struct sluice: it
 * allocates frames and table pages, has the guests' memory, decides who controls whom, and injects
 * failures.
 *
 * Errors are negative numbers of abi/errno.h; machine_error() has the last one in words.
 */
#ifndef HOST_MACHINE_MACHINE_H
#define HOST_MACHINE_MACHINE_H

#include "../../iommu/abi/contexts.h"
#include "../../iommu/abi/features.h"
#include "../../iommu/abi/frames.h"
#include "../../iommu/abi/ioreq.h"
#include "../../iommu/sluice.h"
#include "../../iommu/viommu.h"

#define MACHINE_ERROR_SIZE 400

struct machine_backend;
struct machine;
struct machine_domain;
struct machine_device;
struct machine_emulated;

enum machine_device_kind {
    MACHINE_DMA, /* a DMA engine */
    MACHINE_NVME /* a disk of 512-byte blocks: the engine, and contents of its own */
};

/* A device that will be added: what a machine with real slots has to know before it starts. */
struct machine_slot {
    rid_t rids[8]; /* as in struct machine_device_config */
    unsigned nr_rids;
    enum machine_device_kind kind;
    const char *image; /* nvme */
    bool unprotected;
    unsigned mask; /* how many address bits it has; 0: 64 */
};

#define MACHINE_DOORBELLS 4u

struct machine_config {
    const struct machine_backend *backend; /* its hardware; NULL: soft_backend */
    const struct machine_backend *outer;   /* nested_backend: of the machine below */
    bool scalable;                         /* VT-d units: in scalable mode */
    uint64_t ram;                          /* bytes; 0: 256 MiB */
    unsigned iova_bits;                    /* 0: 48 */
    bool blocked;                          /* context 0 of domains blocks; otherwise identity */
    bool no_iommu;                         /* nothing stands between devices and memory */
    bool no_intremap;                      /* interrupts are not remapped */
    bool allow_unsafe;        /* domains may have devices whose interrupts are not isolated */
    enum pt_format_id format; /* of the unit's tables */
    unsigned levels;          /* 0: the fewest that span iova_bits */
    uint64_t leaf_sizes;      /* 0: all of the format */
    unsigned nr_units;        /* 0: 1; devices are spread over them by device number */
    bool caching_mode;        /* the unit caches not-present entries */
    bool noncoherent;         /* the unit does not snoop CPU caches */
    bool friendly;            /* the software unit has no caches */
    unsigned stages;          /* of translation in a unit: 1, 2; 0: what it has, or 2 */
    bool no_pasid;            /* devices and units know no PASIDs */
    uint64_t seed;            /* of scattering and of the unit's moods; any value is fine */
    const struct sluice_region *holes; /* platform memory that is never anybody's RAM */
    unsigned nr_holes;
    const struct machine_slot *slots;
    unsigned nr_slots;
    /*
     * Arm: registers of interrupt controllers, at machine addresses beyond RAM. Every device behind
     * a unit may write its messages there, through translation.
     */
    uint64_t doorbells[MACHINE_DOORBELLS];
    unsigned nr_doorbells;
    struct sluice_msi_window msi_window; /* as in struct sluice_config */
};

/* host/soft: memory, a software IOMMU, DMA engines. Needs nothing but libc. */
extern const struct machine_backend soft_backend;
/* host/vtd: QEMU's device models and its VT-d. Needs QEMU to run. */
extern const struct machine_backend vtd_backend;
/* host/nested: a domain of another machine, `outer`, with the VT-d unit that its guest sees. */
extern const struct machine_backend nested_backend;

/*
 * 0, -EINVAL, -ENOMEM, -EOPNOTSUPP (the backend cannot be such a machine), or what the hardware
 * says (-ENOENT: no QEMU); on error *out is NULL and error (if not NULL, of MACHINE_ERROR_SIZE
 * bytes) has the words.
 */
int machine_create(const struct machine_config *config, struct machine **out, char *error);
/* Destroys what is still there. Returns the number of frames and objects that leaked: 0 is right.
 */
unsigned machine_destroy(struct machine *m);
/* The same; `gone` (MACHINE_ERROR_SIZE bytes) says why the hardware was gone by the end, or "". */
unsigned machine_end(struct machine *m, char *gone);
const char *machine_error(const struct machine *m);
struct sluice *machine_sluice(struct machine *m);
/* What it is made of, in words. */
const char *machine_hardware(const struct machine *m);

/* ---- Domains -----------------------------------------------------------------------------------
 */

#define MACHINE_NONE UINT32_MAX

struct machine_domain_config {
    const char *name;
    uint16_t domid;
    uint64_t mem;  /* bytes of RAM, gfns 0.. (less the holes) */
    bool hardware; /* the hardware domain */
    bool trusted;  /* may have devices that no unit protects, as the hardware domain may */
    /*
     * How frames lie: gfn == mfn; or in one run, for measuring; or each on its own. Otherwise each
     * aligned 2 MiB of gfns is one run, as far as the machine has runs, and the rest scattered.
     */
    bool direct_mapped, contiguous, scattered;
    /* Otherwise, too, these gfns are their frames: to bounce through. Not with contiguous. */
    uint64_t bounce, nr_bounce;
    enum sluice_space space; /* its bus-frame space, and where that has the machine's frame 0 */
    uint64_t window;
    uint16_t max_ctx_no;                                  /* 0: 15 */
    uint32_t budget_contexts, budget_tables, budget_refs; /* 0: no limit; MACHINE_NONE: nothing */
    const char *const *controls;                          /* names of domains it may act on */
    unsigned nr_controls;
    const struct sluice_region *holes; /* gfns without RAM: regions of devices it is to own */
    unsigned nr_holes;
};
int machine_domain_add(struct machine *m, const struct machine_domain_config *config,
                       struct machine_domain **out);
/* Runs the whole destruction; afterwards the pointer is dead. */
int machine_domain_destroy(struct machine *m, struct machine_domain *d);
struct machine_domain *machine_domain(struct machine *m, const char *name);
struct sluice_domain *machine_domain_sluice(struct machine_domain *d);

/* The guest's processor reads and writes its memory. -ENOENT: no frame at a gfn that is touched. */
int machine_guest_read(struct machine_domain *d, uint64_t gpa, void *to, size_t size);
int machine_guest_write(struct machine_domain *d, uint64_t gpa, const void *from, size_t size);

/*
 * The guest gives nr gfns back / gets frames for them. All or nothing. -ERESTART: slow emulators,
 * see machine_slow_emulators(). What a direct-mapped domain gives back is kept for it, so that it
 * gets the frames of that number again: -EBUSY: somebody still has one mapped, or it is another's;
 * -EINVAL: the machine has none.
 */
int machine_balloon_out(struct machine_domain *d, uint64_t gfn, uint64_t nr);
int machine_populate(struct machine_domain *d, uint64_t gfn, uint64_t nr);

/*
 * The guest makes a hypercall with its argument at a guest address. MACHINE_ARG is the address of a
 * page for arguments that every domain has outside its RAM, so that RAM holds data only; it is read
 * and written by machine_guest_read and _write like RAM. A call is continued until it is done;
 * `continue_every` > 0 preempts it after so many chances, 0 never.
 */
#define MACHINE_ARG 0x7ffffffff000ull
long machine_hypercall(struct machine_domain *d, int subop, uint64_t arg, unsigned continue_every);
/* The same for the frames ABI: `count` elements at guest address `ops`. */
int machine_frames_call(struct machine_domain *d, uint64_t ops, uint32_t count,
                        unsigned continue_every);
/* xen_version(cmd, arg), of which there is XENVER_get_features. -EFAULT; -ENOSYS: another. */
long machine_xen_version(struct machine_domain *d, int cmd, uint64_t arg);

/* An hour passes, and the host's timer comes. */
void machine_tick(struct machine *m);

/* ---- Emulators ---------------------------------------------------------------------------------
 */

/*
 * An I/O server of `emulator` for `target`, with a ring of so many slots. As sluice_ioreq_create().
 * It ends with the emulator; what it was told before the target's end can still be asked for.
 */
int machine_ioreq_server(struct machine_domain *emulator, struct machine_domain *target,
                         uint16_t id, uint32_t slots);
/* Ends it, with the requests in it. -ENODEV: there is no such server. */
int machine_ioreq_server_end(struct machine_domain *emulator, struct machine_domain *target,
                             uint16_t id);
/*
 * The emulator takes the next request of its server with that id (of several: of the oldest that
 * has one): first from the ring, then those that came synchronously. *target: the server's.
 * -ENODATA; -ENODEV: it has no such server.
 */
int machine_ioreq_next(struct machine_domain *emulator, uint16_t id, struct sluice_ioreq *out,
                       uint16_t *target);
/*
 * For emulators with code of their own: the ring that they share with the hypervisor, or NULL; and
 * the next of the requests that came synchronously. -ENODATA; -ENODEV: there is no such server.
 */
struct buffered_iopage *machine_ioreq_ring(struct machine_domain *emulator, uint16_t target,
                                           uint16_t id);
int machine_ioreq_synchronous(struct machine_domain *emulator, uint16_t target, uint16_t id,
                              struct sluice_ioreq *out);
/*
 * Emulators take synchronous requests at once into a queue of their own, so that ballooning never
 * waits for them. Slow ones do not: machine_balloon_out() gives -ERESTART, with part of its work
 * done, until machine_ioreq_next() has fetched the request.
 */
void machine_slow_emulators(struct machine *m, bool slow);

/* ---- Devices -----------------------------------------------------------------------------------
 */

struct machine_device_config {
    const char *name;
    enum machine_device_kind kind;
    rid_t rids[8]; /* [0] is the device, the others aliases that it may use as well */
    unsigned nr_rids;
    const struct sluice_region *regions;
    unsigned nr_regions;
    struct machine_device *group; /* a device of the same isolation group, or NULL */
    bool unprotected;             /* behind no unit: its addresses are machine addresses */
    unsigned mask;                /* how many address bits it has; 0: 64. A dma engine's only */
    const char *image;            /* nvme: file with its contents, or NULL: 16 MiB of zeros */
};
/*
 * The index-th region that the machine itself demands for the device: memory that its hardware or
 * firmware uses. They have to be among its regions. False: no more.
 */
bool machine_region(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out);
int machine_device_add(struct machine *m, const struct machine_device_config *config,
                       struct machine_device **out);
int machine_device_assign(struct machine_device *dev, struct machine_domain *d);
int machine_device_unassign(struct machine_device *dev);
struct machine_device *machine_device(struct machine *m, const char *name);
struct sluice_device *machine_device_sluice(struct machine_device *dev);
/* The address that the device puts on the bus when it is told to use `addr`. */
uint64_t machine_device_addr(const struct machine_device *dev, uint64_t addr);
rid_t machine_device_rid(const struct machine_device *dev);
/* What its requests come with when it sends as `rid`: its own id is another's behind bridges. */
rid_t machine_device_appears(struct machine_device *dev, rid_t rid);
const char *machine_device_name(struct machine *m, const struct sluice_device *dev);

/*
 * The device moves `size` bytes between `data` and the address as it sees it, page by page, as
 * requester `rid` (of its own), with a PASID or (0) without one. Performed: 0. Blocked: -EACCES and
 * *reason; pages before the blocked one were performed. -EINVAL: not its rid; the range wraps; more
 * than 64 MiB. -EOPNOTSUPP: the machine's devices send no PASIDs. A write of four bytes to the
 * interrupt window, without a PASID, is an interrupt message, performed when it was delivered.
 */
int machine_dma(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
                size_t size, bool write, enum hw_reason *reason);
/* The disk reads blocks into memory (write = false: DMA writes) or writes them from there. -ENODEV,
 * -ERANGE. */
int machine_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr,
                 bool write, enum hw_reason *reason);

/* ---- Interrupts --------------------------------------------------------------------------------
 */

/* An interrupt message of a device, and what became of it. */
struct machine_delivery {
    uint64_t message;              /* the address that the device wrote to */
    enum hw_reason reason;         /* blocked: why */
    struct machine_domain *domain; /* the guest that it arrived at; NULL: none, the host itself */
    uint8_t vector;                /* of that guest's, or of the host's */
};

/*
 * The device sends an interrupt message, as requester `rid` (of its own). A message in
 * compatibility format is what the guest that owns the device has programmed into it: where
 * interrupts are remapped, the host keeps that to itself, and programs a message of its own, with a
 * vector of its own. A message in remappable format (bit 4 of the address) is what the device makes
 * up; so is any of a device that nobody owns; they go out as they are. Delivered: 0. Blocked:
 * -EACCES and the reason. -EINVAL: no message, not its rid, or a vector that no guest may have;
 * -ENOSPC: no vector or entry is left; -ENOMEM, -EIO: the host could not set it up.
 *
 * Where the machine has doorbells, an address outside of the interrupt window is one as the device
 * sees it: a write of four bytes there, through translation. At a doorbell it arrives at the
 * device's owner, with its low byte as the vector. -EINVAL: it went to something else.
 */
int machine_msi(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
                struct machine_delivery *out);

/* ---- An emulated VT-d --------------------------------------------------------------------------
 */

#define MACHINE_VIOMMU_BASE UINT64_C(0xfed90000)
#define MACHINE_VIOMMU_ALL  UINT64_MAX /* capabilities: all that can be offered */

struct machine_viommu_config {
    uint64_t capabilities; /* SLUICE_VIOMMU_* */
    unsigned iova_bits;    /* as in struct sluice_viommu_config */
};

/*
 * The domain's guest gets a VT-d unit at MACHINE_VIOMMU_BASE. Its devices are behind it from now
 * on, under their own addresses, and so are those that it gets later. As sluice_viommu_create();
 * -ENODEV: the machine has no IOMMU.
 */
int machine_viommu_create(struct machine_domain *d, const struct machine_viommu_config *config);
/* -ENODEV: it has none. */
int machine_viommu_info(struct machine_domain *d, struct sluice_viommu_info *out);

/* The guest accesses a register, and what that starts is done when it returns. -ENODEV. */
int machine_viommu_read(struct machine_domain *d, uint64_t offset, unsigned size, uint64_t *value);
int machine_viommu_write(struct machine_domain *d, uint64_t offset, unsigned size, uint64_t value,
                         unsigned continue_every);
/* How many interrupts of its own the unit has raised since the last look, and the newest. */
uint64_t machine_viommu_events(struct machine_domain *d, struct hw_message *newest);

/* Takes the units' fault records; those of devices behind a vIOMMU get to its guest. */
void machine_faults_collect(struct machine *m);

/*
 * A device that the domain's emulator is, with requester id `sid`: its accesses go through the
 * domain's vIOMMU, if it has one, and then to the guest's memory. -EEXIST: the name, or as
 * sluice_viommu_add_device().
 */
int machine_emulated_add(struct machine_domain *d, const char *name, uint32_t sid,
                         struct machine_emulated **out);
struct machine_emulated *machine_emulated(struct machine *m, const char *name);

struct machine_access {
    uint64_t addr;
    bool has_pasid;
    uint32_t pasid;
    void *data;
    size_t size;
    bool write;
};
/* As machine_dma and machine_msi. */
int machine_emulated_dma(struct machine_emulated *e, const struct machine_access *access,
                         enum hw_reason *reason);
int machine_emulated_msi(struct machine_emulated *e, uint64_t addr, uint32_t data,
                         struct machine_delivery *out);

/* ---- Adversity and looking inside --------------------------------------------------------------
 */

/* The n-th allocation (flush) from now fails; 0 switches it off. */
void machine_fail_alloc(struct machine *m, unsigned n);
void machine_fail_flush(struct machine *m, unsigned n);
/* Ballooning and ends of domains, too, stop after so many chances and are continued; 0: never. */
void machine_continue_every(struct machine *m, unsigned every);
/* Has the failure that was asked for happened? */
bool machine_failed(const struct machine *m);

/* The units fill their caches with everything that attached devices can reach now. */
void machine_prefetch(struct machine *m);

/*
 * Visits every translation that a unit holds in its caches for a requester id and could use for it:
 * what may still be reached, whatever the tables say. For the ghost model.
 */
struct machine_cached {
    rid_t rid;
    uint32_t pasid;
    dfn_t dfn;
    mfn_t mfn;
    uint64_t nr;
    unsigned attr; /* 0: a cached not-present entry */
    bool second;   /* dfn is a gfn: what the second stage below a guest's own table makes of it */
};
void machine_cached(struct machine *m, void (*visit)(void *arg, const struct machine_cached *c),
                    void *arg);

/* Visits every entry by which a unit could deliver an interrupt now, whatever its table says. */
struct machine_entry {
    rid_t source;
    uint16_t index;
    const struct machine_domain *domain; /* whose vector it is; NULL: nobody's */
    uint8_t vector;                      /* of that guest's */
};
void machine_entries(struct machine *m, void (*visit)(void *arg, const struct machine_entry *e),
                     void *arg);

/* Why the hardware itself is gone (QEMU has ended), in words; NULL: it is there. It is looked at
 * now. */
const char *machine_gone(struct machine *m);

struct machine_stats {
    uint64_t allocs, frees, submissions, invalidations, faults, exits, free_frames, lost_frames;
};
void machine_stats(const struct machine *m, struct machine_stats *out);

/* All domains and devices, for whoever checks them: index from 0 until NULL. */
struct machine_domain *machine_domain_at(struct machine *m, unsigned index);
struct machine_device *machine_device_at(struct machine *m, unsigned index);
const char *machine_domain_name(const struct machine_domain *d);
uint16_t machine_domain_domid(const struct machine_domain *d);
uint64_t machine_domain_exits(const struct machine_domain *d); /* hypercalls, and continuations */

#endif
