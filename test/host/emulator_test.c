/* SPDX-License-Identifier: BSD-2-Clause */
/* Emulators of a machine: fast ones, of which nobody notices anything, and slow ones. */
#include "../../host/soft/soft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define NR 4u /* frames that the emulator has mapped, from gfn 0x10 at bus frame 0x900 on */

struct world {
    struct machine *m;
    struct machine_domain *emulator, *guest;
};

static struct machine_domain *add(struct machine *m, const char *name, uint16_t domid)
{
    static const char *const controls[] = {"guest"};
    const struct machine_domain_config config = {
        .name = name, .domid = domid, .mem = 256 << 10, .controls = controls, .nr_controls = 1};
    struct machine_domain *d;

    assert_int_equal(machine_domain_add(m, &config, &d), 0);
    return d;
}

static void map(const struct world *w, unsigned i)
{
    struct pv_iommu_op op = {
        .subop_id = IOMMUOP_map_foreign_page,
        .flags = IOMMU_MAP_OP_readable,
        .status = 77,
        .u.map_foreign_page = {.bfn = 0x900 + i, .gfn = 0x10 + i, .domid = 1, .ioserver = 3}};

    assert_int_equal(machine_guest_write(w->emulator, MACHINE_ARG, &op, sizeof(op)), 0);
    assert_int_equal(machine_frames_call(w->emulator, MACHINE_ARG, 1, 0), 0);
    assert_int_equal(machine_guest_read(w->emulator, MACHINE_ARG, &op, sizeof(op)), 0);
    assert_int_equal(op.status, 0);
}

static int set_up(void **state)
{
    const struct machine_config config = {.ram = 4 << 20};
    struct world *w = test_calloc(1, sizeof(*w));

    assert_int_equal(machine_create(&config, &w->m, NULL), 0);
    w->emulator = add(w->m, "emulator", 0);
    w->guest = add(w->m, "guest", 1);
    assert_int_equal(machine_ioreq_server(w->emulator, w->guest, 3, 1), 0);
    for (unsigned i = 0; i < NR; i++)
        map(w, i);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    const unsigned leaks = machine_destroy(w->m);

    test_free(w);
    return leaks != 0;
}

static uint64_t next(const struct world *w)
{
    struct sluice_ioreq req;
    uint16_t target = 77;

    assert_int_equal(machine_ioreq_next(w->emulator, 3, &req, &target), 0);
    assert_int_equal(req.type, IOREQ_TYPE_SLUICE_INVALIDATE);
    assert_int_equal(target, 1);
    return req.bfn;
}

static void is_told(const struct world *w, unsigned i)
{
    assert_int_equal(next(w), 0x900 + i);
}

static void is_not_told(const struct world *w, uint16_t id, int status)
{
    struct sluice_ioreq req;
    uint16_t target;

    assert_int_equal(machine_ioreq_next(w->emulator, id, &req, &target), status);
}

static void test_fast(void **state)
{
    const struct world *w = *state;

    is_not_told(w, 3, -ENODATA);
    is_not_told(w, 4, -ENODEV);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), 0);
    for (unsigned i = 0; i < NR; i++)
        is_told(w, i);
    is_not_told(w, 3, -ENODATA);
}

/* Interrupted wherever it can be, it is the same. */
static void test_in_pieces(void **state)
{
    const struct world *w = *state;

    machine_continue_every(w->m, 1);
    test_fast(state);
    assert_int_equal(machine_domain_destroy(w->m, w->guest), 0);
    is_not_told(w, 3, -ENODATA);
}

/*
 * The ring has one, the second waits; each that is fetched makes room for one more. In which order
 * they come is open: the ring is looked at first.
 */
static void test_slow(void **state)
{
    const struct world *w = *state;
    unsigned nr = 0;
    uint64_t told = 0;
    int err;

    machine_slow_emulators(w->m, true);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), -ERESTART);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), -ERESTART);
    for (; (err = machine_balloon_out(w->guest, 0x10, NR)) == -ERESTART && nr < NR; nr++)
        told |= BIT64(next(w) - 0x900);
    assert_int_equal(err, 0);
    for (; nr < NR; nr++)
        told |= BIT64(next(w) - 0x900);
    assert_int_equal(told, MASK64(NR - 1, 0));
    is_not_told(w, 3, -ENODATA);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), -ENOENT);
}

/* It makes up its mind: what waits is fetched when ballooning goes on. */
static void test_not_slow_any_more(void **state)
{
    const struct world *w = *state;

    machine_slow_emulators(w->m, true);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), -ERESTART);
    machine_slow_emulators(w->m, false);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), 0);
    for (unsigned i = 0; i < NR; i++)
        is_told(w, i);
}

/* Ends while a request waits, of each of the three: nothing hangs or is left. */
static void test_ends_while_it_waits(void **state)
{
    const struct world *w = *state;

    machine_slow_emulators(w->m, true);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), -ERESTART);
    assert_int_equal(machine_ioreq_server_end(w->emulator, w->guest, 3), 0);
    assert_int_equal(machine_ioreq_server_end(w->emulator, w->guest, 3), -ENODEV);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), 0);
    is_not_told(w, 3, -ENODEV);
}

static void test_emulator_ends_while_it_waits(void **state)
{
    const struct world *w = *state;

    machine_slow_emulators(w->m, true);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), -ERESTART);
    assert_int_equal(machine_domain_destroy(w->m, w->emulator), 0);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), 0);
}

static void test_guest_ends_while_it_waits(void **state)
{
    const struct world *w = *state;

    machine_slow_emulators(w->m, true);
    assert_int_equal(machine_balloon_out(w->guest, 0x10, NR), -ERESTART);
    assert_int_equal(machine_domain_destroy(w->m, w->guest), 0);
    is_told(w, 0);
    is_not_told(w, 3, -ENODATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_fast, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_in_pieces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_slow_any_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ends_while_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_emulator_ends_while_it_waits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_guest_ends_while_it_waits, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
