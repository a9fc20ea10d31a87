/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fault records are what says whether an access was blocked: edu does not. They are taken out after
 * each access, looked at, and kept until core drains them.
 */
#include "hardware.h"

static struct vtd_hardware *hardware_of(struct hw_unit *unit)
{
    return (struct vtd_hardware *)(void *)unit;
}

static void keep(struct vtd_faults *f, const struct hw_fault *fault)
{
    if (f->nr == VTD_FAULTS)
        f->lost++;
    else
        f->kept[(f->head + f->nr++) % VTD_FAULTS] = *fault;
}

static void fetch(struct vtd_hardware *hardware)
{
    struct vtd_faults *f = &hardware->faults;
    struct hw_fault fault;

    for (unsigned n = 0; n < VTD_FAULTS; n++) {
        if (!f->real->drain_faults(&hardware->unit.hw, &fault, 1, &f->lost))
            return;
        keep(f, &fault);
    }
}

static unsigned drain(struct hw_unit *unit, struct hw_fault *out, unsigned max, uint64_t *lost)
{
    struct vtd_hardware *hardware = hardware_of(unit);
    struct vtd_faults *f = &hardware->faults;
    unsigned n;

    fetch(hardware);
    for (n = 0; n < max && f->nr; n++, f->nr--) {
        out[n] = f->kept[f->head];
        f->head = (f->head + 1) % VTD_FAULTS;
    }
    *lost += f->lost;
    f->lost = 0;
    return n;
}

void vtd_faults_wrap(struct vtd_hardware *hardware)
{
    struct vtd_faults *f = &hardware->faults;

    f->real = hardware->unit.hw.ops;
    f->ops = *f->real;
    f->ops.drain_faults = drain;
    hardware->unit.hw.ops = &f->ops;
}

bool vtd_faults_look(struct hw_unit *unit, rid_t rid, struct hw_fault *out)
{
    struct vtd_faults *f = &hardware_of(unit)->faults;
    const unsigned before = f->nr;

    fetch(hardware_of(unit));
    for (unsigned n = before; n < f->nr; n++) {
        *out = f->kept[(f->head + n) % VTD_FAULTS];
        if (out->rid.n == rid.n)
            return true;
    }
    return false;
}
