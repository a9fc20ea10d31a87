/* SPDX-License-Identifier: BSD-2-Clause */
/* The IOVA allocator: each line of its contract, what a call visits, and a naive model beside it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The tree itself, so that its visits are counted. */
static unsigned nr_visits;
#define IOVA_VISIT() (nr_visits++)
#include "../../guest/lib/iova_tree.c"

#define NR_CPUS  3u
#define MOST     20000u
#define NO_LIMIT UINT64_MAX
#define LOW_LAST UINT64_C(0xfffff)

static struct iova_space s;
static struct iova_range ranges[MOST];
static struct iova_block blocks[IOVA_BLOCKS(MOST)];
static struct iova_slots slots[IOVA_BLOCKS(MOST)];
static uint32_t buckets[1u << 14];
static struct iova_cpu cpus[NR_CPUS];
static unsigned locked, nr_locks;

static void lock(void *arg)
{
    (void)arg;
    assert_int_equal(locked++, 0);
    nr_locks++;
}

static void unlock(void *arg)
{
    (void)arg;
    assert_int_equal(--locked, 0);
}

static const struct iova_host host = {NULL, lock, unlock};

static struct iova_config config(uint64_t first, uint64_t last)
{
    return (struct iova_config){.host = &host,
                                .first = first,
                                .last = last,
                                .ranges = ranges,
                                .nr_ranges = MOST,
                                .blocks = blocks,
                                .slots = slots,
                                .buckets = buckets,
                                .nr_buckets = 1u << 14,
                                .cpus = cpus,
                                .nr_cpus = NR_CPUS};
}

static void start_with(const struct iova_config *c)
{
    memset(cpus, 0, sizeof(cpus));
    memset(ranges, 0x5a, sizeof(ranges));
    memset(blocks, 0x5a, sizeof(blocks));
    memset(slots, 0x5a, sizeof(slots));
    assert_int_equal(iova_init(&s, c), 0);
}

static void start(uint64_t first, uint64_t last)
{
    const struct iova_config c = config(first, last);

    start_with(&c);
}

static int try_alloc(uint32_t cpu, uint64_t nr, uint64_t limit, unsigned flags, uint64_t *first)
{
    const struct iova_request r = {.nr = nr, .limit = limit, .flags = flags};

    return iova_alloc(&s, cpu, &r, first);
}

static void expect_alloc(uint32_t cpu, uint64_t nr, uint64_t limit, unsigned flags, uint64_t want)
{
    uint64_t first;

    assert_int_equal(try_alloc(cpu, nr, limit, flags, &first), 0);
    assert_int_equal(first, want);
}

static uint64_t alloc(uint32_t cpu, uint64_t nr)
{
    uint64_t first;

    assert_int_equal(try_alloc(cpu, nr, NO_LIMIT, 0, &first), 0);
    return first;
}

static void expect_no_room(uint32_t cpu, uint64_t nr, uint64_t limit)
{
    uint64_t first;

    assert_int_equal(try_alloc(cpu, nr, limit, 0, &first), -ENOSPC);
}

static int reserve(uint64_t first, uint64_t last)
{
    const struct iova_reserved r = {first, last};

    return iova_reserve(&s, &r, 1);
}

static struct iova_stats stats(void)
{
    struct iova_stats st;

    iova_stats(&s, &st);
    return st;
}

/* ---- What must hold after every step -----------------------------------------------------------
 */

