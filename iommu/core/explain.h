/* SPDX-License-Identifier: BSD-2-Clause */
/* What explaining a fault needs to have been written down before. */
#ifndef SLUICE_CORE_EXPLAIN_H
#define SLUICE_CORE_EXPLAIN_H

#include "domain.h"

/* A call takes [first, last] out of a context of a domain; the flush is yet to come. */
void explain_note_unmap(const struct context *c, dfn_t first, dfn_t last);

/*
 * The newest of the domain's last unmaps that covers the dfn, in the context that has that number
 * now. False: none that is known.
 */
bool explain_newest_unmap(struct domain *d, uint16_t ctx_no, dfn_t dfn, dfn_t *first, dfn_t *last);

#endif
