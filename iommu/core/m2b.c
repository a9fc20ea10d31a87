/* SPDX-License-Identifier: BSD-2-Clause */
/* The reverse map: tuples in and out of the tree of runs. */
#include "m2b_tree.h"

void m2b_init(struct m2b *m, const struct sluice_port *port)
{
    *m = (struct m2b){.port = port};
}

void m2b_fini(struct m2b *m)
{
    CHECK(m->port, !m->root);
    m2b_free_pages(m);
}

static struct m2b_tuple part(const struct m2b_tuple *t, uint64_t from, uint64_t nr)
{
    struct m2b_tuple p = *t;

    p.mfn = mfn_add(t->mfn, from);
    p.bfn = dfn_add(t->bfn, from);
    p.nr = nr;
    return p;
}

static struct m2b_tuple tuple_of(const struct m2b_node *n)
{
    return (struct m2b_tuple){.mfn = mfn_of(n->mfn),
                              .bfn = dfn_of(n->bfn),
                              .nr = n->nr,
                              .user = n->user,
                              .server = n->server,
                              .flags = n->flags};
}

/* As a node of its own. */
static void put(struct m2b *m, const struct m2b_tuple *t)
{
    struct m2b_node *n = m2b_node_new(m);

    *n = (struct m2b_node){.mfn = t->mfn.n,
                           .bfn = t->bfn.n,
                           .nr = (uint32_t)t->nr,
                           .user = t->user,
                           .server = t->server,
                           .flags = t->flags};
    m2b_tree_insert(m, n);
}

static struct m2b_tuple take(struct m2b *m, struct m2b_node *n)
{
    const struct m2b_tuple t = tuple_of(n);

    m2b_tree_remove(m, n);
    m2b_node_free(m, n);
    return t;
}

/* ---- In ----------------------------------------------------------------------------------------
 */

static bool joins(const struct m2b_node *n, const struct m2b_tuple *t)
{
    return n && n->server == t->server && n->flags == t->flags && n->nr + t->nr <= UINT32_MAX;
}

/* Before frame 0 nothing is found. */
static void join_before(struct m2b *m, struct m2b_tuple *t)
{
    struct m2b_node *n =
        m2b_tree_find(m, t->mfn.n - 1, t->user, t->bfn.n - 1, m2b_which(t->flags, t->server));
    const uint64_t nr = t->nr;

    if (!joins(n, t))
        return;
    *t = take(m, n);
    t->nr += nr;
}

static void join_behind(struct m2b *m, struct m2b_tuple *t)
{
    struct m2b_node *n = m2b_tree_find(m, t->mfn.n + t->nr, t->user, t->bfn.n + t->nr,
                                       m2b_which(t->flags, t->server));

    if (joins(n, t))
        t->nr += take(m, n).nr;
}

static bool fits(uint64_t first, uint64_t nr)
{
    return nr && nr <= UINT32_MAX && first < M2B_FRAMES && nr <= M2B_FRAMES - first;
}

void m2b_add(struct m2b_locked l, const struct m2b_tuple *t)
{
    struct m2b_tuple all = *t;

    CHECK(l.m->port, t->user && fits(t->mfn.n, t->nr) && fits(t->bfn.n, t->nr));
    join_before(l.m, &all);
    join_behind(l.m, &all);
    put(l.m, &all);
}

/* ---- Out ---------------------------------------------------------------------------------------
 */

/* Takes as much of *t out as one node has: that part, with what the node says of it. */
static struct m2b_tuple cut(struct m2b *m, const struct m2b_tuple *t)
{
    struct m2b_node *n =
        m2b_tree_find(m, t->mfn.n, t->user, t->bfn.n, m2b_which(t->flags, t->server));
    struct m2b_tuple run, before, gone, behind;

    CHECK(m->port, n);
    run = take(m, n);
    before = part(&run, 0, t->mfn.n - run.mfn.n);
    gone = part(&run, before.nr, run.nr - before.nr);
    if (gone.nr > t->nr)
        gone.nr = t->nr;
    behind = part(&run, before.nr + gone.nr, run.nr - before.nr - gone.nr);
    if (before.nr)
        put(m, &before);
    if (behind.nr)
        put(m, &behind);
    return gone;
}

void m2b_remove(struct m2b_locked l, const struct m2b_tuple *t)
{
    uint64_t nr;

    for (struct m2b_tuple rest = *t; rest.nr; rest = part(&rest, nr, rest.nr - nr))
        nr = cut(l.m, &rest).nr;
}

void m2b_mark(struct m2b_locked l, const struct m2b_tuple *t)
{
    struct m2b_tuple piece;

    for (struct m2b_tuple rest = *t; rest.nr; rest = part(&rest, piece.nr, rest.nr - piece.nr)) {
        piece = cut(l.m, &rest);
        piece.flags = t->flags;
        m2b_add(l, &piece);
    }
}

/* ---- Questions ---------------------------------------------------------------------------------
 */

/* The part of a run that is about one frame. */
static bool answer(const struct m2b_node *n, mfn_t mfn, struct m2b_tuple *out)
{
    struct m2b_tuple run;

    if (!n)
        return false;
    run = tuple_of(n);
    *out = part(&run, mfn.n - run.mfn.n, 1);
    return true;
}

bool m2b_next(struct m2b_locked l, mfn_t mfn, const struct m2b_tuple *after, struct m2b_tuple *out)
{
    /* No user is NULL, so all are behind it. */
    const struct domain *user = after ? after->user : NULL;
    const uint64_t bfn = after ? after->bfn.n : 0;
    const int32_t which = after ? m2b_which(after->flags, after->server) : -1;

    return mfn.n < M2B_FRAMES && answer(m2b_tree_after(l.m, mfn.n, user, bfn, which), mfn, out);
}

bool m2b_find(struct m2b_locked l, mfn_t mfn, const struct domain *user, dfn_t bfn,
              struct m2b_tuple *out)
{
    return mfn.n < M2B_FRAMES && answer(m2b_tree_after(l.m, mfn.n, user, bfn.n, -1), mfn, out) &&
           out->user == user && out->bfn.n == bfn.n;
}

bool m2b_first(struct m2b_locked l, mfn_t mfn, uint64_t nr, mfn_t *out)
{
    uint64_t first;

    if (mfn.n >= M2B_FRAMES)
        return false;
    first = m2b_tree_first(l.m, mfn.n);
    if (first == M2B_FRAMES || first - mfn.n >= nr)
        return false;
    *out = mfn_of(first);
    return true;
}
