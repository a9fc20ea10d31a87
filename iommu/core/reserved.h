/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reserved regions: what a guest can neither map nor unmap. A context has those of the devices in
 * it, each counted by its devices; direct ones are mapped 1:1, exactly as wide as declared. A
 * region is in the list before it is mapped and leaves it after it is unmapped.
 */
#ifndef SLUICE_CORE_RESERVED_H
#define SLUICE_CORE_RESERVED_H

#include "device.h"

/* The x86 interrupt window: written by devices, never translated, never mapped, in every context.
 */
#define MSI_FIRST_DFN 0xfee00u
#define MSI_LAST_DFN  0xfeeffu

struct region_use {
    struct region_use *next;
    dfn_t first, last;
    enum sluice_region_type type;
    unsigned prot;
    unsigned count; /* devices in the context that have it */
};

static inline bool reserved_is_msi(uint64_t first, uint64_t last)
{
    return first <= MSI_LAST_DFN && last >= MSI_FIRST_DFN;
}

/* Under the context's lock: how many frames of the span come before the first that is reserved. */
uint64_t reserved_before(const struct context *c, const struct span *span);

/* Under the same: how many frames from dfn on are reserved, by one region; 0: it is not. */
uint64_t reserved_within(const struct context *c, dfn_t dfn);

/* Is a region of the context in [first, last]? */
bool reserved_touches(struct context *c, dfn_t first, dfn_t last);

/*
 * The context gets the group's regions: direct ones are mapped, doorbells get their window. Nothing
 * has changed after an error (but what made room in a shadow is back with its next flush only):
 * -EBUSY: something else is mapped or pinned there; -ENOMEM; -ERESTART: a call is working there, or
 * there is more to take out of a shadow.
 */
int reserved_claim(struct context *c, const struct group *g);

/* The context drops them again; those that no other device has are unmapped, and flushed. */
int reserved_drop(struct context *c, const struct group *g);

/*
 * The same for a (device, pasid) pair: only those that are never mapped. The direct ones and the
 * doorbells are for requests without a PASID, and nothing is there for others.
 */
int reserved_claim_pasid(struct context *c, const struct group *g);
void reserved_drop_pasid(struct context *c, const struct group *g);

/* The context ends: forgets its list, and its pins. */
void reserved_forget(struct context *c);

/* For msi_window.c. A record of a region, in no list yet; NULL: no memory. */
struct region_use *reserved_new(struct context *c, const struct sluice_region *r);
void reserved_free(struct context *c, struct region_use *u);
/* Into the list, from where calls keep out; -EBUSY: a pin, or a window, or of a window any region,
 * is there; -ERESTART. */
int reserved_enter(struct context *c, struct region_use *u);
void reserved_leave(struct context *c, const struct region_use *u);
/* Of a region in the list: nothing of anybody else's is mapped there, or it goes from a shadow.
 * -EBUSY, -ENOMEM, -EIO, -ERESTART. */
int reserved_vacate(struct context *c, const struct region_use *u);

#endif
