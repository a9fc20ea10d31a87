/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a walker that does not snoop sees, write by write: a table before the link to it, entries
 * after their store, one writeback for each stretch, and tables that another thread has linked but
 * not yet written back.
 */
#include "machine.h"

static struct machine m;
static struct pgtable pt;

static void start(enum pt_format_id id)
{
    struct pt_geometry geo = machine_geometry(id, pt_format(id)->max_levels);

    geo.noncoherent = true;
    machine_init(&m);
    assert_int_equal(pt_init(&pt, &geo, &m.pages), 0);
}

static void stop(void)
{
    machine_reap(&pt);
    machine_fini(&m);
}

static int seen(uint64_t dfn, struct pt_leaf *leaf)
{
    return pt_trace(&pt.geo, pt.root, dfn << FRAME_LG2, machine_read_seen, &m, leaf);
}

/* At every moment the walk ends in a table that was set up: nothing it finds is reserved nonsense.
 */
static void sane(void *arg)
{
    struct pt_leaf leaf;
    int r = seen(5, &leaf);

    (void)arg;
    assert_true(r == -ENOENT || (r == 0 && leaf.mfn.n == 77));
}

static void tables_first(void **state)
{
    (void)state;
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        struct pt_freed freed = {0};
        struct pt_leaf leaf;
        uint64_t done;
        unsigned levels;

        start(id);
        levels = pt.geo.levels;
        m.between = sane;
        m.nr_writebacks = 0;
        assert_int_equal(pt_map(&pt, dfn_of(5), mfn_of(77), 20, 12, PT_READ, &done), 0);
        assert_int_equal(m.nr_writebacks, 2 * (levels - 1) + 1); /* a table and its link; the run */
        assert_int_equal(seen(5, &leaf), 0);
        assert_int_equal(seen(24, &leaf), 0);
        assert_int_equal(leaf.mfn.n, 77 + 19);
        m.nr_writebacks = 0;
        assert_int_equal(pt_map(&pt, dfn_of(30), mfn_of(99), 1, 12, PT_READ, &done), 0);
        assert_int_equal(m.nr_writebacks, 1);
        assert_int_equal(pt_unmap(&pt, dfn_of(5), 20, &freed, &done), 0);
        assert_int_equal(m.nr_writebacks, 2);
        assert_int_equal(seen(5, &leaf), -ENOENT);
        assert_int_equal(seen(24, &leaf), -ENOENT);
        m.between = NULL;
        stop();
    }
}

/* Retiring and releasing are written back as well. */
static void retired_is_seen(void **state)
{
    (void)state;
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        struct pt_freed full = {.nr_runs = PT_FREED_RUNS}, freed = {0};
        struct pt_leaf leaf;
        uint64_t done, *slot;

        start(id);
        assert_int_equal(pt_map(&pt, dfn_of(5), mfn_of(77), 1, 12, PT_READ, &done), 0);
        slot = machine_slot(&m, &pt, 5);
        assert_int_equal(pt_unmap(&pt, dfn_of(5), 1, &full, &done), 0);
        assert_int_equal(seen(5, &leaf), -ENOENT);
        assert_int_equal((&m.seen[0][0])[slot - &m.arena[0][0]], *slot);
        pt_release(&pt, dfn_of(5), 1, &freed, &done);
        assert_int_equal(freed.nr_runs, 1);
        assert_int_equal((&m.seen[0][0])[slot - &m.arena[0][0]], *slot);
        assert_int_equal(pt_map(&pt, dfn_of(5), mfn_of(77), 20, 12, PT_READ, &done), 0);
        m.nr_writebacks = 0;
        assert_int_equal(pt_retire(&pt, dfn_of(5), 20, &done), 0);
        assert_int_equal(m.nr_writebacks, 1);
        assert_int_equal(seen(5, &leaf), -ENOENT);
        assert_int_equal(seen(24, &leaf), -ENOENT);
        stop();
    }
}

/* Runs in the middle of thread A's map, after it linked a table and before that is written back. */
struct intruder {
    unsigned nr;
    bool ran;
};

static void (*real_writeback)(void *host, const void *p, size_t size);
static struct intruder intruder;

static void late_writeback(void *host, const void *p, size_t size)
{
    /* The first link that A writes back: another thread comes by just before it is out. */
    if (size == 8 && !intruder.ran) {
        struct pt_leaf leaf;
        uint64_t done;

        intruder.ran = true;
        assert_int_equal(pt_map(&pt, dfn_of(9), mfn_of(123), 1, 12, PT_READ, &done), 0);
        assert_int_equal(seen(9, &leaf), 0); /* it said that it is mapped: then it is */
        assert_int_equal(leaf.mfn.n, 123);
    }
    real_writeback(host, p, size);
}

static void unsynced_link(void **state)
{
    (void)state;
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        struct pt_leaf leaf;
        uint64_t done;

        start(id);
        real_writeback = m.port.writeback;
        m.port.writeback = late_writeback;
        intruder.ran = false;
        assert_int_equal(machine_map(&pt, 5, 77, 1, 12, PT_READ, &done), 0);
        assert_true(intruder.ran);
        assert_int_equal(seen(5, &leaf), 0);
        assert_int_equal(seen(9, &leaf), 0);
        stop();
    }
}

/* A table appears just before our own is linked: theirs is used, ours is given back. */
static int (*real_alloc)(void *host, mfn_t *page);

static int racing_alloc(void *host, mfn_t *page)
{
    uint64_t done;

    m.port.alloc_page = real_alloc;
    assert_int_equal(pt_map(&pt, dfn_of(9), mfn_of(123), 1, 12, PT_READ, &done), 0);
    return real_alloc(host, page);
}

static void lost_race(void **state)
{
    (void)state;
    for (enum pt_format_id id = 0; id < PT_NR_FORMATS; id++) {
        struct pt_leaf leaf;
        uint64_t done;

        start(id);
        real_alloc = m.port.alloc_page;
        m.port.alloc_page = racing_alloc;
        assert_int_equal(pt_map(&pt, dfn_of(5), mfn_of(77), 1, 12, PT_READ, &done), 0);
        assert_int_equal(done, 1);
        assert_int_equal(m.pages.used, pt.geo.levels);
        assert_int_equal(seen(5, &leaf), 0);
        assert_int_equal(seen(9, &leaf), 0);
        stop();
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_first),
        cmocka_unit_test(retired_is_seen),
        cmocka_unit_test(unsynced_link),
        cmocka_unit_test(lost_race),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
