/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Errors in words, and the death of a machine.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "internal.h"

int qemu_fail(struct qemu *q, int ret, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(q->error, sizeof(q->error), format, args);
    va_end(args);
    return ret;
}

const char *qemu_error(const struct qemu *q)
{
    return q->error;
}

const char *qemu_version(const struct qemu *q)
{
    return q->version;
}

bool qemu_dead(const struct qemu *q)
{
    return q->dead;
}

int qemu_check(const struct qemu *q)
{
    return q->dead ? -EIO : 0;
}

static void describe_end(const struct qemu *q, char *out, size_t size)
{
    if (WIFSIGNALED(q->wait_status))
        snprintf(out, size, "QEMU was killed by signal %d (%s)", WTERMSIG(q->wait_status),
                 strsignal(WTERMSIG(q->wait_status)));
    else
        snprintf(out, size, "QEMU ended with status %d", WEXITSTATUS(q->wait_status));
}

int qemu_lost(struct qemu *q, int ret, const char *what)
{
    char end[128], tail[600];

    if (q->dead)
        return -EIO;
    q->dead = true;
    if (ret == -EPIPE && process_wait(q, 2000)) {
        describe_end(q, end, sizeof(end));
        ret = -EIO;
    } else {
        if (ret == -ETIMEDOUT)
            snprintf(end, sizeof(end), "QEMU did not answer within %u ms", q->timeout_ms);
        else
            snprintf(end, sizeof(end), "QEMU did not answer (%s)", strerror(-ret));
        process_kill(q);
        ret = ret == -ETIMEDOUT ? ret : -EIO;
    }
    qemu_stderr_tail(q, tail, sizeof(tail));
    return qemu_fail(q, ret, "%s: %s%s%s", what, end, tail[0] ? "; it said: " : "", tail);
}
