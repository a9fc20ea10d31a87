/* SPDX-License-Identifier: BSD-2-Clause */
/* reattach_device. */
#include "../core/deferred.h"
#include "call.h"

int decode_reattach_device(struct call *call, const void *raw)
{
    const struct pv_iommu_reattach_device *in = raw;

    if (in->pasid)
        return -EOPNOTSUPP;
    call->req.reattach.ctx_no = in->ctx_no;
    call->req.reattach.rid = rid_of(in->dev.seg, in->dev.bus, in->dev.devfn);
    return context_resolve(call->d, in->ctx_no, CONTEXT_ANY, &call->req.reattach.generation);
}

static int attach(struct call *call)
{
    struct domain_locked l = domain_lock(call->d);
    int err = attach_device(l, call->req.reattach.rid, call->req.reattach.ctx_no,
                            call->req.reattach.generation);

    domain_unlock(l);
    return err;
}

/* What is in the way of the device's regions may be unmapped, and pending. Asked once. */
long perform_reattach_device(struct call *call)
{
    struct context *to = &call->d->ctx[call->req.reattach.ctx_no];
    int err = attach(call);

    if (err != -EBUSY || call->req.reattach.settled)
        return err;
    err = deferred_settle(to, call->req.reattach.generation, &call->req.reattach.until);
    if (err == -ERESTART)
        return err;
    call->req.reattach.settled = true;
    return attach(call);
}