static unsigned higher(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* Its ranges follow each other, and its widest gap is what it says. */
static void check_block(uint32_t i, uint64_t *end, uint64_t *nr)
{
    const struct iova_block *b = &blocks[i];
    uint64_t gap = 0;

    assert_in_range(b->nr, 1, IOVA_SLOTS);
    assert_int_equal(b->first, *end);
    for (unsigned k = 0; k < b->nr; k++) {
        const struct iova_slot *slot = &slots[i].slot[k];

        assert_true(slot->first >= *end && slot->last >= slot->first);
        if (slot->first - *end > gap)
            gap = slot->first - *end;
        *end = slot->last + 1;
    }
    assert_int_equal(b->gap, gap);
    assert_int_equal(b->last, *end - 1);
    *nr += b->nr;
}

/* Blocks follow each other, and what is known of sides is true. */
static unsigned check_subtree(uint32_t i, uint64_t *end, uint64_t *nr, unsigned *before)
{
    const struct iova_block *b;
    unsigned height[2];

    if (i == IOVA_NONE)
        return 0;
    b = &blocks[i];
    height[LEFT] = check_subtree(b->child[LEFT], end, nr, before);
    check_block(i, end, nr);
    assert_true(*before + b->nr > IOVA_SLOTS / 2);
    *before = b->nr;
    height[RIGHT] = check_subtree(b->child[RIGHT], end, nr, before);
    for (unsigned side = LEFT; side <= RIGHT; side++) {
        struct iova_block again = {0};

        link(&s, &again, side, b->child[side]);
        assert_int_equal(again.widest[side], b->widest[side]);
        assert_int_equal(again.order[side], b->order[side]);
        assert_int_equal(height[side], b->height[side]);
        assert_true(height[side] <= height[!side] + 1);
    }
    return higher(height[LEFT], height[RIGHT]) + 1;
}

/* How many ranges there are, the end of the space among them. */
static uint64_t check_tree(void)
{
    uint64_t end = s.config.first, nr = 0;
    unsigned before = IOVA_SLOTS;

    check_subtree(s.root, &end, &nr, &before);
    assert_int_equal(end, 0); /* behind the end of the space, which is as far as numbers go */
    return nr;
}

/* ---- Spaces ------------------------------------------------------------------------------------
 */

static void a_space_needs_a_frame_and_memory(void **state)
{
    struct iova_config c = config(5, 4);

    (void)state;
    assert_int_equal(iova_init(&s, &c), -EINVAL);
    c = config(1, IOVA_FRAMES);
    assert_int_equal(iova_init(&s, &c), -EINVAL);
    c = config(0, 0);
    assert_int_equal(iova_init(&s, &c), -EINVAL);
    c = config(1, 1);
    c.nr_ranges = 0;
    assert_int_equal(iova_init(&s, &c), -EINVAL);
    c.nr_ranges = UINT32_MAX;
    assert_int_equal(iova_init(&s, &c), -EINVAL);
    c = config(1, 1);
    c.nr_buckets = 3;
    assert_int_equal(iova_init(&s, &c), -EINVAL);
    c.nr_buckets = 0;
    assert_int_equal(iova_init(&s, &c), -EINVAL);
}

static void frame_zero_is_given_only_where_it_is_wanted(void **state)
{
    struct iova_config c = config(0, 3);

    (void)state;
    start_with(&c);
    expect_alloc(0, 3, NO_LIMIT, 0, 1);
    expect_no_room(0, 1, NO_LIMIT);
    c.use_zero = true;
    start_with(&c);
    expect_alloc(0, 4, NO_LIMIT, IOVA_ALIGNED, 0);
    c = config(0, 0);
    c.use_zero = true;
    start_with(&c);
    expect_alloc(0, 1, 0, 0, 0);
}

/* Linux once looked for a frame below the reserved part, from a place that was off by the size. */
static void a_single_frame_below_a_reserved_part_is_found(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 4; at++) {
        start(at, at + 7);
        assert_int_equal(reserve(at + 1, at + 7), 0);
        expect_alloc(0, 1, NO_LIMIT, IOVA_ALIGNED, at);
        expect_no_room(0, 1, NO_LIMIT);
        start(at, at);
        assert_int_equal(reserve(at + 1, NO_LIMIT), 0);
        expect_alloc(IOVA_NO_CPU, 1, at, 0, at);
        expect_no_room(0, 1, NO_LIMIT);
        check_tree();
    }
}

static void every_width_is_used_to_its_top(void **state)
{
    const unsigned widths[] = {32, 39, 48, 57, 64};

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        const uint64_t last = (UINT64_C(1) << (widths[i] - 12)) - 1;

        start(0, last);
        expect_alloc(0, 1, NO_LIMIT, 0, last);
        expect_alloc(0, 1, last - 1, IOVA_ALIGNED, last - 1);
        expect_alloc(0, last - 2, NO_LIMIT, 0, 1);
        expect_no_room(0, 1, NO_LIMIT);
        assert_int_equal(stats().frames, last);
        check_tree();
    }
}

