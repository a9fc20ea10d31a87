/* SPDX-License-Identifier: BSD-2-Clause */
/* The software unit is as unfriendly as it says: what was not invalidated properly stays in use. */
#include "../../iommu/hw/soft/soft.h"
#include "../core/fixture.h"

#define RID  ((rid_t){8})
#define BASE 0x10u /* the machine frame that dfn 0 goes to */

/* A unit of its own, on the memory of the small host, and one table. */
struct bench {
    struct host *h;
    struct sluice_port port;
    struct soft_unit u;
    struct pt_pages pages;
    struct pgtable pt;
};

static bool hang_now;

static bool hangs(void *host)
{
    (void)host;
    return hang_now;
}

static uint64_t ticking(void *host)
{
    struct host *h = host;

    return h->preempts += 1000000; /* any counter will do */
}

static struct bench *bench_create(bool caching_mode, enum pt_format_id format)
{
    const struct setup setup = {.no_domain = true, .format = format};
    struct bench *b = calloc(1, sizeof(*b));
    struct soft_config config = {.caching_mode = caching_mode, .cache_lg2 = 8, .seed = 3};

    assert_non_null(b);
    b->h = host_create(&setup);
    b->port = b->h->port;
    b->port.now_ns = ticking;
    config.port = &b->port;
    config.memory = b->port.direct_map;
    config.geo = b->h->unit[0].hw.geo;
    config.hangs = hangs;
    hang_now = false;
    assert_int_equal(soft_init(&b->u, &config), 0);
    b->pages = (struct pt_pages){.port = &b->port, .limit = 1000};
    assert_int_equal(pt_init(&b->pt, &config.geo, &b->pages), 0);
    return b;
}

static void drop_run(void *arg, mfn_t first, uint64_t nr)
{
    (void)arg;
    (void)first;
    (void)nr;
}

static int set_up_bench(void **state)
{
    *state = bench_create(false, PT_FORMAT_VTDSS);
    return 0;
}

static int tear_down_bench(void **state)
{
    struct bench *b = *state;

    while (pt_reap(&b->pt, drop_run, NULL))
        ;
    pt_fini(&b->pt);
    soft_fini(&b->u);
    host_destroy(b->h);
    free(b);
    return 0;
}

static void put(struct bench *b, uint64_t dfn, uint64_t mfn, uint64_t nr, unsigned lg2)
{
    uint64_t done;

    assert_int_equal(pt_map(&b->pt, dfn_of(dfn), mfn_of(mfn), nr, lg2, RW, &done), 0);
    assert_int_equal(done, nr);
}

static void take(struct bench *b, uint64_t dfn, uint64_t nr)
{
    struct pt_freed freed = {0};
    uint64_t done;

    assert_int_equal(pt_unmap(&b->pt, dfn_of(dfn), nr, &freed, &done), 0);
}

static void point_at(struct bench *b, rid_t rid, uint16_t did)
{
    const struct hw_space space = {.root = b->pt.root, .levels = b->pt.geo.levels, .did = did};

    assert_int_equal(b->u.hw.ops->prepare(&b->u.hw, rid, 0), 0);
    b->u.hw.ops->point(&b->u.hw, rid, 0, did ? &space : NULL);
}

static int flush(struct bench *b, enum hw_inv_kind kind, uint16_t did, uint64_t first,
                 uint64_t last, bool leaf_only)
{
    const struct hw_inv inv = {.kind = kind,
                               .rid = RID,
                               .did = did,
                               .first = dfn_of(first),
                               .last = dfn_of(last),
                               .leaf_only = leaf_only};

    return b->u.hw.ops->flush(&b->u.hw, &inv, 1);
}

/* Where a read of that page goes: the frame, or NOWHERE. */
static uint64_t seen(struct bench *b, rid_t rid, uint64_t dfn)
{
    enum hw_reason reason;
    uint64_t maddr;

    if (soft_translate(&b->u, rid, 0, dfn << FRAME_LG2, false, &maddr, &reason))
        return NOWHERE;
    return maddr >> FRAME_LG2;
}

static void a_translation_stays_until_its_range_is_flushed(void **state)
{
    struct bench *b = *state;

    point_at(b, RID, 5);
    put(b, 0, BASE, 16, FRAME_LG2);
    assert_int_equal(seen(b, RID, 3), BASE + 3);
    take(b, 0, 16);
    assert_int_equal(seen(b, RID, 3), BASE + 3);
    assert_int_equal(flush(b, HW_INV_RANGE, 5, 4, 15, true), 0);
    assert_int_equal(seen(b, RID, 3), BASE + 3); /* too narrow */
    assert_int_equal(flush(b, HW_INV_RANGE, 6, 0, 15, true), 0);
    assert_int_equal(seen(b, RID, 3), BASE + 3); /* another space */
    assert_int_equal(flush(b, HW_INV_DEVICE, 5, 0, 0, false), 0);
    assert_int_equal(seen(b, RID, 3), BASE + 3); /* another kind */
    assert_int_equal(flush(b, HW_INV_RANGE, 5, 3, 3, true), 0);
    assert_int_equal(seen(b, RID, 3), NOWHERE);
}

