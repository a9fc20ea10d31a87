/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest asked for by registers, one thing after the other. It waits in the registers, so
 * there is nothing else to remember; and nothing that is done here, not even a write to guest
 * memory, asks for more.
 */
#include "emul.h"

#define MOST_STEPS 64u /* at a time */

static bool waits(const struct vtd_emul_front *f)
{
    return f->work != VTD_EMUL_IDLE || f->commanded || vtd_emul_get64(f, VTD_CCMD) & VTD_CCMD_ICC ||
           vtd_emul_get64(f, VTD_EMUL_IOTLB) & VTD_IOTLB_IVT || vtd_emul_queue_waits(f);
}

static void begin(struct vtd_emul *e)
{
    const struct vtd_emul_front *f = &e->front;

    if (f->commanded)
        vtd_emul_begin_command(e);
    else if (vtd_emul_get64(f, VTD_CCMD) & VTD_CCMD_ICC)
        vtd_emul_begin_context(e);
    else if (vtd_emul_get64(f, VTD_EMUL_IOTLB) & VTD_IOTLB_IVT)
        vtd_emul_begin_iotlb(e);
    else
        vtd_emul_begin_descriptor(e);
}

static void end(struct vtd_emul *e)
{
    struct vtd_emul_front *f = &e->front;
    const enum vtd_emul_work work = f->work;

    f->work = VTD_EMUL_IDLE;
    f->invalidations++;
    if (work == VTD_EMUL_DOES_COMMAND)
        vtd_emul_end_command(e);
    else if (work == VTD_EMUL_DOES_CONTEXT)
        vtd_emul_end_context(e, f->inv.granularity);
    else if (work == VTD_EMUL_DOES_IOTLB)
        vtd_emul_end_iotlb(e, f->inv.granularity);
    else if (work == VTD_EMUL_DOES_DESCRIPTOR)
        vtd_emul_end_descriptor(e);
}

static int step(struct vtd_emul *e)
{
    if (e->front.work == VTD_EMUL_IDLE)
        begin(e);
    if (e->front.work == VTD_EMUL_IDLE)
        return 0;
    if (vtd_emul_invalidate(e, &e->front.inv))
        return -ERESTART;
    end(e);
    return 0;
}

int vtd_emul_work(struct vtd_emul *e)
{
    for (unsigned n = 0; waits(&e->front); n++)
        if (n == MOST_STEPS || (n && e->port->preempt(e->port->host)) || step(e))
            return -ERESTART;
    return 0;
}
