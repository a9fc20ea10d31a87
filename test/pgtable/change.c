/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables that change their shape: split, prune, reap; dirty marks; retired leaves of every size. */
#include "machine.h"

static struct machine m;
static struct pgtable pt;

static void start(enum pt_format_id id, unsigned levels, uint64_t leaf_sizes, bool noncoherent,
                  bool dirty)
{
    struct pt_geometry geo = machine_geometry(id, levels);

    geo.leaf_sizes &= leaf_sizes;
    geo.noncoherent = noncoherent;
    geo.dirty = dirty;
    machine_init(&m);
    assert_int_equal(pt_init(&pt, &geo, &m.pages), 0);
}

static uint64_t stop(void)
{
    uint64_t left = machine_reap(&pt);

    machine_fini(&m);
    return left;
}

/* Every page of a range translates to base + offset, at every moment. */
struct watch {
    uint64_t dfn, mfn, nr;
    unsigned attr;
    unsigned long looks;
};

static void look(void *arg)
{
    struct watch *w = arg;

    for (unsigned i = 0; i < 8; i++) {
        uint64_t at = i == 0 ? 0 : i == 1 ? w->nr - 1 : machine_random(&m) % w->nr;
        struct pt_leaf leaf;

        assert_int_equal(pt_trace(&pt.geo, pt.root, (w->dfn + at) << FRAME_LG2,
                                  pt.geo.noncoherent ? machine_read_seen : machine_read_arena, &m,
                                  &leaf),
                         0);
        assert_int_equal(leaf.mfn.n, w->mfn + at);
        assert_int_equal(leaf.attr, w->attr);
        w->looks++;
    }
}

/* As mapped, PT_MARK included. */
static int has_attr(void *arg, const struct pt_leaf *leaf)
{
    assert_int_equal(leaf->attr, *(const unsigned *)arg);
    return 0;
}

static void split_one(enum pt_format_id id, unsigned levels, uint64_t sizes, uint64_t dfn,
                      uint64_t nr, unsigned lg2, bool noncoherent)
{
    struct watch w = {.dfn = dfn, .mfn = dfn, .nr = nr, .attr = PT_READ | PT_WRITE};
    struct pt_leaf leaf;
    uint64_t done, at = dfn + nr / 3;
    unsigned attr = w.attr | (noncoherent ? 0 : PT_MARK);
    bool split;

    start(id, levels, sizes, noncoherent, false);
    assert_int_equal(machine_map(&pt, dfn, dfn, nr, 63, attr, &done), 0);
    look(&w);
    m.between = look;
    m.between_arg = &w;
    assert_int_equal(pt_split(&pt, dfn_of(at), lg2, &split), 0);
    assert_true(split);
    m.between = NULL;
    look(&w);
    assert_int_equal(pt_lookup(&pt, dfn_of(at), 1, &leaf), 0);
    assert_true(leaf.lg2 <= lg2);
    if (noncoherent) { /* the walker is not left with the large one either */
        assert_int_equal(pt_trace(&pt.geo, pt.root, at << FRAME_LG2, machine_read_seen, &m, &leaf),
                         0);
        assert_true(leaf.lg2 <= lg2);
    }
    assert_int_equal(pt_walk(&pt, dfn_of(dfn), dfn_of(dfn + nr - 1), has_attr, &attr), 0);
    assert_int_equal(pt_check(&pt, dfn_of(dfn), nr), 0);
    assert_int_equal(pt_split(&pt, dfn_of(at), lg2, &split), 0);
    assert_false(split);
    assert_int_equal(stop(), nr);
}

