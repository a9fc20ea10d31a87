/* SPDX-License-Identifier: BSD-2-Clause */
/* Which bridges the devices of a machine on QEMU need, and what firmware has them use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "../../host/vtd/buses.h"
#include "../../host/vtd/vtd.h"

#define BDF(bus, slot, function) ((uint32_t)((bus) << 8 | (slot) << 3 | (function)))

struct device {
    uint32_t rid, alias[2]; /* 0: none */
    bool unprotected;
};

static int plan(const struct device *devices, unsigned nr, struct vtd_buses *out)
{
    struct machine_slot slots[4] = {0};
    struct machine m = {.config = {.slots = slots, .nr_slots = nr}};
    int err;

    for (unsigned i = 0; i < nr; i++) {
        slots[i].rids[slots[i].nr_rids++].n = devices[i].rid;
        slots[i].unprotected = devices[i].unprotected;
        for (unsigned k = 0; k < 2 && devices[i].alias[k]; k++)
            slots[i].rids[slots[i].nr_rids++].n = devices[i].alias[k];
    }
    err = vtd_buses_plan(&m, out);
    assert_true(!err == !m.error[0]);
    return err;
}

static void is_bridge(const struct vtd_buses *b, unsigned bus, enum qemu_model model,
                      unsigned above, unsigned devfn)
{
    assert_true(b->to[bus].used);
    assert_int_equal(b->to[bus].model, model);
    assert_int_equal(b->to[bus].above, above);
    assert_int_equal(b->to[bus].devfn, devfn);
}

static void test_none_needed(void **state)
{
    static const struct device devices[] = {{.rid = BDF(0, 5, 0)},
                                            {.rid = 1u << 16 | BDF(1, 5, 0)}};
    struct vtd_buses b;

    (void)state;
    assert_int_equal(plan(devices, 2, &b), 0);
    for (unsigned bus = 0; bus < 256; bus++)
        assert_false(b.to[bus].used);
}

/* Bridges stand around devices, in the order of their buses. */
static void test_places(void **state)
{
    static const struct device devices[] = {
        {.rid = BDF(9, 0, 0)},
        {.rid = BDF(0, 2, 0)},
        {.rid = BDF(1, 5, 0), .alias = {BDF(1, 0, 0)}},
        {.rid = BDF(3, 4, 0), .alias = {BDF(0, 7, 0)}},
    };
    struct vtd_buses b;

    (void)state;
    assert_int_equal(plan(devices, 4, &b), 0);
    is_bridge(&b, 1, QEMU_PCIE_PCI_BRIDGE, 0, 1 << 3);
    is_bridge(&b, 3, QEMU_PCI_BRIDGE, 0, 7 << 3);
    is_bridge(&b, 9, QEMU_ROOT_PORT, 0, 8 << 3);
}

static void test_nested(void **state)
{
    static const struct device devices[] = {
        {.rid = BDF(3, 4, 0), .alias = {BDF(2, 7, 0), BDF(2, 0, 0)}},
        {.rid = BDF(3, 5, 0), .alias = {BDF(2, 7, 0), BDF(2, 0, 0)}},
        {.rid = BDF(2, 3, 0), .alias = {BDF(2, 0, 0)}},
    };
    struct vtd_buses b;

    (void)state;
    assert_int_equal(plan(devices, 3, &b), 0);
    is_bridge(&b, 2, QEMU_PCIE_PCI_BRIDGE, 0, 1 << 3);
    is_bridge(&b, 3, QEMU_PCI_BRIDGE, 2, 7 << 3);
}

static void test_refused(void **state)
{
    static const struct {
        struct device devices[2];
        unsigned nr;
    } rows[] = {
        {{{.rid = BDF(0, 0x1f, 0)}}, 1},                       /* the chipset's */
        {{{.rid = BDF(0, 5, 0), .alias = {BDF(0, 5, 1)}}}, 1}, /* a phantom function */
        {{{.rid = BDF(1, 5, 0)}}, 1},                          /* behind what? */
        {{{.rid = BDF(3, 5, 0), .alias = {BDF(2, 7, 0)}}}, 1}, /* and behind what is 2? */
        {{{.rid = BDF(1, 5, 0), .alias = {BDF(5, 7, 0)}}}, 1}, /* further down */
        {{{.rid = BDF(1, 5, 0), .alias = {BDF(1, 7, 0)}}}, 1}, /* beside it */
        {{{.rid = BDF(1, 5, 0), .alias = {1u << 16 | BDF(0, 7, 0)}}}, 1},    /* elsewhere */
        {{{.rid = BDF(1, 5, 0), .alias = {BDF(1, 0, 0), BDF(0, 7, 0)}}}, 1}, /* beyond bus 0 */
        {{{.rid = BDF(1, 5, 0), .alias = {BDF(0, 0x1f, 0)}}}, 1},
        {{{.rid = BDF(0, 5, 0)}, {.rid = BDF(0, 5, 0)}}, 2},
        {{{.rid = BDF(0, 5, 0)}, {.rid = BDF(1, 5, 0), .alias = {BDF(0, 5, 0)}}}, 2},
        {{{.rid = BDF(1, 0, 0)}, {.rid = BDF(1, 5, 0), .alias = {BDF(1, 0, 0)}}}, 2},
        {{{.rid = BDF(2, 5, 0), .alias = {BDF(0, 3, 0)}},
          {.rid = BDF(1, 5, 0), .alias = {BDF(0, 4, 0)}}},
         2}, /* bus 2 comes before bus 1 */
    };
    struct vtd_buses b;

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(plan(rows[i].devices, rows[i].nr, &b), -EOPNOTSUPP);
}

