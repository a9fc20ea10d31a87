/* SPDX-License-Identifier: BSD-2-Clause */
#include "ioreq_ring.h"

#define SIZE_8 3u /* `size` of a value that takes two slots */

/*
 * Both pointers as they were at one time: the reader's own, read before and after, is the same.
 * What the hypervisor wrote before write_pointer is seen after it.
 */
static void get_pointers(const struct buffered_iopage *page, uint32_t *read, uint32_t *write)
{
    do {
        *read = __atomic_load_n(&page->read_pointer, __ATOMIC_ACQUIRE);
        *write = __atomic_load_n(&page->write_pointer, __ATOMIC_ACQUIRE);
    } while (*read != __atomic_load_n(&page->read_pointer, __ATOMIC_ACQUIRE));
}

/* The slots are the hypervisor's again once this is seen, so they were read before. */
static void put_back(struct buffered_iopage *page, uint32_t nr)
{
    __atomic_fetch_add(&page->read_pointer, nr, __ATOMIC_RELEASE);
}

int ioreq_ring_next(const struct ioreq_ring *ring, struct ioreq_request *out)
{
    struct buffered_iopage *page = ring->page;
    struct buf_ioreq slot;
    uint32_t read, write, nr = 1;

    get_pointers(page, &read, &write);
    if (read == write)
        return -ENODATA;
    if (write - read > ring->nr_slots)
        return -EIO;
    slot = page->buf_ioreq[read % ring->nr_slots];
    *out = (struct ioreq_request){.type = slot.type,
                                  .read = slot.dir,
                                  .size = (uint8_t)(1u << slot.size),
                                  .addr = slot.addr,
                                  .data = slot.data};
    if (slot.size == SIZE_8) {
        if (write - read < 2)
            return -EIO;
        out->data |= (uint64_t)page->buf_ioreq[(read + 1) % ring->nr_slots].data << 32;
        nr = 2;
    }
    put_back(page, nr);
    return 0;
}
