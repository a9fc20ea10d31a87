/* SPDX-License-Identifier: BSD-2-Clause */
/* The model and doorbells: what is right is accepted, what is not is seen. */
#include "ghost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#define DOORBELL UINT64_C(0x20000040)
#define SEEN     UINT64_C(0x8000040)
#define NIC      ((rid_t){0x28})

struct fixture {
    struct machine *m;
    struct ghost *g;
    struct machine_device *nic;
};

static int set_up(void **state)
{
    static struct fixture f;
    static const struct sluice_region r = {0x300000, 0x300fff, SLUICE_REGION_RESERVED, 0, 0};
    const struct machine_config config = {.doorbells = {DOORBELL}, .nr_doorbells = 1};
    const struct machine_domain_config dom1 = {.name = "dom1", .domid = 1, .mem = 1 << 20};
    const struct machine_device_config nic = {
        .name = "nic", .rids = {NIC}, .nr_rids = 1, .regions = &r, .nr_regions = 1};
    struct machine_domain *d;

    assert_int_equal(machine_create(&config, &f.m, NULL), 0);
    f.g = ghost_create(f.m, &config);
    assert_int_equal(machine_domain_add(f.m, &dom1, &d), 0);
    assert_true(ghost_domain_added(f.g, &dom1, 0));
    assert_int_equal(machine_device_add(f.m, &nic, &f.nic), 0);
    assert_true(ghost_device_added(f.g, &nic, f.nic, 0));
    assert_true(ghost_check(f.g));
    assert_int_equal(machine_device_assign(f.nic, d), 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    ghost_destroy(f->g);
    return machine_destroy(f->m) ? -1 : 0;
}

static void an_untold_window(void **state)
{
    struct fixture *f = *state;

    assert_false(ghost_check(f->g));
}

static void windows_and_messages(void **state)
{
    struct fixture *f = *state;
    struct machine_delivery out;

    assert_true(ghost_assigned(f->g, f->nic, 1, 0));
    assert_true(ghost_check(f->g));
    assert_int_equal(machine_msi(f->nic, NIC, SEEN, 0x41, &out), 0);
    assert_true(ghost_msi(f->g, f->nic, NIC, SEEN, 0x41, 0, &out));
    assert_true(ghost_check(f->g));
    assert_false(ghost_msi(f->g, f->nic, NIC, SEEN, 0x42, 0, &out));
    assert_false(ghost_msi(f->g, f->nic, NIC, SEEN + 4, 0x41, 0, &out));
    assert_false(ghost_msi(f->g, f->nic, NIC, DOORBELL, 0x41, 0, &out));
    out.domain = NULL;
    assert_false(ghost_msi(f->g, f->nic, NIC, SEEN, 0x41, 0, &out));
    out.reason = HW_REASON_NOT_PRESENT;
    assert_false(ghost_msi(f->g, f->nic, NIC, SEEN, 0x41, -EACCES, &out));
}

static void a_window_that_stayed(void **state)
{
    struct fixture *f = *state;

    assert_true(ghost_assigned(f->g, f->nic, 1, 0));
    (void)ghost_unassigned(f->g, f->nic, 0);
    assert_false(ghost_check(f->g));
}

/* It came although what it takes away was pinned. */
static void a_pin_that_did_not_hold(void **state)
{
    struct fixture *f = *state;
    const struct pv_iommu_query_reserved in = {.flags = IOMMU_RESERVED_allowed | IOMMU_RESERVED_pin,
                                               .nr_ranges = 8};
    struct pv_iommu_query_reserved out = in;
    const struct ghost_call call = {
        .caller = 1, .subop = IOMMU_query_reserved, .in = &in, .out = &out};

    out.nr_ranges = 2;
    assert_true(ghost_called(f->g, &call));
    assert_false(ghost_assigned(f->g, f->nic, 1, 0));
    assert_true(ghost_assigned(f->g, f->nic, 1, -EBUSY));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_untold_window),
        T(windows_and_messages),
        T(a_window_that_stayed),
        T(a_pin_that_did_not_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
