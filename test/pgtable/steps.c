/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the steps of map, unmap, check, release and lookup end, what they return; budgets and
 * failing allocations. */
#include "machine.h"

static struct machine m;
static struct pgtable pt;

static void start(enum pt_format_id id, unsigned levels, uint64_t leaf_sizes)
{
    struct pt_geometry geo = machine_geometry(id, levels);

    geo.leaf_sizes &= leaf_sizes;
    machine_init(&m);
    assert_int_equal(pt_init(&pt, &geo, &m.pages), 0);
}

static uint64_t stop(void)
{
    uint64_t left = machine_reap(&pt);

    machine_fini(&m);
    return left;
}

static int map(uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned lg2, uint64_t *done)
{
    return pt_map(&pt, dfn_of(dfn), mfn_of(mfn), nr, lg2, PT_READ | PT_WRITE, done);
}

static unsigned lg2_at(uint64_t dfn)
{
    struct pt_leaf leaf;

    return pt_lookup(&pt, dfn_of(dfn), 1, &leaf) ? 0 : leaf.lg2;
}

static void map_ends(void **state)
{
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0));
    assert_int_equal(map(500, 0, 100, 63, &done), 0); /* the end of the table */
    assert_int_equal(done, 12);
    assert_int_equal(map(100, 1000, 600, 12, &done), 0); /* an entry that is not empty */
    assert_int_equal(done, 400);
    assert_int_equal(map(499, 7, 1, 12, &done), -EEXIST);
    assert_int_equal(done, 0);
    assert_int_equal(map(512, 512, 512 * 3 + 5, 63, &done), 0); /* not its own table any more */
    assert_int_equal(done, 512 * 3);
    assert_int_equal(lg2_at(512), 21);
    assert_int_equal(map(2048, 2048, 5, 63, &done), 0);
    assert_int_equal(done, 5);
    assert_int_equal(lg2_at(2048), 12);
    assert_int_equal(map(1 << 18, 0, 1 << 19, 21, &done), 0); /* max_lg2 */
    assert_int_equal(done, 1 << 18);
    assert_int_equal(lg2_at(1 << 18), 21);
    assert_int_equal(map(2 << 18, 1 << 18, 2 << 18, 63, &done), 0);
    assert_int_equal(done, 2 << 18);
    assert_int_equal(lg2_at(2 << 18), 30);
    assert_int_equal(map(4 << 18, 512, 512, 29, &done), 0); /* mfn only good for 2M */
    assert_int_equal(lg2_at(4 << 18), 21);
    assert_int_equal(map((4 << 18) + 512, 513, 512, 63, &done), 0); /* mfn only good for 4K */
    assert_int_equal(lg2_at((4 << 18) + 512), 12);
    assert_int_equal(stop(), 12 + 400 + 512 * 3 + 5 + (1 << 18) + (2 << 18) + 1024);
}

/* An empty table hangs where a large leaf would fit: it goes down, until it is pruned. */
static void map_below(void **state)
{
    dfn_t cursor = dfn_of(0);
    struct pt_freed freed = {0};
    mfn_t pages[4];
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0));
    assert_int_equal(map(3, 3, 1, 63, &done), 0);
    assert_int_equal(pt_unmap(&pt, dfn_of(3), 1, &freed, &done), 0);
    assert_int_equal(map(0, 0, 512, 63, &done), 0);
    assert_int_equal(lg2_at(0), 12);
    assert_int_equal(pt_unmap(&pt, dfn_of(0), 512, &freed, &done), 0);
    assert_int_equal(pt_prune(&pt, &cursor, dfn_of(511), pages, 4), 1);
    pt_free_pages(&pt, pages, 1);
    assert_int_equal(map(0, 0, 512, 63, &done), 0);
    assert_int_equal(lg2_at(0), 21);
    assert_int_equal(stop(), 512);
}