static void splits(void **state)
{
    const uint64_t all = ~UINT64_C(0), k4 = 1 << 12, g1 = 1 << 30;

    (void)state;
    for (unsigned nc = 0; nc < 2; nc++) {
        split_one(PT_FORMAT_VTDSS, 4, all, 1 << 18, 1 << 18, 12, nc);
        split_one(PT_FORMAT_VTDSS, 3, all, 1 << 18, 1 << 18, 21, nc);
        split_one(PT_FORMAT_VTDSS, 4, all, 1 << 18, 1 << 18, 20, nc);
        split_one(PT_FORMAT_VTDSS, 4, k4 | g1, 1 << 18, 1 << 18, 25, nc); /* no 2M in between */
        split_one(PT_FORMAT_X86, 4, all, 512, 512, 12, nc);
        split_one(PT_FORMAT_LPAE1, 4, all, 1 << 18, 1 << 18, 12, nc);
        split_one(PT_FORMAT_LPAE2, 3, all, 512, 512, 12, nc);
        split_one(PT_FORMAT_FAKE, 3, all, 1 << 16, 1 << 16, 12, nc);
        for (unsigned lg2 = 12; lg2 < 31; lg2++)
            split_one(PT_FORMAT_AMDV1, 4, all, 1 << 19, 1 << 19, lg2, nc);
        split_one(PT_FORMAT_AMDV1, 4, k4 | 1 << 22, 1 << 10, 1 << 10, 12, nc);
        split_one(PT_FORMAT_AMDV1, 4, k4 | 1 << 21 | 1 << 25, 1 << 13, 1 << 13, 12, nc);
        split_one(PT_FORMAT_AMDV1, 2, k4 | 1 << 14 | 1 << 20, 256, 256, 12, nc);
    }
}

/* Allocations that fail on the way leave the leaf as it was, and nothing behind. */
static void split_starved(void **state)
{
    uint64_t done;
    bool split;

    (void)state;
    start(PT_FORMAT_AMDV1, 4, 1 << 12 | 1 << 23, true, false);
    assert_int_equal(machine_map(&pt, 2048, 2048, 2048, 63, PT_READ, &done), 0);
    for (long n = 0; n < 5; n++) {
        uint32_t used = m.pages.used;
        struct pt_leaf leaf;

        m.fail_in = n;
        assert_int_equal(pt_split(&pt, dfn_of(2050), 12, &split), -ENOMEM);
        assert_false(split);
        assert_int_equal(m.pages.used, used);
        assert_int_equal(pt_lookup(&pt, dfn_of(2050), 1, &leaf), 0);
        assert_int_equal(leaf.lg2, 23);
    }
    m.fail_in = 5; /* a list and four tables */
    assert_int_equal(pt_split(&pt, dfn_of(2050), 12, &split), 0);
    assert_int_equal(stop(), 2048);
}

struct seen {
    unsigned n;
    uint64_t dfn[8];
    int result;
};

static int remember(void *arg, const struct pt_leaf *leaf)
{
    struct seen *s = arg;

    assert_true(leaf->dirty);
    assert_true(s->n < 8);
    s->dfn[s->n++] = leaf->dfn.n;
    return s->result;
}

static unsigned dirty(uint64_t first, uint64_t last, bool clear, struct seen *s)
{
    *s = (struct seen){0};
    assert_int_equal(pt_dirty(&pt, dfn_of(first), dfn_of(last), clear, remember, s), 0);
    return s->n;
}

