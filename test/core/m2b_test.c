/* SPDX-License-Identifier: BSD-2-Clause */
/* The reverse map: each line of its contract, what queries visit, and a naive model beside it. */
#include "fixture.h"

/* The tree itself, so that its visits of nodes are counted. */
static unsigned nr_visits;
#define M2B_VISIT() (nr_visits++)
#include "../../iommu/core/m2b_tree.c"

#define NR_USERS 3u

static char users[NR_USERS];

static struct domain *user(unsigned i)
{
    return (struct domain *)(void *)&users[i];
}

struct map {
    struct host *h;
    struct m2b m;
    struct m2b_locked l;
};

/* ---- What must hold after every step -----------------------------------------------------------
 */

static void check_subtree(const struct m2b_node *n, uint64_t *nr, uint64_t *nr_at)
{
    uint64_t lowest = n->mfn, highest = m2b_last(n);
    unsigned left = 0, right = 0;
    const struct m2b_node *side[2] = {n->left, n->right};

    for (unsigned i = 0; i < 2; i++) {
        if (!side[i])
            continue;
        check_subtree(side[i], nr, nr_at);
        *(i ? &right : &left) = side[i]->height;
        lowest = side[i]->lowest < lowest ? side[i]->lowest : lowest;
        highest = side[i]->highest > highest ? side[i]->highest : highest;
    }
    assert_true(left <= right + 1 && right <= left + 1);
    assert_int_equal(n->height, (left > right ? left : right) + 1);
    assert_int_equal(n->lowest, lowest);
    assert_int_equal(n->highest, highest);
    assert_true(n->nr > 0);
    nr_at[level_of(n)]++;
    (*nr)++;
}

static void check_order(const struct m2b_node *n, struct place *last)
{
    struct place here;

    if (!n)
        return;
    check_order(n->left, last);
    here = where(n);
    assert_true(order(last, &here) < 0);
    *last = here;
    check_order(n->right, last);
}

static void check(const struct map *t)
{
    uint64_t nr = 0, nr_at[LEVELS] = {0};
    struct place last = {0};

    if (t->m.root)
        check_subtree(t->m.root, &nr, nr_at);
    check_order(t->m.root, &last);
    assert_int_equal(t->m.nr_nodes, nr);
    assert_memory_equal(t->m.nr_at, nr_at, sizeof(nr_at));
    assert_int_equal(t->m.nr_pages * M2B_PAGE_NODES, nr + t->m.nr_spare);
    assert_int_equal(m2b_bytes(&t->m), t->m.nr_pages * FRAME_SIZE);
}

/* ---- Verbs -------------------------------------------------------------------------------------
 */

static struct m2b_tuple tuple(uint64_t mfn, uint64_t bfn, uint64_t nr, unsigned u)
{
    return (struct m2b_tuple){.mfn = mfn_of(mfn),
                              .bfn = dfn_of(bfn),
                              .nr = nr,
                              .user = user(u),
                              .server = 1,
                              .flags = M2B_SWAP};
}

static void add_tuple(struct map *t, const struct m2b_tuple *tuple)
{
    uint64_t spare;

    assert_int_equal(m2b_reserve(t->l, 1), 0);
    spare = t->m.nr_spare;
    m2b_add(t->l, tuple);
    assert_true(t->m.nr_spare + 1 >= spare);
}

static void add(struct map *t, uint64_t mfn, uint64_t bfn, uint64_t nr, unsigned u)
{
    const struct m2b_tuple what = tuple(mfn, bfn, nr, u);

    add_tuple(t, &what);
}

static void drop(struct map *t, uint64_t mfn, uint64_t bfn, uint64_t nr, unsigned u)
{
    const struct m2b_tuple what = tuple(mfn, bfn, nr, u);
    uint64_t spare;

    assert_int_equal(m2b_reserve(t->l, 1), 0);
    spare = t->m.nr_spare;
    m2b_remove(t->l, &what);
    assert_true(t->m.nr_spare + 1 >= spare || t->m.nr_spare >= M2B_PAGE_NODES);
}

