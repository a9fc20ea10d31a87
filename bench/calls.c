/* SPDX-License-Identifier: BSD-2-Clause */
/* Hypercalls for benches. */
#include "calls.h"

#include <stdio.h>
#include <stdlib.h>

void must(long status)
{
    if (!status)
        return;
    fprintf(stderr, "bench: a call failed: %ld\n", status);
    exit(1);
}

void call(struct machine_domain *d, int subop, void *arg, size_t size)
{
    must(machine_guest_write(d, MACHINE_ARG, arg, size));
    must(machine_hypercall(d, subop, MACHINE_ARG, 0));
}

static uint16_t alloc_context(struct machine_domain *d, uint32_t flags)
{
    struct pv_iommu_alloc a = {.alloc_flags = flags};

    call(d, IOMMU_alloc_context, &a, sizeof(a));
    must(machine_guest_read(d, MACHINE_ARG, &a, sizeof(a)));
    return a.ctx_no;
}

uint16_t new_context(struct machine_domain *d)
{
    return alloc_context(d, 0);
}

uint16_t new_deferred(struct machine_domain *d)
{
    return alloc_context(d, IOMMU_ALLOC_deferred);
}

void map(const struct range *r, uint64_t at)
{
    struct pv_iommu_map_pages a = {.ctx_no = r->ctx_no,
                                   .gfn = CALLS_GFN + at,
                                   .dfn = CALLS_DFN + at,
                                   .map_flags = IOMMU_MAP_readable | IOMMU_MAP_writeable,
                                   .pgsize = 4096,
                                   .nr_pages = r->nr_pages};

    call(r->d, IOMMU_map_pages, &a, sizeof(a));
}

void put_list(const struct range *r, uint64_t at)
{
    uint64_t gfn[LIST_PAGES];

    for (uint32_t i = 0; i < r->nr_pages; i++)
        gfn[i] = CALLS_GFN + at + (i * 37u) % r->nr_pages;
    must(machine_guest_write(r->d, MACHINE_ARG + FRAME_SIZE / 2, gfn, r->nr_pages * sizeof(*gfn)));
}

void map_list(const struct range *r, uint64_t at)
{
    struct pv_iommu_map_list a = {.ctx_no = r->ctx_no,
                                  .dfn = CALLS_DFN + at,
                                  .map_flags = IOMMU_MAP_readable | IOMMU_MAP_writeable,
                                  .pgsize = 4096,
                                  .nr_pages = r->nr_pages};

    a.gfns.q = MACHINE_ARG + FRAME_SIZE / 2;
    call(r->d, IOMMU_map_list, &a, sizeof(a));
}

void unmap(const struct range *r, uint64_t at)
{
    struct pv_iommu_unmap_pages a = {
        .ctx_no = r->ctx_no, .dfn = CALLS_DFN + at, .pgsize = 4096, .nr_pages = r->nr_pages};

    call(r->d, IOMMU_unmap_pages, &a, sizeof(a));
}

void attach(const struct range *r, uint8_t devfn)
{
    struct pv_iommu_reattach_device a = {.ctx_no = r->ctx_no, .dev = {0, 0, devfn}};

    call(r->d, IOMMU_reattach_device, &a, sizeof(a));
}

uint64_t submissions(const struct machine *m)
{
    struct machine_stats s;

    machine_stats(m, &s);
    return s.submissions;
}
