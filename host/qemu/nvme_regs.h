/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers and commands of an NVMe controller. NVM Express Base Specification 1.4, chapter 3
 * (registers), 4 (data structures), 5 (admin commands), 6 (NVM commands).
 */
#ifndef HOST_QEMU_NVME_REGS_H
#define HOST_QEMU_NVME_REGS_H

#include "../../iommu/port/types.h"

#define NVME_CAP  0x00u
#define NVME_CC   0x14u
#define NVME_CSTS 0x1cu
#define NVME_AQA  0x24u
#define NVME_ASQ  0x28u
#define NVME_ACQ  0x30u
#define NVME_DBS \
    0x1000u /* doorbells: tail of submission queue 0, head of completion queue 0, ... */

#define CAP_MQES  MASK64(15, 0) /* entries of a queue, less one */
#define CAP_DSTRD MASK64(35, 32)
#define CAP_CSS   BIT64(37) /* the NVM command set */

#define CC_EN         BIT64(0)
#define CC_SHN        MASK64(15, 14)
#define CC_SHN_NORMAL 1
#define CC_IOSQES     MASK64(19, 16) /* log2 of an entry's size */
#define CC_IOCQES     MASK64(23, 20)

#define CSTS_RDY       BIT64(0)
#define CSTS_CFS       BIT64(1) /* fatal */
#define CSTS_SHST      MASK64(3, 2)
#define CSTS_SHST_DONE 2

#define ADMIN_CREATE_SQ 0x01u
#define ADMIN_CREATE_CQ 0x05u
#define ADMIN_IDENTIFY  0x06u
#define IO_FLUSH        0x00u
#define IO_WRITE        0x01u
#define IO_READ         0x02u

#define QUEUE_CONTIGUOUS 0x1u
#define QUEUE_INTERRUPT  0x2u

#define IDENTIFY_NAMESPACE  0x0u
#define IDENTIFY_CONTROLLER 0x1u

/* Offsets in what identify returns. */
#define ID_CTRL_SERIAL      4u
#define ID_CTRL_SERIAL_SIZE 20u
#define ID_CTRL_MDTS        77u
#define ID_NS_SIZE          0u
#define ID_NS_FORMAT        26u
#define ID_NS_FORMATS       128u /* four bytes each; the third is log2 of a block's size */

#define CQE_DWORDS 4u
#define CQE_PHASE  BIT64(16) /* of dword 3 */
#define CQE_STATUS MASK64(31, 17)
#define CQE_ID     MASK64(15, 0)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "NVMe's structures are little-endian");

#endif
