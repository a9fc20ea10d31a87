/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver for a VT-d unit, as unmodified guests have it: it sets the unit up, points devices at
 * tables, and invalidates by its queue. Each access to a register is an exit; an invalidation is
 * one, since a descriptor and its wait descriptor are submitted by one write of the tail.
 *
 * -EIO: the unit did not do what the specification says; -EOPNOTSUPP: it cannot do that.
 */
#ifndef GUEST_VTD_DRIVER_H
#define GUEST_VTD_DRIVER_H

#include "table.h"

#define GVTD_DEVICES 256u /* on bus 0 */

struct gvtd {
    struct gvtd_memory *memory;
    uint64_t cap, ecap;
    bool scalable; /* first-stage tables, in scalable mode; else second-stage ones in legacy mode */
    uint64_t exits;
    uint32_t queue, status, root, context[2];
    uint32_t directory[GVTD_DEVICES], pasids[GVTD_DEVICES]; /* scalable: pages of a device */
    bool has_pasids[GVTD_DEVICES];
    unsigned tail; /* descriptors */
    uint32_t done; /* what the last wait descriptor wrote */
};

/* The unit translates; all devices are blocked. */
int gvtd_open(struct gvtd *g, struct gvtd_memory *memory, bool scalable);
/* It translates no more. */
int gvtd_close(struct gvtd *g);

/* What its tables are like on this unit: all but memory and root. */
void gvtd_shape(const struct gvtd *g, struct gvtd_table *t);
unsigned gvtd_nr_dids(const struct gvtd *g);

/* Bus 0's device gets a table, or loses it; with the invalidations that this takes. */
int gvtd_attach(struct gvtd *g, uint8_t devfn, uint16_t did, const struct gvtd_table *t);
int gvtd_detach(struct gvtd *g, uint8_t devfn, uint16_t did);

/* One invalidation, complete when it returns. Of the smallest block that has the range, if the unit
 * can do that; otherwise of the whole domain. leaf_only: no table was replaced. */
int gvtd_flush_range(struct gvtd *g, uint16_t did, uint64_t iova, uint64_t size, bool leaf_only);
int gvtd_flush_domain(struct gvtd *g, uint16_t did);
int gvtd_flush_all(struct gvtd *g);
int gvtd_flush_device(struct gvtd *g, uint16_t did, uint8_t devfn); /* the context cache's entry */
int gvtd_flush_pasid(struct gvtd *g, uint16_t did);                 /* the PASID cache's, of 0 */

#endif
