/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs of frames in struct pt_freed. */
#ifndef SLUICE_PGTABLE_RUNS_H
#define SLUICE_PGTABLE_RUNS_H

#include "pgtable.h"

/* Adds nr frames from mfn: to the last run if they follow it, else as a new one; false: no room. */
static inline bool runs_add(struct pt_freed *freed, uint64_t mfn, uint64_t nr)
{
    unsigned n = freed->nr_runs;

    if (n && freed->run[n - 1].first.n + freed->run[n - 1].nr == mfn) {
        freed->run[n - 1].nr += nr;
        return true;
    }
    if (n == PT_FREED_RUNS)
        return false;
    freed->run[n].first.n = mfn;
    freed->run[n].nr = nr;
    freed->nr_runs = n + 1;
    return true;
}

#endif
