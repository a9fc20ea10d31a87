/* SPDX-License-Identifier: BSD-2-Clause */
/* Looking inside: what is there, all of it, and nothing while it is not there any more. */
#include "fixture.h"

static void contexts_say_what_they_are(void **state)
{
    struct host *h = *state;
    struct sluice_context_info info;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 5);
    add_device(h, 8);
    attach(h, 8, 1);
    assert_int_equal(map(h, 1, 0, 0, 5, FRAME_LG2, RW, &done), 0);
    assert_int_equal(sluice_context_info(h->d, 1, &info), 0);
    assert_false(info.identity);
    assert_int_equal(info.nr_devices, 1);
    assert_int_equal(info.nr_mapped, 5);
    assert_int_equal(info.root.n, context_of(h, 1)->pt.root.n);
    assert_int_equal(sluice_context_info(h->d, 0, &info), 0);
    assert_true(info.identity);
    assert_int_equal(info.nr_devices, 0);
    assert_int_equal(sluice_context_info(h->d, 2, &info), -EINVAL);
    assert_int_equal(sluice_context_info(h->d, 8, &info), -EINVAL);
    assert_int_equal(sluice_context_info(h->d, 0xffff, &info), -EINVAL);
}

static int stop_at_third(void *arg, const struct pt_leaf *leaf)
{
    (void)leaf;
    return ++*(int *)arg == 3 ? 77 : 0;
}

static void walks_end_where_they_are_told_to(void **state)
{
    struct host *h = *state;
    const dfn_t first = {0}, all = {UINT64_MAX};
    int seen = 0;

    add_scattered(h, 0, 0x1000, 5);
    assert_int_equal(sluice_context_walk(h->d, 0, first, all, stop_at_third, &seen), 77);
    assert_int_equal(seen, 3);
    seen = -100;
    assert_int_equal(sluice_context_walk(h->d, 0, dfn_of(1), dfn_of(2), stop_at_third, &seen), 0);
    assert_int_equal(seen, -98);
    assert_int_equal(sluice_context_walk(h->d, 0, all, all, stop_at_third, &seen), 0);
    assert_int_equal(sluice_context_walk(h->d, 0, dfn_of(2), dfn_of(1), stop_at_third, &seen), 0);
    assert_int_equal(seen, -98);
    assert_int_equal(sluice_context_walk(h->d, 3, first, all, stop_at_third, &seen), -EINVAL);
}

/* A call that would run beside a walk: the table that the walker is in must not go away under it.
 */
static int unmap_under(void *arg, const struct pt_leaf *leaf)
{
    struct host *h = arg;

    assert_int_equal(unmap_once(h, 1, leaf->dfn.n, 1, FRAME_LG2), -ERESTART);
    return 0;
}

static void calls_on_what_is_walked_have_to_wait(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 512);
    assert_int_equal(map(h, 1, 0, 0, 512, FRAME_LG2, RW, &done), 0);
    assert_int_equal(sluice_context_walk(h->d, 1, dfn_of(0), dfn_of(UINT64_MAX), unmap_under, h),
                     0);
    assert_int_equal(unmap(h, 1, 0, 512, FRAME_LG2, &done), 0);
}

static void frames_beyond_the_records_are_unknown(void **state)
{
    struct host *h = *state;
    struct sluice_frame_info info;

    assert_int_equal(sluice_frame_info(h->s, mfn_of(NR_FRAMES - 1), &info), 0);
    assert_int_equal(sluice_frame_info(h->s, mfn_of(NR_FRAMES), &info), -EINVAL);
    assert_int_equal(sluice_frame_info(h->s, mfn_of(UINT64_MAX), &info), -EINVAL);
}

