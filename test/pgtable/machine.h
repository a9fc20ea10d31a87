/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory for tables under test: pages from one arena, a counter that makes the n-th allocation
 * fail, and `seen`, a second copy of the arena that is what a non-coherent walker sees: it changes
 * only by writeback, word by word, beginning anywhere, with a hook in between.
 */
#ifndef SLUICE_TEST_PGTABLE_MACHINE_H
#define SLUICE_TEST_PGTABLE_MACHINE_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "iommu/pgtable/pgtable.h"

#define MACHINE_PAGES 4096u

struct machine {
    struct sluice_port port;
    struct pt_pages pages;
    uint64_t (*arena)[512], (*seen)[512];
    uint32_t free[MACHINE_PAGES], nr_free;
    bool live[MACHINE_PAGES];
    pthread_mutex_t lock;
    long fail_in; /* this many allocations still succeed; negative: all do */
    unsigned nr_writebacks;
    void (*between)(void *arg); /* called between words of a writeback */
    void *between_arg;
    uint64_t seed;
};

void machine_init(struct machine *m);
/* Checks that every page came back. */
void machine_fini(struct machine *m);

uint64_t machine_random(struct machine *m);

/* Readers for pt_trace; arg is the machine. */
uint64_t machine_read_arena(void *arg, mfn_t table, unsigned offset, unsigned level);
uint64_t machine_read_seen(void *arg, mfn_t table, unsigned offset, unsigned level);

/* All of the format, coherent, as wide as the levels span. */
struct pt_geometry machine_geometry(enum pt_format_id id, unsigned levels);

/* Where hardware ends for an address: the slot in the arena. NULL: not present. */
uint64_t *machine_slot(struct machine *m, const struct pgtable *pt, uint64_t dfn);

/* What hardware does when a device writes: the dirty mark, in arena and seen. */
void machine_touch(struct machine *m, const struct pgtable *pt, uint64_t dfn);

/* Whole ranges, step by step: 0 or the first error, *done exact. */
int machine_map(struct pgtable *pt, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned max_lg2,
                unsigned attr, uint64_t *done);
int machine_unmap(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed,
                  uint64_t *done);
void machine_release(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed);

/* Reaps and finishes; the frames that were still named. */
uint64_t machine_reap(struct pgtable *pt);

/* The attributes that a leaf of this format has when asked for `attr`. */
unsigned machine_attr(enum pt_format_id id, unsigned attr);

#endif
