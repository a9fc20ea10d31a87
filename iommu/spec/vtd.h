/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * VT-d: registers, tables and invalidation descriptors, for a driver and for an emulator alike.
 * Intel Virtualization Technology for Directed I/O, revision 4: chapter 9 (tables), 6.5.2
 * (descriptors), 11.4 (registers), 7.1.3 (fault reasons), 5.1.2 (interrupt requests). Second-stage
 * page tables are in vtd_pt.h.
 */
#ifndef SLUICE_SPEC_VTD_H
#define SLUICE_SPEC_VTD_H

#include "../port/types.h"

/* ---- Registers (11.4): offset, size in bytes in the name where it is 8 --------------------------
 */
#define VTD_VER      0x00u
#define VTD_CAP      0x08u /* 8 */
#define VTD_ECAP     0x10u /* 8 */
#define VTD_GCMD     0x18u
#define VTD_GSTS     0x1cu
#define VTD_RTADDR   0x20u /* 8 */
#define VTD_CCMD     0x28u /* 8 */
#define VTD_FSTS     0x34u
#define VTD_FECTL    0x38u
#define VTD_FEDATA   0x3cu
#define VTD_FEADDR   0x40u
#define VTD_FEUADDR  0x44u
#define VTD_AFLOG    0x58u /* 8 */
#define VTD_PMEN     0x64u
#define VTD_PLMBASE  0x68u
#define VTD_PLMLIMIT 0x6cu
#define VTD_PHMBASE  0x70u /* 8 */
#define VTD_PHMLIMIT 0x78u /* 8 */
#define VTD_IQH      0x80u /* 8 */
#define VTD_IQT      0x88u /* 8 */
#define VTD_IQA      0x90u /* 8 */
#define VTD_ICS      0x9cu
#define VTD_IECTL    0xa0u
#define VTD_IEDATA   0xa4u
#define VTD_IEADDR   0xa8u
#define VTD_IEUADDR  0xacu
#define VTD_IQERCD   0xb0u /* 8 */
#define VTD_IRTA     0xb8u /* 8 */

/* VER (11.4.1) */
#define VTD_VER_MINOR MASK64(3, 0)
#define VTD_VER_MAJOR MASK64(7, 4)

/* CAP (11.4.2) */
#define VTD_CAP_ND      MASK64(2, 0) /* 1 << (4 + 2 * ND) domain ids; 7 is reserved */
#define VTD_CAP_AFL     BIT64(3)
#define VTD_CAP_RWBF    BIT64(4) /* write buffers are to be flushed by software */
#define VTD_CAP_PLMR    BIT64(5)
#define VTD_CAP_PHMR    BIT64(6)
#define VTD_CAP_CM      BIT64(7)       /* not-present entries are cached too, with domain id 0 */
#define VTD_CAP_SAGAW   MASK64(12, 8)  /* bit 1, 2, 3: walks of 3, 4, 5 levels */
#define VTD_CAP_MGAW    MASK64(21, 16) /* bits of an address, less one */
#define VTD_CAP_ZLR     BIT64(22)
#define VTD_CAP_FRO     MASK64(33, 24) /* fault records are at 16 * FRO */
#define VTD_CAP_SSLPS   MASK64(37, 34) /* bit 0, 1: leaves of 2M, 1G */
#define VTD_CAP_PSI     BIT64(39)      /* page-selective invalidation */
#define VTD_CAP_NFR     MASK64(47, 40) /* fault records, less one */
#define VTD_CAP_MAMV    MASK64(53, 48) /* the largest address mask of an invalidation */
#define VTD_CAP_DWD     BIT64(54)      /* drains writes */
#define VTD_CAP_DRD     BIT64(55)      /* drains reads */
#define VTD_CAP_FS1GP   BIT64(56)
#define VTD_CAP_PI      BIT64(59)
#define VTD_CAP_FS5LP   BIT64(60)
#define VTD_CAP_ESIRTPS BIT64(62)
#define VTD_CAP_ESRTPS  BIT64(63) /* setting the root table pointer drops all caches */

