/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shadows: tables of ours that are the composition of a guest's own table and the domain's memory
 * map. Their entries hold references, as those that calls make do. Whoever calls these has the
 * range as his span, out to the ends of the largest leaves (shadow_span).
 */
#ifndef SLUICE_CORE_SHADOW_H
#define SLUICE_CORE_SHADOW_H

#include "domain.h"

/* [first, last], widened so that no leaf sticks out of it. */
struct span shadow_span(const struct instance *s, dfn_t first, dfn_t last);

/*
 * Brings [at, *next) up to date with the guest's table as it is now, as much of [at, last] as one
 * step is: what differs is taken out and flushed, and then what is missing is mapped; *mapped:
 * something was; *reads: plus the guest's entries that it looked at. -ENOSPC (the budget of
 * tables), -ENOMEM: some is not mapped that should be. -EIO.
 */
int shadow_update(struct context *c, dfn_t at, dfn_t last, dfn_t *next, uint64_t *reads,
                  bool *mapped);

/* The same as if the guest's table had nothing. -ENOMEM: more than that was taken out. -EIO. */
int shadow_empty(struct context *c, dfn_t at, dfn_t last, dfn_t *next);

/*
 * A region comes: what the guest's table has in [first, last] is taken out, flushed. It enters the
 * span itself. -ERESTART: a call is at work there, or there is more than one step; -ENOMEM, -EIO.
 */
int shadow_vacate(struct context *c, dfn_t first, dfn_t last);

/* Which frames of the domain's: those of its gfns [first, first + nr). */
struct shadow_leaving {
    gfn_t first;
    uint64_t nr;
    bool take; /* else their leaves are only split */
};
/*
 * The same for frames that are leaving the domain, in some of the span that *at begins. First all
 * leaves are split which others share with them, and then they are taken out. *at moves on.
 * -ENOMEM, of the former; -EIO.
 */
int shadow_leave(struct context *c, const struct shadow_leaving *who, dfn_t *at);

#endif
