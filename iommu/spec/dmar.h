/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The ACPI table DMAR: VT-d specification, chapter 8. Little-endian, nothing aligned, so fields are
 * offsets into bytes.
 */
#ifndef SLUICE_SPEC_DMAR_H
#define SLUICE_SPEC_DMAR_H

/* ACPI header, then the table's own (8.1) */
#define DMAR_SIGNATURE       0u  /* "DMAR" */
#define DMAR_LENGTH          4u  /* 4 */
#define DMAR_CHECKSUM        9u  /* all bytes add up to 0 */
#define DMAR_WIDTH           36u /* 1: bits of a machine address, less one */
#define DMAR_FLAGS           37u /* 1 */
#define DMAR_STRUCTURES      48u
#define DMAR_INTR_REMAP      1u
#define DMAR_X2APIC_OPT_OUT  2u
#define DMAR_PLATFORM_OPT_IN 4u

/* Every structure */
#define DMAR_TYPE        0u /* 2 */
#define DMAR_SIZE        2u /* 2 */
#define DMAR_HEADER_SIZE 4u
#define DMAR_DRHD        0u
#define DMAR_RMRR        1u
#define DMAR_ATSR        2u
#define DMAR_RHSA        3u
#define DMAR_ANDD        4u
#define DMAR_SATC        5u

/* Remapping unit (8.3) */
#define DMAR_DRHD_FLAGS       4u /* 1 */
#define DMAR_DRHD_PAGES       5u /* 1: low 4 bits: log2 of the pages of registers */
#define DMAR_DRHD_SEGMENT     6u /* 2 */
#define DMAR_DRHD_BASE        8u /* 8 */
#define DMAR_DRHD_SCOPES      16u
#define DMAR_DRHD_INCLUDE_ALL 1u

/* Reserved memory (8.4) */
#define DMAR_RMRR_SEGMENT 6u  /* 2 */
#define DMAR_RMRR_BASE    8u  /* 8 */
#define DMAR_RMRR_LIMIT   16u /* 8: the last byte */
#define DMAR_RMRR_SCOPES  24u

/* Root ports with ATS (8.5), integrated address translation caches (8.8): one layout */
#define DMAR_ATSR_FLAGS     4u /* 1: ATSR all ports; SATC needs its cache */
#define DMAR_ATSR_SEGMENT   6u /* 2 */
#define DMAR_ATSR_SCOPES    8u
#define DMAR_ATSR_ALL_PORTS 1u

/* Device scope (8.3.1) */
#define DMAR_SCOPE_TYPE 0u /* 1 */
#define DMAR_SCOPE_SIZE 1u /* 1 */
#define DMAR_SCOPE_ID   4u /* 1 */
#define DMAR_SCOPE_BUS  5u /* 1 */
#define DMAR_SCOPE_PATH 6u /* device, function; for each hop */

#endif