static void dirty_marks(void **state)
{
    static const enum pt_format_id ids[] = {PT_FORMAT_VTDSS, PT_FORMAT_X86, PT_FORMAT_AMDV1,
                                            PT_FORMAT_FAKE};

    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        uint64_t done;
        struct seen s;
        struct pt_leaf leaf;
        struct pt_freed freed = {0};

        start(ids[k], 4, ~UINT64_C(0), k & 1, true);
        assert_int_equal(machine_map(&pt, 0, 0, 100, 12, PT_READ | PT_WRITE, &done), 0);
        assert_int_equal(dirty(0, 99, false, &s), 0);
        machine_touch(&m, &pt, 7);
        machine_touch(&m, &pt, 50);
        assert_int_equal(dirty(0, 99, false, &s), 2);
        assert_int_equal(dirty(8, 99, true, &s), 1);
        assert_int_equal(s.dfn[0], 50);
        assert_int_equal(pt_lookup(&pt, dfn_of(50), 1, &leaf), 0);
        assert_false(leaf.dirty);
        assert_int_equal(pt_lookup(&pt, dfn_of(7), 1, &leaf), 0);
        assert_true(leaf.dirty);
        s = (struct seen){.result = -5};
        machine_touch(&m, &pt, 9);
        assert_int_equal(pt_dirty(&pt, dfn_of(0), dfn_of(99), true, remember, &s), -5);
        assert_int_equal(s.n, 1);
        assert_int_equal(dirty(0, 99, true, &s), 1);
        assert_int_equal(s.dfn[0], 9);
        /* Marks neither end a run nor are they lost when the leaf is retired. */
        machine_touch(&m, &pt, 20);
        assert_int_equal(pt_unmap(&pt, dfn_of(10), 20, &freed, &done), 0);
        assert_int_equal(freed.nr_runs, 1);
        assert_int_equal(freed.run[0].nr, 20);
        machine_touch(&m, &pt, 60);
        freed.nr_runs = PT_FREED_RUNS;
        for (unsigned i = 0; i < PT_FREED_RUNS; i++)
            freed.run[i].first.n = 0x7777777, freed.run[i].nr = 1;
        assert_int_equal(pt_unmap(&pt, dfn_of(60), 1, &freed, &done), 0);
        assert_int_equal(pt_lookup(&pt, dfn_of(60), 1, &leaf), 0);
        assert_true(leaf.retired && leaf.dirty);
        assert_int_equal(dirty(0, 99, false, &s), 0);
        assert_int_equal(stop(), 80);
    }
}

/* A mark goes with all pieces of what was written through. */
static void dirty_split(void **state)
{
    static const enum pt_format_id ids[] = {PT_FORMAT_VTDSS, PT_FORMAT_X86, PT_FORMAT_AMDV1};
    uint64_t done;
    struct seen s;
    bool split;

    (void)state;
    for (unsigned k = 0; k < 3; k++) {
        start(ids[k], 4, 1 << 12 | 1 << 21, false, true);
        assert_int_equal(machine_map(&pt, 512, 512, 1024, 21, PT_READ | PT_WRITE, &done), 0);
        machine_touch(&m, &pt, 513);
        assert_int_equal(pt_split(&pt, dfn_of(700), 12, &split), 0);
        assert_int_equal(pt_split(&pt, dfn_of(1024), 12, &split), 0);
        assert_int_equal(dirty(1024, 1535, false, &s), 0);
        assert_int_equal(dirty(1020, 1030, false, &s), 4);
        stop();
    }
    /* AMD: hardware marks the entry it walked; the leaf is dirty, whichever that was. */
    start(PT_FORMAT_AMDV1, 4, ~UINT64_C(0), false, true);
    assert_int_equal(machine_map(&pt, 16, 16, 16, 63, PT_READ | PT_WRITE, &done), 0);
    machine_touch(&m, &pt, 29);
    assert_int_equal(dirty(16, 31, false, &s), 1);
    assert_int_equal(s.dfn[0], 16);
    assert_int_equal(pt_split(&pt, dfn_of(17), 14, &split), 0);
    assert_int_equal(dirty(16, 31, true, &s), 4);
    assert_int_equal(dirty(16, 31, false, &s), 0);
    stop();
}

/* Hardware writes through the leaf while the tables that replace it are being built. */
static void touch_once(void *arg)
{
    bool *touched = arg;

    if (!*touched)
        machine_touch(&m, &pt, (1 << 18) + 5);
    *touched = true;
}

