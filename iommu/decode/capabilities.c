/* SPDX-License-Identifier: BSD-2-Clause */
/* noop and query_capabilities. */
#include "../core/pasid.h"
#include "call.h"

int decode_noop(struct call *call, const void *raw)
{
    (void)call;
    (void)raw;
    return 0;
}

long perform_noop(struct call *call)
{
    (void)call;
    return 0;
}

uint32_t capabilities_of(const struct domain *d)
{
    uint32_t flags = IOMMUCAP_identity | IOMMUCAP_query_reserved | IOMMUCAP_map_list |
                     IOMMUCAP_deferred | IOMMUCAP_batch | IOMMUCAP_read_faults | IOMMUCAP_nested;

    if (!d->blocked)
        flags |= IOMMUCAP_default_identity;
    if (d->s->snoop)
        flags |= IOMMUCAP_cache;
    if (pasid_max(d->s))
        flags |= IOMMUCAP_pasid;
    return flags;
}

#define LARGEST_PAGE (1u << 30)

uint32_t page_sizes_of(const struct domain *d)
{
    /* A page is mapped in one piece, so its size bounds the work between two preemption checks. */
    return (uint32_t)(d->s->geo.leaf_sizes & (LARGEST_PAGE | (LARGEST_PAGE - 1)));
}

int decode_query_capabilities(struct call *call, const void *raw)
{
    (void)call;
    (void)raw;
    return 0;
}

long perform_query_capabilities(struct call *call)
{
    const struct domain *d = call->d;
    struct pv_iommu_capabilities out;

    memset(&out, 0, sizeof(out));
    out.max_iova_addr = ~(uint64_t)0 >> (64 - d->s->geo.iova_bits);
    out.cap_flags = capabilities_of(d);
    out.pgsize_mask = page_sizes_of(d);
    out.max_pasid = pasid_max(d->s);
    out.max_ctx_no = d->max_ctx_no;
    return call_put(call, 0, &out, sizeof(out));
}
