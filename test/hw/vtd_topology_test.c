/* SPDX-License-Identifier: BSD-2-Clause */
/* Which unit a device is behind: good platforms, and bus numbers that nobody should believe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../iommu/hw/vtd/topology.h"
#include "vtd_dmar.h"

#define ENDPOINT 1
#define BRIDGE   2
#define IOAPIC   3
#define HPET     4

#define A 0xfed90000u
#define B 0xfed91000u
#define C 0xfed92000u

#define RID(segment, bus, slot, function) rid_of(segment, bus, (uint8_t)((slot) << 3 | (function)))

struct bridge {
    uint16_t segment;
    uint8_t bus, slot, secondary, subordinate;
};

/* Below 00:1c.0 buses 1 to 3, of which 2 and 3 are below 01:02.0, and 3 below 02:00.0. */
static const struct bridge tree[] = {
    {0, 0, 0x1c, 1, 3}, {0, 1, 2, 2, 3}, {0, 2, 0, 3, 3}, {0, 0, 0x1d, 4, 4}, {1, 0, 0x1c, 1, 1},
};

struct host {
    const struct bridge *bridges;
    unsigned nr;
    unsigned quirks[DMAR_NR_QUIRKS];
    uint32_t offset[DMAR_NR_QUIRKS]; /* of the last one */
    int refuse;
};

static int buses(void *arg, rid_t rid, uint8_t *secondary, uint8_t *subordinate)
{
    const struct host *h = arg;

    for (unsigned i = 0; i < h->nr; i++) {
        const struct bridge *b = &h->bridges[i];

        if (RID(b->segment, b->bus, b->slot, 0).n != rid.n)
            continue;
        *secondary = b->secondary;
        *subordinate = b->subordinate;
        return 0;
    }
    return -ENODEV;
}

static bool is_reserved(void *arg, mfn_t first, mfn_t last)
{
    (void)arg;
    (void)first;
    (void)last;
    return true;
}

static int quirk(void *arg, enum dmar_quirk q, uint32_t offset)
{
    struct host *h = arg;

    h->quirks[q]++;
    h->offset[q] = offset;
    return h->refuse;
}

static struct host host_of(const struct bridge *bridges, unsigned nr)
{
    return (struct host){.bridges = bridges, .nr = nr};
}

static int read_table(struct table *t, struct vtd_topology *out, struct host *h)
{
    const struct vtd_platform platform = {h, buses, is_reserved, quirk};

    seal(t);
    return vtd_topology_read(out, t->byte, t->size, &platform);
}

static void read_ok(struct table *t, struct vtd_topology *out, struct host *h)
{
    assert_int_equal(read_table(t, out, h), 0);
}

static struct host good_host(void)
{
    return host_of(tree, sizeof(tree) / sizeof(tree[0]));
}

/* A: the graphics at 00:02.0; B: what is below 01:02.0, and 00:03.0; C: all else. */
static void good(struct table *t)
{
    start(t);
    unit(t, 0, 0, A);
    scope(t, ENDPOINT, 0, 0, 2, 0);
    end(t);
    unit(t, 0, 0, B);
    deep_scope(t, BRIDGE, 0, 0x001c, 0x0002);
    scope(t, ENDPOINT, 0, 0, 3, 0);
    end(t);
    unit(t, 1, 0, C);
    scope(t, IOAPIC, 2, 0xf0, 0x1f, 7);
    scope(t, HPET, 0, 0, 0x1f, 0);
    end(t);
}

