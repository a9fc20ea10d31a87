/* SPDX-License-Identifier: BSD-2-Clause */
/* remote_cmd: the privilege first, the right target at every step, and nobody else. */
#include "../core/fixture.h"

#define INNER (GUEST_ADDRESS + 0x100)

static int set_up_two(void **state)
{
    struct host *h = host_create(&(struct setup){0});

    (void)host_domain(h, 2); /* the caller */
    *state = h;
    return 0;
}

static void put(struct host *h, uint16_t domid, uint16_t cmd, const void *inner, size_t size)
{
    struct pv_iommu_remote_cmd c = {.domid = domid, .cmd = cmd};

    c.arg.q = INNER;
    memcpy(h->guest[2].bytes, &c, sizeof(c));
    memcpy(h->guest[2].bytes + (INNER - GUEST_ADDRESS), inner, size);
}

static long remote(struct host *h, uint16_t domid, uint16_t cmd, void *inner, size_t size)
{
    long status;

    put(h, domid, cmd, inner, size);
    status = hypercall_at(h, 2, IOMMU_remote_cmd, GUEST_ADDRESS);
    memcpy(inner, h->guest[2].bytes + (INNER - GUEST_ADDRESS), size);
    return status;
}

static void it_acts_on_the_target_with_the_callers_argument(void **state)
{
    struct host *h = *state;
    struct pv_iommu_alloc a = {0};
    struct pv_iommu_map_pages m = {
        .ctx_no = 1, .gfn = 0, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 2};

    add_memory(h, 0, 0x1000, 2);
    assert_int_equal(remote(h, 1, IOMMU_alloc_context, &a, sizeof(a)), 0);
    assert_int_equal(a.ctx_no, 1);
    assert_int_equal(context_of(h, 1)->state, CONTEXT_LIVE);
    assert_int_equal(remote(h, 1, IOMMU_map_pages, &m, sizeof(m)), 0);
    assert_int_equal(m.mapped, 2);
    assert_int_equal(nr_mapped(h, 1), 2);
    assert_int_equal(domain_of(h->d)->nr_contexts, 1);
    assert_int_equal(h->guest[1].nr_writes, 0); /* the target's memory is not touched */
    assert_int_equal(domain_of(h->d)->pins, 0);
}

static void the_privilege_is_asked_for_before_anything_is_known(void **state)
{
    struct host *h = *state;
    struct pv_iommu_alloc a = {0};

    h->denied[2] = true;
    assert_int_equal(remote(h, 1, IOMMU_alloc_context, &a, sizeof(a)), -EPERM);
    assert_int_equal(remote(h, 77, IOMMU_alloc_context, &a, sizeof(a)), -EPERM);
    assert_int_equal(remote(h, 1, IOMMU_remote_cmd, &a, sizeof(a)), -EPERM);
    assert_int_equal(remote(h, 1, 999, &a, sizeof(a)), -EPERM);
    assert_int_equal(domain_of(h->d)->nr_contexts, 0);
    h->denied[2] = false;
    assert_int_equal(remote(h, 77, IOMMU_alloc_context, &a, sizeof(a)), -ESRCH);
    assert_int_equal(remote(h, 77, IOMMU_remote_cmd, &a, sizeof(a)), -ESRCH);
    assert_int_equal(remote(h, 1, IOMMU_remote_cmd, &a, sizeof(a)), -EINVAL);
    assert_int_equal(remote(h, 1, IOMMU_batch, &a, sizeof(a)), -EINVAL);
    assert_int_equal(remote(h, 1, 999, &a, sizeof(a)), -EOPNOTSUPP);
    assert_int_equal(remote(h, 1, 0xffff, &a, sizeof(a)), -EOPNOTSUPP);
}

static void it_is_asked_for_each_inner_sub_op(void **state)
{
    struct host *h = *state;
    uint8_t arg[64] = {0};

    for (uint16_t subop = 0; subop <= IOMMU_remote_cmd; subop++) {
        h->asked = 0;
        (void)remote(h, 1, subop, arg, sizeof(arg));
        assert_int_equal(h->asked, 1u << subop);
    }
}

static void own_calls_need_no_privilege(void **state)
{
    struct host *h = *state;
    struct pv_iommu_alloc a = {0};

    h->denied[1] = true;
    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &a, sizeof(a)), 0);
    assert_int_equal(h->asked, 0);
}

static void inner_arguments_that_cannot_be_read_are_efault(void **state)
{
    struct host *h = *state;
    struct pv_iommu_remote_cmd c = {.domid = 1, .cmd = IOMMU_map_pages};
    const uint64_t bad[] = {0, UINT64_MAX, GUEST_ADDRESS + GUEST_BYTES - 39, BIT64(47)};

    for (unsigned i = 0; i < 4; i++) {
        c.arg.q = bad[i];
        memcpy(h->guest[2].bytes, &c, sizeof(c));
        assert_int_equal(hypercall_at(h, 2, IOMMU_remote_cmd, GUEST_ADDRESS), -EFAULT);
    }
    assert_int_equal(domain_of(h->d)->pins, 0);
}

