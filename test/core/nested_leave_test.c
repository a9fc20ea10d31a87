/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames that leave while shadows have them: stopped at any step, with the guest at work meanwhile,
 * without memory and on units that fail, the end is the same: flushed first, and then let go.
 */
#include "guest_table.h"

#define ROOT     0x10u
#define DATA     0x100u
#define BASE     0x1000u
#define LARGE    0x400u  /* gfns 0x400..0x5ff are one leaf of 2M, at dfn 0x200 */
#define LARGE_AT 0x4000u /* its frames */
#define PAGES    100u    /* dfns 0..99 go to DATA.. */
#define OUT      0x120u  /* what leaves: */
#define NR_OUT   7u

/* Two shadows of the same table, with a device in each. */
static struct host *with_shadows(void)
{
    struct host *h = host_create(&(struct setup){.iova_bits = 36});

    add_memory(h, 0, BASE, 0x200);
    add_memory(h, LARGE, LARGE_AT, 0x200);
    make_tables(h, ROOT);
    for (unsigned i = 0; i < PAGES; i++)
        guest_write(h, ROOT + 3, i, x86_page(DATA + i, true));
    guest_write(h, ROOT + 3, 500, x86_page(OUT, true));
    guest_write(h, ROOT + 2, 1, x86_large(LARGE));
    assert_int_equal(new_nested(h, ROOT), 1);
    assert_int_equal(new_nested(h, ROOT), 2);
    for (uint16_t no = 1; no <= 2; no++) {
        add_device(h, 8u * no);
        attach(h, 8u * no, no);
    }
    forget(h);
    return h;
}

/* Each shadow is what is left of the table. */
static void assert_left(struct host *h, uint64_t gfn, uint64_t nr)
{
    for (uint16_t no = 1; no <= 2; no++) {
        for (uint64_t i = 0; i < PAGES; i++)
            assert_true(goes_to(h, no, i, NULL) ==
                        (DATA + i - gfn < nr ? NOWHERE : BASE + DATA + i));
        for (uint64_t i = 0; i < 0x200; i++)
            assert_true(goes_to(h, no, 0x200 + i, NULL) ==
                        (LARGE + i - gfn < nr ? NOWHERE : LARGE_AT + i));
        assert_int_equal(nr_mapped(h, no), context_of(h, no)->nr_mapped);
    }
}

/* No frame is let go before both contexts were flushed for it. */
static void assert_flushed_first(struct host *h, uint64_t nr)
{
    bool seen[2] = {false, false};

    assert_int_equal(count(h, RELEASED), nr);
    for (unsigned i = 0; i < h->nr_log; i++) {
        const struct happened *e = &h->log[i];

        for (unsigned k = 0; e->what == FLUSHED && k < e->n && k < 4; k++)
            for (unsigned no = 1; no <= 2; no++)
                seen[no - 1] |= e->inv[k].did == context_of(h, (uint16_t)no)->did;
        assert_true(e->what != RELEASED || (seen[0] && seen[1]));
    }
}

typedef void (*meanwhile)(struct host *h);

static void nothing(struct host *h)
{
    (void)h;
}

/* Every n-th chance is taken, for some n until there are fewer than n. */
static unsigned next_of(unsigned every)
{
    return every + 1 + every / 2;
}

static void leave_in_steps(uint64_t gfn, uint64_t nr, meanwhile then)
{
    unsigned steps = 1;
    struct host *h;
    int err;

    for (unsigned every = 1; steps; every = next_of(every)) {
        h = with_shadows();
        h->preempt_every = every;
        for (steps = 0; (err = sluice_memory_remove(h->d, gfn_of(gfn), nr)) == -ERESTART; steps++)
            then(h);
        assert_int_equal(err, 0);
        assert_true(every > 1 || steps > 1);
        h->preempt_every = 0;
        assert_left(h, gfn, nr);
        assert_flushed_first(h, nr);
        host_destroy(h);
    }
}

static void stopped_at_any_step(void **state)
{
    (void)state;
    leave_in_steps(OUT, NR_OUT, nothing);
    leave_in_steps(LARGE + 5, NR_OUT, nothing);
}

/* It wants them back, and they are on their way out already. */
static void guest_flushes(struct host *h)
{
    for (uint16_t no = 1; no <= 2; no++)
        assert_int_equal(flush_nested_all(h, no), 0);
}