static void neighbours_are_prefetched_and_stay_too(void **state)
{
    struct bench *b = *state;

    point_at(b, RID, 5);
    put(b, 0, BASE, 16, FRAME_LG2);
    assert_int_equal(seen(b, RID, 3), BASE + 3);
    take(b, 0, 16);
    assert_int_equal(seen(b, RID, 2), BASE + 2);
    assert_int_equal(seen(b, RID, 4), BASE + 4);
    assert_int_equal(seen(b, RID, 6), NOWHERE);
}

static void the_whole_space_and_everything_are_flushed_as_well(void **state)
{
    struct bench *b = *state;

    point_at(b, RID, 5);
    for (unsigned i = 0; i < 2; i++) {
        put(b, 0, BASE, 1, FRAME_LG2);
        assert_int_equal(seen(b, RID, 0), BASE);
        take(b, 0, 1);
        assert_int_equal(flush(b, HW_INV_SPACE, 6, 0, 0, false), 0);
        assert_int_equal(seen(b, RID, 0), BASE);
        assert_int_equal(flush(b, i ? HW_INV_ALL : HW_INV_SPACE, 5, 0, 0, false), 0);
        assert_int_equal(seen(b, RID, 0), NOWHERE);
    }
}

static void one_page_of_a_large_one_flushes_all_of_it(void **state)
{
    struct bench *b = *state;

    point_at(b, RID, 5);
    put(b, 512, 0x1000, 512, 21);
    assert_int_equal(seen(b, RID, 600), 0x1000 + 88);
    take(b, 512, 512);
    assert_int_equal(seen(b, RID, 1023), 0x1000 + 511);
    assert_int_equal(flush(b, HW_INV_RANGE, 5, 700, 700, true), 0);
    assert_int_equal(seen(b, RID, 1023), NOWHERE);
}

/* A table that was unlinked is still walked, until pointers to tables are flushed too. */
static void leaf_only_keeps_pointers_to_tables(void **state)
{
    struct bench *b = *state;
    dfn_t cursor = {0};
    mfn_t page;

    point_at(b, RID, 5);
    put(b, 0, BASE, 1, FRAME_LG2);
    assert_int_equal(seen(b, RID, 0), BASE);
    take(b, 0, 1);
    assert_int_equal(pt_prune(&b->pt, &cursor, dfn_of(511), &page, 1), 1);
    ((uint64_t *)port_page(&b->port, page))[0] = (uint64_t)0x33 << 12 | 3; /* its next owner's */
    assert_int_equal(flush(b, HW_INV_RANGE, 5, 0, 511, true), 0);
    assert_int_equal(seen(b, RID, 0), 0x33);
    assert_int_equal(flush(b, HW_INV_RANGE, 5, 0, 511, false), 0);
    assert_int_equal(seen(b, RID, 0), NOWHERE);
    pt_free_pages(&b->pt, &page, 1);
}

static void what_is_not_there_is_remembered_in_caching_mode_only(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        void *s = bench_create(mode, PT_FORMAT_VTDSS);
        struct bench *b = s;

        point_at(b, RID, 5);
        assert_int_equal(seen(b, RID, 3), NOWHERE);
        put(b, 3, BASE, 1, FRAME_LG2);
        assert_int_equal(seen(b, RID, 3), mode ? NOWHERE : BASE);
        assert_int_equal(flush(b, HW_INV_RANGE, 5, 3, 3, true), 0);
        assert_int_equal(seen(b, RID, 3), BASE);
        tear_down_bench(&s);
    }
}

static void a_blocked_device_is_remembered_in_caching_mode_only(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < 2; mode++) {
        void *s = bench_create(mode, PT_FORMAT_VTDSS);
        struct bench *b = s;

        put(b, 3, BASE, 1, FRAME_LG2);
        point_at(b, RID, 0);
        assert_int_equal(seen(b, RID, 3), NOWHERE);
        point_at(b, RID, 5);
        assert_int_equal(seen(b, RID, 3), mode ? NOWHERE : BASE);
        assert_int_equal(flush(b, HW_INV_DEVICE, 0, 0, 0, false), 0);
        assert_int_equal(seen(b, RID, 3), BASE);
        tear_down_bench(&s);
    }
}

