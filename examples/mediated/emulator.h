/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An emulator that lets a guest without any device use the driver domain's disk. It runs in the
 * driver domain; what it needs of bus frames comes from the frame service (guest/lib).
 */
#ifndef EXAMPLES_MEDIATED_EMULATOR_H
#define EXAMPLES_MEDIATED_EMULATOR_H

#include "guest/lib/frame_service.h"
#include "host/machine/machine.h"

#define BLOCK           512u
#define BLOCKS_PER_PAGE 8u
#define MAX_PAGES       16u

/* What the guest writes into its memory: blocks from lba on, into these pages of its own. */
struct disk_request {
    uint64_t lba;
    uint32_t count; /* blocks: up to MAX_PAGES * BLOCKS_PER_PAGE */
    int32_t status; /* OUT */
    uint64_t gfns[MAX_PAGES];
};

struct emulator {
    struct machine_domain *guest; /* its memory, as the emulator's processor sees it */
    struct machine_device *disk;
    struct frame_client client;
    struct disk_request request; /* a copy: the guest may write on meanwhile */
    uint64_t request_at;
    struct frame_page pages[MAX_PAGES];
    uint32_t nr_pages;
    bool busy; /* the disk has bus frames of it */
    unsigned told;
};

/* With the server's id and ring in e->client. */
int emulator_start(struct emulator *e, struct frame_service *service);

/* Reads the request at a guest address, checks it, and maps its pages. */
int emulator_prepare(struct emulator *e, uint64_t request_at, unsigned flags);
/* The disk stores the blocks in the guest's pages. */
int emulator_move(struct emulator *e);
/* Handles what the hypervisor says, unmaps the pages, and tells the guest how it went. */
int emulator_finish(struct emulator *e, int status);

#endif