/* ECAP (11.4.3) */
#define VTD_ECAP_C     BIT64(0) /* walks of the tables snoop */
#define VTD_ECAP_QI    BIT64(1)
#define VTD_ECAP_DT    BIT64(2) /* device TLBs */
#define VTD_ECAP_IR    BIT64(3)
#define VTD_ECAP_EIM   BIT64(4) /* 32-bit APIC ids */
#define VTD_ECAP_PT    BIT64(6)
#define VTD_ECAP_SC    BIT64(7)       /* SNP in leaves is honoured; else it is reserved */
#define VTD_ECAP_IRO   MASK64(17, 8)  /* IOTLB registers are at 16 * IRO */
#define VTD_ECAP_MHMV  MASK64(23, 20) /* the largest index mask of an IEC invalidation */
#define VTD_ECAP_NEST  BIT64(26)
#define VTD_ECAP_SRS   BIT64(31)
#define VTD_ECAP_PSS   MASK64(39, 35) /* PASIDs have PSS + 1 bits */
#define VTD_ECAP_PASID BIT64(40)
#define VTD_ECAP_SMTS  BIT64(43) /* scalable mode */
#define VTD_ECAP_SSADS BIT64(45)
#define VTD_ECAP_SSTS  BIT64(46) /* second stage in scalable mode */
#define VTD_ECAP_FSTS  BIT64(47)
#define VTD_ECAP_SMPWC BIT64(48) /* walks through PASID entries snoop, where PWSNP is set */
#define VTD_ECAP_RPS   BIT64(49) /* RID_PASID of context entries; else requests have PASID 0 */

/* GCMD and GSTS (11.4.4): a write states all persistent bits and at most one change. */
#define VTD_GCMD_TE    BIT64(31)
#define VTD_GCMD_SRTP  BIT64(30) /* one-shot */
#define VTD_GCMD_SFL   BIT64(29) /* one-shot */
#define VTD_GCMD_EAFL  BIT64(28)
#define VTD_GCMD_WBF   BIT64(27) /* one-shot; its status is set while it is going on */
#define VTD_GCMD_QIE   BIT64(26)
#define VTD_GCMD_IRE   BIT64(25)
#define VTD_GCMD_SIRTP BIT64(24) /* one-shot */
#define VTD_GCMD_CFI   BIT64(23)
#define VTD_GCMD_PERSISTENT \
    (VTD_GCMD_TE | VTD_GCMD_EAFL | VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_CFI)

/* RTADDR (11.4.5) */
#define VTD_RTADDR_TTM   MASK64(11, 10)
#define VTD_RTADDR_RTA   MASK64(63, 12)
#define VTD_TTM_LEGACY   0u
#define VTD_TTM_SCALABLE 1u

/* CCMD (11.4.6.1): the register way of invalidating the context cache */
#define VTD_CCMD_DID  MASK64(15, 0)
#define VTD_CCMD_SID  MASK64(31, 16)
#define VTD_CCMD_FM   MASK64(33, 32)
#define VTD_CCMD_CAIG MASK64(60, 59) /* what was done; 0: refused */
#define VTD_CCMD_CIRG MASK64(62, 61)
#define VTD_CCMD_ICC  BIT64(63) /* writing its byte begins */

/* IVA and IOTLB, at ECAP.IRO (11.4.6.2): the register way of invalidating the IOTLB */
#define VTD_IVA_REG    0u
#define VTD_IOTLB_REG  8u
#define VTD_IVA_AM     MASK64(5, 0)
#define VTD_IVA_IH     BIT64(6)
#define VTD_IVA_ADDR   MASK64(63, 12)
#define VTD_IOTLB_DID  MASK64(47, 32)
#define VTD_IOTLB_DW   BIT64(48)
#define VTD_IOTLB_DR   BIT64(49)
#define VTD_IOTLB_IAIG MASK64(58, 57) /* what was done; 0: refused */
#define VTD_IOTLB_IIRG MASK64(61, 60)
#define VTD_IOTLB_IVT  BIT64(63) /* writing its byte begins */

