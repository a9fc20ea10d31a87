/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Translation tables of any format, behind one set of functions. A table maps device frames to
 * machine frames; it knows nothing of domains, references or hardware units.
 *
 * Counts are in 4 KiB frames. Level 0 is the table whose entries are the smallest leaves.
 *
 * States of an entry:
 *   empty    maps nothing
 *   table    points to the next lower table
 *   leaf     maps a power-of-two number of frames (AMD may repeat it over several entries)
 *   retired  a leaf without rights: hardware sees not-present, but the frame is still named, for
 *            its reference to be dropped after the flush (pt_release); PT_MARK stays readable too
 *
 * Concurrency: calls on disjoint ranges of one pgtable may run at the same time without a lock; the
 * caller keeps overlapping ranges apart. pt_prune, pt_split and pt_reap may free or replace tables:
 * for them `disjoint` means the whole span of each table that they touch (pt_split: of the leaf;
 * pt_prune and pt_reap: of the given range, which they never look outside of).
 */
#ifndef SLUICE_PGTABLE_PGTABLE_H
#define SLUICE_PGTABLE_PGTABLE_H

#include "../port/port.h"

#define PT_MAX_LEVELS 6

/* Attributes of a leaf. */
#define PT_READ  1u
#define PT_WRITE 2u /* x86 and LPAE stage 1 have no write-only: alone it maps as both there */
#define PT_SNOOP 4u /* enforce coherent DMA; only where the format has it (pt_format.has_snoop) */
#define PT_MARK  8u /* the caller's own: hardware ignores it */

enum pt_format_id {
    PT_FORMAT_VTDSS, /* VT-d second stage: 3, 4, 5 levels; 4K, 2M, 1G */
    PT_FORMAT_X86,   /* x86 first stage (VT-d first stage, CPU tables): 4, 5 levels; 4K, 2M, 1G */
    PT_FORMAT_AMDV1, /* AMD-Vi host tables: 1..6 levels; any power of two but 512G */
    PT_FORMAT_LPAE1, /* Arm LPAE stage 1, 4K granule: 3, 4 levels; 4K, 2M, 1G */
    PT_FORMAT_LPAE2, /* Arm LPAE stage 2, 4K granule: 3, 4 levels; 4K, 2M, 1G */
    PT_FORMAT_FAKE,  /* for tests: breaks every assumption that the others share */
    PT_NR_FORMATS
};

struct pt_ops;

/* What is fixed for a format. */
struct pt_format {
    const char *name;
    enum pt_format_id id;
    uint8_t min_levels, max_levels;
    uint8_t level_bits[PT_MAX_LEVELS]; /* log2 of the entries of a table of that level */
    uint64_t leaf_sizes;               /* bit k: a leaf of 1 << k bytes exists */
    bool has_snoop;
    bool has_dirty;
    bool write_reads; /* PT_WRITE alone maps as both */
    const struct pt_ops *ops;
};

/* The format by id; never NULL for an id below PT_NR_FORMATS. */
const struct pt_format *pt_format(enum pt_format_id id);

/* What a unit, or the common denominator of several, asks of its tables. */
struct pt_geometry {
    const struct pt_format *format;
    uint8_t levels;      /* of the walk, min_levels..max_levels */
    uint8_t iova_bits;   /* addresses are below 1 << iova_bits; at most what the levels span */
    uint64_t leaf_sizes; /* a subset of the format's; always has the 4K bit */
    bool noncoherent;    /* the walker does not snoop: write back what it may read */
    bool no_snoop;       /* tracing: there is no PT_SNOOP, and its bit is reserved */
    bool dirty;          /* hardware sets dirty bits while it walks: change leaves atomically */
};

/* Where table pages come from and who pays for them. Shared by tables; counted atomically. */
struct pt_pages {
    const struct sluice_port *port;
    _Atomic uint32_t used;
    uint32_t limit; /* reaching it is -ENOSPC from the calls below, without asking the port */
};

/* Frames that one entry of a table of `level` spans. */
static inline uint64_t pt_entry_span(const struct pt_geometry *geo, unsigned level)
{
    unsigned bits = 0;

    for (unsigned k = 0; k < level; k++)
        bits += geo->format->level_bits[k];
    return (uint64_t)1 << bits;
}

