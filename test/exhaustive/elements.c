/* SPDX-License-Identifier: BSD-2-Clause */
/* The elements of a call of the frames ABI. */
#include "world.h"

static void fill_map_foreign(const struct plan *plan, const struct op *op, struct pv_iommu_op *e)
{
    e->subop_id = IOMMUOP_map_foreign_page;
    e->flags = (uint16_t)op->flags;
    e->u.map_foreign_page.bfn = op->dfn;
    e->u.map_foreign_page.gfn = op->gfn;
    e->u.map_foreign_page.domid = plan->domain[op->domain].domid;
    e->u.map_foreign_page.ioserver = op->ctx;
}

static void fill(const struct plan *plan, const struct op *op, struct pv_iommu_op *e)
{
    e->subop_id = op->frames;
    switch (op->frames) {
    case IOMMUOP_map_page:
        e->flags = (uint16_t)op->flags;
        e->u.map_page.bfn = op->dfn;
        e->u.map_page.gfn = op->gfn;
        break;
    case IOMMUOP_unmap_page:
        e->flags = (uint16_t)(op->flags & IOMMU_page_order_mask);
        e->u.unmap_page.bfn = op->dfn;
        break;
    case IOMMUOP_map_foreign_page:
        fill_map_foreign(plan, op, e);
        break;
    case IOMMUOP_lookup_foreign_page:
        e->u.lookup_foreign_page.gfn = op->gfn;
        e->u.lookup_foreign_page.domid = plan->domain[op->domain].domid;
        e->u.lookup_foreign_page.ioserver = op->ctx;
        break;
    case IOMMUOP_unmap_foreign_page:
        e->flags = (uint16_t)(op->flags & IOMMU_page_order_mask);
        e->u.unmap_foreign_page.bfn = op->dfn;
        e->u.unmap_foreign_page.ioserver = op->ctx;
        break;
    }
}

unsigned frames_elements(const struct plan *plan, const struct op *op,
                         struct pv_iommu_op elements[MOST_ELEMENTS])
{
    elements[0] = elements[1] = (struct pv_iommu_op){.status = 0x5a5a};
    fill(plan, op, &elements[0]);
    if (op->again)
        fill_map_foreign(plan, op, &elements[1]);
    return op->again ? 2 : 1;
}
