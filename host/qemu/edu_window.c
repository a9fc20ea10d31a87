/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds edu's buffer: lets the device read a page of random bytes, looks for them in QEMU's private
 * memory, and believes a place only when other bytes put there come out of the device.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/uio.h>

#include "edu_window.h"
#include "internal.h"

#define PATTERN EDU_TRANSFER_MAX
#define CHUNK   ((size_t)1 << 20)

struct search {
    struct edu *edu;
    uint64_t scratch;
    uint8_t *ram;
    uint8_t pattern[PATTERN];
    uint8_t *chunk; /* of CHUNK + PATTERN bytes */
};

static bool peek(pid_t pid, uint64_t at, void *to, size_t size)
{
    struct iovec here = {.iov_base = to, .iov_len = size};
    struct iovec there = {.iov_base = (void *)(uintptr_t)at, .iov_len = size};

    return process_vm_readv(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

static bool poke(pid_t pid, uint64_t at, const void *from, size_t size)
{
    struct iovec here = {.iov_base = (void *)(uintptr_t)from, .iov_len = size};
    struct iovec there = {.iov_base = (void *)(uintptr_t)at, .iov_len = size};

    return process_vm_writev(pid, &here, 1, &there, 1, 0) == (ssize_t)size;
}

int edu_window_read(struct edu *edu, void *to, unsigned size)
{
    int ret = qemu_check(edu->q);

    if (!ret && !peek(edu->q->pid, edu->window, to, size))
        ret = qemu_lost(edu->q, -EPIPE, "edu's buffer");
    return ret;
}

int edu_window_write(struct edu *edu, const void *from, unsigned size)
{
    int ret = qemu_check(edu->q);

    if (!ret && !poke(edu->q->pid, edu->window, from, size))
        ret = qemu_lost(edu->q, -EPIPE, "edu's buffer");
    return ret;
}

/* Do bytes that we put there come out of the device? */
static bool is_buffer(struct search *s, uint64_t at)
{
    uint8_t other[PATTERN];

    for (unsigned i = 0; i < PATTERN; i++)
        other[i] = (uint8_t)~s->pattern[i];
    if (!poke(s->edu->q->pid, at, other, PATTERN))
        return false;
    if (edu_transfer(s->edu, s->scratch, 0, PATTERN, true, false))
        return false;
    if (!memcmp(s->ram, other, PATTERN))
        return true;
    poke(s->edu->q->pid, at, s->pattern, PATTERN); /* it was something else */
    return false;
}

static bool search_range(struct search *s, uint64_t first, uint64_t end)
{
    for (uint64_t at = first; at + PATTERN <= end; at += CHUNK) {
        size_t size = end - at < CHUNK + PATTERN ? (size_t)(end - at) : CHUNK + PATTERN;
        uint8_t *found;

        if (!peek(s->edu->q->pid, at, s->chunk, size))
            continue;
        found = memmem(s->chunk, size, s->pattern, PATTERN);
        if (found && is_buffer(s, at + (uint64_t)(found - s->chunk))) {
            s->edu->window = at + (uint64_t)(found - s->chunk);
            return true;
        }
    }
    return false;
}

/* Private and writable: not the guest's RAM, which is shared. */
static void search_maps(struct search *s)
{
    char path[32], line[512], rights[5];
    uint64_t first, end;
    FILE *maps;

    snprintf(path, sizeof(path), "/proc/%d/maps", (int)s->edu->q->pid);
    maps = fopen(path, "re");
    if (!maps)
        return;
    while (fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &first, &end, rights) != 3)
            continue;
        if (!strcmp(rights, "rw-p") && search_range(s, first, end))
            break;
    }
    fclose(maps);
}

static int search(struct search *s)
{
    int ret;

    /* Within the 256 bytes that getrandom() never cuts short; the rest is a function of them. */
    if (getrandom(s->pattern, 256, 0) != 256)
        return 0;
    for (unsigned i = 256; i < PATTERN; i++)
        s->pattern[i] = (uint8_t)(s->pattern[i - 256] + s->pattern[i - 255] + 1);
    memcpy(s->ram, s->pattern, PATTERN);
    ret = edu_transfer(s->edu, s->scratch, 0, PATTERN, false, false);
    if (!ret)
        search_maps(s);
    return ret ? ret : qemu_check(s->edu->q);
}

int edu_window_open(struct edu *edu, uint64_t scratch)
{
    struct search *s = malloc(sizeof(*s));
    uint8_t *chunk = malloc(CHUNK + PATTERN), saved[PATTERN];
    uint8_t *ram = qemu_ram(edu->q, scratch, 4096);
    int ret = 0;

    if (!s || !chunk) {
        ret = qemu_fail(edu->q, -ENOMEM, "edu: no memory");
    } else if (!ram) {
        ret = qemu_fail(edu->q, -EINVAL, "edu: the scratch page is not RAM");
    } else {
        *s = (struct search){.edu = edu, .scratch = scratch, .ram = ram, .chunk = chunk};
        memcpy(saved, ram, PATTERN);
        ret = search(s);
        memcpy(ram, saved, PATTERN);
    }
    free(chunk);
    free(s);
    return ret;
}
