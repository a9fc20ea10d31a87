/* SPDX-License-Identifier: BSD-2-Clause */
/* Pages for tables: counted against the budget, set up as a table of empty entries. */
#ifndef SLUICE_PGTABLE_PAGES_H
#define SLUICE_PGTABLE_PAGES_H

#include "pgtable.h"

/*
 * A table of empty entries, already written back where the walker needs that. 0, -ENOSPC (budget)
 * or -ENOMEM (port), with nothing taken.
 */
int pt_table_alloc(struct pt_pages *pages, const struct pt_geometry *geo, mfn_t *table);

/* Gives the page of a table back, to port and budget. No hardware may reach it any more. */
void pt_table_free(struct pt_pages *pages, mfn_t table);

#endif
