/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registers, and what of each is the same on every unit that keeps to the specification and
 * has these tables: no capabilities, no write-only fields, no indices of fault records. Fault
 * records themselves are read after each DMA.
 */
#include "program.h"

#define GSTS_SAME                                                                                 \
    (VTD_GCMD_TE | VTD_GCMD_SRTP | VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_SIRTP | VTD_GCMD_EAFL | \
     VTD_GCMD_SFL | VTD_GCMD_WBF)

const struct reg regs[] = {
    {.name = "ver", .offset = VTD_VER, .size = 4, .write = true},
    {.name = "cap", .offset = VTD_CAP, .size = 8, .same = VTD_CAP_CM | VTD_CAP_PSI, .write = true},
    {.name = "ecap", .offset = VTD_ECAP, .size = 8, .same = VTD_ECAP_QI, .write = true},
    {.name = "gcmd", .offset = VTD_GCMD, .size = 4, .same = ~0u},
    {.name = "gsts", .offset = VTD_GSTS, .size = 4, .same = GSTS_SAME, .write = true},
    {.name = "rtaddr", .offset = VTD_RTADDR, .size = 8, .same = MASK64(38, 10), .write = true},
    {.name = "ccmd",
     .offset = VTD_CCMD,
     .size = 8,
     .same = VTD_CCMD_ICC,
     .write = true,
     .no_queue = true},
    {.name = "fsts",
     .offset = VTD_FSTS,
     .size = 4,
     .same = VTD_FSTS_PPF | VTD_FSTS_IQE | VTD_FSTS_AFO | VTD_FSTS_APF,
     .write = true},
    {.name = "fectl", .offset = VTD_FECTL, .size = 4, .same = ~0u},
    {.name = "fedata", .offset = VTD_FEDATA, .size = 4, .same = 0xffff},
    {.name = "feaddr", .offset = VTD_FEADDR, .size = 4, .same = ~0u, .write = true},
    {.name = "aflog", .offset = VTD_AFLOG, .size = 8, .same = ~0ull, .write = true},
    {.name = "pmen", .offset = VTD_PMEN, .size = 4, .same = ~0u, .write = true},
    {.name = "plmbase", .offset = VTD_PLMBASE, .size = 4, .same = ~0u, .write = true},
    {.name = "plmlimit", .offset = VTD_PLMLIMIT, .size = 4, .same = ~0u, .write = true},
    {.name = "phmbase", .offset = VTD_PHMBASE, .size = 8, .same = ~0ull, .write = true},
    {.name = "phmlimit", .offset = VTD_PHMLIMIT, .size = 8, .same = ~0ull, .write = true},
    {.name = "iqh", .offset = VTD_IQH, .size = 8, .same = ~0ull, .write = true},
    {.name = "iqt", .offset = VTD_IQT, .size = 8, .same = VTD_IQ_INDEX},
    {.name = "iqa", .offset = VTD_IQA, .size = 8, .same = VTD_IQA_QS},
    {.name = "ics", .offset = VTD_ICS, .size = 4, .same = ~0u, .write = true},
    {.name = "iectl", .offset = VTD_IECTL, .size = 4, .same = ~0u},
    {.name = "iedata", .offset = VTD_IEDATA, .size = 4, .same = 0xffff},
    {.name = "ieaddr", .offset = VTD_IEADDR, .size = 4, .same = ~0u, .write = true},
    {.name = "irta",
     .offset = VTD_IRTA,
     .size = 8,
     .same = MASK64(38, 12) | VTD_IRTA_S,
     .write = true},
    {.name = "iva", .offset = VTD_IVA_REG, .size = 8, .write = true, .iotlb = true},
    {.name = "iotlb",
     .offset = VTD_IOTLB_REG,
     .size = 8,
     .same = VTD_IOTLB_IVT,
     .write = true,
     .no_queue = true,
     .iotlb = true},
};
const unsigned nr_regs = sizeof(regs) / sizeof(regs[0]);

unsigned reg_offset(const struct unit *u, const struct reg *r)
{
    return (r->iotlb ? u->iotlb : 0) + r->offset;
}

void unit_learn(struct unit *u)
{
    const uint64_t cap = unit_read(u, VTD_CAP, 8), ecap = unit_read(u, VTD_ECAP, 8);

    u->fault = (unsigned)FIELD_GET(VTD_CAP_FRO, cap) * 16;
    u->nr_faults = (unsigned)FIELD_GET(VTD_CAP_NFR, cap) + 1;
    u->iotlb = (unsigned)FIELD_GET(VTD_ECAP_IRO, ecap) * 16;
}
