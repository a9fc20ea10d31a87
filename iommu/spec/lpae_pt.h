/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VMSAv8-64 descriptors with the 4K granule. Arm Architecture Reference Manual for A-profile,
 * section D8.3 (translation table descriptor formats). Their level 3 is our level 0.
 */
#ifndef SLUICE_SPEC_LPAE_PT_H
#define SLUICE_SPEC_LPAE_PT_H

#include "../port/types.h"

#define LPAE_VALID BIT64(0) /* clear: hardware looks at no other bit */
#define LPAE_TABLE BIT64(1) /* table or, in the lowest table, page; clear: block */
#define LPAE_AF    BIT64(10)
#define LPAE_SH    MASK64(9, 8)
#define LPAE_ADDR  MASK64(47, 12)
#define LPAE_HIGH  MASK64(49, 48) /* of an address; a fault in a 48-bit system */
#define LPAE_XN    BIT64(54)
#define LPAE_SW    BIT64(55) /* 58:55 are software's in leaves, ignored in tables */

#define LPAE_SH_INNER 3

/* Stage 1 leaves. */
#define LPAE1_ATTR_INDX  MASK64(4, 2)
#define LPAE1_AP_USER    BIT64(6) /* AP[1] */
#define LPAE1_AP_RO      BIT64(7) /* AP[2] */
#define LPAE1_NG         BIT64(11)
#define LPAE1_PXN        BIT64(53)
#define LPAE1_APTABLE_RO BIT64(62) /* in tables: no writes below */

/* Stage 2 leaves. */
#define LPAE2_MEM_ATTR MASK64(5, 2)
#define LPAE2_AP_READ  BIT64(6) /* S2AP[0] */
#define LPAE2_AP_WRITE BIT64(7) /* S2AP[1] */

#define LPAE2_MEM_ATTR_WB 0xf /* normal memory, inner and outer write-back */

#endif
