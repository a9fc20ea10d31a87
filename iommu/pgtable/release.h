/* SPDX-License-Identifier: BSD-2-Clause */
/* pt_release. Included by template.h only. */
#ifndef SLUICE_PGTABLE_RELEASE_H
#define SLUICE_PGTABLE_RELEASE_H

#include "find.h"
#include "runs.h"

/* Hardware sees retired entries as not present and writes to none: plain stores do. */
static void release(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed,
                    uint64_t *done)
{
    struct place at = find(pt, dfn);
    unsigned i = 0, n = table_entries(at.level) - table_index(dfn, at.level);
    uint64_t span = entry_span(at.level), end = dfn + nr;
    uint64_t here = dfn & ~(span - 1); /* first dfn of entry i */

    while (i < n && here < end) {
        uint64_t e = entry_read(at.slot + i);
        uint64_t size = span;
        unsigned count = 1;

        if (i && fmt_is_table(e, at.level))
            break;
        if (fmt_is_retired(e)) {
            size = leaf_frames(e, at.level);
            count = leaf_entries(e, at.level);
            if (!(here & (size - 1)) && here >= dfn && here + size <= end) {
                if (!runs_add(freed, fmt_leaf_mfn(e, at.level), size))
                    break;
                for (unsigned k = 0; k < count; k++)
                    entry_write(at.slot + i + k, FMT_EMPTY);
            } else {
                size = span; /* sticks out of the range: stays as it is */
                count = 1;
            }
        }
        i += count;
        here += size;
    }
    entries_writeback(pt, at.slot, i);
    *done = (here < end ? here : end) - dfn;
}

#endif
