/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a machine is made of, and what a backend supplies: RAM, units and devices. The rest, domains
 * and their memory above all, is the same for all machines.
 */
#ifndef HOST_MACHINE_BACKEND_H
#define HOST_MACHINE_BACKEND_H

#include "../../iommu/hw/absent/absent.h"
#include "machine.h"

#include <pthread.h>
#include <stdatomic.h>

#define NAME_SIZE 32u

/* RAM, and which frames of it are free. */
struct ram {
    char *base;
    char *view; /* what a walker that does not snoop sees; base, if it does */
    uint64_t size, nr;
    uint8_t *used; /* by frame */
    uint32_t *stack;
    uint64_t depth, capacity;      /* a frame may be on the stack and used: it is skipped then */
    uint64_t nr_used, nr_reserved; /* reserved ones are used, for good */
    uint64_t kept;                 /* the end of what ram_release() keeps */
    bool ending; /* all of it goes: nobody gets a frame again, none has to be zeroed */
    pthread_mutex_t lock;
};

/* An I/O server, and its emulator's side of it. */
struct machine_server {
    struct machine_server *next;              /* younger */
    struct machine_domain *emulator, *target; /* target NULL: ended */
    uint16_t target_domid, id;
    uint32_t nr_slots;
    struct sluice_ioreq_server *sluice;
    struct buffered_iopage *ring;
    struct sluice_ioreq *taken; /* synchronous requests, oldest first */
    size_t nr_taken, room;
    atomic_bool waited_for; /* the port was told of a synchronous request */
};

struct machine_domain {
    struct machine *m;
    struct machine_domain *next;
    char name[NAME_SIZE];
    uint16_t domid;
    bool hardware;
    bool direct_mapped;
    uint64_t end; /* of the gfns that it began with */
    char (*controls)[NAME_SIZE];
    unsigned nr_controls;
    struct sluice_domain *sluice;
    _Atomic uint64_t exits;
    bool has_viommu;
    uint32_t viommu;
    uint64_t events;         /* interrupts of its vIOMMU's own that nobody has asked for, */
    struct hw_message event; /* and the last of them */
    char arg[FRAME_SIZE];    /* the page at MACHINE_ARG */
};

/* What the host has set up for messages of a device. */
struct machine_interrupt {
    const struct machine_domain *domain; /* whose guest programmed it; NULL: nothing is set up */
    uint64_t addr;                       /* as the guest programmed it, */
    uint32_t data;
    rid_t rid;
    uint16_t index;
    uint8_t vector; /* the host's; 0: none yet */
};

/* A device that a domain's emulator is. */
struct machine_emulated {
    struct machine *m;
    struct machine_emulated *next;
    char name[NAME_SIZE];
    uint32_t sid;
    struct machine_domain *domain; /* NULL: it has ended */
};

struct machine_device {
    struct machine *m;
    struct machine_device *next;
    char name[NAME_SIZE];
    enum machine_device_kind kind;
    rid_t rids[8];
    unsigned nr_rids;
    unsigned mask;        /* address bits; 0: all */
    struct hw_unit *unit; /* NULL: its addresses are machine addresses */
    struct sluice_device *sluice;
    struct machine_domain *behind; /* whose vIOMMU it is behind, or NULL */
    struct machine_interrupt interrupt;
    bool rang;   /* its last write of four bytes was to a doorbell */
    void *state; /* the backend's */
};

/*
 * Each function returns 0 or a negative error, which machine_fail() has put into words, unless it
 * says otherwise. A backend's own data hang off machine.state and machine_device.state.
 */
struct machine_backend {
    const char *name;

    /* What it is, in at most size - 1 characters; NULL: memory of this process. */
    void (*describe)(const struct machine *m, char *out, size_t size);

    /*
     * The hardware, before the library's instance is there: config.ram bytes of RAM at ram.base,
     * and ram.view. close undoes it, also after an open that failed.
     */
    int (*open)(struct machine *m);
    void (*close)(struct machine *m);

    /* sluice_add_unit() for each unit; not called where the machine has none. */
    int (*add_units)(struct machine *m);
    void (*remove_units)(struct machine *m);
    struct hw_unit *(*unit)(const struct machine *m, unsigned index); /* NULL: there are no more */

    /* The device exists: sets its state and, if one protects it, its unit. */
    int (*add_device)(struct machine_device *dev, const struct machine_device_config *config);
    void (*remove_device)(struct machine_device *dev);

    /* As machine_device_appears. NULL: as what it sends. */
    rid_t (*appears)(struct machine_device *dev, rid_t rid);

    /* As machine_dma and machine_disk, with arguments that were checked. */
    int (*dma)(struct machine_device *dev, rid_t rid, uint32_t pasid, uint64_t addr, void *data,
               size_t size, bool write, enum hw_reason *reason);
    int (*disk)(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
                enum hw_reason *reason);

    /*
     * The device writes an interrupt message as requester `rid`: by MSI or MSI-X, programmed with
     * it, or `dma`: by a write of its own. 0 and what arrives at the host's interrupt controller;
     * -EACCES and *reason: nothing does.
     */
    int (*message)(struct machine_device *dev, rid_t rid, const struct hw_message *message,
                   bool dma, struct hw_interrupt *out, enum hw_reason *reason);

    /* As machine_region; NULL: no device has any. */
    bool (*region)(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out);

    /* As machine_gone. NULL: it never goes. */
    const char *(*gone)(struct machine *m);

    /* What the caches hold; all may be NULL where nobody can look inside. */
    void (*prefetch)(struct machine_device *dev, uint32_t pasid, dfn_t dfn);
    void (*cached)(struct machine_device *dev,
                   void (*visit)(void *arg, const struct machine_cached *c), void *arg);
    void (*prefetch_interrupt)(struct machine_device *dev, uint16_t index);
    void (*entries)(struct machine *m,
                    void (*visit)(void *arg, uint16_t index, rid_t source, uint8_t vector),
                    void *arg);

