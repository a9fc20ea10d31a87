/* SPDX-License-Identifier: BSD-2-Clause */
/* The frames ABI and requests to emulators, number by number, against literal values. */
#include "../../iommu/abi/frames.h" /* first, so that it has to stand alone */

#include "../../iommu/abi/ioreq.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void sub_ops_have_the_numbers_of_the_proposal(void **state)
{
    (void)state;
    assert_int_equal(IOMMUOP_query_caps, 1);
    assert_int_equal(IOMMUOP_map_page, 2);
    assert_int_equal(IOMMUOP_unmap_page, 3);
    assert_int_equal(IOMMUOP_map_foreign_page, 4);
    assert_int_equal(IOMMUOP_lookup_foreign_page, 5);
    assert_int_equal(IOMMUOP_unmap_foreign_page, 6);
    assert_int_equal(IOMMUOP_drop_foreign_1to1, 7);
    assert_int_equal(DOMID_SELF, 0x7ff0);
    assert_int_equal(IOSERVID_any, 0xffff);
}

static void flags_have_the_bits_of_the_proposal(void **state)
{
    (void)state;
    assert_int_equal(IOMMU_QUERY_map_cap, 1);
    assert_int_equal(IOMMU_QUERY_map_all_mfns, 2);
    assert_int_equal(IOMMU_MAP_OP_readable, 1);
    assert_int_equal(IOMMU_MAP_OP_writeable, 2);
    assert_int_equal(IOMMU_MAP_OP_no_ref_cnt, 4);
    assert_int_equal(IOMMU_MAP_OP_swap_mfn, 4);
    assert_int_equal(IOMMU_MAP_OP_add_m2b, 8);
    assert_int_equal(IOMMU_UNMAP_OP_remove_m2b, 1);
    assert_int_equal(IOMMU_page_order(9), 0x2400);
    assert_int_equal(IOMMU_page_order_mask, 0xfc00);
}

static void elements_lie_as_guests_write_them(void **state)
{
    struct pv_iommu_op op;

    (void)state;
    assert_int_equal(sizeof(op), 32);
    assert_int_equal(offsetof(struct pv_iommu_op, subop_id), 0);
    assert_int_equal(offsetof(struct pv_iommu_op, flags), 2);
    assert_int_equal(offsetof(struct pv_iommu_op, status), 4);
    assert_int_equal(offsetof(struct pv_iommu_op, u.map_page.bfn), 8);
    assert_int_equal(offsetof(struct pv_iommu_op, u.map_page.gfn), 16);
    assert_int_equal(offsetof(struct pv_iommu_op, u.unmap_page.bfn), 8);
    assert_int_equal(offsetof(struct pv_iommu_op, u.map_foreign_page.bfn), 8);
    assert_int_equal(offsetof(struct pv_iommu_op, u.map_foreign_page.gfn), 16);
    assert_int_equal(offsetof(struct pv_iommu_op, u.map_foreign_page.domid), 24);
    assert_int_equal(offsetof(struct pv_iommu_op, u.map_foreign_page.ioserver), 26);
    assert_int_equal(offsetof(struct pv_iommu_op, u.lookup_foreign_page.bfn), 8);
    assert_int_equal(offsetof(struct pv_iommu_op, u.lookup_foreign_page.gfn), 16);
    assert_int_equal(offsetof(struct pv_iommu_op, u.lookup_foreign_page.domid), 24);
    assert_int_equal(offsetof(struct pv_iommu_op, u.lookup_foreign_page.ioserver), 26);
    assert_int_equal(offsetof(struct pv_iommu_op, u.unmap_foreign_page.bfn), 8);
    assert_int_equal(offsetof(struct pv_iommu_op, u.unmap_foreign_page.ioserver), 16);
}

static void a_slot_is_eight_bytes_and_a_ring_a_page(void **state)
{
    struct buf_ioreq slot = {.type = 9, .dir = 1, .size = 3, .addr = 0xabcde, .data = 0x12345678};
    uint64_t raw;

    (void)state;
    assert_int_equal(IOREQ_TYPE_SLUICE_INVALIDATE, 9);
    assert_int_equal(sizeof(slot), 8);
    memcpy(&raw, &slot, sizeof(raw));
    assert_int_equal(raw, 0x12345678abcdee09ull);
    assert_int_equal(sizeof(struct buffered_iopage), 4096);
    assert_int_equal(offsetof(struct buffered_iopage, read_pointer), 0);
    assert_int_equal(offsetof(struct buffered_iopage, write_pointer), 4);
    assert_int_equal(offsetof(struct buffered_iopage, buf_ioreq), 8);
    assert_int_equal(IOREQ_BUFFER_SLOT_NUM, 511);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sub_ops_have_the_numbers_of_the_proposal),
        cmocka_unit_test(flags_have_the_bits_of_the_proposal),
        cmocka_unit_test(elements_lie_as_guests_write_them),
        cmocka_unit_test(a_slot_is_eight_bytes_and_a_ring_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
