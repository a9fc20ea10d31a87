/* SPDX-License-Identifier: BSD-2-Clause */
/* Arm LPAE, stage 2. */
#include "../../spec/lpae_pt.h"

#define LPAE_RIGHTS(attr)                                                                   \
    (FIELD_PREP(LPAE2_MEM_ATTR, LPAE2_MEM_ATTR_WB) | ((attr)&PT_READ ? LPAE2_AP_READ : 0) | \
     ((attr)&PT_WRITE ? LPAE2_AP_WRITE : 0))
#define LPAE_ATTR(e)  (((e)&LPAE2_AP_READ ? PT_READ : 0) | ((e)&LPAE2_AP_WRITE ? PT_WRITE : 0))
#define LPAE_TABLE_RO 0 /* stage 2 tables take no rights away */

#include "lpae.h"

const struct pt_format pt_format_lpae2 = {
    .name = "lpae2",
    .id = PT_FORMAT_LPAE2,
    .min_levels = FMT_MIN_LEVELS,
    .max_levels = FMT_MAX_LEVELS,
    .level_bits = {9, 9, 9, 9},
    .leaf_sizes = BIT64(12) | BIT64(21) | BIT64(30),
    .ops = &walker,
};
