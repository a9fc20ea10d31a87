/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Spans: which device frames of a context somebody is working on. Operations on disjoint spans of a
 * context run side by side; one that overlaps is turned away (-ERESTART) until the other has
 * finished, its flush included. That is what lets the page tables go without a lock for each page.
 */
#ifndef SLUICE_CORE_SPAN_H
#define SLUICE_CORE_SPAN_H

#include "../port/port.h"

struct span {
    dfn_t first, last; /* inclusive */
    struct span *next;
};

/* Under the context's lock: true and registered, or false: overlaps one that is there. */
bool span_enter(struct span **list, struct span *s);
void span_leave(struct span **list, struct span *s);

#endif
