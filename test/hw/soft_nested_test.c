/* SPDX-License-Identifier: BSD-2-Clause */
/* Two stages: a guest's own table over the hypervisor's, and what the unit caches of both. */
#include "soft_fixture.h"

#define DFN 0x40201u /* devices' page, */
#define GFN 0x1234u  /* the guest's, */
#define MFN (GFN + SHIFT)

static int begin(void **state)
{
    struct rig *r = rig_create(false, PT_FORMAT_X86, 4);

    rig_map(&r->first, DFN, GFN, 1, FRAME_LG2, RW);
    rig_point(r, RID, 0, CHILD);
    *state = r;
    return 0;
}

static int end(void **state)
{
    rig_destroy(*state);
    return 0;
}

static uint64_t *word_of(const struct rig *r, mfn_t guest_table, unsigned i)
{
    return (uint64_t *)port_page(&r->guest_port, guest_table) + i;
}

/* The guest's table of that level on the way to DFN. */
static mfn_t table_of(const struct rig *r, unsigned level)
{
    mfn_t table = r->first.root;

    for (unsigned l = 3; l > level; l--)
        table = mfn_of(*word_of(r, table, DFN >> 9 * l & 511) >> 12 & 0xffffffffff);
    return table;
}

static void expect_fault(struct rig *r, uint64_t addr, bool write, enum hw_reason reason,
                         unsigned level)
{
    struct hw_fault fault;

    assert_int_equal(rig_access(r, RID, 0, addr, write, &fault), NOWHERE);
    assert_int_equal(fault.reason, reason);
    assert_int_equal(fault.level, level);
    assert_int_equal(fault.addr, addr);
}

static void each_format_goes_through_both_stages(void **state)
{
    static const struct {
        enum pt_format_id format;
        uint8_t levels;
    } kinds[] = {{PT_FORMAT_X86, 4}, {PT_FORMAT_X86, 5}, {PT_FORMAT_LPAE1, 4}};

    (void)state;
    for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct rig *r = rig_create(false, kinds[i].format, kinds[i].levels);
        const uint64_t top = BIT64(r->first.geo.iova_bits - FRAME_LG2) - 1;

        rig_map(&r->first, DFN, GFN, 2, FRAME_LG2, RW);
        rig_map(&r->first, top, GFN, 1, FRAME_LG2, RW);
        rig_point(r, RID, 0, CHILD);
        assert_int_equal(rig_seen(r, 0, DFN), MFN);
        assert_int_equal(rig_seen(r, 0, DFN + 1), MFN + 1);
        assert_int_equal(rig_seen(r, 0, top), MFN);
        assert_int_equal(rig_seen(r, 0, GFN), NOWHERE);
        rig_destroy(r);
    }
}

static void rights_are_those_of_both(void **state)
{
    struct rig *r = *state;
    struct hw_fault fault;

    rig_map(&r->first, 0x10, 0x10, 1, FRAME_LG2, PT_READ);
    rig_map(&r->first, 0x11, 0x11, 1, FRAME_LG2, RW);
    rig_map(&r->first, 0x12, 0x12, 1, FRAME_LG2, RW);
    rig_unmap(&r->second, 0x11, 2);
    rig_map(&r->second, 0x11, 0x11, 1, FRAME_LG2, PT_READ);
    rig_map(&r->second, 0x12, 0x12, 1, FRAME_LG2, PT_WRITE);
    for (unsigned i = 0; i < 2; i++) { /* walked, and cached */
        expect_fault(r, 0x10000, true, HW_REASON_NO_WRITE, 0);
        expect_fault(r, 0x11000, true, HW_REASON_NO_WRITE, 0);
        expect_fault(r, 0x12000, false, HW_REASON_NO_READ, 0);
        assert_int_equal(rig_seen(r, 0, 0x10), 0x10 + SHIFT);
        assert_int_equal(rig_seen(r, 0, 0x11), 0x11);
        assert_int_equal(rig_access(r, RID, 0, 0x12000, true, &fault), 0x12);
    }
}

