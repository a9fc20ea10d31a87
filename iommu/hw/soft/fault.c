/* SPDX-License-Identifier: BSD-2-Clause */
/* Fault records: a ring that drops what does not fit, and counts it. */
#include "internal.h"

void soft_record(struct soft_unit *u, const struct hw_fault *fault)
{
    const struct sluice_port *port = u->config.port;

    port->lock(port->host, &u->fault_lock);
    if (u->nr_faults == SOFT_FAULTS)
        u->faults_lost++;
    else
        u->fault[(u->fault_head + u->nr_faults++) % SOFT_FAULTS] = *fault;
    port->unlock(port->host, &u->fault_lock);
}

unsigned soft_drain(struct hw_unit *unit, struct hw_fault *out, unsigned max, uint64_t *lost)
{
    struct soft_unit *u = soft_of(unit);
    const struct sluice_port *port = u->config.port;
    unsigned n;

    port->lock(port->host, &u->fault_lock);
    for (n = 0; n < max && u->nr_faults; n++, u->nr_faults--) {
        out[n] = u->fault[u->fault_head];
        u->fault_head = (u->fault_head + 1) % SOFT_FAULTS;
    }
    *lost += u->faults_lost;
    u->faults_lost = 0;
    port->unlock(port->host, &u->fault_lock);
    return n;
}
