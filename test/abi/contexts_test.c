/* SPDX-License-Identifier: BSD-2-Clause */
/* The contexts ABI, number by number, against the literal values that guests were built with. */
#include "../../iommu/abi/contexts.h" /* first, so that it has to stand alone */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void sub_ops_have_the_numbers_of_the_proposal(void **state)
{
    static const struct {
        int number, is;
    } op[] = {{0, IOMMU_noop},
              {1, IOMMU_query_capabilities},
              {2, IOMMU_alloc_context},
              {3, IOMMU_free_context},
              {4, IOMMU_reattach_device},
              {5, IOMMU_map_pages},
              {6, IOMMU_unmap_pages},
              {7, IOMMU_lookup_page},
              {8, IOMMU_remote_cmd},
              {9, IOMMU_alloc_nested},
              {10, IOMMU_flush_nested},
              {11, IOMMU_attach_pasid},
              {12, IOMMU_detach_pasid},
              {16, IOMMU_query_reserved},
              {17, IOMMU_map_list},
              {18, IOMMU_flush_context},
              {19, IOMMU_batch},
              {20, IOMMU_query_dirty},
              {21, IOMMU_read_faults}};

    (void)state;
    for (unsigned i = 0; i < sizeof(op) / sizeof(op[0]); i++)
        assert_int_equal(op[i].is, op[i].number);
    assert_int_equal(IOMMU_DEFAULT_CONTEXT, 0);
}

static void flags_have_the_bits_of_the_proposal(void **state)
{
    (void)state;
    assert_int_equal(IOMMUCAP_default_identity, 0x1);
    assert_int_equal(IOMMUCAP_cache, 0x2);
    assert_int_equal(IOMMUCAP_nested, 0x4);
    assert_int_equal(IOMMUCAP_pasid, 0x8);
    assert_int_equal(IOMMUCAP_identity, 0x10);
    assert_int_equal(IOMMUCAP_query_reserved, 0x100);
    assert_int_equal(IOMMUCAP_map_list, 0x200);
    assert_int_equal(IOMMUCAP_deferred, 0x400);
    assert_int_equal(IOMMUCAP_batch, 0x800);
    assert_int_equal(IOMMUCAP_query_dirty, 0x1000);
    assert_int_equal(IOMMUCAP_read_faults, 0x2000);
    assert_int_equal(IOMMU_RESERVED_device, 0x1);
    assert_int_equal(IOMMU_RESERVED_allowed, 0x2);
    assert_int_equal(IOMMU_RESERVED_pin, 0x4);
    assert_int_equal(IOMMU_RESERVED_unpin, 0x8);
    assert_int_equal(IOMMU_RANGE_direct, 0);
    assert_int_equal(IOMMU_RANGE_direct_relaxable, 1);
    assert_int_equal(IOMMU_RANGE_reserved, 2);
    assert_int_equal(IOMMU_RANGE_msi, 3);
    assert_int_equal(IOMMU_RANGE_allowed, 4);
    assert_int_equal(IOMMU_RANGE_sw_msi, 5);
    assert_int_equal(IOMMU_ALLOC_identity, 0x1);
    assert_int_equal(IOMMU_ALLOC_deferred, 0x2);
    assert_int_equal(IOMMU_FREE_reattach_default, 0x1);
    assert_int_equal(IOMMU_MAP_readable, 0x1);
    assert_int_equal(IOMMU_MAP_writeable, 0x2);
    assert_int_equal(IOMMU_MAP_cache, 0x4);
}

#define AT(type, field, offset, bytes)                       \
    do {                                                     \
        assert_int_equal(offsetof(type, field), offset);     \
        assert_int_equal(sizeof(((type *)0)->field), bytes); \
    } while (0)

