/* SPDX-License-Identifier: BSD-2-Clause */
/* Spans of device frames that operations are working on. As many as processors: a list will do. */
#include "span.h"

bool span_enter(struct span **list, struct span *s)
{
    for (const struct span *o = *list; o; o = o->next)
        if (s->first.n <= o->last.n && o->first.n <= s->last.n)
            return false;
    s->next = *list;
    *list = s;
    return true;
}

void span_leave(struct span **list, struct span *s)
{
    while (*list != s)
        list = &(*list)->next;
    *list = s->next;
}