/* A remembered table keeps what the ones above it forbid. */
static void rights_of_upper_tables_stay_with_what_is_remembered(void **state)
{
    struct rig *r = *state;

    rig_map(&r->first, DFN + 8, GFN + 8, 1, FRAME_LG2, RW);
    *word_of(r, table_of(r, 2), DFN >> 18 & 511) &= ~(uint64_t)PT_WRITE;
    expect_fault(r, (uint64_t)DFN << 12, true, HW_REASON_NO_WRITE, 0);
    expect_fault(r, (uint64_t)(DFN + 8) << 12, true, HW_REASON_NO_WRITE, 0);
    assert_int_equal(rig_seen(r, 0, DFN + 8), MFN + 8);
}

static void show(void *arg, const struct soft_cached *c)
{
    uint64_t *nr = arg;

    if (!c->second && c->dfn.n <= 512 + 5 && c->dfn.n + c->nr > 512 + 5)
        *nr = c->nr;
}

/* One cached translation is no larger than the smaller of its two leaves. */
static void the_smaller_leaf_counts(void **state)
{
    for (unsigned large = 0; large < 2; large++) {
        struct rig *r = rig_create(false, PT_FORMAT_X86, 4);
        uint64_t nr = 0;

        rig_map(&r->first, 512, 0x8000, 512, 21, RW);
        rig_map(&r->second, 0x8000, 0x10000, 512, large ? 21 : 12, RW);
        rig_point(r, RID, 0, CHILD);
        assert_int_equal(rig_seen(r, 0, 512 + 5), 0x10005);
        soft_visit_cached(&r->u, RID, 0, show, &nr);
        assert_int_equal(nr, large ? 512 : 1);
        assert_int_equal(rig_seen(r, 0, 512 + 100), 0x10064);
        rig_destroy(r);
    }
    (void)state;
}

static void refusals_say_where_and_why(void **state)
{
    struct rig *r = *state;
    uint64_t *word = word_of(r, table_of(r, 1), DFN >> 9 & 511);
    const uint64_t kept = *word;

    expect_fault(r, (uint64_t)(DFN + 1) << 12, false, HW_REASON_NOT_PRESENT, 0);
    expect_fault(r, 0, false, HW_REASON_NOT_PRESENT, 2);
    expect_fault(r, BIT64(46), false, HW_REASON_NOT_PRESENT, 3);
    expect_fault(r, BIT64(47), false, HW_REASON_WIDTH, 0);
    expect_fault(r, UINT64_MAX, false, HW_REASON_WIDTH, 0);
    expect_fault(r, 0xfee00000, true, HW_REASON_MSI, 0);
    rig_map(&r->first, 8, MEMORY, 1, FRAME_LG2, RW); /* where the guest has nothing: 0x4000 */
    expect_fault(r, 0x8000, false, HW_REASON_NOT_PRESENT, 1);
    *word = 0x81 | 0x3000; /* a large leaf that is not aligned */
    rig_flush(r, HW_INV_SPACE, 0, CHILD, 0);
    expect_fault(r, (uint64_t)DFN << 12, false, HW_REASON_RESERVED, 1);
    *word = kept;
}

/* Its table at a guest address where there is nothing, or that the second stage cannot even do. */
static void a_table_that_is_nowhere_is_a_fault(void **state)
{
    struct rig *r = *state;
    uint64_t *word = word_of(r, r->first.root, 0);
    const uint64_t kept = *word;

    *word = 0x3 | (uint64_t)MEMORY << 12;
    expect_fault(r, (uint64_t)DFN << 12, false, HW_REASON_NOT_PRESENT, 1);
    *word = 0x3 | BIT64(50);
    expect_fault(r, (uint64_t)DFN << 12, false, HW_REASON_NOT_PRESENT, 3);
    rig_map(&r->second, 0x30000, BIT64(38), 1, FRAME_LG2, RW); /* a register beyond memory */
    *word = 0x3 | (uint64_t)0x30000 << 12;
    expect_fault(r, (uint64_t)DFN << 12, false, HW_REASON_NOT_PRESENT, 0);
    rig_map(&r->second, 0x30001, SHIFT, 1, FRAME_LG2, PT_WRITE);
    *word = 0x3 | (uint64_t)0x30001 << 12;
    expect_fault(r, (uint64_t)DFN << 12, false, HW_REASON_NO_READ, 0);
    *word = kept;
}

