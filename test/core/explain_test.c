/* SPDX-License-Identifier: BSD-2-Clause */
/* A fault explained: everything that can be at the address, and what was unmapped there. */
#include "../../iommu/core/explain.h"
#include "guest_table.h"

#include <pthread.h>

static const struct sluice_region regions[] = {
    {0x500000, 0x501fff, SLUICE_REGION_DIRECT, PT_READ, 0},
    {0x600000, 0x600fff, SLUICE_REGION_RESERVED, 0, 0},
};

/* Context 1 with device 8, and 16 frames of memory. */
static struct sluice_device *prepare(struct host *h)
{
    struct sluice_device *dev = add_device_with(h, 8, regions, 2);

    add_memory(h, 0, 0x1000, 16);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    assert_int_equal(new_context(h), 1);
    attach(h, 8, 1);
    return dev;
}

static struct sluice_explanation explain(struct host *h, struct sluice_device *dev, uint16_t ctx,
                                         uint64_t dfn)
{
    const struct sluice_fault fault = {.device = dev,
                                       .rid = {8},
                                       .addr = dfn << FRAME_LG2 | 0x123,
                                       .write = true,
                                       .reason = HW_REASON_NOT_PRESENT,
                                       .ctx_no = ctx};
    struct sluice_explanation why;

    assert_int_equal(sluice_fault_explain(h->d, &fault, &why), 0);
    return why;
}

static void map_one(struct host *h, uint64_t dfn, unsigned attr)
{
    uint32_t done;

    assert_int_equal(map(h, 1, 3, dfn, 1, FRAME_LG2, attr, &done), 0);
}

static void nothing_is_there(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    struct sluice_explanation why = explain(h, dev, 1, 0x900);

    assert_int_equal(why.device, SLUICE_DEVICE_HERE);
    assert_int_equal(why.ctx_no, 1);
    assert_int_equal(why.found, SLUICE_FOUND_NOTHING);
    assert_int_equal(why.level, 1);
    assert_false(why.unmapped);
    map_one(h, 0x901, RW);
    assert_int_equal(explain(h, dev, 1, 0x900).level, 0);
    assert_int_equal(explain(h, dev, 1, 1ull << 30).level, 3);
}

static void a_mapping_is_there(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    struct sluice_explanation why;

    map_one(h, 0x900, PT_READ);
    why = explain(h, dev, 1, 0x900);
    assert_int_equal(why.found, SLUICE_FOUND_MAPPING);
    assert_int_equal(why.attr & RW, PT_READ);
    assert_int_equal(why.gfn.n, 3);
    assert_int_equal(why.lg2, FRAME_LG2);
    why = explain(h, dev, 0, 5); /* the identity map */
    assert_int_equal(why.found, SLUICE_FOUND_MAPPING);
    assert_int_equal(why.gfn.n, 5);
    assert_int_equal(why.attr & RW, RW);
}

static void a_region_is_there(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    struct sluice_explanation why = explain(h, dev, 1, 0x501);

    assert_int_equal(why.found, SLUICE_FOUND_REGION);
    assert_memory_equal(&why.region, &regions[0], sizeof(why.region));
    why = explain(h, dev, 1, 0x600);
    assert_int_equal(why.found, SLUICE_FOUND_REGION);
    assert_int_equal(why.region.type, SLUICE_REGION_RESERVED);
    assert_int_equal(explain(h, dev, 1, 0x502).found, SLUICE_FOUND_NOTHING);
    assert_int_equal(explain(h, dev, 1, 0x4ff).found, SLUICE_FOUND_NOTHING);
}

static void neither_memory_nor_table_is_there(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    struct sluice_explanation why = explain(h, dev, 1, 1ull << 36);

    assert_int_equal(why.found, SLUICE_FOUND_BEYOND);
    assert_int_equal(why.iova_bits, 48);
    assert_int_equal(explain(h, dev, 1, (1ull << 36) - 1).found, SLUICE_FOUND_NOTHING);
    assert_int_equal(explain(h, dev, 1, 0xfee00).found, SLUICE_FOUND_MSI);
    assert_int_equal(explain(h, dev, 1, 0xfeeff).found, SLUICE_FOUND_MSI);
    assert_int_equal(explain(h, dev, 1, 0xfedff).found, SLUICE_FOUND_NOTHING);
    assert_int_equal(explain(h, dev, 2, 0x900).found, SLUICE_FOUND_NO_CONTEXT);
    assert_int_equal(explain(h, dev, 0xffff, 0x900).found, SLUICE_FOUND_NO_CONTEXT);
}

