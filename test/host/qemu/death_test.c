/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Death of QEMU, and of its owner: bounded, reported, nothing left behind.
 */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../host/qemu/qmp.h"
#include "../../../host/qemu/qtest.h"

#define CAP (QEMU_VTD_REGISTERS + 8)

static const struct qemu_config plain = {.ram = 64u << 20, .intremap = true};

/* Never to a whole process group, which 0 would be. */
static void signal_qemu(const struct qemu *q, int signal)
{
    assert_true(qemu_pid(q) > 0);
    kill(qemu_pid(q), signal);
}

static void test_killed(void **state)
{
    struct qemu *q = rig_start(&plain);
    double start = seconds();
    uint64_t value;
    (void)state;

    signal_qemu(q, SIGKILL);
    assert_int_equal(qemu_mmio_read(q, CAP, 8), ~0ull);
    assert_true(qemu_dead(q));
    assert_non_null(strstr(qemu_error(q), "signal 9"));
    assert_int_equal(qtest_read(q, 0, 4, &value), -EIO);
    assert_int_equal(qmp_execute(q, "query-version", NULL, NULL), -EIO);
    assert_int_equal(qemu_pid(q), 0);
    qemu_mmio_write(q, CAP, 8, 0);
    assert_true(seconds() - start < 5);
    qemu_stop(q);
}

/* While a queue of posted writes goes out: an error, no SIGPIPE. */
static void test_killed_posting(void **state)
{
    struct qemu *q = rig_start(&plain);
    (void)state;

    qemu_post_writes(q, true);
    for (unsigned i = 0; i < 1000; i++) {
        if (i == 500)
            signal_qemu(q, SIGKILL);
        qemu_mmio_write(q, 0x200000, 4, i);
    }
    assert_int_equal(qtest_flush(q), -EIO);
    qemu_stop(q);
}

static void test_stopped(void **state)
{
    struct qemu_config config = plain;
    double start;
    struct qemu *q;
    uint64_t value;
    (void)state;

    config.timeout_ms = 3000;
    q = rig_start(&config);
    signal_qemu(q, SIGSTOP);
    start = seconds();
    assert_int_equal(qtest_read(q, CAP, 8, &value), -ETIMEDOUT);
    assert_true(seconds() - start < 8);
    assert_int_equal(qemu_pid(q), 0);
    qemu_stop(q);
}

static unsigned entries(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    unsigned nr = 0;

    assert_non_null(dir);
    while ((e = readdir(dir)))
        nr += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(dir);
    return nr;
}

/* Starts a machine in `dir`, tells its pid, and waits to be killed. */
static void __attribute__((noreturn)) owner(const char *dir, int tell)
{
    struct qemu *q;
    pid_t pid = 0;

    if (!chdir(dir) && !setenv("TMPDIR", dir, 1) && !qemu_start(&plain, &q, NULL))
        pid = qemu_pid(q);
    if (write(tell, &pid, sizeof(pid)) == sizeof(pid))
        for (;;)
            pause();
    _exit(1);
}

/* Our own now that its owner has gone: it must end soon. */
static void assert_ends(pid_t pid)
{
    double end = seconds() + 5;
    int status;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (seconds() > end) {
            kill(pid, SIGKILL);
            fail_msg("QEMU outlives its owner");
        }
        usleep(1000);
    }
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static void test_owner_killed(void **state)
{
    char dir[] = "/tmp/machine_test.XXXXXX";
    int pipes[2];
    pid_t child, pid;
    (void)state;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_non_null(mkdtemp(dir));
    assert_int_equal(pipe(pipes), 0);
    child = fork();
    if (child == 0)
        owner(dir, pipes[1]);
    assert_true(child > 0);
    assert_int_equal(read(pipes[0], &pid, sizeof(pid)), sizeof(pid));
    assert_true(pid > 0);
    assert_int_equal(entries(dir), 0);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_ends(pid);
    assert_int_equal(entries(dir), 0);
    assert_int_equal(rmdir(dir), 0);
    close(pipes[0]);
    close(pipes[1]);
}

/* Nothing of stopped and dead machines stays open in this process. */
static void test_descriptors(void **state)
{
    unsigned before = entries("/proc/self/fd");
    struct qemu_config config = plain;
    struct qemu *q;
    (void)state;

    qemu_stop(rig_start(&plain));
    q = rig_start(&plain);
    signal_qemu(q, SIGKILL);
    qemu_mmio_read(q, CAP, 8);
    qemu_stop(q);
    config.binary = "/bin/false";
    assert_int_equal(qemu_start(&config, &q, NULL), -EIO);
    config.aw_bits = 40;
    assert_int_equal(qemu_start(&config, &q, NULL), -EINVAL);
    assert_int_equal(entries("/proc/self/fd"), before);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed),      cmocka_unit_test(test_killed_posting),
        cmocka_unit_test(test_stopped),     cmocka_unit_test(test_owner_killed),
        cmocka_unit_test(test_descriptors),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
