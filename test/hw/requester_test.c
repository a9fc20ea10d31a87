/* SPDX-License-Identifier: BSD-2-Clause */
/* Requester ids behind bridges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../iommu/hw/requester.h"

#define BDF(bus, slot) ((bus) << 8 | (slot) << 3)

static const struct hw_bridge port = {HW_BRIDGE_EXPRESS, {BDF(0, 0x1c)}, 1};
static const struct hw_bridge to_pci = {HW_BRIDGE_TO_PCI, {BDF(1, 0)}, 2};
static const struct hw_bridge old = {HW_BRIDGE_PCI, {BDF(2, 7)}, 3};

static void test_requester_ids(void **state)
{
    const struct {
        uint32_t function;
        struct hw_bridge up[3];
        unsigned nr, nr_ids;
        uint32_t ids[4];
    } rows[] = {
        /* on the root bus; behind a port */
        {BDF(0, 5), {port}, 0, 1, {BDF(0, 5)}},
        {BDF(1, 0), {port}, 1, 1, {BDF(1, 0)}},
        /* behind a PCI Express to PCI bridge, itself behind a port */
        {BDF(2, 5), {to_pci, port}, 2, 2, {BDF(2, 5), BDF(2, 0)}},
        /* a conventional bridge below that one: its id, then what the upper one makes of it */
        {BDF(3, 4), {old, to_pci, port}, 3, 3, {BDF(3, 4), BDF(2, 7), BDF(2, 0)}},
        {BDF(3, 4), {old}, 1, 2, {BDF(3, 4), BDF(2, 7)}},
        /* device 0 below the bridge has that id anyway */
        {BDF(2, 0), {to_pci}, 1, 1, {BDF(2, 0)}},
        /* segments stay */
        {1 << 16 | BDF(2, 5),
         {{HW_BRIDGE_TO_PCI, {1 << 16 | BDF(1, 0)}, 2}},
         1,
         2,
         {1 << 16 | BDF(2, 5), 1 << 16 | BDF(2, 0)}},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rid_t ids[4];
        unsigned nr = hw_requester_ids((rid_t){rows[i].function}, rows[i].up, rows[i].nr, ids);

        assert_int_equal(nr, rows[i].nr_ids);
        for (unsigned k = 0; k < nr; k++)
            assert_int_equal(ids[k].n, rows[i].ids[k]);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_requester_ids)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
