/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the software unit. */
#ifndef SLUICE_HW_SOFT_INTERNAL_H
#define SLUICE_HW_SOFT_INTERNAL_H

#include "soft.h"

#define SOFT_KEY(did, lg2) (1u << 31 | (uint32_t)(did) << 8 | (uint32_t)(lg2))

static inline struct soft_tag soft_tag(uint16_t did, uint64_t dfn, unsigned lg2)
{
    return (struct soft_tag){dfn >> (lg2 - FRAME_LG2), SOFT_KEY(did, lg2)};
}

static inline bool soft_same(struct soft_tag a, struct soft_tag b)
{
    return a.block == b.block && a.key == b.key;
}

static inline struct soft_unit *soft_of(struct hw_unit *unit)
{
    return (struct soft_unit *)(void *)unit;
}

static inline uint64_t soft_mood(struct soft_unit *u)
{
    u->mood ^= u->mood << 13;
    u->mood ^= u->mood >> 7;
    u->mood ^= u->mood << 17;
    return u->mood;
}

/* What the walker sees at an offset of a page. */
static inline uint64_t soft_read(const struct soft_unit *u, mfn_t page, unsigned offset)
{
    const char *at = (const char *)u->config.memory + (page.n << FRAME_LG2) + offset;

    return __atomic_load_n((const uint64_t *)(const void *)at, __ATOMIC_ACQUIRE);
}

/* Finding in the caches is inline: a hit takes a third of the time of calls (bench/hypercall.c). */
static inline uint32_t soft_hash(uint32_t key)
{
    return key * 0x9e3779b1u >> 8;
}

static inline uint64_t soft_slot(const struct soft_unit *u, struct soft_tag tag)
{
    return (tag.block ^ soft_hash(tag.key)) & u->tlb_mask;
}

static inline struct soft_tlb_entry *soft_tlb_find_lg2(const struct soft_unit *u, uint16_t did,
                                                       uint64_t dfn, unsigned lg2)
{
    const struct soft_tag tag = soft_tag(did, dfn, lg2);
    struct soft_tlb_entry *e = &u->tlb[soft_slot(u, tag)];

    return soft_same(e->tag, tag) ? e : NULL;
}

static inline struct soft_tlb_entry *soft_tlb_find(const struct soft_unit *u, uint16_t did,
                                                   uint64_t dfn)
{
    struct soft_tlb_entry *e = NULL;

    for (uint64_t sizes = u->tlb_sizes; sizes && !e; sizes &= sizes - 1)
        e = soft_tlb_find_lg2(u, did, dfn, (unsigned)__builtin_ctzll(sizes));
    return e;
}

static inline struct soft_device_entry *soft_device_slot(const struct soft_unit *u, rid_t rid)
{
    return &u->devices[(rid.n ^ rid.n >> 8) % SOFT_DEVICES];
}

static inline struct soft_device_entry *soft_cached_device(const struct soft_unit *u, rid_t rid)
{
    struct soft_device_entry *e = soft_device_slot(u, rid);

    return e->valid && e->rid == rid.n ? e : NULL;
}

/* attach.c, invalidate.c */
void soft_store(const struct soft_unit *u, uint64_t *at, uint64_t value);
int soft_page(struct soft_unit *u, mfn_t *page); /* zeroed, as the walker sees it too */
int soft_prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid);
void soft_point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space);
int soft_flush(struct hw_unit *unit, const struct hw_inv *inv, unsigned n);
int soft_flush_interrupts(struct soft_unit *u, unsigned first, unsigned last);
void soft_free_tables(struct soft_unit *u);

/* interrupt.c, remap.c */
enum hw_isolation soft_isolation(struct hw_unit *unit);
int soft_init_interrupts(struct soft_unit *u);
void soft_fini_interrupts(struct soft_unit *u);
void soft_drop_interrupts(struct soft_unit *u, uint64_t first, uint64_t last);

/* cache.c */
void soft_tlb_fill(struct soft_unit *u, uint16_t did, uint64_t dfn, const struct pt_leaf *leaf);
void soft_tlb_fill_absent(struct soft_unit *u, uint16_t did, uint64_t dfn);
bool soft_tables_find(struct soft_unit *u, uint16_t did, uint64_t dfn, mfn_t *table,
                      unsigned *level);
void soft_tables_fill(struct soft_unit *u, uint16_t did, uint64_t dfn, unsigned level, mfn_t table);
void soft_cache_device(struct soft_unit *u, rid_t rid, const struct soft_context_entry *entry);
void soft_drop_device(struct soft_unit *u, rid_t rid);
void soft_drop_space(struct soft_unit *u, uint16_t did);
void soft_drop_range(struct soft_unit *u, uint16_t did, uint64_t first, uint64_t last,
                     bool leaf_only);
void soft_drop_all(struct soft_unit *u);
unsigned soft_table_lg2(const struct soft_unit *u, unsigned level);

/* queue.c: the device looks at its ring once; completion is seen in the status page. */
void soft_queue_poll(struct soft_unit *u);

/* fault.c */
void soft_record(struct soft_unit *u, const struct hw_fault *fault);
unsigned soft_drain(struct hw_unit *unit, struct hw_fault *out, unsigned max, uint64_t *lost);

#endif