static void counts_are_those_of_the_domains_calls(void **state)
{
    struct host *h = *state;
    struct sluice_domain_stats s;
    struct pv_iommu_map_pages m = {
        .ctx_no = 1, .gfn = 0, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 2};
    struct pv_iommu_unmap_pages u = {.ctx_no = 1, .dfn = 3, .pgsize = 4096, .nr_pages = 1};

    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 2);
    assert_int_equal(hypercall(h, 1, IOMMU_map_pages, &m, sizeof(m)), 0);
    assert_int_equal(hypercall(h, 1, IOMMU_unmap_pages, &u, sizeof(u)), 0);
    sluice_domain_stats(h->d, &s);
    assert_int_equal(s.calls, 3);
    assert_int_equal(s.map_calls, 1);
    assert_int_equal(s.unmap_calls, 1);
    assert_int_equal(s.pages_mapped, 2);
    assert_int_equal(s.pages_unmapped, 1);
    assert_int_equal(s.refs, 1);
    assert_int_equal(s.contexts, 1);
    assert_int_equal(s.tables, 4);
}

static void a_domain_is_told_whether_it_is_direct_mapped(void **state)
{
    struct host *h = *state;
    const struct sluice_domain_config config = {.domid = 2, .direct_mapped = true};
    struct sluice_domain_info info;
    struct sluice_domain *direct;

    assert_int_equal(sluice_domain_create(h->s, &config, &direct), 0);
    assert_int_equal(sluice_domain_features(direct), 1 << 17);
    sluice_domain_info(direct, &info);
    assert_true(info.direct_mapped);
    assert_int_equal(sluice_domain_features(h->d), 1 << 16);
    sluice_domain_info(h->d, &info);
    assert_false(info.direct_mapped);
    destroy_domain(direct);
}

/* Its devices may use its gfns on the bus, so the promise is kept. */
static void memory_of_a_direct_mapped_domain_is_where_it_says(void **state)
{
    struct host *h = *state;
    const struct sluice_domain_config config = {.domid = 2, .direct_mapped = true};
    const enum sluice_frame_type ram = SLUICE_FRAME_RAM;
    struct sluice_domain *direct;

    assert_int_equal(sluice_domain_create(h->s, &config, &direct), 0);
    assert_int_equal(sluice_memory_add(direct, gfn_of(0x10), mfn_of(0x11), 1, ram), -EINVAL);
    assert_int_equal(sluice_memory_add(direct, gfn_of(0x10), mfn_of(0x10), 1, ram), 0);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(0x10), mfn_of(0x11), 1, ram), 0);
    destroy_domain(direct);
}

static enum sluice_exposure exposure(struct sluice_device *dev)
{
    struct sluice_device_info info;

    sluice_device_info(dev, &info);
    assert_true(info.protected == (info.exposure == SLUICE_PROTECTED));
    return info.exposure;
}

static void a_device_is_protected_by_a_unit_that_translates(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = add_device(h, 8);
    const rid_t rid = {9};
    const struct sluice_device_config config = {.rids = &rid, .nr_rids = 1};
    struct sluice_device *bare;

    assert_int_equal(sluice_device_add(h->s, &config, &bare), 0);
    assert_int_equal(exposure(dev), SLUICE_PROTECTED);
    assert_int_equal(exposure(bare), SLUICE_EXPOSED_NO_UNIT);
    h->unit[0].hw.failed = true;
    assert_int_equal(exposure(dev), SLUICE_EXPOSED_FAILED);
    h->unit[0].hw.failed = false;
    h->unit[0].hw.translates = false;
    assert_int_equal(exposure(dev), SLUICE_EXPOSED_ABSENT);
    h->unit[0].hw.translates = true;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(contexts_say_what_they_are),
        T(walks_end_where_they_are_told_to),
        T(calls_on_what_is_walked_have_to_wait),
        T(frames_beyond_the_records_are_unknown),
        T(counts_are_those_of_the_domains_calls),
        T(a_domain_is_told_whether_it_is_direct_mapped),
        T(memory_of_a_direct_mapped_domain_is_where_it_says),
        T(a_device_is_protected_by_a_unit_that_translates),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
