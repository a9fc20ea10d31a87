/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the QEMU machine share: a machine with its PCI set up, and a reason to skip.
 */
#ifndef TEST_HOST_QEMU_RIG_H
#define TEST_HOST_QEMU_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "../../../host/qemu/pci.h"
#include "../../../host/qemu/qemu.h"

#define RIG_SKIP 77 /* what meson takes for skipped */
#define RIG_RAM  0x200000u

struct rig {
    struct qemu_config config;
    struct qemu *q;
    struct pci pci;
};

static inline double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* Shows QEMU's words when something that should work did not. */
static inline void rig_ok(const struct qemu *q, int ret)
{
    if (ret)
        fail_msg("%d: %s", ret, qemu_error(q));
}

static inline struct qemu *rig_start(const struct qemu_config *config)
{
    char error[QEMU_ERROR_SIZE];
    struct qemu *q;
    int ret = qemu_start(config, &q, error);

    if (ret)
        fail_msg("%d: %s", ret, error);
    return q;
}

static inline void rig_open(struct rig *rig, const struct qemu_device *devices, unsigned nr,
                            enum qemu_iommu iommu)
{
    rig->config = (struct qemu_config){
        .iommu = iommu, .intremap = true, .devices = devices, .nr_devices = nr};
    rig->q = rig_start(&rig->config);
    rig_ok(rig->q, pci_scan(rig->q, QEMU_PCI_FIRST, QEMU_PCI_LAST, &rig->pci));
}

static inline const struct pci_function *rig_function(const struct rig *rig, const char *name)
{
    const struct pci_function *f = pci_named(&rig->pci, &rig->config, name);

    assert_non_null(f);
    return f;
}

/* For the beginning of main(): RIG_SKIP when there is no QEMU to test. */
static inline int rig_missing(void)
{
    const struct qemu_config config = {.ram = 16u << 20, .iommu = QEMU_IOMMU_NONE};
    char error[QEMU_ERROR_SIZE];
    struct qemu *q;
    int ret = qemu_start(&config, &q, error);

    qemu_stop(q);
    if (ret != -2 && ret != -95) /* ENOENT, EOPNOTSUPP */
        return 0;
    printf("skipped: %s\n", error);
    return RIG_SKIP;
}

#endif