/* AMD: the largest powers of two, also when part of the way is taken. */
static void map_repeats(void **state)
{
    uint64_t done;

    (void)state;
    start(PT_FORMAT_AMDV1, 4, ~UINT64_C(0));
    assert_int_equal(map(3, 3, 300, 63, &done), 0);
    assert_int_equal(done, 300);
    assert_int_equal(lg2_at(3), 12);
    assert_int_equal(lg2_at(4), 14);
    assert_int_equal(lg2_at(8), 15);
    assert_int_equal(lg2_at(16), 16);
    assert_int_equal(lg2_at(128), 19);
    assert_int_equal(lg2_at(255), 19);
    assert_int_equal(lg2_at(256), 17);
    assert_int_equal(map(512 + 40, 40, 1, 63, &done), 0);
    assert_int_equal(map(512, 0, 64, 63, &done), 0);
    assert_int_equal(done, 40);
    assert_int_equal(lg2_at(512), 17);
    assert_int_equal(lg2_at(512 + 32), 15);
    assert_int_equal(map(1024, 1024, 512 * 6, 63, &done), 0); /* 4M and 8M in one table */
    assert_int_equal(done, 512 * 6);
    assert_int_equal(lg2_at(1024), 22);
    assert_int_equal(lg2_at(2048), 23);
    assert_int_equal(stop(), 300 + 1 + 40 + 512 * 6);
}

/* A size that no table has by itself may not fit between what is there: smaller leaves below. */
static void map_repeats_subset(void **state)
{
    uint64_t done;

    (void)state;
    start(PT_FORMAT_AMDV1, 3, 1 << 12 | 1 << 22);
    assert_int_equal(map(1024 + 512 + 3, 9, 1, 63, &done), 0); /* a table in the second half */
    assert_int_equal(map(1024, 1024, 1024, 63, &done), 0);
    assert_int_equal(done, 512);
    assert_int_equal(lg2_at(1024), 12);
    assert_int_equal(map(2048, 2048, 1024, 63, &done), 0);
    assert_int_equal(done, 1024);
    assert_int_equal(lg2_at(2048), 22);
    assert_int_equal(stop(), 1 + 512 + 1024);
}

/* The same where the best that is left belongs into the lower table by just one bit. */
static void map_repeats_just_below(void **state)
{
    uint64_t done;

    (void)state;
    start(PT_FORMAT_AMDV1, 3, 1 << 12 | 1 << 20 | 1 << 22);
    assert_int_equal(map(1024 + 512 + 3, 9, 1, 63, &done), 0);
    assert_int_equal(map(1024, 1024, 1024, 63, &done), 0);
    assert_int_equal(done, 512);
    assert_int_equal(lg2_at(1024), 20);
    assert_int_equal(stop(), 1 + 512);
}

/* No leaf of the size that the table there is for: it takes the next lower one. */
static void map_missing_size(void **state)
{
    struct pt_freed freed = {0};
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, 1 << 12 | 1 << 30);
    assert_int_equal(map((1 << 18) + 700, 9, 1, 63, &done), 0);
    assert_int_equal(pt_unmap(&pt, dfn_of((1 << 18) + 700), 1, &freed, &done), 0);
    assert_int_equal(map(1 << 18, 1 << 18, 1 << 18, 63, &done), 0);
    assert_int_equal(done, 512);
    assert_int_equal(lg2_at(1 << 18), 12);
    assert_int_equal(map(2 << 18, 2 << 18, 1 << 18, 63, &done), 0);
    assert_int_equal(done, 1 << 18);
    assert_int_equal(lg2_at(2 << 18), 30);
    assert_int_equal(stop(), 512 + (1 << 18));
}

/* Frames that are no neighbours; the steps are those of pt_map. */
static void map_lists(void **state)
{
    mfn_t list[700];
    uint64_t done;

    (void)state;
    for (uint64_t i = 0; i < 700; i++)
        list[i] = mfn_of(i * 7919 % 100003);
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        uint64_t per_table = UINT64_C(1) << pt_format(id)->level_bits[0], at;
        struct pt_leaf leaf;

        start(id, pt_format(id)->max_levels, ~UINT64_C(0));
        pt.geo.noncoherent = id & 1;
        m.fail_in = 1;
        assert_int_equal(pt_map_list(&pt, dfn_of(100), list, 700, PT_READ, &done), -ENOMEM);
        assert_int_equal(done, 0);
        m.fail_in = -1;
        for (at = 0; at < 700; at += done) {
            uint64_t left = per_table - (100 + at) % per_table;

            assert_int_equal(
                pt_map_list(&pt, dfn_of(100 + at), list + at, 700 - at, PT_READ, &done), 0);
            assert_int_equal(done, left < 700 - at ? left : 700 - at);
        }
        for (at = 0; at < 700; at++) {
            assert_int_equal(pt_lookup(&pt, dfn_of(100 + at), 1, &leaf), 0);
            assert_true(leaf.mfn.n == list[at].n && leaf.lg2 == 12);
            assert_int_equal(pt_trace(&pt.geo, pt.root, (100 + at) << FRAME_LG2,
                                      id & 1 ? machine_read_seen : machine_read_arena, &m, &leaf),
                             0);
            assert_int_equal(leaf.mfn.n, list[at].n);
        }
        assert_int_equal(pt_map_list(&pt, dfn_of(97), list, 9, PT_READ, &done), 0);
        assert_int_equal(done, 3);
        assert_int_equal(pt_map_list(&pt, dfn_of(100), list, 9, PT_READ, &done), -EEXIST);
        assert_int_equal(done, 0);
        assert_int_equal(stop(), 703);
    }
}

