/* SPDX-License-Identifier: BSD-2-Clause */
/* lookup_foreign_page: where a frame is already, or the 1:1 answer. */
#include "foreign_internal.h"

#include "../abi/frames.h"
#include "memory.h"

bool foreign_fits(const struct m2b_tuple *t, uint16_t server)
{
    return !(t->flags & M2B_NO_SERVER) &&
           (t->server == server || t->server == IOSERVID_any || server == IOSERVID_any);
}

/* The user's tuple with the lowest bus frame that is for this server. */
static bool find_for(struct m2b_locked l, mfn_t mfn, const struct domain *user, uint16_t server,
                     dfn_t *bfn)
{
    struct m2b_tuple t, *after = NULL;

    while (m2b_next(l, mfn, after, &t)) {
        *bfn = t.bfn;
        if (t.user == user && foreign_fits(&t, server))
            return true;
        after = &t;
    }
    return false;
}

static int add_1to1(struct m2b_locked l, struct memory_locked ml, struct domain *user, mfn_t mfn,
                    uint16_t server, dfn_t *bfn)
{
    struct m2b_tuple t = {.mfn = mfn,
                          .bfn = dfn_of(user->window + mfn.n),
                          .nr = 1,
                          .user = user,
                          .server = server,
                          .flags = M2B_1TO1};
    int err = foreign_check_tuples(l, mfn, 1);

    if (!err)
        err = m2b_reserve(l, 1);
    if (!err)
        err = frames_get_checked(ml.m->frames, mfn, 1);
    if (err)
        return err;
    foreign_add(l, &t);
    *bfn = t.bfn;
    return 0;
}

static int lookup_locked(struct m2b_locked l, struct memory_locked ml, struct domain *user,
                         gfn_t gfn, uint16_t server, bool charged, bool *added, dfn_t *bfn)
{
    unsigned rights;
    uint64_t nr;
    mfn_t mfn;
    int err;

    if (memory_find(ml, gfn, 1, &mfn, &nr, &rights) || foreign_any_leaving(ml.m->frames, mfn, 1))
        return -ENXIO;
    if (!rights)
        return -EPERM;
    if (find_for(l, mfn, user, server, bfn))
        return 0;
    if (!user->one_to_one)
        return -ENOENT;
    err = charged ? add_1to1(l, ml, user, mfn, server, bfn) : -ENOMEM;
    *added = !err;
    return err;
}

int foreign_lookup(struct space *sp, struct domain *owner, gfn_t gfn, uint16_t server, dfn_t *bfn)
{
    const bool charged = !memory_charge(&sp->d->memory, 1);
    struct m2b_locked l = m2b_lock(&sp->d->s->m2b);
    struct memory_locked ml = memory_lock(&owner->memory);
    bool added = false;
    int err = lookup_locked(l, ml, sp->d, gfn, server, charged, &added, bfn);

    memory_unlock(ml);
    m2b_unlock(l);
    if (charged && !added)
        memory_uncharge(&sp->d->memory, 1);
    return err;
}