static void test_units(void **state)
{
    static const struct {
        uint8_t bus, slot, function;
        int unit;
    } rows[] = {
        {0, 2, 0, 0},                  /* named */
        {0, 2, 1, 2},                  /* its neighbour is not */
        {0, 3, 0, 1},                  /* named */
        {0, 0x1c, 0, 2},               /* a bridge above the scope's */
        {1, 0, 0, 2},                  /* on the bus of the scope's bridge, beside it */
        {1, 2, 0, 1},                  /* the scope's bridge itself */
        {2, 0, 0, 1},                  /* below it */
        {2, 31, 7, 1},   {3, 5, 0, 1}, /* further below */
        {4, 0, 0, 2},                  /* below another one */
        {0x80, 0, 0, 2},               /* nobody's */
    };
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;

    (void)state;
    good(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(out.nr_units, 3);
    assert_int_equal(out.unit[1].base, B);
    assert_false(out.unit[1].include_all);
    assert_true(out.unit[2].include_all);
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(
            vtd_topology_unit(&out, RID(0, rows[i].bus, rows[i].slot, rows[i].function)),
            rows[i].unit);
    for (unsigned i = 0; i < DMAR_NR_QUIRKS; i++)
        assert_int_equal(h.quirks[i], 0);
}

/* The same table: a device that is named stays its unit's, wherever a bridge stands. */
static void test_endpoint_beats_bridge(void **state)
{
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 1, 0, A);
    end(&t);
    unit(&t, 0, 0, B);
    scope(&t, BRIDGE, 0, 0, 0x1c, 0);
    end(&t);
    unit(&t, 0, 0, C);
    scope(&t, ENDPOINT, 0, 2, 5, 0);
    scope(&t, BRIDGE, 0, 1, 2, 0); /* inside B's: the first one has it */
    end(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 2, 5, 0)), 2);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 2, 6, 0)), 1);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 5, 0, 0)), 0);
}

/* Two units name a device: the first has it. */
static void test_first_wins(void **state)
{
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 0, 0, A);
    scope(&t, ENDPOINT, 0, 1, 4, 0);
    end(&t);
    unit(&t, 0, 0, B);
    deep_scope(&t, ENDPOINT, 0, 0x001c, 0x0004); /* the same device, by another path */
    end(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 1, 4, 0)), 0);
}

static void test_no_include_all(void **state)
{
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 0, 0, A);
    scope(&t, ENDPOINT, 0, 0, 2, 0);
    end(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(h.quirks[DMAR_QUIRK_INCLUDE_ALL_NONE], 1);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 0, 2, 0)), 0);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 0, 3, 0)), -ENODEV);
}

static void test_segments(void **state)
{
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 1, 0, A);
    end(&t);
    unit(&t, 0, 1, B);
    scope(&t, BRIDGE, 0, 0, 0x1c, 0);
    scope(&t, ENDPOINT, 0, 0, 2, 0);
    end(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(out.unit[1].segment, 1);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 1, 0, 0)), 0);
    assert_int_equal(vtd_topology_unit(&out, RID(1, 1, 0, 0)), 1);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 0, 2, 0)), 0);
    assert_int_equal(vtd_topology_unit(&out, RID(1, 0, 2, 0)), 1);
    assert_int_equal(vtd_topology_unit(&out, RID(1, 0, 3, 0)), -ENODEV);
    assert_int_equal(vtd_topology_unit(&out, RID(2, 0, 3, 0)), -ENODEV);
}

/* The second time, a unit brings more scopes, and perhaps all the rest. */
static void test_duplicate(void **state)
{
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 0, 0, A);
    end(&t);
    unit(&t, 0, 0, B);
    scope(&t, ENDPOINT, 0, 0, 2, 0);
    end(&t);
    unit(&t, 1, 0, A);
    end(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(out.nr_units, 2);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 0, 2, 0)), 1);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 0, 3, 0)), 0);
}