static void sizes_that_make_no_sense_are_refused(void **state)
{
    const uint64_t last = (UINT64_C(1) << 27) - 1;
    uint64_t first;

    (void)state;
    start(0, last);
    assert_int_equal(try_alloc(0, 0, NO_LIMIT, 0, &first), -EINVAL);
    assert_int_equal(try_alloc(0, 0, NO_LIMIT, IOVA_ALIGNED, &first), -EINVAL);
    assert_int_equal(try_alloc(0, 1, NO_LIMIT, 2, &first), -EINVAL);
    expect_no_room(0, last + 1, NO_LIMIT);
    expect_no_room(0, UINT64_MAX, NO_LIMIT);
    expect_no_room(0, 1, 0);
    assert_int_equal(try_alloc(0, last, NO_LIMIT, IOVA_ALIGNED, &first), -ENOSPC);
    assert_int_equal(try_alloc(0, UINT64_MAX, NO_LIMIT, IOVA_ALIGNED, &first), -ENOSPC);
    assert_int_equal(iova_frames(UINT64_MAX, IOVA_ALIGNED), 0);
    assert_int_equal(iova_frames(0, IOVA_ALIGNED), 0);
    assert_int_equal(iova_frames(IOVA_FRAMES, IOVA_ALIGNED), IOVA_FRAMES);
    /* They cost nobody what is kept. */
    assert_int_equal(iova_free(&s, 0, alloc(0, 1), 1), 0);
    expect_no_room(0, last + 1, NO_LIMIT);
    assert_int_equal(stats().kept, 1);
    expect_alloc(0, last, NO_LIMIT, 0, 1);
}

/* ---- Where a range comes from ------------------------------------------------------------------
 */

static void ranges_come_from_as_high_as_the_limit_lets_them(void **state)
{
    (void)state;
    start(0, 0xfffffff);
    expect_alloc(0, 5, NO_LIMIT, 0, 0xffffffb);
    expect_alloc(0, 5, LOW_LAST, 0, LOW_LAST - 4);
    expect_alloc(0, 5, 0xfff, 0, 0xffb);
    expect_alloc(0, 5, 0xfff, 0, 0xff6);
    expect_alloc(0, 5, LOW_LAST + 3, 0, LOW_LAST - 9);
    expect_alloc(0, 3, LOW_LAST + 3, 0, LOW_LAST + 1);
}

static void aligned_ranges_are_powers_of_two(void **state)
{
    uint64_t first;

    (void)state;
    start(0, 0x1003);
    assert_int_equal(iova_frames(5, IOVA_ALIGNED), 8);
    assert_int_equal(iova_frames(8, IOVA_ALIGNED), 8);
    assert_int_equal(iova_frames(5, 0), 5);
    expect_alloc(0, 5, NO_LIMIT, IOVA_ALIGNED, 0xff8);
    expect_alloc(0, 3, NO_LIMIT, IOVA_ALIGNED, 0x1000);
    expect_alloc(0, 513, NO_LIMIT, IOVA_ALIGNED, 0x800);
    assert_int_equal(try_alloc(0, 2048, NO_LIMIT, IOVA_ALIGNED, &first), -ENOSPC);
    expect_alloc(0, 0x7ff, NO_LIMIT, 0, 1);
    check_tree();
}

/* High frames, as many as there are ranges for, leave the low ones to those who need them. */
static void wide_masks_do_not_starve_narrow_ones(void **state)
{
    uint64_t first;

    (void)state;
    start(0, LOW_LAST + 4096);
    for (unsigned i = 0; i < 4096; i++)
        assert_true(alloc(i % NR_CPUS, 1) > LOW_LAST);
    assert_int_equal(try_alloc(0, LOW_LAST, LOW_LAST, 0, &first), 0);
    assert_int_equal(iova_free(&s, 0, first, LOW_LAST), 0);
    /* Nor do the low ones that a processor keeps go to others, as long as there is room. */
    expect_alloc(0, 1, LOW_LAST, 0, LOW_LAST);
    assert_int_equal(iova_free(&s, 0, LOW_LAST, 1), 0);
    assert_int_equal(iova_free(&s, IOVA_NO_CPU, LOW_LAST + 7, 1), 0);
    expect_alloc(0, 1, NO_LIMIT, 0, LOW_LAST + 7);
}

/* ---- What is kept ------------------------------------------------------------------------------
 */

static void release(uint32_t cpu, uint64_t first, uint64_t nr)
{
    assert_int_equal(iova_free(&s, cpu, first, nr), 0);
}

