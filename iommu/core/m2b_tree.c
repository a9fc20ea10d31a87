/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree of runs: order, balance, and what names a frame. */
#include "m2b_tree.h"

#define LEVELS (sizeof(((struct m2b *)NULL)->nr_at) / sizeof(uint64_t))

/* A place in the order. */
struct place {
    uint64_t home; /* twice the middle of the block, which tells blocks of all sizes apart */
    uintptr_t user;
    int64_t offset; /* bfn - mfn */
    int32_t which;  /* m2b_which(); -1: before all */
};

/* The middle of the block of 2^level frames with this one, times two. */
static uint64_t home_at(uint64_t mfn, unsigned level)
{
    return (2 * (mfn >> level) + 1) << level;
}

static unsigned level_of(const struct m2b_node *n)
{
    const uint64_t differ = n->mfn ^ m2b_last(n);

    return differ ? 64 - (unsigned)__builtin_clzll(differ) : 0;
}

static struct place where(const struct m2b_node *n)
{
    return (struct place){.home = home_at(n->mfn, level_of(n)),
                          .user = (uintptr_t)n->user,
                          .offset = (int64_t)(n->bfn - n->mfn),
                          .which = m2b_which(n->flags, n->server)};
}

static int order_in_home(const struct place *a, const struct place *b)
{
    if (a->user != b->user)
        return a->user < b->user ? -1 : 1;
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->which > b->which) - (a->which < b->which);
}

static int order(const struct place *a, const struct place *b)
{
    if (a->home != b->home)
        return a->home < b->home ? -1 : 1;
    return order_in_home(a, b);
}

/* ---- Balance -----------------------------------------------------------------------------------
 */

static uint8_t height(const struct m2b_node *n)
{
    return n ? n->height : 0;
}

static int lean(const struct m2b_node *n)
{
    return height(n->left) - height(n->right);
}

static void include(struct m2b_node *n, const struct m2b_node *child)
{
    if (!child)
        return;
    if (child->height >= n->height)
        n->height = (uint8_t)(child->height + 1);
    if (child->lowest < n->lowest)
        n->lowest = child->lowest;
    if (child->highest > n->highest)
        n->highest = child->highest;
}

static void sum_up(struct m2b_node *n)
{
    n->height = 1;
    n->lowest = n->mfn;
    n->highest = m2b_last(n);
    include(n, n->left);
    include(n, n->right);
}

static struct m2b_node *rotate_right(struct m2b_node *n)
{
    struct m2b_node *top = n->left;

    n->left = top->right;
    top->right = n;
    sum_up(n);
    sum_up(top);
    return top;
}

static struct m2b_node *rotate_left(struct m2b_node *n)
{
    struct m2b_node *top = n->right;

    n->right = top->left;
    top->left = n;
    sum_up(n);
    sum_up(top);
    return top;
}

/* The root of a subtree of which one side changed by one: the new root. */
static struct m2b_node *balance(struct m2b_node *n)
{
    M2B_VISIT();
    sum_up(n);
    if (lean(n) > 1) {
        if (lean(n->left) < 0)
            n->left = rotate_left(n->left);
        return rotate_right(n);
    }
    if (lean(n) < -1) {
        if (lean(n->right) > 0)
            n->right = rotate_right(n->right);
        return rotate_left(n);
    }
    return n;
}

static struct m2b_node *insert(const struct sluice_port *port, struct m2b_node *at,
                               struct m2b_node *n, const struct place *place)
{
    struct place here;
    int o;

    if (!at)
        return balance(n);
    here = where(at);
    o = order(place, &here);
    CHECK(port, o);
    if (o < 0)
        at->left = insert(port, at->left, n, place);
    else
        at->right = insert(port, at->right, n, place);
    return balance(at);
}

void m2b_tree_insert(struct m2b *m, struct m2b_node *n)
{
    const struct place place = where(n);

    n->left = n->right = NULL;
    m->root = insert(m->port, m->root, n, &place);
    m->nr_at[level_of(n)]++;
    m->nr_nodes++;
}

/* Takes the first node of a subtree out: the new root. */
static struct m2b_node *take_first(struct m2b_node *at, struct m2b_node **first)
{
    if (!at->left) {
        *first = at;
        return at->right;
    }
    at->left = take_first(at->left, first);
    return balance(at);
}

static struct m2b_node *take_root(struct m2b_node *at)
{
    struct m2b_node *top, *right;

