/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * QEMU's machine protocol: commands as JSON.
 */
#ifndef HOST_QEMU_QMP_H
#define HOST_QEMU_QMP_H

#include <jansson.h>

#include "qemu.h"

/*
 * Takes the reference to `arguments` (NULL: none). *result, if wanted, is the caller's reference.
 * -EIO: QEMU refused; the words are its own.
 */
int qmp_execute(struct qemu *q, const char *command, json_t *arguments, json_t **result);

int qmp_version(struct qemu *q, unsigned *major, unsigned *minor);
/* 0, or -ENODEV: QEMU does not know that device model. */
int qmp_has_device(struct qemu *q, const char *model);
/* A command of the human monitor; *text is the caller's to free. */
int qmp_monitor(struct qemu *q, const char *command, char **text);
/* Asks QEMU to end and waits a little for it. */
void qmp_quit(struct qemu *q);

#endif