    /* The port's: time, and registers. */
    uint64_t (*now_ns)(struct machine *m);
    uint64_t (*mmio_read)(struct machine *m, uint64_t maddr, unsigned size);
    void (*mmio_write)(struct machine *m, uint64_t maddr, unsigned size, uint64_t value);
};

/* How long a flush may be deferred: flushes that are counted depend on no clock. */
#define HOUR_NS 3600000000000u

struct machine {
    struct sluice_port port;
    struct machine_config config;
    struct ram ram;
    struct sluice *sluice;
    const struct machine_backend *backend;
    void *state; /* the backend's */
    struct hw_unit absent;
    struct machine_domain *domains;
    struct machine_device *devices;
    struct machine_emulated *emulated;
    struct machine_server *servers; /* oldest first */
    pthread_mutex_t servers_lock;   /* for the emulators' sides; before the library's locks */
    bool slow_emulators;
    uint64_t skipped_ns; /* hours that machine_tick let pass */
    char error[MACHINE_ERROR_SIZE], hardware[MACHINE_ERROR_SIZE];
    struct machine_device *vectors[256]; /* whose each of the host's is */
    unsigned fail_alloc, fail_flush;
    bool failed;
    unsigned host_every; /* what preempt_every is for the host's own long work */
    unsigned preempt_every, preempt_count;
    _Atomic uint64_t allocs, frees, exits, lost;
};

/* Says what is wrong, and returns err. */
int machine_fail(struct machine *m, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Does the flush that is submitted now hang for good? For backends, at each submission. */
bool machine_flush_hangs(struct machine *m);

/* image.c: 0, or what is wrong with the file. */
int image_check(struct machine *m, const char *image);

/* device.c */
bool device_sends_as(const struct machine_device *dev, rid_t rid);

/* How a guest calls it: bus << 8 | devfn. */
static inline uint32_t sid_of(const struct machine_device *dev)
{
    return dev->rids[0].n & 0xffff;
}

/* interrupt.c */
bool interrupt_is_message(uint64_t addr, size_t size, bool write);
/* A message that a device writes by DMA: as machine_dma. */
int interrupt_dma(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
                  enum hw_reason *reason);
/* The device writes a message as it is, by a DMA of its own or not: as machine_msi. */
int interrupt_send(struct machine_device *dev, rid_t rid, const struct hw_message *message,
                   bool dma, struct machine_delivery *out);
/* Whose the device is, and its interrupts; NULL: nobody's. */
const struct machine_domain *interrupt_owner(const struct machine_device *dev);
/* The host forgets what it has set up for devices that are not their guest's any more. */
void interrupts_settle(struct machine *m);

/* doorbell.c */
/* 0, or what is wrong with the doorbells of the configuration. */
int doorbells_check(struct machine *m);
/* For backends: the device wrote four bytes where there is no memory. */
void doorbell_written(struct machine_device *dev, uint64_t maddr);
/* The device writes a message to an address as it sees it: as machine_msi. */
int doorbell_message(struct machine_device *dev, rid_t rid, uint64_t addr, uint32_t data,
                     struct machine_delivery *out);

/* viommu.c */
/* Devices that have come to a domain with a vIOMMU are behind it, those that have left are not. */
int viommu_settle(struct machine *m);
void viommu_domain_ended(struct machine *m, const struct machine_domain *d);
/* An emulated device is there: as sluice_viommu_add_device(). 0 where there is no vIOMMU. */
int viommu_add_emulated(const struct machine_emulated *e);
/*
 * What the guest's remapping table makes of a message of that sender: *message is what arrives, in
 * compatibility format. The same where the vIOMMU does not remap. -EACCES: blocked.
 */
int viommu_remap(struct machine_domain *d, uint32_t sid, struct hw_message *message);

/* emulated.c */
void emulated_domain_ended(struct machine *m, const struct machine_domain *d);
void emulated_remove(struct machine *m);

/* port.c */
void port_init(struct machine *m);

/* ioreq.c */
void ioreq_wanted(void *host, void *cookie); /* the port's `ioreq` */
/* Emulators take what waits for them. False: one of them is slow. */
bool ioreq_serve(struct machine *m);
void ioreq_domain_ended(struct machine *m, const struct machine_domain *d);

/* call.c: from begin to end the port says at every `every`-th chance that work stops; 0: never. */
void preempt_begin(struct machine *m, unsigned every);
void preempt_end(struct machine *m);

/* ram.c: the frames of RAM that is at ram->base already. */
int ram_init(struct ram *ram, uint64_t size, uint64_t seed);
void ram_fini(struct ram *ram);
int ram_alloc(struct ram *ram, mfn_t *out);                  /* any frame; zeroed. -ENOMEM */
int ram_alloc_run(struct ram *ram, uint64_t nr, mfn_t *out); /* neighbours. -ENOMEM */
void ram_reserve(struct ram *ram, mfn_t first, mfn_t last);  /* nobody's, as far as they exist */
bool ram_is_reserved(const struct ram *ram, mfn_t frame);
int ram_take(struct ram *ram, mfn_t frame); /* this one. -EBUSY, -EINVAL */
void ram_free(struct ram *ram, mfn_t frame);
/* A domain's frame comes back: below the end of ram_keep() it stays out of use, but for ram_take().
 */
void ram_release(struct ram *ram, mfn_t frame);
void ram_keep(struct ram *ram, uint64_t end);
void *ram_at(const struct ram *ram, uint64_t maddr);

#endif