static void basic_structs_lie_as_guests_expect(void **state)
{
    (void)state;
    assert_int_equal(sizeof(pv_iommu_capabilities_t), 24);
    AT(pv_iommu_capabilities_t, max_iova_addr, 0, 8);
    AT(pv_iommu_capabilities_t, cap_flags, 8, 4);
    AT(pv_iommu_capabilities_t, pgsize_mask, 12, 4);
    AT(pv_iommu_capabilities_t, max_pasid, 16, 4);
    AT(pv_iommu_capabilities_t, max_ctx_no, 20, 2);
    assert_int_equal(sizeof(pv_iommu_alloc_t), 8);
    AT(pv_iommu_alloc_t, ctx_no, 0, 2);
    AT(pv_iommu_alloc_t, alloc_flags, 4, 4);
    assert_int_equal(sizeof(pv_iommu_free_t), 8);
    AT(pv_iommu_free_t, ctx_no, 0, 2);
    AT(pv_iommu_free_t, free_flags, 4, 4);
    assert_int_equal(sizeof(pv_iommu_reattach_device_t), 12);
    AT(pv_iommu_reattach_device_t, ctx_no, 0, 2);
    AT(pv_iommu_reattach_device_t, dev, 2, 4);
    AT(pv_iommu_reattach_device_t, dev.seg, 2, 2);
    AT(pv_iommu_reattach_device_t, dev.bus, 4, 1);
    AT(pv_iommu_reattach_device_t, dev.devfn, 5, 1);
    AT(pv_iommu_reattach_device_t, pasid, 8, 4);
    assert_int_equal(sizeof(pv_iommu_remote_cmd_t), 16);
    AT(pv_iommu_remote_cmd_t, domid, 0, 2);
    AT(pv_iommu_remote_cmd_t, cmd, 2, 2);
    AT(pv_iommu_remote_cmd_t, arg, 8, 8);
}

static void page_structs_lie_as_guests_expect(void **state)
{
    (void)state;
    assert_int_equal(sizeof(pv_iommu_map_pages_t), 40);
    AT(pv_iommu_map_pages_t, ctx_no, 0, 2);
    AT(pv_iommu_map_pages_t, gfn, 8, 8);
    AT(pv_iommu_map_pages_t, dfn, 16, 8);
    AT(pv_iommu_map_pages_t, map_flags, 24, 4);
    AT(pv_iommu_map_pages_t, pgsize, 28, 4);
    AT(pv_iommu_map_pages_t, nr_pages, 32, 4);
    AT(pv_iommu_map_pages_t, mapped, 36, 4);
    assert_int_equal(sizeof(pv_iommu_unmap_pages_t), 32);
    AT(pv_iommu_unmap_pages_t, ctx_no, 0, 2);
    AT(pv_iommu_unmap_pages_t, dfn, 8, 8);
    AT(pv_iommu_unmap_pages_t, pgsize, 16, 4);
    AT(pv_iommu_unmap_pages_t, nr_pages, 20, 4);
    AT(pv_iommu_unmap_pages_t, unmapped, 24, 4);
    assert_int_equal(sizeof(pv_iommu_lookup_page_t), 24);
    AT(pv_iommu_lookup_page_t, ctx_no, 0, 2);
    AT(pv_iommu_lookup_page_t, dfn, 8, 8);
    AT(pv_iommu_lookup_page_t, gfn, 16, 8);
}

static void extended_structs_lie_as_guests_expect(void **state)
{
    (void)state;
    assert_int_equal(sizeof(pv_iommu_alloc_nested_t), 24);
    AT(pv_iommu_alloc_nested_t, ctx_no, 0, 2);
    AT(pv_iommu_alloc_nested_t, pgtable_gfn, 8, 8);
    AT(pv_iommu_alloc_nested_t, nested_flags, 16, 8);
    assert_int_equal(sizeof(pv_iommu_flush_nested_t), 24);
    AT(pv_iommu_flush_nested_t, ctx_no, 0, 2);
    AT(pv_iommu_flush_nested_t, dfn, 8, 8);
    AT(pv_iommu_flush_nested_t, nr_pages, 16, 8);
    assert_int_equal(sizeof(pv_iommu_attach_pasid_t), 12);
    AT(pv_iommu_attach_pasid_t, dev, 2, 4);
    AT(pv_iommu_attach_pasid_t, pasid, 8, 4);
    assert_int_equal(sizeof(pv_iommu_detach_pasid_t), 8);
    AT(pv_iommu_detach_pasid_t, dev, 0, 4);
    AT(pv_iommu_detach_pasid_t, pasid, 4, 4);
}

