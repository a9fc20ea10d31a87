/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulator.h"

#include <stddef.h>

#define GONE UINT64_MAX

/*
 * The guest gave a page up. While the disk has it, it stays mapped: emulator_finish() will unmap
 * it.
 */
static bool invalidate(void *arg, uint64_t gfn, uint64_t bfn)
{
    struct emulator *e = arg;

    (void)gfn;
    e->told++;
    if (e->busy)
        return false;
    for (uint32_t i = 0; i < e->nr_pages; i++)
        if (e->pages[i].bfn == bfn)
            e->pages[i].bfn = GONE;
    return true;
}

int emulator_start(struct emulator *e, struct frame_service *service)
{
    e->client.invalidate = invalidate;
    e->client.arg = e;
    return frame_join(service, &e->client);
}

/* Read once, then checked: the guest is not trusted with any of it. */
static int get_request(struct emulator *e, uint64_t at)
{
    struct disk_request *r = &e->request;

    e->request_at = at;
    e->nr_pages = 0;
    if (machine_guest_read(e->guest, at, r, sizeof(*r)))
        return -EFAULT;
    if (!r->count || r->count > MAX_PAGES * BLOCKS_PER_PAGE || r->lba > UINT64_MAX - r->count)
        return -EINVAL;
    e->nr_pages = (r->count + BLOCKS_PER_PAGE - 1) / BLOCKS_PER_PAGE;
    for (uint32_t i = 0; i < e->nr_pages; i++)
        e->pages[i].gfn = r->gfns[i];
    return 0;
}

int emulator_prepare(struct emulator *e, uint64_t request_at, unsigned flags)
{
    int err = get_request(e, request_at);

    if (!err)
        err = frame_map(&e->client, e->pages, e->nr_pages,
                        flags | IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable);
    if (err)
        e->nr_pages = 0;
    return err;
}

static uint32_t blocks_in_page(const struct disk_request *r, uint32_t page)
{
    const uint32_t left = r->count - page * BLOCKS_PER_PAGE;

    return left < BLOCKS_PER_PAGE ? left : BLOCKS_PER_PAGE;
}

int emulator_move(struct emulator *e)
{
    const struct disk_request *r = &e->request;
    enum hw_reason reason;
    int err = 0;

    e->busy = true;
    for (uint32_t i = 0; i < e->nr_pages && !err; i++)
        err = machine_disk(e->disk, r->lba + (uint64_t)i * BLOCKS_PER_PAGE, blocks_in_page(r, i),
                           e->pages[i].bfn << 12, false, &reason);
    e->busy = false;
    return err;
}

int emulator_finish(struct emulator *e, int status)
{
    const int32_t result = status;
    int err = frame_poll(&e->client), one;

    for (uint32_t i = 0; i < e->nr_pages; i++) {
        one = e->pages[i].bfn == GONE ? 0 : frame_unmap(&e->client, &e->pages[i], 1);
        if (!err)
            err = one;
    }
    e->nr_pages = 0;
    (void)machine_guest_write(e->guest, e->request_at + offsetof(struct disk_request, status),
                              &result, sizeof(result));
    return err;
}