static void a_guest_that_flushes_meanwhile(void **state)
{
    (void)state;
    leave_in_steps(OUT, NR_OUT, guest_flushes);
    leave_in_steps(LARGE + 5, NR_OUT, guest_flushes);
}

/* Contexts end and begin meanwhile, with other numbers of their own. */
static void guest_begins_anew(struct host *h)
{
    struct pv_iommu_free arg = {.ctx_no = 2, .free_flags = IOMMU_FREE_reattach_default};

    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg)), 0);
    assert_int_equal(new_nested(h, ROOT), 2);
    attach(h, 16, 2);
}

static void a_context_that_begins_meanwhile(void **state)
{
    unsigned steps = 1;
    struct host *h;
    int err;

    (void)state;
    for (unsigned every = 1; steps; every = next_of(every)) {
        h = with_shadows();
        h->preempt_every = every;
        for (steps = 0; (err = sluice_memory_remove(h->d, gfn_of(OUT), NR_OUT)) == -ERESTART;)
            if (!steps++)
                guest_begins_anew(h);
        assert_int_equal(err, 0);
        assert_left(h, OUT, NR_OUT);
        assert_int_equal(count(h, RELEASED), NR_OUT);
        host_destroy(h);
    }
}

/* A leaf that cannot be split: all is as it was, in both. */
static void without_memory_nothing_has_changed(void **state)
{
    unsigned failed = 0;
    struct host *h;
    int err;

    (void)state;
    for (unsigned n = 1; n < 12; n++) {
        h = with_shadows();
        h->fail_alloc = n;
        err = sluice_memory_remove(h->d, gfn_of(LARGE + 5), NR_OUT);
        h->fail_alloc = 0;
        failed += err == -ENOMEM;
        assert_true(!err || err == -ENOMEM);
        assert_left(h, err ? 0 : LARGE + 5, err ? 0 : NR_OUT);
        guest_flushes(h);
        assert_left(h, err ? 0 : LARGE + 5, err ? 0 : NR_OUT);
        assert_int_equal(count(h, RELEASED), err ? 0 : NR_OUT);
        host_destroy(h);
    }
    assert_in_range(failed, 2, 10);
}

/* A unit that fails may still have them: they are out of the tables, and never given out again. */
static void a_unit_that_fails_keeps_them(void **state)
{
    struct host *h = with_shadows();

    (void)state;
    h->lossy = true;
    h->fail_flush = 1;
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(OUT), NR_OUT), -EIO);
    assert_int_equal(count(h, RELEASED), 0);
    for (unsigned i = 0; i < NR_OUT; i++) {
        assert_true(refs_of(h, BASE + OUT + i) > 0);
        assert_true(goes_to(h, 1, OUT - DATA + i, NULL) == NOWHERE);
    }
    host_destroy(h);
}

/* The guest changes its table while frames leave that it maps now, in place of others. */
static void what_the_table_says_is_of_no_matter(void **state)
{
    struct host *h = with_shadows();

    (void)state;
    for (unsigned i = 0; i < PAGES; i++)
        guest_write(h, ROOT + 3, i, 0);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(OUT), NR_OUT), 0);
    assert_left(h, OUT, NR_OUT);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(ROOT), 4), 0); /* the table itself */
    assert_left(h, OUT, NR_OUT);
    guest_flushes(h);
    assert_int_equal(nr_mapped(h, 1), 0);
    host_destroy(h);
}

/* A frame that nobody but the memory map has costs nothing, however large the shadows are. */
static void what_is_in_no_shadow_costs_nothing(void **state)
{
    struct host *h = with_shadows();

    (void)state;
    h->preempt_every = 1;
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0x1f0), 1), 0);
    h->preempt_every = 0;
    assert_left(h, 0x1f0, 1);
    host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stopped_at_any_step),
        cmocka_unit_test(a_guest_that_flushes_meanwhile),
        cmocka_unit_test(a_context_that_begins_meanwhile),
        cmocka_unit_test(without_memory_nothing_has_changed),
        cmocka_unit_test(a_unit_that_fails_keeps_them),
        cmocka_unit_test(what_the_table_says_is_of_no_matter),
        cmocka_unit_test(what_is_in_no_shadow_costs_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
