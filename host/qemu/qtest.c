/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The qtest client. Each request is a line and is answered by one line, in order: "OK", "OK 0x.."
 * or "FAIL words". Lines that begin with IRQ are not answers.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "qtest.h"

/*
 * Most requests that are on their way. QEMU stops reading while it cannot send replies, so the
 * replies to all of them must fit into its socket.
 */
#define OWED_MAX 64u

static int qtest_reply(struct qemu *q, char **words)
{
    char *line;
    int ret;

    do {
        ret = stream_line(&q->qtest, &line);
        if (ret)
            return qemu_lost(q, ret, "qtest");
    } while (!strncmp(line, "IRQ ", 4));
    q->owed--;
    if (strncmp(line, "OK", 2))
        return qemu_fail(q, -EIO, "qtest: %.200s", line);
    *words = line[2] ? line + 3 : line + 2;
    return 0;
}

/* Sends what was put off. */
static int qtest_push(struct qemu *q)
{
    int ret = q->later_size ? stream_send(&q->qtest, q->later, q->later_size) : 0;

    q->later_size = 0;
    return ret ? qemu_lost(q, ret, "qtest") : 0;
}

/* Reads replies until `left` are outstanding; failures of posted requests are kept. */
static int qtest_drain(struct qemu *q, unsigned left)
{
    int ret = q->owed > left ? qtest_push(q) : 0;

    while (q->owed > left && !ret) {
        char *words;

        ret = qtest_reply(q, &words);
        if (q->dead || !ret)
            continue;
        q->failed = ret;
        ret = 0;
    }
    return ret;
}

/* Puts a request off: it goes out with the next one, which saves QEMU and us a call each. */
static int qtest_put_off(struct qemu *q, const char *line, size_t size)
{
    int ret = qemu_check(q);

    if (!ret)
        ret = qtest_drain(q, OWED_MAX - 1);
    if (!ret && size > sizeof(q->later) - q->later_size)
        ret = qtest_push(q);
    if (ret)
        return ret;
    memcpy(q->later + q->later_size, line, size);
    q->later_size += size;
    q->owed++;
    return 0;
}

static int qtest_send(struct qemu *q, const char *line, size_t size)
{
    int ret = qtest_put_off(q, line, size);

    return ret ? ret : qtest_push(q);
}

/* The answer to the last request; earlier ones' failures come first. */
static int qtest_answer(struct qemu *q, char **words)
{
    int ret = qtest_drain(q, 1), failed = q->failed;

    if (ret)
        return ret;
    q->failed = 0;
    ret = qtest_reply(q, words);
    return failed && !q->dead ? failed : ret;
}

/* `b`, `w`, `l` or `q`; 0: no such size. */
static char suffix(unsigned size)
{
    static const char letters[] = {[1] = 'b', [2] = 'w', [4] = 'l', [8] = 'q'};

    if (size >= sizeof(letters))
        return 0;
    return letters[size];
}

static int send_get(struct qemu *q, const char *verb, uint64_t at, unsigned size)
{
    char line[64];
    int n;

    if (!suffix(size))
        return qemu_fail(q, -EINVAL, "qtest: size %u", size);
    n = snprintf(line, sizeof(line), "%s%c 0x%" PRIx64 "\n", verb, suffix(size), at);
    return qtest_send(q, line, (size_t)n);
}

typedef int send_fn(struct qemu *q, const char *line, size_t size);

static int send_put(struct qemu *q, send_fn *send, const char *verb, uint64_t at, unsigned size,
                    uint64_t value)
{
    char line[96];
    int n;

    if (!suffix(size))
        return qemu_fail(q, -EINVAL, "qtest: size %u", size);
    n = snprintf(line, sizeof(line), "%s%c 0x%" PRIx64 " 0x%" PRIx64 "\n", verb, suffix(size), at,
                 value);
    return send(q, line, (size_t)n);
}

static int get_number(struct qemu *q, uint64_t *value)
{
    char *words, *end;
    int ret = qtest_answer(q, &words);

    if (ret)
        return ret;
    *value = strtoull(words, &end, 0);
    if (end == words || *end)
        return qemu_fail(q, -EIO, "qtest: not a number: %.80s", words);
    return 0;
}

