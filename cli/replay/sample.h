/* SPDX-License-Identifier: BSD-2-Clause */
/* Now and then a device uses what was mapped for it, and tries what no longer is. */
#ifndef CLI_REPLAY_SAMPLE_H
#define CLI_REPLAY_SAMPLE_H

#include "replay.h"

/* Where a buffer is for a device, and for the guest. */
struct place {
    uint16_t space;
    uint64_t address, gfn, size;
    unsigned prot;
};

/* Is it the turn of this operation? */
bool sample_due(const struct replay *r, unsigned *since);
/* The device reaches the buffer's first bytes and its last. */
void sample_live(struct replay *r, const struct place *p);
/* After the unmap. Once that was flushed it must not. */
void sample_late(struct replay *r, const struct place *p, bool flushed);

#endif