static void a_device_obeys_its_old_entry_until_it_is_flushed(void **state)
{
    struct bench *b = *state;

    put(b, 3, BASE, 1, FRAME_LG2);
    point_at(b, RID, 5);
    assert_int_equal(seen(b, RID, 3), BASE);
    point_at(b, RID, 0);
    assert_int_equal(flush(b, HW_INV_SPACE, 5, 0, 0, false), 0);
    assert_int_equal(seen(b, RID, 3), BASE);
    assert_int_equal(flush(b, HW_INV_DEVICE, 0, 0, 0, false), 0);
    assert_int_equal(seen(b, RID, 3), NOWHERE);
}

static void tags_keep_spaces_apart(void **state)
{
    struct bench *b = *state;
    const rid_t other = {9};
    struct pgtable first = b->pt, second;

    assert_int_equal(pt_init(&second, &first.geo, &b->pages), 0);
    put(b, 3, BASE, 1, FRAME_LG2);
    point_at(b, RID, 5);
    b->pt = second;
    put(b, 3, 0x99, 1, FRAME_LG2);
    point_at(b, other, 6);
    assert_int_equal(seen(b, RID, 3), BASE);
    assert_int_equal(seen(b, other, 3), 0x99);
    assert_int_equal(flush(b, HW_INV_SPACE, 6, 0, 0, false), 0);
    assert_int_equal(seen(b, RID, 3), BASE);
    while (pt_reap(&b->pt, drop_run, NULL))
        ;
    pt_fini(&b->pt);
    b->pt = first;
}

/* Commands take their time: nothing is done when they are only submitted, all when flush returns.
 */
static void commands_are_late_and_waited_for(void **state)
{
    struct bench *b = *state;
    unsigned late = 0;

    point_at(b, RID, 5);
    for (unsigned i = 0; i < 50; i++) {
        const unsigned before = b->h->preempts;

        put(b, 3, BASE, 1, FRAME_LG2);
        assert_int_equal(seen(b, RID, 3), BASE);
        take(b, 3, 1);
        assert_int_equal(flush(b, HW_INV_RANGE, 5, 3, 3, true), 0);
        assert_int_equal(seen(b, RID, 3), NOWHERE);
        late += b->h->preempts - before > 3 * 1000000;
    }
    assert_true(late > 5);
}

static void a_unit_that_hangs_is_a_timeout_and_no_success(void **state)
{
    struct bench *b = *state;

    point_at(b, RID, 5);
    put(b, 3, BASE, 1, FRAME_LG2);
    assert_int_equal(seen(b, RID, 3), BASE);
    hang_now = true;
    assert_int_equal(flush(b, HW_INV_RANGE, 5, 3, 3, true), -ETIMEDOUT);
    hang_now = false;
    assert_int_equal(flush(b, HW_INV_RANGE, 5, 3, 3, true), -ETIMEDOUT); /* for good */
    take(b, 3, 1);
    assert_int_equal(seen(b, RID, 3), BASE);
    b->u.hw.ops->quiesce(&b->u.hw);
    assert_int_equal(seen(b, RID, 3), NOWHERE);
}

static void faults_beyond_the_ring_are_counted(void **state)
{
    struct bench *b = *state;
    struct hw_fault f[SOFT_FAULTS];
    uint64_t lost = 7;

    for (uint64_t i = 0; i < SOFT_FAULTS + 3; i++)
        assert_int_equal(seen(b, RID, i), NOWHERE);
    assert_int_equal(b->u.hw.ops->drain_faults(&b->u.hw, f, 5, &lost), 5);
    assert_int_equal(lost, 10);
    assert_int_equal(f[4].addr, 4 << FRAME_LG2);
    assert_int_equal(f[4].rid.n, RID.n);
    assert_int_equal(f[4].reason, HW_REASON_BLOCKED);
    assert_int_equal(b->u.hw.ops->drain_faults(&b->u.hw, f, SOFT_FAULTS, &lost), SOFT_FAULTS - 5);
    assert_int_equal(lost, 10);
    assert_int_equal(f[0].addr, 5 << FRAME_LG2);
    assert_int_equal(b->u.hw.ops->drain_faults(&b->u.hw, f, 1, &lost), 0);
}

static enum hw_reason reason_of(struct bench *b, uint64_t addr, bool write)
{
    enum hw_reason reason;
    uint64_t maddr;

    (void)soft_translate(&b->u, RID, 0, addr, write, &maddr, &reason);
    return reason;
}

