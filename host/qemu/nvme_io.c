/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading and writing blocks. Data is described by pages (PRP): the first may begin inside its
 * page; a second one stands in the command, more of them in a list.
 */
#include "internal.h"
#include "nvme.h"
#include "nvme_queue.h"
#include "nvme_regs.h"

int nvme_rw_prp(struct nvme *n, uint64_t lba, uint16_t nr, uint64_t prp1, uint64_t prp2, bool write)
{
    const struct nvme_command c = {.opcode = write ? IO_WRITE : IO_READ,
                                   .nsid = 1,
                                   .prp1 = prp1,
                                   .prp2 = prp2,
                                   .dw10 = (uint32_t)lba,
                                   .dw11 = (uint32_t)(lba >> 32),
                                   .dw12 = nr - 1u};

    if (!nr)
        return qemu_fail(n->q, -EINVAL, "NVMe: no blocks");
    return nvme_execute(n, &n->io, &c);
}

int nvme_flush(struct nvme *n)
{
    const struct nvme_command c = {.opcode = IO_FLUSH, .nsid = 1};

    return nvme_execute(n, &n->io, &c);
}

/* What goes into PRP2 for [addr, addr + bytes), filling the list where that is it. */
static uint64_t second_prp(struct nvme *n, uint64_t addr, uint64_t bytes)
{
    const uint64_t mask = NVME_PAGE - 1;
    uint64_t *list = n->pages[NVME_LIST].host, next = (addr & ~mask) + NVME_PAGE;
    uint64_t more = ((addr & mask) + bytes + mask) / NVME_PAGE - 1;

    if (more == 0)
        return 0;
    if (more == 1)
        return next;
    for (uint64_t i = 0; i < more; i++)
        list[i] = next + i * NVME_PAGE;
    return n->pages[NVME_LIST].addr;
}

int nvme_rw(struct nvme *n, uint64_t lba, uint32_t nr, uint64_t addr, bool write)
{
    uint32_t most;

    if (!n->block_size)
        return qemu_fail(n->q, -EINVAL, "NVMe %04x: not started", n->function->id);
    if (addr & 3)
        return qemu_fail(n->q, -EINVAL, "NVMe: an address that is not a dword's");
    if (lba > n->blocks || nr > n->blocks - lba)
        return qemu_fail(n->q, -ERANGE, "NVMe: beyond the %llu blocks of the disk",
                         (unsigned long long)n->blocks);
    most = n->max_bytes / n->block_size;
    while (nr) {
        uint16_t piece = (uint16_t)(nr < most ? nr : most);
        uint64_t bytes = (uint64_t)piece * n->block_size;
        int ret = nvme_rw_prp(n, lba, piece, addr, second_prp(n, addr, bytes), write);

        if (ret)
            return ret;
        addr += bytes;
        lba += piece;
        nr -= piece;
    }
    return 0;
}
