/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of the NVMe driver share.
 */
#ifndef HOST_QEMU_NVME_QUEUE_H
#define HOST_QEMU_NVME_QUEUE_H

#include "nvme.h"

#define NVME_ENTRIES 64u /* a page of submission queue entries */
#define NVME_PAGE    4096u

/* Empty queues, as the controller sees them when it is switched on. */
void nvme_queue_reset(struct nvme_queue *queue, uint16_t id, void *sq, void *cq);
/* Submits and waits. -EIO: a status other than success. */
int nvme_execute(struct nvme *n, struct nvme_queue *queue, const struct nvme_command *command);

uint64_t nvme_now_ms(void);

#endif
