/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d second-stage paging entries. Intel Virtualization Technology for Directed I/O, sections
 * 3.7 (second-stage translation) and 9.8 (second-stage paging entries).
 */
#ifndef SLUICE_SPEC_VTD_PT_H
#define SLUICE_SPEC_VTD_PT_H

#include "../port/types.h"

/* An entry with neither R nor W is not present; then hardware looks at no other bit of it. */
#define VTD_SS_R    BIT64(0)
#define VTD_SS_W    BIT64(1)
#define VTD_SS_PS   BIT64(7)  /* leaf of 2M, 1G; reserved in higher tables, ignored in SS-PTE */
#define VTD_SS_A    BIT64(8)  /* hardware's, where SSADE is on; otherwise ignored */
#define VTD_SS_D    BIT64(9)  /* leaves; as A */
#define VTD_SS_SNP  BIT64(11) /* leaves: snoop; reserved in entries that point to a table */
#define VTD_SS_ADDR MASK64(51, 12)
#define VTD_SS_TM   BIT64(62) /* leaves: transient; reserved where there are no device TLBs */
#define VTD_SS_IGN  (MASK64(61, 52) | BIT64(10)) /* ignored in every entry: software's */

#endif
