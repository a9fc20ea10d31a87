/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's edu as a DMA engine (docs/specs/edu of QEMU). It moves bytes between memory and a buffer
 * of its own, which nobody but the device can reach. To fill and to read the buffer, one of:
 *
 *  - the window: the buffer found in QEMU's memory (process_vm_readv(2), which a parent may do to
 *    its child unless the system forbids it). The device then does what it is asked, and no other
 *    DMA: no faults that nobody asked for.
 *  - the bounce page: a page that the device reaches at an address of its own choice; each piece
 *    takes a second transfer, through the same context.
 */
#ifndef HOST_QEMU_EDU_H
#define HOST_QEMU_EDU_H

#include "pci.h"

#define EDU_VENDOR 0x1234u
#define EDU_DEVICE 0x11e8u

#define EDU_TRANSFER_MAX 4095u /* QEMU 7.2 aborts at 4096 */
#define EDU_POISON       0xee  /* in the buffer before a read */

struct edu {
    struct qemu *q;
    const struct pci_function *function;
    uint64_t registers;
    uint64_t window; /* of the buffer in QEMU; 0: none */
    void *bounce;
    uint64_t bounce_addr; /* as the device sees it */
};

/*
 * Enables the function and opens the window, or else leaves edu->window 0. `scratch` is a page of
 * RAM that the device reaches at its machine address now: call this before the IOMMU translates.
 * `function` must stay.
 */
int edu_open(struct qemu *q, const struct pci_function *function, uint64_t scratch,
             struct edu *out);
void edu_set_bounce(struct edu *edu, void *page, uint64_t addr);

/*
 * The device moves bytes between `data` and the address as it sees it, in pieces that stay in a
 * page. 0 says that the device has done it, not that memory let it: a blocked write changes
 * nothing, a blocked read gives EDU_POISON or zeros. -EOPNOTSUPP: neither window nor bounce page.
 * `write`: to memory.
 */
int edu_dma(struct edu *edu, uint64_t addr, void *data, size_t size, bool write);

/* One transfer between memory and the buffer at `offset`: offset + size <= EDU_TRANSFER_MAX. Any
 * address, pages crossed or not; `irq`: it raises 0x100 at its end. */
int edu_transfer(struct edu *edu, uint64_t addr, unsigned offset, unsigned size, bool write,
                 bool irq);

/* Raises an interrupt with these status bits (MSI when that is on), and lowers them. */
int edu_raise(struct edu *edu, uint32_t bits);
int edu_lower(struct edu *edu, uint32_t bits);

#endif
