/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypervisor made of functions: a bus-frame space as a table, guests that have gfns below
 * FAKE_GFNS, and failures on request.
 */
#ifndef TEST_GUEST_FAKE_H
#define TEST_GUEST_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/lib/frame_service.h"

#define FAKE_FIRST 0x1000u
#define FAKE_GFNS  1000u
#define FAKE_BFNS  256u /* from FAKE_FIRST on; lookups: bfn is FAKE_FIRST + gfn % FAKE_BFNS */

struct fake_entry {
    unsigned mapped; /* lookup: answers */
    uint16_t domid, server, flags;
    uint64_t gfn;
};

struct fake {
    struct frame_host host;
    struct fake_entry at[FAKE_BFNS];
    bool no_map;
    unsigned calls, elements, most; /* most: in one call */
    long call_fails;                /* this, after `after` elements; once */
    unsigned after;
    bool unwritten; /* the element after those is done, only its status is not written */
    int map_fails, unmap_fails; /* status of the next one */
    struct ioreq_request synchronous;
    bool has_synchronous;
};

struct emulator {
    struct frame_client client;
    struct buffered_iopage page;
    unsigned told, others;
    uint64_t told_gfn, told_bfn;
    bool done;                /* what it answers */
    struct frame_page *unmap; /* or it unmaps this in the middle */
    bool noisy;               /* other requests never end */
};

void fake_init(struct fake *f);
unsigned fake_mapped(const struct fake *f);
void fake_emulator(struct emulator *e, uint16_t domid, uint16_t server);
/* The emulator's server is told of a bus frame. */
void fake_tell(struct emulator *e, uint64_t bfn);

#endif
