/* SPDX-License-Identifier: BSD-2-Clause */
/* batch: in order, each as if alone, and continued exactly where it was interrupted. */
#include "../core/fixture.h"

#define ARRAY (GUEST_ADDRESS + 0x1000)
#define ARGS  (GUEST_ADDRESS + 0x2000)
#define END   (GUEST_ADDRESS + GUEST_BYTES)

static int set_up_context(void **state)
{
    (void)set_up(state);
    (void)host_domain(*state, 2);
    add_scattered(*state, 0, 0x1000, 2000);
    assert_int_equal(new_context(*state), 1);
    return 0;
}

static char *at(struct host *h, uint16_t domid, uint64_t address)
{
    return h->guest[domid].bytes + (address - GUEST_ADDRESS);
}

/* The argument of the i-th element lies in its own 64 bytes. */
static void put(struct host *h, uint16_t domid, uint32_t i, int subop, const void *arg, size_t size)
{
    struct pv_iommu_batch_element e = {.subop = (uint32_t)subop, .status = 77};

    e.arg.q = ARGS + 64 * i;
    memcpy(at(h, domid, ARRAY) + i * sizeof(e), &e, sizeof(e));
    memcpy(at(h, domid, e.arg.q), arg, size);
}

static int status_of(struct host *h, uint16_t domid, uint32_t i)
{
    struct pv_iommu_batch_element e;

    memcpy(&e, at(h, domid, ARRAY) + i * sizeof(e), sizeof(e));
    return e.status;
}

static long batch(struct host *h, uint16_t domid, uint32_t nr, uint32_t *done)
{
    struct pv_iommu_batch b = {.nr = nr, .done = 77};
    long status;

    b.elements.q = ARRAY;
    status = hypercall(h, domid, IOMMU_batch, &b, sizeof(b));
    *done = b.done;
    return status;
}

static struct pv_iommu_map_pages a_map(uint64_t dfn, uint32_t nr)
{
    return (struct pv_iommu_map_pages){.ctx_no = 1,
                                       .gfn = 0,
                                       .dfn = dfn,
                                       .map_flags = 3,
                                       .pgsize = 4096,
                                       .nr_pages = nr,
                                       .mapped = 77};
}

static struct pv_iommu_unmap_pages an_unmap(uint64_t dfn, uint32_t nr)
{
    return (struct pv_iommu_unmap_pages){.ctx_no = 1, .dfn = dfn, .pgsize = 4096, .nr_pages = nr};
}

/* map, unmap what is not there, map again, unmap half, senseless, nothing */
static void put_six(struct host *h, uint32_t nr)
{
    const struct pv_iommu_map_pages m = a_map(0, nr);
    const struct pv_iommu_unmap_pages nothing = an_unmap(0x10000, 1), half = an_unmap(0, nr / 2);

    put(h, 1, 0, IOMMU_map_pages, &m, sizeof(m));
    put(h, 1, 1, IOMMU_unmap_pages, &nothing, sizeof(nothing));
    put(h, 1, 2, IOMMU_map_pages, &m, sizeof(m));
    put(h, 1, 3, IOMMU_unmap_pages, &half, sizeof(half));
    put(h, 1, 4, 999, "", 0);
    put(h, 1, 5, IOMMU_noop, "", 0);
}

static void expect_six(struct host *h, uint32_t nr)
{
    const int right[] = {0, -ENOENT, -EINVAL, 0, -EOPNOTSUPP, 0};
    uint32_t count;

    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(status_of(h, 1, i), right[i]);
    memcpy(&count, at(h, 1, ARGS) + 36, sizeof(count));
    assert_int_equal(count, nr);
    memcpy(&count, at(h, 1, ARGS) + 3 * 64 + 24, sizeof(count));
    assert_int_equal(count, nr / 2);
    assert_int_equal(nr_mapped(h, 1), nr - nr / 2);
}