static void a_processor_gets_back_what_it_freed_last(void **state)
{
    uint64_t first[3];

    (void)state;
    start(0, 0xffff);
    for (unsigned i = 0; i < 3; i++)
        first[i] = alloc(0, 4);
    nr_locks = 0;
    for (unsigned i = 0; i < 3; i++)
        release(0, first[i], 4);
    for (unsigned i = 3; i-- > 0;)
        expect_alloc(0, 4, NO_LIMIT, 0, first[i]);
    assert_int_equal(nr_locks, 0);
    release(0, first[0], 4);
    expect_alloc(1, 4, NO_LIMIT, 0, first[2] - 4);
    expect_alloc(0, 5, NO_LIMIT, 0, first[2] - 9);
}

static void what_is_kept_has_to_suit(void **state)
{
    (void)state;
    start(0, 0xffff);
    expect_alloc(0, 2, NO_LIMIT, 0, 0xfffe);
    expect_alloc(0, 1, NO_LIMIT, 0, 0xfffd);
    expect_alloc(0, 2, NO_LIMIT, 0, 0xfffb);
    release(0, 0xfffe, 2);
    release(0, 0xfffb, 2);
    expect_alloc(0, 2, 0xfff, 0, 0xffe);
    expect_alloc(0, 2, NO_LIMIT, IOVA_ALIGNED, 0xfffe);
    expect_alloc(0, 2, NO_LIMIT, IOVA_ALIGNED, 0xfff8);
    release(0, 0xfffe, 2);
    expect_alloc(0, 2, 0xfffc, 0, 0xfffb);
    expect_alloc(0, 2, NO_LIMIT, 0, 0xfffe);
}

/* Whoever keeps it, in whatever size: all of it comes back before a request fails. */
static void there_is_no_room_only_when_nothing_is_kept(void **state)
{
    (void)state;
    start(1, 1024);
    for (unsigned i = 0; i < 1024; i++)
        alloc(i % NR_CPUS, 1);
    expect_no_room(0, 1, NO_LIMIT);
    for (unsigned i = 1; i <= 1024; i++)
        release(i < 600 ? 1 : 2, i, 1);
    assert_int_equal(stats().kept, 1024);
    assert_int_equal(stats().live, 0);
    expect_alloc(0, 1024, NO_LIMIT, 0, 1);
    assert_int_equal(stats().kept, 0);
    /* What was reclaimed is not given out by those who kept it. */
    for (unsigned cpu = 0; cpu < NR_CPUS; cpu++)
        expect_no_room(cpu, 1, NO_LIMIT);
    assert_int_equal(check_tree(), 2);
}

static void what_one_processor_frees_comes_to_another(void **state)
{
    uint64_t first[100];

    (void)state;
    start(0, 0xffff);
    for (unsigned i = 0; i < 100; i++)
        first[i] = alloc(0, 2);
    for (unsigned i = 0; i < 100; i++)
        release(1, first[i], 2);
    nr_visits = 0;
    for (unsigned k = 0; k < 1000; k++) {
        const uint64_t at = alloc(0, 2);

        assert_true(at >= first[99]);
        release(1, at, 2);
    }
    assert_int_equal(nr_visits, 0);
    check_tree();
}

static void what_was_reclaimed_does_not_come_to_the_depot(void **state)
{
    (void)state;
    start(1, 64);
    for (unsigned i = 0; i < 64; i++)
        alloc(0, 1);
    for (unsigned i = 1; i <= 20; i++)
        release(1, i, 1);
    expect_alloc(0, 20, NO_LIMIT, 0, 1);
    for (unsigned i = 21; i <= 32; i++)
        release(1, i, 1);
    assert_int_equal(stats().kept, 12);
    for (unsigned i = 0; i < 12; i++)
        assert_in_range(alloc(0, 1), 21, 32);
    expect_no_room(0, 1, NO_LIMIT);
}

static void the_depot_is_bounded(void **state)
{
    (void)state;
    start(0, 0xffff);
    for (unsigned i = 0; i < 3000; i++)
        alloc(0, 1);
    for (unsigned i = 0; i < 3000; i++)
        release(0, 0xffff - i, 1);
    assert_in_range(stats().kept, IOVA_DEPOT, IOVA_DEPOT + IOVA_MAGAZINE);
    assert_int_equal(stats().frames, stats().kept);
    assert_int_equal(stats().live, 0);
    assert_int_equal(stats().peak, 3000);
}

