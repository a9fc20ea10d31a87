/* SPDX-License-Identifier: BSD-2-Clause */
/* What was unmapped, until it is flushed. */
#include "emulated.h"

static bool is_of(uint16_t mine, uint16_t space)
{
    return space == TRACE_EVERYWHERE || mine == space;
}

/* ---- Samples -----------------------------------------------------------------------------------
 */

static bool touches(const struct place *p, uint16_t space, uint64_t iova, uint64_t size)
{
    return is_of(p->space, space) && p->address - iova < size;
}

void late_remember(struct emulated *e, const struct place *p)
{
    if (e->nr_late < EMULATED_LATE)
        e->late[e->nr_late++] = *p;
}

static void forget_samples(struct emulated *e, uint16_t space, uint64_t iova, uint64_t size)
{
    for (unsigned i = e->nr_late; i > 0; i--)
        if (touches(&e->late[i - 1], space, iova, size))
            e->late[i - 1] = e->late[--e->nr_late];
}

/* ---- Ranges ------------------------------------------------------------------------------------
 */

/* All of it is in the range. */
static void forget_ranges(struct emulated *e, uint16_t space, uint64_t iova, uint64_t size)
{
    for (unsigned i = e->nr_waiting; i > 0; i--) {
        const struct emulated_range *w = &e->waiting[i - 1];

        if (is_of(w->space, space) && w->first >= iova && w->last - iova < size)
            e->waiting[i - 1] = e->waiting[--e->nr_waiting];
    }
}

bool late_waits(const struct emulated *e, uint16_t space, uint64_t iova, uint64_t size)
{
    for (unsigned i = 0; i < e->nr_waiting; i++)
        if (is_of(e->waiting[i].space, space) && e->waiting[i].first <= iova + size - 1 &&
            e->waiting[i].last >= iova)
            return true;
    return false;
}

/* It goes on where the last one ended: an unmap of much is many lines. */
static bool extend(struct emulated *e, uint16_t space, uint64_t iova, uint64_t size)
{
    struct emulated_range *w = e->nr_waiting ? &e->waiting[e->nr_waiting - 1] : NULL;

    if (!w || w->space != space || w->last + 1 != iova)
        return false;
    w->last += size;
    return true;
}

int late_wait(struct replay *r, uint16_t space, uint64_t iova, uint64_t size)
{
    struct emulated *e = r->emulated;
    int err = 0;

    if (extend(e, space, iova, size))
        return 0;
    if (e->nr_waiting == EMULATED_WAITING) {
        err = gvtd_flush_all(&e->unit);
        if (!err)
            late_flushed(r, TRACE_EVERYWHERE, 0, UINT64_MAX);
    }
    if (!err)
        e->waiting[e->nr_waiting++] = (struct emulated_range){iova, iova + size - 1, space};
    return err;
}

/* ---- Both --------------------------------------------------------------------------------------
 */

void late_forget(struct emulated *e, uint16_t space, uint64_t iova, uint64_t size)
{
    forget_samples(e, space, iova, size);
    forget_ranges(e, space, iova, size);
}

void late_flushed(struct replay *r, uint16_t space, uint64_t iova, uint64_t size)
{
    struct emulated *e = r->emulated;

    for (unsigned i = 0; i < e->nr_late; i++)
        if (touches(&e->late[i], space, iova, size))
            sample_late(r, &e->late[i], true);
    late_forget(e, space, iova, size);
}