static void mark(struct map *t, uint64_t mfn, uint64_t bfn, uint64_t nr, unsigned u, uint8_t flags)
{
    struct m2b_tuple what = tuple(mfn, bfn, nr, u);
    uint64_t spare;

    what.flags = flags;
    assert_int_equal(m2b_reserve(t->l, 2), 0);
    spare = t->m.nr_spare;
    m2b_mark(t->l, &what);
    assert_true(t->m.nr_spare + 2 >= spare || t->m.nr_spare >= M2B_PAGE_NODES);
}

static bool has(struct map *t, uint64_t mfn, uint64_t bfn, unsigned u)
{
    struct m2b_tuple out;

    if (!m2b_find(t->l, mfn_of(mfn), user(u), dfn_of(bfn), &out))
        return false;
    assert_int_equal(out.mfn.n, mfn);
    assert_int_equal(out.bfn.n, bfn);
    assert_int_equal(out.nr, 1);
    assert_ptr_equal(out.user, user(u));
    return true;
}

static unsigned nr_of(struct map *t, uint64_t mfn)
{
    struct m2b_tuple at, *after = NULL;
    unsigned nr = 0;

    for (; m2b_next(t->l, mfn_of(mfn), after, &at); after = &at)
        nr++;
    return nr;
}

static uint64_t first(struct map *t, uint64_t mfn, uint64_t nr)
{
    mfn_t out;

    return m2b_first(t->l, mfn_of(mfn), nr, &out) ? out.n : NOWHERE;
}

static int begin(void **state)
{
    struct map *t = calloc(1, sizeof(*t));
    int err = set_up(state);

    t->h = *state;
    m2b_init(&t->m, &t->h->port);
    t->l = m2b_lock(&t->m);
    *state = t;
    return err;
}

/* All goes, and all memory comes back, which tear_down sees. */
static int end(void **state)
{
    struct map *t = *state;
    struct m2b_tuple at;

    while (t->m.root) {
        at = (struct m2b_tuple){.mfn = mfn_of(t->m.root->mfn),
                                .bfn = dfn_of(t->m.root->bfn),
                                .nr = t->m.root->nr,
                                .user = t->m.root->user};
        m2b_remove(t->l, &at);
    }
    check(t);
    m2b_unlock(t->l);
    m2b_fini(&t->m);
    assert_int_equal(m2b_bytes(&t->m), 0);
    *state = t->h;
    free(t);
    return tear_down(state);
}

/* ---- The contract ------------------------------------------------------------------------------
 */

static void a_tuple_is_at_each_of_its_frames_and_at_no_other(void **state)
{
    struct map *t = *state;

    add(t, 100, 7, 20, 0);
    for (uint64_t mfn = 0; mfn < 200; mfn++) {
        assert_int_equal(nr_of(t, mfn), mfn >= 100 && mfn < 120);
        assert_int_equal(has(t, mfn, mfn - 93, 0), mfn >= 100 && mfn < 120);
        assert_false(has(t, mfn, mfn - 94, 0));
        assert_false(has(t, mfn, mfn - 93, 1));
    }
}

static void what_was_added_is_what_comes_out(void **state)
{
    struct map *t = *state;
    const struct m2b_tuple in = {.mfn = mfn_of(10),
                                 .bfn = dfn_of(30),
                                 .nr = 4,
                                 .user = user(1),
                                 .server = 0xffff,
                                 .flags = M2B_LEFT | M2B_NO_SERVER};
    struct m2b_tuple out;

    add_tuple(t, &in);
    assert_true(m2b_next(t->l, mfn_of(12), NULL, &out));
    assert_int_equal(out.mfn.n, 12);
    assert_int_equal(out.bfn.n, 32);
    assert_int_equal(out.nr, 1);
    assert_ptr_equal(out.user, user(1));
    assert_int_equal(out.server, 0xffff);
    assert_int_equal(out.flags, M2B_LEFT | M2B_NO_SERVER);
    assert_false(m2b_next(t->l, mfn_of(12), &out, &out));
}

