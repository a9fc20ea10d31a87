/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts that hardware nests on the domain's second stage. */
#include "guest_table.h"

#define ROOT 0x10u
#define BASE 0x1000u

static struct host *host_that_nests(void)
{
    struct host *h = host_create(&(struct setup){.nests = true});

    add_memory(h, 0, BASE, 0x200);
    return h;
}

static void hardware_gets_both_tables(void **state)
{
    struct host *h = host_that_nests();
    const uint16_t no = new_nested(h, ROOT);
    const struct hw_space *space = &h->unit[0].space[8];
    const struct context *second = &domain_of(h->d)->ctx[8];

    (void)state;
    add_device(h, 8);
    attach(h, 8, no);
    assert_int_equal(space->root.n, second->pt.root.n);
    assert_int_equal(space->did, context_of(h, no)->did);
    assert_int_equal(space->first.root, ROOT << FRAME_LG2);
    assert_int_equal(space->first.geo.levels, 4);
    assert_int_equal(space->first.geo.iova_bits, 47);
    attach(h, 8, 0);
    assert_null(space->first.geo.format);
    host_destroy(h);
}

/* The hidden context follows the memory; what it lets go is flushed where it is nested on. */
static void what_leaves_memory_is_flushed_in_those_above(void **state)
{
    struct host *h = host_that_nests();
    const uint16_t no = new_nested(h, ROOT);
    const struct happened *e = NULL;

    (void)state;
    add_device(h, 8);
    attach(h, 8, no);
    forget(h);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0x100), 1), 0);
    for (unsigned i = 0; i < count(h, FLUSHED); i++)
        if (nth(h, FLUSHED, i)->inv[0].did == context_of(h, no)->did)
            e = nth(h, FLUSHED, i);
    assert_non_null(e);
    assert_int_equal(e->inv[0].kind, HW_INV_SPACE);
    assert_true(place_of(h, e) < place_of(h, nth(h, RELEASED, 0)));
    host_destroy(h);
}

/* What a failed unit may reach of a nested context is all of the second stage. */
static void with_a_failed_unit_the_memory_is_lost_at_the_end(void **state)
{
    struct host *h = host_that_nests();
    const uint16_t no = new_nested(h, ROOT);

    (void)state;
    h->lossy = true;
    add_device(h, 8);
    attach(h, 8, no);
    h->fail_flush = 1;
    destroy_domain(h->d);
    assert_int_equal(count(h, RELEASED), 0);
    host_destroy(h);
}

static void a_flush_is_of_the_range(void **state)
{
    struct host *h = host_that_nests();
    const uint16_t no = new_nested(h, ROOT);
    const struct hw_inv *inv;

    (void)state;
    add_device(h, 8);
    attach(h, 8, no);
    forget(h);
    assert_int_equal(flush_nested(h, no, 5, 3), 0);
    inv = &nth(h, FLUSHED, 0)->inv[0];
    assert_int_equal(inv->did, context_of(h, no)->did);
    assert_int_equal(inv->first.n, 5);
    assert_int_equal(inv->last.n, 7);
    assert_false(inv->leaf_only);
    host_destroy(h);
}

static void a_device_with_mapped_regions_stays_out(void **state)
{
    static const struct sluice_region region = {
        .first = 0x5000000, .last = 0x5000fff, .type = SLUICE_REGION_DIRECT, .prot = RW};
    struct host *h = host_that_nests();
    const uint16_t no = new_nested(h, ROOT);
    struct sluice_device *dev = add_device_with(h, 8, &region, 1);

    (void)state;
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(try_attach(h, 8, no), -EBUSY);
    host_destroy(h);
}

static void arguments(void **state)
{
    struct host *h = *state;
    struct pv_iommu_flush_nested flush = {.flags = IOMMU_FLUSH_all};
    const uint16_t plain = new_context(h);
    uint64_t gfn;
    uint16_t no;

    assert_int_equal(alloc_nested(h, BIT64(40), IOMMU_NESTED_x86_4level, &no), -EINVAL);
    assert_int_equal(alloc_nested(h, ROOT, 0, &no), -EINVAL);
    assert_int_equal(alloc_nested(h, ROOT, 4, &no), -EINVAL);
    assert_int_equal(alloc_nested(h, ROOT, BIT64(32) | 1, &no), -EINVAL);
    assert_int_equal(alloc_nested(h, BIT64(40) - 1, IOMMU_NESTED_lpae_stage1, &no), 0);
    assert_int_equal(flush_nested(h, no, 0, 0), -EINVAL);
    assert_int_equal(flush_nested(h, no, UINT64_MAX, 2), -EINVAL);
    assert_int_equal(flush_nested(h, no, UINT64_MAX, 1), 0);
    assert_int_equal(flush_nested(h, plain, 0, 1), -EINVAL);
    assert_int_equal(flush_nested(h, 0, 0, 1), -EINVAL);
    flush.ctx_no = no;
    flush.pad = 1;
    assert_int_equal(hypercall(h, 1, IOMMU_flush_nested, &flush, sizeof(flush)), -EINVAL);
    flush.pad = 0;
    flush.flags = 2;
    assert_int_equal(hypercall(h, 1, IOMMU_flush_nested, &flush, sizeof(flush)), -EINVAL);
    assert_int_equal(lookup(h, no, 0, &gfn), -EINVAL);
}

/* Every allocation on the way fails once: nothing is left of a context that did not come to be. */
static void nothing_is_left_without_memory(void **state)
{
    struct host *h;
    uint16_t no;
    long err = -ENOMEM;

    (void)state;
    for (unsigned nests = 0; nests < 2; nests++, err = -ENOMEM)
        for (unsigned n = 1; err; n++) {
            h = host_create(&(struct setup){.nests = nests});
            add_memory(h, 0, BASE, 0x200);
            make_tables(h, ROOT);
            guest_write(h, ROOT + 3, 1, x86_page(0x100, true));
            h->fail_alloc = n;
            err = alloc_nested(h, ROOT, IOMMU_NESTED_x86_4level, &no);
            assert_true(!err || err == -ENOMEM);
            assert_int_equal(domain_of(h->d)->nr_contexts, err ? 0 : 1);
            assert_int_equal(refs_of(h, BASE + 0x100), err || nests ? 1 : 2);
            host_destroy(h);
            assert_true(n < 50);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hardware_gets_both_tables),
        cmocka_unit_test(what_leaves_memory_is_flushed_in_those_above),
        cmocka_unit_test(with_a_failed_unit_the_memory_is_lost_at_the_end),
        cmocka_unit_test(a_flush_is_of_the_range),
        cmocka_unit_test(a_device_with_mapped_regions_stays_out),
        cmocka_unit_test_setup_teardown(arguments, set_up, tear_down),
        cmocka_unit_test(nothing_is_left_without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