static void unmap_ends(void **state)
{
    struct pt_freed freed = {0};
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0));
    machine_map(&pt, 0, 0, 700, 12, PT_READ, &done);
    machine_map(&pt, 1024, 1024, 1024, 63, PT_READ, &done);
    assert_int_equal(pt_check(&pt, dfn_of(0), 700), 0);
    assert_int_equal(pt_check(&pt, dfn_of(0), 701), -ENOENT);
    assert_int_equal(pt_check(&pt, dfn_of(1024), 1023), -EINVAL);
    assert_int_equal(pt_check(&pt, dfn_of(1025), 1023), -EINVAL);
    assert_int_equal(pt_check(&pt, dfn_of(1024), 1024), 0);
    assert_int_equal(pt_unmap(&pt, dfn_of(10), 690, &freed, &done), 0); /* end of the table */
    assert_int_equal(done, 502);
    assert_int_equal(pt_unmap(&pt, dfn_of(512), 512, &freed, &done), 0); /* nothing there */
    assert_int_equal(done, 188);
    assert_int_equal(freed.nr_runs, 1); /* merged over the steps */
    assert_int_equal(freed.run[0].first.n, 10);
    assert_int_equal(freed.run[0].nr, 690);
    done = 5;
    assert_int_equal(pt_unmap(&pt, dfn_of(700), 1, &freed, &done), -ENOENT);
    assert_int_equal(done, 0);
    done = 5;
    assert_int_equal(pt_unmap(&pt, dfn_of(1030), 1018, &freed, &done), -EINVAL);
    assert_int_equal(done, 0);
    assert_int_equal(pt_unmap(&pt, dfn_of(1024), 600, &freed, &done),
                     0); /* the second sticks out */
    assert_int_equal(done, 512);
    assert_int_equal(pt_unmap(&pt, dfn_of(1536), 88, &freed, &done), -EINVAL);
    assert_int_equal(done, 0);
    assert_int_equal(freed.nr_runs, 2);
    assert_int_equal(pt_unmap(&pt, dfn_of(1536), 512, &freed, &done), 0);
    assert_int_equal(freed.run[1].nr, 1024);
    assert_int_equal(stop(), 10);
}

/* Seventeen runs and more: the rest stays named until it is released, in order. */
static void runs_overflow(void **state)
{
    struct pt_freed freed = {0};
    uint64_t done;

    (void)state;
    start(PT_FORMAT_X86, 4, ~UINT64_C(0));
    for (uint64_t i = 0; i < 40; i++)
        assert_int_equal(map(i, 1000 - 2 * i, 1, 12, &done), 0);
    assert_int_equal(pt_unmap(&pt, dfn_of(0), 40, &freed, &done), 0);
    assert_int_equal(done, 40);
    assert_int_equal(freed.nr_runs, PT_FREED_RUNS);
    assert_true(freed.retired);
    assert_int_equal(map(20, 1, 1, 12, &done), -EEXIST);
    assert_int_equal(pt_unmap(&pt, dfn_of(20), 1, &freed, &done), -ENOENT);
    assert_int_equal(pt_check(&pt, dfn_of(20), 1), -ENOENT);
    memset(&freed, 0, sizeof(freed));
    pt_release(&pt, dfn_of(0), 40, &freed, &done);
    assert_int_equal(done, 32);
    assert_int_equal(freed.nr_runs, PT_FREED_RUNS);
    assert_int_equal(freed.run[0].first.n, 1000 - 2 * 16);
    memset(&freed, 0, sizeof(freed));
    pt_release(&pt, dfn_of(32), 8, &freed, &done);
    assert_int_equal(done, 8);
    assert_int_equal(freed.nr_runs, 8);
    assert_int_equal(freed.run[7].first.n, 1000 - 2 * 39);
    assert_int_equal(map(0, 1, 40, 12, &done), 0);
    assert_int_equal(done, 40);
    assert_int_equal(stop(), 40);
}

