/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries as the specifications want them, bit by bit: the values here are written out by hand and
 * owe nothing to the masks that the library uses.
 */
#include "machine.h"

/* The entry that hardware reads last for dfn, whatever it is; level by level in `path`. */
struct path {
    struct machine *m;
    uint64_t *slot[PT_MAX_LEVELS];
};

static uint64_t read_path(void *arg, mfn_t table, unsigned offset, unsigned level)
{
    struct path *p = arg;

    p->slot[level] = &p->m->arena[table.n][offset / 8];
    return *p->slot[level];
}

static int walk_path(struct machine *m, const struct pgtable *pt, uint64_t dfn, struct path *p,
                     struct pt_leaf *leaf)
{
    *p = (struct path){.m = m};
    return pt_trace(&pt->geo, pt->root, dfn << FRAME_LG2, read_path, p, leaf);
}

struct leaf_case {
    uint64_t dfn, mfn, nr;
    unsigned attr, level;
    uint64_t entry, retired;
};

static void start(struct machine *m, struct pgtable *pt, const struct pt_geometry *geo)
{
    machine_init(m);
    assert_int_equal(pt_init(pt, geo, &m->pages), 0);
}

static void stop(struct machine *m, struct pgtable *pt)
{
    machine_reap(pt);
    machine_fini(m);
}

/* Maps, looks at the entry; fills the runs up so that unmapping retires, and looks again. */
static void check_leaf(const struct pt_geometry *geo, const struct leaf_case *c)
{
    struct pt_freed full = {.nr_runs = PT_FREED_RUNS};
    struct pt_leaf leaf;
    struct machine m;
    struct pgtable pt;
    struct path path;
    uint64_t done;

    for (unsigned i = 0; i < PT_FREED_RUNS; i++)
        full.run[i].nr = 0, full.run[i].first.n = 0x999999;
    start(&m, &pt, geo);
    assert_int_equal(machine_map(&pt, c->dfn, c->mfn, c->nr, 63, c->attr, &done), 0);
    assert_int_equal(walk_path(&m, &pt, c->dfn, &path, &leaf), 0);
    assert_int_equal(leaf.level, c->level);
    assert_int_equal(leaf.attr, machine_attr(geo->format->id, c->attr & ~PT_MARK));
    assert_int_equal(*path.slot[c->level], c->entry);
    for (unsigned i = 1; i < c->nr && c->level == 0; i++) /* a leaf that repeats */
        assert_int_equal(path.slot[0][i], c->entry);
    assert_int_equal(pt_lookup(&pt, dfn_of(c->dfn), 1, &leaf), 0);
    assert_int_equal(leaf.attr, machine_attr(geo->format->id, c->attr));
    assert_int_equal(machine_unmap(&pt, c->dfn, c->nr, &full, &done), 0);
    assert_true(full.retired);
    assert_int_equal(*path.slot[c->level], c->retired);
    assert_int_equal(walk_path(&m, &pt, c->dfn, &path, &leaf), -ENOENT);
    assert_int_equal(pt_lookup(&pt, dfn_of(c->dfn), 1, &leaf), 0);
    assert_true(leaf.retired && leaf.mfn.n == c->mfn && leaf.attr == (c->attr & PT_MARK));
    stop(&m, &pt);
}

static void check_leaves(const struct pt_geometry *geo, const struct leaf_case *c, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        check_leaf(geo, &c[i]);
}

#define CHECK_LEAVES(geo, cases) check_leaves(geo, cases, sizeof(cases) / sizeof((cases)[0]))

/* What points to tables, apart from the address: one value per level from 1 on. */
static void check_links(struct pt_geometry geo, const uint64_t *low, uint64_t synced)
{
    for (unsigned noncoherent = 0; noncoherent < 2; noncoherent++) {
        struct machine m;
        struct pgtable pt;
        struct pt_leaf leaf;
        struct path path;
        uint64_t done;

        geo.noncoherent = noncoherent;
        start(&m, &pt, &geo);
        assert_int_equal(machine_map(&pt, 5, 5, 1, 12, PT_READ, &done), 0);
        assert_int_equal(walk_path(&m, &pt, 5, &path, &leaf), 0);
        for (unsigned level = 1; level < geo.levels; level++) {
            uint64_t table = (uint64_t)((char *)path.slot[level - 1] - (char *)m.arena);

            table &= ~UINT64_C(0xfff);
            assert_int_equal(*path.slot[level], table | low[level] | (noncoherent ? synced : 0));
        }
        stop(&m, &pt);
    }
}

