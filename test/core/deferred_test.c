/* SPDX-License-Identifier: BSD-2-Clause */
/* Deferred contexts: what is unmapped is held until one flush for all of it, and not longer. */
#include "fixture.h"

#include "../../iommu/core/deferred.h"

#define LG2_2M 21u
#define MS     1000000u

static uint16_t new_deferred(struct host *h)
{
    struct pv_iommu_alloc arg = {.alloc_flags = IOMMU_ALLOC_deferred};

    assert_int_equal(hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg)), 0);
    return arg.ctx_no;
}

static struct host *deferring(const struct setup *setup)
{
    struct host *h = host_create(setup);

    assert_int_equal(new_deferred(h), 1);
    add_memory(h, 0, 0x1000, 1024);
    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    return h;
}

static int set_up_deferred(void **state)
{
    *state = deferring(&(struct setup){0});
    return 0;
}

static long flush_context(struct host *h, uint16_t ctx)
{
    struct pv_iommu_flush_context arg = {.ctx_no = ctx};

    return hypercall(h, 1, IOMMU_flush_context, &arg, sizeof(arg));
}

static uint64_t pending(struct host *h)
{
    return deferred_frames(context_of(h, 1));
}

static void map_some(struct host *h, uint64_t dfn, uint32_t nr)
{
    uint32_t done;

    assert_int_equal(map(h, 1, 0, dfn, nr, FRAME_LG2, RW, &done), 0);
}

static void map_at_gfn(struct host *h, uint64_t gfn, uint64_t dfn, uint32_t nr)
{
    uint32_t done;

    assert_int_equal(map(h, 1, gfn, dfn, nr, FRAME_LG2, RW, &done), 0);
}

static void unmap_some(struct host *h, uint64_t dfn, uint32_t nr)
{
    uint32_t done;

    assert_int_equal(unmap(h, 1, dfn, nr, FRAME_LG2, &done), 0);
    assert_int_equal(done, nr);
}

static void all_held(struct host *h, struct fake_unit *u, const struct hw_inv *inv, unsigned n)
{
    (void)u;
    assert_int_equal(n, 1);
    assert_true(inv->leaf_only && inv->did == context_of(h, 1)->did);
    for (uint64_t dfn = 0; dfn < 256; dfn++) {
        assert_true(inv->first.n <= 2 * dfn && inv->last.n >= 2 * dfn);
        assert_int_equal(goes_to(h, 1, 2 * dfn, NULL), NOWHERE);
        assert_int_equal(refs_of(h, 0x1000 + dfn), 2);
    }
}