static void kept_ranges_are_given_up_for_want_of_memory(void **state)
{
    struct iova_config c = config(0, 0xffff);
    uint64_t first;

    (void)state;
    c.nr_ranges = 3;
    start_with(&c);
    for (unsigned i = 0; i < 3; i++)
        alloc(0, 1);
    assert_int_equal(try_alloc(0, 2, NO_LIMIT, 0, &first), -ENOMEM);
    release(1, 0xfffe, 1);
    expect_alloc(0, 2, NO_LIMIT, 0, 0xfffb);
    assert_int_equal(try_alloc(1, 1, NO_LIMIT, 0, &first), -ENOMEM);
    assert_int_equal(check_tree(), 4);
}

/* ---- Freeing -----------------------------------------------------------------------------------
 */

static void not_in_use(uint64_t first, uint64_t nr)
{
    assert_int_equal(iova_free(&s, 0, first, nr), -ENOENT);
    assert_int_equal(iova_free(&s, IOVA_NO_CPU, first, nr), -ENOENT);
}

static void only_what_is_in_use_is_freed(void **state)
{
    const uint64_t sizes[] = {4, 40};

    (void)state;
    start(0, 0xffff);
    assert_int_equal(reserve(0x8000, 0x8003), 0);
    for (unsigned i = 0; i < 2; i++) {
        const uint64_t nr = sizes[i], at = alloc(0, nr);

        not_in_use(at, nr - 1);
        not_in_use(at, nr + 1);
        not_in_use(at, 0);
        not_in_use(at + 1, nr - 1);
        not_in_use(at - 1, nr);
        not_in_use(at, UINT64_MAX);
        release(0, at, nr);
        not_in_use(at, nr);
        assert_int_equal(alloc(0, nr), at);
        release(IOVA_NO_CPU, at, nr);
        not_in_use(at, nr);
        assert_int_equal(alloc(0, nr), at);
    }
    not_in_use(0x8000, 4);
    not_in_use(0x10000, 1);
    not_in_use(0, 1);
    not_in_use(UINT64_MAX, 2);
    assert_int_equal(stats().live, 2);
    assert_int_equal(stats().frames, 44);
    assert_int_equal(check_tree(), 4);
}

/* ---- Reserved frames ---------------------------------------------------------------------------
 */

static void reserved_frames_come_in_any_order_and_overlap(void **state)
{
    const struct iova_reserved list[] = {{50, 60},         {10, 20}, {15, 55}, {58, 58},  {0, 3},
                                         {90, UINT64_MAX}, {60, 61}, {10, 61}, {200, 300}};

    (void)state;
    start(2, 99);
    assert_int_equal(iova_reserve(&s, list, 9), 0);
    check_tree();
    expect_alloc(0, 28, NO_LIMIT, 0, 62);
    expect_alloc(0, 6, NO_LIMIT, 0, 4);
    expect_no_room(0, 1, NO_LIMIT);
    assert_int_equal(iova_reserve(&s, NULL, 0), 0);
    assert_int_equal(iova_reserve(&s, list, 9), 0);
}

static void a_list_with_a_range_in_use_reserves_nothing(void **state)
{
    const struct iova_reserved busy[] = {{10, 20}, {5, 30}, {40, 50}, {35, 41}};
    const struct iova_reserved wrong[] = {{10, 20}, {5, 4}};

    (void)state;
    start(1, 100);
    expect_alloc(0, 4, 45, 0, 42);
    assert_int_equal(iova_reserve(&s, busy, 4), -EBUSY);
    assert_int_equal(reserve(45, 45), -EBUSY);
    assert_int_equal(reserve(1, 42), -EBUSY);
    assert_int_equal(iova_reserve(&s, wrong, 2), -EINVAL);
    assert_int_equal(check_tree(), 2);
    expect_alloc(0, 41, NO_LIMIT, 0, 60);
    expect_alloc(0, 41, 41, 0, 1);
    release(0, 42, 4);
    assert_int_equal(reserve(42, 44), 0);
    expect_alloc(0, 15, NO_LIMIT, 0, 45);
}