/* QEMU's firmware has devices use no memory; this one does. */
static void test_reserved(void **state)
{
    static struct vtd_state s;
    struct sluice_region r;

    (void)state;
    s.topology.nr_reserved = s.topology.nr_scopes = 2;
    for (unsigned i = 0; i < 2; i++) {
        s.topology.reserved[i].first = mfn_of(0x100 + i);
        s.topology.reserved[i].last = mfn_of(0x100 + i);
        s.topology.scope[i] = (struct vtd_topology_scope){
            .at = {8}, .type = DMAR_SCOPE_ENDPOINT, .owner = (uint8_t)i};
    }
    assert_true(vtd_reserved(&s, (rid_t){8}, 0, &r));
    assert_int_equal(r.first, 0x100000);
    assert_int_equal(r.last, 0x100fff);
    assert_int_equal(r.type, SLUICE_REGION_DIRECT);
    assert_int_equal(r.prot, PT_READ | PT_WRITE);
    assert_true(vtd_reserved(&s, (rid_t){8}, 1, &r));
    assert_int_equal(r.first, 0x101000);
    assert_false(vtd_reserved(&s, (rid_t){8}, 2, &r));
    assert_false(vtd_reserved(&s, (rid_t){9}, 0, &r));
}

/* A root bus that the unit does not translate for, and a port on it. */
static void test_unprotected(void **state)
{
    static const struct device ok[] = {{.rid = BDF(0x41, 0, 0), .unprotected = true},
                                       {.rid = BDF(1, 0, 0)}};
    static const struct device wrong[][2] = {
        {{.rid = BDF(0, 5, 0), .unprotected = true}},
        {{.rid = BDF(1, 0, 0), .unprotected = true}},
        {{.rid = BDF(0x41, 1, 0), .unprotected = true}},
        {{.rid = BDF(0x41, 0, 0), .alias = {BDF(0x41, 0, 1)}, .unprotected = true}},
        {{.rid = BDF(0x41, 0, 0), .unprotected = true}, {.rid = BDF(0x40, 0, 0)}},
    };
    struct vtd_buses b;

    (void)state;
    assert_int_equal(plan(ok, 2, &b), 0);
    is_bridge(&b, 1, QEMU_ROOT_PORT, 0, 1 << 3);
    is_bridge(&b, 0x40, QEMU_OPEN_ROOT, 0, 2 << 3);
    is_bridge(&b, 0x41, QEMU_ROOT_PORT, 0x40, 0);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(plan(wrong[i], wrong[i][1].rid ? 2 : 1, &b), -EOPNOTSUPP);
}

/* All requester ids of a device go to one unit, or to none. */
static void test_unit_of_all_ids(void **state)
{
    static struct vtd_state s;
    struct machine m = {.state = &s};
    const rid_t rids[] = {{8}, {16}, {24}};
    struct hw_unit *unit;

    (void)state;
    s.topology.nr_units = s.nr_units = 2;
    s.topology.nr_scopes = 3;
    for (unsigned i = 0; i < 3; i++)
        s.topology.scope[i] = (struct vtd_topology_scope){
            .at = rids[i], .type = DMAR_SCOPE_ENDPOINT, .owner = i == 2, .of_unit = true};
    assert_int_equal(vtd_unit_for(&m, rids, 2, &unit), 0);
    assert_ptr_equal(unit, &s.units[0].unit.hw);
    assert_int_equal(vtd_unit_for(&m, rids + 2, 1, &unit), 0);
    assert_ptr_equal(unit, &s.units[1].unit.hw);
    assert_int_equal(vtd_unit_for(&m, rids, 3, &unit), -EOPNOTSUPP);
    s.topology.nr_scopes = 0;
    assert_int_equal(vtd_unit_for(&m, rids, 3, &unit), 0);
    assert_null(unit);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_none_needed), cmocka_unit_test(test_places),
        cmocka_unit_test(test_nested),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_reserved),    cmocka_unit_test(test_unit_of_all_ids),
        cmocka_unit_test(test_unprotected),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
