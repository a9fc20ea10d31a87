/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_trace and pt_trace_from. Included by template.h only. */
#ifndef SLUICE_PGTABLE_TRACE_H
#define SLUICE_PGTABLE_TRACE_H

#include "lookup.h"

static bool beyond_space(const struct pt_geometry *geo, uint64_t iova)
{
    return geo->iova_bits < 64 && iova >> geo->iova_bits;
}

/* What the unit does not do, snooping or a size, makes the bits for it reserved. */
static bool is_refused(const struct pt_geometry *geo, uint64_t e, unsigned level)
{
    if (fmt_is_reserved(e, level))
        return true;
    if (!fmt_is_leaf(e, level))
        return false;
    return !(geo->leaf_sizes & BIT64(fmt_leaf_order(e, level) + FRAME_LG2)) ||
           (geo->no_snoop && fmt_attr(e) & PT_SNOOP);
}

static int trace(const struct pt_geometry *geo, mfn_t table, unsigned level, uint64_t iova,
                 pt_read read, void *arg, struct pt_leaf *out)
{
    uint64_t dfn = iova >> FRAME_LG2;
    unsigned rights = PT_READ | PT_WRITE;

    *out = (struct pt_leaf){.dfn = {dfn}, .level = (uint8_t)level, .attr = rights};
    if (beyond_space(geo, iova))
        return -ENOENT;
    for (;; level--) {
        unsigned offset = table_index(dfn, level) * (unsigned)sizeof(uint64_t);
        uint64_t e = read(arg, table, offset, level);

        out->level = (uint8_t)level;
        if (!fmt_is_table(e, level) && !fmt_is_leaf(e, level))
            return -ENOENT;
        if (is_refused(geo, e, level))
            return -EINVAL;
        if (fmt_is_leaf(e, level)) {
            describe_unmarked(dfn, e, level, false, out);
            out->dirty = geo->dirty && fmt_is_dirty(e);
            out->attr &= rights | PT_SNOOP;
            return 0;
        }
        rights &= fmt_table_attr(e);
        out->attr = rights;
        table.n = fmt_table_mfn(e);
    }
}

#endif
