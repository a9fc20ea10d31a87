/* SPDX-License-Identifier: BSD-2-Clause */
/* Shadows: the composition of a guest's own table and the memory map, as of the last flush. */
#include "guest_table.h"

#define ROOT   0x10u /* gfns of the tables: ROOT..ROOT + 3 */
#define LOWEST (ROOT + 3)
#define DATA   0x100u  /* gfns that they map */
#define BASE   0x1000u /* gfn g is frame BASE + g */

static void prepare_memory(struct host *h)
{
    add_memory(h, 0, BASE, 0x200);
    make_tables(h, ROOT);
}

static void it_has_what_the_table_has_from_the_start(void **state)
{
    struct host *h = *state;
    unsigned attr;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 7, false));
    no = new_nested(h, ROOT);
    assert_int_equal(goes_to(h, no, 5, &attr), BASE + DATA);
    assert_int_equal(attr, RW);
    assert_int_equal(goes_to(h, no, 6, &attr), BASE + DATA + 7);
    assert_int_equal(attr, PT_READ);
    assert_int_equal(nr_mapped(h, no), 2);
    assert_int_equal(refs_of(h, BASE + DATA), 2);
}

static void a_flush_brings_just_its_range_up_to_date(void **state)
{
    struct host *h = *state;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 1, true));
    no = new_nested(h, ROOT);
    guest_write(h, LOWEST, 5, x86_page(DATA + 2, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 3, true));
    guest_write(h, LOWEST, 7, x86_page(DATA + 4, true));
    assert_int_equal(goes_to(h, no, 5, NULL), BASE + DATA);
    assert_int_equal(flush_nested(h, no, 5, 1), 0);
    assert_int_equal(goes_to(h, no, 5, NULL), BASE + DATA + 2);
    assert_int_equal(goes_to(h, no, 6, NULL), BASE + DATA + 1);
    assert_int_equal(goes_to(h, no, 7, NULL), NOWHERE);
    assert_int_equal(flush_nested_all(h, no), 0);
    assert_int_equal(goes_to(h, no, 6, NULL), BASE + DATA + 3);
    assert_int_equal(goes_to(h, no, 7, NULL), BASE + DATA + 4);
    assert_int_equal(refs_of(h, BASE + DATA), 1);
    assert_int_equal(refs_of(h, BASE + DATA + 1), 1);
}

static void what_leaves_memory_leaves_it_at_once(void **state)
{
    struct host *h = *state;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 1, true));
    no = new_nested(h, ROOT);
    add_device(h, 8);
    attach(h, 8, no);
    forget(h);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(DATA), 1), 0);
    assert_int_equal(goes_to(h, no, 5, NULL), NOWHERE);
    assert_int_equal(goes_to(h, no, 6, NULL), BASE + DATA + 1);
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, RELEASED, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_has_what_the_table_has_from_the_start, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_flush_brings_just_its_range_up_to_date, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_leaves_memory_leaves_it_at_once, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