static void one_flush_does_for_256_unmaps(void **state)
{
    struct host *h = *state;
    uint32_t done;

    for (uint32_t i = 0; i < 256; i++)
        assert_int_equal(map(h, 1, i, 2 * i, 1, FRAME_LG2, RW, &done), 0);
    h->on_flush = all_held;
    for (uint32_t i = 256; i-- > 1;)
        unmap_some(h, 2 * i, 1);
    assert_int_equal(count(h, FLUSHED), 0);
    unmap_some(h, 0, 1); /* as many ranges as it remembers */
    assert_int_equal(flush_context(h, 1), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    for (uint64_t i = 0; i < 256; i++)
        assert_int_equal(refs_of(h, 0x1000 + i), 1);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    assert_int_equal(pending(h), 0);
    assert_int_equal(flush_context(h, 1), 0);
    assert_int_equal(count(h, FLUSHED), 1);
}

/* Neighbours are one range, whichever comes first. */
static void neighbours_are_one_range(void **state)
{
    struct host *h = *state;

    map_some(h, 0, 600);
    for (uint32_t i = 0; i < 300; i++)
        unmap_some(h, 300 + i, 1);
    for (uint32_t i = 300; i-- > 0;)
        unmap_some(h, i, 1);
    assert_int_equal(count(h, FLUSHED), 0);
    assert_int_equal(pending(h), 600);
    assert_int_equal(flush_context(h, 1), 0);
    assert_int_equal(nth(h, FLUSHED, 0)->inv[0].first.n, 0);
    assert_int_equal(nth(h, FLUSHED, 0)->inv[0].last.n, 599);
    assert_int_equal(count(h, FLUSHED), 1);
}

static void each_unit_is_flushed_once(void **state)
{
    struct host *h = deferring(&(struct setup){.nr_units = 3});
    struct sluice_device *dev;
    const rid_t rid = {16};
    const struct sluice_device_config config = {.unit = &h->unit[2].hw, .rids = &rid, .nr_rids = 1};

    (void)state;
    assert_int_equal(sluice_device_add(h->s, &config, &dev), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    attach(h, 16, 1);
    forget(h);
    map_some(h, 0, 10);
    for (uint32_t i = 0; i < 10; i += 2)
        unmap_some(h, i, 1);
    assert_int_equal(flush_context(h, 1), 0);
    assert_int_equal(count(h, FLUSHED), 2);
    assert_int_equal(nth(h, FLUSHED, 0)->unit, 0);
    assert_int_equal(nth(h, FLUSHED, 1)->unit, 2);
    host_destroy(h);
}

/* Like a disk driver: buffers of 1 to 32 pages at ever new addresses, done in any order. */
static void a_lazy_load_flushes_rarely(void **state)
{
    struct host *h = *state;
    uint64_t at[64], nr[64], next = 0x10000, random = 1;
    unsigned unmaps = 0, flushes = 0;

    for (unsigned i = 0; i < 64; i++)
        nr[i] = 0;
    for (unsigned i = 0; i < 20000; i++) {
        unsigned k;

        random = random * 6364136223846793005u + 1442695040888963407u;
        k = (unsigned)(random >> 58);
        if (nr[k]) {
            unmap_some(h, at[k], (uint32_t)nr[k]);
            unmaps++;
        }
        nr[k] = 1 + (random >> 40 & 31);
        at[k] = next;
        next += 33;
        map_some(h, at[k], (uint32_t)nr[k]);
        flushes += count(h, FLUSHED);
        forget(h);
    }
    assert_true(flushes > 0);
    assert_true(flushes * 20 <= unmaps);
}

static void a_map_over_what_is_pending_flushes_first(void **state)
{
    struct host *h = *state;
    uint32_t done;
    uint64_t gfn;

    map_some(h, 0, 8);
    unmap_some(h, 2, 3);
    assert_int_equal(lookup(h, 1, 3, &gfn), -ENOENT);
    assert_int_equal(unmap(h, 1, 3, 1, FRAME_LG2, &done), -ENOENT);
    assert_int_equal(map(h, 1, 100, 7, 1, FRAME_LG2, RW, &done), -EINVAL);
    assert_int_equal(count(h, FLUSHED), 0); /* it is mapped: nothing pending there */
    assert_int_equal(map(h, 1, 100, 2, 3, FRAME_LG2, RW, &done), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(goes_to(h, 1, 3, NULL), 0x1000 + 101);
    assert_int_equal(refs_of(h, 0x1000 + 3), 1);
    assert_int_equal(refs_of(h, 0x1000 + 101), 2);
    unmap_some(h, 2, 3);
    assert_int_equal(map(h, 1, 100, 2, 5, FRAME_LG2, RW, &done), -EINVAL);
    assert_int_equal(done, 3);
}

static void larger_pages_are_deferred_too(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 0, 2, LG2_2M, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0, 1, FRAME_LG2, &done), -EINVAL);
    assert_int_equal(unmap(h, 1, 0, 2, LG2_2M, &done), 0);
    assert_int_equal(count(h, FLUSHED), 0);
    assert_int_equal(refs_of(h, 0x1000 + 700), 2);
    assert_int_equal(map(h, 1, 512, 512, 1, LG2_2M, RW, &done), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(refs_of(h, 0x1000 + 100), 1);
    assert_int_equal(refs_of(h, 0x1000 + 700), 2);
}

static void a_spent_budget_is_what_is_pending(void **state)
{
    struct host *h = deferring(&(struct setup){.budget_refs = 4, .budget_tables = 5});
    uint32_t done;

    (void)state;
    map_some(h, 0, 4);
    unmap_some(h, 0, 3);
    assert_int_equal(map(h, 1, 10, 10, 4, FRAME_LG2, RW, &done), -ENOMEM);
    assert_int_equal(done, 3);
    assert_int_equal(count(h, FLUSHED), 1);
    /* Tables: those of what is pending are given up as well. */
    unmap_some(h, 3, 1);
    unmap_some(h, 10, 3);
    assert_int_equal(map(h, 1, 0, UINT64_C(1) << 27, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(done, 1);
    host_destroy(h);
}

static void frames_force_a_flush(void **state)
{
    struct host *h = *state;

    add_memory(h, 0x10000, 0x10000, 65536);
    for (unsigned i = 0; i < 65536; i += 512) {
        uint32_t done;

        assert_int_equal(map(h, 1, 0x10000 + i, 2 * i, 512, FRAME_LG2, RW, &done), 0);
    }
    for (unsigned i = 0; i < 65536 - 512; i += 512)
        unmap_some(h, 2 * i, 512);
    assert_int_equal(count(h, FLUSHED), 0);
    unmap_some(h, 2 * (65536 - 512), 512);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(pending(h), 0);
}

static void time_forces_a_flush(void **state)
{
    struct host *h = *state;

    map_some(h, 0, 8);
    h->now_ns = 5 * MS;
    unmap_some(h, 0, 1);
    h->now_ns = 15 * MS - 1;
    unmap_some(h, 2, 1);
    assert_int_equal(sluice_tick(h->s), 0);
    assert_int_equal(count(h, FLUSHED), 0);
    h->now_ns = 15 * MS;
    assert_int_equal(sluice_tick(h->s), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(pending(h), 0);
    unmap_some(h, 4, 1);
    h->now_ns += 10 * MS;
    unmap_some(h, 6, 1);
    assert_int_equal(count(h, FLUSHED), 2);
    unmap_some(h, 1, 1);
    h->now_ns += 10 * MS;
    map_some(h, 100, 1);
    assert_int_equal(count(h, FLUSHED), 3);
    assert_int_equal(pending(h), 0);
    assert_int_equal(sluice_tick(h->s), 0);
    assert_int_equal(count(h, FLUSHED), 3);
}

/* Another processor unmaps after the clock was read: that is not late, and not for ever either. */
static void what_came_after_the_clock_was_read_is_not_late(void **state)
{
    struct host *h = *state;

    map_some(h, 0, 8);
    h->now_ns = 20 * MS;
    unmap_some(h, 0, 1);
    h->now_ns = 20 * MS - 1;
    assert_int_equal(sluice_tick(h->s), 0);
    unmap_some(h, 2, 1);
    assert_int_equal(count(h, FLUSHED), 0);
    assert_int_equal(pending(h), 2);
}

static long reattach(struct host *h, uint8_t devfn, uint16_t ctx)
{
    struct pv_iommu_reattach_device arg = {.ctx_no = ctx, .dev.devfn = devfn};

    return hypercall(h, 1, IOMMU_reattach_device, &arg, sizeof(arg));
}

/* The guest has nothing there any more: a device comes that has a region there. */
static void what_is_pending_is_in_no_devices_way(void **state)
{
    struct host *h = *state;
    const struct sluice_region region = {
        .first = 2 << FRAME_LG2, .last = (4 << FRAME_LG2) - 1, .prot = RW};
    struct sluice_device *dev = add_device_with(h, 9, &region, 1);

    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0), 8), 0);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(0x800), mfn_of(0x1000), 8, SLUICE_FRAME_RAM),
                     0);
    forget(h);
    map_at_gfn(h, 0x800, 0, 8);
    unmap_some(h, 0, 3);
    h->preempt_every = 1;
    assert_int_equal(reattach(h, 9, 1), -EBUSY); /* at 3 there is something */
    h->preempt_every = 0;
    unmap_some(h, 3, 1);
    assert_int_equal(reattach(h, 9, 1), 0);
    assert_int_equal(goes_to(h, 1, 3, NULL), 3);
    assert_int_equal(refs_of(h, 0x1003), 1);
}

