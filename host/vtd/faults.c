/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault records are what says whether an access was blocked: edu does not. They are taken out after
 * each access, looked at, and kept until core drains them.
 */
#include "vtd.h"

static struct vtd_state *state_of(struct hw_unit *unit)
{
    return (struct vtd_state *)(void *)((char *)unit - offsetof(struct vtd_state, unit));
}

static void keep(struct vtd_faults *f, const struct hw_fault *fault)
{
    if (f->nr == VTD_FAULTS)
        f->lost++;
    else
        f->kept[(f->head + f->nr++) % VTD_FAULTS] = *fault;
}

static void fetch(struct vtd_state *state)
{
    struct vtd_faults *f = &state->faults;
    struct hw_fault fault;

    for (unsigned n = 0; n < VTD_FAULTS; n++) {
        if (!f->real->drain_faults(&state->unit.hw, &fault, 1, &f->lost))
            return;
        keep(f, &fault);
    }
}

static unsigned drain(struct hw_unit *unit, struct hw_fault *out, unsigned max, uint64_t *lost)
{
    struct vtd_state *state = state_of(unit);
    struct vtd_faults *f = &state->faults;
    unsigned n;

    fetch(state);
    for (n = 0; n < max && f->nr; n++, f->nr--) {
        out[n] = f->kept[f->head];
        f->head = (f->head + 1) % VTD_FAULTS;
    }
    *lost += f->lost;
    f->lost = 0;
    return n;
}

void vtd_faults_wrap(struct vtd_state *state)
{
    struct vtd_faults *f = &state->faults;

    f->real = state->unit.hw.ops;
    f->ops = *f->real;
    f->ops.drain_faults = drain;
    state->unit.hw.ops = &f->ops;
}

bool vtd_faults_look(struct vtd_state *state, rid_t rid, struct hw_fault *out)
{
    struct vtd_faults *f = &state->faults;
    const unsigned before = f->nr;

    fetch(state);
    for (unsigned n = before; n < f->nr; n++) {
        *out = f->kept[(f->head + n) % VTD_FAULTS];
        if (out->rid.n == rid.n)
            return true;
    }
    return false;
}
