/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's DMA layer, small: what a kernel supplies, a space with the best policy that
 * the hypervisor has, a device in it, and a transfer. The machine is the library with a software
 * IOMMU; docs/guest.md tells about guest/lib/dma.h.
 */
#include <stdio.h>

#include "guest/lib/dma.h"
#include "host/machine/machine.h"

#define RANGES 1024u

/* ---- What the kernel supplies: hypercalls, locks, a clock --------------------------------------
 */

static size_t size_of(int subop)
{
    switch (subop) {
    case IOMMU_query_capabilities:
        return sizeof(struct pv_iommu_capabilities);
    case IOMMU_map_pages:
        return sizeof(struct pv_iommu_map_pages);
    case IOMMU_unmap_pages:
        return sizeof(struct pv_iommu_unmap_pages);
    case IOMMU_reattach_device:
        return sizeof(struct pv_iommu_reattach_device);
    case IOMMU_query_reserved:
        return sizeof(struct pv_iommu_query_reserved);
    case IOMMU_flush_context:
        return sizeof(struct pv_iommu_flush_context);
    default:
        return sizeof(struct pv_iommu_alloc); /* and free */
    }
}

/* In a guest, this is one VMCALL: here, data goes to where this guest has a page for it. */
static long call(struct machine_domain *guest, int subop, void *data)
{
    long err = machine_guest_write(guest, MACHINE_ARG, data, size_of(subop));

    if (!err)
        err = machine_hypercall(guest, subop, MACHINE_ARG, 0);
    (void)machine_guest_read(guest, MACHINE_ARG, data, size_of(subop));
    return err;
}

/* And so does what it has a pointer to. */
static long query_reserved(struct machine_domain *guest, struct pv_iommu_query_reserved *data)
{
    struct pv_iommu_range *const found = data->ranges.p;
    const size_t size = data->nr_ranges * sizeof(*found);
    long err;

    data->ranges.q = MACHINE_ARG + DMA_PAGE / 2;
    err = call(guest, IOMMU_query_reserved, data);
    (void)machine_guest_read(guest, data->ranges.q, found, size);
    data->ranges.p = found;
    return err;
}

static long iommu_op(void *guest, int subop, void *data)
{
    return subop == IOMMU_query_reserved ? query_reserved(guest, data) : call(guest, subop, data);
}

static long query(void *guest, int subop, struct pv_iommu_capabilities *caps)
{
    return iommu_op(guest, subop, caps);
}

/* One processor, no interrupts: a kernel has a spinlock and its clock here. */
static void lock(void *arg)
{
    (void)arg;
}

static uint64_t now(void *arg)
{
    (void)arg;
    return 0;
}

/* ---- At boot -----------------------------------------------------------------------------------
 */

static struct iova_space iova;
static struct iova_range ranges[RANGES];
static struct iova_block blocks[IOVA_BLOCKS(RANGES)];
static struct iova_slots slots[IOVA_BLOCKS(RANGES)];
static uint32_t buckets[RANGES];
static struct dma_range queue[256];

static int open_space(struct dma_space *s, const struct dma_host *host, const struct features *f)
{
    static const struct iova_host iova_host = {.lock = lock, .unlock = lock};
    const struct iova_config addresses = {.host = &iova_host,
                                          .last = f->caps.max_iova_addr >> DMA_PAGE_SHIFT,
                                          .ranges = ranges,
                                          .nr_ranges = RANGES,
                                          .blocks = blocks,
                                          .slots = slots,
                                          .buckets = buckets,
                                          .nr_buckets = RANGES};
    const struct dma_space_config config = {
        .host = host,
        .features = f,
        .policy = f->caps.cap_flags & IOMMUCAP_deferred ? DMA_DEFERRED : DMA_STRICT,
        .iova = &iova,
        .queue = {.ranges = queue, .nr_ranges = 256, .max_pages = 16384, .max_us = 10000}};
    const int err = iova_init(&iova, &addresses);

    return err ? err : dma_space_init(s, &config);
}

/* ---- In a driver -------------------------------------------------------------------------------
 */

/* The disk writes a sector to 512 bytes in the middle of a page. */
static int read_sector(struct dma_device *d, struct machine_device *disk)
{
    const struct dma_buffer buffer = {.gfn = 7,
                                      .offset = 1024,
                                      .domain = DOMID_SELF,
                                      .direction = DMA_FROM_DEVICE,
                                      .length = 512};
    char sector[512] = "what the disk has to say";
    struct dma_mapping m;
    enum hw_reason reason;
    int err = dma_map(d, DMA_NO_CPU, &buffer, &m), unmapped;

    if (err) {
        printf("no DMA: %s\n", m.why ? m.why : "the hypervisor refused");
        return err;
    }
    err = machine_dma(disk, machine_device_rid(disk), 0, m.address, sector, sizeof(sector), true,
                      &reason);
    unmapped = dma_unmap(d, DMA_NO_CPU, &m);
    return err ? err : unmapped;
}

static int run(struct machine_domain *guest, struct machine_device *disk)
{
    const struct features_host ask = {.arg = guest, .contexts = query};
    const struct dma_host host = {
        .call = {.arg = guest, .contexts = iommu_op}, .lock = lock, .unlock = lock, .now = now};
    struct features features;
    struct dma_space space;
    struct dma_device device = {
        .space = &space, .dev = {.devfn = 5 << 3}, .mask = UINT64_MAX, .protected = true};
    char found[32] = "";
    int err = features_discover(&ask, false, &features);

    if (!err)
        err = open_space(&space, &host, &features);
    if (!err)
        err = dma_attach(&device);
    if (!err)
        err = read_sector(&device, disk);
    if (err)
        return err;
    err = machine_guest_read(guest, 7 * DMA_PAGE + 1024, found, sizeof(found) - 1);
    printf("%s space, %llu hypercalls: \"%s\"\n",
           space.config.policy == DMA_DEFERRED ? "deferred" : "strict",
           (unsigned long long)space.calls.made, found);
    if (!err)
        err = dma_detach(&device);
    return err ? err : dma_space_end(&space);
}

int main(void)
{
    const struct machine_config machine = {.ram = 16 << 20};
    const struct machine_domain_config domain = {.name = "guest", .domid = 1, .mem = 1 << 20};
    const struct machine_device_config config = {
        .name = "disk", .rids = {rid_of(0, 0, 5 << 3)}, .nr_rids = 1};
    struct machine_domain *guest;
    struct machine_device *disk;
    struct machine *m;
    int err = machine_create(&machine, &m, NULL);

    if (err)
        return 1;
    err = machine_domain_add(m, &domain, &guest);
    if (!err)
        err = machine_device_add(m, &config, &disk);
    if (!err)
        err = machine_device_assign(disk, guest);
    if (!err)
        err = run(guest, disk);
    if (err)
        printf("error %d\n", err);
    return machine_destroy(m) || err ? 1 : 0;
}
