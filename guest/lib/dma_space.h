/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of the DMA layer, to each other.
 *
 *   dma.c             a buffer: which way it goes, there and back
 *   dma_list.c        many at once
 *   dma_space.c       spaces and devices
 *   dma_range.c       device addresses, what is mapped at them, and when they are free again
 *   dma_pages.c       hypercalls that map and unmap
 *   dma_at.c          whole frames at addresses of the caller's own
 *   dma_deferred.c    those that wait for a flush
 *   dma_standing.c    those that stay
 *   dma_pool.c        slots of the pool, and copying
 *   dma_bounce.c      buffers that bounce, and parts of them
 *   dma_premapped.c   memory that is mapped for ever
 *   dma_foreign.c     pages of other domains, mapped
 *   dma_lookup.c      pages of other domains, where they are
 */
#ifndef GUEST_DMA_SPACE_H
#define GUEST_DMA_SPACE_H

#include "dma.h"

static inline void dma_lock(const struct dma_space *s)
{
    s->config.host->lock(s->config.host->arg);
}

static inline void dma_unlock(const struct dma_space *s)
{
    s->config.host->unlock(s->config.host->arg);
}

static inline void dma_count(uint64_t *counter, uint64_t by)
{
    (void)__atomic_fetch_add(counter, by, __ATOMIC_RELAXED);
}

/* It has a context of its own. */
static inline bool dma_has_context(const struct dma_space *s)
{
    return s->config.policy == DMA_STRICT || s->config.policy == DMA_DEFERRED;
}

/*
 * Context 0 shows the guest's own pages at their own addresses: it is an identity map; or bus
 * frames are not the guest's to choose, so that they are machine frames, and its gfns are as well.
 */
static inline bool dma_is_identity(const struct dma_space *s)
{
    const struct features *f = s->config.features;

    return f->caps.cap_flags & IOMMUCAP_default_identity ||
           (f->frames && !f->choose && f->direct_mapped);
}

static inline bool dma_is_foreign(const struct dma_buffer *b)
{
    return b->domain != DOMID_SELF;
}

/* Guest frames that it has bytes in. */
static inline uint64_t dma_frames(const struct dma_buffer *b)
{
    return ((b->offset + b->length - 1) >> DMA_PAGE_SHIFT) + 1;
}

/* The last byte of a buffer whose frames are at device frame `first` is within the mask. */
static inline bool dma_reaches(const struct dma_buffer *b, uint64_t first, uint64_t mask)
{
    const uint64_t last_frame = first + dma_frames(b) - 1;
    const uint64_t rest = (b->offset + b->length - 1) & (DMA_PAGE - 1);

    return last_frame >= first && last_frame < IOVA_FRAMES &&
           (last_frame << DMA_PAGE_SHIFT | rest) <= mask;
}

static inline uint64_t dma_address(const struct dma_buffer *b, uint64_t first)
{
    return first << DMA_PAGE_SHIFT | b->offset;
}

/* The last frame that is within the mask wholly. */
static inline uint64_t dma_limit(uint64_t mask)
{
    return mask < DMA_PAGE - 1 ? 0 : (mask - (DMA_PAGE - 1)) >> DMA_PAGE_SHIFT;
}

/* IOMMU_MAP_readable and _writeable; those of the frames ABI are the same. */
static inline uint8_t dma_rights(enum dma_direction direction)
{
    return (uint8_t)((direction & DMA_TO_DEVICE ? IOMMU_MAP_readable : 0) |
                     (direction & DMA_FROM_DEVICE ? IOMMU_MAP_writeable : 0));
}

/* ---- dma_range.c ------------------------------------------------------------------------------
 */

/* Guest frames that follow each other. */
struct dma_run {
    uint64_t gfn, nr;
};

/* What is to be mapped, one behind the other: of m[0..nr), those of dma_needs_range. */
struct dma_want {
    struct dma_mapping *m;
    size_t nr;
    uint64_t limit; /* the last device frame that will do */
};

/* Any device frames up to the limit, for range->nr of them, ->aligned. */
int dma_take(struct dma_space *s, uint32_t cpu, uint64_t limit, struct dma_range *range);
/* They are free: nobody reaches anything there. */
void dma_give(struct dma_space *s, uint32_t cpu, const struct dma_range *range);
/* Somebody may, and that has no end: nobody gets them any more. */
void dma_lose(struct dma_space *s, const struct dma_range *range);

/*
 * Takes and maps; the mappings get their addresses. After an error, range->nr is 0; if it is not,
 * the range is lost, and what was to be mapped may be reached: -EIO.
 */
int dma_enter(struct dma_space *s, uint32_t cpu, const struct dma_want *want,
              struct dma_range *range);
/* Unmaps. After an error, they are lost. */
int dma_clear(struct dma_space *s, const struct dma_range *range);
/* They were unmapped: gives when the policy says so. */
int dma_release(struct dma_space *s, uint32_t cpu, const struct dma_range *range);
/* Both. After an error, the device may reach what was mapped. */
int dma_leave(struct dma_space *s, uint32_t cpu, const struct dma_range *range);