/* A unit cannot be of two segments: started twice, it would forget the first. */
static void test_two_segments_one_base(void **state)
{
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;
    size_t second;

    (void)state;
    start(&t);
    unit(&t, 1, 0, A);
    end(&t);
    second = t.size;
    unit(&t, 1, 1, A);
    scope(&t, ENDPOINT, 0, 0, 2, 0);
    end(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(out.nr_units, 1);
    assert_int_equal(h.quirks[DMAR_QUIRK_UNIT_BASE], 1);
    assert_int_equal(h.offset[DMAR_QUIRK_UNIT_BASE], second);
    assert_int_equal(vtd_topology_unit(&out, RID(1, 0, 2, 0)), -ENODEV);
}

static void test_reserved(void **state)
{
    struct dmar_reserved r;
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;
    unsigned next = 0;

    (void)state;
    good(&t);
    rmrr(&t, 0x7a000000, 0x7a000fff);
    scope(&t, ENDPOINT, 0, 0, 2, 0);
    scope(&t, ENDPOINT, 0, 1, 4, 0);
    end(&t);
    rmrr(&t, 0x7b000000, 0x7b0fffff);
    scope(&t, BRIDGE, 0, 0, 0x1c, 0);
    end(&t);
    rmrr_in(&t, 1, 0x7c000000, 0x7c000fff);
    scope(&t, ENDPOINT, 0, 0, 2, 0);
    end(&t);
    read_ok(&t, &out, &h);

    assert_true(vtd_topology_reserved(&out, RID(0, 0, 2, 0), &next, &r));
    assert_int_equal(r.first.n, 0x7a000);
    assert_int_equal(r.last.n, 0x7a000);
    assert_false(vtd_topology_reserved(&out, RID(0, 0, 2, 0), &next, &r));

    next = 0; /* named, and below the bridge */
    assert_true(vtd_topology_reserved(&out, RID(0, 1, 4, 0), &next, &r));
    assert_true(vtd_topology_reserved(&out, RID(0, 1, 4, 0), &next, &r));
    assert_int_equal(r.first.n, 0x7b000);
    assert_false(vtd_topology_reserved(&out, RID(0, 1, 4, 0), &next, &r));

    next = 0; /* two bridges further down */
    assert_true(vtd_topology_reserved(&out, RID(0, 3, 0, 0), &next, &r));
    assert_int_equal(r.last.n, 0x7b0ff);

    next = 0;
    assert_true(vtd_topology_reserved(&out, RID(1, 0, 2, 0), &next, &r));
    assert_int_equal(r.first.n, 0x7c000);
    next = 0;
    assert_false(vtd_topology_reserved(&out, RID(0, 4, 0, 0), &next, &r));
    /* A region's scopes make nobody's unit. */
    assert_int_equal(vtd_topology_unit(&out, RID(0, 1, 4, 0)), 2);
}

static void test_sources(void **state)
{
    struct vtd_topology out;
    struct host h = good_host();
    struct table t;
    unsigned u;
    rid_t rid;

    (void)state;
    good(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(vtd_topology_source(&out, DMAR_SCOPE_IOAPIC, 2, &u, &rid), 0);
    assert_int_equal(u, 2);
    assert_int_equal(rid.n, RID(0, 0xf0, 0x1f, 7).n);
    assert_int_equal(vtd_topology_source(&out, DMAR_SCOPE_HPET, 0, &u, &rid), 0);
    assert_int_equal(rid.n, RID(0, 0, 0x1f, 0).n);
    assert_int_equal(vtd_topology_source(&out, DMAR_SCOPE_IOAPIC, 3, &u, &rid), -ENODEV);
    /* It is no device's requester id. */
    assert_int_equal(vtd_topology_unit(&out, RID(0, 0xf0, 0x1f, 7)), 2);
}

/* The scope of a bridge whose numbers cannot be, and what is behind it, is nobody's. */
static void test_hostile_buses(void **state)
{
    static const struct bridge rows[] = {
        {0, 0, 0x1c, 0, 0},   /* never numbered */
        {0, 0, 0x1c, 0, 255}, /* everything is below it, itself too */
        {0, 0, 0x1c, 5, 4},   /* ends before it begins */
        {0, 0, 0x1d, 1, 1},   /* there is none */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct host h = host_of(&rows[i], 1);
        struct vtd_topology out;
        struct table t;

        start(&t);
        unit(&t, 0, 0, A);
        scope(&t, BRIDGE, 0, 0, 0x1c, 0);
        end(&t);
        read_ok(&t, &out, &h);
        assert_int_equal(h.quirks[DMAR_QUIRK_SCOPE_NOWHERE], 1);
        assert_int_equal(h.offset[DMAR_QUIRK_SCOPE_NOWHERE], 48 + 16);
        for (unsigned bus = 0; bus < 256; bus++)
            assert_int_equal(vtd_topology_unit(&out, RID(0, (uint8_t)bus, 0x1c, 0)), -ENODEV);
    }
}

/* A path goes down only: from 00:1c.0 to bus 1, and from there back. */
static void test_loop(void **state)
{
    static const struct bridge loop[] = {{0, 0, 0x1c, 1, 255}, {0, 1, 0, 1, 255}, {0, 2, 0, 1, 2}};
    struct host h = host_of(loop, 3);
    struct vtd_topology out;
    struct table t;

    (void)state;
    start(&t);
    unit(&t, 0, 0, A);
    deep_scope(&t, BRIDGE, 0, 0x001c, 0x0000);
    deep_scope(&t, ENDPOINT, 2, 0x0000, 0x0003);
    end(&t);
    read_ok(&t, &out, &h);
    assert_int_equal(h.quirks[DMAR_QUIRK_SCOPE_NOWHERE], 2);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 1, 3, 0)), -ENODEV);
}