/* Of several contexts each has its turn; what is not due stays. */
static void a_tick_settles_all_that_is_due(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(new_deferred(h), 2);
    assert_int_equal(new_deferred(h), 3);
    for (uint16_t c = 1; c <= 3; c++)
        assert_int_equal(map(h, c, 0, 0, 2, FRAME_LG2, RW, &done), 0);
    for (uint16_t c = 1; c <= 3; c++) {
        h->now_ns = c * 4 * MS;
        assert_int_equal(unmap(h, c, 0, 1, FRAME_LG2, &done), 0);
    }
    h->now_ns = 18 * MS;
    h->preempt_every = 1;
    assert_int_equal(sluice_tick(h->s), -ERESTART);
    h->preempt_every = 0;
    assert_int_equal(sluice_tick(h->s), 0);
    assert_int_equal(refs_of(h, 0x1000), 2);
    assert_int_equal(deferred_frames(context_of(h, 3)), 1);
    h->now_ns = 22 * MS;
    assert_int_equal(sluice_tick(h->s), 0);
    assert_int_equal(refs_of(h, 0x1000), 1);
}

static void a_failed_flush_keeps_the_frames_for_ever(void **state)
{
    struct host *h = *state;
    uint32_t done;

    h->lossy = true;
    map_some(h, 0, 8);
    unmap_some(h, 0, 2);
    unmap_some(h, 4, 3);
    h->fail_flush = 1;
    assert_int_equal(flush_context(h, 1), -EIO);
    assert_int_equal(nth(h, REPORTED, 1)->kind, SLUICE_EVENT_FRAMES_LOST);
    assert_int_equal(nth(h, REPORTED, 1)->a, 5);
    assert_int_equal(pending(h), 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(refs_of(h, 0x1000 + i), 2);
    assert_int_equal(map(h, 1, 100, 0, 1, FRAME_LG2, RW, &done), -EINVAL);
    assert_int_equal(flush_context(h, 1), 0); /* there is nothing to wait for */
    unmap_some(h, 2, 1);
    assert_int_equal(flush_context(h, 1), -EIO);
    assert_int_equal(refs_of(h, 0x1002), 2);
}

static void a_forced_flush_that_fails_is_told(void **state)
{
    struct host *h = *state;
    uint32_t done;

    h->lossy = true;
    map_some(h, 0, 8);
    unmap_some(h, 0, 1);
    h->now_ns = 10 * MS;
    h->fail_flush = 1;
    assert_int_equal(unmap(h, 1, 2, 1, FRAME_LG2, &done), -EIO);
    assert_int_equal(done, 1);
    assert_int_equal(refs_of(h, 0x1000), 2);
    assert_int_equal(refs_of(h, 0x1002), 2);
}

static void no_memory_for_the_records_is_no_context(void **state)
{
    struct host *h = *state;
    struct pv_iommu_alloc arg = {.alloc_flags = IOMMU_ALLOC_deferred};
    const unsigned objects = h->objects, pages = h->pages;
    long err = -ENOMEM;

    for (unsigned n = 1; err; n++) {
        arg = (struct pv_iommu_alloc){.alloc_flags = IOMMU_ALLOC_deferred};
        h->fail_alloc = n;
        err = hypercall(h, 1, IOMMU_alloc_context, &arg, sizeof(arg));
        assert_true(!err || err == -ENOMEM);
        assert_int_equal(h->objects, objects + !err);
        assert_int_equal(h->pages, pages + !err);
    }
    h->fail_alloc = 0;
}

/* A flush, then ranges one at a time: one submission, however often it is interrupted. */
static void an_interrupted_flush_goes_on_where_it_was(void **state)
{
    struct host *h = *state;
    const uint32_t generation = context_of(h, 1)->generation;
    uint64_t until = 0;

    map_some(h, 0, 8);
    for (unsigned i = 0; i < 8; i += 2)
        unmap_some(h, i, 1);
    h->preempt_every = 1;
    for (unsigned left = 4; left-- > 1;) {
        assert_int_equal(deferred_settle(context_of(h, 1), generation, &until), -ERESTART);
        assert_int_equal(pending(h), left);
        assert_int_equal(count(h, FLUSHED), 1);
    }
    assert_int_equal(deferred_settle(context_of(h, 1), generation, &until), 0);
    assert_int_equal(pending(h), 0);
    assert_int_equal(count(h, FLUSHED), 1);
}

static void what_comes_during_the_flush_waits_for_the_next(struct host *h, struct fake_unit *u,
                                                           const struct hw_inv *inv, unsigned n)
{
    (void)u;
    (void)inv;
    (void)n;
    h->on_flush = NULL;
    unmap_some(h, 1, 1); /* beside what is being flushed */
}

static void an_unmap_during_the_flush_stays_pending(void **state)
{
    struct host *h = *state;

    map_some(h, 0, 4);
    unmap_some(h, 0, 1);
    h->on_flush = what_comes_during_the_flush_waits_for_the_next;
    assert_int_equal(flush_context(h, 1), 0);
    assert_int_equal(refs_of(h, 0x1000), 1);
    assert_int_equal(refs_of(h, 0x1001), 2);
    assert_int_equal(pending(h), 1);
    assert_int_equal(flush_context(h, 1), 0);
    assert_int_equal(count(h, FLUSHED), 2);
    assert_int_equal(refs_of(h, 0x1001), 1);
}

static void unmap_much(struct host *h, const struct sluice_lock *lock)
{
    uint64_t until = 0;

    if (lock != &h->unit[0].hw.lock)
        return;
    h->on_unlock = NULL;
    assert_int_equal(deferred_settle(context_of(h, 1), context_of(h, 1)->generation, &until),
                     -ERESTART);
    for (unsigned i = 0; i < 514; i++)
        unmap_some(h, 2 + 2 * i, 1);
    assert_int_equal(count(h, FLUSHED), 1 + 3);
}

/* A flush takes long, and the records are full: then unmaps flush as if they were not deferred. */
static void full_records_are_strict(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0x2000, 0x2000, 1200);
    assert_int_equal(map(h, 1, 0x2000, 0, 1200, FRAME_LG2, RW, &done), 0);
    unmap_some(h, 0, 1);
    h->on_unlock = unmap_much;
    assert_int_equal(flush_context(h, 1), 0);
    assert_int_equal(refs_of(h, 0x2000), 1);
    assert_int_equal(refs_of(h, 0x2000 + 2), 2);
    assert_int_equal(refs_of(h, 0x2000 + 2 + 2 * 512), 1);
    assert_int_equal(pending(h), 511);
}

