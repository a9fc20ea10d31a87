/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest's own table of bus addresses: of second-stage entries, or of first-stage ones. As Linux
 * has it: the largest leaves that address, frame and size allow; tables stay where they are, but
 * for those that a larger leaf replaces.
 */
#ifndef GUEST_VTD_TABLE_H
#define GUEST_VTD_TABLE_H

#include "memory.h"

#define GVTD_READ  1u
#define GVTD_WRITE 2u

struct gvtd_table {
    struct gvtd_memory *memory;
    bool first;          /* first-stage entries: what is writable is readable, too */
    unsigned levels;     /* 3 (second stage only) or 4 */
    unsigned leaf_level; /* the highest with leaves: 0, 1: 2M, 2: 1G */
    uint32_t root;
};

/* Empty, with its memory and shape set: -ENOMEM. */
int gvtd_table_init(struct gvtd_table *t);

/*
 * Bytes are whole pages, and nothing is mapped there. *replaced: a larger leaf took tables' place,
 * so the range is to be invalidated with pointers to tables, and then gvtd_left() be called.
 * -ENOMEM.
 */
int gvtd_map(struct gvtd_table *t, uint64_t iova, uint64_t gpa, uint64_t size, unsigned rights,
             bool *replaced);
/* All of it is mapped. A leaf that is cut becomes smaller ones first. -ENOMEM. */
int gvtd_unmap(struct gvtd_table *t, uint64_t iova, uint64_t size);

#endif