static void test_host_refuses(void **state)
{
    struct host h = {.refuse = -EPERM};
    struct vtd_topology out;
    struct table t;

    (void)state;
    good(&t);
    assert_int_equal(read_table(&t, &out, &h), -EPERM);
    assert_int_equal(out.nr_units, 0);
    assert_int_equal(vtd_topology_unit(&out, RID(0, 0, 2, 0)), -ENODEV);
}

static void many_units(struct table *t, unsigned nr)
{
    start(t);
    for (unsigned i = 0; i < nr; i++) {
        unit(t, 0, 0, A + 0x1000ull * i);
        end(t);
    }
}

static void many_regions(struct table *t, unsigned nr)
{
    start(t);
    for (unsigned i = 0; i < nr; i++) {
        rmrr(t, 0x7a000000 + 0x1000ull * i, 0x7a000fff + 0x1000ull * i);
        end(t);
    }
}

static void many_scopes(struct table *t, unsigned nr)
{
    start(t);
    unit(t, 0, 0, A);
    for (unsigned i = 0; i < nr; i++)
        scope(t, ENDPOINT, 0, i >> 8, i >> 3 & 0x1f, i & 7);
    end(t);
}

static void test_limits(void **state)
{
    static const struct {
        void (*make)(struct table *t, unsigned nr);
        unsigned most;
    } rows[] = {{many_units, VTD_TOPOLOGY_UNITS},
                {many_regions, VTD_TOPOLOGY_RESERVED},
                {many_scopes, VTD_TOPOLOGY_SCOPES}};
    struct host h = good_host();
    struct vtd_topology out;
    struct table t;

    (void)state;
    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rows[i].make(&t, rows[i].most);
        read_ok(&t, &out, &h);
        rows[i].make(&t, rows[i].most + 1);
        assert_int_equal(read_table(&t, &out, &h), -ENOSPC);
        assert_int_equal(out.nr_units, 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
        cmocka_unit_test(test_endpoint_beats_bridge),
        cmocka_unit_test(test_first_wins),
        cmocka_unit_test(test_no_include_all),
        cmocka_unit_test(test_segments),
        cmocka_unit_test(test_duplicate),
        cmocka_unit_test(test_two_segments_one_base),
        cmocka_unit_test(test_reserved),
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_hostile_buses),
        cmocka_unit_test(test_loop),
        cmocka_unit_test(test_host_refuses),
        cmocka_unit_test(test_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
