/* SPDX-License-Identifier: BSD-2-Clause */
/* The hidden second stage: filled in steps, stopped at any of them, while memory comes and goes. */
#include "guest_table.h"

#define BASE   0x1000u
#define GFNS   1300u /* of scattered memory: more than two steps of filling */
#define SECOND 8u    /* its slot */
#define ROOT   0x10u

static struct host *with_memory(void)
{
    struct host *h = host_create(&(struct setup){.nests = true, .blocked = true});

    add_scattered(h, 0, BASE, GFNS);
    return h;
}

/* All memory and nothing else: what context 0 would have. */
static void assert_follows_memory(struct host *h)
{
    mfn_t mfn;

    for (uint64_t gfn = 0; gfn < GFNS + 10; gfn++) {
        if (sluice_memory_lookup(h->d, gfn_of(gfn), &mfn))
            mfn.n = NOWHERE;
        assert_true(goes_to(h, SECOND, gfn, NULL) == mfn.n);
    }
}

static long begin(struct host *h, struct sluice_call *call)
{
    const struct pv_iommu_alloc_nested arg = {.pgtable_gfn = ROOT,
                                              .nested_flags = IOMMU_NESTED_x86_4level};

    memcpy(h->guest[1].bytes, &arg, sizeof(arg));
    sluice_call_start(call, h->d, IOMMU_alloc_nested, GUEST_ADDRESS);
    return sluice_call_run(call);
}

/* It stops by itself, and at every n-th chance; what does the rest do meanwhile? */
static void fill_in_steps(void (*meanwhile)(struct host *h, unsigned step))
{
    struct sluice_call call;
    struct host *h;
    unsigned steps;
    long status;

    for (unsigned every = 0; every < 4; every++) {
        h = with_memory();
        h->preempt_every = every;
        steps = 0;
        for (status = begin(h, &call); status == -ERESTART; status = sluice_call_run(&call))
            meanwhile(h, steps++);
        assert_int_equal(status, 0);
        assert_true(steps >= 2);
        assert_follows_memory(h);
        host_destroy(h);
    }
}

static void nothing(struct host *h, unsigned step)
{
    (void)h;
    (void)step;
}

static void stopped_at_any_step(void **state)
{
    (void)state;
    fill_in_steps(nothing);
}

/* Before and behind where it is, and what is new. */
static void memory_changes(struct host *h, unsigned step)
{
    if (step > 1)
        return;
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(100 + step), 1), 0);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(1200 + step), 1), 0);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(GFNS + step), mfn_of(BASE + 2 * (GFNS + step)),
                                       1, SLUICE_FRAME_RAM),
                     0);
    assert_int_equal(
        sluice_memory_add(h->d, gfn_of(100 + step), mfn_of(0x4000 + step), 1, SLUICE_FRAME_RAM), 0);
}

static void memory_that_changes_meanwhile(void **state)
{
    (void)state;
    fill_in_steps(memory_changes);
}

/* What was made of it before memory ran out is gone on with. */
static void without_memory_it_can_be_gone_on_with(void **state)
{
    unsigned failed = 0;
    struct host *h;
    uint16_t no;
    long err;

    (void)state;
    for (unsigned n = 1; n < 16; n++) {
        h = with_memory();
        h->fail_alloc = n;
        err = alloc_nested(h, ROOT, IOMMU_NESTED_x86_4level, &no);
        assert_true(!err || err == -ENOMEM);
        failed += err != 0;
        h->fail_alloc = 0;
        if (err)
            no = new_nested(h, ROOT);
        assert_ptr_equal(context_of(h, no)->second, context_of(h, SECOND));
        assert_follows_memory(h);
        host_destroy(h);
    }
    assert_in_range(failed, 3, 14);
}

static void all_are_on_the_same(void **state)
{
    struct host *h = with_memory();
    const uint16_t one = new_nested(h, ROOT), two = new_nested(h, ROOT);
    const unsigned pages = h->pages;

    (void)state;
    assert_ptr_equal(context_of(h, one)->second, context_of(h, two)->second);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &(struct pv_iommu_free){.ctx_no = one},
                               sizeof(struct pv_iommu_free)),
                     0);
    assert_follows_memory(h);
    assert_int_equal(new_nested(h, ROOT), one);
    assert_int_equal(h->pages, pages);
    host_destroy(h);
}

/* The host pays for the second stage: the domain's budget is for what its calls make. */
static void the_domain_does_not_pay_for_it(void **state)
{
    struct host *h = host_create(&(struct setup){.nests = true, .budget_tables = 2});
    struct sluice_domain_stats stats;

    (void)state;
    add_scattered(h, 0, BASE, GFNS);
    (void)new_nested(h, ROOT);
    sluice_domain_stats(h->d, &stats);
    assert_in_range(stats.tables, 0, 2);
    host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_at_any_step),
        cmocka_unit_test(memory_that_changes_meanwhile),
        cmocka_unit_test(without_memory_it_can_be_gone_on_with),
        cmocka_unit_test(all_are_on_the_same),
        cmocka_unit_test(the_domain_does_not_pay_for_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