static void lookup_runs(void **state)
{
    struct pt_leaf leaf;
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0));
    machine_map(&pt, 5, 105, 20, 12, PT_READ, &done);
    machine_map(&pt, 25, 125, 20, 12, PT_READ | PT_WRITE, &done);
    machine_map(&pt, 45, 200, 500, 12, PT_READ | PT_WRITE, &done);
    assert_int_equal(pt_lookup(&pt, dfn_of(7), 100, &leaf), 0);
    assert_int_equal(leaf.nr, 18); /* other attributes */
    assert_int_equal(leaf.mfn.n, 107);
    assert_int_equal(pt_lookup(&pt, dfn_of(30), 100, &leaf), 0);
    assert_int_equal(leaf.nr, 15); /* other frames */
    assert_int_equal(pt_lookup(&pt, dfn_of(30), 4, &leaf), 0);
    assert_int_equal(leaf.nr, 4);
    assert_int_equal(pt_lookup(&pt, dfn_of(45), 1000, &leaf), 0);
    assert_int_equal(leaf.nr, 512 - 45); /* the end of the table */
    assert_int_equal(pt_lookup(&pt, dfn_of(0), 1, &leaf), -ENOENT);
    assert_int_equal(leaf.level, 0);
    assert_int_equal(pt_lookup(&pt, dfn_of(1 << 20), 1, &leaf), -ENOENT);
    assert_int_equal(leaf.level, 2);
    machine_map(&pt, 1024, 1024, 1024, 63, PT_READ, &done);
    assert_int_equal(pt_lookup(&pt, dfn_of(1030), 5000, &leaf), 0);
    assert_int_equal(leaf.nr, 1018);
    assert_int_equal(leaf.level, 1);
    stop();
}

/* Of forty frames in a row, the twenty in the middle are marked: ends of runs. */
static void check_marks(bool retired)
{
    static const struct {
        uint64_t dfn, nr;
        unsigned mark;
    } run[] = {{0, 10, 0}, {10, 20, PT_MARK}, {30, 10, 0}, {3, 7, 0}, {25, 5, PT_MARK}};

    for (unsigned i = 0; i < sizeof(run) / sizeof(run[0]); i++) {
        struct pt_leaf leaf;

        assert_int_equal(pt_lookup(&pt, dfn_of(run[i].dfn), 100, &leaf), 0);
        assert_int_equal(leaf.nr, run[i].nr);
        assert_int_equal(leaf.attr & PT_MARK, run[i].mark);
        assert_int_equal(leaf.retired, retired);
        assert_true(!retired || !(leaf.attr & ~PT_MARK));
    }
}

static void map_marks(unsigned lg2)
{
    const unsigned attr = PT_READ | PT_WRITE;
    mfn_t list[10];
    uint64_t done;

    for (uint64_t i = 0; i < 10; i++)
        list[i] = mfn_of(120 + i);
    assert_int_equal(pt_map(&pt, dfn_of(0), mfn_of(100), 10, lg2, attr, &done), 0);
    assert_int_equal(pt_map(&pt, dfn_of(10), mfn_of(110), 10, lg2, attr | PT_MARK, &done), 0);
    assert_int_equal(pt_map_list(&pt, dfn_of(20), list, 10, attr | PT_MARK, &done), 0);
    assert_int_equal(pt_map(&pt, dfn_of(30), mfn_of(130), 10, lg2, attr, &done), 0);
}

/* The mark ends runs of pt_lookup, also of retired leaves, and none of what pt_unmap takes. */
static void marks_of(enum pt_format_id id, bool dirty, unsigned lg2)
{
    struct pt_freed freed = {0}, full = {.nr_runs = PT_FREED_RUNS};
    uint64_t done;

    start(id, pt_format(id)->max_levels, ~UINT64_C(0));
    pt.geo.dirty = dirty;
    map_marks(lg2);
    check_marks(false);
    assert_int_equal(pt_unmap(&pt, dfn_of(0), 40, &freed, &done), 0);
    assert_int_equal(done, 40);
    assert_true(freed.nr_runs == 1 && freed.run[0].first.n == 100 && freed.run[0].nr == 40);
    map_marks(lg2);
    assert_int_equal(pt_unmap(&pt, dfn_of(0), 40, &full, &done), 0);
    assert_true(full.retired);
    check_marks(true);
    freed.nr_runs = 0;
    pt_release(&pt, dfn_of(0), 40, &freed, &done);
    assert_true(freed.nr_runs == 1 && freed.run[0].first.n == 100 && freed.run[0].nr == 40);
    assert_int_equal(stop(), 0);
}

