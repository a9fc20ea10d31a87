/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The frame service: how the emulators of a domain share its bus-frame space (iommu/abi/frames.h).
 * There is one in a domain, and nobody else maps into its window. docs/frames.md tells more.
 *
 * An emulator is a client. It names pages of its guest and gets bus frames, which its device may
 * use until they are unmapped. Each emulator has mappings of its own, even of pages that another
 * one has too: so each is told by its own server, chooses for itself whether a swap is harmless,
 * and goes without the others noticing. Within one emulator, the same page with the same flags is
 * one mapping with a count of users.
 *
 * The service does not allocate, and has no lock: calls on one service come one at a time. Errors
 * are negative numbers of iommu/abi/errno.h.
 */
#ifndef GUEST_FRAME_SERVICE_H
#define GUEST_FRAME_SERVICE_H

#include "../../iommu/abi/frames.h"
#include "ioreq_ring.h"

#define FRAME_BATCH 64u /* elements in a hypercall: 2 KiB */

struct frame_service;

/* What the operating system below supplies. */
struct frame_host {
    void *arg;
    /* pv_iommu_op(ops, nr), nr <= FRAME_BATCH: its result. `ops` is in the service. */
    long (*call)(void *arg, struct pv_iommu_op *ops, unsigned nr);
    /* Takes the synchronous request that waits for a server. 0; -ENODATA: there is none. */
    int (*synchronous)(void *arg, uint16_t domid, uint16_t server, struct ioreq_request *out);
};

/* An emulator's server for one guest. The caller's memory, from join to leave. */
struct frame_client {
    uint16_t domid;  /* the guest */
    uint16_t server; /* its I/O server for it: not IOSERVID_any */
    struct ioreq_ring ring;
    /*
     * The guest has given the page up: what is at bfn is a scratch page, or its old frame, which
     * nobody gets before bfn is unmapped. True: no device uses bfn any more, it is unmapped now,
     * for all users. False: the emulator unmaps it as ever, soon. Within it, frame_unmap is the one
     * call that is allowed.
     */
    bool (*invalidate)(void *arg, uint64_t gfn, uint64_t bfn);
    /* A request of another type. NULL: those are dropped. */
    void (*other)(void *arg, const struct ioreq_request *request);
    void *arg;
    struct frame_service *service; /* the service's own */
};

/* What the service knows about one bus frame. The caller only gives it memory. */
struct frame_record {
    uint64_t bfn, gfn;
    const struct frame_client *client;
    int32_t status;
    uint32_t users;
    uint32_t next_free; /* or next one to unmap */
    uint32_t head[2], next[2];
    uint16_t server, flags;
    uint8_t state;
};

struct frame_service {
    const struct frame_host *host;
    struct frame_record *records;
    uint32_t nr;
    uint32_t free, owed; /* lists */
    bool choose;         /* bus frames are ours to choose: record i is bfn first + i */
    uint32_t nr_batch;
    uint32_t batch[FRAME_BATCH]; /* records that the elements are about */
    struct pv_iommu_op ops[FRAME_BATCH];
};

/*
 * Asks what the hypervisor can do. If bus frames are ours to choose, [first, first + nr) becomes
 * the service's window: a record for each. If not, lookups say where a page is, and nr is how many
 * pages may be in use. -EINVAL: nr is 0 or 1 << 31 and above, or the window wraps; or the
 * hypervisor's error.
 */
int frame_service_init(struct frame_service *s, const struct frame_host *host, uint64_t first,
                       struct frame_record *records, uint32_t nr);

/* -EINVAL: its server is any, or it has no ring, or it joined already. */
int frame_join(struct frame_service *s, struct frame_client *c);
/*
 * The emulator is gone, or its guest is: unmaps all that it has. Its device was stopped before.
 * Afterwards *c is the caller's, whatever is returned: an error says that some of it will be
 * unmapped by a later call on the service.
 */
int frame_leave(struct frame_client *c);

struct frame_page {
    uint64_t gfn;    /* IN: whatever the guest said */
    uint64_t bfn;    /* OUT */
    int status;      /* OUT: what is wrong with this one, or 0 */
    uint32_t record; /* the service's own */
};

/*
 * Maps pages of the guest: all or nothing. Flags are IOMMU_MAP_OP_readable, _writeable and
 * _swap_mfn, which matter only if bus frames are ours to choose. Requests that wait are handled
 * first, so that no page is shared that the guest gave up before it asked.
 *
 * 0, or the first page's error that is not 0:
 *   -ENXIO   the guest has no page there: it asked for nonsense
 *   -EPERM   not allowed on that guest, or not with these rights
 *   -ENODEV  no such server; or this domain is about to end
 *   -ENOMEM  the hypervisor's memory, or this domain's budget, is used up
 *   -ENOSPC  the service's records are
 *   -EINVAL  the flags; or a gfn that is no frame number
 *   -EIO     a unit failed; or the ring of requests is broken
 *   or what else the hypervisor says
 */
int frame_map(struct frame_client *c, struct frame_page *pages, uint32_t nr, unsigned flags);

/*
 * One user less of each page: those without users are unmapped, and no device reaches them when it
 * returns 0. -ENOENT: a page is not this client's, the others are done. Otherwise the hypervisor's
 * error: what is not unmapped stays out of use, and a later call on the service tries again.
 */
int frame_unmap(struct frame_client *c, const struct frame_page *pages, uint32_t nr);

/* Handles the requests that wait in the client's ring, and the synchronous one. As frame_unmap. */
int frame_poll(struct frame_client *c);

/*
 * A bus frame of the window for the operating system's own use with map_page. -ENOSPC; -EPERM:
 * they are not ours to choose. Released after its unmap_page. -ENOENT: it was not claimed.
 */
int frame_claim(struct frame_service *s, uint64_t *bfn);
int frame_release(struct frame_service *s, uint64_t bfn);

/* owed: to be unmapped still. bad: bus frames of the window that somebody else has. */
struct frame_counts {
    uint32_t free, claimed, mapped, invalid, owed, bad;
};
void frame_count(const struct frame_service *s, struct frame_counts *out);

#endif
