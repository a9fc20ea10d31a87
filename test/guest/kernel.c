/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel.h"

#define LISTED 1024u /* where lists and answers are in the page for arguments */
#define ANSWER 2048u

static void must_write(const struct kernel *k, uint64_t gpa, const void *from, size_t size)
{
    assert_int_equal(machine_guest_write(k->domain, gpa, from, size), 0);
}

static void must_read(const struct kernel *k, uint64_t gpa, void *to, size_t size)
{
    assert_int_equal(machine_guest_read(k->domain, gpa, to, size), 0);
}

static size_t size_of(int subop)
{
    static const size_t size[] = {[IOMMU_query_capabilities] = sizeof(struct pv_iommu_capabilities),
                                  [IOMMU_alloc_context] = sizeof(struct pv_iommu_alloc),
                                  [IOMMU_free_context] = sizeof(struct pv_iommu_free),
                                  [IOMMU_reattach_device] = sizeof(struct pv_iommu_reattach_device),
                                  [IOMMU_map_pages] = sizeof(struct pv_iommu_map_pages),
                                  [IOMMU_unmap_pages] = sizeof(struct pv_iommu_unmap_pages),
                                  [IOMMU_query_reserved] = sizeof(struct pv_iommu_query_reserved),
                                  [IOMMU_map_list] = sizeof(struct pv_iommu_map_list),
                                  [IOMMU_flush_context] = sizeof(struct pv_iommu_flush_context)};

    assert_in_range(subop, 0, sizeof(size) / sizeof(*size) - 1);
    assert_true(size[subop]);
    return size[subop];
}

static long call(const struct kernel *k, int subop, void *data)
{
    const size_t size = size_of(subop);
    long err;

    must_write(k, MACHINE_ARG, data, size);
    err = machine_hypercall(k->domain, subop, MACHINE_ARG, k->continue_every);
    must_read(k, MACHINE_ARG, data, size);
    return err;
}

static long call_map_list(const struct kernel *k, struct pv_iommu_map_list *a)
{
    uint64_aligned_t *const gfns = a->gfns.p;
    long err;

    assert_in_range(a->nr_pages, 1, (ANSWER - LISTED) / sizeof(*gfns));
    must_write(k, MACHINE_ARG + LISTED, gfns, a->nr_pages * sizeof(*gfns));
    a->gfns.q = MACHINE_ARG + LISTED;
    err = call(k, IOMMU_map_list, a);
    a->gfns.p = gfns;
    return err;
}

static long call_reserved(const struct kernel *k, struct pv_iommu_query_reserved *a)
{
    struct pv_iommu_range *const ranges = a->ranges.p;
    const size_t size = a->nr_ranges * sizeof(*ranges);
    long err;

    assert_in_range(size, 0, DMA_PAGE - ANSWER);
    a->ranges.q = MACHINE_ARG + ANSWER;
    err = call(k, IOMMU_query_reserved, a);
    must_read(k, MACHINE_ARG + ANSWER, ranges, size);
    a->ranges.p = ranges;
    return err;
}

static long contexts(void *arg, int subop, void *data)
{
    struct kernel *k = arg;

    k->calls++;
    switch (subop) {
    case IOMMU_map_list:
        return call_map_list(k, data);
    case IOMMU_query_reserved:
        return call_reserved(k, data);
    default:
        return call(k, subop, data);
    }
}

static long frames(void *arg, struct pv_iommu_op *ops, unsigned count)
{
    struct kernel *k = arg;
    long err;

    k->calls++;
    must_write(k, MACHINE_ARG, ops, count * sizeof(*ops));
    err = machine_frames_call(k->domain, MACHINE_ARG, count, 0);
    must_read(k, MACHINE_ARG, ops, count * sizeof(*ops));
    return err;
}

static long ask_version(void *arg, int cmd, struct xen_feature_info *info)
{
    const struct kernel *k = arg;
    long err;

    must_write(k, MACHINE_ARG, info, sizeof(*info));
    err = machine_xen_version(k->domain, cmd, MACHINE_ARG);
    must_read(k, MACHINE_ARG, info, sizeof(*info));
    return err;
}

static long ask_contexts(void *arg, int subop, struct pv_iommu_capabilities *caps)
{
    return contexts(arg, subop, caps);
}

static long ask_frames(void *arg, struct pv_iommu_op *op)
{
    return frames(arg, op, 1);
}

void kernel_discover(struct kernel *k, bool hardware, struct features *out)
{
    const struct features_host ask = {k, ask_version, ask_contexts, ask_frames};

    assert_int_equal(features_discover(&ask, hardware, out), 0);
}

void kernel_nothing(void *arg)
{
    (void)arg;
}

static uint64_t now(void *arg)
{
    return ((const struct kernel *)arg)->us;
}

struct machine_domain *kernel_domain(const struct kernel *k, domid_t domain)
{
    return domain == KERNEL_OTHER ? k->other : k->domain;
}

static int copy(void *arg, const struct dma_place *to, const struct dma_place *from, uint32_t size)
{
    uint8_t data[DMA_PAGE] = {0};
    int err = 0;

    if (from)
        err = machine_guest_read(kernel_domain(arg, from->domain), (from->gfn << 12) + from->offset,
                                 data, size);
    if (err)
        return err;
    return machine_guest_write(kernel_domain(arg, to->domain), (to->gfn << 12) + to->offset, data,
                               size);
}

void kernel_init(struct kernel *k)
{
    *k = (struct kernel){.host = {.call = {k, contexts, frames},
                                  .arg = k,
                                  .lock = kernel_nothing,
                                  .unlock = kernel_nothing,
                                  .now = now,
                                  .copy = copy}};
}
