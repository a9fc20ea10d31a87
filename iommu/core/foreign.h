/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames of others in a domain's bus-frame space, all of them with a tuple in the reverse map; and
 * those of its own that it does not want to be held.
 */
#ifndef SLUICE_CORE_FOREIGN_H
#define SLUICE_CORE_FOREIGN_H

#include "space.h"

/* What decode has checked. Frames from bfn, 1 << order of them, aligned. */
struct foreign_map {
    dfn_t bfn;
    unsigned order;
    unsigned attr;
    uint16_t server;
    uint8_t tuple; /* M2B_*: the flags of its tuples */
};

/*
 * map_foreign_page of the frames of `owner`, pinned, from gfn on: all or nothing. 0, -ENODEV
 * -EINVAL -EACCES -EEXIST -ENXIO -EPERM -ENOMEM -EIO.
 */
int foreign_map(struct space *sp, struct domain *owner, gfn_t gfn, const struct foreign_map *map);

/* map_page by machine frame. The same errors. */
int foreign_map_machine(struct space *sp, mfn_t mfn, const struct foreign_map *map);

/*
 * lookup_foreign_page of the frame of `owner`, pinned, at gfn. 0, -ENODEV -ENXIO -EPERM -ENOENT
 * -ENOMEM.
 */
int foreign_lookup(struct space *sp, struct domain *owner, gfn_t gfn, uint16_t server, dfn_t *bfn);

/*
 * unmap_page (local) or unmap_foreign_page: all or nothing, pending. -ENOENT -EPERM -ENOMEM -EIO.
 */
int foreign_unmap(struct space *sp, dfn_t bfn, unsigned order, uint16_t server, bool local);

/* The tuple of the entry bfn -> mfn goes, if it has one: what kind of entry that was. */
enum space_kind foreign_forget(struct space *sp, dfn_t bfn, mfn_t mfn);

/* References that the reverse map holds on neighbouring frames go. */
void foreign_put(struct m2b_locked l, struct instance *s, mfn_t mfn, uint64_t nr);

/* A tuple of `user` comes in (a node is reserved) or goes (two are). */
void foreign_add(struct m2b_locked l, const struct m2b_tuple *t);
void foreign_remove(struct m2b_locked l, const struct m2b_tuple *t);

/* The user ends: answers of its lookups, which are no entries, go. Bounded work: -ERESTART. */
int foreign_end_user(struct domain *d);

/*
 * The domain wants no frames of others in its 1:1 window any more: they go, and no more come; nor
 * do lookups answer with it. For good. Bounded work, flushed: -ERESTART, again with the same space.
 * -EPERM: it has no window, or a device that no unit protects, which needs those answers; -EBUSY:
 * some are held; -ENOMEM: a part of them has gone, and the rest does with the next call; -EIO: a
 * unit failed, others' frames may still be reached.
 */
int foreign_drop_window(struct space *sp);

#endif