/* FSTS (11.4.7.1): all but PPF and FRI are cleared by writing them as 1 */
#define VTD_FSTS_PFO BIT64(0)
#define VTD_FSTS_PPF BIT64(1)
#define VTD_FSTS_AFO BIT64(2)
#define VTD_FSTS_APF BIT64(3)
#define VTD_FSTS_IQE BIT64(4) /* the queue has stopped */
#define VTD_FSTS_ICE BIT64(5)
#define VTD_FSTS_ITE BIT64(6) /* a device did not answer an invalidation; the queue has stopped */
#define VTD_FSTS_PRO BIT64(7)
#define VTD_FSTS_FRI MASK64(15, 8) /* first fault record, while PPF is set */

/* FECTL (11.4.7.2), IECTL (11.4.9.5) */
#define VTD_ECTL_IP BIT64(30)
#define VTD_ECTL_IM BIT64(31)

/* PMEN (11.4.8.1) */
#define VTD_PMEN_PRS BIT64(0)
#define VTD_PMEN_EPM BIT64(31)

/* IQH, IQT, IQA (11.4.9.1-3) */
#define VTD_IQ_INDEX      MASK64(18, 4) /* in units of 16 bytes, of wide descriptors too */
#define VTD_IQA_QS        MASK64(2, 0)  /* log2 of its pages */
#define VTD_IQA_DW        BIT64(11)     /* descriptors of 32 bytes; scalable mode wants them */
#define VTD_IQA_IQA       MASK64(63, 12)
#define VTD_ICS_IWC       BIT64(0)
#define VTD_EVENT_DATA    MASK64(15, 0) /* FEDATA, IEDATA */
#define VTD_EVENT_ADDRESS MASK64(31, 2) /* FEADDR, IEADDR */
#define VTD_IQERCD_IQEI   MASK64(3, 0)  /* VTD_IQEI_*, while FSTS.IQE is set */
#define VTD_IQERCD_ITESID MASK64(47, 32)
#define VTD_IQERCD_ICESID MASK64(63, 48)

/* Why the queue has stopped (11.4.9.9) */
#define VTD_IQEI_TAIL     1u
#define VTD_IQEI_FETCH    2u
#define VTD_IQEI_TYPE     3u /* none, or none in this mode */
#define VTD_IQEI_RESERVED 4u
#define VTD_IQEI_WIDTH    5u
#define VTD_IQEI_ALIGN    6u /* of the tail, to a wide descriptor */
#define VTD_IQEI_TTM      7u

/* IRTA (11.4.10.1) */
#define VTD_IRTA_S    MASK64(3, 0) /* 1 << (S + 1) entries */
#define VTD_IRTA_EIME BIT64(11)
#define VTD_IRTA_IRTA MASK64(63, 12)

/* ---- Tables (chapter 9) ------------------------------------------------------------------------
 */

/* Root entry (9.1); scalable (9.2): lo for devfn 0..127, hi for 128..255 */
struct vtd_root_entry {
    uint64_t lo, hi;
};
_Static_assert(sizeof(struct vtd_root_entry) == 16, "section 9.1");
#define VTD_ROOT_P   BIT64(0)
#define VTD_ROOT_CTP MASK64(63, 12)
/* What is 0 in words, here and below; addresses have at most 52 bits. */
#define VTD_ROOT_RESERVED (MASK64(63, 52) | MASK64(11, 1))

