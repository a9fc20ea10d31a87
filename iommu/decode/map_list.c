/* SPDX-License-Identifier: BSD-2-Clause */
/* map_list: as map_pages, but that the gfns come out of the caller's memory, some at a time. */
#include "pages.h"

int decode_map_list(struct call *call, const void *raw)
{
    const struct pv_iommu_map_list *in = raw;
    struct page_range *r = &call->req.pages.range;
    int err = decode_target(call, in->ctx_no);

    if (!err)
        err = decode_map_flags(call->d, in->map_flags, &r->attr);
    if (!err)
        err = decode_pages(call->d, in->dfn, in->pgsize, in->nr_pages, r);
    if (!err)
        err = decode_width(call->d, r);
    if (err)
        return err;
    call->req.pages.gfns = in->gfns.q;
    call->list.at = call->list.nr = 0;
    call->d->map_calls++;
    return 0;
}

static int get(const struct gfn_source *from, uint32_t page, uint32_t nr)
{
    const struct call *call = from->arg;

    return call_get_array(call, call->req.pages.gfns, (uint64_t)page * sizeof(uint64_t),
                          &from->list->gfn[from->list->nr], nr * sizeof(uint64_t));
}

/* Together, or, where that cannot be read, one by one up to the first that cannot. */
static int more(const struct gfn_source *from, uint32_t page, uint32_t max)
{
    struct gfn_list *list = from->list;

    if (!get(from, page, max)) {
        list->nr = max;
        return 0;
    }
    while (list->nr < max && !get(from, page + list->nr, 1))
        list->nr++;
    return list->nr ? 0 : -EFAULT;
}

long perform_map_list(struct call *call)
{
    const struct gfn_source from = {.list = &call->list, .more = more, .arg = call};
    return pages_told(call, core_map_list(call->d, &call->req.pages.range, &from,
                                          &call->req.pages.done, &call->req.pages.trim));
}