static void each_byte_of_both_arguments_is_read_once(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_pages m = {
        .ctx_no = 1, .gfn = 0, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 1200};

    add_memory(h, 0, 0x1000, 1200);
    assert_int_equal(new_context(h), 1);
    h->preempt_every = 1;
    h->guest[2].flips = true;
    assert_int_equal(remote(h, 1, IOMMU_map_pages, &m, sizeof(m)), 0);
    assert_int_equal(m.mapped, 1200);
    for (unsigned k = 0; k < GUEST_BYTES; k++)
        assert_true(h->guest[2].reads[k] <= 1);
}

/* Begins a long remote map and stops after its first step. */
static void begin(struct host *h, struct sluice_call *call)
{
    const struct pv_iommu_map_pages m = {
        .ctx_no = 1, .gfn = 0, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 1200};
    struct domain *caller = domain_pin(instance_of(h->s), 2);

    domain_unpin(caller);
    add_memory(h, 0, 0x1000, 1200);
    assert_int_equal(new_context(h), 1);
    put(h, 1, IOMMU_map_pages, &m, sizeof(m));
    h->preempt_every = 1;
    sluice_call_start(call, (struct sluice_domain *)(void *)caller, IOMMU_remote_cmd,
                      GUEST_ADDRESS);
    assert_int_equal(sluice_call_run(call), -ERESTART);
    h->preempt_every = 0;
}

static void a_target_that_is_gone_meanwhile_is_no_target(void **state)
{
    struct host *h = *state;
    struct sluice_call call;

    begin(h, &call);
    destroy_domain(h->d);
    assert_int_equal(sluice_call_run(&call), -ESRCH);
}

static void a_target_that_is_ending_is_no_target(void **state)
{
    struct host *h = *state;
    struct sluice_call call;

    begin(h, &call);
    h->preempt_every = 1;
    assert_int_equal(sluice_domain_destroy(h->d), -ERESTART);
    assert_int_equal(sluice_call_run(&call), -ESRCH);
}

static void another_with_the_same_number_is_not_acted_on(void **state)
{
    struct host *h = *state;
    struct sluice_call call;

    begin(h, &call);
    destroy_domain(h->d);
    h->d = host_domain(h, 1);
    add_memory(h, 0, 0x2000, 1200);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_call_run(&call), -ESRCH);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    assert_int_equal(domain_of(h->d)->pins, 0);
}

static void a_caller_that_is_ending_acts_no_more(void **state)
{
    struct host *h = *state;
    struct sluice_call call;
    struct domain *caller;

    begin(h, &call);
    caller = domain_pin(instance_of(h->s), 2);
    assert_int_equal(sluice_domain_destroy((struct sluice_domain *)(void *)caller), -ERESTART);
    assert_int_equal(sluice_call_run(&call), -ENODEV);
    domain_unpin(caller);
}

/* Whoever was in the middle of it is gone: the target has its number and its budget back. */
static void what_an_ended_caller_was_building_is_not_the_targets_loss(void **state)
{
    struct host *h = *state;
    const struct pv_iommu_alloc a = {.alloc_flags = IOMMU_ALLOC_identity};
    struct domain *caller = domain_pin(instance_of(h->s), 2);
    struct sluice_call call;

    domain_unpin(caller);
    add_scattered(h, 0, 0x1000, 1200);
    put(h, 1, IOMMU_alloc_context, &a, sizeof(a));
    h->preempt_every = 1;
    sluice_call_start(&call, (struct sluice_domain *)(void *)caller, IOMMU_remote_cmd,
                      GUEST_ADDRESS);
    assert_int_equal(sluice_call_run(&call), -ERESTART);
    h->preempt_every = 0;
    destroy_domain((struct sluice_domain *)(void *)caller);
    for (unsigned i = 1; i <= h->setup.max_ctx_no; i++)
        (void)new_context(h);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_two, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_acts_on_the_target_with_the_callers_argument),
        T(the_privilege_is_asked_for_before_anything_is_known),
        T(it_is_asked_for_each_inner_sub_op),
        T(own_calls_need_no_privilege),
        T(inner_arguments_that_cannot_be_read_are_efault),
        T(each_byte_of_both_arguments_is_read_once),
        T(a_target_that_is_gone_meanwhile_is_no_target),
        T(a_target_that_is_ending_is_no_target),
        T(another_with_the_same_number_is_not_acted_on),
        T(a_caller_that_is_ending_acts_no_more),
        T(what_an_ended_caller_was_building_is_not_the_targets_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
