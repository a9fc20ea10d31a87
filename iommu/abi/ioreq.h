/* SPDX-License-Identifier: MIT */
/*
 * Requests to an emulator (an I/O request server), as in Xen's public headers: the buffered ring
 * that hypervisor and emulator share, and the one request that the frames ABI sends through it.
 *
 * The hypervisor writes slots and then write_pointer; the emulator reads slots and then adds their
 * number to read_pointer, atomically: the hypervisor takes multiples of the ring's number of slots
 * away from both pointers at any time. A slot is where its count, modulo that number, says. A value
 * that does not fit in 32 bits takes two slots: the second holds its high half in `data`.
 *
 * A request that finds no room comes as a synchronous one: the emulator asks the hypervisor for it,
 * and until it does, whoever caused the request waits.
 */
#ifndef __XEN_PUBLIC_IOREQ_H__
#define __XEN_PUBLIC_IOREQ_H__

#include <stdint.h>

/* `data`: a bus frame at which the emulator must not use what it mapped there any more. 8 is Xen's
 * own, for its map cache. */
#define IOREQ_TYPE_SLUICE_INVALIDATE 9

struct buf_ioreq {
    uint8_t type;
    uint8_t pad : 1;
    uint8_t dir : 1;  /* 1: read, 0: write */
    uint8_t size : 2; /* 0: 1 byte, 1: 2, 2: 4, 3: 8, which takes two slots */
    uint32_t addr : 20;
    uint32_t data;
};

#define IOREQ_BUFFER_SLOT_NUM 511 /* what fits into a page */

struct buffered_iopage {
    uint32_t read_pointer;
    uint32_t write_pointer;
    struct buf_ioreq buf_ioreq[IOREQ_BUFFER_SLOT_NUM];
};

#ifndef __cplusplus
_Static_assert(sizeof(struct buf_ioreq) == 8, "Xen's slot");
_Static_assert(sizeof(struct buffered_iopage) == 4096, "one page");
#endif

#endif
