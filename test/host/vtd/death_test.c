/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU is killed under a machine, at any moment: calls come back in time with an error, the unit is
 * given up, the cause is named, and nothing is left behind.
 */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define IN_TIME 2.0 /* seconds; none of it takes more than some waits of 0.2 */

static unsigned nr_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned nr = 0;

    assert_non_null(dir);
    while (readdir(dir))
        nr++;
    closedir(dir);
    return nr;
}

/* Dead when it returns, but not reaped. Never to a whole process group, which 0 would be. */
static void kill_qemu(const struct machine *m)
{
    const struct vtd_state *state = m->state;
    const pid_t pid = qemu_pid(state->q);
    siginfo_t info;

    if (pid <= 0)
        return;
    kill(pid, SIGKILL);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

/* Domains and devices go as ever; of the unit's tables, some stay its own. No child is left. */
static void close_dead(struct rig *r)
{
    const double start = seconds();

    (void)machine_destroy(r->m);
    assert_true(seconds() - start < IN_TIME);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void assert_cause_is_named(const struct rig *r)
{
    const char *why = machine_gone(r->m);

    assert_non_null(why);
    assert_non_null(strstr(why, "QEMU was killed by signal 9"));
}

static void between_calls(void **state)
{
    const struct machine_config config = {.backend = &vtd_backend};
    const unsigned before = nr_descriptors();
    struct machine_stats stats;
    struct rig r;
    uint16_t c;
    double start;

    (void)state;
    rig_open(&r, &config);
    c = rig_context(&r);
    rig_ok(&r, rig_map(&r, c, 0, 16));
    rig_ok(&r, rig_reattach(&r, 0, c));
    assert_int_equal(rig_dma(&r, 0, 3, 0x1234), 0);
    assert_null(machine_gone(r.m));
    kill_qemu(r.m);
    start = seconds();
    rig_ok(&r, rig_map(&r, c, 16, 16)); /* nothing of it is hardware's */
    assert_false(rig_failed(&r));
    assert_int_equal(rig_unmap(&r, c, 0, 4), -EIO);
    assert_true(rig_failed(&r));
    machine_stats(r.m, &stats);
    assert_int_equal(stats.lost_frames, 4);
    assert_int_equal(rig_unmap(&r, c, 8, 4), -EIO);
    assert_int_equal(rig_reattach(&r, 1, c), -EIO);
    assert_int_equal(rig_dma(&r, 0, 3, 0x5678), -EIO);
    assert_non_null(strstr(machine_error(r.m), "QEMU was killed by signal 9"));
    assert_int_equal(rig_word(&r, 3), 0x1234);
    assert_cause_is_named(&r);
    assert_true(seconds() - start < IN_TIME);
    close_dead(&r);
    assert_int_equal(nr_descriptors(), before);
}

/* ---- At the n-th register access of the driver -------------------------------------------------
 */

static unsigned fuse; /* 0: it does not burn */

static void burn(const struct machine *m)
{
    if (fuse && !--fuse)
        kill_qemu(m);
}

static uint64_t burning_read(struct machine *m, uint64_t maddr, unsigned size)
{
    burn(m);
    return vtd_backend.mmio_read(m, maddr, size);
}

/* Tail writes are lost when the flush is to wait: then it is the waiting that is interrupted. */
static bool tail_lost;

static void burning_write(struct machine *m, uint64_t maddr, unsigned size, uint64_t value)
{
    burn(m);
    if (!tail_lost || maddr != QEMU_VTD_REGISTERS + VTD_IQT)
        vtd_backend.mmio_write(m, maddr, size, value);
}

static void while_a_flush_waits(void **state)
{
    struct machine_backend backend = vtd_backend;
    const struct machine_config config = {.backend = &backend};
    const unsigned before = nr_descriptors();
    struct rig r;
    uint16_t c;
    double start;

    (void)state;
    backend.mmio_read = burning_read;
    backend.mmio_write = burning_write;
    rig_open(&r, &config);
    c = rig_context(&r);
    rig_ok(&r, rig_map(&r, c, 0, 16));
    rig_ok(&r, rig_reattach(&r, 0, c));
    tail_lost = true;
    fuse = 50;
    start = seconds();
    assert_int_equal(rig_unmap(&r, c, 0, 16), -EIO);
    assert_true(seconds() - start < IN_TIME);
    assert_int_equal(fuse, 0);
    assert_true(rig_failed(&r));
    assert_cause_is_named(&r);
    tail_lost = false;
    close_dead(&r);
    assert_int_equal(nr_descriptors(), before);
}

/* Whatever comes of the calls: after the first that hardware was wanted for, all that do say so. */
static void work(struct rig *r, uint16_t c)
{
    (void)rig_map(r, c, 0, 16);
    (void)rig_reattach(r, 0, c);
    (void)rig_dma(r, 0, 3, 0x1234);
    (void)rig_unmap(r, c, 0, 8);
    (void)rig_reattach(r, 1, c);
    (void)rig_reattach(r, 0, 0);
    (void)rig_unmap(r, c, 8, 8);
}

static bool killed_at(unsigned nth)
{
    struct machine_backend backend = vtd_backend;
    const struct machine_config config = {.backend = &backend};
    struct rig r;
    uint16_t c;
    double start;
    bool burnt;

    backend.mmio_read = burning_read;
    backend.mmio_write = burning_write;
    rig_open(&r, &config);
    c = rig_context(&r);
    rig_ok(&r, rig_reattach(&r, 1, c));
    fuse = nth;
    start = seconds();
    work(&r, c);
    assert_true(seconds() - start < IN_TIME);
    burnt = !fuse;
    fuse = 0;
    if (burnt) {
        assert_int_equal(rig_reattach(&r, 1, 0), -EIO);
        assert_true(rig_failed(&r));
        assert_cause_is_named(&r);
        close_dead(&r);
    } else {
        assert_int_equal(machine_destroy(r.m), 0);
    }
    return burnt;
}

static void at_every_access(void **state)
{
    const unsigned before = nr_descriptors();
    unsigned nth = 1;

    (void)state;
    while (killed_at(nth))
        nth++;
    assert_true(nth > 5);
    assert_int_equal(nr_descriptors(), before);
}

static void remove_dead_units(struct machine *m)
{
    kill_qemu(m);
    vtd_backend.remove_units(m);
}

static void as_its_units_stop(void **state)
{
    struct machine_backend backend = vtd_backend;
    const struct machine_config config = {.backend = &backend};
    char gone[MACHINE_ERROR_SIZE];
    struct rig r;

    (void)state;
    backend.remove_units = remove_dead_units;
    rig_open(&r, &config);
    (void)machine_end(r.m, gone);
    assert_non_null(strstr(gone, "QEMU was killed by signal 9"));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(between_calls),
        cmocka_unit_test(while_a_flush_waits),
        cmocka_unit_test(at_every_access),
        cmocka_unit_test(as_its_units_stop),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