/* Puts `bits` on top of the entry of `level` and says what hardware makes of it. */
static int poked(const struct pt_geometry *geo, uint64_t nr, unsigned level, uint64_t set,
                 uint64_t clear, struct pt_leaf *leaf)
{
    struct machine m;
    struct pgtable pt;
    struct path path;
    uint64_t done, old;
    int r;

    start(&m, &pt, geo);
    assert_int_equal(machine_map(&pt, 0, 0x40000000 >> 12, nr, 63, PT_READ | PT_WRITE, &done), 0);
    assert_int_equal(walk_path(&m, &pt, 0, &path, leaf), 0);
    old = *path.slot[level];
    *path.slot[level] = (old & ~clear) | set;
    r = walk_path(&m, &pt, 0, &path, leaf);
    *path.slot[level] = old;
    stop(&m, &pt);
    return r;
}

static void vtdss(void **state)
{
    static const struct leaf_case cases[] = {
        {0x123, 0x12345, 1, PT_READ | PT_WRITE, 0, 0x12345003, 0x20000012345000},
        {0x123, 0x12345, 1, PT_READ, 0, 0x12345001, 0x20000012345000},
        {0x123, 0x12345, 1, PT_WRITE, 0, 0x12345002, 0x20000012345000},
        {0x123, 0x12345, 1, PT_READ | PT_WRITE | PT_SNOOP, 0, 0x12345803, 0x20000012345800},
        {0, 0, 1, PT_READ, 0, 0x1, 0x20000000000000},
        {0x200, 0x40000, 0x200, PT_READ | PT_WRITE, 1, 0x40000083, 0x20000040000080},
        {0, 0, 0x40000, PT_READ, 2, 0x81, 0x20000000000080},
        {7, 0xffffffffff, 1, PT_WRITE, 0, 0xffffffffff002, 0x2ffffffffff000},
        {0x123, 0x12345, 1, PT_READ | PT_MARK, 0, 0x40000012345001, 0x60000012345000},
        {0, 0, 0x40000, PT_WRITE | PT_SNOOP | PT_MARK, 2, 0x40000000000882, 0x60000000000880},
    };
    static const uint64_t links[] = {0, 0x403, 0x403, 0x403, 0x403};
    struct pt_geometry geo = machine_geometry(PT_FORMAT_VTDSS, 5);
    struct pt_leaf leaf;

    (void)state;
    CHECK_LEAVES(&geo, cases);
    geo = machine_geometry(PT_FORMAT_VTDSS, 4);
    CHECK_LEAVES(&geo, cases);
    check_links(geo, links, UINT64_C(1) << 52);

    assert_int_equal(poked(&geo, 1, 2, 0x800, 0, &leaf), -EINVAL); /* SNP in a table entry */
    assert_int_equal(leaf.level, 2);
    assert_int_equal(poked(&geo, 1, 2, UINT64_C(1) << 62, 0, &leaf), -EINVAL); /* TM */
    assert_int_equal(poked(&geo, 1, 0, UINT64_C(1) << 62, 0, &leaf), -EINVAL);
    assert_int_equal(poked(&geo, 1, 0, UINT64_C(1) << 63, 0, &leaf), 0);
    assert_int_equal(poked(&geo, 1, 0, 0x800, 0, &leaf), 0); /* SNP */
    geo.no_snoop = true;
    assert_int_equal(poked(&geo, 1, 0, 0x800, 0, &leaf), -EINVAL);
    assert_int_equal(poked(&geo, 1, 0, 0, 0, &leaf), 0);
    assert_int_equal(poked(&geo, 1, 3, 0x80, 0, &leaf), -EINVAL); /* PS in a PML4 entry */
    assert_int_equal(poked(&geo, 0x200, 1, 0x1000, 0, &leaf), -EINVAL);
    assert_int_equal(poked(&geo, 0x200, 1, 0x100000, 0, &leaf), -EINVAL);
    assert_int_equal(poked(&geo, 1, 0, 0x80, 0, &leaf), 0); /* ignored in a PTE */
    assert_int_equal(poked(&geo, 1, 0, UINT64_C(0x3ff) << 52, 0, &leaf), 0);
    assert_int_equal(poked(&geo, 1, 0, UINT64_C(0x3ff) << 52, 3, &leaf), -ENOENT);
    assert_int_equal(poked(&geo, 1, 2, 0, 2, &leaf), 0);
    assert_int_equal(leaf.attr, PT_READ);
    assert_int_equal(poked(&geo, 1, 3, 0, 1, &leaf), 0);
    assert_int_equal(leaf.attr, PT_WRITE);
    geo.leaf_sizes = 1 << 12;
    assert_int_equal(poked(&geo, 1, 1, 0x80, 0, &leaf), -EINVAL); /* a unit without 2M */
}