/* Context entry (9.3) */
struct vtd_context_entry {
    uint64_t lo, hi;
};
_Static_assert(sizeof(struct vtd_context_entry) == 16, "section 9.3");
#define VTD_CONTEXT_P       BIT64(0)
#define VTD_CONTEXT_FPD     BIT64(1)
#define VTD_CONTEXT_TT      MASK64(3, 2) /* 0: second stage, translation requests are blocked */
#define VTD_CONTEXT_SSPTPTR MASK64(63, 12)
#define VTD_CONTEXT_AW      MASK64(2, 0)  /* hi: levels of the walk, less two */
#define VTD_CONTEXT_DID     MASK64(23, 8) /* hi */
#define VTD_AW(levels)      ((levels)-2u)
#define VTD_LEVELS(aw)      ((unsigned)(aw) + 2u)
#define VTD_TT_SECOND       0u
#define VTD_TT_DEVICE_TLB   1u /* with translation requests */
#define VTD_TT_PASSTHROUGH  2u

#define VTD_CONTEXT_RESERVED_LO (MASK64(63, 52) | MASK64(11, 4))
#define VTD_CONTEXT_RESERVED_HI (MASK64(63, 24) | BIT64(7))

/* Scalable-mode context entry (9.4) */
struct vtd_sm_context_entry {
    uint64_t word[4];
};
_Static_assert(sizeof(struct vtd_sm_context_entry) == 32, "section 9.4");
#define VTD_SM_CONTEXT_P           BIT64(0)
#define VTD_SM_CONTEXT_FPD         BIT64(1)
#define VTD_SM_CONTEXT_DTE         BIT64(2)
#define VTD_SM_CONTEXT_PASIDE      BIT64(3)
#define VTD_SM_CONTEXT_PRE         BIT64(4)
#define VTD_SM_CONTEXT_PDTS        MASK64(11, 9) /* 1 << (PDTS + 7) directory entries */
#define VTD_SM_CONTEXT_PASIDDIRPTR MASK64(63, 12)
#define VTD_SM_CONTEXT_RID_PASID   MASK64(19, 0) /* word 1 */
#define VTD_SM_CONTEXT_RID_PRIV    BIT64(20)     /* word 1 */
#define VTD_SM_CONTEXT_RESERVED_0  (MASK64(63, 52) | MASK64(8, 5))
#define VTD_SM_CONTEXT_RESERVED_1  MASK64(63, 21)

/* PASID directory entry (9.5): a word for each 64 PASIDs */
#define VTD_PASID_DIR_P         BIT64(0)
#define VTD_PASID_DIR_FPD       BIT64(1)
#define VTD_PASID_DIR_SMPTBLPTR MASK64(63, 12)
#define VTD_PASID_DIR_RESERVED  (MASK64(63, 52) | MASK64(11, 2))
#define VTD_PASID_TABLE_ENTRIES 64u

/* PASID table entry (9.6) */
struct vtd_pasid_entry {
    uint64_t word[8];
};
_Static_assert(sizeof(struct vtd_pasid_entry) == 64, "section 9.6");
_Static_assert(sizeof(struct vtd_pasid_entry) * VTD_PASID_TABLE_ENTRIES == FRAME_SIZE,
               "section 9.6");
#define VTD_PASID_P          BIT64(0)
#define VTD_PASID_FPD        BIT64(1)
#define VTD_PASID_AW         MASK64(4, 2)
#define VTD_PASID_PGTT       MASK64(8, 6)
#define VTD_PASID_SSADE      BIT64(9)
#define VTD_PASID_SSPTPTR    MASK64(63, 12)
#define VTD_PASID_DID        MASK64(15, 0) /* word 1 */
#define VTD_PASID_PWSNP      BIT64(23)     /* word 1 */
#define VTD_PASID_PGSNP      BIT64(24)     /* word 1 */
#define VTD_PASID_SRE        BIT64(0)      /* word 2: and what else is not for user requests */
#define VTD_PASID_ERE        BIT64(1)
#define VTD_PASID_FSPM       MASK64(3, 2) /* word 2: levels of the first stage, less four */
#define VTD_PASID_WPE        BIT64(4)
#define VTD_PASID_NXE        BIT64(5)
#define VTD_PASID_SMEP       BIT64(6)
#define VTD_PASID_EAFE       BIT64(7)
#define VTD_PASID_FSPTPTR    MASK64(63, 12) /* word 2 */
#define VTD_PASID_RESERVED_0 (MASK64(63, 52) | MASK64(11, 10) | BIT64(5))
#define VTD_PASID_RESERVED_1 MASK64(22, 16)
#define VTD_PASID_RESERVED_2 (MASK64(63, 52) | MASK64(11, 8))
#define VTD_PGTT_FIRST       1u
#define VTD_PGTT_SECOND      2u
#define VTD_PGTT_NESTED      3u
#define VTD_PGTT_PASSTHROUGH 4u

