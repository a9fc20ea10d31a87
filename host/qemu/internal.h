/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the files of this folder share: the machine, its streams, its start.
 */
#ifndef HOST_QEMU_INTERNAL_H
#define HOST_QEMU_INTERNAL_H

#include <errno.h>
#include <stdarg.h>

#include "qemu.h"

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

/* A socket that speaks lines. Reads and writes end after the time that was set on the socket. */
struct stream {
    int fd;
    char *buffer;
    size_t start, end, size; /* what has been received and not handed out */
};

struct qemu {
    pid_t pid; /* 0: reaped */
    int wait_status;
    bool dead;
    bool posted;
    unsigned timeout_ms;
    struct stream qtest, qmp;
    unsigned owed;    /* replies of qtest that were not read */
    char later[4096]; /* requests that go out with the next one */
    size_t later_size;
    int failed; /* a posted write's error, for the next access */
    uint8_t *ram;
    uint64_t ram_size, ram_low;
    int log;          /* QEMU's stderr, a file: QEMU never waits for us to read it */
    off_t log_seen;   /* qemu_interrupts() has read so far */
    bool remapped;    /* the line before was about a remapped message, */
    uint16_t index;   /* of this index */
    char version[96]; /* as QEMU says it */
    char error[QEMU_ERROR_SIZE];
};

/* ---- stream.c ---------------------------------------------------------------------------------
 */

/* A connected pair: one end for the stream, the other for QEMU. */
int stream_pair(struct stream *s, int *theirs, unsigned timeout_ms);
void stream_close(struct stream *s);
/* -ETIMEDOUT; -EPIPE: the other side has gone. */
int stream_send(struct stream *s, const char *bytes, size_t size);
/* The next line, without its end; valid until the next call. -ETIMEDOUT, -EPIPE, -ENOMEM. */
int stream_line(struct stream *s, char **line);

/* ---- Starting: args.c, launch.c, spawn.c ------------------------------------------------------
 */

#define LAUNCH_ARGS_MAX 192
#define LAUNCH_FDS_MAX  (QEMU_DEVICES_MAX + 8)

/* All that QEMU gets: its arguments, and the descriptors that they name. */
struct launch {
    char *binary;
    char *args[LAUNCH_ARGS_MAX + 1];
    unsigned nr_args;
    int fds[LAUNCH_FDS_MAX];
    unsigned nr_fds;
    int qtest, qmp, ram, bios; /* of fds */
    int images[QEMU_DEVICES_MAX];
    bool full; /* an argument did not fit, or there was no memory */
};

/* 0 or -EINVAL with the words in q. */
int config_check(struct qemu *q, const struct qemu_config *config);
int launch_prepare(struct qemu *q, const struct qemu_config *config, struct launch *l);
int launch_args(struct qemu *q, const struct qemu_config *config, struct launch *l);
void launch_free(struct launch *l);
/* QEMU runs afterwards, or has failed by itself: the handshake will tell. */
int launch_spawn(struct qemu *q, const struct launch *l);

/* ---- process.c --------------------------------------------------------------------------------
 */

/* Waits at most so long for QEMU's end. */
bool process_wait(struct qemu *q, unsigned ms);
void process_kill(struct qemu *q);

/* ---- error.c ----------------------------------------------------------------------------------
 */

/* Stores the words and returns `ret`. */
int qemu_fail(struct qemu *q, int ret, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A stream failed with `ret`: the machine is dead. Says how QEMU ended. Returns -EIO, or -ETIMEDOUT
 * when it did not answer. */
int qemu_lost(struct qemu *q, int ret, const char *what);
/* -EIO for a dead machine, whose first error stays. */
int qemu_check(const struct qemu *q);

/* ---- qmp.c ------------------------------------------------------------------------------------
 */

/* Greeting, capabilities, version. */
int qmp_hello(struct qemu *q);

#endif
