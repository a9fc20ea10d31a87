/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The DMA interface of fw_cfg: a file of 128 KiB is a few accesses instead of as many as it has
 * bytes. The device reads a request from RAM: control, length, address, all big-endian; it is done
 * when the write that starts it is.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "fwcfg.h"
#include "internal.h"
#include "qtest.h"

#define PORT_SELECT 0x510
#define PORT_DATA   0x511
#define PORT_DMA    0x514 /* high half of the request's address, low half at + 4 */

#define ITEM_SIGNATURE 0x0000u
#define ITEM_DIRECTORY 0x0019u

#define DMA_READ   0x2u
#define DMA_SELECT 0x8u

#define SIZE_MAX_FILE (16u << 20)

struct request {
    uint32_t control, length;
    uint64_t addr;
};

struct entry {
    uint32_t size;
    uint16_t select, reserved;
    char name[56];
};

_Static_assert(sizeof(struct request) == 16, "fw_cfg's DMA request");
_Static_assert(sizeof(struct entry) == 64, "fw_cfg's directory entry");

/* What is borrowed, plain RAM on any PC. */
#define SCRATCH     0x10000u
#define SCRATCH_PAD 32768u

struct scratch {
    struct request request;
    uint8_t bytes[SCRATCH_PAD];
};

/* Reads on from where the selected item stands; control with DMA_SELECT selects it first. */
static int read_piece(struct qemu *q, struct scratch *s, uint32_t control, size_t size)
{
    int ret;

    s->request.control = htobe32(control | DMA_READ);
    s->request.length = htobe32((uint32_t)size);
    s->request.addr = htobe64(SCRATCH + offsetof(struct scratch, bytes));
    ret = qtest_out(q, PORT_DMA, 4, 0);
    if (!ret)
        ret = qtest_out(q, PORT_DMA + 4, 4, htobe32(SCRATCH));
    if (ret)
        return ret;
    if (*(volatile uint32_t *)&s->request.control)
        return qemu_fail(q, -EIO, "fw_cfg: a read of %zu bytes failed", size);
    return 0;
}

static int read_item(struct qemu *q, uint16_t item, uint8_t *to, size_t size)
{
    struct scratch *s = qemu_ram(q, SCRATCH, sizeof(*s)), *saved = malloc(sizeof(*s));
    uint32_t control = (uint32_t)item << 16 | DMA_SELECT;
    int ret = 0;

    if (!saved)
        return qemu_fail(q, -ENOMEM, "fw_cfg: no memory");
    memcpy(saved, s, sizeof(*s));
    for (size_t done = 0, piece; done < size && !ret; done += piece) {
        piece = size - done < SCRATCH_PAD ? size - done : SCRATCH_PAD;
        ret = read_piece(q, s, control, piece);
        memcpy(to + done, s->bytes, piece);
        control = 0;
    }
    memcpy(s, saved, sizeof(*s));
    free(saved);
    return ret;
}

/* By the old interface, which every fw_cfg has. */
static int check_signature(struct qemu *q)
{
    char text[5] = "";
    uint32_t byte;
    int ret = qtest_out(q, PORT_SELECT, 2, ITEM_SIGNATURE);

    for (unsigned i = 0; i < 4 && !ret; i++) {
        ret = qtest_in(q, PORT_DATA, 1, &byte);
        text[i] = (char)byte;
    }
    if (ret)
        return ret;
    return strcmp(text, "QEMU") ? qemu_fail(q, -ENODEV, "there is no fw_cfg") : 0;
}

/* Reads an item of a size that QEMU told. */
static int read_whole(struct qemu *q, uint16_t item, size_t size, uint8_t **bytes)
{
    int ret;

    if (!size || size > SIZE_MAX_FILE)
        return qemu_fail(q, -EIO, "fw_cfg: %zu bytes", size);
    *bytes = malloc(size);
    if (!*bytes)
        return qemu_fail(q, -ENOMEM, "fw_cfg: no memory");
    ret = read_item(q, item, *bytes, size);
    if (ret) {
        free(*bytes);
        *bytes = NULL;
    }
    return ret;
}

static int find_entry(struct qemu *q, const char *name, struct entry *found)
{
    uint32_t count = 0;
    uint8_t *directory = NULL;
    int ret = read_item(q, ITEM_DIRECTORY, (uint8_t *)&count, sizeof(count));
    size_t size = sizeof(count) + sizeof(*found) * (size_t)be32toh(count);

    if (!ret)
        ret = read_whole(q, ITEM_DIRECTORY, size, &directory);
    if (ret || !directory)
        return ret;
    ret = -ENOENT;
    for (size_t at = sizeof(count); at < size && ret; at += sizeof(*found)) {
        memcpy(found, directory + at, sizeof(*found));
        if (!strncmp(found->name, name, sizeof(found->name)))
            ret = 0;
    }
    free(directory);
    return ret ? qemu_fail(q, ret, "fw_cfg: no file %s", name) : 0;
}

int fwcfg_read(struct qemu *q, const char *name, uint8_t **bytes, size_t *size)
{
    struct entry entry = {0};
    int ret = check_signature(q);

    *bytes = NULL;
    *size = 0;
    if (!ret)
        ret = find_entry(q, name, &entry);
    if (ret)
        return ret;
    *size = be32toh(entry.size);
    return read_whole(q, be16toh(entry.select), *size, bytes);
}
