/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the argument lies, and what a guest that changes it meanwhile can do: nothing. */
#include "../../host/machine/machine.h"
#include "../core/fixture.h"

/* What each call reads and writes of its argument. */
static const struct {
    int subop;
    size_t in, size;
} calls[] = {{IOMMU_query_capabilities, 0, 24},
             {IOMMU_alloc_context, sizeof(struct pv_iommu_alloc), 8},
             {IOMMU_free_context, sizeof(struct pv_iommu_free), 8},
             {IOMMU_reattach_device, sizeof(struct pv_iommu_reattach_device), 12},
             {IOMMU_map_pages, sizeof(struct pv_iommu_map_pages), 40},
             {IOMMU_unmap_pages, sizeof(struct pv_iommu_unmap_pages), 32},
             {IOMMU_lookup_page, sizeof(struct pv_iommu_lookup_page), 24},
             {IOMMU_query_reserved, sizeof(struct pv_iommu_query_reserved), 24},
             {IOMMU_flush_context, sizeof(struct pv_iommu_flush_context), 4},
             {IOMMU_map_list, sizeof(struct pv_iommu_map_list), 40},
             {IOMMU_read_faults, sizeof(struct pv_iommu_read_faults), 24},
             {IOMMU_remote_cmd, sizeof(struct pv_iommu_remote_cmd), 16}};
#define NR_CALLS (sizeof(calls) / sizeof(calls[0]))

static void arguments_that_cannot_be_read_are_efault(void **state)
{
    struct host *h = *state;
    const uint64_t end = GUEST_ADDRESS + GUEST_BYTES;

    for (unsigned i = 0; i < NR_CALLS; i++) {
        const uint64_t size = calls[i].size;
        const uint64_t bad[] = {
            0,          GUEST_ADDRESS - 1,     end - size + 1,        end - 1,  end,
            UINT64_MAX, UINT64_MAX - size + 1, UINT64_MAX - size / 2, BIT64(63)};

        for (unsigned k = 0; k < sizeof(bad) / sizeof(bad[0]); k++)
            assert_int_equal(hypercall_at(h, 1, calls[i].subop, bad[k]), -EFAULT);
        memset(h->guest[1].bytes, 0xff, GUEST_BYTES); /* there, and senseless */
        assert_int_not_equal(hypercall_at(h, 1, calls[i].subop, end - size), -EFAULT);
        assert_int_not_equal(hypercall_at(h, 1, calls[i].subop, GUEST_ADDRESS + 1), -EFAULT);
    }
    assert_int_equal(domain_of(h->d)->nr_contexts, 0);
}

/* A count that could not be told is not worked for. */
static void what_cannot_be_answered_is_not_done(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_pages m = {
        .ctx_no = 1, .gfn = 0, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 2};
    struct pv_iommu_unmap_pages u = {.ctx_no = 1, .dfn = 3, .pgsize = 4096, .nr_pages = 2};
    struct pv_iommu_alloc a = {0};
    struct pv_iommu_lookup_page l = {.ctx_no = 1, .dfn = 3};

    add_memory(h, 0, 0x1000, 4);
    assert_int_equal(new_context(h), 1);
    h->guest[1].readonly = true;
    assert_int_equal(hypercall(h, 1, IOMMU_map_pages, &m, sizeof(m)), -EFAULT);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &a, sizeof(a)), -EFAULT);
    assert_int_equal(domain_of(h->d)->nr_contexts, 1);
    h->guest[1].readonly = false;
    assert_int_equal(hypercall(h, 1, IOMMU_map_pages, &m, sizeof(m)), 0);
    h->guest[1].readonly = true;
    assert_int_equal(hypercall(h, 1, IOMMU_unmap_pages, &u, sizeof(u)), -EFAULT);
    assert_int_equal(nr_mapped(h, 1), 2);
    assert_int_equal(hypercall(h, 1, IOMMU_lookup_page, &l, sizeof(l)), -EFAULT);
}

static void every_byte_is_read_at_most_once(void **state)
{
    struct host *h = *state;

    add_memory(h, 0, 0x1000, 1200);
    assert_int_equal(new_context(h), 1);
    h->preempt_every = 1;
    for (unsigned i = 0; i < NR_CALLS - 1; i++) {
        memset(h->guest[1].bytes, 0, sizeof(h->guest[1].bytes));
        if (calls[i].subop == IOMMU_map_pages) {
            const struct pv_iommu_map_pages m = {
                .ctx_no = 1, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 1200};

            memcpy(h->guest[1].bytes, &m, sizeof(m));
        }
        (void)hypercall_at(h, 1, calls[i].subop, GUEST_ADDRESS);
        for (unsigned k = 0; k < GUEST_BYTES; k++)
            assert_true(h->guest[1].reads[k] <= (k < calls[i].in ? 1 : 0));
    }
}

