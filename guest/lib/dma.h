/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMA of a guest's devices: what a kernel's DMA layer calls for each transfer. docs/guest.md tells
 * which policy is for whom, and has an example.
 *
 *   dma_space    device addresses: a context of the guest's, or its bus-frame space (frames ABI),
 *                with a policy
 *   dma_device   a device in a space
 *   dma_buffer   bytes in consecutive guest frames
 *   dma_mapping  a buffer that the device reaches, until it is unmapped; the caller keeps it
 *
 * Nothing is allocated: all memory comes with the configurations, and stays the library's until
 * dma_space_end. Calls may be made on several processors at once, also for one device; calls about
 * one mapping come one at a time. No call waits for another processor but for the locks, and none
 * makes a hypercall with a lock held, but for lookup_foreign_page and its end.
 *
 * Errors are negative numbers of iommu/abi/errno.h. After an error of a call that maps, nothing is
 * mapped.
 */
#ifndef GUEST_DMA_H
#define GUEST_DMA_H

#include "dma_route.h"
#include "features.h"
#include "hypercall.h"
#include "iova.h"

#define DMA_PAGE_SHIFT 12
#define DMA_PAGE       (UINT32_C(1) << DMA_PAGE_SHIFT) /* bytes of a guest frame, in both ABIs */

#define DMA_NO_CPU IOVA_NO_CPU

/* ---- What the kernel below supplies ---------------------------------------------------------- */

/* Bytes of a page: of the guest's own (DOMID_SELF), or of a domain that it serves. */
struct dma_place {
    uint64_t gfn;
    uint32_t offset;
    domid_t domain;
};

struct dma_host {
    struct hypercall_host call;
    void *arg; /* of all below */
    /* The space's lock. May be taken wherever a call may be made. Another than the allocator's. */
    void (*lock)(void *arg);
    void (*unlock)(void *arg);
    /* Microseconds of a clock that does not go back. */
    uint64_t (*now)(void *arg);
    /*
     * For bounce buffers; NULL without. The bytes are within a page on both sides. `from` NULL:
     * zeros. An error becomes that of the call.
     */
    int (*copy)(void *arg, const struct dma_place *to, const struct dma_place *from, uint32_t size);
    /*
     * For standing mappings of whole blocks; NULL: there are none. Whether a device may have these
     * frames for as long as it likes although only some of them are in the buffer.
     */
    bool (*may_stand)(void *arg, uint64_t gfn, uint64_t nr);
};

/* ---- Spaces ---------------------------------------------------------------------------------- */

/* Device frames. */
struct dma_range {
    uint64_t first;
    uint64_t nr;  /* mapped */
    bool aligned; /* taken with IOVA_ALIGNED */
};

enum dma_policy {
    /* Mapped by dma_map, out of the device's reach when dma_unmap returns. */
    DMA_STRICT,
    /*
     * The same, but the device may reach what was unmapped until the next flush: by a bound, or by
     * dma_flush. No frame gets another owner and no address is used again before. A context with
     * IOMMU_ALLOC_deferred; -EOPNOTSUPP without IOMMUCAP_deferred.
     */
    DMA_DEFERRED,
    /*
     * The bus-frame space (frames ABI, context 0): what dma_premap was given is mapped for ever,
     * and a transfer of it is no hypercall; frames of other domains are mapped in a window, the
     * frames of config.iova, for the transfer. No protection from the device.
     */
    DMA_PREMAPPED,
    /*
     * Nothing is mapped by the guest: for devices that are not protected, and for those that stay
     * in a default context that is an identity map.
     */
    DMA_DIRECT,
};

struct dma_queue_config {
    struct dma_range *ranges; /* memory: a flush after so many ranges, */
    uint32_t nr_ranges;       /* 1.. */
    uint64_t max_pages;       /* or so many pages, */
    uint64_t max_us;          /* or when the oldest is that old: dma_unmap and dma_tick look */
};

/* Frames that stay mapped. The caller only gives it memory. */
struct dma_stander {
    uint64_t gfn;
    struct dma_range range;
    uint32_t users, next;
    uint8_t rights, state;
    bool referenced;
};

/*
 * Standing mappings: what dma_unmap leaves mapped, for the next transfer of the same frames. The
 * device reaches these frames all that time, whatever they are used for meanwhile: for devices that
 * are trusted with them. dma_forget takes frames from it, before they are given away.
 */
struct dma_standing_config {
    struct dma_stander *standers; /* memory; NULL: nothing stands */
    uint32_t nr;
    uint32_t *buckets; /* a power of two, best as many as standers */
    uint32_t nr_buckets;
    uint64_t max_pages; /* mapped in all; the ones not used for longest go */
    unsigned order;     /* 1 << order frames are a block, if may_stand lets it be mapped wholly */
    bool both;          /* all of it readable and writeable, so that it serves both directions */
};

