/* SPDX-License-Identifier: BSD-2-Clause */
/* remote_cmd: a call that acts on another domain, with its argument in the caller's memory. */
#include "call.h"

static bool exists(struct instance *s, uint16_t domid)
{
    struct domain *d = domain_pin(s, domid);

    if (d)
        domain_unpin(d);
    return d;
}

int decode_remote(struct call *call)
{
    const struct sluice_port *port = call->caller->s->port;
    struct pv_iommu_remote_cmd raw;
    int err = port->copy_from_guest(port->host, call->caller->guest, &raw, call->arg, sizeof(raw));

    if (err)
        return err;
    if (!port->may_control(port->host, call->caller->domid, raw.domid, raw.cmd))
        return -EPERM;
    if (!exists(call->caller->s, raw.domid))
        return -ESRCH;
    if (raw.cmd == IOMMU_remote_cmd || raw.cmd == IOMMU_batch)
        return -EINVAL;
    call->target = raw.domid;
    call->subop = raw.cmd;
    call->arg = raw.arg.q;
    return 0;
}
