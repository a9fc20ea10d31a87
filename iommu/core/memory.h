/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A domain's memory map, gfn -> mfn, and the lock that guards it together with the references of
 * the domain's frames: a frame found under the lock is referenced before the lock is dropped, so it
 * cannot change hands in between.
 *
 * The map is a pgtable that no hardware walks. The attribute bits say what a device may do with the
 * frame; MEMORY_PRIVATE stands for "nothing".
 */
#ifndef SLUICE_CORE_MEMORY_H
#define SLUICE_CORE_MEMORY_H

#include "frame.h"

#define MEMORY_PRIVATE PT_WRITE /* alone: SLUICE_FRAME_PRIVATE */

struct memory {
    struct sluice_lock lock;
    struct frames *frames;
    struct pt_pages pages;
    struct pgtable map;
    uint32_t refs, refs_limit; /* references that the domain's mappings hold, and its budget */
    _Atomic uint64_t nr;       /* frames in the map */
    uint64_t nr_leaving;       /* those that are marked so */
};

/* Proof that the lock is held. */
struct memory_locked {
    struct memory *m;
};

int memory_init(struct memory *m, struct frames *frames, uint32_t refs_limit);
/*
 * Teardown, one bounded step: the owner's references go, or stay for ever where a failed unit may
 * still reach the frames. True while there is more.
 */
bool memory_reap(struct memory *m, bool lost);
void memory_fini(struct memory *m);

static inline struct memory_locked memory_lock(struct memory *m)
{
    m->frames->port->lock(m->frames->port->host, &m->lock);
    return (struct memory_locked){m};
}

static inline void memory_unlock(struct memory_locked l)
{
    l.m->frames->port->unlock(l.m->frames->port->host, &l.m->lock);
}

/*
 * The run of frames at gfn, at most max: *rights is what devices may do with them. -ENOENT: no
 * frame, of this gfn and nr - 1 behind it.
 */
int memory_find(struct memory_locked l, gfn_t gfn, uint64_t max, mfn_t *mfn, uint64_t *nr,
                unsigned *rights);

/* The frames of the gfns from here on, as many of max as exist and allow `rights`. */
uint64_t memory_list(struct memory_locked l, gfn_t gfn, uint64_t max, unsigned rights, mfn_t *mfn);

/* References for one mapping of each frame, against the budget: 0, or -ENOMEM with nothing taken.
 */
int memory_get(struct memory_locked l, mfn_t mfn, uint64_t nr);
void memory_put(struct memory_locked l, mfn_t mfn, uint64_t nr);

/* Frames of the map: its owner is giving them up, or keeps them after all. */
void memory_mark(struct memory_locked l, mfn_t mfn, uint64_t nr, bool leaving);

/* What to do with frames that leave a table (pt_release_run): `arg` points to the memory_locked. */
void memory_put_run(void *arg, mfn_t first, uint64_t nr);
/* The table holds no references. */
void memory_pass_run(void *arg, mfn_t first, uint64_t nr);

/*
 * Only the budget: for references on frames of others. Locks inside. -ENOMEM with nothing changed.
 */
int memory_charge(struct memory *m, uint64_t nr);
void memory_uncharge(struct memory *m, uint64_t nr);

/* How many of nr references the budget still allows; 0 if none, then memory_get says -ENOMEM. */
uint64_t memory_afford(struct memory_locked l, uint64_t nr);

/*
 * What hardware reads and writes for a guest at guest addresses: tables, queues. Frames that
 * devices may read (write), one after the other; none changes hands meanwhile. -ENOENT: one is not
 * there or not for devices; those before it are done.
 */
int memory_read(struct memory *m, uint64_t gpa, void *to, size_t size);
int memory_write(struct memory *m, uint64_t gpa, const void *from, size_t size);

/* The attribute in the map of a type of frames. */
unsigned memory_attr(enum sluice_frame_type type);

/* What devices may do with a frame, from its attribute in the map. */
unsigned memory_rights(unsigned attr);

#endif
