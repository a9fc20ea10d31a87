/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a guest's own table: what it says, and how much of it is read. */
#include "../../iommu/core/guest_walk.h"
#include "guest_table.h"

#define ROOT   0x10u /* gfns of the tables: ROOT..ROOT + 3 */
#define LOWEST (ROOT + 3)
#define SECOND (ROOT + 4) /* the lowest table of dfns 512..1023 */
#define DATA   0x100u
#define SPAN   512u

static struct hw_first_stage table_of(void)
{
    const struct pt_format *format = pt_format(PT_FORMAT_X86);

    return (struct hw_first_stage){
        .root = ROOT << FRAME_LG2,
        .geo = {.format = format, .levels = 4, .iova_bits = 47, .leaf_sizes = format->leaf_sizes}};
}

static void prepare_memory(struct host *h)
{
    add_memory(h, 0, 0x1000, 0x200);
    make_tables(h, ROOT);
    for (unsigned i = 0; i < SPAN; i++)
        guest_write(h, LOWEST, i, x86_page(DATA + 2 * (i % 8), true));
}

static struct guest_run walk(struct guest_walk *w, uint64_t dfn, uint64_t max)
{
    struct guest_run run;

    guest_walk(w, dfn_of(dfn), max, &run);
    assert_int_equal(run.dfn.n, dfn);
    return run;
}

static void neighbours_are_as_the_table_has_them(void **state)
{
    struct host *h = *state;
    const struct hw_first_stage table = table_of();
    struct guest_walk w = guest_walk_of(&table, &domain_of(h->d)->memory);

    prepare_memory(h);
    guest_write(h, LOWEST, 40, 0);
    for (unsigned i = 0; i < 80; i++) {
        const struct guest_run run = walk(&w, i, 1000);

        assert_int_equal(run.nr, 1);
        assert_int_equal(run.rights, i == 40 ? 0 : RW);
        if (i != 40)
            assert_int_equal(run.gfn.n, DATA + 2 * (i % 8));
    }
}

/* Those above count for all of a table, also where the way down is not walked again. */
static void rights_are_those_of_all_tables(void **state)
{
    struct host *h = *state;
    const struct hw_first_stage table = table_of();
    struct guest_walk w = guest_walk_of(&table, &domain_of(h->d)->memory);

    prepare_memory(h);
    guest_write(h, ROOT + 2, 0, x86_page(LOWEST, false));
    guest_write(h, ROOT + 2, 1, x86_table(SECOND));
    guest_write(h, SECOND, 0, x86_page(DATA, true));
    guest_write(h, SECOND, 1, x86_page(DATA, true));
    assert_int_equal(walk(&w, SPAN - 2, 100).rights, PT_READ);
    assert_int_equal(walk(&w, SPAN - 1, 100).rights, PT_READ);
    assert_int_equal(walk(&w, SPAN, 100).rights, RW);
    assert_int_equal(walk(&w, SPAN + 1, 100).rights, RW);
    assert_int_equal(walk(&w, 0, 100).rights, PT_READ);
}

/* Frames one after the other with the same rights, and entries without any. */
static void neighbours_that_go_on_are_one_run(void **state)
{
    struct host *h = *state;
    const struct hw_first_stage table = table_of();
    struct guest_walk w = guest_walk_of(&table, &domain_of(h->d)->memory);
    struct guest_run run;

    prepare_memory(h);
    for (unsigned i = 0; i < 20; i++)
        guest_write(h, LOWEST, i, i < 14 ? x86_page(DATA + i, i != 9) : 0);
    run = walk(&w, 1, 1000);
    assert_int_equal(run.gfn.n, DATA + 1);
    assert_int_equal(run.nr, 8);
    assert_int_equal(walk(&w, 9, 1000).nr, 1);
    assert_int_equal(walk(&w, 10, 3).nr, 3);
    assert_int_equal(walk(&w, 10, 1000).nr, 4);
    run = walk(&w, 14, 1000);
    assert_int_equal(run.rights, 0);
    assert_int_equal(run.nr, 6);
}

/* The entry behind the last address has the same bits but one: its frame is 0. */
static void an_address_does_not_run_over(void **state)
{
    const uint64_t last = x86_page(MASK64(51, 12) >> FRAME_LG2, true);
    struct host *h = *state;
    const struct hw_first_stage table = table_of();
    struct guest_walk w = guest_walk_of(&table, &domain_of(h->d)->memory);

    prepare_memory(h);
    guest_write(h, LOWEST, 0, last);
    guest_write(h, LOWEST, 1, last + FRAME_SIZE);
    assert_int_equal(walk(&w, 0, 1000).nr, 1);
    assert_int_equal(walk(&w, 1, 1000).gfn.n, 0);
}

/* As many as are wanted, at most so many at a time, and none of another page. */
static void entries_are_read_ahead(void **state)
{
    struct host *h = *state;
    const struct hw_first_stage table = table_of();
    struct guest_walk w = guest_walk_of(&table, &domain_of(h->d)->memory);

    prepare_memory(h);
    walk(&w, 0, 1);
    assert_int_equal(w.reads, 3 + 1);
    walk(&w, 1, 2);
    walk(&w, 2, 1);
    assert_int_equal(w.reads, 4 + 2);
    for (unsigned i = 3; i < 3 + GUEST_WALK_AHEAD; i++)
        walk(&w, i, 1000);
    assert_int_equal(w.reads, 6 + GUEST_WALK_AHEAD);
    walk(&w, SPAN - 1, 1000);
    assert_int_equal(w.reads, 7 + GUEST_WALK_AHEAD);
}

/* Each time anew: a guest may change it, but nothing is remembered of what is not there. */
static void a_table_outside_of_memory_is_a_hole(void **state)
{
    struct host *h = *state;
    const struct hw_first_stage table = table_of();
    struct guest_walk w = guest_walk_of(&table, &domain_of(h->d)->memory);

    prepare_memory(h);
    guest_write(h, ROOT + 2, 1, x86_table(0x12345));
    for (unsigned i = 0; i < 2; i++) {
        const struct guest_run run = walk(&w, SPAN + 3, 10000);

        assert_int_equal(run.rights, 0);
        assert_int_equal(run.nr, SPAN - 3);
    }
    assert_int_equal(walk(&w, 3, 10000).rights, RW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(neighbours_are_as_the_table_has_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rights_are_those_of_all_tables, set_up, tear_down),
        cmocka_unit_test_setup_teardown(neighbours_that_go_on_are_one_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_address_does_not_run_over, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entries_are_read_ahead, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_table_outside_of_memory_is_a_hole, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