static void reserving_without_memory_changes_nothing(void **state)
{
    const struct iova_reserved list[] = {{10, 10}, {20, 20}, {30, 30}, {40, 40}};
    struct iova_config c = config(1, 100);

    (void)state;
    c.nr_ranges = 3;
    start_with(&c);
    assert_int_equal(iova_reserve(&s, list, 4), -ENOMEM);
    assert_int_equal(check_tree(), 1);
    assert_int_equal(iova_reserve(&s, list, 3), 0);
    assert_int_equal(check_tree(), 4);
}

/* ---- However many there are --------------------------------------------------------------------
 */

#define MANY 16000u

static uint64_t many[MANY];

/* Every other frame is in use: no gap is wide enough for two, and the only one is the lowest. */
static void fragment(void)
{
    start(0, 4 * MANY);
    for (unsigned i = 0; i < MANY; i++)
        many[i] = alloc(IOVA_NO_CPU, 1);
    for (unsigned i = 0; i < MANY; i += 2)
        release(IOVA_NO_CPU, many[i], 1);
}

static unsigned visits_of_alloc(uint64_t nr, uint64_t limit, unsigned flags)
{
    uint64_t first;

    nr_visits = 0;
    if (!try_alloc(IOVA_NO_CPU, nr, limit, flags, &first))
        release(IOVA_NO_CPU, first, nr);
    return nr_visits;
}

/* Such a tree of blocks is at most 16 deep; a request and its release go up and down it. */
static void steps_do_not_grow_with_the_number_of_ranges(void **state)
{
    const unsigned most = 8 * 16;

    (void)state;
    fragment();
    for (unsigned i = 0; i < MANY; i++) {
        assert_true(visits_of_alloc(1, many[i], 0) <= most);
        assert_true(visits_of_alloc(2, many[i], 0) <= most);
        assert_true(visits_of_alloc(2, many[i], IOVA_ALIGNED) <= most);
    }
    assert_true(visits_of_alloc(4 * MANY, NO_LIMIT, 0) <= most);
    check_tree();
}

/* Gaps of three frames of which no two are aligned: the size alone would lead astray. */
static void a_gap_that_only_looks_large_enough_costs_nothing(void **state)
{
    (void)state;
    start(3, 4 * MANY + 2);
    for (unsigned i = 0; i < MANY; i++)
        many[i] = alloc(IOVA_NO_CPU, 4);
    for (unsigned i = 1; i < MANY; i++) {
        release(IOVA_NO_CPU, many[i], 4);
        assert_int_equal(reserve(many[i], many[i]), 0);
    }
    assert_true(visits_of_alloc(4, NO_LIMIT, IOVA_ALIGNED) <= 8 * 16);
    expect_alloc(0, 3, NO_LIMIT, 0, many[1] + 1);
}

/* ---- A naive model -----------------------------------------------------------------------------
 */

#define LAST 999u

enum { NOBODY, RESERVED = -1 };

struct model {
    int frame[LAST + 1]; /* whose: of the range's number plus 1 */
    struct {
        uint64_t first, nr;
    } live[64];
};

static bool has_room(const struct model *m, uint64_t first, uint64_t nr)
{
    for (uint64_t f = first; f < first + nr; f++)
        if (m->frame[f] != NOBODY)
            return false;
    return true;
}

/* The highest place, or 0. */
static uint64_t place(const struct model *m, uint64_t nr, uint64_t limit, bool aligned_place)
{
    const uint64_t last = limit < LAST ? limit : LAST;

    if (nr > last)
        return 0;
    for (uint64_t f = last - nr + 1; f; f--)
        if ((!aligned_place || f % nr == 0) && has_room(m, f, nr))
            return f;
    return 0;
}

static void set(struct model *m, uint64_t first, uint64_t nr, int whose)
{
    for (uint64_t f = first; f < first + nr; f++)
        m->frame[f] = whose;
}

