/* SPDX-License-Identifier: BSD-2-Clause */
/* Between the files of the VT-d driver. */
#ifndef SLUICE_HW_VTD_INTERNAL_H
#define SLUICE_HW_VTD_INTERNAL_H

#include "vtd.h"

/* What hardware may have cached of an entry: with which domain id. 0: nothing. */
#define VTD_STALE_MANY (1u << 16) /* with more than one */

/* Of a device with PASIDs: the same of one of them. */
struct vtd_pasids {
    bool used; /* it had any, ever */
    uint32_t pasid, stale;
};

struct vtd_bus {
    mfn_t context[2];    /* scalable mode: devfn 0..127 and 128..255; legacy mode: the first */
    uint32_t stale[256]; /* domain id of the entry before its last change, until it is flushed */
    struct vtd_pasids pasids[256];
};

/* Where and how much the IOTLB is to forget. */
struct vtd_iotlb {
    unsigned granularity; /* VTD_G_* */
    uint16_t did;
    uint64_t dfn;
    unsigned order; /* 1 << order pages */
    bool leaf_only;
};

static inline struct vtd_unit *vtd_of(struct hw_unit *unit)
{
    return (struct vtd_unit *)(void *)unit;
}

static inline uint64_t vtd_read64(const struct vtd_unit *u, unsigned offset)
{
    return u->config.port->mmio_read(u->config.port->host, u->config.base + offset, 8);
}

static inline uint32_t vtd_read32(const struct vtd_unit *u, unsigned offset)
{
    return (uint32_t)u->config.port->mmio_read(u->config.port->host, u->config.base + offset, 4);
}

static inline void vtd_write64(const struct vtd_unit *u, unsigned offset, uint64_t value)
{
    u->config.port->mmio_write(u->config.port->host, u->config.base + offset, 8, value);
}

static inline void vtd_write32(const struct vtd_unit *u, unsigned offset, uint64_t value)
{
    u->config.port->mmio_write(u->config.port->host, u->config.base + offset, 4, (uint32_t)value);
}

static inline void vtd_lock(struct vtd_unit *u)
{
    u->config.port->lock(u->config.port->host, &u->lock);
}

static inline void vtd_unlock(struct vtd_unit *u)
{
    u->config.port->unlock(u->config.port->host, &u->lock);
}

/* A word of a table that hardware walks: whole, in order, and where the walker looks. */
static inline void vtd_store(const struct vtd_unit *u, uint64_t *at, uint64_t value)
{
    const struct sluice_port *port = u->config.port;

    __atomic_store_n(at, value, __ATOMIC_RELEASE);
    if (u->noncoherent)
        port->writeback(port->host, at, sizeof(*at));
}

/* unit.c: a zeroed page that the walker sees as such. */
int vtd_page(const struct vtd_unit *u, mfn_t *page);
void vtd_error(const struct vtd_unit *u, const char *where, int error, uint64_t a, uint64_t b);

/* registers.c: all with the lock held, all bounded: 0 or -ETIMEDOUT. */
struct vtd_deadline {
    uint64_t start;
};
struct vtd_deadline vtd_deadline(const struct vtd_unit *u);
bool vtd_too_late(const struct vtd_unit *u, struct vtd_deadline deadline);
int vtd_wait32(const struct vtd_unit *u, unsigned offset, uint64_t mask, uint64_t value);
int vtd_set(struct vtd_unit *u, uint64_t bit);
int vtd_clear(struct vtd_unit *u, uint64_t bit);
int vtd_pulse(struct vtd_unit *u, uint64_t bit);
int vtd_flush_write_buffer(struct vtd_unit *u);
int vtd_register_context(struct vtd_unit *u, unsigned granularity, uint16_t did, uint16_t sid);
int vtd_register_iotlb(struct vtd_unit *u, const struct vtd_iotlb *what);

/* attach.c */
int vtd_prepare(struct hw_unit *unit, rid_t rid, uint32_t pasid);
void vtd_point(struct hw_unit *unit, rid_t rid, uint32_t pasid, const struct hw_space *space);
uint32_t vtd_stale(struct vtd_unit *u, rid_t rid, uint32_t pasid);
bool vtd_has_pasids(const struct vtd_unit *u, rid_t rid);
void vtd_not_stale(struct vtd_unit *u, const struct hw_inv *inv); /* of a device or a PASID */
void vtd_block_all(struct vtd_unit *u);
void vtd_free_tables(struct vtd_unit *u);
void vtd_forget_tables(struct vtd_unit *u); /* their pages stay: hardware may walk them for ever */

/* pasid.c: of the device with that context entry */
int vtd_pasid_prepare(struct vtd_unit *u, struct vtd_sm_context_entry *e, uint32_t pasid);
uint64_t vtd_pasid_did(const struct vtd_unit *u, const struct vtd_sm_context_entry *e,
                       uint32_t pasid);
void vtd_pasid_point(struct vtd_unit *u, struct vtd_sm_context_entry *e, uint32_t pasid,
                     const struct hw_space *space);
void vtd_pasid_free(const struct vtd_unit *u, const struct vtd_sm_context_entry *e);

/*
 * queue.c, with the lock held. Descriptors are put one after the other, then submitted at once; put
 * says -ENOSPC when there is no room for more, and vtd_rewind takes all of them back.
 */
int vtd_put(struct vtd_unit *u, uint64_t lo, uint64_t hi);
int vtd_put_fence(struct vtd_unit *u);
void vtd_rewind(struct vtd_unit *u);
int vtd_submit(struct vtd_unit *u);
int vtd_queue_start(struct vtd_unit *u);
int vtd_queue_stop(struct vtd_unit *u);

/* invalidate.c */
int vtd_flush(struct hw_unit *unit, const struct hw_inv *inv, unsigned n);
int vtd_flush_all(struct vtd_unit *u); /* with the lock held */
int vtd_flush_ir(struct vtd_unit *u, uint16_t first, unsigned lg2);
int vtd_flush_ir_all(struct vtd_unit *u);

/* fault.c */
unsigned vtd_drain(struct hw_unit *unit, struct hw_fault *out, unsigned max, uint64_t *lost);
void vtd_clear_faults(struct vtd_unit *u);

/* unit.c */
void vtd_quiesce(struct hw_unit *unit);
void vtd_give_up(struct vtd_unit *u); /* the same, with the lock held */

/* interrupt.c, with the lock held where there is something to lock */
enum hw_isolation vtd_isolation(struct hw_unit *unit);
void vtd_ir_release(struct vtd_unit *u);
void vtd_ir_forget_table(struct vtd_unit *u); /* its page stays: hardware may read it for ever */
void vtd_ir_block_all(struct vtd_unit *u);
int vtd_ir_forget(struct vtd_unit *u); /* whatever is cached of the table */
struct hw_message vtd_ir_message(uint16_t index, bool several);

#endif