static void the_guests_changes_count_from_its_flush_on(void **state)
{
    struct rig *r = *state;

    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    rig_unmap(&r->first, DFN, 1);
    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    rig_flush(r, HW_INV_RANGE, 0, CHILD, DFN + 1);
    rig_flush(r, HW_INV_SPACE, 0, PARENT, 0);
    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    rig_flush(r, HW_INV_RANGE, 0, CHILD, DFN);
    assert_int_equal(rig_seen(r, 0, DFN), NOWHERE);
}

/* The frame behind a gfn changes: the nested space's own did must be flushed, all of it. */
static void a_change_below_stays_unseen_until_the_child_is_flushed(void **state)
{
    struct rig *r = *state;

    rig_point(r, (rid_t){9}, 0, PARENT);
    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    rig_unmap(&r->second, GFN, 1);
    rig_map(&r->second, GFN, 0x77, 1, FRAME_LG2, RW);
    rig_flush(r, HW_INV_SPACE, 0, PARENT, 0);
    rig_flush(r, HW_INV_DEVICE, 0, 0, 0);
    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    rig_flush(r, HW_INV_RANGE, 0, CHILD, DFN);
    assert_int_equal(rig_seen(r, 0, DFN), MFN); /* what the second stage said is cached too */
    rig_map(&r->first, 0x99, GFN, 1, FRAME_LG2, RW);
    assert_int_equal(rig_seen(r, 0, 0x99), MFN);
    rig_flush(r, HW_INV_SPACE, 0, CHILD, 0);
    assert_int_equal(rig_seen(r, 0, DFN), 0x77);
    assert_int_equal(rig_seen(r, 0, 0x99), 0x77);
}

/* The guest gives a frame away that was one of its tables, and somebody else writes into it. */
static void a_table_is_walked_where_it_was_until_the_child_is_flushed(void **state)
{
    struct rig *r = *state;
    const mfn_t table = table_of(r, 0);

    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    rig_unmap(&r->second, table.n, 1);
    *word_of(r, table, (DFN + 8) & 511) = (uint64_t)GFN << 12 | 3;
    rig_flush(r, HW_INV_SPACE, 0, PARENT, 0);
    assert_int_equal(rig_seen(r, 0, DFN + 8), MFN);
    rig_flush(r, HW_INV_SPACE, 0, CHILD, 0);
    expect_fault(r, (uint64_t)(DFN + 8) << 12, false, HW_REASON_NOT_PRESENT, 0);
    *word_of(r, table, (DFN + 8) & 511) = 0;
}

static void neighbours_come_along(void **state)
{
    struct rig *r = *state;

    rig_map(&r->first, DFN + 1, GFN + 1, 2, FRAME_LG2, RW);
    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    rig_unmap(&r->first, DFN, 3);
    assert_int_equal(rig_seen(r, 0, DFN + 1), MFN + 1);
    assert_int_equal(rig_seen(r, 0, DFN + 2), NOWHERE);
}

static void what_is_not_there_is_remembered_in_caching_mode(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        struct rig *r = rig_create(mode, PT_FORMAT_X86, 4);

        rig_map(&r->first, DFN, MEMORY, 1, FRAME_LG2, RW);
        rig_point(r, RID, 0, CHILD);
        assert_int_equal(rig_seen(r, 0, DFN), NOWHERE);
        rig_map(&r->second, MEMORY, 0x77, 1, FRAME_LG2, RW);
        assert_int_equal(rig_seen(r, 0, DFN), mode ? NOWHERE : 0x77);
        rig_flush(r, HW_INV_RANGE, 0, CHILD, DFN);
        assert_int_equal(rig_seen(r, 0, DFN), mode ? NOWHERE : 0x77);
        rig_flush(r, HW_INV_SPACE, 0, CHILD, 0);
        assert_int_equal(rig_seen(r, 0, DFN), 0x77);
        rig_destroy(r);
    }
}

