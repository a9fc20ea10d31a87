/* SPDX-License-Identifier: BSD-2-Clause */
/* A machine with a driver domain that has a disk, a guest that has none, and a neighbour. */
#ifndef EXAMPLES_MEDIATED_WORLD_H
#define EXAMPLES_MEDIATED_WORLD_H

#include "emulator.h"

#define WINDOW 0x100000u /* bus frames from here on are the frame service's */
#define FRAMES 64u

struct world {
    struct machine *m;
    struct machine_domain *driver, *guest, *neighbour;
    struct machine_device *disk;
    struct frame_host host;
    struct frame_service service;
    struct frame_record records[FRAMES];
    struct emulator emulator;
};

/* error: 160 bytes of words. -ENOENT: QEMU is not installed. */
int world_open(struct world *w, const struct machine_backend *backend, bool scalable, char *error);
/* 0: nothing is held, nothing has leaked. */
int world_close(struct world *w);

#endif
