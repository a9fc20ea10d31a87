/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small host for tests of the core: units that only write down what they are told, a log of every
 * event that has an order, and hooks at the places where something else may come between.
 */
#ifndef TEST_CORE_FIXTURE_H
#define TEST_CORE_FIXTURE_H

#include "../../iommu/abi/contexts.h"
#include "../../iommu/core/attach.h"
#include "../../iommu/core/flush.h"
#include "../../iommu/core/identity.h"
#include "../../iommu/core/map.h"
#include "../../iommu/core/reserved.h"
#include "../../iommu/core/trim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RW            (PT_READ | PT_WRITE)
#define NR_FRAMES     0x80000u /* records: frames that domains may have */
#define FIRST_TABLE   0x80000u /* pages for tables come after them */
#define NR_TABLES     0x800u
#define MOST_EVENTS   4096u
#define MOST_RIDS     4096u
#define GUEST_BYTES   0x4000u
#define GUEST_ADDRESS 0x10000u

enum what { PREPARED, POINTED, FLUSHED, RELEASED, TABLE_FREED, REPORTED };

/* One thing that happened, in order. */
struct happened {
    enum what what;
    unsigned unit;        /* PREPARED POINTED FLUSHED */
    uint32_t rid, pasid;  /* PREPARED POINTED */
    bool blocked;         /* POINTED to nothing */
    uint16_t did;         /* POINTED */
    unsigned n;           /* FLUSHED: how many */
    struct hw_inv inv[4]; /* the first of them */
    uint64_t frame;       /* RELEASED TABLE_FREED */
    enum sluice_event_kind kind;
    uint64_t a, b;
};

struct host;

struct fake_unit {
    struct hw_unit hw;
    struct host *host;
    unsigned index;
    struct hw_space space[MOST_RIDS];
    bool pointed[MOST_RIDS], quiet;
    enum hw_isolation isolation; /* REMAPPED, as it is made */
    struct hw_fault fault[300];
    unsigned nr_faults;
    uint64_t faults_lost; /* that the next drain tells of */
};

/* What a test wants of its host; all zero is fine. */
struct setup {
    enum pt_format_id format;
    unsigned nr_units;  /* 0: 1 */
    unsigned iova_bits; /* 0: 48 */
    uint64_t leaf_sizes;
    bool caching_mode, blocked, no_domain, nests;
    bool hardware;       /* the domain is the hardware domain */
    bool allow_unsafe;   /* interrupts */
    uint16_t max_ctx_no; /* 0: 7 */
    uint32_t nr_dids;
    uint32_t max_pasid;
    uint32_t budget_contexts, budget_tables, budget_refs; /* 0: none */
    struct sluice_msi_window msi_window;
};

struct guest {
    _Alignas(16) char bytes[GUEST_BYTES]; /* at GUEST_ADDRESS */
    uint8_t reads[GUEST_BYTES];
    bool flips;          /* another value at each read */
    bool readonly;       /* writes fail */
    unsigned nr_writes;  /* so far */
    unsigned fail_write; /* the n-th from now fails */
};

/* What a frame of a domain holds, once somebody looked or wrote. */
struct content {
    mfn_t frame;
    char bytes[FRAME_SIZE];
};

struct host {
    struct sluice_port port;
    struct setup setup;
    struct sluice *s;
    struct fake_unit *unit;  /* nr_units of them */
    struct sluice_domain *d; /* domid 1 */
    struct guest guest[4];   /* by domid */
    struct happened log[MOST_EVENTS];
    unsigned nr_log;
    unsigned fail_alloc, fail_prepare, fail_flush; /* the n-th from now fails */
    unsigned preempt_every, preempts;
    uint64_t now_ns;
    unsigned locks, most_locks;
    unsigned objects, pages;
    uint8_t page_used[NR_TABLES];
    struct content content[24];
    unsigned nr_content;
    unsigned nr_delivered; /* messages of vIOMMUs, and the last of them */
    uint64_t delivered_address;
    uint32_t delivered_data;
    bool lossy;     /* a unit was failed on purpose: something may stay behind */
    bool denied[4]; /* by caller */
    uint32_t asked; /* for the inner sub-ops of remote calls, as a bit mask */
    void (*on_flush)(struct host *h, struct fake_unit *u, const struct hw_inv *inv, unsigned n);
    void (*on_unlock)(struct host *h, const struct sluice_lock *lock);
    void (*on_preempt)(struct host *h);
    /* The library has read a domain's frame. */
    void (*on_read)(struct host *h, mfn_t frame, unsigned offset, size_t size);
    void (*on_page)(struct host *h); /* one is asked for */
    void *arg;                       /* of the hooks */
    jmp_buf *panicked;
};

struct host *host_create(const struct setup *setup);
void host_destroy(struct host *h);
struct sluice_domain *host_domain(struct host *h, uint16_t domid);
void destroy_domain(struct sluice_domain *d);

/* cmocka's: a host with the defaults. */
int set_up(void **state);
int tear_down(void **state);

/* The log. */
unsigned count(const struct host *h, enum what what);
const struct happened *nth(const struct host *h, enum what what, unsigned n); /* from 0; or NULL */
unsigned place_of(const struct host *h, const struct happened *e);
void forget(struct host *h);

/* The domain's own verbs, for domain 1: the status; *done as the call reports it. */
int map(struct host *h, uint16_t ctx, uint64_t gfn, uint64_t dfn, uint32_t pages, unsigned lg2,
        unsigned attr, uint32_t *done);
/* Could these frames be given to somebody? 0, or what frames_give says. */
int try_give(struct frames *f, mfn_t mfn, uint64_t nr);

/* One run of an unmap, not continued. */
int unmap_once(struct host *h, uint16_t ctx, uint64_t dfn, uint32_t pages, unsigned lg2);
int unmap(struct host *h, uint16_t ctx, uint64_t dfn, uint32_t pages, unsigned lg2, uint32_t *done);
int lookup(struct host *h, uint16_t ctx, uint64_t dfn, uint64_t *gfn);
uint16_t new_context(struct host *h);

void add_memory(struct host *h, uint64_t gfn, uint64_t mfn, uint64_t nr);
void add_scattered(struct host *h, uint64_t gfn, uint64_t mfn, uint64_t nr); /* every other frame */
uint32_t refs_of(const struct host *h, uint64_t mfn);
struct sluice_device *add_device(struct host *h, uint32_t rid);
struct sluice_device *add_device_with(struct host *h, uint32_t rid,
                                      const struct sluice_region *regions, unsigned nr);
void attach(struct host *h, uint32_t rid, uint16_t ctx);
int try_attach(struct host *h, uint32_t rid, uint16_t ctx);

/* What a walk of the real tables finds: frames mapped, and where one dfn goes (or none). */
#define NOWHERE UINT64_MAX
uint64_t nr_mapped(struct host *h, uint16_t ctx);
uint64_t goes_to(struct host *h, uint16_t ctx, uint64_t dfn, unsigned *attr);
struct context *context_of(struct host *h, uint16_t ctx);

/* Hypercalls, with the argument in the guest's memory. */
long hypercall(struct host *h, uint16_t domid, int subop, void *arg, size_t size);
long hypercall_at(struct host *h, uint16_t domid, int subop, uint64_t at);

#endif
