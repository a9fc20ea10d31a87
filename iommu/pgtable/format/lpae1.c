/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Arm LPAE, stage 1. A present entry can always be read: PT_WRITE alone maps as read and write.
 * Memory attribute index 0 is whatever the unit's MAIR says: normal write-back memory.
 */
#include "../../spec/lpae_pt.h"

#define LPAE_RIGHTS(attr) \
    (LPAE1_AP_USER | LPAE1_NG | LPAE1_PXN | ((attr)&PT_WRITE ? 0 : LPAE1_AP_RO))
#define LPAE_ATTR(e)  (PT_READ | ((e)&LPAE1_AP_RO ? 0 : PT_WRITE))
#define LPAE_TABLE_RO LPAE1_APTABLE_RO

#include "lpae.h"

const struct pt_format pt_format_lpae1 = {
    .name = "lpae1",
    .id = PT_FORMAT_LPAE1,
    .min_levels = FMT_MIN_LEVELS,
    .max_levels = FMT_MAX_LEVELS,
    .level_bits = {9, 9, 9, 9},
    .leaf_sizes = BIT64(12) | BIT64(21) | BIT64(30),
    .write_reads = true,
    .ops = &walker,
};