static void neighbours_that_are_alike_are_one_node(void **state)
{
    struct map *t = *state;

    add(t, 100, 200, 1, 0);
    add(t, 102, 202, 1, 0);
    assert_int_equal(t->m.nr_nodes, 2);
    add(t, 101, 201, 1, 0);
    assert_int_equal(t->m.nr_nodes, 1);
    add(t, 90, 190, 10, 0);
    add(t, 103, 203, 10, 0);
    assert_int_equal(t->m.nr_nodes, 1);
    for (uint64_t mfn = 90; mfn < 113; mfn++)
        assert_true(has(t, mfn, mfn + 100, 0));
    check(t);
}

static void neighbours_that_differ_are_not(void **state)
{
    struct map *t = *state;
    struct m2b_tuple other = tuple(11, 21, 1, 0);

    add(t, 10, 20, 1, 0);
    other.server = 2;
    add_tuple(t, &other);
    assert_int_equal(t->m.nr_nodes, 2);
    other = tuple(9, 19, 1, 0);
    other.flags = M2B_LEFT;
    add_tuple(t, &other);
    assert_int_equal(t->m.nr_nodes, 3);
    add(t, 11, 21, 1, 1);
    add(t, 11, 22, 1, 0);
    add(t, 12, 21, 1, 0);
    add(t, 9, 19, 1, 2);
    assert_int_equal(t->m.nr_nodes, 7);
    check(t);
}

static void the_first_frame_of_all_has_no_neighbour_before_it(void **state)
{
    struct map *t = *state;

    add(t, M2B_FRAMES - 1, M2B_FRAMES - 1, 1, 0);
    add(t, 0, 0, 1, 0);
    add(t, 0, 5, 1, 0);
    add(t, 5, 0, 1, 0);
    assert_int_equal(t->m.nr_nodes, 4);
    add(t, 1, 1, 1, 0);
    assert_int_equal(t->m.nr_nodes, 4);
    assert_int_equal(nr_of(t, 0), 2);
}

static void removing_the_middle_leaves_both_ends(void **state)
{
    struct map *t = *state;

    add(t, 100, 200, 10, 0);
    drop(t, 104, 204, 2, 0);
    assert_int_equal(t->m.nr_nodes, 2);
    for (uint64_t mfn = 100; mfn < 110; mfn++)
        assert_int_equal(has(t, mfn, mfn + 100, 0), mfn != 104 && mfn != 105);
    drop(t, 100, 200, 1, 0);
    drop(t, 109, 209, 1, 0);
    assert_int_equal(t->m.nr_nodes, 2);
    assert_int_equal(first(t, 0, 200), 101);
    assert_false(has(t, 109, 209, 0));
    check(t);
}

static void a_removal_goes_through_all_nodes_of_its_line_and_no_other(void **state)
{
    struct map *t = *state;
    struct m2b_tuple other = tuple(103, 203, 3, 0);

    add(t, 100, 200, 3, 0);
    other.server = 9;
    add_tuple(t, &other);
    other = tuple(106, 206, 4, 0);
    other.flags = M2B_LEFT;
    add_tuple(t, &other);
    add(t, 100, 200, 10, 1);
    add(t, 100, 300, 10, 0);
    drop(t, 101, 201, 8, 0);
    for (uint64_t mfn = 100; mfn < 110; mfn++) {
        assert_int_equal(has(t, mfn, mfn + 100, 0), mfn == 100 || mfn == 109);
        assert_true(has(t, mfn, mfn + 100, 1));
        assert_true(has(t, mfn, mfn + 200, 0));
    }
    check(t);
}

static uint8_t flags_at(struct map *t, uint64_t mfn, uint64_t bfn, unsigned u, uint16_t *server)
{
    struct m2b_tuple out;

    assert_true(m2b_find(t->l, mfn_of(mfn), user(u), dfn_of(bfn), &out));
    *server = out.server;
    return out.flags;
}

