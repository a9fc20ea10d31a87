/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A context: one address space for devices. Contexts are slots of their domain, so a number can be
 * looked up without a lock on the domain; a slot that is used again has another generation.
 *
 *   FREE -> BUILDING -> LIVE -> DYING -> FREE
 *
 * Only a LIVE context is visible to calls. The lock guards state, spans, regions and pins;
 * attachments and nr_devices are guarded by the domain's lock.
 */
#ifndef SLUICE_CORE_CONTEXT_H
#define SLUICE_CORE_CONTEXT_H

#include "instance.h"
#include "span.h"

enum context_state { CONTEXT_FREE, CONTEXT_BUILDING, CONTEXT_LIVE, CONTEXT_DYING };

struct deferred;
struct region_use;
struct doorbell_use;
struct range;
struct domain;
struct domain_locked;

struct context {
    struct instance *s;
    struct domain *domain; /* NULL: the quarantine of a device group */
    struct sluice_lock lock;
    _Atomic enum context_state state;
    struct span *spans;
    struct region_use *regions; /* reserved.h */
    struct range *pins;         /* pin.h */
    unsigned nr_pins, room_pins;
    struct doorbell_use *doorbells; /* msi_window.h; guarded by the domain's lock */
    uint16_t no, did;
    _Atomic uint32_t generation;
    _Atomic bool identity;       /* follows the domain's memory; calls cannot change it */
    _Atomic bool hidden;         /* no call may name it: a vIOMMU's, or a second stage */
    _Atomic bool defers;         /* its unmaps are flushed later: deferred.h */
    struct deferred *deferred;   /* guarded by the lock */
    _Atomic bool nested;         /* a guest's own table translates first: nested.h */
    struct hw_first_stage first; /* that one; set while BUILDING */
    struct context *second;      /* and what hardware translates by next; NULL: a shadow */
    struct pgtable pt;
    uint64_t builder; /* BUILDING: serial of the domain whose call makes it */
    unsigned nr_devices;
    _Atomic uint32_t attached[SLUICE_MAX_UNITS]; /* requester ids that translate through it */
    _Atomic uint64_t nr_mapped;                  /* frames mapped by calls */
};

/* A context that calls may name: which use it is named for. */
enum context_use {
    CONTEXT_ANY,    /* attach to it, free it */
    CONTEXT_LOOKUP, /* ask it, settle it: not a nested one */
    CONTEXT_CHANGE, /* map and unmap: neither the default one nor an identity map, nor nested */
    CONTEXT_NESTED, /* flush what the guest changed in its own table */
};

/* 0 and what it is now, or -EINVAL. For decode; what follows checks again with the generation. */
int context_resolve(struct domain *d, uint16_t no, enum context_use use, uint32_t *generation);

/*
 * Begins an operation on a span of a context: 0 and *out, with the span registered until
 * context_leave, and *allowed: how many of its frames come before the first that is reserved (that
 * cannot change while the span is registered). -EINVAL: the context is gone meanwhile; -ERESTART:
 * somebody works on an overlapping span.
 */
int context_enter(struct domain *d, uint16_t no, uint32_t generation, struct span *span,
                  struct context **out, uint64_t *allowed);
/* The same of a context that stays because the domain is locked, for regions. -ERESTART. */
int context_occupy(struct context *c, struct span *span);
void context_leave(struct context *c, struct span *span);

/* Sets up an empty table and a tag: state BUILDING. -ENOSPC (tag), -ENOMEM. */
int context_init(struct context *c, struct instance *s, struct domain *d, struct pt_pages *pages);
void context_show(struct context *c); /* BUILDING -> LIVE */

/* What units are to translate by. */
struct hw_space context_space(const struct context *c);

/* Its table is the composition of a guest's and the memory map. */
static inline bool context_is_shadow(const struct context *c)
{
    return c->nested && !c->second;
}

/* Does a unit have devices in it? Once it is empty of devices, only one that failed. */
bool context_is_reachable(const struct context *c);

/*
 * Ends a context that no device is in, bounded work at a time: -ERESTART, or 0 when the slot is
 * free. What a failed unit may still reach is left referenced for ever.
 */
int context_end(struct context *c);

/* A slot for alloc_context, counted against the budget; the context is BUILDING. -ENOSPC, -ENOMEM.
 */
int context_alloc(struct domain_locked l, bool identity, uint64_t builder, struct context **out);

/*
 * free_context up to the point of no return: devices moved if so asked, the context DYING; then
 * context_end until it is done. -EINVAL, -EBUSY, -EIO.
 */
int context_free(struct domain_locked l, uint16_t no, uint32_t generation, bool reattach);

static inline void context_lock(struct context *c)
{
    c->s->port->lock(c->s->port->host, &c->lock);
}

static inline void context_unlock(struct context *c)
{
    c->s->port->unlock(c->s->port->host, &c->lock);
}

#endif
