/* SPDX-License-Identifier: BSD-2-Clause */
/* What a domain is told about its memory, number by number, against literal values. */
#include "../../iommu/abi/features.h" /* first, so that it has to stand alone */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void bits_have_xens_numbers(void **state)
{
    (void)state;
    assert_int_equal(XENFEAT_not_direct_mapped, 16);
    assert_int_equal(XENFEAT_direct_mapped, 17);
    assert_int_equal(XENVER_get_features, 6);
}

static void the_argument_lies_as_xens(void **state)
{
    (void)state;
    assert_int_equal(sizeof(struct xen_feature_info), 8);
    assert_int_equal(offsetof(struct xen_feature_info, submap_idx), 0);
    assert_int_equal(offsetof(struct xen_feature_info, submap), 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bits_have_xens_numbers),
        cmocka_unit_test(the_argument_lies_as_xens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
