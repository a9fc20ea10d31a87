/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain: its contexts, its memory, its budgets. The lock guards which contexts and devices it
 * has and what is in its identity maps; mapping in a context does not take it.
 */
#ifndef SLUICE_CORE_DOMAIN_H
#define SLUICE_CORE_DOMAIN_H

#include "context.h"
#include "memory.h"

#define DOMAIN_FAULTS 64u

struct domain_faults {
    struct sluice_lock lock;
    unsigned head, nr; /* ring: the oldest is at head */
    uint64_t lost;     /* since they were read last */
    uint64_t total, total_lost;
    struct sluice_fault record[DOMAIN_FAULTS];
};

/* Records are numbered as they are filed; the oldest that is there. -ENOENT: there is none. */
struct domain;
int faults_oldest(struct domain *d, struct sluice_fault *out, uint64_t *number);
/* It was told of: it goes, unless it is gone already. */
void faults_drop(struct domain *d, uint64_t number);
/* How many are there, and how many were lost that nobody was told of yet. */
void faults_count(struct domain *d, uint32_t *nr, uint64_t *lost);
/* So many losses were told. */
void faults_lost_told(struct domain *d, uint64_t lost);

/*
 * The last unmaps, so that a fault can be explained. Recorded before the flush: who faults because
 * of an unmap finds it here. Nothing else is locked under this lock.
 */
#define DOMAIN_UNMAPS 64u

struct domain_unmap {
    uint16_t ctx_no;
    uint32_t generation;
    dfn_t first, last;
    uint64_t call; /* how many calls the domain had made */
};

struct domain_unmaps {
    struct sluice_lock lock;
    uint64_t total; /* the newest is at (total - 1) % DOMAIN_UNMAPS */
    struct domain_unmap record[DOMAIN_UNMAPS];
};

struct ioreq_server;
struct pasid;

/* A vIOMMU of a domain, as core knows it: emul/. */
struct viommu {
    /* A device of the domain's faulted. With the instance's lock held: note it, and return. */
    void (*fault)(struct viommu *v, const struct sluice_fault *fault);
    /* The domain ends, and no device is in it any more. True while there is more to do. */
    bool (*end)(struct viommu *v);
};

/* How far nested_leave() came with a range; nr 0: it is at none. */
struct nested_leaving {
    gfn_t gfn;
    uint64_t nr;
    bool take;   /* larger leaves are split: what leaves is taken out */
    bool failed; /* a unit failed */
    unsigned no; /* of the context */
    dfn_t next;
};

/* What a domain's 1:1 window has of other domains. */
enum {
    WINDOW_WHOLE,    /* all that devices may use */
    WINDOW_DROPPING, /* less and less */
    WINDOW_DROPPED,  /* nothing */
    WINDOW_STUCK,    /* nothing, but a unit did not confirm it: any may still be reached */
};

struct domain {
    struct instance *s;
    struct domain *next;
    uint16_t domid;
    uint64_t serial; /* never used again, unlike domid */
    void *guest;
    bool blocked;        /* context 0 is no identity map */
    bool direct_mapped;  /* its gfns are machine frames */
    bool trusted;        /* it may have devices that no unit protects, or no unit isolates: */
    unsigned nr_exposed; /* groups of the former that it has; guarded by the lock */
    struct viommu *_Atomic viommu; /* NULL: none */
    _Atomic bool dying;
    _Atomic bool lost;     /* an identity map ended that a failed unit may still reach */
    _Atomic uint32_t pins; /* calls of others that act on it now */
    struct sluice_lock lock;
    struct memory memory;
    struct pt_pages pages;         /* tables of the contexts that calls made: the budget */
    struct pt_pages default_pages; /* context 0's: the host pays for implicit entries */
    uint32_t budget_tables, implicit_tables; /* of context 0: what the host has paid for */
    uint32_t nr_contexts, budget_contexts;
    struct pasid *pasids; /* pairs of its devices: pasid.h */
    uint32_t nr_pasids;
    uint16_t max_ctx_no;
    struct context *ctx;    /* those that calls name, and the second stage: domain_nr_slots() */
    uint64_t second_cursor; /* gfns before it are in the second stage, while it is being built */
    struct nested_leaving leaving;
    struct domain_faults faults;
    struct domain_unmaps unmaps;

    /* The bus-frame space, context 0: space.h, window.h, foreign.h. */
    enum sluice_space space;
    uint64_t window; /* the bus frame of machine frame 0, where lookups may answer with it */
    bool one_to_one; /* they still do: with RELAXED, until the first map */
    _Atomic uint8_t dropped;         /* WINDOW_*: how far foreign_drop_window() is */
    mfn_t drop_cursor;               /* frames before it are through */
    _Atomic uint64_t window_changes; /* frames put into its window, and taken out */
    mfn_t scratch;                   /* where its swapped mappings point; 0: none yet */
    /* Guarded by the reverse map's lock. */
    uint64_t nr_tuples, nr_1to1;  /* of this domain as the user; frames */
    struct ioreq_server *servers; /* that are told about its frames: ioreq.h */
    gfn_t leave_cursor;           /* its end: gfns before it have been given up */
    dfn_t space_cursor;           /* bus frames before it are empty */
    mfn_t tuple_cursor;           /* frames before it have been looked at */
    _Atomic uint64_t calls, map_calls, unmap_calls, pages_mapped, pages_unmapped, submissions;
};

/* Proof that the domain's lock is held. */
struct domain_locked {
    struct domain *d;
};

static inline struct domain_locked domain_lock(struct domain *d)
{
    d->s->port->lock(d->s->port->host, &d->lock);
    return (struct domain_locked){d};
}

static inline void domain_unlock(struct domain_locked l)
{
    l.d->s->port->unlock(l.d->s->port->host, &l.d->lock);
}

/* Contexts 0..max_ctx_no, and behind them the hidden second stage: stage2.h. */
static inline unsigned domain_nr_slots(const struct domain *d)
{
    return d->max_ctx_no + 2u;
}

static inline struct domain *domain_of(struct sluice_domain *d)
{
    return (struct domain *)(void *)d;
}

/* The domain of that number, pinned: it stays until domain_unpin. NULL: none, or dying. */
struct domain *domain_pin(struct instance *s, uint16_t domid);
void domain_unpin(struct domain *d);

#endif
