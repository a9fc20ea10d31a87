/* SPDX-License-Identifier: BSD-2-Clause */
/* Clumsy hands and hostile places: what is wrong, what to do, and nothing is left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../cli/run.h"

#define DISK "domain d id=1 mem=1M\ndevice disk 00:06.0 owner=d kind=nvme"

struct result {
    int status;
    char *out, *err;
    size_t out_size, err_size;
};

/* The text, or where there is none the file. */
static struct result play(const char *machine, const char *text, const char *path)
{
    struct result r = {.status = 0};
    struct words why = {.n = 0};
    struct run run = {.machine = machine_kind_find(machine, &why),
                      .report = {.ops = &report_text, .machine = machine}};

    assert_non_null(run.machine);
    run.report.out = open_memstream(&r.out, &r.out_size);
    run.err = open_memstream(&r.err, &r.err_size);
    if (text)
        run_text(&run, "f", text, strlen(text));
    else
        run_file(&run, path);
    r.status = run_end(&run);
    fclose(run.report.out);
    fclose(run.err);
    return r;
}

static void expect(struct result r, int status, const char *out, const char *err)
{
    if (!strstr(r.out, out))
        assert_string_equal(r.out, out);
    if (!strstr(r.err, err))
        assert_string_equal(r.err, err);
    assert_int_equal(r.status, status);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child, not even a dead one */
    assert_int_equal(errno, ECHILD);
    free(r.out);
    free(r.err);
}

/* ---- A directory of our own, which is PATH -----------------------------------------------------
 */

static char dir[] = "/tmp/sluice-errors-XXXXXX";
static char *old_path;

static const char *in_dir(const char *name)
{
    static char path[128];

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    return path;
}

static void write_file(const char *name, const char *text, size_t size)
{
    FILE *f = fopen(in_dir(name), "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    fclose(f);
}

static int set_up(void **state)
{
    (void)state;
    old_path = strdup(getenv("PATH"));
    return mkdtemp(dir) && !setenv("PATH", dir, 1) ? 0 : -1;
}

static int tear_down(void **state)
{
    static const char *const names[] = {"qemu-system-x86_64", "small", "empty", "pipe"};

    (void)state;
    setenv("PATH", old_path, 1);
    free(old_path);
    for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(in_dir(names[i]));
    return rmdir(dir); /* fails when something else was left in it */
}

/* ---- Files -------------------------------------------------------------------------------------
 */

static void test_files(void **state)
{
    (void)state;
    expect(play("soft", NULL, in_dir("nothing")), 2, "0 passed, 1 failed", "No such file");
    expect(play("soft", NULL, dir), 2, "0 passed, 1 failed", ": Is a directory\n");
}

static void expect_image(const char *machine, const char *image, const char *why)
{
    char text[256], out[256];

    snprintf(text, sizeof(text), DISK " image=%s\n", image);
    snprintf(out, sizeof(out), "f:2: image %s%s", image, why);
    expect(play(machine, text, NULL), 1, out, "");
}

/* Looked at before QEMU starts: there is none in PATH. A pipe would be waited for. */
static void test_images(void **state)
{
    static const char *const machines[] = {"soft", "vtd"};

    (void)state;
    write_file("small", "12345", 5);
    write_file("empty", "", 0);
    assert_int_equal(mkfifo(in_dir("pipe"), 0600), 0);
    for (unsigned i = 0; i < 2; i++) {
        expect_image(machines[i], in_dir("nothing"),
                     ": No such file or directory; expected a file to read and write\n");
        expect_image(machines[i], in_dir("small"), " has 5 bytes, expected whole blocks of 512, ");
        expect_image(machines[i], in_dir("empty"), " has 0 bytes, expected whole blocks of 512, ");
        expect_image(machines[i], in_dir("pipe"), " is no regular file\n");
        expect_image(machines[i], dir, " is no regular file\n");
    }
}

static void test_beyond_the_disk(void **state)
{
    (void)state;
    expect(play("soft", DISK "\ndisk: read lba=32766 count=4 addr=0\n", NULL), 1,
           "got ERANGE (the disk has no block 32769)\n", "");
}

/* ---- Machines ----------------------------------------------------------------------------------
 */

static void test_unknown_machine(void **state)
{
    struct words why = {.n = 0}, absent = {.n = 0};

    (void)state;
    assert_null(machine_kind_find("nope", &why));
    assert_string_equal(why.text, "unknown machine 'nope': expected soft, vtd, vtd-scalable, "
                                  "nested-soft, nested-vtd, nested-soft-scalable, "
                                  "nested-vtd-scalable");
    assert_null(machine_kind_find("amdvi", &absent));
    assert_non_null(strstr(absent.text, "machine amdvi is not in this build: expected soft, "));
}

static void test_without_qemu(void **state)
{
    (void)state;
    expect(play("vtd", DISK "\n", NULL), 1,
           "f:1: qemu-system-x86_64 is not installed: Debian's package is qemu-system-x86\n", "");
}

static void fake_qemu(const char *script)
{
    write_file("qemu-system-x86_64", script, strlen(script));
    assert_int_equal(chmod(in_dir("qemu-system-x86_64"), 0700), 0);
}

/* That is not the file's business: it fails, and is not skipped. */
static void test_old_qemu(void **state)
{
    (void)state;
    fake_qemu("#!/bin/bash\nfor a; do case $a in socket,id=qmp,fd=*) fd=${a##*=};; esac; done\n"
              "echo '{\"QMP\": {}}' >&$fd; read -u $fd x; echo '{\"return\": {}}' >&$fd\n"
              "read -u $fd x\n"
              "echo '{\"return\": {\"qemu\": {\"major\": 5, \"minor\": 2}}}' >&$fd\n"
              "read -u $fd x\n");
    expect(play("vtd", DISK "\n", NULL), 1,
           "f:1: QEMU 5.2 is too old: 7.2 is the oldest that will do", "");
}

static void test_broken_qemu(void **state)
{
    (void)state;
    fake_qemu("#!/bin/sh\necho 'invalid option' >&2\nexit 1\n");
    expect(play("vtd", DISK "\n", NULL), 1,
           "QEMU ended with status 1; it said: invalid option (expected QEMU 7.2 or newer)\n", "");
}

/* ---- Progress ----------------------------------------------------------------------------------
 */

static void test_progress(void **state)
{
    struct progress p;
    size_t size;
    char *text;
    FILE *out = open_memstream(&text, &size);

    (void)state;
    progress_begin(&p, out, 3);
    progress_show(&p, "f", 1, 0);
    progress_clear(&p);
    fflush(out);
    assert_int_equal(size, 0); /* not in the first two seconds */
    p.begin -= 3000;
    p.file = 2;
    progress_show(&p, "f", 7, 5);
    progress_show(&p, "f", 8, 5); /* too soon */
    progress_clear(&p);
    progress_clear(&p);
    fclose(out);
    assert_string_equal(text, "\r\033[K[2/3] f:7, run 5\r\033[K");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files),           cmocka_unit_test(test_images),
        cmocka_unit_test(test_beyond_the_disk), cmocka_unit_test(test_unknown_machine),
        cmocka_unit_test(test_without_qemu),    cmocka_unit_test(test_old_qemu),
        cmocka_unit_test(test_broken_qemu),     cmocka_unit_test(test_progress),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