static void a_mark_changes_flags_and_nothing_else(void **state)
{
    struct map *t = *state;
    struct m2b_tuple other = tuple(105, 205, 5, 0);
    uint16_t server;

    other.server = 7;
    add(t, 100, 200, 5, 0);
    add_tuple(t, &other);
    mark(t, 103, 203, 4, 0, M2B_LEFT);
    assert_int_equal(t->m.nr_nodes, 4);
    for (uint64_t mfn = 100; mfn < 110; mfn++) {
        const bool marked = mfn >= 103 && mfn < 107;

        assert_int_equal(flags_at(t, mfn, mfn + 100, 0, &server), marked ? M2B_LEFT : M2B_SWAP);
        assert_int_equal(server, mfn < 105 ? 1 : 7);
    }
    mark(t, 103, 203, 4, 0, M2B_SWAP);
    assert_int_equal(t->m.nr_nodes, 2);
    mark(t, 101, 201, 1, 0, M2B_LEFT);
    assert_int_equal(t->m.nr_nodes, 4);
    check(t);
}

/* In every order of arrival, with runs that begin and end anywhere around the frame. */
static void add_crossing(struct map *t, uint64_t mfn)
{
    add(t, mfn, 50, 1, 2);
    add(t, mfn - 3, 90, 8, 0);
    add(t, mfn - 9, mfn - 9, 10, 1);
    add(t, mfn, 7, 30, 1);
    add(t, mfn - 40, 3, 90, 0);
    add(t, mfn - 1, 1000, 2, 0);
}

static void they_come_in_the_order_of_user_and_bfn(void **state)
{
    static const struct {
        unsigned user;
        uint64_t bfn;
    } want[] = {{0, 43}, {0, 93}, {0, 1001}, {1, 7}, {1, 512}, {2, 50}};
    struct map *t = *state;
    struct m2b_tuple at, *after = NULL;
    unsigned n = 0;

    add_crossing(t, 512);
    for (; m2b_next(t->l, mfn_of(512), after, &at); after = &at, n++) {
        assert_ptr_equal(at.user, user(want[n].user));
        assert_int_equal(at.bfn.n, want[n].bfn);
        assert_int_equal(at.mfn.n, 512);
    }
    assert_int_equal(n, 6);
}

static void a_loop_may_remove_what_it_got(void **state)
{
    struct map *t = *state;
    struct m2b_tuple at, *after = NULL;
    unsigned n = 0;

    add_crossing(t, 512);
    for (; m2b_next(t->l, mfn_of(512), after, &at); after = &at, n++) {
        assert_int_equal(m2b_reserve(t->l, 2), 0);
        m2b_remove(t->l, &at);
        check(t);
    }
    assert_int_equal(n, 6);
    assert_int_equal(nr_of(t, 512), 0);
    assert_int_equal(nr_of(t, 511), 4);
    assert_int_equal(nr_of(t, 513), 3);
}

static void a_loop_may_mark_what_it_got(void **state)
{
    struct map *t = *state;
    struct m2b_tuple at, *after = NULL;
    uint16_t server;
    unsigned n = 0;

    add_crossing(t, 512);
    for (; m2b_next(t->l, mfn_of(512), after, &at); after = &at, n++) {
        assert_int_equal(at.flags, M2B_SWAP);
        at.flags = M2B_LEFT;
        assert_int_equal(m2b_reserve(t->l, 2), 0);
        m2b_mark(t->l, &at);
        check(t);
    }
    assert_int_equal(n, 6);
    assert_int_equal(flags_at(t, 512, 93, 0, &server), M2B_LEFT);
    assert_int_equal(flags_at(t, 511, 92, 0, &server), M2B_SWAP);
    assert_int_equal(flags_at(t, 513, 94, 0, &server), M2B_SWAP);
}

static void first_is_the_first_frame_named_in_the_range(void **state)
{
    struct map *t = *state;

    assert_int_equal(first(t, 0, UINT64_MAX), NOWHERE);
    add(t, 100, 5, 10, 0);
    add(t, 105, 900, 60, 1);
    add(t, 300, 7, 1, 0);
    assert_int_equal(first(t, 0, UINT64_MAX), 100);
    assert_int_equal(first(t, 0, 101), 100);
    assert_int_equal(first(t, 0, 100), NOWHERE);
    assert_int_equal(first(t, 107, 1), 107);
    assert_int_equal(first(t, 164, 1), 164);
    assert_int_equal(first(t, 165, 135), NOWHERE);
    assert_int_equal(first(t, 165, 136), 300);
    assert_int_equal(first(t, 301, UINT64_MAX), NOWHERE);
    assert_int_equal(first(t, 100, 0), NOWHERE);
}