static void each_is_done_as_if_alone(void **state)
{
    struct host *h = *state;
    uint32_t done;

    put_six(h, 10);
    assert_int_equal(batch(h, 1, 6, &done), 0);
    assert_int_equal(done, 6);
    expect_six(h, 10);
    assert_int_equal(status_of(h, 1, 6), 0); /* nothing behind the last */
    assert_int_equal(batch(h, 1, 0, &done), 0);
    assert_int_equal(done, 0);
}

/* Interrupted inside elements and between them: none is done twice, none is read twice. */
static void it_goes_on_where_it_was(void **state)
{
    struct host *h = *state;
    uint32_t done;

    put_six(h, 1200);
    h->preempt_every = 1;
    assert_int_equal(batch(h, 1, 6, &done), 0);
    assert_int_equal(done, 6);
    assert_true(h->preempts >= 2 + 5);
    expect_six(h, 1200);
    for (unsigned k = 0; k < GUEST_BYTES; k++)
        assert_true(h->guest[1].reads[k] <= 1);
    for (unsigned k = 0; k < 6 * sizeof(struct pv_iommu_batch_element); k++)
        assert_int_equal(h->guest[1].reads[ARRAY - GUEST_ADDRESS + k], 1);
}

static void what_was_fetched_is_not_fetched_again(void **state)
{
    struct host *h = *state;
    const struct pv_iommu_map_pages m = a_map(0, 1200);
    struct pv_iommu_batch b = {.nr = 1};
    struct sluice_call call;
    long status;

    b.elements.q = ARRAY;
    put(h, 1, 0, IOMMU_map_pages, &m, sizeof(m));
    memcpy(at(h, 1, GUEST_ADDRESS), &b, sizeof(b));
    h->preempt_every = 1;
    sluice_call_start(&call, h->d, IOMMU_batch, GUEST_ADDRESS);
    while ((status = sluice_call_run(&call)) == -ERESTART)
        memset(h->guest[1].bytes, 0x77, GUEST_BYTES);
    assert_int_equal(status, 0);
    assert_int_equal(status_of(h, 1, 0), 0);
    assert_int_equal(nr_mapped(h, 1), 1200);
    memcpy(&b, at(h, 1, GUEST_ADDRESS), sizeof(b));
    assert_int_equal(b.done, 1);
    assert_int_equal(b.nr, 0x77777777);
}

static void a_batch_in_a_batch_is_an_error_of_the_element(void **state)
{
    struct host *h = *state;
    struct pv_iommu_batch inner = {.nr = 1, .done = 77};
    struct pv_iommu_remote_cmd remote = {.domid = 1, .cmd = IOMMU_batch};
    uint32_t done;

    inner.elements.q = ARRAY;
    remote.arg.q = ARGS;
    put(h, 2, 0, IOMMU_batch, &inner, sizeof(inner));
    put(h, 2, 1, IOMMU_remote_cmd, &remote, sizeof(remote));
    put(h, 2, 2, IOMMU_noop, "", 0);
    assert_int_equal(batch(h, 2, 3, &done), 0);
    assert_int_equal(done, 3);
    assert_int_equal(status_of(h, 2, 0), -EINVAL);
    assert_int_equal(status_of(h, 2, 1), -EINVAL);
    assert_int_equal(status_of(h, 2, 2), 0);
    memcpy(&inner, at(h, 2, ARGS), sizeof(inner));
    assert_int_equal(inner.done, 77);
}

