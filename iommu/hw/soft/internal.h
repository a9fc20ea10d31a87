/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the software unit. */
#ifndef SLUICE_HW_SOFT_INTERNAL_H
#define SLUICE_HW_SOFT_INTERNAL_H

#include "soft.h"

/*
 * What a cached block is an address of: of a space, or what the second stage of a nested one
 * translates.
 */
#define SOFT_SPACE(did) (1u << 31 | (uint32_t)(did) << 8)
#define SOFT_SECOND     (1u << 24)

/* One table as a walk of it needs to know it. */
struct soft_stage {
    struct pt_geometry geo;
    mfn_t root;
    uint32_t space;
    const struct soft_stage *below; /* translates its addresses; NULL: they are the machine's */
};

struct soft_stages {
    struct soft_stage second, first;
    const struct soft_stage *top; /* what devices' addresses are translated by */
};

static inline struct soft_tag soft_tag(uint32_t space, uint64_t dfn, unsigned lg2)
{
    return (struct soft_tag){dfn >> (lg2 - FRAME_LG2), space | lg2};
}

static inline bool soft_same(struct soft_tag a, struct soft_tag b)
{
    return a.block == b.block && a.key == b.key;
}

static inline unsigned soft_tag_lg2(const struct soft_tag *tag)
{
    return tag->key & 0xff;
}

static inline bool soft_tag_is(const struct soft_tag *tag, uint32_t space)
{
    return (tag->key & ~0xffu) == space;
}

static inline uint64_t soft_tag_first(const struct soft_tag *tag)
{
    return tag->block << (soft_tag_lg2(tag) - FRAME_LG2);
}

static inline uint64_t soft_tag_last(const struct soft_tag *tag)
{
    return soft_tag_first(tag) + (BIT64(soft_tag_lg2(tag) - FRAME_LG2) - 1);
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

static inline struct soft_tlb_entry *soft_tlb_find_lg2(const struct soft_unit *u, uint32_t space,
                                                       uint64_t dfn, unsigned lg2)
{
    const struct soft_tag tag = soft_tag(space, dfn, lg2);
    struct soft_tlb_entry *e = &u->tlb[soft_slot(u, tag)];

    return soft_same(e->tag, tag) ? e : NULL;
}

static inline struct soft_tlb_entry *soft_tlb_find(const struct soft_unit *u, uint32_t space,
                                                   uint64_t dfn)
{
    struct soft_tlb_entry *e = NULL;

    for (uint64_t sizes = u->tlb_sizes; sizes && !e; sizes &= sizes - 1)
        e = soft_tlb_find_lg2(u, space, dfn, (unsigned)__builtin_ctzll(sizes));
    return e;
}

static inline uint64_t soft_device_id(rid_t rid, uint32_t pasid)
{
    return (uint64_t)pasid << 32 | rid.n;
}

static inline struct soft_device_entry *soft_device_slot(const struct soft_unit *u, rid_t rid,
                                                         uint32_t pasid)
{
    return &u->devices[(rid.n ^ rid.n >> 8 ^ pasid) % SOFT_DEVICES];
}

static inline struct soft_device_entry *soft_cached_device(const struct soft_unit *u, rid_t rid,
                                                           uint32_t pasid)
{
    struct soft_device_entry *e = soft_device_slot(u, rid, pasid);

    return e->valid && e->id == soft_device_id(rid, pasid) ? e : NULL;
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
/* False: nothing is known. Else leaf->attr 0: that nothing is there. */
bool soft_tlb_leaf(const struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                   struct pt_leaf *leaf);
void soft_tlb_fill(struct soft_unit *u, uint32_t space, uint64_t dfn, const struct pt_leaf *leaf);
void soft_tlb_fill_absent(struct soft_unit *u, uint32_t space, uint64_t dfn);
/* The lowest table on the way to dfn that is remembered; NULL: none. */
const struct soft_table_entry *soft_tables_find(const struct soft_unit *u,
                                                const struct soft_stage *stage, uint64_t dfn,
                                                unsigned *level);
unsigned soft_table_lg2(const struct pt_geometry *geo, unsigned level); /* of its span */
void soft_tables_fill(struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                      unsigned level, const struct soft_table_entry *e);
void soft_drop_space(struct soft_unit *u, uint16_t did);
/* Addresses of the space; what its second stage translates stays. */
void soft_drop_range(struct soft_unit *u, uint16_t did, uint64_t first, uint64_t last,
                     bool leaf_only);
void soft_drop_all(struct soft_unit *u);

/* entry.c: what the tables, or the caches before them, say about a requester. False: blocked. */
bool soft_fetch(struct soft_unit *u, rid_t rid, uint32_t pasid, struct soft_pasid_entry *out);
bool soft_look(const struct soft_unit *u, rid_t rid, uint32_t pasid, struct soft_pasid_entry *out);
void soft_stages(const struct soft_unit *u, const struct soft_pasid_entry *e,
                 struct soft_stages *out);
void soft_drop_device(struct soft_unit *u, rid_t rid);
void soft_drop_pasid(struct soft_unit *u, rid_t rid, uint32_t pasid);

/*
 * stages.c: where a page goes, by way of the caches, and filling them. leaf->level is of the stage
 * that refused.
 */
enum hw_reason soft_find(struct soft_unit *u, const struct soft_stage *stage, uint64_t dfn,
                         struct pt_leaf *leaf);

/* queue.c: the device looks at its ring once; completion is seen in the status page. */
void soft_queue_poll(struct soft_unit *u);

/* fault.c */
void soft_record(struct soft_unit *u, const struct hw_fault *fault);
unsigned soft_drain(struct hw_unit *unit, struct hw_fault *out, unsigned max, uint64_t *lost);

#endif