struct pgtable {
    struct pt_geometry geo;
    struct pt_pages *pages;
    mfn_t root;
    void *root_va;
    void *direct_map; /* the port's, at hand: loads on the way to it would delay a walk */
};

/* -EINVAL: geometry the format cannot do; -ENOSPC, -ENOMEM: no page for the root. */
int pt_init(struct pgtable *pt, const struct pt_geometry *geo, struct pt_pages *pages);

/* Frees the root. Everything below must have been reaped. */
void pt_fini(struct pgtable *pt);

/* Device frames that exist: 1 << (iova_bits - 12). */
static inline uint64_t pt_nr_dfns(const struct pgtable *pt)
{
    return (uint64_t)1 << (pt->geo.iova_bits - FRAME_LG2);
}

/*
 * Maps nr frames at dfn to neighbouring machine frames from mfn, with the largest leaves of at most
 * 1 << max_lg2 bytes that sizes and alignment of dfn, mfn and nr allow. One step: ends at the end
 * of the range, of the table it works in, or before the first entry that is not empty. *done says
 * how many frames it mapped, always exactly.
 *
 *   0        something was done; call again for the rest
 *   -EEXIST  the entry at dfn is not empty; *done = 0
 *   -ENOMEM, -ENOSPC  a table is missing and none can be had (port, limit); *done = 0
 *
 * Where a larger leaf would fit but a lower table (even an empty one) hangs there, it goes down
 * into that table: prune first if that matters. dfn + nr must be within pt_nr_dfns; nr > 0; attr
 * has R or W, and SNOOP only if the format has.
 */
int pt_map(struct pgtable *pt, dfn_t dfn, mfn_t mfn, uint64_t nr, unsigned max_lg2, unsigned attr,
           uint64_t *done);

/*
 * The same for frames that are not neighbours: dfn + i to mfn[i], one 4K leaf each. Steps, results
 * and conditions are those of pt_map.
 */
int pt_map_list(struct pgtable *pt, dfn_t dfn, const mfn_t *mfn, uint64_t nr, unsigned attr,
                uint64_t *done);

/* Frames that an unmap took out of the tables. They may be released only after the flush. */
#define PT_FREED_RUNS 16
struct pt_freed {
    unsigned nr_runs;
    bool retired; /* further ones are still named by retired entries of the range: pt_release */
    struct {
        mfn_t first;
        uint64_t nr;
    } run[PT_FREED_RUNS];
};

/*
 * Takes leaves out, from dfn on, at most nr frames. One step: ends at the end of the range or of
 * the table it works in, or before what it must not touch. Adds what it took to *freed: as runs
 * while there is room, otherwise by leaving the entries retired. Never allocates.
 *
 *   0        *done > 0 frames were taken; call again for the rest
 *   -ENOENT  nothing is mapped at dfn (empty or retired); *done = 0
 *   -EINVAL  the leaf at dfn sticks out of the range on either side; *done = 0
 */
int pt_unmap(struct pgtable *pt, dfn_t dfn, uint64_t nr, struct pt_freed *freed, uint64_t *done);

/*
 * The same, but every entry is left retired: the table is the list of what is to be released. Its
 * results are those of pt_unmap.
 */
int pt_retire(struct pgtable *pt, dfn_t dfn, uint64_t nr, uint64_t *done);

/* Would pt_unmap take out all nr frames? 0, or the first error it would meet. Changes nothing. */
int pt_check(const struct pgtable *pt, dfn_t dfn, uint64_t nr);

/*
 * After the flush: empties retired entries from dfn on (at most nr frames, one step as above; skips
 * what is not retired, and what sticks out of the range) and adds their frames to *freed, stopping
 * when its runs are full; it needs room for one. *done says how far it came, in frames; > 0 always.
 */
void pt_release(struct pgtable *pt, dfn_t dfn, uint64_t nr, struct pt_freed *freed, uint64_t *done);

struct pt_leaf {
    dfn_t dfn;     /* asked for (lookup) or first of the leaf (walk) */
    mfn_t mfn;     /* what it maps to */
    uint64_t nr;   /* lookup: neighbouring frames, same attributes, at most what was asked */
    uint8_t lg2;   /* size of the leaf in bytes */
    uint8_t level; /* of the table it is in */
    bool retired;
    bool dirty;
    unsigned attr; /* of a retired leaf: PT_MARK or 0 */
};