static struct sluice_device *prepare_nested(struct host *h)
{
    struct sluice_device *dev = add_device(h, 8);

    add_memory(h, 0, 0x1000, 16);
    make_tables(h, 1);
    guest_write(h, 4, 5, x86_page(9, false));
    guest_write(h, 4, 6, x86_page(0x100, true));
    guest_write(h, 3, 1, x86_large(0x200));
    guest_write(h, 3, 2, x86_table(0x100));
    assert_int_equal(new_nested(h, 1), 1);
    attach(h, 8, 1);
    return dev;
}

/* There is no table of ours: what counts is the guest's, and its memory. */
static void of_a_nested_context_the_guest_s_table(void **state)
{
    struct host *h = host_create(&(struct setup){.nests = true});
    struct sluice_device *dev = prepare_nested(h);
    struct sluice_explanation why = explain(h, dev, 1, 5);

    (void)state;
    assert_int_equal(why.found, SLUICE_FOUND_MAPPING);
    assert_true(why.guest);
    assert_int_equal(why.gfn.n, 9);
    assert_int_equal(why.attr, PT_READ);
    assert_int_equal(why.lg2, FRAME_LG2);
    why = explain(h, dev, 1, 6);
    assert_int_equal(why.found, SLUICE_FOUND_NO_MEMORY);
    assert_int_equal(why.gfn.n, 0x100);
    why = explain(h, dev, 1, 0x203);
    assert_int_equal(why.found, SLUICE_FOUND_NO_MEMORY);
    assert_int_equal(why.gfn.n, 0x203);
    why = explain(h, dev, 1, 7);
    assert_int_equal(why.found, SLUICE_FOUND_NOTHING);
    assert_true(why.guest);
    assert_int_equal(why.level, 0);
    assert_int_equal(explain(h, dev, 1, 0x401).found, SLUICE_FOUND_NOTHING);
    assert_int_equal(explain(h, dev, 1, 0x401).level, 0); /* the table is not in memory */
    assert_int_equal(explain(h, dev, 1, 0x600).level, 1);
    assert_int_equal(explain(h, dev, 1, BIT64(27)).level, 3);
    assert_int_equal(explain(h, dev, 1, 0xfee00).found, SLUICE_FOUND_MSI);
    assert_int_equal(explain(h, dev, 1, BIT64(35)).found, SLUICE_FOUND_BEYOND);
    assert_int_equal(explain(h, dev, 1, BIT64(35)).iova_bits, 47);
    host_destroy(h);
}

/* A shadow is a table of ours, as of the last flush. */
static void of_a_shadow_ours(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare_nested(h);
    struct sluice_explanation why = explain(h, dev, 1, 5);

    assert_int_equal(why.found, SLUICE_FOUND_MAPPING);
    assert_false(why.guest);
    assert_int_equal(why.gfn.n, 9);
    assert_int_equal(explain(h, dev, 1, 6).found, SLUICE_FOUND_NOTHING);
    assert_int_equal(explain(h, dev, 1, BIT64(35)).iova_bits, 47);
}

static void devices_have_moved(void **state)
{
    struct host *h = *state;
    struct sluice_domain *other = host_domain(h, 2);
    struct sluice_device *dev = prepare(h);
    struct sluice_explanation why;

    attach(h, 8, 0);
    why = explain(h, dev, 1, 0x900);
    assert_int_equal(why.device, SLUICE_DEVICE_HERE);
    assert_int_equal(why.ctx_no, 0);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(explain(h, dev, 1, 0x900).device, SLUICE_DEVICE_QUARANTINED);
    assert_int_equal(sluice_device_assign(dev, other), 0);
    assert_int_equal(explain(h, dev, 1, 0x900).device, SLUICE_DEVICE_ELSEWHERE);
    assert_int_equal(sluice_device_unassign(dev), 0);
    assert_int_equal(sluice_device_remove(dev), 0);
    assert_int_equal(explain(h, dev, 1, 0x900).device, SLUICE_DEVICE_GONE);
    assert_int_equal(explain(h, NULL, 1, 0x900).device, SLUICE_DEVICE_GONE);
}

