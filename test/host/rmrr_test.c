/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserved memory of a DMAR table, on its way to where it counts: into the regions of the devices
 * that the table names, by firmware, mapped wherever they go.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "../../host/soft/soft.h"
#include "../../host/vtd/vtd.h"
#include "../hw/vtd_dmar.h"

#define FIRST    0x300000u
#define LAST     0x302fffu
#define KEYBOARD ((rid_t){0x28})
#define OTHER    ((rid_t){0x30})

static struct vtd_state state;

static int buses(void *arg, rid_t bridge, uint8_t *secondary, uint8_t *subordinate)
{
    (void)arg;
    (void)bridge;
    (void)secondary;
    (void)subordinate;
    return -ENODEV;
}

static bool is_reserved(void *arg, mfn_t first, mfn_t last)
{
    (void)arg;
    return first.n >= FIRST >> FRAME_LG2 && last.n <= LAST >> FRAME_LG2;
}

static int no_quirk(void *arg, enum dmar_quirk quirk, uint32_t offset)
{
    (void)arg;
    (void)quirk;
    (void)offset;
    return -EINVAL;
}

static void read_table(void)
{
    static const struct vtd_platform platform = {NULL, buses, is_reserved, no_quirk};
    static struct table t;

    start(&t);
    unit(&t, 1, 0, 0xfed90000);
    end(&t);
    rmrr(&t, FIRST, LAST);
    scope(&t, 1, 0, 0, 5, 0);
    end(&t);
    seal(&t);
    assert_int_equal(vtd_topology_read(&state.topology, t.byte, t.size, &platform), 0);
}

static bool region(struct machine *m, rid_t rid, unsigned index, struct sluice_region *out)
{
    (void)m;
    return vtd_reserved(&state, rid, index, out);
}

/* As a host does it: all that the machine demands. */
static struct machine_device *added(struct machine *m, const char *name, rid_t rid)
{
    struct sluice_region r[4];
    struct machine_device_config config = {.name = name, .rids = {rid}, .nr_rids = 1, .regions = r};
    struct machine_device *dev;

    while (machine_region(m, rid, config.nr_regions, &r[config.nr_regions]))
        config.nr_regions++;
    assert_int_equal(machine_device_add(m, &config, &dev), 0);
    return dev;
}

static int write_at(struct machine_device *dev, uint64_t addr)
{
    enum hw_reason reason;
    uint64_t word = 1;

    return machine_dma(dev, machine_device_rid(dev), 0, addr, &word, sizeof(word), true, &reason);
}

static void test_way(void **unused)
{
    static const struct sluice_region hole = {FIRST, LAST, SLUICE_REGION_DIRECT, PT_READ | PT_WRITE,
                                              SLUICE_REGION_BY_FIRMWARE};
    struct machine_backend backend = soft_backend;
    const struct machine_config config = {
        .backend = &backend, .blocked = true, .holes = &hole, .nr_holes = 1};
    const struct machine_domain_config guest = {.name = "dom1", .domid = 1, .mem = 1 << 20};
    struct machine_device *keyboard, *other;
    struct machine_domain *d;
    struct sluice_region r;
    struct machine *m;

    (void)unused;
    read_table();
    backend.region = region;
    assert_int_equal(machine_create(&config, &m, NULL), 0);
    assert_int_equal(machine_domain_add(m, &guest, &d), 0);
    keyboard = added(m, "keyboard", KEYBOARD);
    other = added(m, "other", OTHER);
    assert_int_equal(sluice_device_region(machine_device_sluice(keyboard), 0, &r), 0);
    assert_true(r.first == FIRST && r.last == LAST && r.prot == hole.prot);
    assert_int_equal(r.type, SLUICE_REGION_DIRECT);
    assert_int_equal(r.source, SLUICE_REGION_BY_FIRMWARE);
    assert_int_equal(sluice_device_region(machine_device_sluice(keyboard), 1, &r), -ENOENT);
    assert_int_equal(sluice_device_region(machine_device_sluice(other), 0, &r), -ENOENT);
    for (unsigned i = 0; i < 3; i++) { /* in quarantine, a guest's, in quarantine */
        assert_int_equal(write_at(keyboard, FIRST), 0);
        assert_int_equal(write_at(keyboard, LAST - 7), 0);
        assert_int_equal(write_at(keyboard, LAST + 1), -EACCES);
        assert_int_equal(write_at(other, FIRST), -EACCES);
        if (i < 2)
            assert_int_equal(
                i ? machine_device_unassign(keyboard) : machine_device_assign(keyboard, d), 0);
    }
    assert_int_equal(machine_destroy(m), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_way)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
