/* SPDX-License-Identifier: BSD-2-Clause */
/* What threads of a race do: each throws its own dice, and runs its calls itself. */
#ifndef TEST_HOST_RACE_H
#define TEST_HOST_RACE_H

#include "../../host/machine/machine.h"

static inline unsigned dice(uint64_t *seed, unsigned sides)
{
    *seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((*seed >> 33) % sides);
}

/* machine_hypercall() keeps its preemption in the machine. `at`: apart from the others' arguments.
 */
static inline long race_call(struct machine_domain *d, uint64_t at, int subop, const void *arg,
                             size_t size)
{
    struct sluice_call c;
    long status;

    (void)machine_guest_write(d, at, arg, size);
    sluice_call_start(&c, machine_domain_sluice(d), subop, at);
    while ((status = sluice_call_run(&c)) == -ERESTART)
        ;
    return status;
}

#endif
