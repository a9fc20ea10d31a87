/* SPDX-License-Identifier: BSD-2-Clause */
/* alloc_nested and flush_nested. */
#include "../core/nested.h"

#include "call.h"

#define ADDRESS_BITS 52u /* guests have no addresses beyond */

struct guest_format {
    enum pt_format_id id;
    uint8_t levels, iova_bits;
};

/*
 * Addresses that devices use are those of the canonical lower half: the other half would need sign
 * extension, which units do not do.
 */
static const struct guest_format formats[] = {
    [IOMMU_NESTED_x86_4level] = {PT_FORMAT_X86, 4, 47},
    [IOMMU_NESTED_x86_5level] = {PT_FORMAT_X86, 5, 56},
    [IOMMU_NESTED_lpae_stage1] = {PT_FORMAT_LPAE1, 4, 48},
};

static bool is_format(uint64_t flags)
{
    return flags < sizeof(formats) / sizeof(formats[0]) && formats[flags].levels;
}

int decode_alloc_nested(struct call *call, const void *raw)
{
    const struct pv_iommu_alloc_nested *in = raw;
    const uint16_t none = 0;

    if (in->pgtable_gfn >> (ADDRESS_BITS - FRAME_LG2))
        return -EINVAL;
    if (!is_format(in->nested_flags))
        return -EINVAL;
    call->req.alloc.root = gfn_of(in->pgtable_gfn);
    call->req.alloc.format = (uint32_t)in->nested_flags;
    /* A context whose number cannot be told must not be made. */
    return call_put(call, offsetof(struct pv_iommu_alloc_nested, ctx_no), &none, sizeof(none));
}

static struct hw_first_stage table_of(const struct call *call)
{
    const struct guest_format *f = &formats[call->req.alloc.format];
    const struct pt_format *format = pt_format(f->id);
    const uint8_t width = call->d->s->geo.iova_bits;

    return (struct hw_first_stage){
        .root = call->req.alloc.root.n << FRAME_LG2,
        .geo = {.format = format,
                .levels = f->levels,
                .iova_bits = f->iova_bits < width ? f->iova_bits : width,
                .leaf_sizes = format->leaf_sizes},
    };
}

static int begin(struct call *call)
{
    const struct hw_first_stage table = table_of(call);
    struct domain_locked l = domain_lock(call->d);
    struct context *c;
    int err = nested_alloc(l, &table, NESTED_BY_HARDWARE_IF_IT_CAN, call->caller->serial, &c);

    if (!err) {
        call->req.alloc.ctx_no = c->no;
        call->req.alloc.generation = c->generation;
    }
    domain_unlock(l);
    return err;
}

/* What the table has already is in effect from the start. */
static long build(struct call *call)
{
    int err = call->req.alloc.ctx_no ? 0 : begin(call);

    if (err)
        return err;
    return nested_flush(call->d, call->req.alloc.ctx_no, call->req.alloc.generation, dfn_of(0),
                        dfn_of(UINT64_MAX), &call->req.alloc.filling);
}

long perform_alloc_nested(struct call *call)
{
    return alloc_perform(call, build, offsetof(struct pv_iommu_alloc_nested, ctx_no));
}

int decode_flush_nested(struct call *call, const void *raw)
{
    const struct pv_iommu_flush_nested *in = raw;
    const bool all = in->flags & IOMMU_FLUSH_all;

    if (in->pad)
        return -EINVAL;
    if (in->flags & ~(uint32_t)IOMMU_FLUSH_all)
        return -EINVAL;
    if (!all && (!in->nr_pages || in->dfn + in->nr_pages - 1 < in->dfn))
        return -EINVAL;
    call->req.nested.ctx_no = in->ctx_no;
    call->req.nested.first = dfn_of(all ? 0 : in->dfn);
    call->req.nested.last = dfn_of(all ? UINT64_MAX : in->dfn + in->nr_pages - 1);
    return context_resolve(call->d, in->ctx_no, CONTEXT_NESTED, &call->req.nested.generation);
}

long perform_flush_nested(struct call *call)
{
    return nested_flush(call->d, call->req.nested.ctx_no, call->req.nested.generation,
                        call->req.nested.first, call->req.nested.last, &call->req.nested.at);
}
