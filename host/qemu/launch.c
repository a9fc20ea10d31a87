/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What QEMU inherits: its ends of the sockets, RAM, BIOS, disks. All are descriptors without a name
 * in any file system; QEMU opens its own by /proc/self/fd.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "internal.h"

#define BIOS_SIZE  65536u
#define BIOS_RESET 0xfff0u
#define DISK_SIZE  (16 * MIB)

static int keep(struct launch *l, int fd)
{
    l->fds[l->nr_fds++] = fd;
    return fd;
}

/* A file of zeros without a name. -errno. */
static int nameless(const char *what, uint64_t size)
{
    int fd = memfd_create(what, MFD_CLOEXEC), error;

    if (fd < 0)
        return -errno;
    if (!ftruncate(fd, (off_t)size))
        return fd;
    error = -errno;
    close(fd);
    return error;
}

/* `PATH` says where; the file is only looked for, so that the complaint can be a helpful one. */
static int find_binary(struct qemu *q, const char *wanted, struct launch *l)
{
    const char *path = getenv("PATH");

    if (wanted) {
        l->binary = access(wanted, X_OK) ? NULL : strdup(wanted);
        return l->binary ? 0 : qemu_fail(q, -ENOENT, "%s: %s", wanted, strerror(errno));
    }
    for (path = path ? path : "/usr/bin"; *path; path += *path == ':') {
        size_t len = strcspn(path, ":");

        if (asprintf(&l->binary, "%.*s/qemu-system-x86_64", (int)len, path) < 0)
            l->binary = NULL;
        if (l->binary && !access(l->binary, X_OK))
            return 0;
        free(l->binary);
        l->binary = NULL;
        path += len;
    }
    return qemu_fail(q, -ENOENT,
                     "qemu-system-x86_64 is not installed: Debian's package is qemu-system-x86");
}

static int prepare_ram(struct qemu *q, struct launch *l)
{
    int fd = nameless("sluice-ram", q->ram_size);
    void *at;

    if (fd < 0)
        return qemu_fail(q, fd, "RAM: %s", strerror(-fd));
    l->ram = keep(l, fd);
    at = mmap(NULL, q->ram_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (at == MAP_FAILED)
        return qemu_fail(q, -errno, "RAM: %s", strerror(errno));
    q->ram = at;
    return 0;
}

/* hlt everywhere; at the reset vector: cli; hlt; jump back to hlt. */
static int prepare_bios(struct qemu *q, struct launch *l)
{
    static const uint8_t sleep_for_ever[] = {0xfa, 0xf4, 0xeb, 0xfd};
    int fd = nameless("sluice-bios", BIOS_SIZE);
    uint8_t bytes[BIOS_SIZE];

    if (fd < 0)
        return qemu_fail(q, fd, "BIOS: %s", strerror(-fd));
    l->bios = keep(l, fd);
    memset(bytes, 0xf4, sizeof(bytes));
    memcpy(bytes + BIOS_RESET, sleep_for_ever, sizeof(sleep_for_ever));
    if (pwrite(fd, bytes, sizeof(bytes), 0) != sizeof(bytes))
        return qemu_fail(q, -EIO, "BIOS: cannot write it");
    return 0;
}

static int prepare_disk(struct qemu *q, const struct qemu_device *d, struct launch *l, int *image)
{
    int fd;

    if (d->image)
        fd = open(d->image, O_RDWR | O_CLOEXEC);
    else
        fd = nameless("sluice-disk", d->image_size ? d->image_size : DISK_SIZE);
    if (fd < 0)
        return qemu_fail(q, d->image ? -errno : fd, "%s: %s: %s", d->name,
                         d->image ? d->image : "temporary disk", strerror(d->image ? errno : -fd));
    *image = keep(l, fd);
    return 0;
}

static int prepare_disks(struct qemu *q, const struct qemu_config *config, struct launch *l)
{
    int ret = 0;

    for (unsigned i = 0; i < config->nr_devices && !ret; i++)
        if (config->devices[i].model == QEMU_NVME)
            ret = prepare_disk(q, &config->devices[i], l, &l->images[i]);
    return ret;
}

/* Each end is kept for closing even where the rest of its making failed. */
static int prepare_stream(struct qemu *q, struct stream *s, struct launch *l, int *theirs)
{
    int fd = -1, ret = stream_pair(s, &fd, q->timeout_ms);

    if (fd >= 0)
        *theirs = keep(l, fd);
    return ret ? qemu_fail(q, ret, "sockets: %s", strerror(-ret)) : 0;
}

/* QEMU's stderr. Written at its end and read by position: a file never makes QEMU wait. */
static int prepare_log(struct qemu *q)
{
    q->log = nameless("sluice-qemu-stderr", 0);
    if (q->log < 0)
        return qemu_fail(q, q->log, "stderr: %s", strerror(-q->log));
    if (fcntl(q->log, F_SETFL, O_APPEND))
        return qemu_fail(q, -errno, "stderr: %s", strerror(errno));
    return 0;
}

int launch_prepare(struct qemu *q, const struct qemu_config *config, struct launch *l)
{
    int ret = find_binary(q, config->binary, l);

    if (!ret)
        ret = prepare_log(q);
    if (!ret)
        ret = prepare_stream(q, &q->qtest, l, &l->qtest);
    if (!ret)
        ret = prepare_stream(q, &q->qmp, l, &l->qmp);
    if (!ret)
        ret = prepare_ram(q, l);
    if (!ret)
        ret = prepare_bios(q, l);
    return ret ? ret : prepare_disks(q, config, l);
}

void launch_free(struct launch *l)
{
    for (unsigned i = 0; i < l->nr_fds; i++)
        close(l->fds[i]);
    for (unsigned i = 0; i < l->nr_args; i++)
        free(l->args[i]);
    free(l->binary);
}
