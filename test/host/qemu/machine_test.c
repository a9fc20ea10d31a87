/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a machine: start and stop, many at once, death of QEMU, death of its owner, and QEMUs
 * that are not what they should be.
 */
#include "rig.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../../../host/qemu/qmp.h"
#include "../../../host/qemu/qtest.h"

#define CAP (QEMU_VTD_REGISTERS + 8)

static const struct qemu_config plain = {.ram = 64u << 20, .intremap = true};

static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* ---- Plain life -------------------------------------------------------------------------------
 */

static void test_start_stop(void **state)
{
    struct qemu *q = rig_start(&plain);
    uint64_t value;
    (void)state;

    assert_false(qemu_dead(q));
    assert_true(qemu_pid(q) > 0);
    assert_int_not_equal(qemu_mmio_read(q, CAP, 8), ~0ull);
    memcpy(qemu_ram(q, 0x100000, 8), "\1\2\3\4\5\6\7\10", 8);
    rig_ok(q, qtest_read(q, 0x100000, 8, &value));
    assert_int_equal(value, 0x0807060504030201);
    qemu_mmio_write(q, 0x100000, 4, 0xaabbccdd);
    assert_memory_equal(qemu_ram(q, 0x100000, 4), "\xdd\xcc\xbb\xaa", 4);
    qemu_stop(q);
    qemu_stop(NULL);
}

static void test_ram_bounds(void **state)
{
    struct qemu *q = rig_start(&plain);
    uint64_t low, high;
    (void)state;

    qemu_ram_layout(q, &low, &high);
    assert_int_equal(low, 64u << 20);
    assert_int_equal(high, 0);
    assert_non_null(qemu_ram(q, low - 1, 1));
    assert_null(qemu_ram(q, low - 1, 2));
    assert_null(qemu_ram(q, low, 1));
    assert_null(qemu_ram(q, 0, ~0ull));
    assert_null(qemu_ram(q, 1ull << 32, 1));
    qemu_stop(q);
}

/* RAM that does not fit below the devices goes on at 4 GiB. */
static void test_high_ram(void **state)
{
    const struct qemu_config config = {.ram = 3ull << 30};
    struct qemu *q = rig_start(&config);
    uint64_t low, high, value;
    (void)state;

    qemu_ram_layout(q, &low, &high);
    assert_int_equal(low + high, 3ull << 30);
    *(volatile uint32_t *)qemu_ram(q, (1ull << 32) + 0x1000, 4) = 0x11223344;
    rig_ok(q, qtest_read(q, (1ull << 32) + 0x1000, 4, &value));
    assert_int_equal(value, 0x11223344);
    assert_null(qemu_ram(q, low, 4));
    qemu_stop(q);
}

static void test_blocks(void **state)
{
    struct qemu *q = rig_start(&plain);
    uint8_t out[5000], in[5000];
    (void)state;

    for (unsigned i = 0; i < sizeof(out); i++)
        out[i] = (uint8_t)(i * 11 >> 1);
    rig_ok(q, qtest_write_block(q, 0x200123, out, sizeof(out)));
    assert_memory_equal(qemu_ram(q, 0x200123, sizeof(out)), out, sizeof(out));
    rig_ok(q, qtest_read_block(q, 0x200123, in, sizeof(in)));
    assert_memory_equal(in, out, sizeof(in));
    assert_int_equal(qtest_write(q, 0x200000, 3, 0), -EINVAL);
    assert_int_equal(qtest_out(q, 0x80, 8, 0), -EINVAL);
    qemu_stop(q);
}

/* Far more posted writes than may be on their way, in order. */
static void test_posted(void **state)
{
    struct qemu *q = rig_start(&plain);
    (void)state;

    qemu_post_writes(q, true);
    for (unsigned i = 0; i < 5000; i++)
        qemu_mmio_write(q, 0x200000, 4, i);
    rig_ok(q, qtest_flush(q));
    assert_int_equal(*(volatile uint32_t *)qemu_ram(q, 0x200000, 4), 4999);
    qemu_stop(q);
}

static void test_monitor(void **state)
{
    struct qemu *q = rig_start(&plain);
    unsigned major, minor;
    char *text;
    (void)state;

    rig_ok(q, qmp_version(q, &major, &minor));
    assert_true(major >= 7);
    rig_ok(q, qmp_has_device(q, "edu"));
    assert_int_equal(qmp_has_device(q, "no-such-model"), -ENODEV);
    rig_ok(q, qmp_monitor(q, "info lapic", &text));
    assert_non_null(strstr(text, "LVT0"));
    free(text);
    assert_int_equal(qmp_execute(q, "no-such-command", NULL, NULL), -EIO);
    qemu_stop(q);
}

/* ---- Many -------------------------------------------------------------------------------------
 */

static void test_parallel(void **state)
{
    struct qemu *q[4];
    (void)state;

    for (unsigned i = 0; i < 4; i++)
        q[i] = rig_start(&plain);
    for (unsigned i = 0; i < 4; i++)
        memset(qemu_ram(q[i], 0x100000, 4096), (int)i + 1, 4096);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(qemu_mmio_read(q[i], 0x100000, 1), i + 1);
    for (unsigned i = 0; i < 4; i++)
        qemu_stop(q[i]);
}

static void *thread(void *arg)
{
    struct qemu *q;
    uint64_t *cap = arg;

    if (!qemu_start(&plain, &q, NULL))
        *cap = qemu_mmio_read(q, CAP, 8);
    qemu_stop(q);
    return NULL;
}

