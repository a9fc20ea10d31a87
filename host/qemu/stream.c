/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines over a socket pair, each step bounded in time by the socket's own timeouts.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "internal.h"

#define STREAM_FIRST 4096u
#define STREAM_MOST  (64u << 20) /* of one line: QEMU never sends that much */

static int set_timeout(int fd, unsigned ms)
{
    struct timeval t = {.tv_sec = ms / 1000, .tv_usec = (suseconds_t)(ms % 1000) * 1000};

    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t)) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof(t)))
        return -errno;
    return 0;
}

int stream_pair(struct stream *s, int *theirs, unsigned timeout_ms)
{
    int pair[2], ret;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
        return -errno;
    s->fd = pair[0];
    *theirs = pair[1];
    ret = set_timeout(s->fd, timeout_ms);
    if (ret)
        return ret;
    s->buffer = malloc(STREAM_FIRST);
    s->size = STREAM_FIRST;
    return s->buffer ? 0 : -ENOMEM;
}

void stream_close(struct stream *s)
{
    if (s->fd >= 0)
        close(s->fd);
    free(s->buffer);
    *s = (struct stream){.fd = -1};
}

/* What errno means for whoever waits at a socket with a timeout. 0: try again. */
static int stream_errno(void)
{
    if (errno == EINTR)
        return 0;
    return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : -EPIPE;
}

int stream_send(struct stream *s, const char *bytes, size_t size)
{
    int ret;

    while (size) {
        ssize_t n = send(s->fd, bytes, size, MSG_NOSIGNAL);

        if (n > 0) {
            bytes += n;
            size -= (size_t)n;
            continue;
        }
        ret = stream_errno();
        if (ret)
            return ret;
    }
    return 0;
}

/* Makes room behind what is there. */
static int stream_room(struct stream *s)
{
    char *bigger;
    size_t more;

    if (s->end < s->size)
        return 0;
    if (s->start) {
        memmove(s->buffer, s->buffer + s->start, s->end - s->start);
        s->end -= s->start;
        s->start = 0;
        return 0;
    }
    if (s->size >= STREAM_MOST)
        return -ENOMEM;
    more = s->size + STREAM_FIRST + s->size / 2;
    bigger = realloc(s->buffer, more);
    if (!bigger)
        return -ENOMEM;
    s->buffer = bigger;
    s->size = more;
    return 0;
}

static int stream_receive(struct stream *s)
{
    int ret = stream_room(s);
    ssize_t n;

    if (ret)
        return ret;
    n = recv(s->fd, s->buffer + s->end, s->size - s->end, 0);
    if (n == 0)
        return -EPIPE;
    if (n < 0)
        return stream_errno();
    s->end += (size_t)n;
    return 0;
}

int stream_line(struct stream *s, char **line)
{
    size_t looked = 0;

    if (s->start == s->end)
        s->start = s->end = 0;
    for (;;) {
        char *at = s->buffer + s->start, *end;
        size_t have = s->end - s->start;
        int ret;

        end = memchr(at + looked, '\n', have - looked);
        if (end) {
            *end = 0;
            s->start += (size_t)(end - at) + 1;
            *line = at;
            return 0;
        }
        looked = have;
        ret = stream_receive(s);
        if (ret)
            return ret;
    }
}