static void first_sees_a_long_run_behind_short_ones(void **state)
{
    struct map *t = *state;

    add(t, 0, 50, 11, 0);
    add(t, 9, 500, 1, 0);
    add(t, 20, 7, 1, 0);
    for (uint64_t mfn = 0; mfn < 30; mfn++)
        assert_int_equal(first(t, mfn, 30), mfn < 11 ? mfn : mfn < 21 ? 20 : NOWHERE);
}

static void the_end_of_the_frame_space_is_no_wrap(void **state)
{
    const uint64_t last = M2B_FRAMES - 1;
    struct map *t = *state;

    add(t, last - 1, 0, 2, 0);
    add(t, 0, last - 1, 2, 0);
    assert_true(has(t, last, 1, 0));
    assert_true(has(t, 1, last, 0));
    assert_int_equal(nr_of(t, last), 1);
    assert_int_equal(first(t, 2, UINT64_MAX), last - 1);
    assert_int_equal(first(t, last, UINT64_MAX), last);
    assert_int_equal(first(t, M2B_FRAMES, UINT64_MAX), NOWHERE);
    assert_int_equal(first(t, UINT64_MAX, UINT64_MAX), NOWHERE);
    assert_int_equal(nr_of(t, M2B_FRAMES), 0);
    assert_int_equal(nr_of(t, UINT64_MAX), 0);
    assert_int_equal(nr_of(t, BIT64(63)), 0);
    assert_false(has(t, BIT64(63), BIT64(63) + last - 1, 0));
    assert_false(has(t, UINT64_MAX, 1, 0));
    drop(t, last, 1, 1, 0);
    assert_int_equal(first(t, last, 1), NOWHERE);
    check(t);
}

static void the_longest_run_is_not_joined_any_more(void **state)
{
    const uint64_t most = UINT32_MAX;
    struct map *t = *state;

    add(t, 10, 10, most, 0);
    add(t, 10 + most, 10 + most, 1, 0);
    add(t, 9, 9, 1, 0);
    assert_int_equal(t->m.nr_nodes, 3);
    assert_true(has(t, 9 + most, 9 + most, 0));
    drop(t, 9, 9, most + 2, 0);
    assert_int_equal(t->m.nr_nodes, 0);
    add(t, 10, 10, most - 1, 0);
    add(t, 9 + most, 9 + most, 1, 0);
    assert_int_equal(t->m.nr_nodes, 1);
}