static void structs_of_extensions_lie_as_guests_expect(void **state)
{
    (void)state;
    assert_int_equal(sizeof(pv_iommu_range_t), 24);
    AT(pv_iommu_range_t, first, 0, 8);
    AT(pv_iommu_range_t, last, 8, 8);
    AT(pv_iommu_range_t, type, 16, 4);
    AT(pv_iommu_range_t, prot, 20, 4);
    assert_int_equal(sizeof(pv_iommu_query_reserved_t), 24);
    AT(pv_iommu_query_reserved_t, ctx_no, 0, 2);
    AT(pv_iommu_query_reserved_t, dev, 2, 4);
    AT(pv_iommu_query_reserved_t, flags, 8, 4);
    AT(pv_iommu_query_reserved_t, nr_ranges, 12, 4);
    AT(pv_iommu_query_reserved_t, ranges, 16, 8);
    assert_int_equal(sizeof(pv_iommu_batch_element_t), 16);
    AT(pv_iommu_batch_element_t, subop, 0, 4);
    AT(pv_iommu_batch_element_t, status, 4, 4);
    AT(pv_iommu_batch_element_t, arg, 8, 8);
    assert_int_equal(sizeof(pv_iommu_batch_t), 16);
    AT(pv_iommu_batch_t, nr, 0, 4);
    AT(pv_iommu_batch_t, done, 4, 4);
    AT(pv_iommu_batch_t, elements, 8, 8);
    assert_int_equal(sizeof(pv_iommu_fault_t), 40);
    AT(pv_iommu_fault_t, addr, 0, 8);
    AT(pv_iommu_fault_t, unmap_first, 8, 8);
    AT(pv_iommu_fault_t, unmap_last, 16, 8);
    AT(pv_iommu_fault_t, dev, 24, 4);
    AT(pv_iommu_fault_t, pasid, 28, 4);
    AT(pv_iommu_fault_t, ctx_no, 32, 2);
    AT(pv_iommu_fault_t, reason, 34, 2);
    AT(pv_iommu_fault_t, flags, 36, 4);
    assert_int_equal(sizeof(pv_iommu_read_faults_t), 24);
    AT(pv_iommu_read_faults_t, nr, 0, 4);
    AT(pv_iommu_read_faults_t, left, 4, 4);
    AT(pv_iommu_read_faults_t, lost, 8, 8);
    AT(pv_iommu_read_faults_t, faults, 16, 8);
    assert_int_equal(sizeof(pv_iommu_map_list_t), 40);
    AT(pv_iommu_map_list_t, ctx_no, 0, 2);
    AT(pv_iommu_map_list_t, gfns, 8, 8);
    AT(pv_iommu_map_list_t, dfn, 16, 8);
    AT(pv_iommu_map_list_t, map_flags, 24, 4);
    AT(pv_iommu_map_list_t, pgsize, 28, 4);
    AT(pv_iommu_map_list_t, nr_pages, 32, 4);
    AT(pv_iommu_map_list_t, mapped, 36, 4);
}

static void handles_are_eight_bytes_and_hold_an_address(void **state)
{
    pv_iommu_remote_cmd_t cmd;
    XEN_GUEST_HANDLE(pv_iommu_map_pages_t) typed;
    pv_iommu_map_pages_t map;

    (void)state;
    set_xen_guest_handle(cmd.arg, &map);
    assert_int_equal(cmd.arg.q, (uint64_t)(uintptr_t)&map);
    set_xen_guest_handle(typed, &map);
    assert_int_equal(sizeof(typed), 8);
    assert_ptr_equal(typed.p, &map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sub_ops_have_the_numbers_of_the_proposal),
        cmocka_unit_test(flags_have_the_bits_of_the_proposal),
        cmocka_unit_test(basic_structs_lie_as_guests_expect),
        cmocka_unit_test(page_structs_lie_as_guests_expect),
        cmocka_unit_test(extended_structs_lie_as_guests_expect),
        cmocka_unit_test(structs_of_extensions_lie_as_guests_expect),
        cmocka_unit_test(handles_are_eight_bytes_and_hold_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