int qtest_flush(struct qemu *q)
{
    int ret = qemu_check(q);

    if (!ret)
        ret = qtest_drain(q, 0);
    if (ret)
        return ret;
    ret = q->failed;
    q->failed = 0;
    return ret;
}

int qtest_read(struct qemu *q, uint64_t addr, unsigned size, uint64_t *value)
{
    int ret = send_get(q, "read", addr, size);

    return ret ? ret : get_number(q, value);
}

int qtest_post(struct qemu *q, uint64_t addr, unsigned size, uint64_t value)
{
    return send_put(q, qtest_send, "write", addr, size, value);
}

int qtest_put(struct qemu *q, uint64_t addr, unsigned size, uint64_t value)
{
    return send_put(q, qtest_put_off, "write", addr, size, value);
}

int qtest_write(struct qemu *q, uint64_t addr, unsigned size, uint64_t value)
{
    int ret = qtest_post(q, addr, size, value);

    return ret ? ret : qtest_flush(q);
}

int qtest_in(struct qemu *q, uint16_t port, unsigned size, uint32_t *value)
{
    uint64_t wide = 0;
    int ret = send_get(q, "in", port, size > 4 ? 0 : size);

    if (!ret)
        ret = get_number(q, &wide);
    *value = (uint32_t)wide;
    return ret;
}

int qtest_put_out(struct qemu *q, uint16_t port, unsigned size, uint32_t value)
{
    return send_put(q, qtest_put_off, "out", port, size > 4 ? 0 : size, value);
}

int qtest_out(struct qemu *q, uint16_t port, unsigned size, uint32_t value)
{
    int ret = qtest_put_out(q, port, size, value);

    return ret ? ret : qtest_flush(q);
}

/* ---- Blocks, as hexadecimal digits ------------------------------------------------------------
 */

#define BLOCK_MAX 1024u

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode(const char *words, uint8_t *to, size_t size)
{
    if (strncmp(words, "0x", 2) || strlen(words) != 2 + 2 * size)
        return false;
    for (words += 2; size; size--, words += 2) {
        int high = digit(words[0]), low = digit(words[1]);

        if (high < 0 || low < 0)
            return false;
        *to++ = (uint8_t)(high << 4 | low);
    }
    return true;
}

static int read_piece(struct qemu *q, uint64_t addr, uint8_t *to, size_t size)
{
    char line[64], *words;
    int n = snprintf(line, sizeof(line), "read 0x%" PRIx64 " 0x%zx\n", addr, size);
    int ret = qtest_send(q, line, (size_t)n);

    if (!ret)
        ret = qtest_answer(q, &words);
    if (ret)
        return ret;
    return decode(words, to, size) ? 0 : qemu_fail(q, -EIO, "qtest: not a block");
}

static int write_piece(struct qemu *q, uint64_t addr, const uint8_t *from, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char line[64 + 2 * BLOCK_MAX];
    int n = snprintf(line, sizeof(line), "write 0x%" PRIx64 " 0x%zx 0x", addr, size);
    char *p = line + n;

    for (size_t i = 0; i < size; i++) {
        *p++ = digits[from[i] >> 4];
        *p++ = digits[from[i] & 15];
    }
    *p++ = '\n';
    return qtest_send(q, line, (size_t)(p - line));
}

int qtest_read_block(struct qemu *q, uint64_t addr, void *to, size_t size)
{
    int ret = qtest_flush(q);

    for (size_t done = 0, piece; done < size && !ret; done += piece) {
        piece = size - done < BLOCK_MAX ? size - done : BLOCK_MAX;
        ret = read_piece(q, addr + done, (uint8_t *)to + done, piece);
    }
    return ret;
}

int qtest_write_block(struct qemu *q, uint64_t addr, const void *from, size_t size)
{
    int ret = qtest_flush(q);

    for (size_t done = 0, piece; done < size && !ret; done += piece) {
        piece = size - done < BLOCK_MAX ? size - done : BLOCK_MAX;
        ret = write_piece(q, addr + done, (const uint8_t *)from + done, piece);
    }
    return ret ? ret : qtest_flush(q);
}
