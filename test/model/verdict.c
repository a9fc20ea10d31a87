/* SPDX-License-Identifier: BSD-2-Clause */
/* Judging a status against all that the design pages allow. */
#include "state.h"

void may(struct verdict *v, int status)
{
    if (!allows(v, status) && v->nr < sizeof(v->status) / sizeof(v->status[0]))
        v->status[v->nr++] = status;
}

void may_if(struct verdict *v, bool condition, int status)
{
    if (condition)
        may(v, status);
}

bool allows(const struct verdict *v, long status)
{
    for (unsigned i = 0; i < v->nr; i++) {
        if (v->status[i] == status)
            return true;
    }
    return false;
}

/* With this few frames left the host itself may run out in the middle of something. */
#define HOST_IS_LOW 64

bool host_may_lack(const struct ghost *g, uint64_t need)
{
    struct machine_stats stats;

    machine_stats(g->m, &stats);
    return stats.free_frames < HOST_IS_LOW + need;
}

bool tables_may_lack(const struct ghost *g, const struct ghost_domain *d, uint64_t need)
{
    struct sluice_domain_stats used;

    if (host_may_lack(g, need))
        return true;
    if (d->budget_tables == SLUICE_NO_LIMIT)
        return false;
    sluice_domain_stats(d->real, &used);
    return used.tables + need > d->budget_tables;
}

bool is_injected(const struct ghost *g, long status)
{
    return g->may_fail && (status == -ENOMEM || status == -EIO);
}

bool judge(struct ghost *g, const struct verdict *v, long status, const char *what)
{
    if (allows(v, status) || (!v->nr && !status) || is_injected(g, status))
        return true;
    return complain(g, "%s gave %ld; right is %d%s", what, status, v->nr ? v->status[0] : 0,
                    v->nr > 1 ? " or another error" : "");
}
