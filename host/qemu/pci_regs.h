/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers of PCI configuration space. PCI Local Bus Specification 3.0, chapter 6;
 * PCI-to-PCI Bridge Architecture Specification 1.2, section 3.2.
 */
#ifndef HOST_QEMU_PCI_REGS_H
#define HOST_QEMU_PCI_REGS_H

#define PCI_ID      0x00u
#define PCI_COMMAND 0x04u
#define PCI_STATUS  0x06u
#define PCI_CLASS   0x08u /* and revision */
#define PCI_HEADER  0x0eu
#define PCI_BAR0    0x10u
#define PCI_CAPS    0x34u

#define PCI_COMMAND_MEMORY 0x2u
#define PCI_COMMAND_MASTER 0x4u
#define PCI_STATUS_CAPS    0x10u

#define PCI_HEADER_TYPE     0x7fu
#define PCI_HEADER_BRIDGE   0x01u
#define PCI_HEADER_MULTIPLE 0x80u

#define PCI_BAR_IO   0x1u
#define PCI_BAR_64   0x4u
#define PCI_BAR_TYPE 0x6u

#define PCI_BRIDGE_BUSES    0x18u /* primary, secondary, subordinate, latency timer */
#define PCI_BRIDGE_IO       0x1cu
#define PCI_BRIDGE_MEMORY   0x20u
#define PCI_BRIDGE_PREFETCH 0x24u

#define PCIE_FLAGS 0x2u
#define PCIE_PORT  0xf0u

#define MSI_CONTROL 0x2u
#define MSI_ADDRESS 0x4u
#define MSI_ENABLE  0x1u
#define MSI_MANY    0x70u
#define MSI_64BIT   0x80u

#define MSIX_CONTROL 0x2u
#define MSIX_TABLE   0x4u
#define MSIX_SIZE    0x7ffu
#define MSIX_MASK    0x4000u
#define MSIX_ENABLE  0x8000u
#define MSIX_BIR     0x7u
#define MSIX_ENTRY   16u
#define MSIX_MASKED  0x1u

#endif