static void ends_release_what_is_pending(void **state)
{
    struct host *h = *state;
    struct pv_iommu_free arg = {.ctx_no = 1, .free_flags = IOMMU_FREE_reattach_default};
    const unsigned objects = h->objects;

    map_some(h, 0, 8);
    unmap_some(h, 0, 4);
    attach(h, 8, 0);
    attach(h, 8, 1);
    assert_int_equal(pending(h), 4);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg)), 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(refs_of(h, 0x1000 + i), 1);
    assert_int_equal(h->objects, objects - 1);
    assert_int_equal(flush_context(h, 1), -EINVAL);
    h->now_ns = 100 * MS;
    assert_int_equal(sluice_tick(h->s), 0);
    /* And the domain's end. */
    assert_int_equal(new_deferred(h), 1);
    attach(h, 8, 1);
    map_some(h, 0, 8);
    unmap_some(h, 0, 4);
}

static void unmap_another(struct host *h, struct fake_unit *u, const struct hw_inv *inv, unsigned n)
{
    (void)u;
    (void)inv;
    (void)n;
    h->on_flush = NULL;
    unmap_some(h, 600, 1);
}

/* Others may unmap for ever; a map that gets no further asks once. */
static void a_map_waits_for_one_flush(void **state)
{
    struct host *h = deferring(&(struct setup){.budget_refs = 512});
    uint32_t done;

    (void)state;
    map_some(h, 600, 511);
    unmap_some(h, 700, 1);
    h->on_flush = unmap_another;
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), -ENOMEM);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(pending(h), 1);
    host_destroy(h);
}

