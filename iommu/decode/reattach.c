/* SPDX-License-Identifier: BSD-2-Clause */
/* reattach_device. */
#include "call.h"

int decode_reattach_device(struct call *call, const void *raw)
{
    const struct pv_iommu_reattach_device *in = raw;

    if (in->pasid && !(capabilities_of(call->d) & IOMMUCAP_pasid))
        return -EOPNOTSUPP;
    call->req.reattach.pasid = in->pasid;
    call->req.reattach.ctx_no = in->ctx_no;
    call->req.reattach.rid = rid_of(in->dev.seg, in->dev.bus, in->dev.devfn);
    return context_resolve(call->d, in->ctx_no, CONTEXT_ANY, &call->req.reattach.generation);
}

long perform_reattach_device(struct call *call)
{
    return attach_device(call->d, &call->req.reattach);
}
