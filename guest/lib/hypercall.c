/* SPDX-License-Identifier: BSD-2-Clause */
#include "hypercall.h"

#define NOT_WRITTEN UINT32_MAX /* of a count of pages: more than any call has */
#define NOT_RUN     1          /* of a status: no error, and not what a hypervisor writes */

/* Success is 0, and nothing else. */
static int answer(long result)
{
    if (result > 0 || result < INT32_MIN)
        return -EIO;
    return (int)result;
}

static int call(struct hypercalls *h, int subop, void *data)
{
    if (!h->host->contexts)
        return -ENOSYS;
    (void)__atomic_fetch_add(&h->made, 1, __ATOMIC_RELAXED);
    return answer(h->host->contexts(h->host->arg, subop, data));
}

int hypercall_alloc_context(struct hypercalls *h, uint32_t flags, uint16_t *ctx_no)
{
    struct pv_iommu_alloc data = {.ctx_no = IOMMU_DEFAULT_CONTEXT, .alloc_flags = flags};
    const int err = call(h, IOMMU_alloc_context, &data);

    *ctx_no = data.ctx_no;
    return !err && data.ctx_no == IOMMU_DEFAULT_CONTEXT ? -EIO : err;
}

int hypercall_free_context(struct hypercalls *h, uint16_t ctx_no, uint32_t flags)
{
    struct pv_iommu_free data = {.ctx_no = ctx_no, .free_flags = flags};

    return call(h, IOMMU_free_context, &data);
}

int hypercall_reattach(struct hypercalls *h, uint16_t ctx_no, struct physdev_pci_device dev)
{
    struct pv_iommu_reattach_device data = {.ctx_no = ctx_no, .dev = dev};

    return call(h, IOMMU_reattach_device, &data);
}

int hypercall_flush(struct hypercalls *h, uint16_t ctx_no)
{
    struct pv_iommu_flush_context data = {.ctx_no = ctx_no};

    return call(h, IOMMU_flush_context, &data);
}

int hypercall_reserved(struct hypercalls *h, struct physdev_pci_device dev,
                       struct pv_iommu_range *ranges, uint32_t *nr)
{
    struct pv_iommu_query_reserved data = {
        .dev = dev, .flags = IOMMU_RESERVED_device, .nr_ranges = *nr};
    int err;

    set_xen_guest_handle(data.ranges, ranges);
    err = call(h, IOMMU_query_reserved, &data);
    if (!err && data.nr_ranges > *nr)
        return -EIO;
    *nr = data.nr_ranges;
    return err;
}

/* ---- Maps --------------------------------------------------------------------------------------
 */

static int map_run(struct hypercalls *h, const struct hypercall_map *map, uint32_t *mapped)
{
    struct pv_iommu_map_pages data = {.ctx_no = map->ctx_no,
                                      .gfn = map->gfn,
                                      .dfn = map->dfn,
                                      .map_flags = map->flags,
                                      .pgsize = map->pgsize,
                                      .nr_pages = map->nr,
                                      .mapped = NOT_WRITTEN};
    const int err = call(h, IOMMU_map_pages, &data);

    *mapped = data.mapped;
    return err;
}

static int map_list(struct hypercalls *h, const struct hypercall_map *map, uint32_t *mapped)
{
    struct pv_iommu_map_list data = {.ctx_no = map->ctx_no,
                                     .dfn = map->dfn,
                                     .map_flags = map->flags,
                                     .pgsize = map->pgsize,
                                     .nr_pages = map->nr,
                                     .mapped = NOT_WRITTEN};
    int err;

    /* The hypervisor only reads it. */
    data.gfns.q = (uintptr_t)map->gfns;
    err = call(h, IOMMU_map_list, &data);
    *mapped = data.mapped;
    return err;
}

/*
 * Pages are mapped in order, so of a number that is not known, an unmap of all finds those that
 * are, and then one that is not.
 */
static void undo(struct hypercalls *h, const struct hypercall_map *map, uint32_t mapped,
                 uint32_t *held)
{
    const bool known = mapped <= map->nr;
    int err;

    if (!mapped)
        return;
    err = hypercall_unmap(h, map->ctx_no, map->dfn, map->pgsize, known ? mapped : map->nr, held);
    if (!known && err == -ENOENT)
        *held = 0;
}

int hypercall_map(struct hypercalls *h, const struct hypercall_map *map, uint32_t *held)
{
    uint32_t mapped;
    const int err = map->gfns ? map_list(h, map, &mapped) : map_run(h, map, &mapped);

    *held = 0;
    if (!err && mapped == map->nr)
        return 0;
    undo(h, map, mapped, held);
    return err ? err : -EIO;
}

int hypercall_unmap(struct hypercalls *h, uint16_t ctx_no, uint64_t dfn, uint32_t pgsize,
                    uint32_t nr, uint32_t *left)
{
    struct pv_iommu_unmap_pages data = {
        .ctx_no = ctx_no, .dfn = dfn, .pgsize = pgsize, .nr_pages = nr, .unmapped = NOT_WRITTEN};
    const int err = call(h, IOMMU_unmap_pages, &data);

    *left = data.unmapped <= nr ? nr - data.unmapped : nr;
    return !err && *left ? -EIO : err;
}

/* ---- The frames ABI ----------------------------------------------------------------------------
 */

int hypercall_frames(struct hypercalls *h, struct pv_iommu_op *ops, unsigned count)
{
    int err;

    for (unsigned i = 0; i < count; i++)
        ops[i].status = NOT_RUN;
    if (!h->host->frames)
        err = -ENOSYS;
    else {
        (void)__atomic_fetch_add(&h->made, 1, __ATOMIC_RELAXED);
        err = answer(h->host->frames(h->host->arg, ops, count));
    }
    for (unsigned i = 0; i < count; i++)
        if (ops[i].status > 0) {
            ops[i].status = -ENODATA;
            err = err ? err : -EIO;
        }
    return err;
}
