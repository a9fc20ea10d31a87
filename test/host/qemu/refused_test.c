/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMUs that are not what they should be, and configurations that are not.
 */
#include "rig.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct qemu_config plain = {.ram = 64u << 20, .intremap = true};

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
        cmocka_unit_test(test_missing),  cmocka_unit_test(test_early_end),
        cmocka_unit_test(test_no_model), cmocka_unit_test(test_too_old),
        cmocka_unit_test(test_silent),   cmocka_unit_test(test_bad_config),
    };

    return rig_missing() ? RIG_SKIP : cmocka_run_group_tests(tests, NULL, NULL);
}
