/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOVA allocator: which frames of a device address space are in use. It is for a guest kernel's
 * DMA layer, which allocates and frees a range for every transfer.
 *
 * A range comes from as high as its limit lets it, so what is low is left for devices that reach
 * no further. What is freed is kept by the processor that freed it, for the next request of the
 * same size; what too many processors keep goes through a depot that they share. Everything kept
 * comes back before a request fails.
 *
 * The allocator knows nothing about mappings: a range is freed after the invalidation that covers
 * it has completed, since it may be somebody else's a moment later.
 *
 * Errors are negative numbers of iommu/abi/errno.h.
 */
#ifndef GUEST_IOVA_H
#define GUEST_IOVA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../iommu/abi/errno.h"

#define IOVA_FRAMES   (UINT64_C(1) << 52) /* no space has more */
#define IOVA_KEPT     32u                 /* larger ranges are not kept */
#define IOVA_MAGAZINE 31u                 /* a processor keeps so many of one size: 256 bytes */
#define IOVA_DEPOT    1024u               /* and the depot */
#define IOVA_NO_CPU   UINT32_MAX

/* The caller only gives memory for the next four. */

/* A range in use or kept, or a reserved one. */
struct iova_range {
    uint64_t first, last;
    uint32_t word;      /* state, and how often it changed: iova_range.h */
    uint32_t next;      /* free, or of the same bucket */
    uint32_t next_kept; /* in the depot */
};

/* Neighbouring ranges and the gaps before them. */
#define IOVA_SLOTS 28u

struct iova_slots {
    _Alignas(64) struct iova_slot {
        uint64_t first, last;
    } slot[IOVA_SLOTS];
};

/* What is known about them, and what is on either side in the tree. */
struct iova_block {
    _Alignas(64) uint64_t first; /* of the first gap */
    uint64_t last;               /* of the last range */
    uint64_t gap, widest[2];     /* the widest gap: its own, on either side */
    uint32_t child[2];
    uint8_t nr;
    uint8_t own_order, order[2]; /* of the largest aligned block, plus 1; 0: none */
    uint8_t height[2];
};

/* So many are enough, since of neighbours no two are half empty. */
#define IOVA_BLOCKS(nr_ranges) ((nr_ranges) / 7u + 2u)

struct iova_magazine {
    uint32_t nr;
    uint64_t entry[IOVA_MAGAZINE]; /* a range, and its word when it was put in */
};

/* Of low ranges and of others, for every size. */
#define IOVA_ZONES 2u
#define IOVA_LOW   0u
#define IOVA_HIGH  1u

/* What a processor keeps. All zero at first. */
struct iova_cpu {
    _Alignas(64) struct iova_magazine kept[IOVA_KEPT][IOVA_ZONES];
};

/* What the kernel below supplies: a lock that may be taken wherever a call may be made. */
struct iova_host {
    void *arg;
    void (*lock)(void *arg);
    void (*unlock)(void *arg);
};

struct iova_config {
    const struct iova_host *host;
    uint64_t first, last; /* frames of the space */
    bool use_zero;        /* or else frame 0 is never given: many drivers take it for an error */
    uint64_t last_low;    /* the most that devices of a narrow mask reach; 0: that of 32 bits, 4K */
    /*
     * Memory. Each range in use or kept needs one of `ranges`, as does each reserved one. A power
     * of two of buckets, best as many as ranges. Calls for a processor from nr_cpus on keep
     * nothing.
     */
    struct iova_range *ranges;
    uint32_t nr_ranges;        /* 1..UINT32_MAX - 1 */
    struct iova_block *blocks; /* IOVA_BLOCKS(nr_ranges), as of slots */
    struct iova_slots *slots;
    uint32_t *buckets;
    uint32_t nr_buckets;
    struct iova_cpu *cpus;
    uint32_t nr_cpus;
};

struct iova_depot {
    uint32_t head, nr;
};

struct iova_space {
    struct iova_config config;
    unsigned bucket_shift;
    /* Under the lock. */
    uint32_t root;
    uint32_t free, nr_touched; /* ranges: a list, and those never used are behind the others */
    uint32_t free_block, nr_blocks;
    struct iova_depot depot[IOVA_ZONES][IOVA_KEPT];
    uint64_t taken, frames, peak;
};

/*
 * -EINVAL: no frame is left in [first, last], or last does not exist, or there is no range, or
 * nr_buckets is not a power of two. The memory is the space's from now on; nothing needs releasing.
 */
int iova_init(struct iova_space *s, const struct iova_config *config);

/* A size rounded up to a power of two, and the range aligned to it. Without it: as it is. */
#define IOVA_ALIGNED 1u

struct iova_request {
    uint64_t nr;    /* frames */
    uint64_t limit; /* the last frame that the device reaches */
    unsigned flags; /* IOVA_* */
};

/*
 * `cpu` is the processor it runs on, until it returns: no other call for the same one is made at
 * the same time, so neither preemption nor an interrupt comes between. Or IOVA_NO_CPU.
 *
 *   -EINVAL  nr is 0, or a flag does not exist
 *   -ENOSPC  there is no such room below the limit, also with everything that was kept come back
 *   -ENOMEM  all of config.ranges are in use
 */
int iova_alloc(struct iova_space *s, uint32_t cpu, const struct iova_request *want,
               uint64_t *first);

/* How many frames a request takes, which is what iova_free wants. 0: no space has so many. */
uint64_t iova_frames(uint64_t nr, unsigned flags);

/* -ENOENT: [first, first + nr) is not a range that is in use; nothing has changed. */
int iova_free(struct iova_space *s, uint32_t cpu, uint64_t first, uint64_t nr);

struct iova_reserved {
    uint64_t first, last;
};

/*
 * Takes frames out of the space for good. They may overlap, come in any order, be reserved already,
 * and reach out of the space. All or nothing:
 *
 *   -EINVAL  one of them ends before it begins
 *   -EBUSY   one of them has a frame that is in use
 *   -ENOMEM  all of config.ranges are in use
 */
int iova_reserve(struct iova_space *s, const struct iova_reserved *list, size_t nr);

/* Ranges, but for `frames`, which are those of live and kept ranges. No call is stopped for it. */
struct iova_stats {
    uint64_t live, kept;
    uint64_t frames;
    uint64_t peak; /* the most that were live or kept at a time */
};
void iova_stats(struct iova_space *s, struct iova_stats *out);

#endif