    if (!at->left || !at->right)
        return at->left ? at->left : at->right;
    right = take_first(at->right, &top);
    top->left = at->left;
    top->right = right;
    return balance(top);
}

static struct m2b_node *take(struct m2b_node *at, const struct place *place)
{
    const struct place here = where(at);
    const int o = order(place, &here);

    if (!o)
        return take_root(at);
    if (o < 0)
        at->left = take(at->left, place);
    else
        at->right = take(at->right, place);
    return balance(at);
}

void m2b_tree_remove(struct m2b *m, struct m2b_node *n)
{
    const struct place place = where(n);

    m->root = take(m->root, &place);
    m->nr_at[level_of(n)]--;
    m->nr_nodes--;
}

/* ---- Queries -----------------------------------------------------------------------------------
 */

static struct m2b_node *at_place(struct m2b_node *at, const struct place *place)
{
    struct place here;
    int o;

    while (at) {
        M2B_VISIT();
        here = where(at);
        o = order(place, &here);
        if (!o)
            break;
        at = o < 0 ? at->left : at->right;
    }
    return at;
}

struct m2b_node *m2b_tree_find(const struct m2b *m, uint64_t mfn, const struct domain *user,
                               uint64_t bfn, int32_t which)
{
    struct place place = {.user = (uintptr_t)user, .offset = (int64_t)(bfn - mfn), .which = which};
    struct m2b_node *n;

    for (unsigned level = 0; level < LEVELS; level++) {
        if (!m->nr_at[level])
            continue;
        place.home = home_at(mfn, level);
        n = at_place(m->root, &place);
        if (n && n->mfn <= mfn && mfn <= m2b_last(n))
            return n;
    }
    return NULL;
}

/* Does a run of this home, with this first and last frame, name mfn? */
static bool reaches(uint64_t home, uint64_t first, uint64_t last, uint64_t mfn)
{
    return 2 * mfn + 1 < home ? first <= mfn : last >= mfn;
}

/*
 * The first node behind a place, in its home, that names mfn. At most two paths down: along the
 * place, and along the end of the home; a subtree between them is entered only if it has one.
 */
static struct m2b_node *behind(struct m2b_node *at, const struct place *place, uint64_t mfn)
{
    struct m2b_node *found;
    struct place here;

    M2B_VISIT();
    if (!at || !reaches(place->home, at->lowest, at->highest, mfn))
        return NULL;
    here = where(at);
    if (order(&here, place) <= 0)
        return behind(at->right, place, mfn);
    found = behind(at->left, place, mfn);
    if (found || here.home != place->home)
        return found;
    if (reaches(here.home, at->mfn, m2b_last(at), mfn))
        return at;
    return behind(at->right, place, mfn);
}

/* Of two runs that name a frame: the order of its tuples. */
static bool comes_before(const struct m2b_node *a, const struct m2b_node *b)
{
    const struct place at_a = where(a), at_b = where(b);

    return order_in_home(&at_a, &at_b) < 0;
}

struct m2b_node *m2b_tree_after(const struct m2b *m, uint64_t mfn, const struct domain *user,
                                uint64_t bfn, int32_t which)
{
    struct place place = {.user = (uintptr_t)user, .offset = (int64_t)(bfn - mfn), .which = which};
    struct m2b_node *found = NULL, *n;

    for (unsigned level = 0; level < LEVELS; level++) {
        if (!m->nr_at[level])
            continue;
        place.home = home_at(mfn, level);
        n = behind(m->root, &place, mfn);
        if (n && (!found || comes_before(n, found)))
            found = n;
    }
    return found;
}

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/*
 * A run whose middle is not beyond mfn names it if it ends there or later. If none does, the first
 * frame that a run with its middle beyond mfn names is the answer, or before mfn: then it is mfn.
 */
uint64_t m2b_tree_first(const struct m2b *m, uint64_t mfn)
{
    const struct m2b_node *at = m->root;
    uint64_t first = M2B_FRAMES;

    while (at) {
        M2B_VISIT();
        if (where(at).home > 2 * mfn + 1) {
            first = lesser(first, lesser(at->mfn, at->right ? at->right->lowest : M2B_FRAMES));
            at = at->left;
        } else {
            if (m2b_last(at) >= mfn || (at->left && at->left->highest >= mfn))
                return mfn;
            at = at->right;
        }
    }
    return first > mfn ? first : mfn;
}