static void a_tick_ends_what_was_interrupted(void **state)
{
    struct host *h = *state;
    uint64_t until = 0;

    map_some(h, 0, 8);
    unmap_some(h, 0, 1);
    unmap_some(h, 2, 1);
    h->preempt_every = 1;
    assert_int_equal(deferred_settle(context_of(h, 1), context_of(h, 1)->generation, &until),
                     -ERESTART);
    h->preempt_every = 0;
    h->now_ns = 10 * MS;
    assert_int_equal(sluice_tick(h->s), 0);
    assert_int_equal(pending(h), 0);
    assert_int_equal(count(h, FLUSHED), 1);
}

static void end_it(struct host *h, const struct sluice_lock *lock)
{
    struct context *c = context_of(h, 1);
    struct domain_locked l;

    if (lock != &h->unit[0].hw.lock)
        return;
    h->on_unlock = NULL;
    l = domain_lock(domain_of(h->d));
    assert_int_equal(context_free(l, 1, c->generation, true), 0);
    assert_int_equal(context_end(c), -ERESTART);
    domain_unlock(l);
}

static void a_context_ends_after_who_settles_it(void **state)
{
    struct host *h = *state;
    struct context *c = context_of(h, 1);
    uint64_t until = 0;

    map_some(h, 0, 8);
    unmap_some(h, 0, 1);
    h->on_unlock = end_it;
    assert_int_equal(deferred_settle(c, c->generation, &until), 0);
    assert_int_equal(context_end(c), 0);
    assert_int_equal(refs_of(h, 0x1000), 1);
    assert_int_equal(refs_of(h, 0x1001), 1);
}

