/* SPDX-License-Identifier: BSD-2-Clause */
/* query_caps, map_page, unmap_page. */
#include "frames.h"

int decode_order(const struct frames_op *op, uint16_t known_flags, unsigned *order)
{
    const uint16_t flags = op->element->flags;

    if (flags & ~(known_flags | IOMMU_page_order_mask))
        return -EINVAL;
    *order = (flags & IOMMU_page_order_mask) >> IOMMU_page_order_shift;
    return *order > space_max_order(op->call->d->s) ? -ENOSPC : 0;
}

int decode_frame(uint64_t frame, unsigned order)
{
    const uint64_t rest = BIT64(order) - 1;

    return (frame & rest) || frame > UINT64_MAX - rest ? -EINVAL : 0;
}

int decode_rights(uint16_t flags, unsigned *attr)
{
    *attr = (flags & IOMMU_MAP_OP_readable ? PT_READ : 0) |
            (flags & IOMMU_MAP_OP_writeable ? PT_WRITE : 0);
    return *attr ? 0 : -EINVAL;
}

int frames_query_caps(struct frames_op *op)
{
    const struct domain *d = op->call->d;
    unsigned flags = IOMMU_page_order(space_max_order(d->s));

    if (frames_may_map(d))
        flags |= IOMMU_QUERY_map_cap;
    if (frames_may_map(d) && d->space == SLUICE_SPACE_RELAXED)
        flags |= IOMMU_QUERY_map_all_mfns;
    if (d->s->translates && d->space != SLUICE_SPACE_OWN && d->dropped == WINDOW_WHOLE)
        flags |= IOMMU_QUERY_foreign_1to1;
    op->element->flags = (uint16_t)flags;
    return 0;
}

#define MAP_FLAGS                                                               \
    (IOMMU_MAP_OP_readable | IOMMU_MAP_OP_writeable | IOMMU_MAP_OP_no_ref_cnt | \
     IOMMU_MAP_OP_add_m2b)

/*
 * Without add_m2b no lookup, and no server, ever hears of it; nor of what is not held, as an
 * emulator that was told of it would rely on it.
 */
static uint8_t tuple_of(uint16_t flags)
{
    if (flags & IOMMU_MAP_OP_no_ref_cnt)
        return M2B_LOCAL | M2B_NO_REF | M2B_NO_SERVER;
    return M2B_LOCAL | (flags & IOMMU_MAP_OP_add_m2b ? 0 : M2B_NO_SERVER);
}

int frames_map_page(struct frames_op *op)
{
    const struct pv_iommu_op *e = op->element;
    const struct domain *d = op->call->d;
    struct foreign_map map = {
        .bfn = dfn_of(e->u.map_page.bfn), .server = IOSERVID_any, .tuple = tuple_of(e->flags)};
    const bool relaxed = d->space == SLUICE_SPACE_RELAXED;
    int err = frames_may_map(d) ? 0 : -EPERM;

    if (!err)
        err = decode_rights(e->flags, &map.attr);
    if (!err)
        err = decode_order(op, MAP_FLAGS, &map.order);
    if (!err)
        err = decode_frame(map.bfn.n, map.order);
    if (!err)
        err = decode_frame(e->u.map_page.gfn, map.order);
    if (!err && !relaxed && (e->flags & IOMMU_MAP_OP_no_ref_cnt))
        err = -EPERM;
    if (err)
        return err;
    if (relaxed)
        return foreign_map_machine(op->sp, mfn_of(e->u.map_page.gfn), &map);
    return space_map_own(op->sp, map.bfn, gfn_of(e->u.map_page.gfn), map.order, map.attr);
}

int frames_unmap(const struct frames_op *op, uint64_t bfn, uint16_t server, bool local)
{
    unsigned order;
    int err = decode_order(op, IOMMU_UNMAP_OP_remove_m2b, &order);

    if (!err)
        err = decode_frame(bfn, order);
    if (!err)
        err = foreign_unmap(op->sp, dfn_of(bfn), order, server, local);
    return err ? err : FRAMES_PENDING;
}

int frames_unmap_page(struct frames_op *op)
{
    return frames_unmap(op, op->element->u.unmap_page.bfn, IOSERVID_any, true);
}

int frames_drop_foreign_1to1(struct frames_op *op)
{
    return op->element->flags ? -EINVAL : foreign_drop_window(op->sp);
}
