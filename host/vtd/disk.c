/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * NVMe: blocks between the disk and memory as the controller sees it. It reports success for data
 * that was blocked, so fault records are what counts, and where QEMU leaves none (a cached
 * translation that lacks the right), whether a poisoned buffer is still poisoned.
 */
#include <stdlib.h>
#include <string.h>

#include "vtd.h"

#define BLOCK  512u
#define POISON 0xdb

bool vtd_mailbox(struct machine *m, rid_t rid, struct sluice_region *out)
{
    const struct vtd_state *state = m->state;

    for (unsigned i = 0; i < m->config.nr_slots; i++) {
        const struct vtd_slot *slot = &state->slots[i];

        if (m->config.slots[i].rids[0].n != rid.n || slot->kind != MACHINE_NVME)
            continue;
        *out = (struct sluice_region){
            .first = slot->mailbox.n << FRAME_LG2,
            .last = ((slot->mailbox.n + NVME_PAGES) << FRAME_LG2) - 1,
            .type = SLUICE_REGION_DIRECT,
            .prot = PT_READ | PT_WRITE,
        };
        return true;
    }
    return false;
}

/* Both queues may interrupt, but for that their messages are masked. */
static int mask_messages(const struct nvme *n)
{
    int err = pci_msix(n->q, n->function, 0, 0, 0, true);

    if (!err)
        err = pci_msix(n->q, n->function, 1, 0, 0, true);
    return err ? err : pci_msix_enable(n->q, n->function, true);
}

int vtd_disk_start(struct machine_device *dev)
{
    struct vtd_slot *slot = dev->state;
    struct nvme_page pages[NVME_PAGES];
    int err;

    for (unsigned i = 0; i < NVME_PAGES; i++) {
        pages[i].addr = (slot->mailbox.n + i) << FRAME_LG2;
        pages[i].host = ram_at(&dev->m->ram, pages[i].addr);
    }
    err = mask_messages(&slot->nvme);
    if (!err)
        err = nvme_start(&slot->nvme, pages, true);
    slot->started = !err;
    return err;
}

/* The memory that blocks will come to, one piece a page, and what was in it. */
struct buffer {
    struct machine_device *dev;
    uint64_t addr;
    size_t size;
    unsigned char *was; /* NULL: no memory for it, then poison says nothing */
};

typedef void (*each_piece)(void *at, unsigned char *was, size_t size, bool *untouched);

static void poison(void *at, unsigned char *was, size_t size, bool *untouched)
{
    (void)untouched;
    memcpy(was, at, size);
    memset(at, POISON, size);
}

/* Still poisoned: nothing came. What was there before is put back. */
static void judge(void *at, unsigned char *was, size_t size, bool *untouched)
{
    const unsigned char *p = at;

    for (size_t i = 0; i < size; i++)
        if (p[i] != POISON)
            return;
    memcpy(at, was, size);
    *untouched = true;
}

static bool each(const struct buffer *b, each_piece piece)
{
    bool untouched = false;

    for (size_t done = 0, n; b->was && done < b->size; done += n) {
        void *at = vtd_where(b->dev, b->addr + done);

        n = FRAME_SIZE - (b->addr + done) % FRAME_SIZE;
        if (n > b->size - done)
            n = b->size - done;
        if (at)
            piece(at, b->was + done, n, &untouched);
    }
    return untouched;
}

static int move(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
                bool *dropped)
{
    struct vtd_slot *slot = dev->state;
    struct buffer b = {dev, addr, (size_t)count * BLOCK, NULL};
    int err = slot->started ? 0 : vtd_disk_start(dev);

    if (err)
        return err;
    if (!write)
        b.was = malloc(b.size);
    (void)each(&b, poison);
    err = nvme_rw(&slot->nvme, lba, count, addr, write);
    *dropped = each(&b, judge);
    free(b.was);
    return err;
}

int vtd_disk(struct machine_device *dev, uint64_t lba, uint32_t count, uint64_t addr, bool write,
             enum hw_reason *reason)
{
    struct vtd_state *state = dev->m->state;
    struct vtd_slot *slot = dev->state;
    struct hw_fault fault;
    bool dropped = false;
    int err = move(dev, lba, count, addr, write, &dropped);

    if (dev->unit && vtd_faults_look(dev->unit, slot->requester, &fault))
        *reason = fault.reason;
    else if (dev->unit && dev->unit->failed)
        *reason = HW_REASON_UNIT;
    else if (!err && dropped)
        *reason = HW_REASON_NO_WRITE;
    if (*reason != HW_REASON_NONE)
        err = -EACCES;
    if (err == -ETIMEDOUT || err == -EACCES)
        slot->started = false; /* it may have missed its queues too */
    if (err && err != -EACCES && err != -ERANGE)
        return machine_fail(dev->m, err, "nvme: %s", qemu_error(state->q));
    return err;
}