static void dirty_split_race(void **state)
{
    uint64_t done;
    struct seen s;
    bool split, touched = false;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0), true, true);
    assert_int_equal(machine_map(&pt, 1 << 18, 0, 1 << 18, 63, PT_READ | PT_WRITE, &done), 0);
    m.between = touch_once;
    m.between_arg = &touched;
    assert_int_equal(pt_split(&pt, dfn_of((1 << 18) + 700), 12, &split), 0);
    m.between = NULL;
    assert_true(touched);
    assert_int_equal(dirty(1 << 18, (1 << 18) + 3, true, &s), 1);
    assert_int_equal(dirty((1 << 18) + 700, (1 << 18) + 703, true, &s), 4);
    assert_int_equal(dirty((2 << 18) - 1, (2 << 18) - 1, true, &s), 1);
    assert_int_equal(stop(), 1 << 18);
}

static void not_dirty(void **state)
{
    struct seen s = {0};

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0), false, false);
    assert_int_equal(pt_dirty(&pt, dfn_of(0), dfn_of(1), false, remember, &s), -EOPNOTSUPP);
    stop();
}

static void unmap(uint64_t dfn, uint64_t nr)
{
    struct pt_freed freed = {0};
    uint64_t done;

    assert_int_equal(machine_unmap(&pt, dfn, nr, &freed, &done), 0);
}

static unsigned prune(uint64_t first, uint64_t last)
{
    dfn_t cursor = dfn_of(first);
    unsigned total = 0;

    while (cursor.n <= last) {
        mfn_t pages[8];
        unsigned n = pt_prune(&pt, &cursor, dfn_of(last), pages, 8);

        pt_free_pages(&pt, pages, n);
        total += n;
    }
    return total;
}

static void prunes(void **state)
{
    const uint64_t g = 1 << 18;
    struct pt_freed full = {.nr_runs = PT_FREED_RUNS};
    struct pt_leaf leaf;
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0), true, false);
    assert_int_equal(machine_map(&pt, 0, 5, 2000, 12, PT_READ, &done), 0);
    assert_int_equal(m.pages.used, 1 + 2 + 4);
    assert_int_equal(prune(0, g - 1), 0); /* all in use */
    unmap(0, 1024);
    assert_int_equal(prune(1, 1023), 1); /* the first is not wholly in the range */
    assert_int_equal(prune(0, 1022), 1);
    unmap(1024, 976);
    assert_int_equal(prune(0, 2047), 2); /* the one above spans more than the range */
    assert_int_equal(m.pages.used, 3);
    assert_int_equal(prune(0, g - 1), 1);
    assert_int_equal(prune(0, 512 * g - 1), 1);
    assert_int_equal(m.pages.used, 1);
    /* Parents go with their last child, also at the end of the space. */
    done = pt_nr_dfns(&pt);
    machine_map(&pt, done - 1, 5, 1, 12, PT_READ, &full.run[0].nr);
    assert_int_equal(m.pages.used, 4);
    unmap(done - 1, 1);
    assert_int_equal(prune(0, done - 1), 3);
    assert_int_equal(
        pt_trace(&pt.geo, pt.root, (done - 1) << FRAME_LG2, machine_read_seen, &m, &leaf), -ENOENT);
    assert_int_equal(leaf.level, 3);
    /* A retired entry keeps its table. */
    machine_map(&pt, 0, 5, 1, 12, PT_READ, &done);
    assert_int_equal(pt_unmap(&pt, dfn_of(0), 1, &full, &done), 0);
    assert_true(full.retired);
    assert_int_equal(prune(0, g - 1), 0);
    assert_int_equal(stop(), 1);
}

