/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames leave their domain although emulators have mapped them: swapped for a scratch frame where
 * every mapping allows it, else held; the emulators are told. After it, only references hold them.
 */
#ifndef SLUICE_CORE_LEAVE_H
#define SLUICE_CORE_LEAVE_H

#include "domain.h"

/*
 * For gfns that are there, before they go. -ERESTART: again, with the same; -ENOMEM: they may be
 * mapped again; -EIO: a unit failed, and may still reach some.
 */
int leave_frames(struct domain_locked l, gfn_t gfn, uint64_t nr);

/* The same for all memory of a domain that ends; waits for no emulator. -ERESTART: again. */
int leave_all(struct domain *d);

#endif
