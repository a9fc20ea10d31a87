/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads a guest's own table, as hardware would: each entry with one access, from the domain's
 * memory. The way down is kept, and lowest entries are read some at a time, so that neighbours cost
 * next to nothing. What is there is hostile: no entry is trusted, and each step is as long as the
 * walk has levels.
 */
#ifndef SLUICE_CORE_GUEST_WALK_H
#define SLUICE_CORE_GUEST_WALK_H

#include "domain.h"

#define GUEST_WALK_AHEAD 32u

struct guest_walk {
    const struct hw_first_stage *table;
    struct memory *memory;
    unsigned reads; /* of entries, so far */
    bool outside;   /* the last walk ended at a table that is not in memory */
    struct {
        bool valid;
        uint64_t at; /* guest address of the entry */
        uint64_t entry;
    } kept[PT_MAX_LEVELS];
    /* Neighbouring entries of a lowest table. */
    struct {
        uint64_t at; /* guest address of the first */
        unsigned nr, wanted;
        uint64_t entry[GUEST_WALK_AHEAD];
    } ahead;
    /* The lowest table that the last walk came to. */
    struct {
        bool valid;
        uint64_t block; /* the frames that it spans, numbered by blocks of that size */
        mfn_t table;
        unsigned rights; /* that the tables above leave */
    } lowest;
    const struct pt_leaf *leaf; /* of the walk that is going on */
};

/* What the table says of [dfn, dfn + nr): neighbouring gfns with these rights, or nothing. */
struct guest_run {
    dfn_t dfn;
    gfn_t gfn;
    uint64_t nr;
    unsigned rights; /* PT_READ | PT_WRITE; 0: nothing */
};

static inline struct guest_walk guest_walk_of(const struct hw_first_stage *table, struct memory *m)
{
    return (struct guest_walk){.table = table, .memory = m};
}

/*
 * From dfn on, to the end of the leaf or the hole that is there, or further, at most max: what must
 * not be read is a hole, with the table that it would be in.
 */
void guest_walk(struct guest_walk *w, dfn_t dfn, uint64_t max, struct guest_run *out);

#endif
