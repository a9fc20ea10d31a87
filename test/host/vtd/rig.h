/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the VT-d machine share: a domain with a few devices, its calls, and a reason to
 * skip.
 */
#ifndef TEST_HOST_VTD_RIG_H
#define TEST_HOST_VTD_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../../host/vtd/vtd.h"

#define RIG_SKIP    77 /* what meson takes for skipped */
#define RIG_DEVICES 2u /* where a test does not say */
#define RIG_MOST    31u
#define RIG_GFN     0x400u /* memory for tests, from here on */
#define RIG_DFN     0x80000u

struct rig {
    struct machine_config config;
    struct machine_slot slots[RIG_MOST];
    unsigned nr_devices;
    struct machine *m;
    struct machine_domain *d;
    struct machine_device *nic[RIG_MOST];
};

static inline double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline struct vtd_state *rig_state(const struct rig *r)
{
    return r->m->state;
}

static inline rid_t rig_rid(unsigned i)
{
    return rid_of(0, 0, (uint8_t)((1 + i % 30) << 3 | i / 30));
}

static inline void rig_ok(const struct rig *r, long status)
{
    if (status)
        fail_msg("%ld: %s", status, machine_error(r->m));
}

static inline void rig_add(struct rig *r, unsigned i, bool grouped)
{
    struct machine_device_config nic = {.rids = {rig_rid(i)}, .nr_rids = 1};
    char name[16];

    snprintf(name, sizeof(name), "nic%u", i);
    nic.name = name;
    nic.group = grouped && i ? r->nic[0] : NULL;
    rig_ok(r, machine_device_add(r->m, &nic, &r->nic[i]));
}

/* The machine of the configuration, with a domain of 16 MiB that has all its devices. */
static inline void rig_open_with(struct rig *r, const struct machine_config *config,
                                 unsigned nr_devices, bool grouped)
{
    const struct machine_domain_config guest = {.name = "dom1", .domid = 1, .mem = 16u << 20};
    char error[MACHINE_ERROR_SIZE] = "";

    *r = (struct rig){.config = *config, .nr_devices = nr_devices};
    for (unsigned i = 0; i < nr_devices; i++)
        r->slots[i] =
            (struct machine_slot){.rids = {rig_rid(i)}, .nr_rids = 1, .kind = MACHINE_DMA};
    r->config.slots = r->slots;
    r->config.nr_slots = nr_devices;
    if (!r->config.ram)
        r->config.ram = 64u << 20;
    if (machine_create(&r->config, &r->m, error))
        fail_msg("%s", error);
    rig_ok(r, machine_domain_add(r->m, &guest, &r->d));
    for (unsigned i = 0; i < nr_devices; i++)
        rig_add(r, i, grouped);
    for (unsigned i = 0; i < (grouped ? 1 : nr_devices); i++)
        rig_ok(r, machine_device_assign(r->nic[i], r->d));
}

static inline void rig_open(struct rig *r, const struct machine_config *config)
{
    rig_open_with(r, config, RIG_DEVICES, false);
}

static inline long rig_call(struct rig *r, int subop, void *arg, size_t size)
{
    long status;

    assert_int_equal(machine_guest_write(r->d, MACHINE_ARG, arg, size), 0);
    status = machine_hypercall(r->d, subop, MACHINE_ARG, 0);
    assert_int_equal(machine_guest_read(r->d, MACHINE_ARG, arg, size), 0);
    return status;
}

static inline uint16_t rig_context(struct rig *r)
{
    struct pv_iommu_alloc a = {0};

    rig_ok(r, rig_call(r, IOMMU_alloc_context, &a, sizeof(a)));
    return a.ctx_no;
}

static inline long rig_map_at(struct rig *r, uint16_t ctx_no, uint64_t gfn, uint64_t dfn,
                              uint32_t nr)
{
    struct pv_iommu_map_pages a = {.ctx_no = ctx_no,
                                   .gfn = gfn,
                                   .dfn = dfn,
                                   .map_flags = IOMMU_MAP_readable | IOMMU_MAP_writeable,
                                   .pgsize = 4096,
                                   .nr_pages = nr};

    return rig_call(r, IOMMU_map_pages, &a, sizeof(a));
}

static inline long rig_map(struct rig *r, uint16_t ctx_no, uint64_t at, uint32_t nr)
{
    return rig_map_at(r, ctx_no, RIG_GFN + at, RIG_DFN + at, nr);
}

static inline long rig_unmap(struct rig *r, uint16_t ctx_no, uint64_t at, uint32_t nr)
{
    struct pv_iommu_unmap_pages a = {
        .ctx_no = ctx_no, .dfn = RIG_DFN + at, .pgsize = 4096, .nr_pages = nr};

    return rig_call(r, IOMMU_unmap_pages, &a, sizeof(a));
}

static inline long rig_reattach(struct rig *r, unsigned nic, uint16_t ctx_no)
{
    struct pv_iommu_reattach_device a = {.ctx_no = ctx_no, .dev = {0, 0, (uint8_t)rig_rid(nic).n}};

    return rig_call(r, IOMMU_reattach_device, &a, sizeof(a));
}

/* The device writes 8 bytes to page `at`: 0, or -EACCES when they were blocked. */
static inline int rig_dma(struct rig *r, unsigned nic, uint64_t at, uint64_t value)
{
    enum hw_reason reason;

    return machine_dma(r->nic[nic], rig_rid(nic), 0, (RIG_DFN + at) << FRAME_LG2, &value,
                       sizeof(value), true, &reason);
}

/* What is in page `at` of the guest's memory. */
static inline uint64_t rig_word(struct rig *r, uint64_t at)
{
    uint64_t value = 0;

    assert_int_equal(machine_guest_read(r->d, (RIG_GFN + at) << FRAME_LG2, &value, sizeof(value)),
                     0);
    return value;
}

static inline bool rig_failed(const struct rig *r)
{
    struct sluice_unit_info info;

    assert_int_equal(sluice_unit_info(machine_sluice(r->m), 0, &info), 0);
    return info.failed;
}

/* For the beginning of main(): RIG_SKIP when there is no QEMU to test. */
static inline int rig_missing(void)
{
    const struct qemu_config config = {.ram = 16u << 20, .iommu = QEMU_IOMMU_NONE};
    char error[QEMU_ERROR_SIZE];
    struct qemu *q;
    int err = qemu_start(&config, &q, error);

    qemu_stop(q);
    if (err != -ENOENT && err != -EOPNOTSUPP)
        return 0;
    printf("skipped: %s\n", error);
    return RIG_SKIP;
}

#endif