/* Its root is a table of every level, and everything in it. */
static void a_table_that_leads_to_itself_ends(void **state)
{
    struct rig *r = *state;
    const uint64_t root = r->first.root.n, kept = *word_of(r, r->first.root, 0);

    *word_of(r, r->first.root, 0) = root << 12 | 3;
    assert_int_equal(rig_seen(r, 0, 0), root + SHIFT);
    assert_int_equal(rig_seen(r, 0, DFN), NOWHERE);
    *word_of(r, r->first.root, 0) = kept;
}

static bool is_guests(uint64_t frame)
{
    return (frame >= SHIFT && frame < MEMORY + SHIFT) ||
           (frame >= FIRST_TABLE && frame < FIRST_TABLE + NR_TABLES);
}

/* An entry: anything in the low bits, to a page or to a table of the same guest, or nowhere. */
static uint64_t noise(uint64_t *seed, const mfn_t table[4])
{
    uint64_t frame;

    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    frame = *seed >> 32 & (MEMORY * 2 - 1);
    if (*seed >> 60 & 1)
        frame = table[*seed >> 61 & 3].n;
    return frame << 12 | (*seed >> 20 & 0xfff) | (*seed >> 58 & 1);
}

/* Whatever a guest's table says, the device gets where the second stage leads, or nowhere. */
static void noise_stays_inside(void **state)
{
    struct rig *r = *state;
    uint64_t kept[4][4], seed = 5, arrived = 0;
    mfn_t table[4];

    for (unsigned l = 0; l < 4; l++) {
        table[l] = table_of(r, l);
        memcpy(kept[l], word_of(r, table[l], 0), sizeof(kept[l]));
    }
    for (unsigned i = 0; i < 20000; i++) {
        struct hw_fault fault;
        uint64_t addr = 0, frame;

        for (unsigned l = 0; l < 4; l++)
            addr |= (noise(&seed, table) >> 13 & 3) << (12 + 9 * l);
        *word_of(r, table[seed >> 40 & 3], seed >> 42 & 3) = noise(&seed, table);
        frame = rig_access(r, RID, 0, addr, i & 1, &fault);
        assert_true(frame == NOWHERE || is_guests(frame));
        arrived += frame != NOWHERE;
        if (i % 16 == 0)
            rig_flush(r, HW_INV_SPACE, 0, CHILD, 0);
    }
    assert_true(arrived > 100);
    for (unsigned l = 0; l < 4; l++)
        memcpy(word_of(r, table[l], 0), kept[l], sizeof(kept[l]));
}

static void everything_shown_is_of_that_space(void *arg, const struct soft_cached *c)
{
    unsigned *shown = arg;

    shown[c->second]++;
    if (c->second)
        assert_int_equal(c->mfn.n, c->dfn.n + SHIFT);
    else
        assert_int_equal(c->mfn.n, MFN + (c->dfn.n - DFN));
}

static void what_is_cached_of_both_is_shown(void **state)
{
    struct rig *r = *state;
    unsigned shown[2] = {0};

    assert_int_equal(rig_seen(r, 0, DFN), MFN);
    soft_visit_cached(&r->u, RID, 0, everything_shown_is_of_that_space, shown);
    assert_int_equal(shown[0], 1);
    assert_true(shown[1] > 3);
}

#define T(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_format_goes_through_both_stages),
        T(rights_are_those_of_both),
        T(rights_of_upper_tables_stay_with_what_is_remembered),
        cmocka_unit_test(the_smaller_leaf_counts),
        T(refusals_say_where_and_why),
        T(a_table_that_is_nowhere_is_a_fault),
        T(the_guests_changes_count_from_its_flush_on),
        T(a_change_below_stays_unseen_until_the_child_is_flushed),
        T(a_table_is_walked_where_it_was_until_the_child_is_flushed),
        T(neighbours_come_along),
        cmocka_unit_test(what_is_not_there_is_remembered_in_caching_mode),
        T(a_table_that_leads_to_itself_ends),
        T(noise_stays_inside),
        T(what_is_cached_of_both_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
