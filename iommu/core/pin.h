/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pins: device addresses of a context that its domain relies on. No device comes that has a region
 * there. Guarded by the context's lock.
 */
#ifndef SLUICE_CORE_PIN_H
#define SLUICE_CORE_PIN_H

#include "ranges.h"

/*
 * Pins these ranges instead of what was pinned; takes their memory over. -EINVAL: the context is
 * gone; -ERESTART: a region is there meanwhile. After an error it has taken nothing.
 */
int pin_ranges(struct domain *d, uint16_t no, uint32_t generation, struct ranges *r);
/* Nothing is pinned any more. -EINVAL: the context is gone. */
int pin_release(struct domain *d, uint16_t no, uint32_t generation);

/* Under the context's lock: is a frame of first..last pinned? */
bool pin_touches(const struct context *c, dfn_t first, dfn_t last);

/* The context ends. */
void pin_forget(struct context *c);

#endif
