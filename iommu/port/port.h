/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All that a host must supply. The library keeps no global state: whatever it needs comes through
 * one struct sluice_port, whose `host` pointer is handed back as the first argument of every call.
 * port/template/ is a port that compiles and does nothing; docs/porting.md walks through it.
 *
 * Every function must be present. Errors are negative numbers from abi/errno.h.
 */
#ifndef SLUICE_PORT_PORT_H
#define SLUICE_PORT_PORT_H

#include "../abi/errno.h"
#include "types.h"

/* The only functions that the library takes from outside the port. */
void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *at, int byte, size_t size);
int memcmp(const void *a, const void *b, size_t size);

/* A lock of the host's; all zero is unlocked. The library never copies one that is in use. */
struct sluice_lock {
    uint64_t opaque[2];
};

enum sluice_event_kind {
    SLUICE_EVENT_ERROR,       /* a resource or the hardware failed; `error` says how */
    SLUICE_EVENT_UNIT_FAILED, /* a unit did not complete an invalidation; it now blocks all DMA and
                                 all remapped interrupts */
    SLUICE_EVENT_FRAMES_LOST, /* `a` frames stay referenced for ever because of a failed unit */
    SLUICE_EVENT_QUARANTINE,  /* device with requester id `a` is blocked */
    /*
     * A domain was not given the device with requester id `a`, because it can raise interrupts that
     * were not set up for it; `b` says why (enum hw_isolation). Or it was, because the instance
     * allows that: told once for each device.
     */
    SLUICE_EVENT_UNSAFE_REFUSED,
    SLUICE_EVENT_UNSAFE_ALLOWED,
    SLUICE_EVENT_PLATFORM, /* what is said of the device with requester id `a` contradicts itself:
                              it has `b` windows for doorbells, or one beside an MSI region */
};

/* Something an administrator may want to know. `where` is a static string, never guest data. */
struct sluice_event {
    enum sluice_event_kind kind;
    int error;
    const char *where;
    uint64_t a, b;
};

struct sluice_port {
    void *host;

    /*
     * Where the host sees machine address 0. Only pages from alloc_page are reached through it, so
     * a host without a whole direct map needs one for its table pool only.
     */
    void *direct_map;

    /*
     * Pages for translation tables and the reverse map, and one scratch page for each domain that
     * needs it, which devices may write: 4 KiB, zeroed. 0 or -ENOMEM.
     */
    int (*alloc_page)(void *host, mfn_t *page);
    void (*free_page)(void *host, mfn_t page);

    /* Small objects: zeroed, aligned to 16. NULL when there is no memory. */
    void *(*alloc)(void *host, size_t size);
    void (*free)(void *host, void *object, size_t size);

    /* The last reference on a domain's frame is gone: no CPU map, no device reaches it; reuse it.
     */
    void (*release_frame)(void *host, mfn_t frame);

    /*
     * Guest memory, by guest address as it came in the call; `guest` is the cookie of the domain
     * whose memory it is. 0, or -EFAULT with nothing copied. The library reads each byte at most
     * once a call.
     */
    int (*copy_from_guest)(void *host, void *guest, void *to, uint64_t from, size_t size);
    int (*copy_to_guest)(void *host, void *guest, uint64_t to, const void *from, size_t size);

    /*
     * Memory of domains, by frame, for what hardware reads and writes there: guests' tables and
     * queues. Within the frame; an aligned access of 4 or 8 bytes is one access, and so is each
     * 8 bytes of a read of several; nothing is read twice.
     */
    void (*read_frame)(void *host, mfn_t frame, unsigned offset, void *to, size_t size);
    void (*write_frame)(void *host, mfn_t frame, unsigned offset, const void *from, size_t size);

    /*
     * Policy: may domain `caller` do `subop` on domain `target`? Sub-ops of the frames ABI come as
     * SLUICE_FRAMES_SUBOP + IOMMUOP_*. Asked before it is known whether the target exists, so that
     * a caller without the privilege cannot probe for domains.
     */
    bool (*may_control)(void *host, uint16_t caller, uint16_t target, unsigned subop);

    /*
     * A synchronous request waits for the I/O server with this cookie: let its emulator take it
     * (sluice_ioreq_take). Called with locks held: note it, and return.
     */
    void (*ioreq)(void *host, void *cookie);

    /*
     * The vIOMMU of the domain with this cookie raises an interrupt of its own: a message as the
     * guest programmed it, which it does not remap. Called with locks held: note it, and return.
     */
    void (*deliver)(void *host, void *guest, uint64_t address, uint32_t data);

    /* Locks do not nest in themselves; the order is in DESIGN.md. */
    void (*lock)(void *host, struct sluice_lock *lock);
    void (*unlock)(void *host, struct sluice_lock *lock);

    /* Should the call running now stop at the next safe point and be continued later? */
    bool (*preempt)(void *host);

    /* Monotonic time for bounded waits, and what to do while waiting. */
    uint64_t (*now_ns)(void *host);
    void (*relax)(void *host);

    /*
     * Make CPU writes to [p, p + size) visible to a walker that does not snoop, and order them
     * before later ones. Called only for units that say they are not coherent.
     */
    void (*writeback)(void *host, const void *p, size_t size);

    /* Registers of hardware, by machine address; size 4 or 8. */
    uint64_t (*mmio_read)(void *host, uint64_t maddr, unsigned size);
    void (*mmio_write)(void *host, uint64_t maddr, unsigned size, uint64_t value);

    void (*event)(void *host, const struct sluice_event *event);

    /* A bug in the library: does not return. Never reachable from guest, device or emulator input.
     */
    void (*panic)(void *host, const char *what) __attribute__((noreturn));
};

#define SLUICE_FRAMES_SUBOP 0x10000u

#define SLUICE_STR1(x) #x
#define SLUICE_STR(x)  SLUICE_STR1(x)

/* What cannot happen. `port` is a const struct sluice_port *. */
#define CHECK(port, condition)                                                              \
    do {                                                                                    \
        if (__builtin_expect(!(condition), 0))                                              \
            (port)->panic((port)->host, __FILE__ ":" SLUICE_STR(__LINE__) ": " #condition); \
    } while (0)

static inline void *port_page(const struct sluice_port *port, mfn_t page)
{
    return (char *)port->direct_map + (page.n << FRAME_LG2);
}

#endif
