/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pages of a guest that its VT-d unit reads: tables and the queue. The driver keeps what is in them
 * here, as a kernel sees its own memory, and each change is stored to the guest's memory too.
 */
#ifndef GUEST_VTD_MEMORY_H
#define GUEST_VTD_MEMORY_H

#include "../../iommu/abi/errno.h"
#include "../../iommu/port/types.h"

#define GVTD_PAGE  4096u
#define GVTD_WORDS 512u /* of 8 bytes, of a page */

/* How guest memory is accessed: 0 or a negative errno. */
struct gvtd_port {
    void *arg;
    int (*store)(void *arg, uint64_t gpa, const void *from, size_t size);
    int (*load)(void *arg, uint64_t gpa, void *to, size_t size);
    int (*read)(void *arg, uint64_t reg, unsigned size, uint64_t *value);
    int (*write)(void *arg, uint64_t reg, unsigned size, uint64_t value);
};

struct gvtd_memory {
    const struct gvtd_port *port;
    uint64_t base; /* guest address of the first of them */
    uint32_t nr, used;
    uint64_t (*page)[GVTD_WORDS]; /* nr of them: what each has */
    uint32_t *idle;               /* nr of them: pages that were given back */
    uint32_t nr_idle;
    uint32_t *leaving; /* nr of them: given back once the next invalidation is complete */
    uint32_t nr_leaving;
};

/* Pages are numbered from 0. An empty one: 0; -ENOMEM. */
int gvtd_page(struct gvtd_memory *m, uint32_t *out);
static inline uint64_t gvtd_address(const struct gvtd_memory *m, uint32_t page)
{
    return m->base + (uint64_t)page * GVTD_PAGE;
}
static inline uint32_t gvtd_page_at(const struct gvtd_memory *m, uint64_t address)
{
    return (uint32_t)((address - m->base) / GVTD_PAGE);
}
/* The unit may still read it. */
void gvtd_leave(struct gvtd_memory *m, uint32_t page);
/* An invalidation that covers what has left is complete. */
void gvtd_left(struct gvtd_memory *m);

/* nr words of a page get their values, and the guest's memory too. */
int gvtd_set(struct gvtd_memory *m, uint32_t page, unsigned word, const uint64_t *values,
             unsigned nr);

#endif
