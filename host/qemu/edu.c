/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver of edu.
 */
#include <sched.h>
#include <string.h>

#include "edu.h"
#include "edu_window.h"
#include "internal.h"
#include "qtest.h"

#define REG_ID      0x00u
#define REG_LIVE    0x04u
#define REG_RAISE   0x60u
#define REG_LOWER   0x64u
#define REG_SOURCE  0x80u
#define REG_DEST    0x88u
#define REG_COUNT   0x90u
#define REG_COMMAND 0x98u

#define ID_MASK     0xffffu
#define ID_EDU      0x00edu
#define COMMAND_RUN 0x1u
#define COMMAND_OUT 0x2u /* from the buffer to memory */
#define COMMAND_IRQ 0x4u
#define BUFFER      0x40000u
#define POLLS       100000u /* at some ten microseconds each */
#define PAGE        4096u

static int put(struct edu *edu, uint64_t reg, uint64_t value)
{
    return qtest_put(edu->q, edu->registers + reg, 8, value);
}

static int await(struct edu *edu)
{
    uint64_t command;

    for (unsigned i = 0; i < POLLS; i++) {
        int ret = qtest_read(edu->q, edu->registers + REG_COMMAND, 8, &command);

        if (ret)
            return ret;
        if (!(command & COMMAND_RUN))
            return 0;
        sched_yield(); /* to QEMU's processor thread: only its idling moves the clock */
    }
    return qemu_fail(edu->q, -ETIMEDOUT, "edu %04x: DMA does not end", edu->function->id);
}

int edu_transfer(struct edu *edu, uint64_t addr, unsigned offset, unsigned size, bool write,
                 bool irq)
{
    uint64_t buffer = BUFFER + offset;
    int ret;

    if (offset > EDU_TRANSFER_MAX || size > EDU_TRANSFER_MAX - offset)
        return qemu_fail(edu->q, -EINVAL, "edu: %u bytes at %u of its buffer", size, offset);
    ret = put(edu, REG_SOURCE, write ? buffer : addr);
    if (!ret)
        ret = put(edu, REG_DEST, write ? addr : buffer);
    if (!ret)
        ret = put(edu, REG_COUNT, size);
    if (!ret)
        ret = put(edu, REG_COMMAND,
                  COMMAND_RUN | (write ? COMMAND_OUT : 0) | (irq ? COMMAND_IRQ : 0));
    return ret ? ret : await(edu);
}

/* Puts bytes into the buffer, or gets them, without touching the memory at stake. */
static int buffer_fill(struct edu *edu, const void *from, unsigned size)
{
    if (edu->window)
        return edu_window_write(edu, from, size);
    if (!edu->bounce)
        return qemu_fail(edu->q, -EOPNOTSUPP, "edu: its buffer cannot be reached");
    memcpy(edu->bounce, from, size);
    return edu_transfer(edu, edu->bounce_addr, 0, size, false, false);
}

static int buffer_get(struct edu *edu, void *to, unsigned size)
{
    int ret;

    if (edu->window)
        return edu_window_read(edu, to, size);
    memset(edu->bounce, EDU_POISON, size);
    ret = edu_transfer(edu, edu->bounce_addr, 0, size, true, false);
    memcpy(to, edu->bounce, size);
    return ret;
}

static int move_piece(struct edu *edu, uint64_t addr, void *data, unsigned size, bool write)
{
    uint8_t poison[EDU_TRANSFER_MAX];
    int ret;

    if (write) {
        ret = buffer_fill(edu, data, size);
        return ret ? ret : edu_transfer(edu, addr, 0, size, true, false);
    }
    memset(poison, EDU_POISON, size);
    ret = buffer_fill(edu, poison, size);
    if (!ret)
        ret = edu_transfer(edu, addr, 0, size, false, false);
    return ret ? ret : buffer_get(edu, data, size);
}

int edu_dma(struct edu *edu, uint64_t addr, void *data, size_t size, bool write)
{
    uint8_t *bytes = data;

    while (size) {
        size_t piece = PAGE - addr % PAGE;
        int ret;

        if (piece > EDU_TRANSFER_MAX)
            piece = EDU_TRANSFER_MAX;
        if (piece > size)
            piece = size;
        ret = move_piece(edu, addr, bytes, (unsigned)piece, write);
        if (ret)
            return ret;
        addr += piece;
        bytes += piece;
        size -= piece;
    }
    return 0;
}

int edu_raise(struct edu *edu, uint32_t bits)
{
    return qtest_write(edu->q, edu->registers + REG_RAISE, 4, bits);
}

int edu_lower(struct edu *edu, uint32_t bits)
{
    return qtest_write(edu->q, edu->registers + REG_LOWER, 4, bits);
}

void edu_set_bounce(struct edu *edu, void *page, uint64_t addr)
{
    edu->bounce = page;
    edu->bounce_addr = addr;
}

/* The liveness register answers with the complement. */
static int check_identity(struct edu *edu)
{
    const uint32_t word = 0x5a0ff0a5;
    uint64_t id, live;
    int ret = qtest_read(edu->q, edu->registers + REG_ID, 4, &id);

    if (!ret)
        ret = qtest_write(edu->q, edu->registers + REG_LIVE, 4, word);
    if (!ret)
        ret = qtest_read(edu->q, edu->registers + REG_LIVE, 4, &live);
    if (ret)
        return ret;
    if ((id & ID_MASK) != ID_EDU || (uint32_t)live != ~word)
        return qemu_fail(edu->q, -ENODEV, "edu %04x: not an edu", edu->function->id);
    return 0;
}

int edu_open(struct qemu *q, const struct pci_function *function, uint64_t scratch, struct edu *out)
{
    int ret;

    *out = (struct edu){.q = q, .function = function, .registers = function->bars[0].addr};
    if (function->vendor != EDU_VENDOR || function->device != EDU_DEVICE || !out->registers)
        return qemu_fail(q, -ENODEV, "PCI %04x: not an edu", function->id);
    ret = pci_enable(q, function->id, true);
    if (!ret)
        ret = check_identity(out);
    return ret ? ret : edu_window_open(out, scratch);
}
