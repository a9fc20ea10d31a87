/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault records (7.2, 11.4.7). Hardware fills them in turn and stops at one that is still full;
 * then it sets PFO and records nothing until that is cleared.
 */
#include "internal.h"

static unsigned nr_records(const struct vtd_unit *u)
{
    return (unsigned)FIELD_GET(VTD_CAP_NFR, u->cap) + 1;
}

static unsigned record_at(const struct vtd_unit *u, unsigned i)
{
    return (unsigned)FIELD_GET(VTD_CAP_FRO, u->cap) * 16 + i * VTD_FRCD_SIZE;
}

/* The second stage has no present bit: an entry without rights gives READ or WRITE as well. */
static enum hw_reason legacy_reason(uint64_t reason)
{
    static const uint8_t map[] = {
        [VTD_REASON_ROOT_P] = HW_REASON_BLOCKED,      [VTD_REASON_CONTEXT_P] = HW_REASON_BLOCKED,
        [VTD_REASON_WIDTH] = HW_REASON_WIDTH,         [VTD_REASON_WRITE] = HW_REASON_NO_WRITE,
        [VTD_REASON_READ] = HW_REASON_NO_READ,        [VTD_REASON_TRANSLATION] = HW_REASON_BLOCKED,
        [VTD_REASON_INTERRUPT_RANGE] = HW_REASON_MSI,
    };

    if (reason < sizeof(map) && map[reason])
        return (enum hw_reason)map[reason];
    return HW_REASON_RESERVED;
}

static enum hw_reason scalable_reason(uint64_t reason, bool write)
{
    if (reason >= VTD_REASON_SM_REQUEST_FIRST && reason <= VTD_REASON_SM_REQUEST_LAST)
        return HW_REASON_BLOCKED;
    switch (reason) {
    case VTD_REASON_SM_ROOT_P:
    case VTD_REASON_SM_CONTEXT_P:
    case VTD_REASON_SM_PASID_DIR_P:
    case VTD_REASON_SM_PASID_ACCESS: /* QEMU's for an entry that is not present */
    case VTD_REASON_SM_PASID_P:
    case VTD_REASON_SM_PASID_ERE:
    case VTD_REASON_SM_PASID_SRE:
        return HW_REASON_BLOCKED;
    case VTD_REASON_SM_RIGHTS:
        return write ? HW_REASON_NO_WRITE : HW_REASON_NO_READ;
    case VTD_REASON_SM_WRITE:
        return HW_REASON_NO_WRITE;
    case VTD_REASON_SM_READ:
        return HW_REASON_NO_READ;
    case VTD_REASON_SM_CANONICAL:
    case VTD_REASON_SM_WIDTH:
        return HW_REASON_WIDTH;
    case VTD_REASON_SM_INTERRUPT:
        return HW_REASON_MSI;
    }
    return HW_REASON_RESERVED;
}

static enum hw_reason reason_of(const struct vtd_unit *u, uint64_t reason, bool write)
{
    enum hw_reason r = reason < 0x30 ? legacy_reason(reason) : scalable_reason(reason, write);

    return u->dead && r == HW_REASON_BLOCKED ? HW_REASON_UNIT : r;
}

/* A refused interrupt request looks like the write to the MSI window that it was. */
static void interrupt_fault(uint64_t lo, struct hw_fault *out)
{
    out->addr = vtd_ir_message((uint16_t)FIELD_GET(VTD_FRCD_IIDX, lo), false).address;
    out->write = true;
    out->reason = HW_REASON_MSI;
}

static void decode(const struct vtd_unit *u, uint64_t lo, uint64_t hi, struct hw_fault *out)
{
    const uint64_t reason = FIELD_GET(VTD_FRCD_FR, hi);

    *out = (struct hw_fault){
        .rid = {(uint32_t)u->config.segment << 16 | (uint32_t)FIELD_GET(VTD_FRCD_SID, hi)},
        .pasid = hi & VTD_FRCD_PP ? (uint32_t)FIELD_GET(VTD_FRCD_PV, hi) : 0,
        .addr = lo & VTD_FRCD_FI,
        .write = !(hi & VTD_FRCD_T1) == !(hi & VTD_FRCD_T2),
    };
    if (reason >= VTD_REASON_IR_FIRST && reason <= VTD_REASON_IR_LAST)
        interrupt_fault(lo, out);
    else
        out->reason = reason_of(u, reason, out->write);
}

/* A full record does not change until F is cleared, by writing it as 1. */
static bool take(const struct vtd_unit *u, unsigned i, struct hw_fault *out)
{
    const uint64_t hi = vtd_read64(u, record_at(u, i) + 8);

    if (!(hi & VTD_FRCD_F))
        return false;
    decode(u, vtd_read64(u, record_at(u, i)), hi, out);
    vtd_write64(u, record_at(u, i) + 8, VTD_FRCD_F);
    return true;
}

/* FRI is where the oldest was when PPF was set; after that we know better. */
static unsigned first_record(const struct vtd_unit *u, uint32_t fsts)
{
    if (vtd_read64(u, record_at(u, u->fault_next) + 8) & VTD_FRCD_F)
        return u->fault_next;
    return (unsigned)FIELD_GET(VTD_FSTS_FRI, fsts) % nr_records(u);
}

/* Records of one overflow cannot be counted: it is at least one. */
unsigned vtd_drain(struct hw_unit *unit, struct hw_fault *out, unsigned max, uint64_t *lost)
{
    struct vtd_unit *u = vtd_of(unit);
    const struct sluice_port *port = u->config.port;
    unsigned n = 0, at;
    uint32_t fsts;

    if (!max)
        return 0;
    port->lock(port->host, &u->fault_lock);
    fsts = vtd_read32(u, VTD_FSTS);
    if (fsts & (VTD_FSTS_PPF | VTD_FSTS_PFO)) {
        at = first_record(u, fsts);
        for (unsigned i = 0; i < nr_records(u) && n < max; i++, at = (at + 1) % nr_records(u))
            if (take(u, at, &out[n])) {
                n++;
                u->fault_next = (at + 1) % nr_records(u);
            }
    }
    if (fsts & VTD_FSTS_PFO) {
        (*lost)++;
        vtd_write32(u, VTD_FSTS, VTD_FSTS_PFO);
    }
    port->unlock(port->host, &u->fault_lock);
    return n;
}

/* What was recorded before our time is nobody's. */
void vtd_clear_faults(struct vtd_unit *u)
{
    for (unsigned i = 0; i < nr_records(u); i++)
        if (vtd_read64(u, record_at(u, i) + 8) & VTD_FRCD_F)
            vtd_write64(u, record_at(u, i) + 8, VTD_FRCD_F);
    vtd_write32(u, VTD_FSTS,
                VTD_FSTS_PFO | VTD_FSTS_AFO | VTD_FSTS_APF | VTD_FSTS_IQE | VTD_FSTS_ICE |
                    VTD_FSTS_ITE | VTD_FSTS_PRO);
}
