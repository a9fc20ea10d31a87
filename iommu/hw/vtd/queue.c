/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation queue (6.5.2). Every submission waits for its own end, so the queue is empty
 * when the next one begins, and a submission may be as long as the ring less one.
 *
 * Reads of the queue and status writes snoop on every unit (ECAP.C is about tables only).
 */
#include "internal.h"

/* Where wait descriptors write, in the status page: a line each. */
#define STATUS_WAIT  0u
#define STATUS_FENCE 64u

static unsigned words(const struct vtd_unit *u)
{
    return u->scalable ? 4 : 2; /* wide descriptors in scalable mode, and only there */
}

static void write_descriptor(struct vtd_unit *u, uint64_t lo, uint64_t hi)
{
    uint64_t *at = (uint64_t *)port_page(u->config.port, u->queue) + (size_t)u->put * words(u);

    at[0] = lo;
    at[1] = hi;
    if (words(u) == 4)
        at[2] = at[3] = 0;
    u->put = (u->put + 1) % u->ring;
}

/* Two places stay free: for the wait, and because a full ring would look empty. */
int vtd_put(struct vtd_unit *u, uint64_t lo, uint64_t hi)
{
    const unsigned used = (u->put - u->tail) % u->ring;

    if (used + 2 >= u->ring)
        return -ENOSPC;
    write_descriptor(u, lo, hi);
    return 0;
}

/* Some units refuse a wait descriptor that tells nobody, so this one writes where nobody reads. */
int vtd_put_fence(struct vtd_unit *u)
{
    return vtd_put(u, VTD_DESC_WAIT | VTD_DESC_FN | VTD_DESC_SW,
                   (u->status.n << FRAME_LG2) + STATUS_FENCE);
}

void vtd_rewind(struct vtd_unit *u)
{
    u->put = u->tail;
}

static int queue_error(const struct vtd_unit *u, uint32_t fsts)
{
    vtd_error(u, "vtd_queue", -EIO, fsts, vtd_read64(u, VTD_IQERCD));
    return -EIO;
}

/* Only its own token counts; not the head, not an old token that comes late. */
static int wait_for(const struct vtd_unit *u, uint32_t token)
{
    const char *page = port_page(u->config.port, u->status);
    const uint32_t *status = (const uint32_t *)(const void *)(page + STATUS_WAIT);
    const struct vtd_deadline deadline = vtd_deadline(u);

    while (__atomic_load_n(status, __ATOMIC_ACQUIRE) != token) {
        const uint32_t fsts = vtd_read32(u, VTD_FSTS);

        if (fsts & (VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE))
            return queue_error(u, fsts);
        if (!vtd_too_late(u, deadline))
            continue;
        vtd_error(u, "vtd_queue", -ETIMEDOUT, vtd_read64(u, VTD_IQH), u->tail);
        return -ETIMEDOUT;
    }
    return 0;
}

int vtd_submit(struct vtd_unit *u)
{
    const uint32_t token = ++u->token ? u->token : ++u->token;
    const unsigned shift = words(u) == 4 ? 5 : 4;

    write_descriptor(u, VTD_DESC_WAIT | VTD_DESC_SW | FIELD_PREP(VTD_DESC_DATA, token),
                     (u->status.n << FRAME_LG2) + STATUS_WAIT);
    u->tail = u->put;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    vtd_write64(u, VTD_IQT, (uint64_t)u->tail << shift);
    return wait_for(u, token);
}

/* Head is 0 when the queue is turned on, so the tail must be too, before (11.4.4.1). */
int vtd_queue_start(struct vtd_unit *u)
{
    int err;

    vtd_write32(u, VTD_FSTS, VTD_FSTS_IQE | VTD_FSTS_ICE | VTD_FSTS_ITE);
    u->tail = u->put = 0;
    vtd_write64(u, VTD_IQT, 0);
    vtd_write64(u, VTD_IQA,
                FIELD_PREP(VTD_IQA_IQA, u->queue.n) |
                    FIELD_PREP(VTD_IQA_QS, u->config.queue_order) |
                    (words(u) == 4 ? VTD_IQA_DW : 0));
    err = vtd_set(u, VTD_GCMD_QIE);
    u->hw.queued = u->queued = !err;
    return err;
}

/* It is to be idle first; one that has stopped, or hangs, never is. */
int vtd_queue_stop(struct vtd_unit *u)
{
    const struct vtd_deadline deadline = vtd_deadline(u);

    u->hw.queued = u->queued = false;
    if (!(u->gcmd & VTD_GCMD_QIE))
        return 0;
    while ((vtd_read64(u, VTD_IQH) ^ vtd_read64(u, VTD_IQT)) & VTD_IQ_INDEX)
        if (vtd_read32(u, VTD_FSTS) & VTD_FSTS_IQE || vtd_too_late(u, deadline))
            break;
    return vtd_clear(u, VTD_GCMD_QIE);
}