static void every_refusal_has_its_reason(void **state)
{
    struct bench *b = *state;
    uint64_t done;

    assert_int_equal(reason_of(b, 0, false), HW_REASON_BLOCKED);
    point_at(b, RID, 5);
    assert_int_equal(reason_of(b, 0x1000, false), HW_REASON_NOT_PRESENT);
    assert_int_equal(reason_of(b, BIT64(48), false), HW_REASON_WIDTH);
    assert_int_equal(reason_of(b, 0xfee00000, true), HW_REASON_MSI);
    assert_int_equal(reason_of(b, 0xfeefffff, true), HW_REASON_MSI);
    assert_int_equal(reason_of(b, 0xfef00000, true), HW_REASON_NOT_PRESENT);
    assert_int_equal(pt_map(&b->pt, dfn_of(8), mfn_of(9), 1, 12, PT_READ, &done), 0);
    assert_int_equal(pt_map(&b->pt, dfn_of(9), mfn_of(9), 1, 12, PT_WRITE, &done), 0);
    assert_int_equal(reason_of(b, 0x8000, false), HW_REASON_NONE);
    assert_int_equal(reason_of(b, 0x8000, true), HW_REASON_NO_WRITE);
    assert_int_equal(reason_of(b, 0x9000, false), HW_REASON_NO_READ);
    assert_int_equal(reason_of(b, 0x9000, true), HW_REASON_NONE);
    b->u.hw.ops->quiesce(&b->u.hw);
    assert_int_equal(reason_of(b, 0x8000, false), HW_REASON_UNIT);
}

static void setting_up_fails_without_a_trace(void **state)
{
    struct bench *b = *state;
    struct soft_config config = b->u.config;
    const unsigned objects = b->h->objects, pages = b->h->pages;
    struct soft_unit u;

    for (unsigned n = 1; n <= 6; n++) {
        b->h->fail_alloc = n;
        assert_int_equal(soft_init(&u, &config), -ENOMEM);
        b->h->fail_alloc = 0;
        assert_int_equal(b->h->objects, objects);
        assert_int_equal(b->h->pages, pages);
    }
    config.cache_lg2 = 21;
    assert_int_equal(soft_init(&u, &config), -EINVAL);
}

/* Whenever the unit lets go between two commands, the device makes an access. */
static void access_between(struct host *h, const struct sluice_lock *lock)
{
    struct bench *b = h->arg;
    uint64_t maddr;

    if (lock != &b->u.dma)
        return;
    h->on_unlock = NULL;
    (void)soft_peek(&b->u, RID, 0, 0, false, &maddr);
    h->on_unlock = access_between;
}

static void count_one(void *arg, const struct soft_cached *cached)
{
    (void)cached;
    ++*(unsigned *)arg;
}

/*
 * A device that leaves while it goes on with its DMA: what its old entry led to is refilled until
 * that entry is dropped, so the space must be dropped after it, whatever order the unit likes.
 */
static void nothing_is_refilled_from_an_entry_that_was_dropped(void **state)
{
    struct bench *b = *state;
    const struct hw_inv inv[2] = {{.kind = HW_INV_DEVICE, .rid = RID},
                                  {.kind = HW_INV_SPACE, .did = 5}};
    uint64_t maddr;

    put(b, 0, BASE, 1, FRAME_LG2);
    b->h->arg = b;
    for (unsigned times = 0; times < 50; times++) {
        unsigned left = 0;

        point_at(b, RID, 5);
        assert_int_equal(soft_peek(&b->u, RID, 0, 0, false, &maddr), HW_REASON_NONE);
        point_at(b, RID, 0);
        b->h->on_unlock = access_between;
        assert_int_equal(b->u.hw.ops->flush(&b->u.hw, inv, 2), 0);
        b->h->on_unlock = NULL;
        point_at(b, RID, 5);
        soft_visit_cached(&b->u, RID, 0, count_one, &left);
        assert_int_equal(left, 0);
        assert_int_equal(flush(b, HW_INV_ALL, 0, 0, 0, false), 0);
    }
    take(b, 0, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_bench, tear_down_bench)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_translation_stays_until_its_range_is_flushed),
        T(neighbours_are_prefetched_and_stay_too),
        T(the_whole_space_and_everything_are_flushed_as_well),
        T(one_page_of_a_large_one_flushes_all_of_it),
        T(leaf_only_keeps_pointers_to_tables),
        cmocka_unit_test(what_is_not_there_is_remembered_in_caching_mode_only),
        cmocka_unit_test(a_blocked_device_is_remembered_in_caching_mode_only),
        T(a_device_obeys_its_old_entry_until_it_is_flushed),
        T(tags_keep_spaces_apart),
        T(commands_are_late_and_waited_for),
        T(a_unit_that_hangs_is_a_timeout_and_no_success),
        T(faults_beyond_the_ring_are_counted),
        T(every_refusal_has_its_reason),
        T(setting_up_fails_without_a_trace),
        cmocka_unit_test_setup_teardown(nothing_is_refilled_from_an_entry_that_was_dropped,
                                        set_up_bench, tear_down_bench),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