/* Interrupt remapping table entry, remapped format (9.9) */
struct vtd_irte {
    uint64_t lo, hi;
};
_Static_assert(sizeof(struct vtd_irte) == 16, "section 9.9");
#define VTD_IRTE_P    BIT64(0)
#define VTD_IRTE_FPD  BIT64(1)
#define VTD_IRTE_DM   BIT64(2) /* destination is logical */
#define VTD_IRTE_RH   BIT64(3)
#define VTD_IRTE_TM   BIT64(4) /* level */
#define VTD_IRTE_DLM  MASK64(7, 5)
#define VTD_IRTE_IM   BIT64(15) /* posted; reserved where there is no posting */
#define VTD_IRTE_V    MASK64(23, 16)
#define VTD_IRTE_DST  MASK64(63, 32)
#define VTD_IRTE_DST8 MASK64(47, 40) /* where EIME is off */
#define VTD_IRTE_SID  MASK64(15, 0)  /* hi */
#define VTD_IRTE_SQ   MASK64(17, 16) /* hi */
#define VTD_IRTE_SVT  MASK64(19, 18) /* hi */
/* What is 0 in an entry; and of DST, where EIME is off, all but DST8. */
#define VTD_IRTE_RESERVED_LO (MASK64(14, 12) | MASK64(31, 24))
#define VTD_IRTE_RESERVED_HI MASK64(63, 20)
#define VTD_SVT_NONE         0u
#define VTD_SVT_SID          1u /* the requester id is SID, but for what SQ leaves out */
#define VTD_SVT_BUS          2u /* its bus is in SID[15:8]..SID[7:0] */
#define VTD_SQ_ALL           0u /* all 16 bits are compared */

/* ---- Invalidation descriptors (6.5.2). Wide ones have two more words, zero here. ---------------
 */
struct vtd_descriptor {
    uint64_t lo, hi;
};
_Static_assert(sizeof(struct vtd_descriptor) == 16, "section 6.5.2");
#define VTD_DESC_TYPE      (MASK64(11, 9) | MASK64(3, 0)) /* the upper part is 0 in all of these */
#define VTD_DESC_CONTEXT   1u
#define VTD_DESC_IOTLB     2u
#define VTD_DESC_DEVTLB    3u
#define VTD_DESC_IEC       4u
#define VTD_DESC_WAIT      5u
#define VTD_DESC_PIOTLB    6u
#define VTD_DESC_PASID     7u
#define VTD_DESC_PDEVTLB   8u /* a device TLB's entries with a PASID */
#define VTD_DESC_RESPONSE  9u /* to a group of page requests */
#define VTD_DESC_HPT       10u
#define VTD_DESC_G         MASK64(5, 4)
#define VTD_DESC_DID       MASK64(31, 16) /* context, IOTLB, PASID */
#define VTD_DESC_SID       MASK64(47, 32) /* context */
#define VTD_DESC_FM        MASK64(49, 48) /* context */
#define VTD_DESC_PASID_NR  MASK64(51, 32) /* PASID, PASID-IOTLB */
#define VTD_DESC_DW        BIT64(6)       /* IOTLB */
#define VTD_DESC_DR        BIT64(7)       /* IOTLB */
#define VTD_DESC_AM        MASK64(5, 0)   /* IOTLB, hi */
#define VTD_DESC_IH        BIT64(6)       /* IOTLB, hi: pointers to tables stay valid */
#define VTD_DESC_ADDR      MASK64(63, 12) /* IOTLB, hi */
#define VTD_DESC_IEC_INDEX BIT64(4)       /* IEC: only IIDX, less its IM low bits */
#define VTD_DESC_IM        MASK64(31, 27) /* IEC */
#define VTD_DESC_IIDX      MASK64(47, 32) /* IEC */
#define VTD_DESC_IF        BIT64(4)       /* wait: interrupt */
#define VTD_DESC_SW        BIT64(5)       /* wait: status write */
#define VTD_DESC_FN        BIT64(6)       /* wait: what follows begins after it */
#define VTD_DESC_DATA      MASK64(63, 32) /* wait */
#define VTD_DESC_STATUS    MASK64(63, 2)  /* wait, hi: where DATA goes, 4 bytes */

