/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest's tables have become: devices, where each of them is now, and the contexts that
 * mirror guests' tables. Between tables.c, device.c, space.c, translate.c; guarded by the unit's
 * lock.
 */
#ifndef SLUICE_EMUL_VTD_BACK_H
#define SLUICE_EMUL_VTD_BACK_H

#include "emul.h"

struct device;

/* A table of the guest's, as it is named by the entries of devices, and the context of it. */
struct vtd_emul_space {
    struct vtd_emul_space *next;
    enum vtd_emul_target_kind kind;
    uint16_t did;
    struct hw_first_stage table;
    struct context *c;      /* hidden; NULL: it is not there yet */
    uint32_t generation;    /* of it */
    bool live;              /* it mirrors all that the table said */
    bool ending;            /* nobody can get into it any more */
    unsigned users;         /* places; 0: it goes */
    uint32_t flushing;      /* the invalidation that `at` is of */
    uint32_t done;          /* the last that was carried out */
    struct nested_flush at; /* how far the filling, or that invalidation, came */
};

/* Where requests of a device go, without a PASID or with one. */
struct vtd_emul_place {
    struct vtd_emul_place *next; /* with the next PASID that has one */
    uint32_t pasid;              /* 0: requests without PASID */
    uint16_t did;                /* its tag; 0 of what is not present (6.1) */
    bool lacking;                /* blocked for want of memory or contexts, not by the guest */
    bool left;                   /* it left where it was, for want of them: the second try */
    struct vtd_emul_space *space;
    uint32_t done;
};

struct vtd_emul_device {
    struct vtd_emul_device *next;
    uint16_t sid;
    struct device *dev; /* NULL: emulated. Only to compare with: it may have left the domain */
    rid_t rid;
    struct vtd_emul_place own, *pasids;
    uint32_t begun, done; /* invalidations */
    uint32_t told;        /* the last that the host heard of */
    uint32_t cursor;      /* PASIDs before it are through, in the one that was begun; 0: none is */
};

/* ---- tables.c ----------------------------------------------------------------------------------
 */

/* How many PASID tables the device may have; 0: it has no PASIDs. */
uint32_t vtd_emul_pasid_tables(struct vtd_emul *e, uint32_t sid);
/* Is the nr-th of them there? */
bool vtd_emul_has_pasids(struct vtd_emul *e, uint32_t sid, uint32_t nr);

/* ---- space.c -----------------------------------------------------------------------------------
 */

/* A context that no call may name, and is empty. -ENOSPC, -ENOMEM. */
int vtd_emul_hidden(struct vtd_emul *e, struct context **out);
/* It goes: 0, also if a device is stuck in it; -ERESTART. */
int vtd_emul_end_hidden(struct vtd_emul *e, struct context *c, uint32_t generation);
/* The identity map of the memory, where context 0 is none. -ERESTART, -ENOSPC, -ENOMEM. */
int vtd_emul_identity(struct vtd_emul *e, struct context **out);

/* The space of a target that has a table, filled. -ERESTART; -ENOSPC, -ENOMEM, -EIO. */
int vtd_emul_space(struct vtd_emul *e, const struct vtd_emul_target *target,
                   struct vtd_emul_space **out);
/* What nobody is in any more goes; `all`: and what nobody is in yet. -ERESTART. */
int vtd_emul_reap(struct vtd_emul *e, bool all);
/* The spaces that are meant follow their tables. -ERESTART. */
int vtd_emul_flush_spaces(struct vtd_emul *e, const struct vtd_emul_inv *inv);

/* ---- device.c ----------------------------------------------------------------------------------
 */

/* What viommu.h says; with the lock held. */
int vtd_emul_add_device(struct vtd_emul *e, uint32_t sid, struct device *dev);
int vtd_emul_remove_device(struct vtd_emul *e, uint32_t sid);
/* All of them. -ERESTART. */
int vtd_emul_remove_all(struct vtd_emul *e);
struct vtd_emul_device *vtd_emul_device(const struct vtd_emul *e, uint32_t sid);

/* ---- place.c -----------------------------------------------------------------------------------
 */

/* Devices that are meant go where the tables say now. -ERESTART. */
int vtd_emul_apply(struct vtd_emul *e, const struct vtd_emul_inv *inv);
/* One device, outside of invalidations; `serial` is a new one. -ERESTART. */
int vtd_emul_apply_device(struct vtd_emul *e, struct vtd_emul_device *dev, uint32_t serial);
/* It is taken from behind the unit. -ERESTART, -EIO. */
int vtd_emul_release_device(struct vtd_emul *e, struct vtd_emul_device *dev);
uint32_t vtd_emul_serial(struct vtd_emul *e);

/* ---- translate.c -------------------------------------------------------------------------------
 */

int vtd_emul_init_iotlb(struct vtd_emul *e);
void vtd_emul_fini_iotlb(struct vtd_emul *e);
int vtd_emul_translate(struct vtd_emul *e, const struct sluice_viommu_request *request,
                       struct sluice_viommu_translation *out);
/* What the unit has cached of emulated devices. */
void vtd_emul_forget(struct vtd_emul *e, const struct vtd_emul_inv *inv);
void vtd_emul_forget_device(struct vtd_emul *e, uint32_t sid);

#endif