/* Memory that has another value at each look: the result is that of the first one. */
static void an_argument_that_flips_is_one_of_its_values(void **state)
{
    struct host *h = *state;
    struct pv_iommu_map_pages m = {
        .ctx_no = 1, .gfn = 5, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 1100};

    add_memory(h, 0, 0x1000, 1200);
    assert_int_equal(new_context(h), 1);
    h->guest[1].flips = true;
    h->preempt_every = 1;
    assert_int_equal(hypercall(h, 1, IOMMU_map_pages, &m, sizeof(m)), 0);
    assert_int_equal(m.mapped, 1100);
    assert_int_equal(m.ctx_no, 0xfffe); /* it did flip */
    assert_int_equal(nr_mapped(h, 1), 1100);
    for (uint64_t i = 0; i < 1100; i++)
        assert_int_equal(goes_to(h, 1, 3 + i, NULL), 0x1005 + i);
}

/* Between two steps the guest writes all over its argument, as often as it likes. */
static void what_changes_between_continuations_changes_nothing(void **state)
{
    struct host *h = *state;
    const struct pv_iommu_map_pages m = {
        .ctx_no = 1, .gfn = 0, .dfn = 3, .map_flags = 3, .pgsize = 4096, .nr_pages = 1200};
    const struct pv_iommu_unmap_pages u = {.ctx_no = 1, .dfn = 3, .pgsize = 4096, .nr_pages = 1200};

    add_scattered(h, 0, 0x1000, 1200);
    assert_int_equal(new_context(h), 1);
    h->preempt_every = 1;
    for (unsigned i = 0; i < 2; i++) {
        struct sluice_call call;
        unsigned steps = 0;
        uint32_t count;
        long status;

        memcpy(h->guest[1].bytes, i ? (const void *)&u : &m, i ? sizeof(u) : sizeof(m));
        sluice_call_start(&call, h->d, i ? IOMMU_unmap_pages : IOMMU_map_pages, GUEST_ADDRESS);
        while ((status = sluice_call_run(&call)) == -ERESTART) {
            memset(h->guest[1].bytes, (int)++steps, GUEST_BYTES);
        }
        assert_int_equal(status, 0);
        assert_true(steps >= 2);
        memcpy(&count, h->guest[1].bytes + (i ? 24 : 36), sizeof(count));
        assert_int_equal(count, 1200);
        assert_int_equal(nr_mapped(h, 1), i ? 0 : 1200);
    }
}

/* On a real machine's memory: at the end of RAM, and across pages that are not neighbours. */
static void arguments_across_pages_and_the_end_of_memory(void **state)
{
    const struct machine_config config = {.ram = 4 << 20};
    const struct machine_domain_config dom = {.name = "d", .domid = 1, .mem = 16 << 12};
    struct pv_iommu_lookup_page l = {.ctx_no = 0, .dfn = 3};
    struct machine_domain *d;
    struct machine *m;

    (void)state;
    assert_int_equal(machine_create(&config, &m, NULL), 0);
    assert_int_equal(machine_domain_add(m, &dom, &d), 0);
    for (uint64_t at = 4096 - sizeof(l); at <= 4096 + 8; at++) {
        assert_int_equal(machine_guest_write(d, at, &l, sizeof(l)), 0);
        assert_int_equal(machine_hypercall(d, IOMMU_lookup_page, at, 0), 0);
    }
    for (uint64_t at = (16 << 12) - sizeof(l) + 1; at < (16 << 12) + 8; at++)
        assert_int_equal(machine_hypercall(d, IOMMU_lookup_page, at, 0), -EFAULT);
    assert_int_equal(machine_balloon_out(d, 1, 1), 0); /* a hole in the middle of an argument */
    assert_int_equal(machine_hypercall(d, IOMMU_lookup_page, 4096 - 12, 0), -EFAULT);
    assert_int_equal(machine_hypercall(d, IOMMU_lookup_page, UINT64_MAX - 7, 0), -EFAULT);
    assert_int_equal(machine_destroy(m), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(arguments_that_cannot_be_read_are_efault),
        T(what_cannot_be_answered_is_not_done),
        T(every_byte_is_read_at_most_once),
        T(an_argument_that_flips_is_one_of_its_values),
        T(what_changes_between_continuations_changes_nothing),
        cmocka_unit_test(arguments_across_pages_and_the_end_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