/* pt_retire takes what pt_unmap would, a step at a time, and leaves all of it named. */
static void retires_in(enum pt_format_id id, bool dirty, unsigned lg2)
{
    struct pt_freed freed = {0};
    uint64_t done;

    start(id, pt_format(id)->max_levels, ~UINT64_C(0));
    pt.geo.dirty = dirty;
    map_marks(lg2);
    assert_int_equal(pt_retire(&pt, dfn_of(0), 40, &done), 0);
    assert_int_equal(done, 40);
    check_marks(true);
    assert_int_equal(pt_retire(&pt, dfn_of(0), 40, &done), -ENOENT);
    assert_int_equal(done, 0);
    assert_int_equal(pt_map(&pt, dfn_of(0), mfn_of(7), 1, 12, PT_READ, &done), -EEXIST);
    pt_release(&pt, dfn_of(0), 40, &freed, &done);
    assert_true(freed.nr_runs == 1 && freed.run[0].first.n == 100 && freed.run[0].nr == 40);
    assert_int_equal(pt_retire(&pt, dfn_of(0), 40, &done), -ENOENT);
    assert_int_equal(stop(), 0);
}

static void retires(void **state)
{
    (void)state;
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        for (unsigned dirty = 0; dirty <= pt_format(id)->has_dirty; dirty++) {
            retires_in(id, dirty, 12);
            retires_in(id, dirty, 63);
        }
    }
}

/* A larger leaf goes wholly; a range that ends inside the next one stops before it. */
static void retires_leaves(void **state)
{
    struct pt_freed freed = {0};
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0));
    assert_int_equal(pt_map(&pt, dfn_of(512), mfn_of(1024), 1024, 63, PT_READ, &done), 0);
    assert_int_equal(done, 1024);
    assert_int_equal(pt_retire(&pt, dfn_of(512), 511, &done), -EINVAL);
    assert_int_equal(pt_retire(&pt, dfn_of(513), 511, &done), -EINVAL);
    assert_int_equal(pt_retire(&pt, dfn_of(512), 1023, &done), 0);
    assert_int_equal(done, 512);
    assert_int_equal(pt_check(&pt, dfn_of(1024), 512), 0);
    pt_release(&pt, dfn_of(512), 1024, &freed, &done);
    assert_true(freed.nr_runs == 1 && freed.run[0].first.n == 1024 && freed.run[0].nr == 512);
    freed.nr_runs = 0;
    assert_int_equal(pt_unmap(&pt, dfn_of(1024), 512, &freed, &done), 0);
    assert_int_equal(stop(), 0);
}

static void marks(void **state)
{
    (void)state;
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        for (unsigned dirty = 0; dirty <= pt_format(id)->has_dirty; dirty++) {
            marks_of(id, dirty, 12);
            marks_of(id, dirty, 63);
        }
    }
}

static int first_leaf(void *arg, const struct pt_leaf *leaf)
{
    *(struct pt_leaf *)arg = *leaf;
    return 7;
}

/* A walk that begins in the middle of a leaf is told of the whole leaf, and stops when asked to. */
static void walk_middle(void **state)
{
    struct pt_leaf leaf;
    uint64_t done;

    (void)state;
    start(PT_FORMAT_AMDV1, 4, ~UINT64_C(0));
    machine_map(&pt, 64, 64, 32, 63, PT_READ, &done);
    machine_map(&pt, 1024, 2048, 1024, 63, PT_READ, &done);
    machine_map(&pt, 4096, 8192, 512, 63, PT_READ, &done);
    assert_int_equal(pt_walk(&pt, dfn_of(70), dfn_of(71), first_leaf, &leaf), 7);
    assert_true(leaf.dfn.n == 64 && leaf.mfn.n == 64 && leaf.nr == 32);
    assert_int_equal(pt_walk(&pt, dfn_of(2047), dfn_of(2047), first_leaf, &leaf), 7);
    assert_true(leaf.dfn.n == 1024 && leaf.mfn.n == 2048 && leaf.nr == 1024);
    assert_int_equal(pt_walk(&pt, dfn_of(4100), dfn_of(5000), first_leaf, &leaf), 7);
    assert_true(leaf.dfn.n == 4096 && leaf.mfn.n == 8192 && leaf.nr == 512);
    assert_int_equal(pt_walk(&pt, dfn_of(96), dfn_of(1023), first_leaf, &leaf), 0);
    stop();
}