/* What is 0 in each, in its two words. The other two words of a wide one are 0. */
#define VTD_DESC_RESERVED_CONTEXT_LO (MASK64(63, 50) | MASK64(15, 12) | MASK64(8, 6))
#define VTD_DESC_RESERVED_IOTLB_LO   (MASK64(63, 32) | MASK64(15, 12) | BIT64(8))
#define VTD_DESC_RESERVED_IOTLB_HI   MASK64(11, 7) /* of PASID-IOTLB too */
#define VTD_DESC_RESERVED_IEC_LO     (MASK64(63, 48) | MASK64(26, 12) | MASK64(8, 5))
#define VTD_DESC_RESERVED_WAIT_LO    (MASK64(31, 12) | MASK64(8, 7))
#define VTD_DESC_RESERVED_WAIT_HI    MASK64(1, 0)
#define VTD_DESC_RESERVED_PASID_LO   (MASK64(63, 52) | MASK64(15, 12) | MASK64(8, 6)) /* and that */

/* Granularity of context and IOTLB invalidation, in descriptors and registers */
#define VTD_G_GLOBAL 1u
#define VTD_G_DOMAIN 2u
#define VTD_G_DEVICE 3u /* context */
#define VTD_G_PAGE   3u /* IOTLB */
/* of PASID-cache invalidation (6.5.2.2) */
#define VTD_G_PASID_DOMAIN 0u
#define VTD_G_PASID_ONE    1u
#define VTD_G_PASID_GLOBAL 3u
/* of PASID-IOTLB invalidation (6.5.2.4) */
#define VTD_G_FIRST_ALL  2u
#define VTD_G_FIRST_PAGE 3u

/* ---- Fault records, at CAP.FRO (11.4.7.6), and reasons (7.1.3) ---------------------------------
 */
#define VTD_FRCD_SIZE 16u
#define VTD_FRCD_FI   MASK64(63, 12) /* lo: page address */
#define VTD_FRCD_IIDX MASK64(63, 48) /* lo: interrupt index, for VTD_REASON_IR_* */
#define VTD_FRCD_SID  MASK64(15, 0)  /* this and all below: hi */
#define VTD_FRCD_T2   BIT64(28)
#define VTD_FRCD_EXE  BIT64(30)
#define VTD_FRCD_PP   BIT64(31)
#define VTD_FRCD_FR   MASK64(39, 32)
#define VTD_FRCD_PV   MASK64(59, 40)
#define VTD_FRCD_T1   BIT64(62) /* T1, T2: write 0 0, page request 0 1, read 1 0, atomic 1 1 */
#define VTD_FRCD_F    BIT64(63)

