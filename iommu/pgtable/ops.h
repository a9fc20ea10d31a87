/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a format's compiled walker offers to pgtable.c: one pointer per range or step, never one per
 * entry. The semantics are those of the pt_ function of the same name.
 */
#ifndef SLUICE_PGTABLE_OPS_H
#define SLUICE_PGTABLE_OPS_H

#include "pgtable.h"

struct pt_ops {
    uint64_t empty;  /* value of an entry that maps nothing */
    uint8_t oa_bits; /* machine addresses are below 1 << oa_bits */

    int (*map)(struct pgtable *pt, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned max_lg2,
               unsigned attr, uint64_t *done);
    int (*map_list)(struct pgtable *pt, uint64_t dfn, const mfn_t *mfn, uint64_t nr, unsigned attr,
                    uint64_t *done);
    int (*unmap)(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed,
                 uint64_t *done);
    int (*retire)(struct pgtable *pt, uint64_t dfn, uint64_t nr, uint64_t *done);
    int (*check)(const struct pgtable *pt, uint64_t dfn, uint64_t nr);
    void (*release)(struct pgtable *pt, uint64_t dfn, uint64_t nr, struct pt_freed *freed,
                    uint64_t *done);
    int (*lookup)(const struct pgtable *pt, uint64_t dfn, uint64_t max_nr, struct pt_leaf *out);
    int (*walk)(const struct pgtable *pt, uint64_t first, uint64_t last, pt_visit visit, void *arg);
    int (*dirty)(struct pgtable *pt, uint64_t first, uint64_t last, bool clear, pt_visit visit,
                 void *arg);
    int (*point)(struct pgtable *pt, uint64_t dfn, uint64_t mfn);
    int (*split)(struct pgtable *pt, uint64_t dfn, unsigned lg2, bool *split);
    unsigned (*prune)(struct pgtable *pt, uint64_t *cursor, uint64_t last, mfn_t *pages,
                      unsigned max);
    bool (*reap)(struct pgtable *pt, pt_release_run release, void *arg);
    int (*trace)(const struct pt_geometry *geo, mfn_t table, unsigned level, uint64_t iova,
                 pt_read read, void *arg, struct pt_leaf *out);
};

extern const struct pt_format pt_format_vtdss;
extern const struct pt_format pt_format_x86;
extern const struct pt_format pt_format_amdv1;
extern const struct pt_format pt_format_lpae1;
extern const struct pt_format pt_format_lpae2;
extern const struct pt_format pt_format_fake;

#endif