/*
 * Pages to copy through, in frames that follow each other: for what a device does not reach, and
 * for the parts of pages around a buffer that an untrusted device is not to see. A context's are
 * filled with zeros before they are mapped.
 */
struct dma_pool {
    /* The caller's. */
    uint64_t gfn;
    uint32_t nr;        /* pages */
    uint8_t *used;      /* memory: nr bytes */
    bool direct_mapped; /* its frames are machine frames, whatever the rest of the domain is */
    /* The library's: */
    struct dma_range range;
    uint32_t next;
};

/* A page of another domain that was looked up. The caller only gives it memory. */
struct dma_found {
    uint64_t gfn, bfn;
    uint32_t users;
    domid_t domain;
};

struct dma_space_config {
    const struct dma_host *host;
    const struct features *features;
    enum dma_policy policy;
    /*
     * Initialised by the caller, with what is reserved reserved; dma_attach adds what the device
     * has. NULL: all addresses are the caller's own (dma_map_at); or the policy is DMA_DIRECT.
     */
    struct iova_space *iova;
    struct dma_queue_config queue;       /* DMA_DEFERRED */
    struct dma_standing_config standing; /* DMA_STRICT and DMA_DEFERRED */
    struct dma_pool *pool;               /* NULL: nothing can bounce */
    /*
     * Pages of other domains: in whose name; the layer's own, if others in this guest map such
     * pages too. And memory for those that are looked up: a power of two of at least 16.
     */
    ioservid_t server;
    struct dma_found *found;
    uint32_t nr_found;
};

struct dma_stats {
    uint64_t hypercalls;
    uint64_t maps, unmaps; /* of buffers that were asked for */
    uint64_t pages_mapped, pages_unmapped;
    uint64_t flushes;
    uint64_t bounced;      /* bytes copied */
    uint64_t live, peak;   /* mappings that the caller has; standing ones without a user are not */
    uint64_t hits, misses; /* of standing mappings */
    uint64_t standing;     /* pages that stand */
    uint64_t queued;       /* ranges that wait for a flush */
    uint64_t lost; /* frames of device addresses that nobody gets any more: the unmap failed */
};

struct dma_queue {
    uint32_t head, nr; /* a ring */
    uint64_t pages;
    uint64_t oldest; /* when the oldest came */
    bool flushing;
};

struct dma_standing {
    uint32_t free, hand; /* a list; where the search for the one to go is */
    uint64_t pages;
};

struct dma_space {
    struct dma_space_config config;
    struct hypercalls calls;
    uint16_t ctx_no;
    struct dma_stats stats; /* atomic */
    /* Under the lock. */
    struct dma_queue queue;
    struct dma_standing standing;
};

/*
 * -EINVAL: the configuration has no sense; -EOPNOTSUPP: the hypervisor does not have what the
 * policy needs; or the hypervisor's error, nothing is left.
 */
int dma_space_init(struct dma_space *s, const struct dma_space_config *config);

/*
 * Nothing is mapped by the caller any more, and no device is in the space. An error says that the
 * hypervisor keeps something.
 */
int dma_space_end(struct dma_space *s);

/* Frames that are mapped for ever, 1:1. */
struct dma_memory {
    uint64_t first; /* guest frame: bus frame */
    uint64_t nr;
    uint64_t frame; /* the first one's machine frame; of use only with features.all */
};
/* DMA_PREMAPPED: at the start, and for memory that comes later. All or nothing. */
int dma_premap(struct dma_space *s, const struct dma_memory *memory, size_t nr);
/* Before the memory is given away. */
int dma_unpremap(struct dma_space *s, const struct dma_memory *memory, size_t nr);

/*
 * Frames that no mapping of the caller has are to stand no longer; before they are given away. When
 * it returns 0, no device reaches them. -EBUSY: some of them are in use, and still mapped; -EIO, or
 * the hypervisor's error: some could not be unmapped, now or when they had to make room.
 */
int dma_forget(struct dma_space *s, uint64_t gfn, uint64_t nr);

/*
 * Returns when no device reaches any more what was unmapped before the call. Of use for deferred
 * spaces; of others there is nothing to do.
 */
int dma_flush(struct dma_space *s);
/* From a timer: a flush if the oldest range has waited for max_us. */
int dma_tick(struct dma_space *s);

/* A snapshot; of each count by itself, while calls are made. */
void dma_stats(struct dma_space *s, struct dma_stats *out);

/* ---- Devices --------------------------------------------------------------------------------- */

