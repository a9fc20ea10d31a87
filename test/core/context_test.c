/* SPDX-License-Identifier: BSD-2-Clause */
/* Contexts: numbers, generations, budgets, and an end in bounded steps. */
#include "fixture.h"

static long alloc(struct host *h, uint32_t flags, uint16_t *no)
{
    struct pv_iommu_alloc arg = {.alloc_flags = flags, .ctx_no = 0xffff};
    const long status = hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg));

    *no = arg.ctx_no;
    return status;
}

static long free_one(struct host *h, uint16_t no, uint32_t flags)
{
    struct pv_iommu_free arg = {.ctx_no = no, .free_flags = flags};

    return hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg));
}

static void numbers_are_used_again_with_another_generation(void **state)
{
    struct host *h = *state;
    struct sluice_context_info a, b;

    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_context_info(h->d, 1, &a), 0);
    assert_int_equal(free_one(h, 1, 0), 0);
    assert_int_equal(sluice_context_info(h->d, 1, &b), -EINVAL);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_context_info(h->d, 1, &b), 0);
    assert_int_not_equal(a.generation, b.generation);
    assert_int_equal(nr_mapped(h, 1), 0);
}

static void no_number_left_is_enospc(void **state)
{
    struct host *h = *state;
    uint16_t no;

    for (unsigned i = 1; i <= h->setup.max_ctx_no; i++)
        assert_int_equal(new_context(h), i);
    assert_int_equal(alloc(h, 0, &no), -ENOSPC);
    assert_int_equal(no, 0);
    assert_int_equal(free_one(h, 3, 0), 0);
    assert_int_equal(alloc(h, 0, &no), 0);
    assert_int_equal(no, 3);
}

static void the_budget_of_contexts_is_enomem_and_comes_back(void **state)
{
    struct host *h = host_create(&(struct setup){.budget_contexts = 2});
    uint16_t no;

    (void)state;
    (void)new_context(h);
    (void)new_context(h);
    assert_int_equal(alloc(h, 0, &no), -ENOMEM);
    assert_int_equal(free_one(h, 1, 0), 0);
    assert_int_equal(alloc(h, 0, &no), 0);
    assert_int_equal(alloc(h, 0, &no), -ENOMEM);
    host_destroy(h);
}

static void failures_give_everything_back(void **state)
{
    struct host *h = *state;
    long status = -ENOMEM;
    uint16_t no;

    add_memory(h, 0, 0x1000, 1500);
    for (unsigned n = 1; status; n++) {
        const unsigned pages = h->pages, objects = h->objects;

        h->fail_alloc = n;
        status = alloc(h, IOMMU_ALLOC_identity, &no);
        h->fail_alloc = 0;
        if (!status)
            break;
        assert_int_equal(status, -ENOMEM);
        assert_int_equal(no, 0);
        assert_int_equal(h->pages, pages);
        assert_int_equal(h->objects, objects);
        assert_int_equal(domain_of(h->d)->nr_contexts, 0);
    }
    assert_int_equal(no, 1);
}

static void the_budget_of_tables_ends_the_building_of_an_identity(void **state)
{
    struct host *h = host_create(&(struct setup){.budget_tables = 3});
    const unsigned pages = h->pages;
    uint16_t no;

    (void)state;
    assert_int_equal(alloc(h, IOMMU_ALLOC_identity, &no), 0); /* no memory yet: the root */
    assert_int_equal(free_one(h, no, 0), 0);
    add_scattered(h, 0, 0x1000, 4);
    assert_int_equal(alloc(h, IOMMU_ALLOC_identity, &no), -ENOMEM);
    assert_int_equal(domain_of(h->d)->pages.used, 0);
    assert_true(h->pages >= pages);
    host_destroy(h);
}

static void a_context_whose_number_cannot_be_told_is_not_made(void **state)
{
    struct host *h = *state;
    uint16_t no;

    for (unsigned n = 1; n <= 2; n++) { /* the first write, and the last */
        h->guest[1].fail_write = n;
        assert_int_equal(alloc(h, 0, &no), -EFAULT);
        h->guest[1].fail_write = 0;
        assert_int_equal(domain_of(h->d)->nr_contexts, 0);
        for (unsigned i = 1; i <= h->setup.max_ctx_no; i++)
            assert_int_equal(context_of(h, (uint16_t)i)->state, CONTEXT_FREE);
    }
}

