/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SLUICE_TEST_HW_VTD_FAKE_INTERNAL_H
#define SLUICE_TEST_HW_VTD_FAKE_INTERNAL_H

#include "vtd_fake.h"

/* vtd_fake_queue.c */
void fake_run_queue(struct fake *f);
void fake_context_register(struct fake *f, uint64_t value);
void fake_iotlb_register(struct fake *f, uint64_t value);

#endif
