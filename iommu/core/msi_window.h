/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The window of a context in which its devices see their doorbells: a reserved region of the
 * context, one, with a page for each doorbell of the devices in it. It comes with the first device
 * that has one, where that has it or, if the host lets it move, where there is room; it stays there
 * until the last of them has left. Quarantines have none. All under the domain's lock.
 */
#ifndef SLUICE_CORE_MSI_WINDOW_H
#define SLUICE_CORE_MSI_WINDOW_H

#include "reserved.h"

/* The most places that are tried for one that moves. */
#define MSI_WINDOW_PLACES 64u

/* A doorbell of devices in a context. It is in the context's list while it is mapped. */
struct doorbell_use {
    struct doorbell_use *next;
    mfn_t mfn;
    dfn_t dfn;
    unsigned count;
};

/* The window that the context has, or NULL. */
struct region_use *msi_window_of(const struct context *c);

/*
 * The context gets the windows and doorbells of the group, whose other regions it has already.
 * Nothing has changed after an error: -EBUSY: no place; -ENOMEM; -ERESTART; -EIO.
 */
int msi_window_claim(struct context *c, const struct group *g);

/* Those that no other device has are unmapped, and flushed. -EIO. */
int msi_window_drop(struct context *c, const struct group *g);

/* The context ends: forgets its list. */
void msi_window_forget(struct context *c);

/* The group's devices see their doorbells in that context from now on; NULL: nowhere. */
void msi_window_show(struct group *g, const struct context *c);

#endif
