/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is below the guest library in a guest of the machine: hypercalls, whose arguments and
 * arrays go through the page for them, and copies between pages.
 */
#ifndef TEST_GUEST_KERNEL_H
#define TEST_GUEST_KERNEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "guest/lib/dma.h"
#include "host/machine/machine.h"

#define KERNEL_OTHER 2 /* domid of `other` */

struct kernel {
    struct machine_domain *domain, *other;
    unsigned continue_every; /* hypercalls are continued that often; 0: when they like */
    unsigned calls;
    uint64_t us; /* what its clock says */
    struct dma_host host;
};

/* The domains are set when the machine is there. */
void kernel_init(struct kernel *k);
void kernel_discover(struct kernel *k, bool hardware, struct features *out);
struct machine_domain *kernel_domain(const struct kernel *k, domid_t domain);

/* For locks that nobody contends for. */
void kernel_nothing(void *arg);

#endif
