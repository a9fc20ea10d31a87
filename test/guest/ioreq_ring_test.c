/* SPDX-License-Identifier: BSD-2-Clause */
/* The emulator's side of the ring. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "guest/lib/ioreq_ring.h"

static struct buffered_iopage page;
static const struct ioreq_ring ring = {&page, 4};

static void put(uint8_t type, unsigned size, uint32_t data)
{
    page.buf_ioreq[page.write_pointer++ % ring.nr_slots] =
        (struct buf_ioreq){.type = type, .size = size & 3, .data = data};
}

static void expect(uint64_t data)
{
    struct ioreq_request got;

    assert_int_equal(ioreq_ring_next(&ring, &got), 0);
    assert_int_equal(got.data, data);
}

static int empty(void **state)
{
    (void)state;
    page = (struct buffered_iopage){0};
    return 0;
}

static void requests_come_in_order_round_the_ring(void **state)
{
    struct ioreq_request got;

    (void)state;
    assert_int_equal(ioreq_ring_next(&ring, &got), -ENODATA);
    for (uint32_t i = 0; i < 11; i++) {
        put(9, 2, i);
        put(9, 2, i + 100);
        expect(i);
        expect(i + 100);
    }
    assert_int_equal(ioreq_ring_next(&ring, &got), -ENODATA);
    assert_int_equal(page.read_pointer, 22);
}

static void a_request_says_what_it_is(void **state)
{
    struct ioreq_request got;

    (void)state;
    page.buf_ioreq[0] =
        (struct buf_ioreq){.type = 1, .dir = 1, .size = 1, .addr = 0xfffff, .data = 77};
    page.write_pointer = 1;
    assert_int_equal(ioreq_ring_next(&ring, &got), 0);
    assert_int_equal(got.type, 1);
    assert_true(got.read);
    assert_int_equal(got.size, 2);
    assert_int_equal(got.addr, 0xfffff);
    assert_int_equal(got.data, 77);
}

static void a_large_value_takes_two_slots_also_round_the_end(void **state)
{
    (void)state;
    page.read_pointer = page.write_pointer = 3;
    put(9, 3, 0x89abcdef);
    put(9, 3, 0x01234567);
    put(9, 2, 5);
    expect(0x0123456789abcdef);
    expect(5);
    assert_int_equal(page.read_pointer, 6);
}

static void half_a_value_is_not_taken(void **state)
{
    struct ioreq_request got;

    (void)state;
    put(9, 3, 1);
    assert_int_equal(ioreq_ring_next(&ring, &got), -EIO);
    assert_int_equal(page.read_pointer, 0);
    put(9, 3, 2);
    expect(UINT64_C(2) << 32 | 1);
}

static void pointers_without_sense_are_an_error(void **state)
{
    struct ioreq_request got;

    (void)state;
    page.write_pointer = 5;
    assert_int_equal(ioreq_ring_next(&ring, &got), -EIO);
    page.read_pointer = 6;
    assert_int_equal(ioreq_ring_next(&ring, &got), -EIO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(requests_come_in_order_round_the_ring, empty),
        cmocka_unit_test_setup(a_request_says_what_it_is, empty),
        cmocka_unit_test_setup(a_large_value_takes_two_slots_also_round_the_end, empty),
        cmocka_unit_test_setup(half_a_value_is_not_taken, empty),
        cmocka_unit_test_setup(pointers_without_sense_are_an_error, empty),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
