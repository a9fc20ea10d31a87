/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: destroyed in every state, and nothing of them stays. */
#include "fixture.h"

static void a_number_is_given_once(void **state)
{
    struct host *h = *state;
    const struct sluice_domain_config config = {.domid = 1, .budget_contexts = 1};
    struct sluice_domain *d;
    const unsigned objects = h->objects, pages = h->pages;

    assert_int_equal(sluice_domain_create(h->s, &config, &d), -EEXIST);
    assert_int_equal(h->objects, objects);
    assert_int_equal(h->pages, pages);
}

static void creation_fails_without_a_trace(void **state)
{
    struct host *h = *state;
    const struct sluice_domain_config config = {.domid = 2, .max_ctx_no = 3};
    const unsigned objects = h->objects, pages = h->pages;
    struct sluice_domain *d;
    int err = -ENOMEM;

    for (unsigned n = 1; err; n++) {
        h->fail_alloc = n;
        err = sluice_domain_create(h->s, &config, &d);
        h->fail_alloc = 0;
        if (!err)
            break;
        assert_int_equal(err, -ENOMEM);
        assert_int_equal(h->objects, objects);
        assert_int_equal(h->pages, pages);
    }
    destroy_domain(d);
    assert_int_equal(h->objects, objects);
}

static void fill(struct host *h)
{
    struct pv_iommu_alloc arg = {.alloc_flags = IOMMU_ALLOC_identity};
    uint32_t done;

    add_scattered(h, 0, 0x1000, 1500);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(map(h, 1, 0, 0x10, 1500, FRAME_LG2, RW, &done), 0);
    assert_int_equal(map(h, 1, 0, 0x1000, 9, FRAME_LG2, RW, &done), 0);
    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), 0);
    add_device(h, 8);
    attach(h, 8, 1);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(3), 2), 0);
}

static void it_ends_in_bounded_steps_and_leaves_nothing(void **state)
{
    struct host *h = *state;
    unsigned steps = 0;

    fill(h);
    forget(h);
    h->preempt_every = 1;
    while (sluice_domain_destroy(h->d) == -ERESTART)
        steps++;
    assert_true(steps >= 5);
    assert_int_equal(count(h, RELEASED), 1500);
}

static void devices_are_out_before_anything_is_released(void **state)
{
    struct host *h = *state;
    const struct happened *pointed;

    fill(h);
    forget(h);
    destroy_domain(h->d);
    pointed = nth(h, POINTED, 0);
    assert_true(pointed->blocked);
    assert_true(place_of(h, pointed) < place_of(h, nth(h, FLUSHED, 0)));
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, RELEASED, 0)));
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, TABLE_FREED, 0)));
    assert_false(h->unit[0].pointed[8]);
}

static void from_the_first_step_on_its_calls_and_memory_are_refused(void **state)
{
    struct host *h = *state;
    struct pv_iommu_alloc arg = {0};
    struct sluice_device *dev;

    fill(h);
    dev = add_device_with(h, 9, NULL, 0);
    h->preempt_every = 1;
    assert_int_equal(sluice_domain_destroy(h->d), -ERESTART);
    assert_int_equal(hypercall(h, 1, IOMMU_noop, &arg, sizeof(arg)), -ENODEV);
    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), -ENODEV);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(9000), mfn_of(0x9000), 1, SLUICE_FRAME_RAM),
                     -ENODEV);
    assert_int_equal(sluice_device_assign(dev, h->d), -ENODEV);
}

/* Preempted in the middle, then never run again: its domain ends all the same. */
static void check_abandoned(struct host *h, int subop, const void *arg, size_t size)
{
    struct sluice_call call;

    memcpy(h->guest[1].bytes, arg, size);
    h->preempt_every = 1;
    sluice_call_start(&call, h->d, subop, GUEST_ADDRESS);
    assert_int_equal(sluice_call_run(&call), -ERESTART);
    destroy_domain(h->d);
    h->preempt_every = 0;
}

static void calls_in_the_middle_do_not_hold_it(void **state)
{
    const struct pv_iommu_alloc alloc = {.alloc_flags = IOMMU_ALLOC_identity};
    const struct pv_iommu_free release = {.ctx_no = 1, .free_flags = IOMMU_FREE_reattach_default};
    const struct pv_iommu_map_pages map_arg = {
        .ctx_no = 1, .dfn = 0x2000, .gfn = 5, .map_flags = 3, .pgsize = 4096, .nr_pages = 1400};
    const struct pv_iommu_unmap_pages unmap_arg = {
        .ctx_no = 1, .dfn = 0x10, .pgsize = 4096, .nr_pages = 1500};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct host *h = host_create(&(struct setup){0});

        fill(h);
        if (i == 0)
            check_abandoned(h, IOMMU_alloc_context, &alloc, sizeof(alloc));
        else if (i == 1)
            check_abandoned(h, IOMMU_free_context, &release, sizeof(release));
        else if (i == 2)
            check_abandoned(h, IOMMU_map_pages, &map_arg, sizeof(map_arg));
        else
            check_abandoned(h, IOMMU_unmap_pages, &unmap_arg, sizeof(unmap_arg));
        host_destroy(h);
    }
}

static void whoever_acts_on_it_now_holds_it(void **state)
{
    struct host *h = *state;
    struct instance *s = instance_of(h->s);
    struct domain *d = domain_pin(s, 1);

    assert_ptr_equal(d, domain_of(h->d));
    assert_int_equal(sluice_domain_destroy(h->d), -ERESTART);
    assert_ptr_equal(s->domains, d);
    assert_null(domain_pin(s, 1)); /* nobody new */
    assert_null(domain_pin(s, 5));
    domain_unpin(d);
    destroy_domain(h->d);
    assert_null(s->domains);
}

static void a_number_used_again_is_another_domain(void **state)
{
    struct host *h = *state;
    const uint64_t serial = domain_of(h->d)->serial;

    destroy_domain(h->d);
    h->d = host_domain(h, 1);
    assert_int_not_equal(domain_of(h->d)->serial, serial);
    assert_int_not_equal(domain_of(h->d)->serial, 0);
}

static void budgets_of_one_are_not_anothers(void **state)
{
    struct host *h = host_create(&(struct setup){.budget_refs = 4, .budget_contexts = 1});
    struct sluice_domain *other = host_domain(h, 2);
    struct pv_iommu_alloc arg = {0};
    uint32_t done;

    (void)state;
    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 8);
    assert_int_equal(map(h, 1, 0, 0, 8, FRAME_LG2, RW, &done), -ENOMEM);
    assert_int_equal(done, 4);
    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), -ENOMEM);
    assert_int_equal(hypercall(h, 2, IOMMU_alloc_context, &arg, sizeof(arg)), 0);
    assert_int_equal(sluice_memory_add(other, gfn_of(0), mfn_of(0x2000), 8, SLUICE_FRAME_RAM), 0);
    h->d = other;
    assert_int_equal(map(h, 1, 0, 0, 4, FRAME_LG2, RW, &done), 0);
    host_destroy(h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_number_is_given_once),
        T(creation_fails_without_a_trace),
        T(it_ends_in_bounded_steps_and_leaves_nothing),
        T(devices_are_out_before_anything_is_released),
        T(from_the_first_step_on_its_calls_and_memory_are_refused),
        cmocka_unit_test(calls_in_the_middle_do_not_hold_it),
        T(whoever_acts_on_it_now_holds_it),
        T(a_number_used_again_is_another_domain),
        cmocka_unit_test(budgets_of_one_are_not_anothers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