/* One call looks at a bounded number of tables and gives back no more than it has places for. */
static void prune_bounds(void **state)
{
    dfn_t cursor = dfn_of(0);
    mfn_t pages[128];
    uint64_t done;
    unsigned n, total = 0, calls = 0;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, ~UINT64_C(0), false, false);
    machine_map(&pt, 0, 5, 200 * 512, 12, PT_READ, &done);
    unmap(0, 200 * 512);
    n = pt_prune(&pt, &cursor, dfn_of((1 << 18) - 1), pages, 3);
    assert_int_equal(n, 3);
    pt_free_pages(&pt, pages, n);
    cursor = dfn_of(0);
    while (cursor.n < 1 << 18) {
        n = pt_prune(&pt, &cursor, dfn_of((1 << 18) - 1), pages, 128);
        assert_true(n <= PT_PRUNE_TABLES);
        pt_free_pages(&pt, pages, n);
        total += n;
        calls++;
    }
    assert_true(calls >= (197 + PT_PRUNE_TABLES - 1) / PT_PRUNE_TABLES);
    assert_true(total == 197 || total == 198);
    assert_true(total == 198 || prune(0, (1 << 18) - 1) == 1); /* a second pass takes the parent */
    assert_int_equal(m.pages.used, 2);
    stop();
}

static void add_run(void *arg, mfn_t first, uint64_t nr)
{
    struct seen *s = arg;

    assert_true(s->n < 8);
    s->dfn[s->n++] = first.n << 16 | nr;
}

static void reaps(void **state)
{
    struct pt_freed full = {.nr_runs = PT_FREED_RUNS};
    struct seen s = {0};
    uint64_t done;
    unsigned steps = 0;

    (void)state;
    start(PT_FORMAT_AMDV1, 3, ~UINT64_C(0), false, false);
    machine_map(&pt, 3, 103, 20, 63, PT_READ, &done);
    machine_map(&pt, 23, 200, 5, 63, PT_READ, &done);
    machine_map(&pt, 512, 512, 1024, 63, PT_READ, &done);
    assert_int_equal(pt_unmap(&pt, dfn_of(4), 8, &full, &done), 0);
    assert_true(full.retired);
    while (pt_reap(&pt, add_run, &s))
        steps++;
    pt_fini(&pt);
    assert_int_equal(steps, 2);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.dfn[0], 103 << 16 | 20);
    assert_int_equal(s.dfn[1], 200 << 16 | 5);
    assert_int_equal(s.dfn[2], 512 << 16 | 1024);
    machine_fini(&m);
}

/* Retired leaves that repeat or are large are released whole, and only when the range has them
 * whole. */
static void release_large(void **state)
{
    uint64_t done;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint64_t nr = i ? 512 : 64;
        struct pt_freed full = {.nr_runs = PT_FREED_RUNS}, freed = {0};

        start(PT_FORMAT_AMDV1, 3, ~UINT64_C(0), true, false);
        machine_map(&pt, nr, nr, nr, 63, PT_READ, &done);
        assert_int_equal(pt_unmap(&pt, dfn_of(nr), nr, &full, &done), 0);
        machine_release(&pt, nr + 1, nr - 1, &freed);
        machine_release(&pt, nr, nr - 1, &freed);
        assert_int_equal(freed.nr_runs, 0);
        machine_release(&pt, 0, 2 * nr, &freed);
        assert_int_equal(freed.nr_runs, 1);
        assert_int_equal(freed.run[0].nr, nr);
        assert_int_equal(stop(), 0);
    }
}

/* The old frame or the new one, at every moment. */
struct pointing {
    uint64_t dfn, from, to;
    unsigned attr;
    unsigned long looks;
};

static void look_at_point(void *arg)
{
    struct pointing *p = arg;
    struct pt_leaf leaf;

    assert_int_equal(pt_trace(&pt.geo, pt.root, p->dfn << FRAME_LG2,
                              pt.geo.noncoherent ? machine_read_seen : machine_read_arena, &m,
                              &leaf),
                     0);
    assert_true(leaf.mfn.n == p->from || leaf.mfn.n == p->to);
    assert_int_equal(leaf.attr, p->attr);
    p->looks++;
}

