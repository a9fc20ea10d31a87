/* SPDX-License-Identifier: BSD-2-Clause */
/* attach_pasid and detach_pasid. */
#include "../core/pasid.h"
#include "call.h"

int decode_attach_pasid(struct call *call, const void *raw)
{
    const struct pv_iommu_attach_pasid *in = raw;
    struct reattach *move = &call->req.reattach;

    if (!in->pasid || in->pasid > pasid_max(call->d->s))
        return -EINVAL;
    move->ctx_no = in->ctx_no;
    move->rid = rid_of(in->dev.seg, in->dev.bus, in->dev.devfn);
    move->pasid = in->pasid;
    move->fresh = true;
    return context_resolve(call->d, in->ctx_no, CONTEXT_ANY, &move->generation);
}

long perform_attach_pasid(struct call *call)
{
    return attach_device(call->d, &call->req.reattach);
}

int decode_detach_pasid(struct call *call, const void *raw)
{
    const struct pv_iommu_detach_pasid *in = raw;

    if (!in->pasid)
        return -EINVAL;
    call->req.reattach.rid = rid_of(in->dev.seg, in->dev.bus, in->dev.devfn);
    call->req.reattach.pasid = in->pasid;
    return 0;
}

long perform_detach_pasid(struct call *call)
{
    return pasid_detach(call->d, call->req.reattach.rid, call->req.reattach.pasid, false);
}
