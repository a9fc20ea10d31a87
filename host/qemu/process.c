/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a machine: start in order, stop, and the process.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"
#include "qmp.h"
#include "qtest.h"

pid_t qemu_pid(const struct qemu *q)
{
    return q->pid;
}

static bool process_reaped(struct qemu *q, int flags)
{
    pid_t got;

    if (!q->pid)
        return true;
    do
        got = waitpid(q->pid, &q->wait_status, flags);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return false;
    q->pid = 0; /* reaped, or somebody ignores SIGCHLD and the kernel has reaped it */
    return true;
}

bool process_wait(struct qemu *q, unsigned ms)
{
    const struct timespec nap = {.tv_nsec = 1000000};

    for (; !process_reaped(q, WNOHANG); ms--) {
        if (!ms)
            return false;
        nanosleep(&nap, NULL);
    }
    return true;
}

void process_kill(struct qemu *q)
{
    if (!q->pid)
        return;
    kill(q->pid, SIGKILL);
    process_reaped(q, 0);
}

static struct qemu *qemu_new(const struct qemu_config *config)
{
    struct qemu *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->qtest.fd = q->qmp.fd = q->log = -1;
    q->timeout_ms = config->timeout_ms ? config->timeout_ms : 10000;
    q->ram_size = config->ram ? config->ram : 256 * MIB;
    /* A q35 puts the rest above 4 GiB, and keeps whole gigabytes below when it has to split. */
    q->ram_low = q->ram_size >= 0xb0000000 ? 2 * GIB : q->ram_size;
    return q;
}

/*
 * Interrupt messages that are not interrupts wake the processor: an NMI makes it run from address 0
 * (the vectors are zeros), an SMI from 0x38000. A busy processor would stop the virtual clock.
 */
static void park_processor(struct qemu *q)
{
    static const uint8_t halt_for_ever[] = {0xf4, 0xeb, 0xfd};

    memcpy(q->ram, halt_for_ever, sizeof(halt_for_ever));
    memcpy(q->ram + 0x38000, halt_for_ever, sizeof(halt_for_ever));
}

static int launch(struct qemu *q, const struct qemu_config *config)
{
    struct launch l = {0};
    int ret = launch_prepare(q, config, &l);

    if (!ret)
        ret = launch_args(q, config, &l);
    if (!ret)
        ret = launch_spawn(q, &l);
    launch_free(&l); /* closes QEMU's ends, so that its death is seen */
    return ret;
}

/* QEMU ends before it speaks when an argument is wrong; which one it says only in words. */
static int early_end(struct qemu *q, int ret)
{
    if (strstr(q->error, "is not a valid device model name"))
        return -ENODEV;
    return ret;
}

static int start(struct qemu *q, const struct qemu_config *config)
{
    uint64_t value;
    int ret = config_check(q, config);

    if (!ret)
        ret = launch(q, config);
    if (ret)
        return ret;
    ret = qmp_hello(q);
    if (ret)
        return early_end(q, ret);
    park_processor(q);
    return qtest_read(q, 0, 4, &value);
}

int qemu_start(const struct qemu_config *config, struct qemu **out, char *error)
{
    struct qemu *q = qemu_new(config);
    int ret;

    *out = NULL;
    if (!q) {
        if (error)
            snprintf(error, QEMU_ERROR_SIZE, "out of memory");
        return -ENOMEM;
    }
    ret = start(q, config);
    if (!ret) {
        *out = q;
        return 0;
    }
    if (error)
        snprintf(error, QEMU_ERROR_SIZE, "%s", q->error);
    qemu_stop(q);
    return ret;
}

void qemu_stop(struct qemu *q)
{
    if (!q)
        return;
    if (q->pid && !q->dead)
        qmp_quit(q);
    process_kill(q);
    stream_close(&q->qtest);
    stream_close(&q->qmp);
    if (q->ram)
        munmap(q->ram, q->ram_size);
    if (q->log >= 0)
        close(q->log);
    free(q);
}
