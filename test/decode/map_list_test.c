/* SPDX-License-Identifier: BSD-2-Clause */
/* map_list: each element read once, mapped where it belongs, and an exact count whatever stops it.
 */
#include "../core/fixture.h"

#define ARRAY  (GUEST_ADDRESS + 0x1000)
#define ROOM   ((GUEST_ADDRESS + GUEST_BYTES - ARRAY) / 8)
#define PAGE2M (2u << 20)

static int set_up_context(void **state)
{
    (void)set_up(state);
    add_memory(*state, 0, 0x1000, 1024);
    assert_int_equal(new_context(*state), 1);
    return 0;
}

/* Every third gfn, backwards: no two are neighbours. */
static uint64_t gfn_at(uint32_t i)
{
    return 900 - 3 * (uint64_t)i;
}

static void put(struct host *h, uint32_t i, uint64_t gfn)
{
    memcpy(h->guest[1].bytes + (ARRAY - GUEST_ADDRESS) + i * sizeof(gfn), &gfn, sizeof(gfn));
}

static struct pv_iommu_map_list list_of(struct host *h, uint32_t nr)
{
    struct pv_iommu_map_list m = {
        .ctx_no = 1, .dfn = 0x180, .map_flags = 3, .pgsize = 4096, .nr_pages = nr, .mapped = 77};

    m.gfns.q = ARRAY;
    for (uint32_t i = 0; i < nr && i < ROOM; i++)
        put(h, i, gfn_at(i));
    return m;
}

static long call(struct host *h, struct pv_iommu_map_list *m)
{
    return hypercall(h, 1, IOMMU_map_list, m, sizeof(*m));
}

static void expect_mapped(struct host *h, uint32_t nr)
{
    for (uint32_t i = 0; i < nr; i++) {
        assert_int_equal(goes_to(h, 1, 0x180 + i, NULL), 0x1000 + gfn_at(i));
        assert_int_equal(refs_of(h, 0x1000 + gfn_at(i)), 2);
    }
    assert_int_equal(nr_mapped(h, 1), nr);
    assert_int_equal(domain_of(h->d)->memory.refs, nr);
}

static void each_page_goes_to_its_frame(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m = list_of(h, 200);

    assert_int_equal(call(h, &m), 0);
    assert_int_equal(m.mapped, 200);
    expect_mapped(h, 200);
}

static void neighbours_and_the_same_frame_twice_are_a_list_too(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m = list_of(h, 6);
    const uint64_t gfn[] = {7, 8, 9, 8, 1023, 0};

    for (uint32_t i = 0; i < 6; i++)
        put(h, i, gfn[i]);
    assert_int_equal(call(h, &m), 0);
    for (uint32_t i = 0; i < 6; i++)
        assert_int_equal(goes_to(h, 1, 0x180 + i, NULL), 0x1000 + gfn[i]);
    assert_int_equal(refs_of(h, 0x1008), 3);
    assert_int_equal(refs_of(h, 0x1009), 2);
}

/* Preempted at every chance, in memory that has another value at the second look. */
static void every_element_is_read_once(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m = list_of(h, 200);

    h->guest[1].flips = true;
    h->preempt_every = 1;
    assert_int_equal(call(h, &m), 0);
    for (uint32_t k = 0; k < 200 * 8; k++)
        assert_int_equal(h->guest[1].reads[ARRAY - GUEST_ADDRESS + k], 1);
    for (uint32_t k = 200 * 8; k < ROOM * 8; k++)
        assert_int_equal(h->guest[1].reads[ARRAY - GUEST_ADDRESS + k], 0);
    expect_mapped(h, 200);
}

