/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hypercall on its way: bytes that the guest controls become a checked request, once; from then
 * on only the request is used, also after a preemption. Decoding changes nothing.
 */
#ifndef SLUICE_DECODE_CALL_H
#define SLUICE_DECODE_CALL_H

#include "../abi/contexts.h"
#include "../core/attach.h"
#include "../core/map.h"
#include "../core/nested.h"
#include "../core/ranges.h"
#include "../core/trim.h"

enum call_state { CALL_DECODE, CALL_PERFORM, CALL_FREEING, CALL_FRAMES };

struct call {
    struct domain *caller; /* whose hypercall it is, and whose memory holds the arguments */
    struct {
        bool running; /* what follows below is about one element */
        bool begun;   /* the next one is */
        uint32_t nr, next;
        uint64_t arg, elements;
    } batch;

    /* Of one sub-op, cleared by call_begin. */
    struct domain *d;       /* on whom it acts: pinned while it runs, when it is not the caller */
    uint64_t target_serial; /* of d, checked again at each continuation */
    uint16_t target;
    bool remote;
    uint8_t state; /* enum call_state */
    int subop;
    uint64_t arg;
    const struct subop *op;
    union {
        struct {
            uint32_t flags;
            uint16_t ctx_no;
            uint32_t generation;
            uint64_t cursor;
            int status;      /* that it ends with, when what was built is taken down again */
            uint32_t format; /* alloc_nested: IOMMU_NESTED_* */
            gfn_t root;
            struct nested_flush filling;
        } alloc;
        struct {
            uint16_t ctx_no;
            uint32_t generation;
            bool reattach;
        } free;
        struct reattach reattach;
        struct {
            struct page_range range;
            uint32_t done;
            struct trim trim;
            uint64_t gfns; /* map_list: where they are */
        } pages;
        struct {
            uint16_t ctx_no;
            uint32_t generation;
            dfn_t dfn;
        } lookup;
        struct {
            uint16_t ctx_no;
            uint32_t generation;
            uint32_t flags, room;
            rid_t rid;
            uint64_t array;
        } reserved;
        struct {
            uint16_t ctx_no;
            uint32_t generation;
            uint64_t until; /* deferred_settle */
        } flush;
        struct {
            uint16_t ctx_no;
            uint32_t generation;
            dfn_t first, last;
            struct nested_flush at;
        } nested;
        struct {
            uint32_t room, done;
            uint64_t array;
        } faults;
        struct {
            uint32_t count, next; /* elements; those before next are done */
        } frames;
    } req;
    struct gfn_list list; /* map_list: those fetched; not cleared at the start */
};

/*
 * A sub-op is a row: how many IN bytes its argument has, how they are checked, how it is carried
 * out. decode: `raw` is a private copy; 0 or the status. perform: the status, or -ERESTART to come
 * again. count_at: offset of the OUT count that is written at every outcome, or 0 for none.
 */
struct subop {
    uint16_t size;
    uint16_t count_at;
    uint32_t capability; /* 0: basic */
    int (*decode)(struct call *call, const void *raw);
    long (*perform)(struct call *call);
};

/* Begins one sub-op by the caller, with nothing read yet. */
static inline void call_begin(struct call *call, int subop, uint64_t arg)
{
    memset(&call->d, 0, offsetof(struct call, list) - offsetof(struct call, d));
    call->d = call->caller;
    call->subop = subop;
    call->arg = arg;
    call->state = CALL_DECODE;
    call->caller->calls++;
}

static inline struct call *call_of(struct sluice_call *call)
{
    return (struct call *)(void *)call;
}

/* Writes an OUT field of the argument. 0, -EFAULT. */
int call_put(const struct call *call, uint64_t offset, const void *value, size_t size);

/* Writes into an array of the caller's. 0, -EFAULT. */
int call_put_array(const struct call *call, uint64_t array, uint64_t offset, const void *value,
                   size_t size);

/* Reads from an array of the caller's. 0, -EFAULT with nothing read. */
int call_get_array(const struct call *call, uint64_t array, uint64_t offset, void *to, size_t size);

int decode_noop(struct call *call, const void *raw);
int decode_query_capabilities(struct call *call, const void *raw);
int decode_alloc_context(struct call *call, const void *raw);
int decode_free_context(struct call *call, const void *raw);
int decode_reattach_device(struct call *call, const void *raw);
int decode_map_pages(struct call *call, const void *raw);
int decode_unmap_pages(struct call *call, const void *raw);
int decode_lookup_page(struct call *call, const void *raw);
int decode_batch(struct call *call, const void *raw);
int decode_map_list(struct call *call, const void *raw);
int decode_read_faults(struct call *call, const void *raw);
int decode_query_reserved(struct call *call, const void *raw);
int decode_flush_context(struct call *call, const void *raw);
int decode_attach_pasid(struct call *call, const void *raw);
int decode_detach_pasid(struct call *call, const void *raw);
int decode_alloc_nested(struct call *call, const void *raw);
int decode_flush_nested(struct call *call, const void *raw);

long perform_noop(struct call *call);
long perform_query_capabilities(struct call *call);
long perform_alloc_context(struct call *call);
long perform_free_context(struct call *call);
long perform_reattach_device(struct call *call);
long perform_map_pages(struct call *call);
long perform_unmap_pages(struct call *call);
long perform_lookup_page(struct call *call);
long perform_batch(struct call *call);
long perform_map_list(struct call *call);
long perform_read_faults(struct call *call);
long perform_query_reserved(struct call *call);
long perform_flush_context(struct call *call);
long perform_attach_pasid(struct call *call);
long perform_detach_pasid(struct call *call);
long perform_alloc_nested(struct call *call);
long perform_flush_nested(struct call *call);

/* What this domain may use: IOMMUCAP_* and the sizes of pages. */
uint32_t capabilities_of(const struct domain *d);
uint32_t page_sizes_of(const struct domain *d);

/* remote.c: turns the call into its inner one, on the target. 0, -EPERM, -ESRCH, -EINVAL, -EFAULT.
 */
int decode_remote(struct call *call);

/* context.c: the context that this call is building; NULL if the domain lost it meanwhile. */
struct context *alloc_building(struct call *call);
/*
 * Builds it and tells its number, at that offset of the argument; where either fails, it is taken
 * down again, in bounded steps. The status, or -ERESTART.
 */
long alloc_perform(struct call *call, long (*make)(struct call *call), size_t ctx_no_at);

/* dispatch.c: one sub-op, from where it is. Its status, or -ERESTART. */
long call_run(struct call *call);
/* batch.c: the elements that are left. The status of the batch, or -ERESTART. */
long batch_run(struct call *call);

/* dispatch.c: the row of a sub-op that exists for this domain, or NULL. */
const struct subop *subop_find(const struct domain *d, int subop);

#endif
