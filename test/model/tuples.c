/* SPDX-License-Identifier: BSD-2-Clause */
/* Which bus frames name frames of others, and what happens to them when the owner gives one up. */
#include "state.h"

#include <string.h>

size_t tuples_from(const struct ghost *g, uint64_t mfn)
{
    size_t low = 0, high = g->nr_tuples;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (g->tuples[middle].mfn < mfn)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct ghost_tuple *tuple_at(const struct ghost *g, const struct ghost_domain *user, uint64_t bfn)
{
    for (size_t i = 0; i < g->nr_tuples; i++) {
        if (g->tuples[i].user == user && g->tuples[i].bfn == bfn)
            return &g->tuples[i];
    }
    return NULL;
}

static bool is_before(const struct ghost_tuple *a, const struct ghost_tuple *b)
{
    if (a->mfn != b->mfn)
        return a->mfn < b->mfn;
    return a->user->domid != b->user->domid ? a->user->domid < b->user->domid : a->bfn < b->bfn;
}

static void insert(struct ghost *g, const struct ghost_tuple *t)
{
    size_t i = tuples_from(g, t->mfn);

    if (g->nr_tuples == g->room_tuples) {
        g->room_tuples = g->room_tuples * 2 + 64;
        g->tuples = must_alloc(g->tuples, g->room_tuples, sizeof(*g->tuples));
    }
    while (i < g->nr_tuples && is_before(&g->tuples[i], t))
        i++;
    memmove(g->tuples + i + 1, g->tuples + i, (g->nr_tuples - i) * sizeof(*t));
    g->tuples[i] = *t;
    g->nr_tuples++;
}

static void take_out(struct ghost *g, struct ghost_tuple *t)
{
    size_t i = (size_t)(t - g->tuples);

    memmove(t, t + 1, (--g->nr_tuples - i) * sizeof(*t));
}

void tuple_add(struct ghost *g, const struct ghost_tuple *t)
{
    if (t->unheld) {
        frame_touch(g, t->mfn);
    } else {
        frame_ref(g, t->mfn);
        t->user->refs++;
    }
    insert(g, t);
}

static void let_go(struct ghost *g, const struct ghost_tuple *t)
{
    if (t->unheld) {
        frame_touch(g, t->mfn);
    } else {
        frame_unref(g, t->mfn);
        t->user->refs--;
    }
}

void tuple_remove(struct ghost *g, struct ghost_tuple *t)
{
    let_go(g, t);
    take_out(g, t);
}

unsigned tuples_of(const struct ghost *g, const struct ghost_domain *user, bool one_to_one)
{
    unsigned nr = 0;

    for (size_t i = 0; i < g->nr_tuples; i++)
        nr += g->tuples[i].user == user && (!one_to_one || g->tuples[i].one_to_one);
    return nr;
}

/* Mappings that do not hold the frame go with it, and nobody is told. */
static void drop_unheld(struct ghost *g, uint64_t mfn)
{
    for (size_t i = tuples_from(g, mfn); i < g->nr_tuples && g->tuples[i].mfn == mfn;) {
        struct ghost_tuple *t = &g->tuples[i];

        if (!t->unheld) {
            i++;
            continue;
        }
        pages_remove(&t->user->explicit, t->bfn, t->bfn);
        tuple_remove(g, t);
    }
}

static bool may_be_swapped(const struct ghost *g, uint64_t mfn)
{
    for (size_t i = tuples_from(g, mfn); i < g->nr_tuples && g->tuples[i].mfn == mfn; i++) {
        if (!g->tuples[i].swap || g->tuples[i].left)
            return false;
    }
    return true;
}

static struct ghost_tuple *nth_of(const struct ghost *g, uint64_t mfn, size_t n)
{
    size_t i = tuples_from(g, mfn) + n;

    return i < g->nr_tuples && g->tuples[i].mfn == mfn ? &g->tuples[i] : NULL;
}

/* The mapping leads to its user's scratch frame from now on. */
static bool swap(struct ghost *g, struct ghost_tuple *t)
{
    struct ghost_tuple new = *t;

    if (!space_learn_scratch(g, new.user))
        return false;
    tuple_remove(g, t);
    new.mfn = new.user->scratch;
    new.unheld = true;
    tuple_add(g, &new);
    pages_at(&new.user->explicit, new.bfn)->mfn = new.mfn;
    return true;
}

bool tuples_left(struct ghost *g, const struct ghost_domain *owner, uint64_t mfn, bool ends)
{
    struct ghost_tuple *t;
    size_t kept = 0;
    bool swapped;

    drop_unheld(g, mfn);
    swapped = may_be_swapped(g, mfn);
    while ((t = nth_of(g, mfn, kept))) {
        if (!t->left)
            servers_tell(g, t, owner->domid, ends);
        if (swapped && !swap(g, t))
            return false;
        if (!swapped) {
            t->left = true;
            kept++;
        }
    }
    return true;
}

struct real_tuple {
    const struct ghost_tuple *wanted;
    bool there, left;
};

static int look_for(void *arg, const struct sluice_tuple *real)
{
    struct real_tuple *r = arg;

    if (real->domid != r->wanted->user->domid || real->bfn != r->wanted->bfn)
        return 0;
    r->there = true;
    r->left = real->left;
    return 1;
}

bool tuples_leaving(struct ghost *g, const struct ghost_domain *owner, uint64_t mfn)
{
    struct ghost_tuple *t;
    size_t kept = 0;

    while ((t = nth_of(g, mfn, kept))) {
        struct real_tuple real = {.wanted = t};

        sluice_frame_tuples(g->sluice, mfn_of(mfn), look_for, &real);
        if (!real.there && t->unheld) {
            pages_remove(&t->user->explicit, t->bfn, t->bfn);
            tuple_remove(g, t);
            continue;
        }
        if (!t->left && (!real.there || real.left))
            servers_tell(g, t, owner->domid, false);
        if (!real.there && !swap(g, t))
            return false;
        if (real.there) {
            t->left = real.left;
            kept++;
        }
    }
    return true;
}

void tuples_end(struct ghost *g, struct ghost_domain *user)
{
    for (size_t i = 0; i < g->nr_tuples;) {
        if (g->tuples[i].user == user)
            tuple_remove(g, &g->tuples[i]);
        else
            i++;
    }
}