/* Each with its own target; the next one acts on the caller again. */
static void remote_elements_ask_for_the_privilege(void **state)
{
    struct host *h = *state;
    const struct pv_iommu_map_pages m = a_map(0, 1200);
    struct pv_iommu_remote_cmd remote = {.domid = 1, .cmd = IOMMU_map_pages};
    const struct pv_iommu_alloc a = {0};
    uint32_t done;

    memcpy(at(h, 2, ARGS + 0x400), &m, sizeof(m));
    remote.arg.q = ARGS + 0x400;
    put(h, 2, 0, IOMMU_remote_cmd, &remote, sizeof(remote));
    put(h, 2, 1, IOMMU_alloc_context, &a, sizeof(a));
    h->preempt_every = 1;
    assert_int_equal(batch(h, 2, 2, &done), 0);
    assert_int_equal(status_of(h, 2, 0), 0);
    assert_int_equal(status_of(h, 2, 1), 0);
    assert_int_equal(nr_mapped(h, 1), 1200);
    assert_int_equal(h->asked, 1u << IOMMU_map_pages);
    assert_int_equal(domain_of(h->d)->nr_contexts, 1);
    assert_int_equal(domain_of(h->d)->pins, 0);
    h->denied[2] = true;
    assert_int_equal(batch(h, 2, 2, &done), 0);
    assert_int_equal(status_of(h, 2, 0), -EPERM);
    assert_int_equal(status_of(h, 2, 1), 0);
}

/* The array ends in the middle of the third element. */
static void an_element_that_is_not_there_ends_it(void **state)
{
    struct host *h = *state;
    struct pv_iommu_batch b = {.nr = 5, .done = 77};
    struct pv_iommu_batch_element e = {.subop = IOMMU_noop, .status = 77};

    b.elements.q = END - 2 * sizeof(e) - 8;
    for (unsigned i = 0; i < 2; i++)
        memcpy(at(h, 1, b.elements.q) + i * sizeof(e), &e, sizeof(e));
    assert_int_equal(hypercall(h, 1, IOMMU_batch, &b, sizeof(b)), -EFAULT);
    assert_int_equal(b.done, 2);
    b.elements.q = UINT64_MAX - 8;
    assert_int_equal(hypercall(h, 1, IOMMU_batch, &b, sizeof(b)), -EFAULT);
    assert_int_equal(b.done, 0);
}

static void what_cannot_be_reported_is_not_done(void **state)
{
    struct host *h = *state;
    const struct pv_iommu_map_pages m = a_map(0, 2);
    uint32_t done;

    put(h, 1, 0, IOMMU_map_pages, &m, sizeof(m));
    h->guest[1].fail_write = 2; /* the count, then the first status */
    assert_int_equal(batch(h, 1, 1, &done), -EFAULT);
    assert_int_equal(done, 0);
    assert_int_equal(nr_mapped(h, 1), 0);
    h->guest[1].fail_write = 1;
    assert_int_equal(batch(h, 1, 1, &done), -EFAULT);
    assert_int_equal(nr_mapped(h, 1), 0);
    h->guest[1].fail_write = 5; /* the last status: it is done */
    assert_int_equal(batch(h, 1, 1, &done), -EFAULT);
    assert_int_equal(done, 1);
    assert_int_equal(nr_mapped(h, 1), 2);
}

static void a_caller_that_is_ending_does_no_more(void **state)
{
    struct host *h = *state;
    struct pv_iommu_batch b = {.nr = 2};
    struct sluice_call call;

    b.elements.q = ARRAY;
    put(h, 1, 0, IOMMU_noop, "", 0);
    put(h, 1, 1, IOMMU_noop, "", 0);
    memcpy(at(h, 1, GUEST_ADDRESS), &b, sizeof(b));
    h->preempt_every = 1;
    sluice_call_start(&call, h->d, IOMMU_batch, GUEST_ADDRESS);
    assert_int_equal(sluice_call_run(&call), -ERESTART);
    assert_int_equal(status_of(h, 1, 0), 0);
    assert_int_equal(sluice_domain_destroy(h->d), -ERESTART);
    assert_int_equal(sluice_call_run(&call), -ENODEV);
    assert_int_equal(status_of(h, 1, 1), 77);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_context, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_is_done_as_if_alone),
        T(it_goes_on_where_it_was),
        T(what_was_fetched_is_not_fetched_again),
        T(a_batch_in_a_batch_is_an_error_of_the_element),
        T(remote_elements_ask_for_the_privilege),
        T(an_element_that_is_not_there_ends_it),
        T(what_cannot_be_reported_is_not_done),
        T(a_caller_that_is_ending_does_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
