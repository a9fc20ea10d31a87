/* SPDX-License-Identifier: BSD-2-Clause */
/* Handshakes with registers, and invalidation by them where there is no queue. */
#include "internal.h"

struct vtd_deadline vtd_deadline(const struct vtd_unit *u)
{
    return (struct vtd_deadline){u->config.port->now_ns(u->config.port->host)};
}

bool vtd_too_late(const struct vtd_unit *u, struct vtd_deadline deadline)
{
    const struct sluice_port *port = u->config.port;

    if (port->now_ns(port->host) - deadline.start > u->config.timeout_ns)
        return true;
    port->relax(port->host);
    return false;
}

int vtd_wait32(const struct vtd_unit *u, unsigned offset, uint64_t mask, uint64_t value)
{
    const struct vtd_deadline deadline = vtd_deadline(u);

    while ((vtd_read32(u, offset) & mask) != value) {
        if (!vtd_too_late(u, deadline))
            continue;
        vtd_error(u, "vtd_wait", -ETIMEDOUT, offset, mask);
        return -ETIMEDOUT;
    }
    return 0;
}

/* Busy while `bit` is set; what it then reads is in *value. */
static int wait64(const struct vtd_unit *u, unsigned offset, uint64_t bit, uint64_t *value)
{
    const struct vtd_deadline deadline = vtd_deadline(u);

    while ((*value = vtd_read64(u, offset)) & bit) {
        if (!vtd_too_late(u, deadline))
            continue;
        vtd_error(u, "vtd_invalidate", -ETIMEDOUT, offset, *value);
        return -ETIMEDOUT;
    }
    return 0;
}

/*
 * GCMD (11.4.4.1): a write gives all persistent bits, and changes one thing; the next one only
 * after GSTS shows it. The persistent bits are remembered, not read back.
 */
int vtd_set(struct vtd_unit *u, uint64_t bit)
{
    u->gcmd |= (uint32_t)bit;
    vtd_write32(u, VTD_GCMD, u->gcmd);
    return vtd_wait32(u, VTD_GSTS, bit, bit);
}

int vtd_clear(struct vtd_unit *u, uint64_t bit)
{
    if (!(u->gcmd & bit))
        return 0;
    u->gcmd &= ~(uint32_t)bit;
    vtd_write32(u, VTD_GCMD, u->gcmd);
    return vtd_wait32(u, VTD_GSTS, bit, 0);
}

/* SRTP, SIRTP: hardware drops the status bit first, and sets it when it is done. */
int vtd_pulse(struct vtd_unit *u, uint64_t bit)
{
    vtd_write32(u, VTD_GCMD, u->gcmd | bit);
    return vtd_wait32(u, VTD_GSTS, bit, bit);
}

/* Section 6.8: with RWBF, what we wrote to tables may still be on its way. */
int vtd_flush_write_buffer(struct vtd_unit *u)
{
    if (!(u->cap & VTD_CAP_RWBF))
        return 0;
    vtd_write32(u, VTD_GCMD, u->gcmd | VTD_GCMD_WBF);
    return vtd_wait32(u, VTD_GSTS, VTD_GCMD_WBF, 0);
}

int vtd_register_context(struct vtd_unit *u, unsigned granularity, uint16_t did, uint16_t sid)
{
    uint64_t value;
    int err;

    vtd_write64(u, VTD_CCMD,
                VTD_CCMD_ICC | FIELD_PREP(VTD_CCMD_CIRG, granularity) |
                    FIELD_PREP(VTD_CCMD_SID, sid) | FIELD_PREP(VTD_CCMD_DID, did));
    err = wait64(u, VTD_CCMD, VTD_CCMD_ICC, &value);
    if (err)
        return err;
    return value & VTD_CCMD_CAIG ? 0 : -EIO;
}

int vtd_register_iotlb(struct vtd_unit *u, const struct vtd_iotlb *what)
{
    const unsigned at = (unsigned)FIELD_GET(VTD_ECAP_IRO, u->ecap) * 16;
    uint64_t command = VTD_IOTLB_IVT | FIELD_PREP(VTD_IOTLB_IIRG, what->granularity) |
                       FIELD_PREP(VTD_IOTLB_DID, what->did);
    int err;

    if (u->cap & VTD_CAP_DRD)
        command |= VTD_IOTLB_DR;
    if (u->cap & VTD_CAP_DWD)
        command |= VTD_IOTLB_DW;
    if (what->granularity == VTD_G_PAGE)
        vtd_write64(u, at + VTD_IVA_REG,
                    FIELD_PREP(VTD_IVA_ADDR, what->dfn) | FIELD_PREP(VTD_IVA_AM, what->order) |
                        (what->leaf_only ? VTD_IVA_IH : 0));
    vtd_write64(u, at + VTD_IOTLB_REG, command);
    err = wait64(u, at + VTD_IOTLB_REG, VTD_IOTLB_IVT, &command);
    if (err)
        return err;
    return command & VTD_IOTLB_IAIG ? 0 : -EIO;
}