static void a_bug_of_the_caller_is_not_taken_as_it_comes(void **state)
{
    static const struct {
        uint64_t mfn, bfn, nr;
    } bad[] = {{0, 0, 0},
               {0, 0, BIT64(32)},
               {M2B_FRAMES - 1, 0, 2},
               {0, M2B_FRAMES - 1, 2},
               {M2B_FRAMES, 0, 1}};
    struct map *t = *state;
    volatile unsigned caught = 0;
    jmp_buf back;

    add(t, 100, 100, 1, 0);
    t->h->panicked = &back;
    for (volatile unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (!setjmp(back))
            add(t, bad[i].mfn, bad[i].bfn, bad[i].nr, 0);
        else
            caught++;
    if (!setjmp(back))
        drop(t, 100, 101, 1, 0);
    else
        caught++;
    if (!setjmp(back))
        m2b_fini(&t->m);
    else
        caught++;
    t->h->panicked = NULL;
    assert_int_equal(caught, 7);
}

static void the_same_tuple_twice_is_a_bug(void **state)
{
    struct map *t = *state;
    struct m2b_node *volatile lost;
    volatile bool caught = false;
    jmp_buf back;

    add(t, 100, 100, 1, 0);
    lost = t->m.pages->spare;
    t->h->panicked = &back;
    if (!setjmp(back))
        add(t, 100, 100, 1, 0);
    else
        caught = true;
    t->h->panicked = NULL;
    assert_true(caught);
    m2b_node_free(&t->m, lost);
}

/* ---- Memory ------------------------------------------------------------------------------------
 */

static void without_memory_nothing_changes(void **state)
{
    struct map *t = *state;
    const unsigned pages = t->h->pages;

    t->h->fail_alloc = 1;
    assert_int_equal(m2b_reserve(t->l, 1), -ENOMEM);
    assert_int_equal(m2b_bytes(&t->m), 0);
    assert_int_equal(t->h->pages, pages);
    for (unsigned i = 0; i < M2B_PAGE_NODES - 1; i++)
        add(t, 2 * i, 0, 1, 0);
    t->h->fail_alloc = 1;
    assert_int_equal(m2b_reserve(t->l, 1), 0);
    assert_int_equal(m2b_reserve(t->l, 2), -ENOMEM);
    assert_int_equal(t->m.nr_nodes, M2B_PAGE_NODES - 1);
    assert_int_equal(m2b_bytes(&t->m), FRAME_SIZE);
    check(t);
    assert_int_equal(m2b_reserve(t->l, 2), 0);
    assert_int_equal(m2b_bytes(&t->m), 2 * FRAME_SIZE);
    assert_int_equal(t->h->pages, pages + 2);
}

#define MANY 1000u

static void pages_without_nodes_go_back(void **state)
{
    struct map *t = *state;
    uint64_t peak = 0;

    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < MANY; i++)
            add(t, 2 * i, 0, 1, 0);
        if (!peak)
            peak = m2b_bytes(&t->m);
        assert_int_equal(peak, (MANY + M2B_PAGE_NODES - 1) / M2B_PAGE_NODES * FRAME_SIZE);
        assert_true(m2b_bytes(&t->m) <= peak);
        for (unsigned i = 0; i < MANY; i++) {
            drop(t, 2 * (i * 7 % MANY), 0, 1, 0);
            assert_true(m2b_bytes(&t->m) <= peak);
        }
        assert_true(m2b_bytes(&t->m) <= 2 * FRAME_SIZE);
        check(t);
    }
}

static void what_is_reserved_stays_while_nodes_come_and_go(void **state)
{
    struct map *t = *state;
    struct m2b_tuple what;

    assert_int_equal(m2b_reserve(t->l, MANY), 0);
    t->h->fail_alloc = 1;
    for (unsigned turn = 0; turn < 3; turn++) {
        for (unsigned i = 0; i < MANY; i++) {
            what = tuple(2 * i, 0, 1, 0);
            m2b_add(t->l, &what);
        }
        for (unsigned i = 0; i < MANY; i++) {
            what = tuple(2 * i, 0, 1, 0);
            m2b_remove(t->l, &what);
        }
    }
    assert_true(t->m.nr_spare >= MANY);
    t->h->fail_alloc = 0;
    check(t);
}

/* ---- What queries visit ------------------------------------------------------------------------
 */

#define CROWD     100000u
#define FAR_APART (UINT64_C(1) << 22)

/* What a tree of so many may be high, and a call may visit: two paths with their sides a level. */
static unsigned most_visits(const struct map *t)
{
    unsigned levels = 0;

    for (unsigned i = 0; i < LEVELS; i++)
        levels += t->m.nr_at[i] > 0;
    assert_true(t->m.root->height <= 25); /* 1.44 * log2(100,002) */
    return 4 * 25 * levels;
}

static void visits(unsigned *most)
{
    *most = nr_visits > *most ? nr_visits : *most;
    nr_visits = 0;
}

/* Runs on both sides of a frame, of all lengths; those with `hole` end before or begin behind. */
static void add_crowd(struct map *t, uint64_t mfn, bool hole)
{
    unsigned most = 0;

    for (uint64_t i = 0; i < CROWD; i++) {
        const uint64_t reach = 1 + i * 7919 % (1u << 20);
        const bool behind_it = i & 1;
        const uint64_t from = !hole ? mfn - reach : behind_it ? mfn + 1 : mfn - reach;

        nr_visits = 0;
        add(t, from, (i + 1) * FAR_APART, hole ? reach : reach + 1 + i % 999, (unsigned)i % 3);
        visits(&most);
    }
    assert_int_equal(t->m.nr_nodes, CROWD);
    assert_in_range(most, 1, 3 * most_visits(t));
    check(t);
}

