/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU writes to stderr: its complaints, and with -trace a line for each interrupt message:
 *
 *     vtd_ir_remap index 3 trigger 0 vector 65 deliver 0 dest 0x0 mode 0
 *     apic_deliver_irq dest 0 dest_mode 0 delivery_mode 0 vector 65 trigger_mode 0
 *
 * The first only for a remapped message, before the second.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "internal.h"
#include "qtest.h"

#define DELIVER "apic_deliver_irq "
#define REMAP   "vtd_ir_remap "
#define CHUNK   4096u

static bool parse_deliver(struct qemu *q, const char *line, struct qemu_interrupt *out)
{
    unsigned dest, mode, delivery, vector, trigger;

    if (strncmp(line, DELIVER, strlen(DELIVER)))
        return false;
    if (sscanf(line, DELIVER "dest %u dest_mode %u delivery_mode %u vector %u trigger_mode %u",
               &dest, &mode, &delivery, &vector, &trigger) != 5)
        return false;
    *out = (struct qemu_interrupt){.vector = (uint8_t)vector,
                                   .delivery = (uint8_t)delivery,
                                   .logical = mode,
                                   .level = trigger,
                                   .remapped = q->remapped,
                                   .index = q->remapped ? q->index : 0,
                                   .dest = dest};
    q->remapped = false;
    return true;
}

static void parse_remap(struct qemu *q, const char *line)
{
    unsigned index;

    if (sscanf(line, REMAP "index %u", &index) != 1)
        return;
    q->remapped = true;
    q->index = (uint16_t)index;
}

/* Takes one line at `at`; its length, or 0: there is no whole line. Longer ones are cut. */
static size_t next_line(const struct qemu *q, off_t at, char line[CHUNK])
{
    ssize_t n = pread(q->log, line, CHUNK - 1, at);
    char *end;

    if (n <= 0)
        return 0;
    line[n] = 0;
    end = memchr(line, '\n', (size_t)n);
    if (!end)
        return (size_t)n == CHUNK - 1 ? (size_t)n : 0;
    *end = 0;
    return (size_t)(end - line) + 1;
}

/* Gives back the memory of what has been read. */
static void forget_read(const struct qemu *q)
{
    off_t whole = q->log_seen & ~(off_t)0xffff;

    if (whole)
        fallocate(q->log, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, whole);
}

unsigned qemu_interrupts(struct qemu *q, struct qemu_interrupt *out, unsigned max)
{
    char line[CHUNK];
    unsigned nr = 0;
    size_t n;

    qtest_flush(q);
    while (nr < max && (n = next_line(q, q->log_seen, line))) {
        q->log_seen += (off_t)n;
        if (!strncmp(line, REMAP, strlen(REMAP)))
            parse_remap(q, line);
        else if (parse_deliver(q, line, &out[nr]))
            nr++;
        else
            q->remapped = false;
    }
    forget_read(q);
    return nr;
}

static bool is_trace(const char *line)
{
    return !strncmp(line, "vtd_", 4) || !strncmp(line, "apic_", 5);
}

/* This one always comes, and means what we want. */
static bool is_noise(const char *line)
{
    return strstr(line, "icount sleep disabled") != NULL;
}

/* Keeps the last bytes of all that was appended. */
static void append_last(char *out, size_t size, const char *line)
{
    size_t have = strlen(out), more = strlen(line) + 2;

    if (more > size / 2)
        return;
    if (have + more >= size) {
        size_t cut = have + more - size + 1;

        memmove(out, out + cut, have - cut + 1);
        have -= cut;
    }
    snprintf(out + have, size - have, "%s%s", have ? "; " : "", line);
}

void qemu_stderr_tail(const struct qemu *q, char *out, size_t size)
{
    char line[CHUNK];
    off_t end = q->log >= 0 ? lseek(q->log, 0, SEEK_END) : 0, at = end > 65536 ? end - 65536 : 0;
    size_t n;

    out[0] = 0;
    if (q->log < 0)
        return;
    for (; (n = next_line(q, at, line)); at += (off_t)n)
        if (!is_trace(line) && !is_noise(line))
            append_last(out, size, line);
}
