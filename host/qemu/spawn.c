/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fork, and what happens between it and QEMU. The child calls async-signal-safe functions only:
 * the parent may have threads.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "internal.h"

static void child_say(const char *words)
{
    ssize_t ignored = write(STDERR_FILENO, words, strlen(words));

    (void)ignored;
}

/* Descriptors are close-on-exec everywhere but here, so that no other child gets them. */
static bool child_fds(const struct qemu *q, const struct launch *l)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (dup2(q->log, STDERR_FILENO) < 0 || dup2(q->log, STDOUT_FILENO) < 0)
        return false;
    if (null < 0 || dup2(null, STDIN_FILENO) < 0)
        return false;
    for (unsigned i = 0; i < l->nr_fds; i++)
        if (fcntl(l->fds[i], F_SETFD, 0))
            return false;
    return true;
}

static void __attribute__((noreturn))
child(const struct qemu *q, const struct launch *l, pid_t parent)
{
    sigset_t none;

    /* The parent may have died before the request was in force. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
        _exit(126);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (!child_fds(q, l))
        child_say("cannot pass descriptors\n");
    else if (execv(l->binary, l->args))
        child_say("cannot execute the binary\n");
    _exit(127);
}

/* Standard descriptors are about to be overwritten in the child: nothing of ours may be there. */
static bool clear_of_standard(const struct qemu *q, const struct launch *l)
{
    for (unsigned i = 0; i < l->nr_fds; i++)
        if (l->fds[i] <= STDERR_FILENO)
            return false;
    return q->log > STDERR_FILENO;
}

int launch_spawn(struct qemu *q, const struct launch *l)
{
    pid_t parent = getpid(), pid;

    if (!clear_of_standard(q, l))
        return qemu_fail(q, -EINVAL, "stdin, stdout and stderr must be open (on /dev/null)");
    pid = fork();
    if (pid < 0)
        return qemu_fail(q, -errno, "fork: %s", strerror(errno));
    if (pid == 0)
        child(q, l, parent);
    q->pid = pid;
    return 0;
}
