/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The 1:1 window of a relaxed or passed-through hardware domain: in its bus-frame space, each
 * machine frame that is a domain's, for devices, at bus frame `window` + machine frame, as implicit
 * entries. One domain of an instance has one.
 *
 * The frames of the host are never in it: a frame comes when it is given to a domain, and goes,
 * flushed, before its owner lets it go; where a lookup holds it, with the lookup. A domain that
 * does not want others' frames there says so, once: foreign_drop_window.
 */
#ifndef SLUICE_CORE_WINDOW_H
#define SLUICE_CORE_WINDOW_H

#include "space.h"

/* The domain that is being made gets it, with all that is there now. -EBUSY -EINVAL -ENOMEM. */
int window_open(struct domain *d);
void window_close(struct domain *d);

/* Frames of the owner come: 0; -ENOMEM, -ERESTART, -EADDRNOTAVAIL (a device of the domain with the
 * window has a region there): nothing has changed; -EIO. */
int window_add(const struct domain *owner, mfn_t mfn, uint64_t nr, unsigned rights);

/* Does all of a removal that can lack memory. -ENOMEM, -ERESTART, -EIO. */
int window_prepare_remove(const struct domain *owner, mfn_t mfn, uint64_t nr);

/* Frames that no lookup holds go. -ENOMEM, -ERESTART: nothing has changed; -EIO: may be reached. */
int window_remove(const struct domain *owner, mfn_t mfn, uint64_t nr);

/* Takes implicit entries of the window out of the space, if they are there; not flushed. */
int window_take(struct space *sp, mfn_t mfn, uint64_t nr);

#endif
