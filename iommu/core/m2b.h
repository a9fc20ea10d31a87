/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reverse map (M2B): which bus frames of which domains name a machine frame without its owner
 * having put them there. A tuple says: `user` reaches the nr frames from mfn at its bus frames from
 * bfn on. Tuples may overlap in any way; the same one is never there twice.
 *
 * It costs nothing for frames that no tuple names. Neighbouring tuples that are alike are one node,
 * so a run costs what a frame costs. All of it is guarded by its lock (m2b_lock).
 *
 * However many tuples there are on this frame or on others, the steps of a call for each node that
 * it finds or changes grow with the logarithm of their number.
 */
#ifndef SLUICE_CORE_M2B_H
#define SLUICE_CORE_M2B_H

#include "../sluice.h"

struct domain;
struct m2b_node;
struct m2b_page;

/* Machine and bus frames are below this, as those of 64-bit addresses are. */
#define M2B_FRAMES BIT64(64 - FRAME_LG2)

#define M2B_SWAP      1u  /* may be pointed at the scratch frame when the owner gives it up */
#define M2B_NO_REF    2u  /* does not hold the frame: it is taken out when the owner gives it up */
#define M2B_1TO1      4u  /* an answer of the 1:1 window, which holds no entry for it alone */
#define M2B_LEFT      8u  /* the owner gave the frames up; they are held, and the server was told */
#define M2B_NO_SERVER 16u /* no I/O server is told, and no lookup finds it: `server` is any */
#define M2B_LOCAL     32u /* made by map_page */

struct m2b_tuple {
    mfn_t mfn;
    dfn_t bfn;
    uint64_t nr;         /* 1..UINT32_MAX */
    struct domain *user; /* not NULL */
    uint16_t server;     /* or IOSERVID_any */
    uint8_t flags;
};

struct m2b {
    const struct sluice_port *port;
    struct sluice_lock lock;
    struct m2b_node *root;
    struct m2b_page *pages; /* those with spare nodes */
    uint64_t nr_nodes;      /* in the tree */
    uint64_t nr_spare, nr_reserved, nr_pages;
    uint64_t nr_at[64 - FRAME_LG2 + 1]; /* nodes whose home has BIT64(i) frames: m2b_tree.h */
};

/* Proof that the lock is held. */
struct m2b_locked {
    struct m2b *m;
};

static inline struct m2b_locked m2b_lock(struct m2b *m)
{
    m->port->lock(m->port->host, &m->lock);
    return (struct m2b_locked){m};
}

static inline void m2b_unlock(struct m2b_locked l)
{
    l.m->port->unlock(l.m->port->host, &l.m->lock);
}

void m2b_init(struct m2b *m, const struct sluice_port *port);
/* No tuple is left. */
void m2b_fini(struct m2b *m);

/*
 * Makes sure of n spare nodes, until the lock is dropped: m2b_add and m2b_remove need one each,
 * m2b_mark two. -ENOMEM: no tuple has changed.
 */
int m2b_reserve(struct m2b_locked l, unsigned n);

/* The tuple, which is not there yet, comes in. Joins it with neighbours that are alike. */
void m2b_add(struct m2b_locked l, const struct m2b_tuple *t);

/*
 * [mfn, mfn + nr) of (user, bfn), all of which is there, under whatever nodes, goes. Of flags
 * and server it only matters whose answer it is, if it is one of M2B_1TO1.
 */
void m2b_remove(struct m2b_locked l, const struct m2b_tuple *t);

/* The same, but its flags become what they are in *t; each part keeps its server. */
void m2b_mark(struct m2b_locked l, const struct m2b_tuple *t);

/*
 * The tuples that name a frame, in the order of (user, bfn), answers behind an entry: the first one
 * after *after (NULL: from the beginning), of which only what tells them apart counts; it need not
 * be there any more. What comes out is about this frame alone: mfn, its bfn, nr = 1. False: no
 * more.
 */
bool m2b_next(struct m2b_locked l, mfn_t mfn, const struct m2b_tuple *after, struct m2b_tuple *out);

/* The one of `user` at bfn for this frame; an entry before answers. False: none. */
bool m2b_find(struct m2b_locked l, mfn_t mfn, const struct domain *user, dfn_t bfn,
              struct m2b_tuple *out);

/* The first frame of [mfn, mfn + nr) that a tuple names. False: none does. */
bool m2b_first(struct m2b_locked l, mfn_t mfn, uint64_t nr, mfn_t *out);

/* Bytes in use: whole pages. Pages without nodes go back to the port, but for one or two. */
uint64_t m2b_bytes(const struct m2b *m);

#endif
