/* SPDX-License-Identifier: BSD-2-Clause */
/* The instance: what its units have in common, and tags that are nobody else's. */
#include "fixture.h"

static struct hw_unit like(const struct host *h)
{
    return (struct hw_unit){.ops = h->unit[0].hw.ops,
                            .port = &h->port,
                            .geo = h->unit[0].hw.geo,
                            .nr_dids = 65536,
                            .translates = true,
                            .snoop = true};
}

static struct host *without_domain(void)
{
    return host_create(&(struct setup){.no_domain = true});
}

static void units_whose_tables_differ_are_refused(void **state)
{
    struct host *h = without_domain();
    struct hw_unit other = like(h), deeper = like(h);

    (void)state;
    other.geo.format = pt_format(PT_FORMAT_AMDV1);
    assert_int_equal(sluice_add_unit(h->s, &other), -EINVAL);
    deeper.geo.levels = 5;
    assert_int_equal(sluice_add_unit(h->s, &deeper), -EINVAL);
    assert_int_equal(instance_of(h->s)->nr_units, 1);
    assert_int_equal(instance_of(h->s)->geo.iova_bits, 48);
    host_destroy(h);
}

static void contexts_use_what_all_units_can(void **state)
{
    struct host *h = without_domain();
    const struct instance *s = instance_of(h->s);
    struct hw_unit small = like(h);

    (void)state;
    assert_true(s->snoop);
    small.geo.iova_bits = 40;
    small.geo.leaf_sizes = BIT64(12) | BIT64(21);
    small.geo.noncoherent = true;
    small.caching_mode = true;
    small.snoop = false;
    small.nr_dids = 4;
    assert_int_equal(sluice_add_unit(h->s, &small), 0);
    assert_int_equal(s->geo.iova_bits, 40);
    assert_int_equal(s->geo.leaf_sizes, BIT64(12) | BIT64(21));
    assert_true(s->geo.noncoherent);
    assert_true(s->caching_mode);
    assert_false(s->snoop);
    assert_int_equal(s->nr_dids, 4);
    assert_int_equal(small.index, 1);
    host_destroy(h);
}

static void units_come_before_domains_and_there_are_not_too_many(void **state)
{
    struct host *h = without_domain();
    struct hw_unit units[SLUICE_MAX_UNITS];

    (void)state;
    for (unsigned i = 1; i < SLUICE_MAX_UNITS; i++) {
        units[i] = like(h);
        assert_int_equal(sluice_add_unit(h->s, &units[i]), 0);
    }
    units[0] = like(h);
    assert_int_equal(sluice_add_unit(h->s, &units[0]), -ENOSPC);
    (void)host_domain(h, 1);
    assert_int_not_equal(sluice_add_unit(h->s, &units[0]), 0);
    host_destroy(h);
}

static void tags_are_given_once_and_end(void **state)
{
    struct host *h = host_create(&(struct setup){.nr_dids = 4, .max_ctx_no = 9});
    struct pv_iommu_alloc arg = {0};
    struct pv_iommu_free gone = {.ctx_no = 1};
    const struct sluice_domain_config config = {.domid = 2};
    struct sluice_domain *d;

    (void)state;
    assert_int_equal(new_context(h), 1); /* 0 is nobody's, 1 is context 0's: 2 and 3 are left */
    assert_int_equal(new_context(h), 2);
    for (uint16_t a = 0; a < 3; a++) {
        assert_int_not_equal(context_of(h, a)->did, 0);
        assert_true(context_of(h, a)->did < 4);
        for (uint16_t b = 0; b < a; b++)
            assert_int_not_equal(context_of(h, a)->did, context_of(h, b)->did);
    }
    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), -ENOSPC);
    assert_int_equal(sluice_domain_create(h->s, &config, &d), -ENOSPC);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &gone, sizeof(gone)), 0);
    assert_int_equal(new_context(h), 1);
    host_destroy(h);
}

static void all_tags_of_many_words_can_be_used(void **state)
{
    struct host *h = host_create(&(struct setup){.nr_dids = 130});
    struct instance *s = instance_of(h->s);
    uint16_t did, n = 0;

    (void)state;
    while (!did_alloc(s, &did)) {
        assert_true(did < 130);
        n++;
    }
    assert_int_equal(n, 128);
    did_free(s, 64);
    assert_int_equal(did_alloc(s, &did), 0);
    assert_int_equal(did, 64);
    for (uint16_t i = 2; i < 130; i++)
        did_free(s, i);
    host_destroy(h);
}

/* A tag is used again only when no unit has anything cached for it. */
static void a_tag_that_comes_back_was_flushed_wherever_it_was_used(void **state)
{
    struct host *h = host_create(&(struct setup){.nr_units = 2});
    const rid_t rid = {0x10};
    const struct sluice_device_config config = {.unit = &h->unit[1].hw, .rids = &rid, .nr_rids = 1};
    struct pv_iommu_free gone = {.ctx_no = 1, .free_flags = IOMMU_FREE_reattach_default};
    struct sluice_device *dev;
    bool flushed[2] = {false, false};
    uint16_t did;

    (void)state;
    assert_int_equal(new_context(h), 1);
    did = context_of(h, 1)->did;
    add_device(h, 8);
    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    attach(h, 8, 1);
    attach(h, 0x10, 1);
    forget(h);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &gone, sizeof(gone)), 0);
    for (unsigned i = 0; i < count(h, FLUSHED); i++) {
        const struct happened *e = nth(h, FLUSHED, i);

        for (unsigned k = 0; k < e->n; k++)
            flushed[e->unit] |= e->inv[k].kind == HW_INV_SPACE && e->inv[k].did == did;
    }
    assert_true(flushed[0] && flushed[1]);
    host_destroy(h);
}

static void creation_fails_without_a_trace(void **state)
{
    struct host *h = *state;
    struct sluice_config config = {.port = &h->port, .nr_frames = 16};
    const unsigned objects = h->objects;
    struct sluice *s;

    for (unsigned n = 1; n <= 3; n++) {
        h->fail_alloc = n;
        assert_int_equal(sluice_create(&config, &s), -ENOMEM);
        assert_int_equal(h->objects, objects);
    }
    h->fail_alloc = 0;
    config.nr_frames = 0;
    assert_int_equal(sluice_create(&config, &s), -EINVAL);
    config.nr_frames = UINT64_MAX;
    assert_int_equal(sluice_create(&config, &s), -EINVAL);
    config.nr_frames = (UINT64_MAX >> 4) + 1;
    assert_int_equal(sluice_create(&config, &s), -EINVAL);
    assert_int_equal(h->objects, objects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(units_whose_tables_differ_are_refused),
        cmocka_unit_test(contexts_use_what_all_units_can),
        cmocka_unit_test(units_come_before_domains_and_there_are_not_too_many),
        cmocka_unit_test(tags_are_given_once_and_end),
        cmocka_unit_test(all_tags_of_many_words_can_be_used),
        cmocka_unit_test(a_tag_that_comes_back_was_flushed_wherever_it_was_used),
        cmocka_unit_test_setup_teardown(creation_fails_without_a_trace, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
