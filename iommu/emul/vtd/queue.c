/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The invalidation queue (6.5.2). The head moves when a descriptor has been carried out, so what
 * the guest sees as done is; at a bad one it stays, and the queue stops until software has cleared
 * IQE.
 */
#include "emul.h"

bool vtd_emul_queue_waits(const struct vtd_emul_front *f)
{
    return vtd_emul_get(f, VTD_GSTS) & VTD_GCMD_QIE &&
           vtd_emul_get(f, VTD_IQH) != vtd_emul_get(f, VTD_IQT) &&
           !(vtd_emul_get(f, VTD_FSTS) & VTD_FSTS_IQE);
}

static uint32_t ring_bytes(const struct vtd_emul_front *f)
{
    return FRAME_SIZE << FIELD_GET(VTD_IQA_QS, vtd_emul_get64(f, VTD_IQA));
}

/* The modes and widths of table 26. */
static unsigned check_mode(const struct vtd_emul *e, bool wide)
{
    const uint64_t ttm = FIELD_GET(VTD_RTADDR_TTM, e->front.root);
    const bool scalable = e->ecap & VTD_ECAP_SMTS;

    if (ttm > VTD_TTM_SCALABLE || (ttm == VTD_TTM_SCALABLE && !scalable))
        return VTD_IQEI_TTM;
    if (wide ? !scalable : ttm == VTD_TTM_SCALABLE)
        return VTD_IQEI_WIDTH;
    return 0;
}

/* The head is off only where software has changed the ring under it. */
static unsigned check_ring(const struct vtd_emul_front *f)
{
    const uint32_t head = vtd_emul_get(f, VTD_IQH), tail = vtd_emul_get(f, VTD_IQT);

    if (head >= ring_bytes(f) || tail >= ring_bytes(f))
        return VTD_IQEI_TAIL;
    return (head | tail) % f->size ? VTD_IQEI_ALIGN : 0;
}

static unsigned fetch(struct vtd_emul *e, uint64_t word[4])
{
    struct vtd_emul_front *f = &e->front;
    const uint64_t iqa = vtd_emul_get64(f, VTD_IQA);
    unsigned why;

    f->size = iqa & VTD_IQA_DW ? 32 : 16;
    why = check_mode(e, iqa & VTD_IQA_DW);
    if (!why)
        why = check_ring(f);
    if (why)
        return why;
    if (memory_read(&e->d->memory, (iqa & VTD_IQA_IQA) + vtd_emul_get(f, VTD_IQH), word, f->size))
        return VTD_IQEI_FETCH;
    return 0;
}

void vtd_emul_begin_descriptor(struct vtd_emul *e)
{
    uint64_t word[4] = {0};
    unsigned why = fetch(e, word);

    if (!why)
        why = vtd_emul_decode(e, word);
    if (why)
        vtd_emul_queue_error(e, why);
    else if (e->front.work == VTD_EMUL_IDLE)
        vtd_emul_end_descriptor(e);
}

void vtd_emul_end_descriptor(struct vtd_emul *e)
{
    struct vtd_emul_front *f = &e->front;

    vtd_emul_set(f, VTD_IQH, (vtd_emul_get(f, VTD_IQH) + f->size) % ring_bytes(f));
}
