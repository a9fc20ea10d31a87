/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bridges a machine needs, so that its devices have the PCI addresses and aliases that they
 * are to have. A device's aliases are those of the bridges above it, upwards.
 */
#ifndef HOST_VTD_BUSES_H
#define HOST_VTD_BUSES_H

#include "../machine/backend.h"
#include "../qemu/qemu.h"

struct vtd_bridge {
    bool used;
    enum qemu_model model;
    uint8_t above; /* the bus that it is on */
    uint8_t devfn; /* 0: not known yet, only its bus is */
    char name[4];
};

struct vtd_buses {
    struct vtd_bridge to[256]; /* by the bus below; to[0] is none */
};

/* 0, or -EOPNOTSUPP in words: there are no such bridges. */
int vtd_buses_plan(struct machine *m, struct vtd_buses *out);

#endif
