/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which unit a device is behind, and which memory firmware has it use: the DMAR table and the bus
 * numbers of bridges, looked at once and kept. docs/dmar.md has the rules where scopes overlap.
 */
#ifndef SLUICE_HW_VTD_TOPOLOGY_H
#define SLUICE_HW_VTD_TOPOLOGY_H

#include "acpi.h"

/* What a platform may have; more is -ENOSPC. Core takes as many units. */
#define VTD_TOPOLOGY_UNITS    16u
#define VTD_TOPOLOGY_RESERVED 64u
#define VTD_TOPOLOGY_SCOPES   1024u

struct vtd_topology_unit {
    uint64_t base;
    uint32_t pages_lg2; /* of its registers */
    uint16_t segment;
    bool include_all; /* devices of the segment that are in nobody's scope */
};

/* A device, or all on buses secondary..subordinate as well. */
struct vtd_topology_scope {
    rid_t at;
    uint8_t type; /* enum dmar_scope_type */
    uint8_t id;   /* IOAPIC, HPET: its number */
    uint8_t secondary, subordinate;
    uint8_t owner; /* of `unit` or `reserved` */
    bool of_unit;
};

/* Private but for the units. */
struct vtd_topology {
    unsigned nr_units, nr_reserved, nr_scopes;
    struct vtd_topology_unit unit[VTD_TOPOLOGY_UNITS];
    struct dmar_reserved reserved[VTD_TOPOLOGY_RESERVED];
    struct vtd_topology_scope scope[VTD_TOPOLOGY_SCOPES];
};

/* The host's answers. Every function must be present. */
struct vtd_platform {
    void *arg;
    /* The bus numbers that the bridge has now. An error: there is no bridge. */
    int (*buses)(void *arg, rid_t bridge, uint8_t *secondary, uint8_t *subordinate);
    /* As in struct dmar_visitor. */
    bool (*is_reserved)(void *arg, mfn_t first, mfn_t last);
    int (*quirk)(void *arg, enum dmar_quirk quirk, uint32_t offset);
};

/*
 * Fills *t, which is the caller's and refers to nothing afterwards. To be done again when bus
 * numbers change. 0, what dmar_parse or quirk() says, -ENOSPC: then *t has nothing in it.
 */
int vtd_topology_read(struct vtd_topology *t, const void *dmar, size_t size,
                      const struct vtd_platform *platform);

/*
 * The index of the unit that the requester is behind. -ENODEV: none, nothing protects from it. A
 * virtual function is behind the unit of its physical function, whose id is the one to ask for.
 */
int vtd_topology_unit(const struct vtd_topology *t, rid_t rid);

/*
 * Memory that the requester must reach at its machine address: fills *out, moves *next on, which
 * starts at 0. False: no more.
 */
bool vtd_topology_reserved(const struct vtd_topology *t, rid_t rid, unsigned *next,
                           struct dmar_reserved *out);

/*
 * The unit that remaps the interrupts of an IOAPIC or HPET (type DMAR_SCOPE_IOAPIC or _HPET), and
 * the requester id that they come with. 0 or -ENODEV.
 */
int vtd_topology_source(const struct vtd_topology *t, enum dmar_scope_type type, uint8_t id,
                        unsigned *unit, rid_t *rid);

#endif