static void what_comes_before_an_element_that_cannot_be_read_is_mapped(void **state)
{
    static const uint32_t readable[] = {0, 1, 63, 64, 65, 130};
    struct host *h = *state;

    for (unsigned i = 0; i < 6; i++) {
        const uint32_t nr = readable[i];
        struct pv_iommu_map_list m = list_of(h, 200);
        uint32_t done;

        m.gfns.q = GUEST_ADDRESS + GUEST_BYTES - 8 * nr;
        for (uint32_t k = 0; k < nr; k++)
            put(h, (uint32_t)ROOM - nr + k, gfn_at(k));
        assert_int_equal(call(h, &m), -EFAULT);
        assert_int_equal(m.mapped, nr);
        expect_mapped(h, nr);
        if (nr)
            assert_int_equal(unmap(h, 1, 0x180, nr, FRAME_LG2, &done), 0);
    }
}

static void an_array_that_wraps_cannot_be_read(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m = list_of(h, 2);

    m.gfns.q = UINT64_MAX - 3;
    assert_int_equal(call(h, &m), -EFAULT);
    assert_int_equal(m.mapped, 0);
    assert_int_equal(nr_mapped(h, 1), 0);
}

static void it_stops_at_the_first_that_cannot_be_mapped(void **state)
{
    static const struct {
        uint64_t gfn;
        int status;
    } bad[] = {{5000, -ENOENT}, {UINT64_MAX, -ENOENT}, {2000, -EPERM}, {2001, -EPERM}};
    struct host *h = *state;

    assert_int_equal(sluice_memory_add(h->d, gfn_of(2000), mfn_of(0x2000), 1, SLUICE_FRAME_PRIVATE),
                     0);
    assert_int_equal(
        sluice_memory_add(h->d, gfn_of(2001), mfn_of(0x2001), 1, SLUICE_FRAME_READONLY), 0);
    for (unsigned i = 0; i < 4; i++) {
        struct pv_iommu_map_list m = list_of(h, 150);
        uint32_t done;

        put(h, 100, bad[i].gfn);
        assert_int_equal(call(h, &m), bad[i].status);
        assert_int_equal(m.mapped, 100);
        expect_mapped(h, 100);
        assert_int_equal(unmap(h, 1, 0x180, 100, FRAME_LG2, &done), 0);
    }
}

/* The table ends in the middle of the list, and something is mapped in the next one. */
static void what_is_mapped_already_stays(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m = list_of(h, 150);
    uint32_t done;

    assert_int_equal(map(h, 1, 1000, 0x210, 1, FRAME_LG2, PT_READ, &done), 0);
    assert_int_equal(call(h, &m), -EINVAL);
    assert_int_equal(m.mapped, 0x210 - 0x180);
    assert_int_equal(goes_to(h, 1, 0x210, NULL), 0x1000 + 1000);
    assert_int_equal(domain_of(h->d)->memory.refs, 0x210 - 0x180 + 1);
}

static void bad_arguments_map_nothing(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m[9];

    for (unsigned i = 0; i < 9; i++)
        m[i] = list_of(h, 2);
    m[0].ctx_no = 2;
    m[1].ctx_no = 0;
    m[2].map_flags = 0;
    m[3].map_flags = 16 | 3;
    m[4].pgsize = 8192;
    m[5].nr_pages = 0;
    m[6].dfn = UINT64_MAX;
    m[7].dfn = BIT64(36) - 1;
    m[8].dfn = 0xfedff;
    for (unsigned i = 0; i < 9; i++) {
        const int status = i < 7 ? -EINVAL : i == 7 ? -ERANGE : -EADDRNOTAVAIL;

        assert_int_equal(call(h, &m[i]), status);
        assert_int_equal(m[i].mapped, 0);
        for (uint32_t k = 0; k < 16; k++) /* the list was not even looked at */
            assert_int_equal(h->guest[1].reads[ARRAY - GUEST_ADDRESS + k], 0);
    }
    assert_int_equal(nr_mapped(h, 1), 0);
}

static void larger_pages_are_aligned_each(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m = list_of(h, 4);
    const uint64_t gfn[] = {512, 0, 512, 8};

    m.dfn = 0;
    m.pgsize = PAGE2M;
    for (uint32_t i = 0; i < 4; i++)
        put(h, i, gfn[i]);
    h->preempt_every = 1;
    assert_int_equal(call(h, &m), -EINVAL);
    assert_int_equal(m.mapped, 3);
    assert_int_equal(nr_mapped(h, 1), 3 * 512);
    assert_int_equal(goes_to(h, 1, 512 + 3, NULL), 0x1003);
    assert_int_equal(refs_of(h, 0x1000 + 512), 3);
    for (uint32_t k = 0; k < 32; k++)
        assert_int_equal(h->guest[1].reads[ARRAY - GUEST_ADDRESS + k], 1);
}

