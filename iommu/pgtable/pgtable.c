/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The door of the stage: checks what callers promise, then goes to the walker of the table's format
 * by one indirect call. What fails a CHECK here is a bug of the caller; guest input was decoded
 * before.
 */
#include "pgtable.h"

#include "ops.h"
#include "pages.h"

static const struct pt_format *const formats[PT_NR_FORMATS] = {
    [PT_FORMAT_VTDSS] = &pt_format_vtdss, [PT_FORMAT_X86] = &pt_format_x86,
    [PT_FORMAT_AMDV1] = &pt_format_amdv1, [PT_FORMAT_LPAE1] = &pt_format_lpae1,
    [PT_FORMAT_LPAE2] = &pt_format_lpae2, [PT_FORMAT_FAKE] = &pt_format_fake,
};

const struct pt_format *pt_format(enum pt_format_id id)
{
    return formats[id];
}

static const struct pt_ops *ops(const struct pgtable *pt)
{
    return pt->geo.format->ops;
}

static bool in_space(const struct pgtable *pt, uint64_t dfn, uint64_t nr)
{
    uint64_t end = pt_nr_dfns(pt);

    return nr - 1 < end && dfn <= end - nr;
}

#define CHECK_PT(pt, condition) CHECK((pt)->pages->port, condition)

static unsigned span_bits(const struct pt_format *format, unsigned levels)
{
    unsigned bits = FRAME_LG2;

    for (unsigned level = 0; level < levels; level++)
        bits += format->level_bits[level];
    return bits;
}

static bool geometry_ok(const struct pt_geometry *geo)
{
    const struct pt_format *format = geo->format;

    if (geo->levels < format->min_levels || geo->levels > format->max_levels)
        return false;
    if (geo->iova_bits < FRAME_LG2 || geo->iova_bits > span_bits(format, geo->levels))
        return false;
    if ((geo->leaf_sizes & ~format->leaf_sizes) || !(geo->leaf_sizes & BIT64(FRAME_LG2)))
        return false;
    return format->has_dirty || !geo->dirty;
}

int pt_init(struct pgtable *pt, const struct pt_geometry *geo, struct pt_pages *pages)
{
    mfn_t root;
    int r;

    if (!geometry_ok(geo))
        return -EINVAL;
    r = pt_table_alloc(pages, geo, &root);
    if (r)
        return r;
    *pt = (struct pgtable){.geo = *geo,
                           .pages = pages,
                           .root = root,
                           .root_va = port_page(pages->port, root),
                           .direct_map = pages->port->direct_map};
    return 0;
}

void pt_fini(struct pgtable *pt)
{
    pt_table_free(pt->pages, pt->root);
    pt->root_va = NULL;
}

int pt_map(struct pgtable *pt, dfn_t dfn, mfn_t mfn, uint64_t nr, unsigned max_lg2, unsigned attr,
           uint64_t *done)
{
    CHECK_PT(pt, in_space(pt, dfn.n, nr));
    CHECK_PT(pt, max_lg2 >= FRAME_LG2);
    CHECK_PT(pt, attr & (PT_READ | PT_WRITE));
    CHECK_PT(pt, pt->geo.format->has_snoop || !(attr & PT_SNOOP));
    return ops(pt)->map(pt, dfn.n, mfn.n, nr, max_lg2, attr, done);
}

int pt_map_list(struct pgtable *pt, dfn_t dfn, const mfn_t *mfn, uint64_t nr, unsigned attr,
                uint64_t *done)
{
    CHECK_PT(pt, in_space(pt, dfn.n, nr));
    CHECK_PT(pt, attr & (PT_READ | PT_WRITE));
    CHECK_PT(pt, pt->geo.format->has_snoop || !(attr & PT_SNOOP));
    return ops(pt)->map_list(pt, dfn.n, mfn, nr, attr, done);
}

int pt_unmap(struct pgtable *pt, dfn_t dfn, uint64_t nr, struct pt_freed *freed, uint64_t *done)
{
    CHECK_PT(pt, in_space(pt, dfn.n, nr));
    return ops(pt)->unmap(pt, dfn.n, nr, freed, done);
}

int pt_retire(struct pgtable *pt, dfn_t dfn, uint64_t nr, uint64_t *done)
{
    CHECK_PT(pt, in_space(pt, dfn.n, nr));
    return ops(pt)->retire(pt, dfn.n, nr, done);
}

int pt_check(const struct pgtable *pt, dfn_t dfn, uint64_t nr)
{
    CHECK_PT(pt, in_space(pt, dfn.n, nr));
    return ops(pt)->check(pt, dfn.n, nr);
}

void pt_release(struct pgtable *pt, dfn_t dfn, uint64_t nr, struct pt_freed *freed, uint64_t *done)
{
    CHECK_PT(pt, in_space(pt, dfn.n, nr));
    CHECK_PT(pt, freed->nr_runs < PT_FREED_RUNS);
    ops(pt)->release(pt, dfn.n, nr, freed, done);
}

int pt_lookup(const struct pgtable *pt, dfn_t dfn, uint64_t max_nr, struct pt_leaf *out)
{
    CHECK_PT(pt, !(dfn.n >> (pt->geo.iova_bits - FRAME_LG2)));
    return ops(pt)->lookup(pt, dfn.n, max_nr, out);
}

int pt_walk(const struct pgtable *pt, dfn_t first, dfn_t last, pt_visit visit, void *arg)
{
    CHECK_PT(pt, first.n <= last.n && last.n < pt_nr_dfns(pt));
    return ops(pt)->walk(pt, first.n, last.n, visit, arg);
}

int pt_dirty(struct pgtable *pt, dfn_t first, dfn_t last, bool clear, pt_visit visit, void *arg)
{
    CHECK_PT(pt, first.n <= last.n && last.n < pt_nr_dfns(pt));
    if (!pt->geo.dirty)
        return -EOPNOTSUPP;
    return ops(pt)->dirty(pt, first.n, last.n, clear, visit, arg);
}

int pt_point(struct pgtable *pt, dfn_t dfn, mfn_t mfn)
{
    return ops(pt)->point(pt, dfn.n, mfn.n);
}

int pt_split(struct pgtable *pt, dfn_t dfn, unsigned lg2, bool *split)
{
    CHECK_PT(pt, dfn.n < pt_nr_dfns(pt) && lg2 >= FRAME_LG2);
    *split = false;
    return ops(pt)->split(pt, dfn.n, lg2, split);
}

unsigned pt_prune(struct pgtable *pt, dfn_t *cursor, dfn_t last, mfn_t *pages, unsigned max)
{
    CHECK_PT(pt, last.n < pt_nr_dfns(pt));
    return ops(pt)->prune(pt, &cursor->n, last.n, pages, max);
}

void pt_free_pages(struct pgtable *pt, const mfn_t *pages, unsigned nr)
{
    for (unsigned i = 0; i < nr; i++)
        pt_table_free(pt->pages, pages[i]);
}

bool pt_reap(struct pgtable *pt, pt_release_run release, void *arg)
{
    return ops(pt)->reap(pt, release, arg);
}

int pt_trace(const struct pt_geometry *geo, mfn_t root, uint64_t iova, pt_read read, void *arg,
             struct pt_leaf *out)
{
    return pt_trace_from(geo, root, geo->levels - 1u, iova, read, arg, out);
}

int pt_trace_from(const struct pt_geometry *geo, mfn_t table, unsigned level, uint64_t iova,
                  pt_read read, void *arg, struct pt_leaf *out)
{
    return geo->format->ops->trace(geo, table, level, iova, read, arg, out);
}
