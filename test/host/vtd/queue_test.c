/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Long submissions to a real queue of one page, the smallest there is: more devices than it has
 * room for, ranges of many blocks, and the ring wrapping all the time.
 */
#include "rig.h"

/* Each device writes to the same dfn, and comes out at the page that its context has there. */
static void all_reach(struct rig *r, uint64_t at)
{
    static uint64_t value;

    for (unsigned i = 0; i < r->nr_devices; i++) {
        value++;
        rig_ok(r, rig_dma(r, i, 0, value));
        assert_int_equal(rig_word(r, at), value);
    }
}

/* 31 at once: with the empty entries of caching mode, 127 descriptors, and the ring takes 126. */
static void many_devices(bool scalable, bool caching_mode)
{
    const struct machine_config config = {
        .backend = &vtd_backend, .scalable = scalable, .caching_mode = caching_mode};
    struct machine_stats before, after;
    struct rig r;
    uint16_t a, b;

    rig_open_with(&r, &config, RIG_MOST, true);
    a = rig_context(&r);
    b = rig_context(&r);
    rig_ok(&r, rig_map(&r, a, 0, 1));
    rig_ok(&r, rig_map_at(&r, b, RIG_GFN + 1, RIG_DFN, 1));
    machine_stats(r.m, &before);
    for (unsigned round = 0; round < 3; round++) {
        rig_ok(&r, rig_reattach(&r, 0, a));
        all_reach(&r, 0);
        rig_ok(&r, rig_reattach(&r, 0, b));
        all_reach(&r, 1);
    }
    machine_stats(r.m, &after);
    assert_int_equal(after.submissions - before.submissions, 6);
    assert_false(rig_failed(&r));
    assert_int_equal(machine_destroy(r.m), 0);
}

static void many_devices_legacy(void **state)
{
    (void)state;
    many_devices(false, false);
}

static void more_devices_than_the_ring_takes(void **state)
{
    (void)state;
    many_devices(true, true);
}

/* Around a boundary that no mask of the unit's spans: several blocks for one range. */
static void ranges_of_many_blocks(void **state)
{
    const struct machine_config config = {.backend = &vtd_backend};
    const uint64_t boundary = 0x40000 - RIG_DFN % 0x40000;
    struct rig r;
    uint16_t c;

    (void)state;
    rig_open(&r, &config);
    c = rig_context(&r);
    rig_ok(&r, rig_reattach(&r, 0, c));
    for (uint32_t i = 1; i < 64; i += 3) {
        const uint32_t nr = 2 * i + 5;

        rig_ok(&r, rig_map_at(&r, c, RIG_GFN, RIG_DFN + boundary - i, nr));
        for (unsigned k = 0; k < nr; k++)
            rig_ok(&r, rig_dma(&r, 0, boundary - i + k, k));
        rig_ok(&r, rig_unmap(&r, c, boundary - i, nr));
        for (unsigned k = 0; k < nr; k++)
            assert_int_equal(rig_dma(&r, 0, boundary - i + k, ~0ull), -EACCES);
        for (unsigned k = 0; k < nr; k++)
            assert_int_equal(rig_word(&r, k), k);
    }
    assert_int_equal(machine_destroy(r.m), 0);
}

/* Two and four descriptors in turn: the ring of 256 is gone around at every place. */
static void the_ring_wraps(void **state)
{
    const struct machine_config config = {.backend = &vtd_backend};
    struct rig r;
    uint16_t c;

    (void)state;
    rig_open(&r, &config);
    c = rig_context(&r);
    for (unsigned i = 0; i < 300; i++) {
        rig_ok(&r, rig_reattach(&r, 0, c));
        rig_ok(&r, rig_map(&r, c, 0, 1));
        rig_ok(&r, rig_dma(&r, 0, 0, i));
        rig_ok(&r, rig_unmap(&r, c, 0, 1));
        assert_int_equal(rig_dma(&r, 0, 0, ~0ull), -EACCES);
        assert_int_equal(rig_word(&r, 0), i);
        if (i % 3)
            rig_ok(&r, rig_reattach(&r, 0, 0));
    }
    assert_int_equal(machine_destroy(r.m), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_devices_legacy),
        cmocka_unit_test(more_devices_than_the_ring_takes),
        cmocka_unit_test(ranges_of_many_blocks),
        cmocka_unit_test(the_ring_wraps),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
