/* SPDX-License-Identifier: BSD-2-Clause */
/* Work that the library does in pieces: hypercalls, and when they are interrupted. */
#include "backend.h"

/* Neither writes where nothing is interrupted: other threads may be at work then. */
void preempt_begin(struct machine *m, unsigned every)
{
    if (!every)
        return;
    m->preempt_every = every;
    m->preempt_count = 0;
}

void preempt_end(struct machine *m)
{
    if (m->preempt_every)
        m->preempt_every = 0;
}

void machine_continue_every(struct machine *m, unsigned every)
{
    m->host_every = every;
}

void machine_tick(struct machine *m)
{
    m->skipped_ns += HOUR_NS;
    preempt_begin(m, m->host_every);
    while (sluice_tick(m->sluice) == -ERESTART)
        ;
    preempt_end(m);
}

static long run(struct machine_domain *d, struct sluice_call *call, unsigned continue_every)
{
    struct machine *m = d->m;
    long status;

    preempt_begin(m, continue_every);
    do {
        m->exits++;
        d->exits++;
        status = sluice_call_run(call);
    } while (status == -ERESTART);
    preempt_end(m);
    return status;
}

long machine_hypercall(struct machine_domain *d, int subop, uint64_t arg, unsigned continue_every)
{
    struct sluice_call call;

    sluice_call_start(&call, d->sluice, subop, arg);
    return run(d, &call, continue_every);
}

int machine_frames_call(struct machine_domain *d, uint64_t ops, uint32_t count,
                        unsigned continue_every)
{
    struct sluice_call call;

    sluice_frames_start(&call, d->sluice, ops, count);
    return (int)run(d, &call, continue_every);
}

long machine_xen_version(struct machine_domain *d, int cmd, uint64_t arg)
{
    struct xen_feature_info info;

    d->exits++;
    d->m->exits++;
    if (cmd != XENVER_get_features)
        return -ENOSYS;
    if (machine_guest_read(d, arg, &info, sizeof(info)))
        return -EFAULT;
    info.submap = info.submap_idx ? 0 : sluice_domain_features(d->sluice);
    return machine_guest_write(d, arg, &info, sizeof(info)) ? -EFAULT : 0;
}
