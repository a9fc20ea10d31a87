/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_context and free_context. */
#include "../core/deferred.h"
#include "../core/identity.h"
#include "call.h"

#define ALLOC_FLAGS (IOMMU_ALLOC_identity | IOMMU_ALLOC_deferred)

int decode_alloc_context(struct call *call, const void *raw)
{
    const struct pv_iommu_alloc *in = raw;
    const uint16_t none = 0;

    if (in->alloc_flags & ~(uint32_t)ALLOC_FLAGS)
        return -EINVAL;
    if (in->alloc_flags == ALLOC_FLAGS)
        return -EINVAL; /* nothing is unmapped in an identity map */
    call->req.alloc.flags = in->alloc_flags;
    call->req.alloc.ctx_no = 0;
    call->req.alloc.cursor = 0;
    /* A context whose number cannot be told must not be made. */
    return call_put(call, offsetof(struct pv_iommu_alloc, ctx_no), &none, sizeof(none));
}

struct context *alloc_building(struct call *call)
{
    struct context *c = &call->d->ctx[call->req.alloc.ctx_no];

    if (c->state != CONTEXT_BUILDING || c->generation != call->req.alloc.generation)
        return NULL;
    return c;
}

static int begin(struct domain_locked l, struct call *call)
{
    struct context *c;
    int err =
        context_alloc(l, call->req.alloc.flags & IOMMU_ALLOC_identity, call->caller->serial, &c);

    if (err)
        return err;
    call->req.alloc.ctx_no = c->no;
    call->req.alloc.generation = c->generation;
    return call->req.alloc.flags & IOMMU_ALLOC_deferred ? deferred_init(c) : 0;
}

static long build(struct call *call)
{
    struct domain_locked l = domain_lock(call->d);
    struct context *c;
    int err = call->req.alloc.ctx_no ? 0 : begin(l, call);

    if (!err) {
        c = alloc_building(call);
        err = !c ? -EINVAL : c->identity ? identity_fill(l, c, &call->req.alloc.cursor) : 0;
    }
    domain_unlock(l);
    return err;
}

/* Bounded steps of taking what was built down again. */
static long unmake(struct call *call)
{
    struct domain_locked l = domain_lock(call->d);
    struct context *c = call->req.alloc.ctx_no ? alloc_building(call) : NULL;
    int err = c ? context_end(c) : 0;

    domain_unlock(l);
    return err ? err : call->req.alloc.status;
}

long alloc_perform(struct call *call, long (*make)(struct call *call), size_t ctx_no_at)
{
    long err;

    if (call->state == CALL_FREEING)
        return unmake(call);
    err = make(call);
    if (!err)
        err = call_put(call, ctx_no_at, &call->req.alloc.ctx_no, sizeof(uint16_t));
    if (!err)
        context_show(&call->d->ctx[call->req.alloc.ctx_no]);
    if (!err || err == -ERESTART)
        return err;
    call->req.alloc.status = (int)err;
    call->state = CALL_FREEING;
    return unmake(call);
}

long perform_alloc_context(struct call *call)
{
    return alloc_perform(call, build, offsetof(struct pv_iommu_alloc, ctx_no));
}

int decode_free_context(struct call *call, const void *raw)
{
    const struct pv_iommu_free *in = raw;

    if (in->ctx_no == IOMMU_DEFAULT_CONTEXT)
        return -EINVAL;
    if (in->free_flags & ~(uint32_t)IOMMU_FREE_reattach_default)
        return -EINVAL;
    call->req.free.ctx_no = in->ctx_no;
    call->req.free.reattach = in->free_flags & IOMMU_FREE_reattach_default;
    return context_resolve(call->d, in->ctx_no, CONTEXT_ANY, &call->req.free.generation);
}

/* After the point of no return only the emptying is left, whoever does it. */
static int end(struct call *call)
{
    struct context *c = &call->d->ctx[call->req.free.ctx_no];

    if (c->state != CONTEXT_DYING || c->generation != call->req.free.generation)
        return 0;
    return context_end(c);
}

long perform_free_context(struct call *call)
{
    struct domain_locked l = domain_lock(call->d);
    int err = 0;

    if (call->state != CALL_FREEING)
        err = context_free(l, call->req.free.ctx_no, call->req.free.generation,
                           call->req.free.reattach);
    if (!err) {
        call->state = CALL_FREEING;
        err = end(call);
    }
    domain_unlock(l);
    return err;
}
