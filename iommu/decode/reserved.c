/* SPDX-License-Identifier: BSD-2-Clause */
/* query_reserved. */
#include "../core/pin.h"
#include "pages.h"

_Static_assert(SLUICE_REGION_DIRECT == IOMMU_RANGE_direct &&
                   SLUICE_REGION_DIRECT_RELAXABLE == IOMMU_RANGE_direct_relaxable &&
                   SLUICE_REGION_RESERVED == IOMMU_RANGE_reserved &&
                   SLUICE_REGION_MSI == IOMMU_RANGE_msi && RANGE_ALLOWED == IOMMU_RANGE_allowed &&
                   SLUICE_REGION_SW_MSI == IOMMU_RANGE_sw_msi,
               "types of ranges have other numbers in the ABI");

#define PINS  ((uint32_t)(IOMMU_RESERVED_pin | IOMMU_RESERVED_unpin))
#define FLAGS ((uint32_t)(IOMMU_RESERVED_device | IOMMU_RESERVED_allowed) | PINS)

static bool flags_ok(uint32_t flags)
{
    if (flags & ~FLAGS)
        return false;
    if (flags & PINS && flags & IOMMU_RESERVED_device)
        return false;
    return !(flags & IOMMU_RESERVED_pin) || (flags & (IOMMU_RESERVED_allowed | PINS)) ==
                                                (IOMMU_RESERVED_allowed | IOMMU_RESERVED_pin);
}

int decode_query_reserved(struct call *call, const void *raw)
{
    const struct pv_iommu_query_reserved *in = raw;

    if (!flags_ok(in->flags))
        return -EINVAL;
    call->req.reserved.flags = in->flags;
    call->req.reserved.room = in->nr_ranges;
    call->req.reserved.array = in->ranges.q;
    call->req.reserved.ctx_no = in->ctx_no;
    call->req.reserved.rid = rid_of(in->dev.seg, in->dev.bus, in->dev.devfn);
    if (in->flags & IOMMU_RESERVED_device)
        return 0;
    return context_resolve(call->d, in->ctx_no, CONTEXT_ANY, &call->req.reserved.generation);
}

static uint32_t prot_to_abi(unsigned prot)
{
    return (uint32_t)((prot & PT_READ ? IOMMU_MAP_readable : 0) |
                      (prot & PT_WRITE ? IOMMU_MAP_writeable : 0));
}

static int put_ranges(const struct call *call, const struct ranges *r)
{
    int err = 0;

    for (unsigned i = 0; i < r->nr && !err; i++) {
        const struct pv_iommu_range out = {.first = r->at[i].first,
                                           .last = r->at[i].last,
                                           .type = r->at[i].type,
                                           .prot = prot_to_abi(r->at[i].prot)};

        err = call_put_array(call, call->req.reserved.array, i * sizeof(out), &out, sizeof(out));
    }
    return err;
}

/* The count last: who sees it sees the ranges. */
static int answer(const struct call *call, const struct ranges *r)
{
    const bool fits = r->nr <= call->req.reserved.room;
    const uint32_t nr = r->nr;
    int err = fits ? put_ranges(call, r) : 0;

    if (!err)
        err = call_put(call, offsetof(struct pv_iommu_query_reserved, nr_ranges), &nr, sizeof(nr));
    if (err)
        return err;
    return fits ? 0 : -EMSGSIZE;
}

static int gather(const struct call *call, struct ranges *r)
{
    int err;

    if (call->req.reserved.flags & IOMMU_RESERVED_device)
        err = ranges_of_device(call->d, call->req.reserved.rid, r);
    else
        err =
            ranges_of_context(call->d, call->req.reserved.ctx_no, call->req.reserved.generation, r);
    if (!err && call->req.reserved.flags & IOMMU_RESERVED_allowed)
        ranges_invert(r, (decode_last(call->d) << FRAME_LG2) | (FRAME_SIZE - 1));
    return err;
}

/* Pinned is what the guest has been told. */
long perform_query_reserved(struct call *call)
{
    const uint16_t ctx_no = call->req.reserved.ctx_no;
    const uint32_t generation = call->req.reserved.generation;
    struct ranges r;
    int err = 0;

    if (call->req.reserved.flags & IOMMU_RESERVED_unpin)
        err = pin_release(call->d, ctx_no, generation);
    if (!err)
        err = gather(call, &r);
    if (err)
        return err;
    err = answer(call, &r);
    if (!err && call->req.reserved.flags & IOMMU_RESERVED_pin)
        err = pin_ranges(call->d, ctx_no, generation, &r);
    ranges_free(call->d, &r);
    return err;
}
