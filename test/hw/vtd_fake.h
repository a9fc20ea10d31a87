/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A VT-d unit behind mmio_read and mmio_write, for tests of its driver. It decodes with numbers of
 * its own, taken from the specification, so that a wrong mask in spec/vtd.h shows. Its caches keep
 * what they have until a command drops it, and it fails the test when software breaks a rule.
 */
#ifndef SLUICE_TEST_HW_VTD_FAKE_H
#define SLUICE_TEST_HW_VTD_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../iommu/hw/vtd/vtd.h"

#define FAKE_BASE  0xfed90000u
#define FAKE_PAGES 2048u
#define FAKE_CACHE 64u
#define FAKE_LOG   1024u
#define FAKE_FRCDS 8u

/* Bits of CAP and ECAP by their numbers. 48 bits, 4 levels, 2M and 1G, PSI with masks to 18. */
#define FAKE_CAP                                                                              \
    (6ull | 4ull << 8 | 47ull << 16 | 0x22ull << 24 | 3ull << 34 | 1ull << 39 | 18ull << 48 | \
     1ull << 54 | 1ull << 55)
#define FAKE_CM   (1ull << 7)
#define FAKE_RWBF (1ull << 4)
#define FAKE_PSI  (1ull << 39)
#define FAKE_PMR  (3ull << 5)
#define FAKE_ECAP \
    (1ull | 1ull << 1 | 1ull << 3 | 1ull << 4 | 1ull << 7 | 0x0full << 8 | 15ull << 20)
#define FAKE_C            (1ull << 0)
#define FAKE_QI           (1ull << 1)
#define FAKE_SM           (1ull << 43 | 1ull << 46 | 1ull << 48)
#define FAKE_PASIDS(bits) (FAKE_SM | 1ull << 40 | ((bits)-1ull) << 35)

struct fake_context {
    bool valid;
    uint16_t sid, did;
    uint64_t word[2]; /* legacy: the entry; scalable: its first two words */
};

struct fake_pasid {
    bool valid;
    uint16_t sid, did;
    uint32_t pasid;
    uint64_t word[2];
};

struct fake_tlb {
    bool valid, table; /* table: a pointer to the lowest table, else a translation */
    uint16_t did;
    uint64_t block; /* address >> lg2 */
    unsigned lg2;
    uint64_t entry;
};

struct fake_irte {
    bool valid;
    uint16_t index;
    uint64_t lo, hi;
};

struct fake {
    struct sluice_port port;
    char *ram, *view; /* view: what a walker sees that does not snoop; else ram */
    bool used[FAKE_PAGES];
    unsigned pages, objects;
    unsigned fail_alloc; /* the n-th allocation from now fails; 0: none */
    uint64_t clock;
    unsigned locks;
    /* registers */
    uint64_t cap, ecap, rtaddr, root, ccmd, iqa, irta, ir, iva, iotlb, frcd[FAKE_FRCDS][2];
    uint64_t plm_base, plm_limit;
    uint32_t gsts, fsts, fectl, iectl, pmen, iqh, iqt;
    unsigned next_frcd;
    /* what it does wrong */
    uint32_t stuck;    /* status bits that never change any more */
    bool hangs;        /* the queue */
    bool deaf;         /* registers of invalidation */
    unsigned error_at; /* the n-th descriptor from now raises `error`; 0: none */
    uint32_t error;    /* bits of FSTS */
    unsigned late;     /* looks at the status word or FSTS until the queue is worked on */
    /* what it saw */
    unsigned submissions, write_buffer_flushes, errors;
    struct {
        uint64_t lo, hi;
    } log[FAKE_LOG];
    unsigned nr_log;
    void (*sample)(struct fake *f); /* between two stores, on a unit that does not snoop */
    void *arg;
    /* caches */
    struct fake_context context[FAKE_CACHE];
    struct fake_pasid pasid[FAKE_CACHE];
    struct fake_tlb tlb[FAKE_CACHE];
    struct fake_irte irte[FAKE_CACHE];
    unsigned victim;
};

struct fake *fake_create(uint64_t cap, uint64_t ecap);
void fake_destroy(struct fake *f); /* nothing may be left allocated */

/* A device's access: 0 and *maddr, or the fault reason, recorded. */
unsigned fake_dma(struct fake *f, uint16_t sid, uint64_t addr, bool write, uint64_t *maddr);

/* The same with a PASID. */
unsigned fake_dma_pasid(struct fake *f, uint16_t sid, uint32_t pasid, uint64_t addr, bool write,
                        uint64_t *maddr);

/* A device's interrupt request: 0 and the entry's low word, or the fault reason, recorded. */
unsigned fake_msi(struct fake *f, uint16_t sid, uint64_t addr, uint32_t data, uint64_t *lo);

void fake_fault(struct fake *f, unsigned reason, uint16_t sid, uint64_t lo, bool write);

static inline uint64_t fake_word(const struct fake *f, uint64_t maddr)
{
    return __atomic_load_n((const uint64_t *)(const void *)(f->view + maddr), __ATOMIC_ACQUIRE);
}

#endif
