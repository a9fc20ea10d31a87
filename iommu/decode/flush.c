/* SPDX-License-Identifier: BSD-2-Clause */
/* flush_context. */
#include "../core/deferred.h"
#include "call.h"

int decode_flush_context(struct call *call, const void *raw)
{
    const struct pv_iommu_flush_context *in = raw;

    if (in->pad)
        return -EINVAL;
    call->req.flush.ctx_no = in->ctx_no;
    call->req.flush.until = 0;
    return context_resolve(call->d, in->ctx_no, CONTEXT_LOOKUP, &call->req.flush.generation);
}

long perform_flush_context(struct call *call)
{
    struct context *c = &call->d->ctx[call->req.flush.ctx_no];

    return deferred_settle(c, call->req.flush.generation, &call->req.flush.until);
}