/*
 * What is at dfn: 0, or -ENOENT (empty; out->level says at which level the walk ended). A retired
 * entry is found too, and says so. out->nr is a run inside one table: 1..max_nr frames that are
 * contiguous in both spaces.
 */
int pt_lookup(const struct pgtable *pt, dfn_t dfn, uint64_t max_nr, struct pt_leaf *out);

/*
 * Visits every leaf (and retired leaf) that touches [first, last], in order; stops when the visitor
 * returns non-zero and returns that. Safe against concurrent changes on other ranges.
 */
typedef int (*pt_visit)(void *arg, const struct pt_leaf *leaf);
int pt_walk(const struct pgtable *pt, dfn_t first, dfn_t last, pt_visit visit, void *arg);

/*
 * Visits every leaf in [first, last] that hardware wrote through since it was mapped or last
 * cleared; with `clear`, clears that mark (the caller then flushes). -EOPNOTSUPP unless geo.dirty
 * is set.
 */
int pt_dirty(struct pgtable *pt, dfn_t first, dfn_t last, bool clear, pt_visit visit, void *arg);

/*
 * The 4K leaf at dfn maps to another frame from now on, with the attributes that it has; at no time
 * does it map nothing. 0; -ENOENT: no leaf; -EINVAL: a larger one. The caller flushes.
 */
int pt_point(struct pgtable *pt, dfn_t dfn, mfn_t mfn);

/*
 * Splits the leaf at dfn until it is at most 1 << lg2 bytes, without any address in it losing its
 * translation at any time. 0 (also when there is nothing to split), -ENOMEM, -ENOSPC. The caller
 * flushes when *split says that something changed, on failure too: then it is split part of the
 * way.
 */
int pt_split(struct pgtable *pt, dfn_t dfn, unsigned lg2, bool *split);

/*
 * Unlinks empty tables whose whole span lies in [*cursor, last] and hands their pages to the
 * caller, who frees them with pt_free_pages after a flush that covers paging structures. Returns
 * how many of the `max` places it used; *cursor moves on, past `last` when it is through. One step
 * is bounded: it looks into at most PT_PRUNE_TABLES tables. A table above goes with the last one
 * below it, if the step began before its first frame; else a second pass over the range finds it.
 */
#define PT_PRUNE_TABLES 64
unsigned pt_prune(struct pgtable *pt, dfn_t *cursor, dfn_t last, mfn_t *pages, unsigned max);
void pt_free_pages(struct pgtable *pt, const mfn_t *pages, unsigned nr);

/*
 * Teardown of a table that no hardware can reach any more (detached and flushed): empties one
 * lowest table, hands its frames to `release` as runs (retired ones included), and frees the table.
 * True while there is more. One step looks at no more than one table of each level.
 */
typedef void (*pt_release_run)(void *arg, mfn_t first, uint64_t nr);
bool pt_reap(struct pgtable *pt, pt_release_run release, void *arg);

/*
 * How hardware would translate one address: reads entries only through `read`, so that a model of
 * hardware can give its own view of memory (stale, non-coherent) and see every step.
 * `read(arg, table, offset, level)` returns the 8 bytes at that offset of that table page.
 * 0 and *out, or -ENOENT (not present at out->level), or -EINVAL (reserved bits set at out->level).
 * Rights are those of all levels together; PT_MARK, which is nothing to hardware, is not reported.
 * While it reads, and where it fails, out->attr has the rights that the tables above leave.
 */
typedef uint64_t (*pt_read)(void *arg, mfn_t table, unsigned offset, unsigned level);
int pt_trace(const struct pt_geometry *geo, mfn_t root, uint64_t iova, pt_read read, void *arg,
             struct pt_leaf *out);

/* Walk from inside: `table` is the table of `level` that a paging-structure cache remembered. */
int pt_trace_from(const struct pt_geometry *geo, mfn_t table, unsigned level, uint64_t iova,
                  pt_read read, void *arg, struct pt_leaf *out);

#endif
