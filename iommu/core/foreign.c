/* SPDX-License-Identifier: BSD-2-Clause */
/* Tuples of frames in a bus-frame space, and the references that they are. */
#include "foreign_internal.h"

void foreign_add(struct m2b_locked l, const struct m2b_tuple *t)
{
    t->user->nr_tuples += t->nr;
    if (t->flags & M2B_1TO1)
        t->user->nr_1to1 += t->nr;
    m2b_add(l, t);
}

void foreign_remove(struct m2b_locked l, const struct m2b_tuple *t)
{
    t->user->nr_tuples -= t->nr;
    if (t->flags & M2B_1TO1)
        t->user->nr_1to1 -= t->nr;
    m2b_remove(l, t);
}

struct domain *foreign_owner(struct m2b_locked l, struct instance *s, uint16_t domid)
{
    struct instance_locked il = instance_lock(s);
    struct domain *d = s->domains;

    (void)l;
    while (d && d->domid != domid)
        d = d->next;
    instance_unlock(il);
    return d;
}

/* Of one owner's: once it has ended, the reverse map's lock alone guards them. */
static void put_of(struct m2b_locked l, struct instance *s, mfn_t mfn, uint64_t nr)
{
    struct domain *owner = foreign_owner(l, s, s->frames.owner[mfn.n].domid);
    struct memory_locked ml;

    if (!owner) {
        frames_put(&s->frames, mfn, nr);
        return;
    }
    ml = memory_lock(&owner->memory);
    frames_put(&s->frames, mfn, nr);
    memory_unlock(ml);
}

void foreign_put(struct m2b_locked l, struct instance *s, mfn_t mfn, uint64_t nr)
{
    const struct frame_owner *owner = s->frames.owner;
    uint64_t at, n;

    for (at = mfn.n; at < mfn.n + nr; at += n) {
        for (n = 1; at + n < mfn.n + nr && owner[at].domid == owner[at + n].domid; n++)
            ;
        put_of(l, s, mfn_of(at), n);
    }
}

static enum space_kind forget(struct m2b_locked l, struct space *sp, dfn_t bfn, mfn_t mfn)
{
    struct m2b_tuple t;

    if (!m2b_find(l, mfn, sp->d, bfn, &t))
        return SPACE_LOCAL;
    foreign_remove(l, &t);
    return FOREIGN_HELD(t.flags) ? SPACE_HELD : SPACE_BARE;
}

enum space_kind foreign_forget(struct space *sp, dfn_t bfn, mfn_t mfn)
{
    struct m2b_locked l = m2b_lock(&sp->d->s->m2b);
    const enum space_kind kind = forget(l, sp, bfn, mfn);

    m2b_unlock(l);
    return kind;
}

void foreign_forget_all(struct m2b_locked l, struct space *sp, dfn_t bfn, uint64_t nr,
                        struct foreign_fates *out)
{
    mfn_t mfn;

    for (uint64_t i = 0; i < nr; i++) {
        CHECK(sp->d->s->port, !space_find(sp, dfn_add(bfn, i), &mfn));
        out->kind[i] = (uint8_t)forget(l, sp, dfn_add(bfn, i), mfn);
    }
}

void foreign_take_all(struct space *sp, dfn_t bfn, uint64_t nr, const struct foreign_fates *fates)
{
    uint64_t at, n;

    for (at = 0; at < nr; at += n) {
        for (n = 1; at + n < nr && fates->kind[at + n] == fates->kind[at]; n++)
            ;
        space_room(sp);
        space_take(sp, dfn_add(bfn, at), n, (enum space_kind)fates->kind[at]);
    }
}
