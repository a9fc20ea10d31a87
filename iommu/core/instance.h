/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The instance: what all domains share. Its lock guards the lists of domains and devices and the
 * tags.
 */
#ifndef SLUICE_CORE_INSTANCE_H
#define SLUICE_CORE_INSTANCE_H

#include "frame.h"
#include "m2b.h"

#define MAX_DIDS 65536u

struct instance {
    const struct sluice_port *port;
    struct sluice_lock lock;
    struct frames frames;
    struct hw_unit *unit[SLUICE_MAX_UNITS];
    unsigned nr_units;
    struct pt_geometry geo; /* what all units can do */
    bool translates, snoop, caching_mode;
    bool nests;        /* all that translate have two stages */
    bool allow_unsafe; /* devices without isolation, for any domain */
    uint32_t nr_dids;
    uint64_t *dids; /* bitmap of tags in use */
    struct m2b m2b;
    struct domain *window; /* the domain that has one: window.h */
    struct domain *domains;
    struct device *devices;
    struct doorbell *doorbells; /* doorbell.h */
    struct sluice_msi_window msi_window;
    uint64_t next_serial;
    struct deferred *pending, *last_pending; /* contexts with unmaps to flush: deferred.c */
    uint64_t defer_ns;
};

/* Proof that the instance's lock is held. */
struct instance_locked {
    struct instance *s;
};

static inline struct instance_locked instance_lock(struct instance *s)
{
    s->port->lock(s->port->host, &s->lock);
    return (struct instance_locked){s};
}

static inline void instance_unlock(struct instance_locked l)
{
    l.s->port->unlock(l.s->port->host, &l.s->lock);
}

static inline struct instance *instance_of(struct sluice *s)
{
    return (struct instance *)(void *)s;
}

/* A tag for cached translations that no unit has anything cached for. -ENOSPC. */
int did_alloc(struct instance *s, uint16_t *did);
void did_free(struct instance *s, uint16_t did);

void instance_event(const struct instance *s, enum sluice_event_kind kind, int error,
                    const char *where, uint64_t a, uint64_t b);

#endif
