/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Queues: a submission queue that the controller reads, a completion queue that it writes. The
 * phase bit of a completion flips with each round, so that a new one is told from an old one.
 */
#include <sched.h>
#include <string.h>
#include <time.h>

#include "internal.h"
#include "nvme_queue.h"
#include "nvme_regs.h"
#include "qtest.h"

_Static_assert(sizeof(struct nvme_command) == 64, "a submission queue entry");

uint64_t nvme_now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void nvme_queue_reset(struct nvme_queue *queue, uint16_t id, void *sq, void *cq)
{
    *queue = (struct nvme_queue){.sq = sq, .cq = cq, .id = id, .phase = true};
    memset(sq, 0, NVME_PAGE);
    memset(cq, 0, NVME_PAGE);
}

static uint64_t doorbell(const struct nvme *n, const struct nvme_queue *queue, bool completion)
{
    uint64_t stride = (uint64_t)4 << FIELD_GET(CAP_DSTRD, n->capabilities);

    return n->registers + NVME_DBS + (2u * queue->id + completion) * stride;
}

int nvme_submit(struct nvme *n, struct nvme_queue *queue, const struct nvme_command *command)
{
    struct nvme_command *entry;

    if (!queue->sq)
        return qemu_fail(n->q, -EINVAL, "NVMe %04x: not started", n->function->id);
    entry = &queue->sq[queue->tail];
    *entry = *command;
    entry->id = queue->next_id++;
    queue->tail = (uint16_t)((queue->tail + 1) % NVME_ENTRIES);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    return qtest_post(n->q, doorbell(n, queue, false), 4, queue->tail);
}

static bool completed(const struct nvme_queue *queue)
{
    uint32_t last = queue->cq[(size_t)queue->head * CQE_DWORDS + 3];

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return (FIELD_GET(CQE_PHASE, last) != 0) == queue->phase;
}

/* A read of the status lets QEMU work, and tells of a controller that has given up. */
static int await(struct nvme *n, const struct nvme_queue *queue)
{
    uint64_t end = nvme_now_ms() + n->timeout_ms, status;

    while (!completed(queue)) {
        int ret = qtest_read(n->q, n->registers + NVME_CSTS, 4, &status);

        if (ret)
            return ret;
        if (completed(queue))
            break;
        if (status & CSTS_CFS)
            return qemu_fail(n->q, -EIO, "NVMe %04x: fatal status", n->function->id);
        if (nvme_now_ms() >= end)
            return qemu_fail(n->q, -ETIMEDOUT, "NVMe %04x: no completion", n->function->id);
        sched_yield();
    }
    return 0;
}

int nvme_wait(struct nvme *n, struct nvme_queue *queue, struct nvme_completion *out)
{
    volatile uint32_t *entry;
    int ret;

    if (!queue->cq)
        return qemu_fail(n->q, -EINVAL, "NVMe %04x: not started", n->function->id);
    ret = await(n, queue);
    if (ret)
        return ret;
    entry = &queue->cq[(size_t)queue->head * CQE_DWORDS];
    out->result = entry[0];
    out->id = (uint16_t)FIELD_GET(CQE_ID, entry[3]);
    out->status = (uint16_t)FIELD_GET(CQE_STATUS, entry[3]);
    n->status = out->status;
    queue->head = (uint16_t)((queue->head + 1) % NVME_ENTRIES);
    if (queue->head == 0)
        queue->phase = !queue->phase;
    /* Nothing waits for this one: it may go with the next command. */
    return qtest_put(n->q, doorbell(n, queue, true), 4, queue->head);
}

int nvme_execute(struct nvme *n, struct nvme_queue *queue, const struct nvme_command *command)
{
    struct nvme_completion done = {0};
    int ret = nvme_submit(n, queue, command);

    if (!ret)
        ret = nvme_wait(n, queue, &done);
    if (ret || !done.status)
        return ret;
    return qemu_fail(n->q, -EIO, "NVMe %04x: command 0x%x: status 0x%x", n->function->id,
                     command->opcode, done.status);
}
