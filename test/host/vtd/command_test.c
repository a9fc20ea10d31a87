/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command when processes are killed: QEMU under it, which it says, and itself, which takes QEMU
 * along.
 */
#include "rig.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *sluice;

/* More than fits into a pipe: a reader that stops reading stops the player in the middle. */
#define ROUNDS 800

static const char head[] = "domain dom1 id=1 mem=4M\n"
                           "device nic 00:05.0 owner=dom1\n"
                           "dom1: alloc_context -> $c\n"
                           "dom1: reattach_device dev=nic ctx_no=$c\n";
static const char again[] = "dom1: map_pages ctx_no=$c gfn=0x10 dfn=0x800 map_flags=rw\n"
                            "nic: dma_write addr=0x800000 len=8 fill=1 => ok\n"
                            "dom1: unmap_pages ctx_no=$c dfn=0x800\n";

struct command {
    pid_t pid, qemu;
    FILE *out; /* its stdout and stderr */
};

static void __attribute__((noreturn)) run(FILE *scenario, int out)
{
    dup2(fileno(scenario), 0);
    dup2(out, 1);
    dup2(out, 2);
    execl(sluice, sluice, "play", "--trace", "--machine=vtd", "-", (char *)NULL);
    _exit(127);
}

static FILE *scenario(void)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    fputs(head, file);
    for (unsigned i = 0; i < ROUNDS; i++)
        fputs(again, file);
    rewind(file);
    return file;
}

/* Its only child. */
static pid_t child_of(pid_t pid)
{
    char path[64];
    FILE *file;
    int child = 0;

    snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    file = fopen(path, "r");
    assert_non_null(file);
    assert_int_equal(fscanf(file, "%d", &child), 1);
    fclose(file);
    assert_true(child > 0);
    return child;
}

/* Has played some lines, and will not come to the end before its output is read. */
static void start(struct command *c)
{
    FILE *file = scenario();
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    c->pid = fork();
    if (c->pid == 0)
        run(file, pipes[1]);
    assert_true(c->pid > 0);
    close(pipes[1]);
    fclose(file);
    c->out = fdopen(pipes[0], "r");
    assert_non_null(c->out);
    assert_int_not_equal(fgetc(c->out), EOF);
    c->qemu = child_of(c->pid);
}

/* Ends within some seconds, whoever's child it is by now. */
static int wait_for(pid_t pid)
{
    const double end = seconds() + 10;
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) != pid) {
        if (seconds() > end) {
            kill(pid, SIGKILL);
            fail_msg("it does not end");
        }
        usleep(1000);
    }
    return status;
}

static bool says(FILE *out, const char *words)
{
    char line[1024];
    bool said = false;

    while (fgets(line, sizeof(line), out))
        said |= strstr(line, words) != NULL;
    return said;
}

static void assert_gone(pid_t pid)
{
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(errno, ESRCH);
}

static void qemu_is_killed(void **state)
{
    struct command c;
    int status;

    (void)state;
    start(&c);
    kill(c.qemu, SIGKILL);
    assert_true(says(c.out, "the machine is gone: qtest: QEMU was killed by signal 9"));
    status = wait_for(c.pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    assert_gone(c.qemu);
    fclose(c.out);
}

static void it_is_killed_itself(void **state)
{
    struct command c;
    int status;

    (void)state;
    start(&c);
    kill(c.pid, SIGKILL);
    (void)wait_for(c.pid);
    status = wait_for(c.qemu);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    fclose(c.out);
}

int main(int argc, char **argv)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(qemu_is_killed),
        cmocka_unit_test(it_is_killed_itself),
    };

    sluice = argc > 1 ? argv[1] : "build/sluice";
    if (rig_missing())
        return RIG_SKIP;
    /* So that a process whose parent has gone becomes ours. */
    return prctl(PR_SET_CHILD_SUBREAPER, 1) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
