/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One element of a call of the frames ABI: a private copy of the guest's bytes, what comes of it,
 * and the rows that decode and perform the sub-ops.
 */
#ifndef SLUICE_DECODE_FRAMES_H
#define SLUICE_DECODE_FRAMES_H

#include "../abi/frames.h"
#include "../core/foreign.h"
#include "call.h"

/* What the element's status will be once what is pending is flushed. */
#define FRAMES_PENDING 1

struct frames_op {
    struct call *call;
    struct space *sp;
    struct pv_iommu_op *element; /* the copy; OUT fields are set in it */
};

/* The flags and order of a map or unmap. -EINVAL, -ENOSPC. */
int decode_order(const struct frames_op *op, uint16_t known_flags, unsigned *order);
/* bfn and gfn are multiples of the order's size, and do not wrap. -EINVAL. */
int decode_frame(uint64_t frame, unsigned order);
/* Readable or writeable: PT_*. -EINVAL. */
int decode_rights(uint16_t flags, unsigned *attr);

/* unmap_page (local) and unmap_foreign_page, which differ in whose mappings they may end. */
int frames_unmap(const struct frames_op *op, uint64_t bfn, uint16_t server, bool local);

int frames_query_caps(struct frames_op *op);
int frames_map_page(struct frames_op *op);
int frames_unmap_page(struct frames_op *op);
int frames_map_foreign_page(struct frames_op *op);
int frames_lookup_foreign_page(struct frames_op *op);
int frames_unmap_foreign_page(struct frames_op *op);
int frames_drop_foreign_1to1(struct frames_op *op);

/* Does the domain's space take maps at all? */
static inline bool frames_may_map(const struct domain *d)
{
    return d->s->translates && d->space != SLUICE_SPACE_PASSTHROUGH;
}

#endif
