/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * AMD-Vi host page tables. AMD I/O Virtualization Technology (IOMMU) Specification, section 2.2.3
 * (I/O page tables for host translations).
 */
#ifndef SLUICE_SPEC_AMDV1_PT_H
#define SLUICE_SPEC_AMDV1_PT_H

#include "../port/types.h"

#define AMDV1_PR   BIT64(0)      /* clear: hardware looks at no other bit */
#define AMDV1_IGN  MASK64(4, 1)  /* ignored in every entry: software's */
#define AMDV1_A    BIT64(5)      /* hardware's */
#define AMDV1_D    BIT64(6)      /* hardware's, leaves */
#define AMDV1_NEXT MASK64(11, 9) /* what is next: a table of that mode, or one of the two below */
#define AMDV1_ADDR MASK64(51, 12)
#define AMDV1_RSVD MASK64(58, 52)
#define AMDV1_FC   BIT64(60) /* leaves: force coherent */
#define AMDV1_IR   BIT64(61)
#define AMDV1_IW   BIT64(62)

#define AMDV1_NEXT_LEAF  0 /* leaf of the size that an entry of this table spans */
#define AMDV1_NEXT_SIZED 7 /* leaf whose size is coded in the address: ones below a zero */

#endif