static void x86(void **state)
{
    static const struct leaf_case cases[] = {
        {0x123, 0x12345, 1, PT_READ | PT_WRITE, 0, 0x12345067, 0x20000012345066},
        {0x123, 0x12345, 1, PT_READ, 0, 0x12345025, 0x20000012345024},
        {0x200, 0x40000, 0x200, PT_READ | PT_WRITE, 1, 0x400000e7, 0x200000400000e6},
        {0x40000, 0x40000, 0x40000, PT_READ, 2, 0x400000a5, 0x200000400000a4},
        {3, 0, 1, PT_READ, 0, 0x25, 0x20000000000024},
        {0x123, 0x12345, 1, PT_READ | PT_MARK, 0, 0x40000012345025, 0x60000012345024},
        {0x200, 0, 0x200, PT_WRITE | PT_MARK, 1, 0x400000000000e7, 0x600000000000e6},
    };
    static const struct leaf_case tracked[] = {
        {0x123, 0x12345, 1, PT_READ | PT_WRITE, 0, 0x12345027, 0x20000012345026},
    };
    static const uint64_t links[] = {0, 0x227, 0x227, 0x227, 0x227};
    struct pt_geometry geo = machine_geometry(PT_FORMAT_X86, 4);
    struct pt_leaf leaf;

    (void)state;
    CHECK_LEAVES(&geo, cases);
    check_links(geo, links, UINT64_C(1) << 52);
    assert_int_equal(poked(&geo, 0x200, 1, 0x1000, 0, &leaf), 0); /* PAT */
    assert_int_equal(leaf.mfn.n, 0x40000);
    assert_int_equal(poked(&geo, 0x200, 1, 0x2000, 0, &leaf), -EINVAL);
    assert_int_equal(poked(&geo, 1, 3, 0x80, 0, &leaf), -EINVAL);
    assert_int_equal(poked(&geo, 1, 2, 0, 1, &leaf), -ENOENT);
    assert_int_equal(poked(&geo, 1, 2, 0, 2, &leaf), 0);
    assert_int_equal(leaf.attr, PT_READ);
    geo.dirty = true;
    CHECK_LEAVES(&geo, tracked);
}

static void amdv1(void **state)
{
    static const struct leaf_case cases[] = {
        {0x123, 0x12345, 1, PT_READ | PT_WRITE, 0, 0x6000000012345001, 0x6000000012345004},
        {0x123, 0x12345, 1, PT_READ, 0, 0x2000000012345001, 0x2000000012345004},
        {0x123, 0x12345, 1, PT_WRITE | PT_SNOOP, 0, 0x5000000012345001, 0x5000000012345004},
        {0x122, 0x12344, 2, PT_READ | PT_WRITE, 0, 0x6000000012344e01, 0x6000000012344e04},
        {0x124, 0x12348, 4, PT_READ | PT_WRITE, 0, 0x6000000012349e01, 0x6000000012349e04},
        {0x120, 0x12340, 16, PT_READ | PT_WRITE, 0, 0x6000000012347e01, 0x6000000012347e04},
        {0x100, 0x12300, 256, PT_READ | PT_WRITE, 0, 0x600000001237fe01, 0x600000001237fe04},
        {0x200, 0x40000, 0x200, PT_READ | PT_WRITE, 1, 0x6000000040000001, 0x6000000040000004},
        {0x400, 0x40000, 0x400, PT_READ | PT_WRITE, 1, 0x60000000401ffe01, 0x60000000401ffe04},
        {0x80000, 0x80000, 0x80000, PT_READ, 2, 0x20000000bfffFe01, 0x20000000bfffFe04},
        {9, 0, 1, PT_READ, 0, 0x2000000000000001, 0x2000000000000004},
        {9, 0, 1, PT_READ | PT_MARK, 0, 0x2000000000000011, 0x2000000000000014},
        {0x124, 0x12348, 4, PT_WRITE | PT_MARK, 0, 0x4000000012349e11, 0x4000000012349e14},
        {0, 0, 0x200, PT_READ | PT_SNOOP | PT_MARK, 1, 0x3000000000000011, 0x3000000000000014},
    };
    static const uint64_t links[] = {0,
                                     0x6000000000000209,
                                     0x6000000000000409,
                                     0x6000000000000609,
                                     0x6000000000000809,
                                     0x6000000000000a09};
    struct pt_geometry geo = machine_geometry(PT_FORMAT_AMDV1, 4);
    struct pt_leaf leaf;

    (void)state;
    CHECK_LEAVES(&geo, cases);
    check_links(machine_geometry(PT_FORMAT_AMDV1, 6), links, 2);
    assert_int_equal(poked(&geo, 1, 0, UINT64_C(1) << 52, 0, &leaf), -EINVAL);
    assert_int_equal(poked(&geo, 1, 2, 0x200, 0xe00, &leaf), -EINVAL); /* skips a level */
    assert_int_equal(poked(&geo, 1, 1, 0xe00, 0, &leaf), -EINVAL); /* a 4K size in a higher table */
    assert_int_equal(poked(&geo, 1, 3, 0, UINT64_C(1) << 62, &leaf), 0);
    assert_int_equal(leaf.attr, PT_READ);
    assert_int_equal(poked(&geo, 0x200, 1, 0, 1, &leaf), -ENOENT);
}