static void point_one(enum pt_format_id id, unsigned levels, unsigned attr, bool noncoherent)
{
    struct pointing p = {.dfn = 70, .from = 170, .to = 0x3456, .attr = attr & ~PT_MARK};
    struct pt_freed full = {.nr_runs = PT_FREED_RUNS};
    struct pt_leaf leaf;
    uint64_t done;

    start(id, levels, 1 << 12, noncoherent, false);
    for (uint64_t i = 64; i < 80; i++)
        assert_int_equal(machine_map(&pt, i, 100 + i, 1, 63, attr, &done), 0);
    m.between = look_at_point;
    m.between_arg = &p;
    assert_int_equal(pt_point(&pt, dfn_of(70), mfn_of(0x3456)), 0);
    m.between = NULL;
    p.from = p.to;
    look_at_point(&p);
    assert_int_equal(pt_lookup(&pt, dfn_of(70), 1, &leaf), 0);
    assert_int_equal(leaf.mfn.n, 0x3456);
    assert_int_equal(leaf.attr, attr);
    assert_int_equal(pt_lookup(&pt, dfn_of(69), 1, &leaf), 0);
    assert_int_equal(leaf.mfn.n, 169);
    assert_int_equal(pt_point(&pt, dfn_of(80), mfn_of(1)), -ENOENT);
    assert_int_equal(pt_point(&pt, dfn_of(UINT64_C(1) << 20), mfn_of(1)), -ENOENT);
    assert_int_equal(pt_unmap(&pt, dfn_of(64), 1, &full, &done), 0);
    assert_int_equal(pt_point(&pt, dfn_of(64), mfn_of(1)), -ENOENT); /* retired */
    (void)stop();
}

static void points(void **state)
{
    uint64_t done;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        const bool nc = i & 1;
        const unsigned attr = (i & 2 ? PT_READ : PT_READ | PT_WRITE) | PT_MARK;

        point_one(PT_FORMAT_VTDSS, 4, attr, nc);
        point_one(PT_FORMAT_X86, 4, attr, nc);
        point_one(PT_FORMAT_AMDV1, 3, attr, nc);
        point_one(PT_FORMAT_LPAE1, 4, attr, nc);
        point_one(PT_FORMAT_LPAE2, 3, attr, nc);
        point_one(PT_FORMAT_FAKE, 3, attr, nc);
    }
    /* Larger ones are to be split first, also such as lie in the lowest table. */
    start(PT_FORMAT_AMDV1, 3, ~UINT64_C(0), false, false);
    machine_map(&pt, 64, 64, 64, 63, PT_READ, &done);
    machine_map(&pt, 512, 512, 512, 63, PT_READ, &done);
    assert_int_equal(pt_point(&pt, dfn_of(70), mfn_of(1)), -EINVAL);
    assert_int_equal(pt_point(&pt, dfn_of(600), mfn_of(1)), -EINVAL);
    assert_int_equal(stop(), 576);
}

/* What the device wrote before it was seen is not forgotten. */
static void points_keep_dirty_marks(void **state)
{
    struct pt_leaf leaf;
    uint64_t done;

    (void)state;
    start(PT_FORMAT_VTDSS, 4, 1 << 12, false, true);
    machine_map(&pt, 70, 170, 1, 63, PT_READ | PT_WRITE | PT_MARK, &done);
    machine_touch(&m, &pt, 70);
    assert_int_equal(pt_point(&pt, dfn_of(70), mfn_of(0x3456)), 0);
    assert_int_equal(pt_lookup(&pt, dfn_of(70), 1, &leaf), 0);
    assert_true(leaf.dirty);
    assert_int_equal(leaf.attr, PT_READ | PT_WRITE | PT_MARK);
    (void)stop();
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits),
        cmocka_unit_test(split_starved),
        cmocka_unit_test(dirty_marks),
        cmocka_unit_test(dirty_split),
        cmocka_unit_test(dirty_split_race),
        cmocka_unit_test(not_dirty),
        cmocka_unit_test(prunes),
        cmocka_unit_test(prune_bounds),
        cmocka_unit_test(reaps),
        cmocka_unit_test(release_large),
        cmocka_unit_test(points),
        cmocka_unit_test(points_keep_dirty_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