static void budget(void **state)
{
    uint64_t done;

    (void)state;
    for (uint32_t limit = 0; limit < 7; limit++) {
        struct pt_geometry geo = machine_geometry(PT_FORMAT_VTDSS, 4);
        int r;

        machine_init(&m);
        m.pages.limit = limit;
        r = pt_init(&pt, &geo, &m.pages);
        assert_int_equal(r, limit ? 0 : -ENOSPC);
        if (limit) {
            assert_int_equal(m.pages.used, 1);
            done = 9;
            r = map(0, 0, 1, 12, &done);
            assert_int_equal(r, limit < 4 ? -ENOSPC : 0);
            assert_int_equal(done, limit < 4 ? 0 : 1);
            r = map(512, 0, 1, 12, &done);
            assert_int_equal(r, limit < 5 ? -ENOSPC : 0);
            assert_int_equal(m.pages.used, limit < 5 ? limit : 5);
            assert_int_equal(machine_reap(&pt), limit < 4 ? 0 : limit < 5 ? 1 : 2);
        }
        machine_fini(&m);
    }
}

/* The n-th allocation fails, for every n (less densely where one call needs hundreds): nothing is
 * lost, and the call succeeds when repeated. */
static void fail_nth(void **state)
{
    (void)state;
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        for (long n = 0;; n += n < 24 ? 1 : 97) {
            struct pt_geometry geo = machine_geometry(id, pt_format(id)->max_levels);
            uint64_t done, end, more;
            bool split;
            int r, s;

            machine_init(&m);
            m.fail_in = n;
            r = pt_init(&pt, &geo, &m.pages);
            if (r) {
                assert_int_equal(r, -ENOMEM);
                machine_fini(&m);
                continue;
            }
            end = pt_nr_dfns(&pt);
            r = machine_map(&pt, end - 1000, 77, 1000, 12, PT_READ, &done);
            assert_true(r == 0 ? done == 1000 : r == -ENOMEM && done < 1000);
            m.fail_in = r ? -1 : m.fail_in;
            s = machine_map(&pt, end - 1000 + done, 77 + done, 1000 - done, 12, PT_READ, &more);
            assert_int_equal(s, 0);
            assert_int_equal(pt_check(&pt, dfn_of(end - 1000), 1000), 0);
            s = machine_map(&pt, 0, 0, 1 << 18, 63, PT_READ, &done);
            if (s) {
                m.fail_in = -1;
                assert_int_equal(machine_map(&pt, done, done, (1 << 18) - done, 63, PT_READ, &more),
                                 0);
            }
            s = pt_split(&pt, dfn_of(700), 12, &split);
            if (s) {
                assert_int_equal(s, -ENOMEM);
                m.fail_in = -1;
                assert_int_equal(pt_check(&pt, dfn_of(0), 1 << 18), 0);
                assert_int_equal(pt_split(&pt, dfn_of(700), 12, &split), 0);
            }
            assert_int_equal(lg2_at(700), 12);
            assert_int_equal(pt_check(&pt, dfn_of(0), 1 << 18), 0);
            s = m.fail_in == -1;
            m.fail_in = -1;
            assert_int_equal(machine_reap(&pt), 1000 + (1 << 18));
            machine_fini(&m);
            if (!s || n > 600)
                break;
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_ends),
        cmocka_unit_test(map_below),
        cmocka_unit_test(map_repeats),
        cmocka_unit_test(map_repeats_subset),
        cmocka_unit_test(map_repeats_just_below),
        cmocka_unit_test(map_missing_size),
        cmocka_unit_test(map_lists),
        cmocka_unit_test(unmap_ends),
        cmocka_unit_test(runs_overflow),
        cmocka_unit_test(lookup_runs),
        cmocka_unit_test(marks),
        cmocka_unit_test(retires),
        cmocka_unit_test(retires_leaves),
        cmocka_unit_test(walk_middle),
        cmocka_unit_test(budget),
        cmocka_unit_test(fail_nth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