struct dma_device {
    struct dma_space *space;
    struct physdev_pci_device dev;
    uint64_t mask;  /* the last byte that it reaches */
    bool protected; /* all its requester ids are behind a unit that translates now */
    /*
     * Never reaches bytes that are not in a buffer: pages of which a buffer has a part bounce, and
     * nothing stands for it. In a strict space, of its own.
     */
    bool untrusted;
};

/*
 * Reserves what the device may not be given (query_reserved, if the hypervisor has it) and moves it
 * to the context. -EBUSY: a reserved range is in use. -EINVAL: the device is not protected, or not
 * trusted and the space is not strict; or the space has no context of its own.
 */
int dma_attach(struct dma_device *d);
/* To the default context. Before dma_space_end. */
int dma_detach(struct dma_device *d);

/* ---- Transfers ------------------------------------------------------------------------------- */

enum dma_direction {
    DMA_TO_DEVICE = 1,   /* the device reads */
    DMA_FROM_DEVICE = 2, /* the device writes */
    DMA_BOTH = 3,
};

struct dma_buffer {
    uint64_t gfn;    /* of the first byte; the frames follow each other */
    uint32_t offset; /* in it, below DMA_PAGE */
    domid_t domain;  /* DOMID_SELF, or whose page it is */
    enum dma_direction direction;
    uint64_t length; /* bytes, 1.. */
};

#define DMA_NO_SLOT UINT32_MAX

/* The caller's from dma_map to dma_unmap, and not changed by it. */
struct dma_mapping {
    uint64_t address; /* for the device */
    struct dma_buffer buffer;
    enum dma_route route; /* how it gets there */
    const char *why;      /* of a refusal, for a log; or NULL */
    /* The library's own. */
    struct dma_range range; /* of a list, the first one that is mapped has all */
    uint32_t slot[2];       /* of the pool: from the first on, or of the first and the last page */
    uint32_t stander;
};

/*
 * The device reaches the buffer at m->address and, of page sizes, the pages around its ends; an
 * untrusted one only the buffer. What dma_route decides is done; `cpu` as of iova_alloc.
 *
 *   -EINVAL        the buffer has no sense: no length, offset, direction, or it wraps
 *   -EOPNOTSUPP    it cannot be done; m->why tells why
 *   -ENOSPC        no device addresses, or no room in the pool
 *   -ENOMEM        the allocator's memory is used up
 *   -EIO           perhaps what was mapped could not be undone: the device may reach it
 * or the hypervisor's error.
 */
int dma_map(struct dma_device *d, uint32_t cpu, const struct dma_buffer *buffer,
            struct dma_mapping *m);

/*
 * What the device wrote is in the buffer. An error: the device may still reach it (m is ended all
 * the same), so the memory must not be used for something else; its addresses are not used again.
 */
int dma_unmap(struct dma_device *d, uint32_t cpu, struct dma_mapping *m);

/*
 * A scatter list: m[i] is of buffers[i]. Those that are to be mapped get one range of addresses in
 * their order, with one hypercall where IOMMUCAP_map_list is, else with one a run of frames. Where
 * one buffer ends with its page and the next begins with its own, their addresses follow each
 * other. All or nothing; m[i].why of the one that failed. The list is unmapped as a whole.
 */
int dma_map_list(struct dma_device *d, uint32_t cpu, const struct dma_buffer *buffers,
                 struct dma_mapping *m, size_t nr);
int dma_unmap_list(struct dma_device *d, uint32_t cpu, struct dma_mapping *m, size_t nr);

/*
 * Between dma_map and dma_unmap, of bytes [offset, offset + length) of the buffer: what the device
 * wrote can be read; what the processor wrote can be read by the device. Copies what bounces.
 */
int dma_sync_for_cpu(struct dma_device *d, const struct dma_mapping *m, uint64_t offset,
                     uint64_t length);
int dma_sync_for_device(struct dma_device *d, const struct dma_mapping *m, uint64_t offset,
                        uint64_t length);

/*
 * At an address of the caller's choice, for a user who manages addresses (a VFIO device, a nested
 * hypervisor): nr frames from gfn on, rights as of a direction. The allocator knows nothing of it,
 * so its frames are not among config.iova's. In a deferred space, dma_flush comes between an unmap,
 * or a map that failed, and the next use of the addresses. Unmap takes any range that does not cut
 * a large page, also of several maps. -EINVAL  the space has no context of its own; nr 0; address
 * not of a page
 */
int dma_map_at(struct dma_space *s, uint64_t address, uint64_t gfn, uint64_t nr,
               enum dma_direction direction);
int dma_unmap_at(struct dma_space *s, uint64_t address, uint64_t nr);

#endif
