/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypervisor made of functions, for the DMA layer: one context and the bus-frame space as tables
 * of device frames, guest memory as pages, failures and odd answers on request. It knows what a
 * device may still reach after a deferred unmap, and does not let it be mapped again before that.
 */
#ifndef TEST_GUEST_FAKE_DMA_H
#define TEST_GUEST_FAKE_DMA_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/lib/dma.h"

#define FAKE_CTX    5
#define FAKE_FRAMES 0x4000u /* device frames of each table */
#define FAKE_PAGES  0x2000u /* guest frames */
#define FAKE_RANGES 4096u
#define FAKE_OTHER  7 /* another domain: its gfns are those below FAKE_PAGES */
#define FAKE_RW     (IOMMU_MAP_readable | IOMMU_MAP_writeable)

struct fake_frame {
    uint64_t gfn;
    uint8_t rights; /* 0: not mapped */
    uint8_t order;
    bool stale; /* unmapped, and not flushed */
    domid_t domain;
};

/* What the next call does instead. */
struct fake_odd {
    int subop; /* of the contexts ABI; or of the frames ABI, plus 100; 0: nothing is odd */
    unsigned skip;
    long err; /* after `after` pages */
    uint32_t after;
    bool lie; /* the OUT field says so */
    uint32_t answer;
    bool always;
};

struct fake_dma {
    struct dma_host host;
    struct features features;
    struct fake_frame ctx[FAKE_FRAMES], bus[FAKE_FRAMES];
    uint8_t memory[64][DMA_PAGE]; /* of the first gfns; the other domain's are shared with them */
    pthread_mutex_t mutex, space_mutex, iova_mutex;
    bool alive, deferred, attached, locked;
    unsigned calls, maps, lists, unmaps, flushes, elements, lookups, zeroed;
    unsigned reused, bad; /* mapped again before the flush; calls that make no sense */
    unsigned copies_fail; /* the copy that fails, counted from 1 */
    struct fake_odd odd;
    uint64_t us;
    uint64_t lookup_base;
    bool scattered;                   /* lookups do not answer with neighbours */
    uint64_t stand_first, stand_last; /* may_stand */
    struct pv_iommu_range reserved[40];
    uint32_t nr_reserved;
    /* An allocator and its memory. */
    struct iova_host iova_host;
    struct iova_space iova;
    struct iova_range ranges[FAKE_RANGES];
    struct iova_block blocks[IOVA_BLOCKS(FAKE_RANGES)];
    struct iova_slots slots[IOVA_BLOCKS(FAKE_RANGES)];
    uint32_t buckets[1024];
    struct iova_cpu cpus[4];
};

void fake_dma_init(struct fake_dma *f);
/* Device frames first..last are to be given out. */
void fake_dma_iova(struct fake_dma *f, uint64_t first, uint64_t last, uint32_t nr_ranges);
unsigned fake_dma_mapped(const struct fake_dma *f);
/* What is at a device address of the context; NULL: nothing. */
const struct fake_frame *fake_dma_at(const struct fake_dma *f, uint64_t address);
/* Ends the space. Not 0 if something is left of it, or was wrong on the way. */
int fake_dma_end(struct fake_dma *f, struct dma_space *s);
/* The device's DMA through the context. False: it faults. */
bool fake_dma_io(struct fake_dma *f, uint64_t address, void *data, size_t size, bool write);

#endif