/* With nothing kept, every place is known before; otherwise, only whether there is one. */
static void alloc_one(struct model *m, unsigned i, uint32_t cpu)
{
    const unsigned flags = rand() % 2 ? IOVA_ALIGNED : 0;
    const uint64_t nr = 1 + (uint64_t)rand() % (rand() % 8 ? 12 : 200);
    const uint64_t limit = rand() % 3 ? NO_LIMIT : (uint64_t)rand() % (LAST + 10);
    const uint64_t takes = iova_frames(nr, flags), want = place(m, takes, limit, flags);
    uint64_t first;
    const int err = try_alloc(cpu, nr, limit, flags, &first);

    assert_int_equal(err, want ? 0 : -ENOSPC);
    if (err)
        return;
    if (cpu == IOVA_NO_CPU)
        assert_int_equal(first, want);
    assert_true(first + takes - 1 <= limit && first + takes - 1 <= LAST);
    assert_true(has_room(m, first, takes));
    if (flags)
        assert_int_equal(first % takes, 0);
    set(m, first, takes, (int)i + 1);
    m->live[i].first = first;
    m->live[i].nr = takes;
}

static void free_one(struct model *m, unsigned i, uint32_t cpu)
{
    const uint64_t first = m->live[i].first, nr = m->live[i].nr;

    assert_int_equal(iova_free(&s, cpu, first, nr + 1), -ENOENT);
    release(cpu, first, nr);
    assert_int_equal(iova_free(&s, cpu, first, nr), -ENOENT);
    set(m, first, nr, NOBODY);
    m->live[i].nr = 0;
}

static void reserve_one(struct model *m)
{
    const uint64_t first = 1 + (uint64_t)rand() % LAST, last = first + (uint64_t)rand() % 3;
    bool busy = false;

    for (uint64_t f = first; f <= last && f <= LAST; f++)
        busy |= m->frame[f] > 0;
    assert_int_equal(reserve(first, last), busy ? -EBUSY : 0);
    for (uint64_t f = first; f <= last && f <= LAST && !busy; f++)
        m->frame[f] = RESERVED;
}

static void random_calls(uint32_t nr_cpus)
{
    static struct model m;
    uint64_t live = 0;

    m = (struct model){0};
    start(0, LAST);
    for (unsigned call = 0; call < 20000; call++) {
        const unsigned i = (unsigned)rand() % 64;
        const uint32_t cpu = nr_cpus ? (uint32_t)rand() % nr_cpus : IOVA_NO_CPU;

        live -= m.live[i].nr != 0;
        if (m.live[i].nr)
            free_one(&m, i, cpu);
        else
            alloc_one(&m, i, cpu);
        live += m.live[i].nr != 0;
        if (call % 1000 == 0)
            reserve_one(&m);
        if (call % 16 == 0)
            check_tree();
        assert_int_equal(stats().live, live);
    }
}

static void a_naive_model_agrees(void **state)
{
    (void)state;
    srand(1);
    random_calls(0);
}

static void a_naive_model_agrees_while_processors_keep_ranges(void **state)
{
    (void)state;
    srand(2);
    random_calls(NR_CPUS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_space_needs_a_frame_and_memory),
        cmocka_unit_test(frame_zero_is_given_only_where_it_is_wanted),
        cmocka_unit_test(a_single_frame_below_a_reserved_part_is_found),
        cmocka_unit_test(every_width_is_used_to_its_top),
        cmocka_unit_test(sizes_that_make_no_sense_are_refused),
        cmocka_unit_test(ranges_come_from_as_high_as_the_limit_lets_them),
        cmocka_unit_test(aligned_ranges_are_powers_of_two),
        cmocka_unit_test(wide_masks_do_not_starve_narrow_ones),
        cmocka_unit_test(a_processor_gets_back_what_it_freed_last),
        cmocka_unit_test(what_is_kept_has_to_suit),
        cmocka_unit_test(there_is_no_room_only_when_nothing_is_kept),
        cmocka_unit_test(what_one_processor_frees_comes_to_another),
        cmocka_unit_test(what_was_reclaimed_does_not_come_to_the_depot),
        cmocka_unit_test(the_depot_is_bounded),
        cmocka_unit_test(kept_ranges_are_given_up_for_want_of_memory),
        cmocka_unit_test(only_what_is_in_use_is_freed),
        cmocka_unit_test(reserved_frames_come_in_any_order_and_overlap),
        cmocka_unit_test(a_list_with_a_range_in_use_reserves_nothing),
        cmocka_unit_test(reserving_without_memory_changes_nothing),
        cmocka_unit_test(steps_do_not_grow_with_the_number_of_ranges),
        cmocka_unit_test(a_gap_that_only_looks_large_enough_costs_nothing),
        cmocka_unit_test(a_naive_model_agrees),
        cmocka_unit_test(a_naive_model_agrees_while_processors_keep_ranges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