static void expect_unmap(const struct sluice_explanation *why, uint64_t first, uint64_t last,
                         uint64_t calls)
{
    assert_true(why->unmapped);
    assert_int_equal(why->unmap_first.n, first);
    assert_int_equal(why->unmap_last.n, last);
    assert_int_equal(why->calls_since, calls);
}

static void the_newest_unmap_counts(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    struct sluice_explanation why;
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 0x900, 4, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 0x900, 4, FRAME_LG2, &done), 0);
    assert_int_equal(hypercall(h, 1, IOMMU_noop, NULL, 0), 0);
    assert_int_equal(hypercall(h, 1, IOMMU_noop, NULL, 0), 0);
    why = explain(h, dev, 1, 0x903);
    expect_unmap(&why, 0x900, 0x903, 2);
    assert_int_equal(why.found, SLUICE_FOUND_NOTHING);
    assert_false(explain(h, dev, 1, 0x904).unmapped);
    assert_false(explain(h, dev, 1, 0x8ff).unmapped);
    assert_false(explain(h, dev, 0, 0x900).unmapped);
    map_one(h, 0x902, RW);
    assert_int_equal(unmap(h, 1, 0x902, 1, FRAME_LG2, &done), 0);
    why = explain(h, dev, 1, 0x902);
    expect_unmap(&why, 0x902, 0x902, 0);
    why = explain(h, dev, 1, 0x901);
    expect_unmap(&why, 0x900, 0x903, 2);
}

static void what_took_nothing_out_is_no_unmap(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    uint32_t done;

    assert_int_equal(unmap(h, 1, 0x900, 1, FRAME_LG2, &done), -ENOENT);
    assert_false(explain(h, dev, 1, 0x900).unmapped);
    map_one(h, 0x900, RW);
    assert_int_equal(unmap(h, 1, 0x900, 2, FRAME_LG2, &done), -ENOENT);
    assert_int_equal(done, 1);
    assert_true(explain(h, dev, 1, 0x900).unmapped);
    assert_false(explain(h, dev, 1, 0x901).unmapped);
}

static void one_call_is_one_unmap(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    struct sluice_explanation why;
    uint32_t done;

    add_memory(h, 0x100, 0x2000, 2048);
    assert_int_equal(map(h, 1, 0x100, 0x1000, 2048, FRAME_LG2, RW, &done), 0);
    h->preempt_every = 1;
    assert_int_equal(unmap(h, 1, 0x1000, 2048, FRAME_LG2, &done), 0);
    h->preempt_every = 0;
    why = explain(h, dev, 1, 0x1000);
    expect_unmap(&why, 0x1000, 0x17ff, 0);
}

static void another_context_of_that_number_is_another(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    struct pv_iommu_free f = {.ctx_no = 1};
    uint32_t done;

    map_one(h, 0x900, RW);
    assert_int_equal(unmap(h, 1, 0x900, 1, FRAME_LG2, &done), 0);
    attach(h, 8, 0);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &f, sizeof(f)), 0);
    assert_int_equal(explain(h, dev, 1, 0x900).found, SLUICE_FOUND_NO_CONTEXT);
    assert_int_equal(new_context(h), 1);
    assert_int_equal(explain(h, dev, 1, 0x900).found, SLUICE_FOUND_NOTHING);
    assert_false(explain(h, dev, 1, 0x900).unmapped);
}

