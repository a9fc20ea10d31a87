/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Frames: one 16-byte record for each machine frame that can be given to a domain: who owns it,
 * what it is, and how many hold it. A frame leaves its domain for reuse only when the last
 * reference goes.
 *
 * Records of a domain's frames are guarded by that domain's memory lock (memory.h). The four fields
 * are arrays of their own, so that references of a run of neighbours are taken by vector
 * instructions.
 */
#ifndef SLUICE_CORE_FRAME_H
#define SLUICE_CORE_FRAME_H

#include "../sluice.h"

struct frame_owner {
    uint16_t domid;
    uint8_t type;     /* enum sluice_frame_type */
    bool owned : 1;   /* in the domain's memory map; false: free, or only held by references */
    bool leaving : 1; /* its owner is giving it up: no emulator may map it any more */
};

struct frames {
    const struct sluice_port *port;
    uint64_t nr;
    uint32_t *refs;
    struct frame_owner *owner;
    uint64_t *gfn; /* of the owner; kept while references hold a frame that it gave up */
    void *memory;
};

int frames_init(struct frames *f, const struct sluice_port *port, uint64_t nr);
void frames_fini(struct frames *f);

/*
 * Gives frames that nobody owns or references to a domain, with the owner's reference. 0, -EINVAL
 * (no such frames), -EBUSY. Under the instance's lock, so that a frame is given once.
 */
int frames_give(struct frames *f, mfn_t mfn, uint64_t nr, uint16_t domid, gfn_t gfn,
                enum sluice_frame_type type);

/* They were given, but nobody got to see them: the host's again. */
void frames_take_back(struct frames *f, mfn_t mfn, uint64_t nr);

/* One more reference on each. The caller's budget keeps a count from overflowing. */
void frames_get(struct frames *f, mfn_t mfn, uint64_t nr);

/* One reference less on each; those that were the last go back to the host. */
void frames_put(struct frames *f, mfn_t mfn, uint64_t nr);

/*
 * The same for references that come through the reverse map: of one domain's frames, under its
 * memory lock; -ENOMEM: more than a count can hold, nothing was taken.
 */
int frames_get_checked(struct frames *f, mfn_t mfn, uint64_t nr);

/* The owner lets go of frames in its memory map: its reference is dropped too. */
void frames_disown(struct frames *f, mfn_t mfn, uint64_t nr);

/* A failed unit may reach them: nobody's, and referenced for ever. */
void frames_lose(struct frames *f, mfn_t mfn, uint64_t nr);

#endif
