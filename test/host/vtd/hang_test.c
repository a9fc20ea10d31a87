/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A unit that does not complete an invalidation, with real DMA behind it: it is given up in time,
 * blocks, releases nothing, and leaves the state of everybody else alone.
 */
#include "rig.h"

static const struct machine_domain_config neighbour = {
    .name = "dom2", .domid = 2, .mem = 16u << 20};

/* The second device is dom2's. */
static struct machine_domain *give_away(struct rig *r)
{
    struct machine_domain *d;

    rig_ok(r, machine_domain_add(r->m, &neighbour, &d));
    rig_ok(r, machine_device_unassign(r->nic[1]));
    rig_ok(r, machine_device_assign(r->nic[1], d));
    return d;
}

static uint32_t refs(struct rig *r, uint64_t at)
{
    struct sluice_frame_info info;
    mfn_t mfn;

    rig_ok(r, sluice_memory_lookup(machine_domain_sluice(r->d), gfn_of(RIG_GFN + at), &mfn));
    rig_ok(r, sluice_frame_info(machine_sluice(r->m), mfn, &info));
    return info.refs;
}

/* The bytes go out, whatever is said of them: does memory change? */
static void assert_nothing_arrives(struct rig *r, uint64_t at)
{
    struct vtd_slot *slot = r->nic[0]->state;
    const uint64_t before = rig_word(r, at), value = ~before;

    assert_int_equal(edu_dma(&slot->edu, (RIG_DFN + at) << FRAME_LG2, (void *)&value, 8, true), 0);
    assert_int_equal(rig_word(r, at), before);
}

static void dom2_is_as_it_was(struct rig *r, struct machine_domain *d, uint16_t c)
{
    struct rig other = {.m = r->m, .d = d};
    struct pv_iommu_lookup_page look = {.ctx_no = c, .dfn = RIG_DFN};

    rig_ok(&other, rig_call(&other, IOMMU_lookup_page, &look, sizeof(look)));
    assert_int_equal(look.gfn, RIG_GFN);
    rig_ok(&other, rig_unmap(&other, c, 0, 1)); /* no device ever saw it */
    rig_ok(&other, rig_map(&other, c, 0, 1));
    assert_true(rig_context(&other) > c);
}

static void hangs(bool scalable)
{
    const struct machine_config config = {.backend = &vtd_backend, .scalable = scalable};
    struct machine_domain *d;
    struct machine_stats stats;
    struct rig r, other;
    uint16_t c, c2;
    double start;

    rig_open(&r, &config);
    d = give_away(&r);
    other = (struct rig){.m = r.m, .d = d};
    c2 = rig_context(&other);
    rig_ok(&other, rig_map(&other, c2, 0, 1));
    c = rig_context(&r);
    rig_ok(&r, rig_map(&r, c, 0, 8));
    rig_ok(&r, rig_reattach(&r, 0, c));
    for (unsigned i = 0; i < 8; i++) /* all of it is cached */
        assert_int_equal(rig_dma(&r, 0, i, 0x1111), 0);
    machine_fail_flush(r.m, 1);
    start = seconds();
    assert_int_equal(rig_unmap(&r, c, 0, 4), -EIO);
    assert_true(seconds() - start < 1);
    assert_true(rig_failed(&r));
    for (unsigned i = 0; i < 8; i++)
        assert_nothing_arrives(&r, i);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(refs(&r, i), 2);
    machine_stats(r.m, &stats);
    assert_int_equal(stats.lost_frames, 4);
    dom2_is_as_it_was(&r, d, c2);
    start = seconds();
    assert_int_equal(rig_reattach(&r, 0, 0), -EIO);
    assert_int_equal(rig_unmap(&r, c, 4, 4), -EIO);
    assert_true(seconds() - start < 0.2); /* it is not waited for again */
    assert_nothing_arrives(&r, 6);
    assert_true(machine_destroy(r.m) >= 8); /* what was lost */
}

static void legacy(void **state)
{
    (void)state;
    hangs(false);
}

static void scalable(void **state)
{
    (void)state;
    hangs(true);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(legacy),
        cmocka_unit_test(scalable),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