static void old_ones_make_room(void **state)
{
    struct host *h = *state;
    struct sluice_device *dev = prepare(h);
    uint32_t done;

    for (uint64_t i = 0; i <= DOMAIN_UNMAPS; i++) {
        map_one(h, 0x900 + 2 * i, RW);
        assert_int_equal(unmap(h, 1, 0x900 + 2 * i, 1, FRAME_LG2, &done), 0);
    }
    assert_false(explain(h, dev, 1, 0x900).unmapped);
    assert_true(explain(h, dev, 1, 0x902).unmapped);
    assert_true(explain(h, dev, 1, 0x900 + 2 * DOMAIN_UNMAPS).unmapped);
}

/* Who faults between the unmap and its flush finds the unmap. */
static void look_at_flush(struct host *h, struct fake_unit *u, const struct hw_inv *inv, unsigned n)
{
    const struct domain_unmaps *unmaps = &context_of(h, 1)->domain->unmaps;

    (void)u;
    (void)inv;
    (void)n;
    assert_int_equal(unmaps->total, 1);
    assert_int_equal(unmaps->record[0].first.n, 0x900);
}

static void it_is_known_before_the_flush(void **state)
{
    struct host *h = *state;
    uint32_t done;

    (void)prepare(h);
    map_one(h, 0x900, RW);
    h->on_flush = look_at_flush;
    assert_int_equal(unmap(h, 1, 0x900, 1, FRAME_LG2, &done), 0);
    h->on_flush = NULL;
}

struct worker {
    struct domain *d;
    uint64_t first;
};

#define ROUNDS 2000u

static void *note(void *arg)
{
    const struct worker *w = arg;

    for (unsigned i = 0; i < ROUNDS; i++)
        explain_note_unmap(&w->d->ctx[1], dfn_of(w->first), dfn_of(w->first + 1));
    return NULL;
}

static void spin_lock(void *host, struct sluice_lock *lock)
{
    (void)host;
    while (__atomic_exchange_n(&lock->opaque[0], 1, __ATOMIC_ACQUIRE))
        ;
}

static void spin_unlock(void *host, struct sluice_lock *lock)
{
    (void)host;
    __atomic_store_n(&lock->opaque[0], 0, __ATOMIC_RELEASE);
}

/* Records are whole, and none is counted twice or not at all. */
static void unmaps_side_by_side(void **state)
{
    struct host *h = *state;
    struct domain *d = domain_of(h->d);
    struct worker worker[2] = {{d, 0x100}, {d, 0x200}};
    pthread_t thread[2];

    (void)prepare(h);
    h->port.lock = spin_lock;
    h->port.unlock = spin_unlock;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, note, &worker[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(d->unmaps.total, 2 * ROUNDS);
    for (unsigned i = 0; i < DOMAIN_UNMAPS; i++)
        assert_int_equal(d->unmaps.record[i].first.n + 1, d->unmaps.record[i].last.n);
}

static int explain_while_walking(void *arg, const struct pt_leaf *leaf)
{
    struct sluice_explanation why;
    const struct sluice_fault fault = {.addr = leaf->dfn.n << FRAME_LG2, .ctx_no = 1};
    struct host *h = arg;
    struct domain *d = domain_of(h->d);
    struct sluice_lock held = d->lock;
    int err;

    d->lock = (struct sluice_lock){{0}}; /* as if another processor asked */
    err = sluice_fault_explain(h->d, &fault, &why);
    d->lock = held;
    return err;
}

static void a_call_at_work_is_waited_for(void **state)
{
    struct host *h = *state;

    (void)prepare(h);
    map_one(h, 0x900, RW);
    assert_int_equal(
        sluice_context_walk(h->d, 1, dfn_of(0x900), dfn_of(0x900), explain_while_walking, h),
        -ERESTART);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_is_there),
        T(a_mapping_is_there),
        T(a_region_is_there),
        T(neither_memory_nor_table_is_there),
        cmocka_unit_test(of_a_nested_context_the_guest_s_table),
        T(of_a_shadow_ours),
        T(devices_have_moved),
        T(the_newest_unmap_counts),
        T(what_took_nothing_out_is_no_unmap),
        T(one_call_is_one_unmap),
        T(another_context_of_that_number_is_another),
        T(old_ones_make_room),
        T(it_is_known_before_the_flush),
        T(unmaps_side_by_side),
        T(a_call_at_work_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