/* ---- dma_pages.c ------------------------------------------------------------------------------
 */

/* Its first page may be a large one, if the address is chosen for that. */
bool dma_is_large(const struct dma_space *s, const struct dma_mapping *m);
/* At device frames that are the caller's. *lost: after an error, some of it may be mapped. */
int dma_map_frames(struct dma_space *s, uint64_t first, const struct dma_want *want, bool *lost);
int dma_unmap_frames(struct dma_space *s, uint64_t first, uint64_t nr);

/* ---- dma_at.c ---------------------------------------------------------------------------------
 */

/* A mapping of whole frames that is nobody's. */
struct dma_mapping dma_of_frames(uint64_t gfn, uint64_t nr, enum dma_direction direction);

/* ---- dma_deferred.c ---------------------------------------------------------------------------
 */

int dma_queue_init(struct dma_space *s);
/* They were unmapped: to be given after a flush, for which this may be the time. */
int dma_defer(struct dma_space *s, uint32_t cpu, const struct dma_range *range);

/* ---- dma_standing.c ---------------------------------------------------------------------------
 */

#define DMA_NO_STANDER UINT32_MAX

int dma_standing_init(struct dma_space *s);
/* There is one that has the buffer: m gets its address, and is a user. */
bool dma_stand_find(struct dma_space *s, uint64_t mask, struct dma_mapping *m);
/* The same for a new one. False: the buffer is to be mapped for itself. */
bool dma_stand_new(struct dma_space *s, uint32_t cpu, uint64_t mask, struct dma_mapping *m);
void dma_stand_leave(struct dma_space *s, struct dma_mapping *m);
/* All that have no user go. */
int dma_standing_drop(struct dma_space *s);

/* ---- dma_pool.c -------------------------------------------------------------------------------
 */

int dma_pool_init(struct dma_space *s);
int dma_pool_end(struct dma_space *s);
bool dma_pool_serves(const struct dma_device *d);
/* nr slots that follow each other. DMA_NO_SLOT: there are none. */
uint32_t dma_slot_take(struct dma_space *s, uint64_t nr);
void dma_slot_free(struct dma_space *s, uint32_t slot, uint64_t nr);

/* ---- dma_bounce.c -----------------------------------------------------------------------------
 */

/* All of it. */
int dma_bounce(struct dma_device *d, struct dma_mapping *m);
/* Takes and fills slots for the parts of pages at its ends. */
int dma_bounce_ends(struct dma_space *s, struct dma_mapping *m);
/* What the device is to see of it, at most so many runs: how many there are. */
#define DMA_RUNS 3u
size_t dma_runs(const struct dma_space *s, const struct dma_mapping *m, struct dma_run *runs);
static inline bool dma_has_slots(const struct dma_mapping *m)
{
    return m->slot[0] != DMA_NO_SLOT || m->slot[1] != DMA_NO_SLOT;
}
/* What the device wrote, to the buffer. */
int dma_copy_back(struct dma_space *s, const struct dma_mapping *m);
void dma_free_slots(struct dma_space *s, struct dma_mapping *m);

/* ---- dma_foreign.c ----------------------------------------------------------------------------
 */

/* In the window. */
int dma_map_foreign(struct dma_space *s, uint32_t cpu, uint64_t mask, struct dma_mapping *m);
int dma_unmap_foreign(struct dma_space *s, uint32_t cpu, struct dma_mapping *m);

/* ---- dma_lookup.c -----------------------------------------------------------------------------
 */

int dma_lookup_init(struct dma_space *s);
/* Where they are. -ERANGE: not one behind the other, or not within the mask. */
int dma_lookup(struct dma_space *s, uint64_t mask, struct dma_mapping *m);
int dma_unlookup(struct dma_space *s, struct dma_mapping *m);

/* ---- dma.c ------------------------------------------------------------------------------------
 */

/* m is for that buffer, and the way is decided: it has its standing mapping, or its slots. */
int dma_prepare(struct dma_device *d, const struct dma_buffer *buffer, struct dma_mapping *m);
void dma_unprepare(struct dma_device *d, struct dma_mapping *m);
/* It is in a context at addresses of its own. */
static inline bool dma_needs_range(const struct dma_mapping *m)
{
    return m->route == DMA_ROUTE_MAP && !dma_is_foreign(&m->buffer);
}
/* The way there, and back, of one that does not need them. */
int dma_go(struct dma_device *d, uint32_t cpu, struct dma_mapping *m);
int dma_return(struct dma_device *d, uint32_t cpu, struct dma_mapping *m);
/* One that does, after its range was left with that result. */
int dma_finish(struct dma_space *s, struct dma_mapping *m, int left);
/* The caller has so many more, or fewer. */
void dma_begun(struct dma_space *s, uint64_t nr);
void dma_ended(struct dma_space *s, uint64_t nr);

#endif