static void a_crowd_on_one_frame_is_walked_step_by_step(void **state)
{
    const uint64_t mfn = (UINT64_C(3) << 21) + 0x1234;
    struct map *t = *state;
    struct m2b_tuple at, *after = NULL;
    unsigned most = 0, n = 0;

    add_crowd(t, mfn, false);
    nr_visits = 0;
    for (; m2b_next(t->l, mfn_of(mfn), after, &at); after = &at, n++)
        visits(&most);
    assert_int_equal(n, CROWD);
    assert_true(m2b_find(t->l, mfn_of(mfn), at.user, at.bfn, &at));
    visits(&most);
    assert_int_equal(first(t, mfn, 1), mfn);
    visits(&most);
    assert_in_range(most, 1, most_visits(t));
}

static void a_crowd_that_is_elsewhere_is_not_walked_at_all(void **state)
{
    const uint64_t mfn = (UINT64_C(3) << 21) + 0x1234;
    struct map *t = *state;
    struct m2b_tuple at;
    unsigned most = 0;

    add_crowd(t, mfn, true);
    nr_visits = 0;
    assert_int_equal(nr_of(t, mfn), 0);
    visits(&most);
    assert_int_equal(first(t, mfn, 1), NOWHERE);
    visits(&most);
    assert_int_equal(first(t, mfn, 2), mfn + 1);
    visits(&most);
    add(t, mfn, 5, 1, 0);
    visits(&most);
    assert_true(m2b_next(t->l, mfn_of(mfn), NULL, &at));
    visits(&most);
    drop(t, mfn, 5, 1, 0);
    visits(&most);
    assert_in_range(most, 1, most_visits(t));
}

/* ---- Against a model ---------------------------------------------------------------------------
 */

#define FRAMES 48u
#define BFNS   64u
#define BASE   (BIT64(20) - 21) /* the runs cross a great boundary */
#define STEPS  5000u

struct cell {
    bool there;
    uint16_t server;
    uint8_t flags;
};

struct model {
    struct map *t;
    uint64_t seed;
    struct cell cell[FRAMES][NR_USERS][BFNS];
};

static unsigned roll(struct model *m, unsigned n)
{
    m->seed = m->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((m->seed >> 33) % n);
}

struct run {
    unsigned mfn, user, bfn, nr;
};

/* The frames of a random length from a random place on, as long as they are all there, or not. */
static struct run some_run(struct model *m, bool there)
{
    struct run r = {roll(m, FRAMES), roll(m, NR_USERS), roll(m, BFNS), 0};
    const unsigned most = 1 + roll(m, roll(m, 2) ? 3 : FRAMES);

    while (r.nr < most && r.mfn + r.nr < FRAMES && r.bfn + r.nr < BFNS &&
           m->cell[r.mfn + r.nr][r.user][r.bfn + r.nr].there == there)
        r.nr++;
    return r;
}

static void set(struct model *m, const struct run *r, const struct cell *to)
{
    for (unsigned i = 0; i < r->nr; i++)
        m->cell[r->mfn + i][r->user][r->bfn + i] = *to;
}

static void model_add(struct model *m, const struct run *r)
{
    const struct cell to = {true, (uint16_t)roll(m, 2), (uint8_t)(roll(m, 4) ? 0 : M2B_SWAP)};
    struct m2b_tuple what = tuple(BASE + r->mfn, BASE + r->bfn, r->nr, r->user);

    what.server = to.server;
    what.flags = to.flags;
    add_tuple(m->t, &what);
    set(m, r, &to);
}

static void model_mark(struct model *m, const struct run *r)
{
    const uint8_t flags = roll(m, 3) ? M2B_LEFT : 0;

    mark(m->t, BASE + r->mfn, BASE + r->bfn, r->nr, r->user, flags);
    for (unsigned i = 0; i < r->nr; i++)
        m->cell[r->mfn + i][r->user][r->bfn + i].flags = flags;
}

