/* SPDX-License-Identifier: BSD-2-Clause */
/* A disk's image, looked at before anything starts: the same words on every machine. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backend.h"

#define BLOCK 512

int image_check(struct machine *m, const char *image)
{
    struct stat st;

    if (stat(image, &st) || (!S_ISDIR(st.st_mode) && access(image, R_OK | W_OK)))
        return machine_fail(m, -ENOENT, "image %s: %s; expected a file to read and write", image,
                            strerror(errno));
    if (!S_ISREG(st.st_mode))
        return machine_fail(m, -EINVAL, "image %s is no regular file", image);
    if (!st.st_size || st.st_size % BLOCK)
        return machine_fail(m, -EINVAL,
                            "image %s has %lld bytes, expected whole blocks of %d, one or more "
                            "(truncate -s 1M makes some)",
                            image, (long long)st.st_size, BLOCK);
    return 0;
}