static void lpae1(void **state)
{
    static const struct leaf_case cases[] = {
        {0x123, 0x12345, 1, PT_READ | PT_WRITE, 0, 0x60000012345f43, 0x160000012345f42},
        {0x123, 0x12345, 1, PT_READ, 0, 0x60000012345fc3, 0x160000012345fc2},
        {0x200, 0x40000, 0x200, PT_READ | PT_WRITE, 1, 0x60000040000f41, 0x160000040000f40},
        {0, 0, 0x40000, PT_READ, 2, 0x60000000000fc1, 0x160000000000fc0},
        {0x123, 0x12345, 1, PT_WRITE | PT_MARK, 0, 0x460000012345f43, 0x560000012345f42},
        {0, 0, 0x40000, PT_READ | PT_MARK, 2, 0x460000000000fc1, 0x560000000000fc0},
    };
    static const uint64_t links[] = {0, 0x200000000000003, 0x200000000000003, 0x200000000000003};
    struct pt_geometry geo = machine_geometry(PT_FORMAT_LPAE1, 4);
    struct pt_leaf leaf;

    (void)state;
    CHECK_LEAVES(&geo, cases);
    check_links(geo, links, UINT64_C(1) << 55);
    assert_int_equal(poked(&geo, 1, 0, 0, 0x400, &leaf), -EINVAL); /* access flag */
    assert_int_equal(poked(&geo, 1, 0, 0, 2, &leaf), -ENOENT);     /* a block among pages */
    assert_int_equal(poked(&geo, 1, 2, UINT64_C(1) << 62, 0, &leaf), 0);
    assert_int_equal(leaf.attr, PT_READ);
    assert_int_equal(poked(&geo, 1, 3, 0, 2, &leaf), -EINVAL); /* a block in level 0 of theirs */
}

static void lpae2(void **state)
{
    static const struct leaf_case cases[] = {
        {0x123, 0x12345, 1, PT_READ | PT_WRITE, 0, 0x400000123457ff, 0x1400000123457fe},
        {0x123, 0x12345, 1, PT_READ, 0, 0x4000001234577f, 0x14000001234577e},
        {0x123, 0x12345, 1, PT_WRITE, 0, 0x400000123457bf, 0x1400000123457be},
        {0x200, 0x40000, 0x200, PT_READ | PT_WRITE, 1, 0x400000400007fd, 0x1400000400007fc},
        {0x123, 0x12345, 1, PT_READ | PT_MARK, 0, 0x44000001234577f, 0x54000001234577e},
        {0x200, 0x40000, 0x200, PT_WRITE | PT_MARK, 1, 0x4400000400007bd, 0x5400000400007bc},
    };
    static const uint64_t links[] = {0, 0x200000000000003, 0x200000000000003, 0x200000000000003};
    struct pt_geometry geo = machine_geometry(PT_FORMAT_LPAE2, 3);
    struct pt_leaf leaf;

    (void)state;
    CHECK_LEAVES(&geo, cases);
    check_links(geo, links, UINT64_C(1) << 55);
    assert_int_equal(poked(&geo, 1, 1, UINT64_C(1) << 62, 0, &leaf), 0);
    assert_int_equal(leaf.attr, PT_READ | PT_WRITE);
}