static void empty_tables_go_after_the_flush(void **state)
{
    struct host *h = *state;
    uint32_t done;

    map_some(h, 0, 512);
    unmap_some(h, 0, 512);
    forget(h);
    /* A leaf of 2M where the table is that still names what is pending. */
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), 0);
    assert_int_equal(count(h, FLUSHED), 2);
    assert_true(place_of(h, nth(h, TABLE_FREED, 0)) > place_of(h, nth(h, FLUSHED, 1)));
    assert_int_equal(refs_of(h, 0x1000), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up_deferred, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_flush_does_for_256_unmaps),
        TEST(neighbours_are_one_range),
        cmocka_unit_test(each_unit_is_flushed_once),
        TEST(a_lazy_load_flushes_rarely),
        TEST(a_map_over_what_is_pending_flushes_first),
        TEST(larger_pages_are_deferred_too),
        cmocka_unit_test(a_spent_budget_is_what_is_pending),
        TEST(frames_force_a_flush),
        TEST(time_forces_a_flush),
        TEST(what_came_after_the_clock_was_read_is_not_late),
        TEST(what_is_pending_is_in_no_devices_way),
        TEST(a_tick_settles_all_that_is_due),
        TEST(a_failed_flush_keeps_the_frames_for_ever),
        TEST(a_forced_flush_that_fails_is_told),
        TEST(no_memory_for_the_records_is_no_context),
        TEST(an_interrupted_flush_goes_on_where_it_was),
        TEST(an_unmap_during_the_flush_stays_pending),
        TEST(full_records_are_strict),
        TEST(ends_release_what_is_pending),
        cmocka_unit_test(a_map_waits_for_one_flush),
        TEST(a_tick_ends_what_was_interrupted),
        TEST(a_context_ends_after_who_settles_it),
        TEST(empty_tables_go_after_the_flush),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
