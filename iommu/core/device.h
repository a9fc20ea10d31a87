/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Devices, and the groups that they move in: devices that the hardware cannot tell apart are always
 * in one context together. A device with no such neighbour is a group of its own.
 */
#ifndef SLUICE_CORE_DEVICE_H
#define SLUICE_CORE_DEVICE_H

#include "domain.h"

struct device;

struct group {
    struct instance *s;
    struct hw_unit *unit; /* NULL: nothing protects it */
    struct device *devices;
    struct domain *_Atomic domain; /* NULL: quarantined */
    struct context *ctx;           /* NULL: blocked; guarded by the domain's lock */
    _Atomic uint16_t ctx_no;       /* of it, for those without that lock */
    _Atomic uint32_t nr_pasids;    /* of the domain's pairs: pasid.h */
    struct context *quarantine;    /* with its direct regions only; NULL: it has none, blocked */
    struct context *refuge; /* a vIOMMU moves it: steer.h; NULL: calls do. By the domain's lock */
    bool interrupts;        /* it may have interrupts; guarded by the unit's lock */
    _Atomic bool unsafe;    /* was assigned without isolation, by leave of the instance */
    struct pt_pages pages;  /* of the quarantine's tables */
};

struct interrupts;

/* A doorbell of a device, and its page in windows: 0 is a window's first. */
struct device_doorbell {
    uint64_t maddr;
    struct doorbell *doorbell;
};

struct device {
    struct device *next;    /* of the instance */
    struct device *sibling; /* of the group */
    struct group *group;
    unsigned nr_rids, nr_regions;
    rid_t *rids;
    struct sluice_region *regions;
    struct device_doorbell doorbells[SLUICE_MAX_DOORBELLS];
    unsigned nr_doorbells;
    _Atomic uint64_t msi_window;    /* of the context it is in, or SLUICE_NO_WINDOW */
    struct interrupts *interrupts;  /* guarded by the unit's lock */
    _Atomic uint32_t nr_interrupts; /* entries in all of them */
    bool told_unsafe;               /* the event was sent */
    size_t size;                    /* of this allocation */
};

static inline struct device *device_of(struct sluice_device *dev)
{
    return (struct device *)(void *)dev;
}

/* Its region of that type, or NULL. */
const struct sluice_region *device_region(const struct device *dev, enum sluice_region_type type);

/* A unit translates for it. One without such a unit is in no context, whoever has it. */
static inline bool group_is_protected(const struct group *g)
{
    return g->unit && g->unit->translates;
}

/* The device of that requester id, or NULL. */
struct device *device_find(struct instance_locked l, rid_t rid);

/* Some group that is the domain's, or NULL. */
struct group *group_of_domain(struct domain *d);

#endif