/* Beyond the space there is nothing, at any width; inside, offsets into the page do not matter. */
static void width(void **state)
{
    struct pt_geometry geo = machine_geometry(PT_FORMAT_VTDSS, 4);
    struct pt_leaf leaf;
    struct machine m;
    struct pgtable pt;
    uint64_t done;

    (void)state;
    geo.iova_bits = 39;
    start(&m, &pt, &geo);
    assert_int_equal(machine_map(&pt, pt_nr_dfns(&pt) - 1, 7, 1, 12, PT_READ, &done), 0);
    assert_int_equal(
        pt_trace(&geo, pt.root, (UINT64_C(1) << 39) - 1, machine_read_arena, &m, &leaf), 0);
    assert_int_equal(leaf.mfn.n, 7);
    assert_int_equal(pt_trace(&geo, pt.root, UINT64_C(1) << 39, machine_read_arena, &m, &leaf),
                     -ENOENT);
    assert_int_equal(pt_trace(&geo, pt.root, ~UINT64_C(0), machine_read_arena, &m, &leaf), -ENOENT);
    stop(&m, &pt);

    /* Whatever hangs there: neither does an address wrap, nor does a narrow unit look further. */
    geo = machine_geometry(PT_FORMAT_VTDSS, 4);
    start(&m, &pt, &geo);
    assert_int_equal(machine_map(&pt, 0, 7, 1, 12, PT_READ, &done), 0);
    assert_int_equal(machine_map(&pt, UINT64_C(1) << 27, 8, 1, 12, PT_READ, &done), 0);
    assert_int_equal(pt_trace(&geo, pt.root, UINT64_C(1) << 39, machine_read_arena, &m, &leaf), 0);
    assert_int_equal(pt_trace(&geo, pt.root, UINT64_C(1) << 48, machine_read_arena, &m, &leaf),
                     -ENOENT);
    geo.iova_bits = 39;
    assert_int_equal(pt_trace(&geo, pt.root, UINT64_C(1) << 39, machine_read_arena, &m, &leaf),
                     -ENOENT);
    stop(&m, &pt);

    geo = machine_geometry(PT_FORMAT_AMDV1, 6);
    assert_int_equal(geo.iova_bits, 64);
    start(&m, &pt, &geo);
    assert_int_equal(machine_map(&pt, pt_nr_dfns(&pt) - 1, 7, 1, 12, PT_READ, &done), 0);
    assert_int_equal(pt_trace(&geo, pt.root, ~UINT64_C(0), machine_read_arena, &m, &leaf), 0);
    assert_int_equal(leaf.mfn.n, 7);
    stop(&m, &pt);
}

static void trace_from_inside(void **state)
{
    struct pt_geometry geo = machine_geometry(PT_FORMAT_VTDSS, 4);
    struct pt_leaf leaf;
    struct machine m;
    struct pgtable pt;
    struct path path;
    uint64_t done, table;

    (void)state;
    start(&m, &pt, &geo);
    assert_int_equal(machine_map(&pt, 0x12345, 77, 1, 12, PT_READ, &done), 0);
    assert_int_equal(walk_path(&m, &pt, 0x12345, &path, &leaf), 0);
    table = (uint64_t)((char *)path.slot[1] - (char *)m.arena) / FRAME_SIZE;
    assert_int_equal(pt_trace_from(&geo, mfn_of(table), 1, UINT64_C(0x12345) << 12,
                                   machine_read_arena, &m, &leaf),
                     0);
    assert_int_equal(leaf.mfn.n, 77);
    stop(&m, &pt);
}

static void bad_geometry(void **state)
{
    struct pt_geometry good = machine_geometry(PT_FORMAT_VTDSS, 4), geo;
    struct machine m;
    struct pgtable pt;

    (void)state;
    machine_init(&m);
#define REFUSED(change)                                          \
    do {                                                         \
        geo = good;                                              \
        geo.change;                                              \
        assert_int_equal(pt_init(&pt, &geo, &m.pages), -EINVAL); \
    } while (0)
    REFUSED(levels = 2);
    REFUSED(levels = 6);
    REFUSED(iova_bits = 49);
    REFUSED(iova_bits = 11);
    REFUSED(leaf_sizes = 1 << 21);
    REFUSED(leaf_sizes |= 1 << 13);
    good = machine_geometry(PT_FORMAT_LPAE2, 4);
    REFUSED(dirty = true);
    machine_fini(&m);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(vtdss),
        cmocka_unit_test(x86),
        cmocka_unit_test(amdv1),
        cmocka_unit_test(lpae1),
        cmocka_unit_test(lpae2),
        cmocka_unit_test(width),
        cmocka_unit_test(trace_from_inside),
        cmocka_unit_test(bad_geometry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