static void the_end_drops_all_references_step_by_step(void **state)
{
    struct host *h = *state;
    struct pv_iommu_free arg = {.ctx_no = 1};
    struct sluice_call call;
    unsigned steps = 0;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_scattered(h, 0, 0x1000, 2000);
    assert_int_equal(map(h, 1, 0, 0, 2000, FRAME_LG2, RW, &done), 0);
    memcpy(h->guest[1].bytes, &arg, sizeof(arg));
    h->preempt_every = 1;
    sluice_call_start(&call, h->d, IOMMU_free_context, GUEST_ADDRESS);
    while (sluice_call_run(&call) == -ERESTART) {
        uint32_t generation;

        steps++;
        /* From the first step on nobody sees it, and its number is not given to another. */
        assert_int_equal(context_resolve(domain_of(h->d), 1, CONTEXT_ANY, &generation), -EINVAL);
        assert_int_equal(new_context(h), 2);
        assert_int_equal(free_one(h, 2, 0), 0);
    }
    assert_true(steps >= 3);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    for (uint64_t i = 0; i < 2000; i++)
        assert_int_equal(refs_of(h, 0x1000 + 2 * i), 1);
}

static void two_that_free_the_same_end_it_once(void **state)
{
    struct host *h = *state;
    struct pv_iommu_free arg = {.ctx_no = 1};
    struct sluice_call first;
    uint32_t done;

    assert_int_equal(new_context(h), 1);
    add_scattered(h, 0, 0x1000, 1200);
    assert_int_equal(map(h, 1, 0, 0, 1200, FRAME_LG2, RW, &done), 0);
    memcpy(h->guest[1].bytes, &arg, sizeof(arg));
    h->preempt_every = 1;
    sluice_call_start(&first, h->d, IOMMU_free_context, GUEST_ADDRESS);
    assert_int_equal(sluice_call_run(&first), -ERESTART);
    assert_int_equal(free_one(h, 1, 0), -EINVAL);
    while (sluice_call_run(&first) == -ERESTART)
        ;
    assert_int_equal(new_context(h), 1);          /* another one under this number */
    assert_int_equal(sluice_call_run(&first), 0); /* and whoever comes late does not touch it */
    assert_int_equal(context_of(h, 1)->state, CONTEXT_LIVE);
    assert_int_equal(domain_of(h->d)->nr_contexts, 1);
}

static void devices_keep_a_context_alive(void **state)
{
    struct host *h = *state;
    struct sluice_device_info info;
    struct sluice_device *dev;

    assert_int_equal(new_context(h), 1);
    dev = add_device(h, 8);
    attach(h, 8, 1);
    assert_int_equal(free_one(h, 1, 0), -EBUSY);
    sluice_device_info(dev, &info);
    assert_int_equal(info.ctx_no, 1);
    assert_int_equal(free_one(h, 1, IOMMU_FREE_reattach_default), 0);
    sluice_device_info(dev, &info);
    assert_int_equal(info.ctx_no, 0);
}

static void the_tag_is_free_after_the_tables_are(void **state)
{
    struct host *h = *state;
    struct sluice_context_info info;

    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_context_info(h->d, 1, &info), 0);
    assert_int_equal(new_context(h), 2);
    assert_int_not_equal(context_of(h, 2)->did, info.did);
    assert_int_equal(free_one(h, 1, 0), 0);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(context_of(h, 1)->did, info.did);
}

static void what_a_failed_unit_may_reach_is_never_used_again(void **state)
{
    struct host *h = *state;
    uint16_t did;
    uint32_t done;

    h->lossy = true;
    assert_int_equal(new_context(h), 1);
    add_memory(h, 0, 0x1000, 4);
    assert_int_equal(map(h, 1, 0, 0, 4, FRAME_LG2, RW, &done), 0);
    add_device(h, 8);
    attach(h, 8, 1);
    did = context_of(h, 1)->did;
    h->fail_flush = 1;
    assert_int_equal(try_attach(h, 8, 0), -EIO);
    forget(h);
    assert_int_equal(free_one(h, 1, 0), 0);
    assert_int_equal(count(h, TABLE_FREED), 0);
    assert_int_equal(refs_of(h, 0x1000), 2);
    assert_int_equal(new_context(h), 1);
    assert_int_not_equal(context_of(h, 1)->did, did);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(numbers_are_used_again_with_another_generation),
        T(no_number_left_is_enospc),
        cmocka_unit_test(the_budget_of_contexts_is_enomem_and_comes_back),
        T(failures_give_everything_back),
        cmocka_unit_test(the_budget_of_tables_ends_the_building_of_an_identity),
        T(a_context_whose_number_cannot_be_told_is_not_made),
        T(the_end_drops_all_references_step_by_step),
        T(two_that_free_the_same_end_it_once),
        T(devices_keep_a_context_alive),
        T(the_tag_is_free_after_the_tables_are),
        T(what_a_failed_unit_may_reach_is_never_used_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
