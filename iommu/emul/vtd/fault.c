/* SPDX-License-Identifier: BSD-2-Clause */
/* Faults as the guest sees them: records (7.2.1), the queue's errors, and the events (7.3). */
#include "emul.h"

#define STATUS (VTD_FSTS_PFO | VTD_FSTS_PPF | VTD_FSTS_IQE)

/* Never remapped, whatever the guest's table says. */
static void deliver(struct vtd_emul *e, unsigned control, unsigned data, unsigned address)
{
    struct vtd_emul_front *f = &e->front;

    f->word[control / 4] &= ~(uint32_t)VTD_ECTL_IP;
    e->port->deliver(e->port->host, e->d->guest, vtd_emul_get64(f, address), vtd_emul_get(f, data));
}

static void deliver_unmasked(struct vtd_emul *e, unsigned control, unsigned data, unsigned address)
{
    const uint32_t value = vtd_emul_get(&e->front, control);

    if (value & VTD_ECTL_IP && !(value & VTD_ECTL_IM))
        deliver(e, control, data, address);
}

static bool is_pending(const struct vtd_emul_front *f)
{
    for (unsigned i = 0; i < VTD_EMUL_RECORDS; i++)
        if (vtd_emul_get64(f, VTD_EMUL_FRCD + i * VTD_FRCD_SIZE + 8) & VTD_FRCD_F)
            return true;
    return false;
}

/* What software has serviced is not pending any more, even if it was never delivered. */
void vtd_emul_settle(struct vtd_emul *e)
{
    struct vtd_emul_front *f = &e->front;

    if (!is_pending(f))
        f->word[VTD_FSTS / 4] &= ~(uint32_t)(VTD_FSTS_PPF | VTD_FSTS_FRI);
    if (!(vtd_emul_get(f, VTD_FSTS) & STATUS))
        f->word[VTD_FECTL / 4] &= ~(uint32_t)VTD_ECTL_IP;
    if (!(vtd_emul_get(f, VTD_ICS) & VTD_ICS_IWC))
        f->word[VTD_IECTL / 4] &= ~(uint32_t)VTD_ECTL_IP;
    deliver_unmasked(e, VTD_FECTL, VTD_FEDATA, VTD_FEADDR);
    deliver_unmasked(e, VTD_IECTL, VTD_IEDATA, VTD_IEADDR);
}

/* A condition that comes while another is not serviced is none. */
static void set_status(struct vtd_emul *e, uint64_t bits)
{
    struct vtd_emul_front *f = &e->front;

    if (!(vtd_emul_get(f, VTD_FSTS) & STATUS))
        f->word[VTD_FECTL / 4] |= (uint32_t)VTD_ECTL_IP;
    f->word[VTD_FSTS / 4] |= (uint32_t)bits;
    deliver_unmasked(e, VTD_FECTL, VTD_FEDATA, VTD_FEADDR);
}

void vtd_emul_queue_error(struct vtd_emul *e, unsigned iqei)
{
    vtd_emul_set64(&e->front, VTD_IQERCD, FIELD_PREP(VTD_IQERCD_IQEI, iqei));
    set_status(e, VTD_FSTS_IQE);
}

void vtd_emul_done_event(struct vtd_emul *e)
{
    struct vtd_emul_front *f = &e->front;

    if (vtd_emul_get(f, VTD_ICS) & VTD_ICS_IWC)
        return;
    vtd_emul_set(f, VTD_ICS, (uint32_t)VTD_ICS_IWC);
    f->word[VTD_IECTL / 4] |= (uint32_t)VTD_ECTL_IP;
    deliver_unmasked(e, VTD_IECTL, VTD_IEDATA, VTD_IEADDR);
}

/* F comes last, with the rest of its word. */
static void fill(struct vtd_emul_front *f, unsigned at, const struct vtd_emul_fault *fault)
{
    uint64_t hi =
        VTD_FRCD_F | FIELD_PREP(VTD_FRCD_FR, fault->reason) | FIELD_PREP(VTD_FRCD_SID, fault->sid);

    if (!fault->write)
        hi |= VTD_FRCD_T1;
    if (fault->has_pasid)
        hi |= VTD_FRCD_PP | FIELD_PREP(VTD_FRCD_PV, fault->pasid);
    vtd_emul_set64(f, at, fault->info & VTD_FRCD_FI);
    vtd_emul_set64(f, at + 8, hi);
}

/* The first of all that are pending is in FRI. */
void vtd_emul_record(struct vtd_emul *e, const struct vtd_emul_fault *fault)
{
    struct vtd_emul_front *f = &e->front;
    const unsigned at = VTD_EMUL_FRCD + f->next_record * VTD_FRCD_SIZE;
    const uint32_t status = vtd_emul_get(f, VTD_FSTS);

    f->faults++;
    if (status & VTD_FSTS_PFO || vtd_emul_get64(f, at + 8) & VTD_FRCD_F) {
        f->faults_lost++;
        set_status(e, VTD_FSTS_PFO);
        return;
    }
    fill(f, at, fault);
    set_status(e, VTD_FSTS_PPF |
                      (status & VTD_FSTS_PPF ? 0 : FIELD_PREP(VTD_FSTS_FRI, f->next_record)));
    f->next_record = (f->next_record + 1) % VTD_EMUL_RECORDS;
}

/* ---- Faults of the domain's devices ------------------------------------------------------------
 */

void vtd_emul_note_fault(struct viommu *v, const struct sluice_fault *fault)
{
    struct vtd_emul *e = (struct vtd_emul *)(void *)v;
    struct vtd_emul_noted *n = &e->front.noted;

    e->port->lock(e->port->host, &n->lock);
    if (n->nr < VTD_EMUL_NOTED)
        n->fault[(n->head + n->nr++) % VTD_EMUL_NOTED] = *fault;
    else
        n->lost++;
    e->port->unlock(e->port->host, &n->lock);
}

/* The oldest; and those that are lost since the last time count. */
static bool take(struct vtd_emul *e, struct sluice_fault *fault)
{
    struct vtd_emul_noted *n = &e->front.noted;
    bool there;

    e->port->lock(e->port->host, &n->lock);
    there = n->nr;
    if (there) {
        *fault = n->fault[n->head];
        n->head = (n->head + 1) % VTD_EMUL_NOTED;
        n->nr--;
    }
    e->front.faults += n->lost;
    e->front.faults_lost += n->lost;
    n->lost = 0;
    e->port->unlock(e->port->host, &n->lock);
    return there;
}

/* At most as many as there is room for: more may come meanwhile. */
void vtd_emul_collect(struct vtd_emul *e)
{
    struct sluice_fault fault;
    struct vtd_emul_fault out;

    for (unsigned n = 0; n < VTD_EMUL_NOTED && take(e, &fault); n++)
        if (vtd_emul_explain(e, &fault, &out))
            vtd_emul_record(e, &out);
}
