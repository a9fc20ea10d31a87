/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Contexts that translate by a guest's own table first, and by the domain's memory map second.
 *
 * nested: a unit with two stages walks the guest's table itself, over the domain's second stage: a
 *         hidden identity context. Its caches follow the guest's table when they are flushed, and
 *         the second stage at once.
 * shadow: the composition of the two, in a table of ours. It is brought up to date where it is
 *         flushed; what leaves the memory map leaves it at once.
 *
 * Both behave the same to who flushes what he changed. A guest's table is hostile: whatever it
 * says, a shadow has nothing but frames of the domain with the rights of the memory map, nothing at
 * reserved regions, and each step of work is bounded.
 */
#ifndef SLUICE_CORE_NESTED_H
#define SLUICE_CORE_NESTED_H

#include "trim.h"

/* Whatever units do: a shadow, which any table format can be composed into. */
enum nested_how { NESTED_BY_HARDWARE_IF_IT_CAN, NESTED_BY_SHADOW };

/*
 * A context with nothing in it yet, BUILDING: nested_flush() of all fills a shadow, then
 * context_show(). `table` is copied: its root is a guest address; where there is no memory, or
 * nothing that is a table, nothing translates. -ENOSPC, -ENOMEM (slots, budget, memory);
 * -ERESTART: the domain's second stage is being made: again, with the same `builder`.
 */
int nested_alloc(struct domain_locked l, const struct hw_first_stage *table, enum nested_how how,
                 uint64_t builder, struct context **out);

/* How far a flush came; zero at the start. */
struct nested_flush {
    dfn_t next;
    bool begun;
    int err;          /* what could not be done so far: -ENOMEM, -EIO */
    uint64_t reads;   /* of entries of the guest's table */
    struct trim trim; /* for tables that a shadow lacks */
};

/*
 * What the guest changed in [first, last] takes effect: when it returns 0, no device translates
 * there by what the table said before. Costs what the table has in the range, and changes what
 * differs. BUILDING or LIVE. -EINVAL: no such context, or it is neither nested nor a shadow;
 * -ERESTART: again, with the same `at`; -ENOMEM: some of what the table maps is not mapped (it
 * never maps what the table does not); -EIO.
 */
int nested_flush(struct domain *d, uint16_t no, uint32_t generation, dfn_t first, dfn_t last,
                 struct nested_flush *at);

/*
 * The domain gives gfns up, and has marked their frames as leaving: they leave its shadows,
 * flushed, before it returns 0. -ENOMEM: a larger leaf could not be split, nothing has changed;
 * -EIO; -ERESTART: a call is at work there.
 */
int nested_leave(struct domain_locked l, gfn_t gfn, uint64_t nr);

#endif
