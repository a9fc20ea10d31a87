/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * batch: one element after the other, fetched when its turn comes and then run as a call of its
 * own, whose state is that of the struct call. Between two there may be a preemption, as inside.
 */
#include "call.h"

int decode_batch(struct call *call, const void *raw)
{
    const struct pv_iommu_batch *in = raw;

    call->batch.nr = in->nr;
    call->batch.next = 0;
    call->batch.arg = call->arg;
    call->batch.elements = in->elements.q;
    call->batch.begun = false;
    call->batch.running = true;
    return 0;
}

long perform_batch(struct call *call)
{
    (void)call;
    return 0; /* batch_run comes next */
}

static uint64_t offset_of_next(const struct call *call)
{
    return (uint64_t)call->batch.next * sizeof(struct pv_iommu_batch_element);
}

static int put_status(const struct call *call, long status)
{
    const int32_t value = (int32_t)status;

    return call_put_array(call, call->batch.elements,
                          offset_of_next(call) + offsetof(struct pv_iommu_batch_element, status),
                          &value, sizeof(value));
}

/* A status is written first, one that no call ends with: what cannot be reported is not done. */
static int begin(struct call *call)
{
    struct pv_iommu_batch_element element;
    int err =
        call_get_array(call, call->batch.elements, offset_of_next(call), &element, sizeof(element));

    if (!err)
        err = put_status(call, -ERESTART);
    if (err)
        return err;
    call_begin(call, (int)element.subop, element.arg.q);
    call->batch.begun = true;
    return 0;
}

/* 0: done, whatever its status. -ERESTART, -EFAULT. */
static int run_element(struct call *call)
{
    int err = call->batch.begun ? 0 : begin(call);
    long status = -EINVAL;

    if (err)
        return err;
    if (call->caller->dying)
        return -ENODEV;
    if (call->subop != IOMMU_batch)
        status = call_run(call);
    if (status == -ERESTART)
        return -ERESTART;
    err = put_status(call, status);
    call->batch.begun = false;
    call->batch.next++;
    return err;
}

static int run_elements(struct call *call)
{
    const struct sluice_port *port = call->caller->s->port;
    int err = 0;

    while (call->batch.next < call->batch.nr && !err) {
        err = run_element(call);
        if (!err && call->batch.next < call->batch.nr && port->preempt(port->host))
            err = -ERESTART;
    }
    return err;
}

long batch_run(struct call *call)
{
    const uint32_t *done = &call->batch.next;
    const int err = run_elements(call);

    if (err == -ERESTART)
        return err;
    if (call_put_array(call, call->batch.arg, offsetof(struct pv_iommu_batch, done), done,
                       sizeof(*done)))
        return -EFAULT;
    return err;
}
