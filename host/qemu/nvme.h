/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver for one NVMe controller: the admin queue, one I/O queue pair, namespace 1. All memory
 * that the controller uses is the caller's: each page by where the caller sees it and where the
 * device does. Data is never looked at here: QEMU's controller reports success for reads whose data
 * the IOMMU blocked, so judge memory, not the status.
 *
 * Order: nvme_open(); then MSI-X if wanted (pci_msix() and pci_msix_enable(): entry 0 is the admin
 * queue's, entry 1 the I/O queue's); nvme_start(); commands; nvme_stop().
 */
#ifndef HOST_QEMU_NVME_H
#define HOST_QEMU_NVME_H

#include "pci.h"

#define NVME_CLASS 0x010802u

/* A page of the driver's: 4 KiB, aligned for both. */
struct nvme_page {
    void *host;
    uint64_t addr; /* as the device sees it */
};

enum nvme_use {
    NVME_ADMIN_SQ,
    NVME_ADMIN_CQ,
    NVME_IO_SQ,
    NVME_IO_CQ,
    NVME_LIST, /* PRP lists */
    NVME_DATA, /* what identify returns */
    NVME_PAGES
};

/* A submission queue entry, as the controller reads it. */
struct nvme_command {
    uint8_t opcode, flags;
    uint16_t id; /* the driver's to fill */
    uint32_t nsid;
    uint64_t reserved, metadata;
    uint64_t prp1, prp2;
    uint32_t dw10, dw11, dw12, dw13, dw14, dw15;
};

/* A completion queue entry; status is without the phase bit, 0 is success. */
struct nvme_completion {
    uint32_t result;
    uint16_t id, status;
};

struct nvme_queue {
    struct nvme_command *sq;
    volatile uint32_t *cq;
    uint16_t id, tail, head, next_id;
    bool phase;
};

struct nvme {
    struct qemu *q;
    const struct pci_function *function;
    uint64_t registers;
    uint64_t capabilities; /* CAP */
    struct nvme_page pages[NVME_PAGES];
    struct nvme_queue admin, io;
    unsigned timeout_ms; /* for a command or a change of state; the caller may change it */
    uint16_t status;     /* of the last command that completed */
    uint32_t block_size; /* after nvme_start() */
    uint32_t max_bytes;  /* of one command */
    uint64_t blocks;
    char serial[21];
};

/* Enables the function, leaves the controller off. `function` must stay. */
int nvme_open(struct qemu *q, const struct pci_function *function, struct nvme *out);

/*
 * Switches it on with these pages, identifies it, makes the I/O queues. Also after an error or
 * nvme_stop(), with other pages if need be. `interrupts`: of the I/O queue; the admin queue's come
 * whenever MSI-X is on.
 * -ETIMEDOUT: no answer: it cannot reach its queues, for instance. -EIO: it says that it failed.
 */
int nvme_start(struct nvme *n, const struct nvme_page pages[NVME_PAGES], bool interrupts);
/* `orderly`: with a shutdown notification first. Off in any case that the controller allows. */
int nvme_stop(struct nvme *n, bool orderly);

/*
 * Blocks between the disk and [addr, ...) as the device sees it, dword-aligned; as many commands as
 * it takes. -ERANGE: beyond the disk. -EIO: a status other than success, in n->status. -ETIMEDOUT:
 * nothing came; only nvme_start() helps then. `write`: to the disk.
 */
int nvme_rw(struct nvme *n, uint64_t lba, uint32_t nr, uint64_t addr, bool write);
/* One command with PRPs as they are. */
int nvme_rw_prp(struct nvme *n, uint64_t lba, uint16_t nr, uint64_t prp1, uint64_t prp2,
                bool write);
int nvme_flush(struct nvme *n);
/* Identify controller into a page as the device sees it. */
int nvme_identify(struct nvme *n, uint64_t addr);

/* The two halves of a command, on n->admin or n->io: at most 62 on their way. */
int nvme_submit(struct nvme *n, struct nvme_queue *queue, const struct nvme_command *command);
int nvme_wait(struct nvme *n, struct nvme_queue *queue, struct nvme_completion *out);

#endif