#define VTD_REASON_ROOT_P                0x01u
#define VTD_REASON_CONTEXT_P             0x02u
#define VTD_REASON_CONTEXT_INVALID       0x03u
#define VTD_REASON_WIDTH                 0x04u
#define VTD_REASON_WRITE                 0x05u
#define VTD_REASON_READ                  0x06u
#define VTD_REASON_TABLE_ACCESS          0x07u
#define VTD_REASON_ROOT_ACCESS           0x08u
#define VTD_REASON_CONTEXT_ACCESS        0x09u
#define VTD_REASON_ROOT_RESERVED         0x0au
#define VTD_REASON_CONTEXT_RESERVED      0x0bu
#define VTD_REASON_TABLE_RESERVED        0x0cu
#define VTD_REASON_TRANSLATION           0x0du
#define VTD_REASON_INTERRUPT_RANGE       0x0eu
#define VTD_REASON_IR_FIRST              0x20u
#define VTD_REASON_IR_RESERVED           0x20u
#define VTD_REASON_IR_INDEX              0x21u
#define VTD_REASON_IR_P                  0x22u
#define VTD_REASON_IR_ACCESS             0x23u
#define VTD_REASON_IR_IRTE               0x24u
#define VTD_REASON_IR_COMPAT             0x25u
#define VTD_REASON_IR_SOURCE             0x26u
#define VTD_REASON_IR_LAST               0x2fu
#define VTD_REASON_SM_TTM                0x30u /* the root pointer has a reserved mode */
#define VTD_REASON_SM_LEGACY_PASID       0x31u /* a PASID in legacy mode */
#define VTD_REASON_SM_ROOT_ACCESS        0x38u
#define VTD_REASON_SM_ROOT_P             0x39u
#define VTD_REASON_SM_ROOT_RESERVED      0x3au
#define VTD_REASON_SM_CONTEXT_ACCESS     0x40u
#define VTD_REASON_SM_CONTEXT_P          0x41u
#define VTD_REASON_SM_CONTEXT_RESERVED   0x42u
#define VTD_REASON_SM_REQUEST_FIRST      0x44u /* the context entry does not allow this request */
#define VTD_REASON_SM_PASIDE             0x45u
#define VTD_REASON_SM_PDTS               0x46u /* the PASID is beyond the directory */
#define VTD_REASON_SM_RID_PASID          0x48u
#define VTD_REASON_SM_REQUEST_LAST       0x48u
#define VTD_REASON_SM_PASID_DIR_ACCESS   0x50u
#define VTD_REASON_SM_PASID_DIR_P        0x51u
#define VTD_REASON_SM_PASID_DIR_RESERVED 0x52u
#define VTD_REASON_SM_PASID_ACCESS       0x58u
#define VTD_REASON_SM_PASID_P            0x59u
#define VTD_REASON_SM_PASID_RESERVED     0x5au
#define VTD_REASON_SM_PASID_INVALID      0x5bu
#define VTD_REASON_SM_PASID_ERE          0x5cu
#define VTD_REASON_SM_PASID_SRE          0x5du
#define VTD_REASON_SM_FIRST_ACCESS       0x70u /* an entry of the first stage */
#define VTD_REASON_SM_FIRST_P            0x71u
#define VTD_REASON_SM_FIRST_RESERVED     0x72u
#define VTD_REASON_SM_FIRST_ROOT         0x73u /* its root table */
#define VTD_REASON_SM_SECOND_ACCESS      0x78u
#define VTD_REASON_SM_RIGHTS             0x79u
#define VTD_REASON_SM_SECOND_RESERVED    0x7au
#define VTD_REASON_SM_SECOND_ROOT        0x7bu
#define VTD_REASON_SM_CANONICAL          0x80u
#define VTD_REASON_SM_USER               0x81u /* a user's request where the table has no users */
#define VTD_REASON_SM_WIDTH              0x83u
#define VTD_REASON_SM_TABLE_WIDTH        0x84u
#define VTD_REASON_SM_WRITE              0x85u
#define VTD_REASON_SM_READ               0x86u
#define VTD_REASON_SM_INTERRUPT          0x87u

#endif