static void test_threads(void **state)
{
    pthread_t threads[4];
    uint64_t caps[4] = {0};
    (void)state;

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, thread, &caps[i]), 0);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(caps[i] && caps[i] != ~0ull && caps[i] == caps[0]);
    }
}

/* ---- Death ------------------------------------------------------------------------------------
 */

static void test_killed(void **state)
{
    struct qemu *q = rig_start(&plain);
    double start = seconds();
    uint64_t value;
    (void)state;

    kill(qemu_pid(q), SIGKILL);
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
            kill(qemu_pid(q), SIGKILL);
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
    kill(qemu_pid(q), SIGSTOP);
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
        assert_true(seconds() < end);
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
    kill(qemu_pid(q), SIGKILL);
    qemu_mmio_read(q, CAP, 8);
    qemu_stop(q);
    config.binary = "/bin/false";
    assert_int_equal(qemu_start(&config, &q, NULL), -EIO);
    config.aw_bits = 40;
    assert_int_equal(qemu_start(&config, &q, NULL), -EINVAL);
    assert_int_equal(entries("/proc/self/fd"), before);
}

/* ---- Not the QEMU that was meant --------------------------------------------------------------
 */

static int start_script(const char *script, char *error)
{
    char path[] = "/tmp/machine_test.XXXXXX";
    struct qemu_config config = plain;
    int fd = mkstemp(path), ret;
    struct qemu *q;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, script, strlen(script)), (ssize_t)strlen(script));
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    config.binary = path;
    config.timeout_ms = 2000;
    ret = qemu_start(&config, &q, error);
    assert_null(q);
    unlink(path);
    return ret;
}

static void test_missing(void **state)
{
    char error[QEMU_ERROR_SIZE], *path = strdup(getenv("PATH"));
    struct qemu_config config = plain;
    struct qemu *q;
    (void)state;

    config.binary = "/nonexistent/qemu";
    assert_int_equal(qemu_start(&config, &q, error), -ENOENT);
    setenv("PATH", "/nonexistent", 1);
    assert_int_equal(qemu_start(&plain, &q, error), -ENOENT);
    assert_non_null(strstr(error, "qemu-system-x86"));
    setenv("PATH", path, 1);
    free(path);
}

static void test_early_end(void **state)
{
    char error[QEMU_ERROR_SIZE];
    (void)state;

    assert_int_equal(start_script("#!/bin/sh\necho no luck >&2\nexit 3\n", error), -EIO);
    assert_non_null(strstr(error, "no luck"));
    assert_non_null(strstr(error, "status 3"));
}

static void test_no_model(void **state)
{
    char error[QEMU_ERROR_SIZE];
    (void)state;

    assert_int_equal(
        start_script("#!/bin/sh\necho \"-device edu: 'edu' is not a valid device model name\" >&2\n"
                     "exit 1\n",
                     error),
        -ENODEV);
    assert_non_null(strstr(error, "'edu'"));
}

/* Speaks as much QMP as it takes to be found too old. */
static void test_too_old(void **state)
{
    char error[QEMU_ERROR_SIZE];
    (void)state;

    assert_int_equal(
        start_script(
            "#!/bin/bash\nfor a; do case $a in socket,id=qmp,fd=*) fd=${a##*=};; esac; done\n"
            "echo '{\"QMP\": {}}' >&$fd; read -u $fd x; echo '{\"return\": {}}' >&$fd\n"
            "read -u $fd x\n"
            "echo '{\"return\": {\"qemu\": {\"major\": 5, \"minor\": 2}}}' >&$fd\n"
            "read -u $fd x\n",
            error),
        -EOPNOTSUPP);
    assert_non_null(strstr(error, "5.2"));
}

static void test_silent(void **state)
{
    char error[QEMU_ERROR_SIZE];
    double start = seconds();
    (void)state;

    assert_int_equal(start_script("#!/bin/sh\nexec sleep 60\n", error), -ETIMEDOUT);
    assert_true(seconds() - start < 8);
}

static void test_bad_config(void **state)
{
    static const struct qemu_device bad[][2] = {
        {{.name = "a,b", .slot = 3}, {.name = "b", .slot = 4}},
        {{.name = "a", .slot = 3}, {.name = "a", .slot = 4}},
        {{.name = "a", .slot = 3}, {.name = "b", .slot = 32}},
        {{.name = "a", .slot = 3}, {.name = "b", .slot = 31}},
        {{.name = "a", .slot = 3}, {.name = "b", .slot = 4, .bridge = "a"}},
        {{.name = "a", .slot = 3, .bridge = "b"}, {.model = QEMU_PCI_BRIDGE, .name = "b"}},
    };
    char error[QEMU_ERROR_SIZE];
    struct qemu *q;
    (void)state;

    for (unsigned i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct qemu_config config = {.devices = bad[i], .nr_devices = 2};

        assert_int_equal(qemu_start(&config, &q, error), -EINVAL);
        assert_int_not_equal(error[0], 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_stop),  cmocka_unit_test(test_ram_bounds),
        cmocka_unit_test(test_high_ram),    cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_posted),      cmocka_unit_test(test_monitor),
        cmocka_unit_test(test_parallel),    cmocka_unit_test(test_threads),
        cmocka_unit_test(test_killed),      cmocka_unit_test(test_killed_posting),
        cmocka_unit_test(test_stopped),     cmocka_unit_test(test_owner_killed),
        cmocka_unit_test(test_descriptors), cmocka_unit_test(test_missing),
        cmocka_unit_test(test_early_end),   cmocka_unit_test(test_no_model),
        cmocka_unit_test(test_too_old),     cmocka_unit_test(test_silent),
        cmocka_unit_test(test_bad_config),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
