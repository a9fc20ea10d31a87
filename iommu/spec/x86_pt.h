/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * x86 4- and 5-level paging entries. Intel SDM volume 3, section 4.5 (format of the entries); the
 * same as VT-d first stage, section 9.7, and as AMD-Vi guest tables, section 2.2.6 there.
 */
#ifndef SLUICE_SPEC_X86_PT_H
#define SLUICE_SPEC_X86_PT_H

#include "../port/types.h"

#define X86_PT_P    BIT64(0) /* clear: hardware looks at no other bit */
#define X86_PT_RW   BIT64(1)
#define X86_PT_US   BIT64(2)
#define X86_PT_A    BIT64(5) /* hardware's */
#define X86_PT_D    BIT64(6) /* hardware's, leaves; ignored in entries that point to a table */
#define X86_PT_PS   BIT64(7) /* PDPTE, PDE: leaf of 1G, 2M; reserved above; PAT in a PTE */
#define X86_PT_ADDR MASK64(51, 12)
#define X86_PT_PAT  BIT64(12)                        /* leaves of 1G, 2M: below the address */
#define X86_PT_IGN  (MASK64(58, 52) | MASK64(10, 9)) /* ignored in every entry: software's */
#define X86_PT_XD   BIT64(63)

#endif
