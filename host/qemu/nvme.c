/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The controller: off, on, identified, with I/O queues.
 */
#include <string.h>

#include "internal.h"
#include "nvme.h"
#include "nvme_queue.h"
#include "nvme_regs.h"
#include "qtest.h"

#define IO_QUEUE 1u

static int write_register(struct nvme *n, unsigned reg, unsigned size, uint64_t value)
{
    return qtest_write(n->q, n->registers + reg, size, value);
}

/* Until the bits have the value. */
static int await_status(struct nvme *n, uint64_t mask, uint64_t value, const char *what)
{
    uint64_t end = nvme_now_ms() + n->timeout_ms, status;

    for (;;) {
        int ret = qtest_read(n->q, n->registers + NVME_CSTS, 4, &status);

        if (ret)
            return ret;
        if ((status & mask) == value)
            return 0;
        if (value && (status & CSTS_CFS))
            return qemu_fail(n->q, -EIO, "NVMe %04x: %s: fatal status", n->function->id, what);
        if (nvme_now_ms() >= end)
            return qemu_fail(n->q, -ETIMEDOUT, "NVMe %04x: %s: no answer", n->function->id, what);
    }
}

static int switch_off(struct nvme *n)
{
    int ret = write_register(n, NVME_CC, 4, 0);

    n->admin = n->io = (struct nvme_queue){0};
    return ret ? ret : await_status(n, CSTS_RDY, 0, "reset");
}

int nvme_stop(struct nvme *n, bool orderly)
{
    uint64_t shutdown = FIELD_PREP(CC_SHN, CC_SHN_NORMAL), control;
    int ret = 0;

    if (orderly)
        ret = qtest_read(n->q, n->registers + NVME_CC, 4, &control);
    if (orderly && !ret && (control & CC_EN)) {
        ret = write_register(n, NVME_CC, 4, control | shutdown);
        if (!ret)
            ret = await_status(n, CSTS_SHST, FIELD_PREP(CSTS_SHST, CSTS_SHST_DONE), "shutdown");
    }
    return switch_off(n) ? -EIO : ret;
}

int nvme_open(struct qemu *q, const struct pci_function *function, struct nvme *out)
{
    int ret;

    *out = (struct nvme){
        .q = q, .function = function, .registers = function->bars[0].addr, .timeout_ms = 5000};
    if (function->class != NVME_CLASS || !out->registers)
        return qemu_fail(q, -ENODEV, "PCI %04x: not an NVMe controller", function->id);
    ret = pci_enable(q, function->id, true);
    if (!ret)
        ret = qtest_read(q, out->registers + NVME_CAP, 8, &out->capabilities);
    if (ret)
        return ret;
    if (!(out->capabilities & CAP_CSS) || FIELD_GET(CAP_MQES, out->capabilities) + 1 < NVME_ENTRIES)
        return qemu_fail(q, -EOPNOTSUPP, "NVMe %04x: no NVM commands, or short queues",
                         function->id);
    return switch_off(out);
}

static int switch_on(struct nvme *n)
{
    const struct nvme_page *sq = &n->pages[NVME_ADMIN_SQ], *cq = &n->pages[NVME_ADMIN_CQ];
    const uint64_t size = NVME_ENTRIES - 1;
    int ret;

    nvme_queue_reset(&n->admin, 0, sq->host, cq->host);
    ret = write_register(n, NVME_AQA, 4, size << 16 | size);
    if (!ret)
        ret = write_register(n, NVME_ASQ, 8, sq->addr);
    if (!ret)
        ret = write_register(n, NVME_ACQ, 8, cq->addr);
    if (!ret)
        ret = write_register(n, NVME_CC, 4,
                             CC_EN | FIELD_PREP(CC_IOSQES, 6) | FIELD_PREP(CC_IOCQES, 4));
    return ret ? ret : await_status(n, CSTS_RDY, CSTS_RDY, "switching on");
}

static int identify(struct nvme *n, uint32_t nsid, uint32_t what, uint64_t addr)
{
    const struct nvme_command c = {
        .opcode = ADMIN_IDENTIFY, .nsid = nsid, .prp1 = addr, .dw10 = what};

    return nvme_execute(n, &n->admin, &c);
}

int nvme_identify(struct nvme *n, uint64_t addr)
{
    return identify(n, 0, IDENTIFY_CONTROLLER, addr);
}

/* MDTS is log2 of pages, 0: no limit. A list of one page holds 512 more pages than PRP1. */
static int identify_controller(struct nvme *n)
{
    const uint8_t *data = n->pages[NVME_DATA].host;
    int ret = nvme_identify(n, n->pages[NVME_DATA].addr);

    if (ret)
        return ret;
    memcpy(n->serial, data + ID_CTRL_SERIAL, ID_CTRL_SERIAL_SIZE);
    n->max_bytes = 512 * NVME_PAGE;
    if (data[ID_CTRL_MDTS] && data[ID_CTRL_MDTS] < 9)
        n->max_bytes = NVME_PAGE << data[ID_CTRL_MDTS];
    return 0;
}

static int identify_namespace(struct nvme *n)
{
    const uint8_t *data = n->pages[NVME_DATA].host;
    uint8_t format, lg2;
    int ret = identify(n, 1, IDENTIFY_NAMESPACE, n->pages[NVME_DATA].addr);

    if (ret)
        return ret;
    memcpy(&n->blocks, data + ID_NS_SIZE, sizeof(n->blocks));
    format = data[ID_NS_FORMAT] & 0xf;
    lg2 = data[ID_NS_FORMATS + 4 * format + 2];
    if (lg2 < 9 || lg2 > 12 || !n->blocks)
        return qemu_fail(n->q, -EIO, "NVMe %04x: identify brought nothing that makes sense",
                         n->function->id);
    n->block_size = 1u << lg2;
    return 0;
}

static int create_queues(struct nvme *n, bool interrupts)
{
    const uint32_t size_and_id = (NVME_ENTRIES - 1) << 16 | IO_QUEUE;
    const struct nvme_page *sq = &n->pages[NVME_IO_SQ], *cq = &n->pages[NVME_IO_CQ];
    const struct nvme_command create_cq = {.opcode = ADMIN_CREATE_CQ,
                                           .prp1 = cq->addr,
                                           .dw10 = size_and_id,
                                           .dw11 = QUEUE_CONTIGUOUS |
                                                   (interrupts ? QUEUE_INTERRUPT | 1u << 16 : 0)};
    const struct nvme_command create_sq = {.opcode = ADMIN_CREATE_SQ,
                                           .prp1 = sq->addr,
                                           .dw10 = size_and_id,
                                           .dw11 = QUEUE_CONTIGUOUS | IO_QUEUE << 16};
    int ret;

    nvme_queue_reset(&n->io, IO_QUEUE, sq->host, cq->host);
    ret = nvme_execute(n, &n->admin, &create_cq);
    return ret ? ret : nvme_execute(n, &n->admin, &create_sq);
}

int nvme_start(struct nvme *n, const struct nvme_page pages[NVME_PAGES], bool interrupts)
{
    int ret = switch_off(n);

    if (ret)
        return ret;
    memcpy(n->pages, pages, sizeof(n->pages));
    memset(n->pages[NVME_DATA].host, 0, NVME_PAGE);
    ret = switch_on(n);
    if (!ret)
        ret = identify_controller(n);
    if (!ret)
        ret = identify_namespace(n);
    return ret ? ret : create_queues(n, interrupts);
}
