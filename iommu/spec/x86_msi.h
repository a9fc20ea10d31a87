/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt messages of x86: a write of four bytes to the interrupt window. Compatibility format:
 * Intel SDM volume 3, 11.11 (message signalled interrupts). Remappable format: VT-d 5.1.2.2.
 */
#ifndef SLUICE_SPEC_X86_MSI_H
#define SLUICE_SPEC_X86_MSI_H

#include "../port/types.h"

#define X86_MSI_FIRST 0xfee00000u
#define X86_MSI_LAST  0xfeefffffu

#define X86_MSI_REMAPPABLE BIT64(4) /* of the address; else compatibility format */

/* Remappable format: the address */
#define X86_MSI_HANDLE_HIGH BIT64(2)      /* bit 15 of the handle */
#define X86_MSI_SHV         BIT64(3)      /* the index is the handle plus the low 16 bits of data */
#define X86_MSI_HANDLE      MASK64(19, 5) /* bits 14..0 of the handle */

/* Compatibility format: the address, */
#define X86_MSI_LOGICAL     BIT64(2) /* where RH (bit 3) is set too */
#define X86_MSI_DESTINATION MASK64(19, 12)
/* and the data */
#define X86_MSI_VECTOR   MASK64(7, 0)
#define X86_MSI_DELIVERY MASK64(10, 8)
#define X86_MSI_LEVEL    BIT64(15)

#define X86_FIRST_VECTOR 16u /* those below are not for interrupts */

#endif
