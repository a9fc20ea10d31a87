/* SPDX-License-Identifier: BSD-2-Clause */
/* What explaining a fault needs to have been written down before. */
#ifndef SLUICE_CORE_EXPLAIN_H
#define SLUICE_CORE_EXPLAIN_H

#include "domain.h"

/* A call takes [first, last] out of a context of a domain; the flush is yet to come. */
void explain_note_unmap(const struct context *c, dfn_t first, dfn_t last);

#endif
