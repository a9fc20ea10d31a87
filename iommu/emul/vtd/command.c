/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Global commands (11.4.4). What is in effect changes first, then what follows from it is brought
 * up to date, and then the status says so. A write that states several changes makes them all.
 */
#include "emul.h"

#define REMAPPING (VTD_GCMD_IRE | VTD_GCMD_SIRTP | VTD_GCMD_CFI)

/* What the command is about, of what the unit has. */
static uint32_t changes(const struct vtd_emul *e)
{
    const struct vtd_emul_front *f = &e->front;
    const uint32_t toggles = (f->command ^ vtd_emul_get(f, VTD_GSTS)) &
                             (uint32_t)(VTD_GCMD_TE | VTD_GCMD_QIE | VTD_GCMD_IRE | VTD_GCMD_CFI);
    const uint32_t shots = f->command & (uint32_t)(VTD_GCMD_SRTP | VTD_GCMD_SIRTP);

    return (toggles | shots) & ~(uint32_t)(e->ecap & VTD_ECAP_IR ? 0 : REMAPPING);
}

/* Both reset the head: when it is disabled, as 6.5.2 says, and so it is 0 when it is enabled. */
static void command_queue(struct vtd_emul_front *f)
{
    vtd_emul_set(f, VTD_IQH, 0);
    f->gsts ^= (uint32_t)VTD_GCMD_QIE;
}

/* The table's cache goes with the pointer (CAP.ESIRTPS), and when remapping is disabled. */
static void command_remapping(struct vtd_emul *e, uint32_t what)
{
    struct vtd_emul_front *f = &e->front;

    f->gsts ^= what & (uint32_t)(VTD_GCMD_IRE | VTD_GCMD_CFI);
    if (what & VTD_GCMD_SIRTP) {
        f->irta = vtd_emul_get64(f, VTD_IRTA);
        f->gsts |= (uint32_t)VTD_GCMD_SIRTP;
    }
    vtd_emul_forget_irtes(e, false, 0, 0);
}

/* With both off, records begin at the first again (7.2.1). */
static void restart_records(struct vtd_emul_front *f)
{
    if (!(f->gsts & (VTD_GCMD_TE | VTD_GCMD_IRE)))
        f->next_record = 0;
}

static void command_root(struct vtd_emul_front *f, uint32_t what)
{
    f->gsts ^= what & (uint32_t)VTD_GCMD_TE;
    if (what & VTD_GCMD_SRTP) {
        f->root = vtd_emul_get64(f, VTD_RTADDR);
        f->gsts |= (uint32_t)VTD_GCMD_SRTP;
        f->word[VTD_GSTS / 4] &= ~(uint32_t)VTD_GCMD_SRTP;
    }
    f->inv = (struct vtd_emul_inv){.kind = VTD_EMUL_INV_ROOT};
    f->work = VTD_EMUL_DOES_COMMAND;
}

void vtd_emul_begin_command(struct vtd_emul *e)
{
    struct vtd_emul_front *f = &e->front;
    const uint32_t what = changes(e);

    /* It may be one that was interrupted by saving: what is in effect is what was told so far. */
    f->gsts = vtd_emul_get(f, VTD_GSTS);
    if (what & VTD_GCMD_QIE)
        command_queue(f);
    if (what & REMAPPING)
        command_remapping(e, what);
    if (what & (VTD_GCMD_TE | VTD_GCMD_SRTP))
        command_root(f, what);
    restart_records(f);
    if (f->work == VTD_EMUL_IDLE)
        vtd_emul_end_command(e);
}

void vtd_emul_end_command(struct vtd_emul *e)
{
    struct vtd_emul_front *f = &e->front;

    f->commanded = false;
    vtd_emul_set(f, VTD_GSTS, f->gsts);
}