static void model_remove(struct model *m, const struct run *r)
{
    const struct cell none = {0};

    drop(m->t, BASE + r->mfn, BASE + r->bfn, r->nr, r->user);
    set(m, r, &none);
}

static void step(struct model *m, bool filling)
{
    const unsigned what = roll(m, 8);
    const struct run r = some_run(m, what >= (filling ? 5u : 2u));

    if (!r.nr)
        return;
    if (!m->cell[r.mfn][r.user][r.bfn].there)
        model_add(m, &r);
    else if (what & 1)
        model_mark(m, &r);
    else
        model_remove(m, &r);
}

static void same_cell(const struct cell *c, const struct m2b_tuple *got, uint64_t mfn, unsigned u,
                      unsigned bfn)
{
    assert_int_equal(got->mfn.n, mfn);
    assert_ptr_equal(got->user, user(u));
    assert_int_equal(got->bfn.n, BASE + bfn);
    assert_int_equal(got->nr, 1);
    assert_int_equal(got->server, c->server);
    assert_int_equal(got->flags, c->flags);
}

static bool same_frame(struct model *m, unsigned frame)
{
    struct m2b_tuple at, *after = NULL;
    bool named = false;

    for (unsigned u = 0; u < NR_USERS; u++)
        for (unsigned bfn = 0; bfn < BFNS; bfn++) {
            const struct cell *c = &m->cell[frame][u][bfn];

            if (!c->there)
                continue;
            assert_true(m2b_next(m->t->l, mfn_of(BASE + frame), after, &at));
            same_cell(c, &at, BASE + frame, u, bfn);
            after = &at;
            named = true;
        }
    assert_false(m2b_next(m->t->l, mfn_of(BASE + frame), after, &at));
    return named;
}

static void compare_all(struct model *m)
{
    const unsigned mfn = roll(m, FRAMES), u = roll(m, NR_USERS), bfn = roll(m, BFNS);
    uint64_t want = NOWHERE;

    for (unsigned i = FRAMES; i-- > 0;) {
        if (same_frame(m, i))
            want = BASE + i;
        assert_int_equal(first(m->t, BASE + i, FRAMES), want);
    }
    assert_int_equal(has(m->t, BASE + mfn, BASE + bfn, u), m->cell[mfn][u][bfn].there);
}

static void it_is_what_a_naive_model_is(void **state)
{
    struct model *m = calloc(1, sizeof(*m));

    m->t = *state;
    m->seed = 1;
    for (unsigned i = 0; i < STEPS; i++) {
        step(m, i / 500 % 2 == 0);
        check(m->t);
        if (i % 8 == 0)
            compare_all(m);
    }
    free(m);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_tuple_is_at_each_of_its_frames_and_at_no_other),
        T(what_was_added_is_what_comes_out),
        T(neighbours_that_are_alike_are_one_node),
        T(neighbours_that_differ_are_not),
        T(the_first_frame_of_all_has_no_neighbour_before_it),
        T(removing_the_middle_leaves_both_ends),
        T(a_removal_goes_through_all_nodes_of_its_line_and_no_other),
        T(a_mark_changes_flags_and_nothing_else),
        T(they_come_in_the_order_of_user_and_bfn),
        T(a_loop_may_remove_what_it_got),
        T(a_loop_may_mark_what_it_got),
        T(first_is_the_first_frame_named_in_the_range),
        T(first_sees_a_long_run_behind_short_ones),
        T(the_end_of_the_frame_space_is_no_wrap),
        T(the_longest_run_is_not_joined_any_more),
        T(a_bug_of_the_caller_is_not_taken_as_it_comes),
        T(the_same_tuple_twice_is_a_bug),
        T(without_memory_nothing_changes),
        T(pages_without_nodes_go_back),
        T(what_is_reserved_stays_while_nodes_come_and_go),
        T(a_crowd_on_one_frame_is_walked_step_by_step),
        T(a_crowd_that_is_elsewhere_is_not_walked_at_all),
        T(it_is_what_a_naive_model_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
