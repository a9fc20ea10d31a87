/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software unit: an IOMMU in software, with its driver. It translates device DMA by walking the
 * real tables in memory, and it is as unfriendly as hardware may be: its caches keep what they have
 * until a command that covers it, prefetch neighbours, hold not-present entries in caching mode;
 * its commands complete late and in any order before the wait.
 *
 * driver (what a hypervisor runs):   attach.c invalidate.c interrupt.c, the hw_ops in unit.c
 * device (what hardware would do):   translate.c stages.c entry.c cache.c visit.c remap.c queue.c
 *                                    fault.c
 * With two stages it walks a guest's own table, whose addresses the second stage translates; what
 * it caches of both is tagged by the did of the nested space. It sets no accessed or dirty marks.
 * The two share memory laid out as in spec/soft_unit.h, and the registers in struct soft_unit.
 */
#ifndef SLUICE_HW_SOFT_SOFT_H
#define SLUICE_HW_SOFT_SOFT_H

#include "../../spec/soft_unit.h"
#include "../hw.h"

struct soft_config {
    const struct sluice_port *port;
    struct pt_geometry geo;
    bool caching_mode;
    bool interrupts;    /* are remapped */
    bool nests;         /* has two stages */
    uint32_t max_pasid; /* up to SOFT_MAX_PASID; 0: none */
    unsigned cache_lg2; /* log2 of the entries of the IOTLB; 0: no caches at all */
    uint64_t seed;      /* of its moods */
    /*
     * Where the walker sees machine address 0. The port's direct_map, or for a walker that does not
     * snoop, memory without what still sits in CPU caches.
     */
    const void *memory;
    uint64_t memory_size; /* a guest's table leads nowhere beyond it */
    /* Asked at each submission: does the unit hang for good now? */
    bool (*hangs)(void *host);
};

/* What a cached translation or table pointer is for: a naturally aligned block of 1 << lg2 bytes.
 */
struct soft_tag {
    uint64_t block; /* address >> lg2 */
    uint32_t key;   /* the space and lg2; 0: empty */
};

struct soft_tlb_entry {
    struct soft_tag tag;
    uint32_t attr;
    uint64_t mfn; /* of the first frame of the block */
};

struct soft_table_entry {
    struct soft_tag tag; /* the span of the table */
    uint64_t mfn;
    uint64_t address; /* its frame as the entry above names it */
    unsigned rights;  /* that the tables above leave */
};

struct soft_device_entry {
    uint64_t id; /* requester and PASID */
    bool valid;
    bool usable;       /* valid and present: what a hit looks at */
    uint32_t key;      /* of its 4K translations, */
    uint32_t hash;     /* and where those are */
    uint64_t reserved; /* a power of two in size */
    struct soft_pasid_entry entry;
};

struct soft_interrupt_slot {
    bool valid;
    struct soft_interrupt_entry entry;
};

#define SOFT_DEVICES 256u /* entries of the context cache */
#define SOFT_FAULTS  128u /* fault records */

struct soft_unit {
    struct hw_unit hw;
    struct soft_config config;
    /* registers */
    mfn_t root;
    mfn_t ring;
    mfn_t interrupts; /* the remapping table; 0: off */
    unsigned head, tail;
    bool hung, blocked;
    /* the driver's */
    mfn_t status_page;
    uint64_t token;
    uint64_t interrupts_used[SOFT_INTERRUPTS / 64];
    /* the device's caches */
    struct soft_tlb_entry *tlb;
    struct soft_table_entry *tables;
    struct soft_device_entry *devices;
    struct soft_interrupt_slot *slots; /* by index */
    uint64_t tlb_mask;
    uint64_t tlb_sizes; /* bit k: leaves of 1 << k bytes were cached */
    unsigned late;      /* polls until it gets to work */
    uint64_t mood;
    /* fault records */
    struct sluice_lock dma; /* held while an access is under way, and while caches are dropped */
    struct sluice_lock fault_lock;
    struct hw_fault fault[SOFT_FAULTS];
    unsigned fault_head, nr_faults;
    uint64_t faults_lost;
};

/* 0, -ENOMEM, -EINVAL. All devices start blocked. */
int soft_init(struct soft_unit *u, const struct soft_config *config);
void soft_fini(struct soft_unit *u);

/*
 * Around soft_translate and the access that follows it, where devices and processors are different
 * threads: an invalidation completes only when no access is in between. One access at a time.
 */
void soft_hold(struct soft_unit *u);
void soft_let_go(struct soft_unit *u);

/*
 * The device side: an access of at most one frame, with a PASID or (0) without one. 0 and where it
 * goes, or -EACCES and *reason, with a fault recorded.
 */
int soft_translate(struct soft_unit *u, rid_t rid, uint32_t pasid, uint64_t addr, bool write,
                   uint64_t *maddr, enum hw_reason *reason);

/* The same without recording a fault; fills the caches all the same. */
enum hw_reason soft_peek(struct soft_unit *u, rid_t rid, uint32_t pasid, uint64_t addr, bool write,
                         uint64_t *maddr);

/*
 * The device sends an interrupt message: a write of four bytes to the interrupt window. 0 and what
 * arrives, or -EACCES and *reason, with a fault recorded. Between soft_hold and soft_let_go.
 */
int soft_interrupt(struct soft_unit *u, rid_t rid, uint64_t address, uint32_t data,
                   struct hw_interrupt *delivered, enum hw_reason *reason);
/* A message as it is: where nothing remaps it, there is one format only. */
struct hw_interrupt soft_plain_interrupt(uint64_t address, uint32_t data);
/* The caches keep what the table has at that index. */
void soft_peek_interrupt(struct soft_unit *u, uint16_t index);

/* Every entry that could deliver now, from the table or from the cache. */
typedef void (*soft_visit_interrupt)(void *arg, uint16_t index, rid_t source, uint8_t vector);
void soft_visit_interrupts(struct soft_unit *u, soft_visit_interrupt visit, void *arg);

struct soft_cached {
    dfn_t dfn;
    mfn_t mfn;
    uint64_t nr;
    unsigned attr; /* 0: a cached not-present entry */
    bool second;   /* dfn is what a second stage translates: a guest's address */
};

/* Everything in the caches that the requester could use now. */
typedef void (*soft_visit)(void *arg, const struct soft_cached *cached);
void soft_visit_cached(struct soft_unit *u, rid_t rid, uint32_t pasid, soft_visit visit, void *arg);
/* The next PASID behind that one that the tables or caches have an entry of; 0: there is none. */
uint32_t soft_next_pasid(const struct soft_unit *u, rid_t rid, uint32_t pasid);

#endif
