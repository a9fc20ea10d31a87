/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embedding the library: a host with one unit, one domain and one device. The guest makes a
 * context, maps a page, moves its device there; the device's DMA obeys. Built and run by `make
 * test`.
 *
 * The port here is the software machine's; in a hypervisor it is yours (docs/porting.md).
 */
#include <stdio.h>

#include "host/machine/machine.h"

#define CHECKED(call)                                  \
    do {                                               \
        long err_ = (call);                            \
        if (err_) {                                    \
            fprintf(stderr, "%s: %ld\n", #call, err_); \
            return 1;                                  \
        }                                              \
    } while (0)

/* The guest's side: an argument in its memory, then the hypercall. */
static long hypercall(struct machine_domain *guest, int subop, void *arg, size_t size)
{
    long status;

    if (machine_guest_write(guest, MACHINE_ARG, arg, size))
        return -EFAULT;
    status = machine_hypercall(guest, subop, MACHINE_ARG, 0);
    if (machine_guest_read(guest, MACHINE_ARG, arg, size))
        return -EFAULT;
    return status;
}

int main(void)
{
    const struct machine_config machine_config = {.ram = 64 << 20};
    const struct machine_domain_config guest_config = {
        .name = "guest", .domid = 1, .mem = 16 << 20};
    const struct machine_device_config nic_config = {
        .name = "nic", .rids = {rid_of(0, 0, 5 << 3)}, .nr_rids = 1};
    struct machine *m;
    struct machine_domain *guest;
    struct machine_device *nic;
    enum hw_reason reason;
    char data[64] = "hello, guest";

    /* The host: a machine with an IOMMU, a domain with memory, a device that it is given. */
    CHECKED(machine_create(&machine_config, &m, NULL));
    CHECKED(machine_domain_add(m, &guest_config, &guest));
    CHECKED(machine_device_add(m, &nic_config, &nic));
    CHECKED(machine_device_assign(nic, guest));

    /* The guest: gfn 0x10 is where its device sees frame 0x800, and nothing else is anywhere. */
    struct pv_iommu_alloc alloc = {0};
    CHECKED(hypercall(guest, IOMMU_alloc_context, &alloc, sizeof(alloc)));
    struct pv_iommu_map_pages map = {.ctx_no = alloc.ctx_no,
                                     .gfn = 0x10,
                                     .dfn = 0x800,
                                     .map_flags = IOMMU_MAP_readable | IOMMU_MAP_writeable,
                                     .pgsize = 4096,
                                     .nr_pages = 1};
    CHECKED(hypercall(guest, IOMMU_map_pages, &map, sizeof(map)));
    struct pv_iommu_reattach_device move = {.ctx_no = alloc.ctx_no, .dev = {0, 0, 5 << 3}};
    CHECKED(hypercall(guest, IOMMU_reattach_device, &move, sizeof(move)));

    /* The device: one address works, the next one does not. */
    CHECKED(
        machine_dma(nic, machine_device_rid(nic), 0, 0x800000, data, sizeof(data), true, &reason));
    CHECKED(machine_guest_read(guest, 0x10000, data, sizeof(data)));
    printf("the guest reads: %s\n", data);
    if (!machine_dma(nic, machine_device_rid(nic), 0, 0x801000, data, 1, true, &reason))
        return 1;
    printf("DMA to 0x801000: blocked, %s\n", sluice_reason_name(reason));
    return machine_destroy(m) ? 1 : 0;
}
