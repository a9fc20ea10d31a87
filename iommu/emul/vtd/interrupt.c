/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interrupt remapping (5.1): messages of devices behind the unit, by the guest's table. The checks
 * are in the order of 5.1.4.
 */
#include "../../spec/x86_msi.h"
#include "emul.h"

struct request {
    uint16_t sid;
    uint32_t index; /* may be beyond any table: a handle and what is added to it */
};

static int block(struct vtd_emul *e, const struct request *r, uint8_t reason)
{
    const struct vtd_emul_fault fault = {.sid = r->sid,
                                         .info = FIELD_PREP(VTD_FRCD_IIDX, r->index),
                                         .reason = reason,
                                         .write = true};

    vtd_emul_record(e, &fault);
    return -EACCES;
}

/* ---- The entry cache ---------------------------------------------------------------------------
 */

void vtd_emul_forget_irtes(struct vtd_emul *e, bool one, uint16_t index, unsigned mask)
{
    struct vtd_emul_front *f = &e->front;

    for (unsigned i = 0; i < VTD_EMUL_IRTES; i++)
        if (!one || f->irte[i].index >> mask == index >> mask)
            f->irte[i].valid = false;
}

static bool is_delivery(uint64_t dlm)
{
    return dlm != 3 && dlm != 6;
}

/* One that is present. There is no posting, so its format is reserved. */
static bool is_proper(const struct vtd_emul *e, const struct vtd_irte *irte)
{
    const bool wide = e->front.irta & VTD_IRTA_EIME;

    if (irte->lo & (VTD_IRTE_RESERVED_LO | VTD_IRTE_IM) || irte->hi & VTD_IRTE_RESERVED_HI)
        return false;
    if (!wide && irte->lo & VTD_IRTE_DST & ~VTD_IRTE_DST8)
        return false;
    return FIELD_GET(VTD_IRTE_SVT, irte->hi) <= VTD_SVT_BUS &&
           is_delivery(FIELD_GET(VTD_IRTE_DLM, irte->lo));
}

/* FPD counts whatever the rest says. */
static uint8_t check(const struct vtd_emul *e, const struct vtd_irte *irte)
{
    if (!(irte->lo & VTD_IRTE_P))
        return VTD_REASON_IR_P;
    return is_proper(e, irte) ? 0 : VTD_REASON_IR_IRTE;
}

/* Read once. Only what is in order is cached. */
static uint8_t find(struct vtd_emul *e, uint16_t index, struct vtd_irte *irte)
{
    struct vtd_emul_front *f = &e->front;
    const uint64_t at = (f->irta & VTD_IRTA_IRTA) + index * sizeof(*irte);
    const unsigned i = index % VTD_EMUL_IRTES;
    uint8_t why;

    *irte = f->irte[i].irte;
    if (f->irte[i].valid && f->irte[i].index == index)
        return 0;
    *irte = (struct vtd_irte){0, 0};
    if (memory_read(&e->d->memory, at, irte, sizeof(*irte)))
        return VTD_REASON_IR_ACCESS;
    why = check(e, irte);
    if (why)
        return why;
    f->irte[i].valid = true;
    f->irte[i].index = index;
    f->irte[i].irte = *irte;
    return 0;
}

/* ---- Who sends ---------------------------------------------------------------------------------
 */

/* SQ leaves out bit 2, bits 2..1, or bits 2..0. */
static bool is_source(const struct vtd_irte *irte, uint16_t sid)
{
    static const uint16_t left_out[] = {0, 4, 6, 7};
    const uint16_t want = (uint16_t)FIELD_GET(VTD_IRTE_SID, irte->hi);
    const uint64_t svt = FIELD_GET(VTD_IRTE_SVT, irte->hi);

    if (svt == VTD_SVT_BUS)
        return sid >> 8 >= want >> 8 && sid >> 8 <= (want & 0xff);
    if (svt == VTD_SVT_SID)
        return !((sid ^ want) & ~left_out[FIELD_GET(VTD_IRTE_SQ, irte->hi)]);
    return true;
}

/* ---- The two formats ---------------------------------------------------------------------------
 */

static int pass(const struct hw_message *message, struct hw_interrupt *out)
{
    *out = (struct hw_interrupt){
        .destination = (uint32_t)FIELD_GET(X86_MSI_DESTINATION, message->address),
        .vector = (uint8_t)FIELD_GET(X86_MSI_VECTOR, message->data),
        .delivery = (enum hw_delivery)FIELD_GET(X86_MSI_DELIVERY, message->data),
        .logical = message->address & X86_MSI_LOGICAL,
        .level = message->data & X86_MSI_LEVEL,
    };
    return 0;
}

static int send(const struct vtd_emul *e, const struct vtd_irte *irte, struct hw_interrupt *out)
{
    const uint64_t field = e->front.irta & VTD_IRTA_EIME ? VTD_IRTE_DST : VTD_IRTE_DST8;

    *out = (struct hw_interrupt){
        .destination = (uint32_t)FIELD_GET(field, irte->lo),
        .vector = (uint8_t)FIELD_GET(VTD_IRTE_V, irte->lo),
        .delivery = (enum hw_delivery)FIELD_GET(VTD_IRTE_DLM, irte->lo),
        .logical = irte->lo & VTD_IRTE_DM,
        .level = irte->lo & VTD_IRTE_TM,
    };
    return 0;
}

static uint32_t index_of(const struct hw_message *message)
{
    const uint32_t high = message->address & X86_MSI_HANDLE_HIGH ? 1u << 15 : 0;
    const uint32_t handle = (uint32_t)FIELD_GET(X86_MSI_HANDLE, message->address) | high;

    return message->address & X86_MSI_SHV ? handle + (message->data & 0xffff) : handle;
}

static int remap(struct vtd_emul *e, uint16_t sid, const struct hw_message *message,
                 struct hw_interrupt *out)
{
    const struct request r = {.sid = sid, .index = index_of(message)};
    struct vtd_irte irte;
    uint8_t why;

    if (message->address & X86_MSI_SHV && message->data >> 16)
        return block(e, &r, VTD_REASON_IR_RESERVED);
    if (r.index >= 2u << FIELD_GET(VTD_IRTA_S, e->front.irta))
        return block(e, &r, VTD_REASON_IR_INDEX);
    why = find(e, (uint16_t)r.index, &irte);
    if (!why && !is_source(&irte, sid))
        why = VTD_REASON_IR_SOURCE;
    if (!why)
        return send(e, &irte, out);
    return irte.lo & VTD_IRTE_FPD ? -EACCES : block(e, &r, why);
}

int vtd_emul_remap(struct vtd_emul *e, uint16_t sid, const struct hw_message *message,
                   struct hw_interrupt *out)
{
    const struct vtd_emul_front *f = &e->front;
    const struct request r = {.sid = sid};

    if (message->address < X86_MSI_FIRST || message->address > X86_MSI_LAST)
        return -EINVAL;
    if (!(f->gsts & VTD_GCMD_IRE))
        return pass(message, out);
    if (message->address & X86_MSI_REMAPPABLE)
        return remap(e, sid, message, out);
    if (f->irta & VTD_IRTA_EIME || !(f->gsts & VTD_GCMD_CFI))
        return block(e, &r, VTD_REASON_IR_COMPAT);
    return pass(message, out);
}
