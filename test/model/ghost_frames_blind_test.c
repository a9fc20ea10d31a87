/* SPDX-License-Identifier: BSD-2-Clause */
/* The model must complain when bus-frame spaces are not as they should be. */
#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SWAP (RW | IOMMU_MAP_OP_swap_mfn)

/* A second emulator for dom1. */
static struct machine_domain *add_second(struct fixture *f)
{
    static const char *const controls[] = {"dom1"};
    const struct machine_domain_config config = {
        .name = "dom2", .domid = 2, .mem = 64 << 10, .controls = controls, .nr_controls = 1};
    struct machine_domain *d = NULL;

    assert_int_equal(machine_domain_add(f->m, &config, &d), 0);
    accepts(f, ghost_domain_added(f->g, &config, 0));
    return d;
}

static void nic_to_emulator(struct fixture *f)
{
    assert_int_equal(machine_device_unassign(f->nic), 0);
    accepts(f, ghost_unassigned(f->g, f->nic, 0));
    assert_int_equal(machine_device_assign(f->nic, f->dom0), 0);
    accepts(f, ghost_assigned(f->g, f->nic, 0, 0));
}

static void made(struct fixture *f, struct pv_iommu_op op)
{
    assert_int_equal(frames_quietly(f, f->dom0, &op), 0);
}

static bool told_of(const struct fixture *f, uint16_t caller, struct pv_iommu_op op)
{
    return ghost_frames(f->g, caller, &op, &op, 1, 0);
}

static void made_and_told(struct fixture *f, struct pv_iommu_op op)
{
    made(f, op);
    accepts(f, told(f, op, 0));
    accepts(f, ghost_check(f->g));
}

static void untold_calls(void **state)
{
    struct fixture *f = *state;

    made(f, a_foreign_map(0x900, 8, RW, 1));
    notices(ghost_check(f->g));
    made(f, a_foreign_unmap(0x900, 1));
    accepts(f, ghost_check(f->g));
    made(f, a_local_map(0x900, 3, RW));
    notices(ghost_check(f->g));
    made(f, a_local_unmap(0x900));
    accepts(f, ghost_check(f->g));
    made(f, a_local_map(5, 3, RW)); /* the identity map has a hole from now on */
    made(f, a_local_unmap(5));
    notices(ghost_check(f->g));
}

static void another_mapping(void **state)
{
    struct fixture *f = *state;

    made(f, a_foreign_map(0x900, 8, RW, 1));
    accepts(f, told(f, a_foreign_map(0x900, 8, RW, IOSERVID_any), 0));
    notices(ghost_check(f->g)); /* for another server */
    made(f, a_foreign_unmap(0x900, 1));
    made(f, a_foreign_map(0x900, 8, SWAP, IOSERVID_any));
    notices(ghost_check(f->g)); /* swappable */
    made(f, a_foreign_unmap(0x900, 1));
    made(f, a_foreign_map(0x900, 9, RW, IOSERVID_any));
    notices(ghost_check(f->g)); /* another frame */
}

static void lost_tuple(void **state)
{
    struct fixture *f = *state;

    add_second(f);
    made_and_told(f, a_foreign_map(0x900, 8, RW, IOSERVID_any));
    accepts(f, told_of(f, 2, a_foreign_map(0x900, 8, RW, IOSERVID_any)));
    notices(ghost_check(f->g));
}

static void freed_while_held(void **state)
{
    struct fixture *f = *state;

    accepts(f, told(f, a_foreign_map(0x900, 8, RW, 1), 0));
    assert_int_equal(machine_balloon_out(f->dom1, 8, 1), 0);
    accepts(f, ghost_ballooned(f->g, 1, 8, 1, 0));
    notices(ghost_check(f->g));
    notices(check_frames(f->g));
}

static void swapped_in_spite(void **state)
{
    struct fixture *f = *state;
    struct pv_iommu_op second = a_foreign_map(0x900, 8, RW, IOSERVID_any);

    add_second(f);
    made_and_told(f, a_foreign_map(0x900, 8, SWAP, 1));
    accepts(f, told_of(f, 2, second));
    assert_int_equal(machine_balloon_out(f->dom1, 8, 1), 0);
    accepts(f, ghost_ballooned(f->g, 1, 8, 1, 0));
    notices(ghost_check(f->g));
}

static void not_swapped(void **state)
{
    struct fixture *f = *state;

    made_and_told(f, a_foreign_map(0x900, 8, SWAP, 1));
    made(f, a_foreign_map(0x901, 8, RW, 1));
    assert_int_equal(machine_balloon_out(f->dom1, 8, 1), 0);
    accepts(f, ghost_ballooned(f->g, 1, 8, 1, 0));
    notices(ghost_check(f->g));
}

static void shared_scratch(void **state)
{
    struct fixture *f = *state;
    struct machine_domain *second = add_second(f);
    struct pv_iommu_op op = a_foreign_map(0x900, 8, SWAP, IOSERVID_any);

    made_and_told(f, a_foreign_map(0x900, 8, SWAP, 1));
    assert_int_equal(frames_quietly(f, second, &op), 0);
    accepts(f, told_of(f, 2, a_foreign_map(0x900, 8, SWAP, IOSERVID_any)));
    accepts(f, ghost_check(f->g));
    assert_true(find_domain(f->g, 0)->scratch != find_domain(f->g, 2)->scratch);
    find_domain(f->g, 0)->scratch = find_domain(f->g, 2)->scratch;
    notices(ghost_check(f->g));
}

/* The entry points at the scratch frame, but the unit still has the old one. */
static void stale_after_swap(void **state)
{
    struct fixture *f = *state;

    nic_to_emulator(f);
    made_and_told(f, a_foreign_map(0x900, 8, SWAP, 1));
    machine_prefetch(f->m);
    accepts(f, check_caches(f->g));
    accepts(f, ghost_ballooned(f->g, 1, 8, 1, 0));
    notices(check_caches(f->g));
}

static void swapped_as_it_should_be(void **state)
{
    struct fixture *f = *state;

    nic_to_emulator(f);
    made_and_told(f, a_foreign_map(0x900, 8, SWAP, 1));
    machine_prefetch(f->m);
    assert_int_equal(machine_balloon_out(f->dom1, 8, 1), 0);
    accepts(f, ghost_ballooned(f->g, 1, 8, 1, 0));
    accepts(f, ghost_check(f->g));
    machine_prefetch(f->m);
    accepts(f, ghost_check(f->g));
}

static void digests(void **state)
{
    struct fixture *f = *state;
    uint64_t before = ghost_digest(f->g), mapped;

    made_and_told(f, a_foreign_map(0x900, 8, RW, 1));
    mapped = ghost_digest(f->g);
    assert_true(mapped != before);
    made_and_told(f, a_foreign_unmap(0x900, 1));
    assert_true(ghost_digest(f->g) != mapped);
    made_and_told(f, a_foreign_map(0x900, 8, RW, 1));
    assert_true(ghost_digest(f->g) == mapped);
    made_and_told(f, a_foreign_unmap(0x900, 1));
    made_and_told(f, a_foreign_map(0x900, 8, RW, IOSERVID_any));
    assert_true(ghost_digest(f->g) != mapped);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, with_server, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(untold_calls),     TEST(another_mapping),  TEST(lost_tuple),
        TEST(freed_while_held), TEST(swapped_in_spite), TEST(not_swapped),
        TEST(shared_scratch),   TEST(stale_after_swap), TEST(swapped_as_it_should_be),
        TEST(digests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