static void the_budget_of_references_counts_each(void **state)
{
    struct host *h = host_create(&(struct setup){.budget_refs = 70});
    struct pv_iommu_map_list m = list_of(h, 100);

    (void)state;
    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(call(h, &m), -ENOMEM);
    assert_int_equal(m.mapped, 70);
    expect_mapped(h, 70);
    host_destroy(h);
}

/* Where tables run out the list waits for empty ones, and is not read again. */
static void empty_tables_are_found_for_a_list(void **state)
{
    struct host *h = host_create(&(struct setup){.budget_tables = 6});
    struct pv_iommu_map_list m = list_of(h, 150);
    uint32_t done;

    (void)state;
    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(map(h, 1, 0, 0x180, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0x180, 1, FRAME_LG2, &done), 0);
    assert_int_equal(map(h, 1, 0, 0x40000, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0x40000, 1, FRAME_LG2, &done), 0);
    assert_int_equal(call(h, &m), 0);
    expect_mapped(h, 150);
    for (uint32_t k = 0; k < 150 * 8; k++)
        assert_int_equal(h->guest[1].reads[ARRAY - GUEST_ADDRESS + k], 1);
    host_destroy(h);
}

static void too_few_tables_are_enomem(void **state)
{
    struct host *h = host_create(&(struct setup){.budget_tables = 4});
    struct pv_iommu_map_list m = list_of(h, 150);

    (void)state;
    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(call(h, &m), -ENOMEM);
    assert_int_equal(m.mapped, 0x200 - 0x180);
    expect_mapped(h, 0x200 - 0x180);
    host_destroy(h);
}

static void new_entries_are_flushed_once_where_nothing_is_cached_too(void **state)
{
    struct host *h = host_create(&(struct setup){.caching_mode = true});
    struct pv_iommu_map_list m = list_of(h, 200);

    (void)state;
    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(new_context(h), 1);
    (void)add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    assert_int_equal(call(h, &m), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    host_destroy(h);
}

static void a_context_that_goes_meanwhile_ends_it(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_list m = list_of(h, 200);
    struct sluice_call call;
    struct domain_locked l;

    memcpy(h->guest[1].bytes, &m, sizeof(m));
    h->preempt_every = 1;
    sluice_call_start(&call, h->d, IOMMU_map_list, GUEST_ADDRESS);
    assert_int_equal(sluice_call_run(&call), -ERESTART);
    h->preempt_every = 0;
    l = domain_lock(domain_of(h->d));
    assert_int_equal(context_free(l, 1, context_of(h, 1)->generation, false), 0);
    while (context_end(context_of(h, 1)))
        ;
    domain_unlock(l);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(sluice_call_run(&call), -EINVAL);
    memcpy(&m, h->guest[1].bytes, sizeof(m));
    assert_int_equal(nr_mapped(h, 1), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_context, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(each_page_goes_to_its_frame),
        T(neighbours_and_the_same_frame_twice_are_a_list_too),
        T(every_element_is_read_once),
        T(what_comes_before_an_element_that_cannot_be_read_is_mapped),
        T(an_array_that_wraps_cannot_be_read),
        T(it_stops_at_the_first_that_cannot_be_mapped),
        T(what_is_mapped_already_stays),
        T(bad_arguments_map_nothing),
        T(larger_pages_are_aligned_each),
        cmocka_unit_test(the_budget_of_references_counts_each),
        cmocka_unit_test(empty_tables_are_found_for_a_list),
        cmocka_unit_test(too_few_tables_are_enomem),
        cmocka_unit_test(new_entries_are_flushed_once_where_nothing_is_cached_too),
        T(a_context_that_goes_meanwhile_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
