/* SPDX-License-Identifier: BSD-2-Clause */
/* map: how far it came is exact, whatever stops it. */
#include "../../iommu/core/trim.h"
#include "fixture.h"

#define LG2_2M 21u

static int set_up_context(void **state)
{
    (void)set_up(state);
    assert_int_equal(new_context(*state), 1);
    return 0;
}

static struct host *with(const struct setup *setup)
{
    struct host *h = host_create(setup);

    assert_int_equal(new_context(h), 1);
    return h;
}

static void a_mapping_holds_one_reference_on_each_frame(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 8);
    assert_int_equal(map(h, 1, 2, 0x10, 3, FRAME_LG2, RW, &done), 0);
    assert_int_equal(done, 3);
    for (uint64_t n = 0; n < 8; n++)
        assert_int_equal(refs_of(h, 0x1000 + n), n >= 2 && n < 5 ? 2 : 1);
    assert_int_equal(goes_to(h, 1, 0x10, NULL), 0x1002);
    assert_int_equal(goes_to(h, 1, 0x13, NULL), NOWHERE);
    assert_int_equal(map(h, 1, 2, 0x20, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(refs_of(h, 0x1002), 3);
}

static void rights_are_those_asked_for(void **state)
{
    struct host *h = *state;
    unsigned attr;
    uint32_t done;

    add_memory(h, 0, 0x1000, 3);
    assert_int_equal(map(h, 1, 0, 0, 1, FRAME_LG2, PT_READ, &done), 0);
    assert_int_equal(map(h, 1, 1, 1, 1, FRAME_LG2, PT_WRITE, &done), 0);
    assert_int_equal(map(h, 1, 2, 2, 1, FRAME_LG2, RW | PT_SNOOP, &done), 0);
    assert_int_equal(goes_to(h, 1, 0, &attr), 0x1000);
    assert_int_equal(attr, PT_READ);
    (void)goes_to(h, 1, 1, &attr);
    assert_int_equal(attr, PT_WRITE);
    (void)goes_to(h, 1, 2, &attr);
    assert_int_equal(attr, RW | PT_SNOOP);
}

static void read_only_and_private_frames_are_not_given_away(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 1);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(1), mfn_of(0x1001), 1, SLUICE_FRAME_READONLY),
                     0);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(2), mfn_of(0x1002), 1, SLUICE_FRAME_PRIVATE),
                     0);
    assert_int_equal(map(h, 1, 0, 0, 2, FRAME_LG2, RW, &done), -EPERM);
    assert_int_equal(done, 1);
    assert_int_equal(map(h, 1, 1, 1, 2, FRAME_LG2, PT_READ, &done), -EPERM);
    assert_int_equal(done, 1);
    assert_int_equal(map(h, 1, 2, 2, 1, FRAME_LG2, PT_WRITE, &done), -EPERM);
    assert_int_equal(done, 0);
    assert_int_equal(refs_of(h, 0x1001), 2);
    assert_int_equal(refs_of(h, 0x1002), 1);
}

/* For each failing position k of 1200 pages, over batches and tables: exactly k are mapped. */
static void check_stops_at(struct host *h, uint32_t k, int want)
{
    uint32_t done;

    assert_int_equal(map(h, 1, 0, 0x200, 1200, FRAME_LG2, RW, &done), want);
    assert_int_equal(done, k);
    assert_int_equal(context_of(h, 1)->nr_mapped, k);
    assert_int_equal(domain_of(h->d)->memory.refs, k);
    if (k) {
        assert_int_equal(unmap(h, 1, 0x200, k, FRAME_LG2, &done), 0);
        assert_int_equal(done, k);
    }
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

static const uint32_t positions[] = {0, 1, 2, 511, 512, 513, 1023, 1024, 1025, 1199};

static void progress_is_exact_where_a_frame_is_missing(void **state)
{
    struct host *h = *state;

    add_memory(h, 0, 0x1000, 1200);
    for (unsigned i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        const uint32_t k = positions[i];

        assert_int_equal(sluice_memory_remove(h->d, gfn_of(k), 1), 0);
        check_stops_at(h, k, -ENOENT);
        add_memory(h, k, 0x1000 + k, 1);
    }
}

static void progress_is_exact_where_something_is_mapped(void **state)
{
    struct host *h = *state;
    uint32_t done, other;

    add_memory(h, 0, 0x1000, 1200);
    for (unsigned i = 0; i < sizeof(positions) / sizeof(positions[0]); i++) {
        const uint32_t k = positions[i];

        assert_int_equal(map(h, 1, 0, 0x200 + k, 1, FRAME_LG2, RW, &other), 0);
        assert_int_equal(map(h, 1, 0, 0x200, 1200, FRAME_LG2, RW, &done), -EINVAL);
        assert_int_equal(done, k);
        assert_int_equal(domain_of(h->d)->memory.refs, k + 1);
        assert_int_equal(unmap(h, 1, 0x200, k + 1, FRAME_LG2, &done), 0);
        assert_int_equal(domain_of(h->d)->memory.refs, 0);
    }
}

static void progress_is_exact_where_the_budget_of_references_ends(void **state)
{
    (void)state;
    for (unsigned i = 1; i < sizeof(positions) / sizeof(positions[0]); i++) {
        struct host *h = with(&(struct setup){.budget_refs = positions[i]});

        add_memory(h, 0, 0x1000, 1200);
        check_stops_at(h, positions[i], -ENOMEM);
        host_destroy(h);
    }
}

static void progress_is_exact_where_memory_for_tables_ends(void **state)
{
    struct host *h = *state;
    unsigned n;
    int err = -ENOMEM;

    add_memory(h, 0, 0x1000, 1200);
    for (n = 1; err; n++) {
        uint32_t done;

        h->fail_alloc = n;
        err = map(h, 1, 0, 0x200 + n * 0x1000, 1200, FRAME_LG2, RW, &done);
        h->fail_alloc = 0;
        assert_true(!err || err == -ENOMEM);
        assert_int_equal(done % 512, err ? 0 : 1200 % 512); /* a table holds 512 */
        assert_int_equal(nr_mapped(h, 1), done);
        assert_int_equal(domain_of(h->d)->memory.refs, done);
        if (done)
            assert_int_equal(unmap(h, 1, 0x200 + n * 0x1000, done, FRAME_LG2, &done), 0);
    }
    assert_true(n > 3);
}

static void the_budget_of_tables_is_memory_that_ran_out(void **state)
{
    struct host *h = with(&(struct setup){.budget_tables = 4}); /* the root and a way down */
    uint32_t done;

    (void)state;
    add_memory(h, 0, 0x1000, 1024);
    assert_int_equal(map(h, 1, 0, 0, 1024, FRAME_LG2, RW, &done), -ENOMEM);
    assert_int_equal(done, 512);
    host_destroy(h);
}

/* Whatever is missing of the way down: the call ends, and what it hung there is the domain's to
 * use. */
static void a_budget_that_ends_on_the_way_down_ends_the_call(void **state)
{
    (void)state;
    for (uint32_t budget = 1; budget <= 6; budget++) {
        struct host *h = with(&(struct setup){.budget_tables = budget});
        const int want = budget < 4 ? -ENOMEM : 0;
        uint32_t done;

        add_scattered(h, 0, 0x1000, 512);
        assert_int_equal(map(h, 1, 0, 0, 1, FRAME_LG2, RW, &done), want);
        assert_int_equal(done, want ? 0 : 1);
        assert_int_equal(map(h, 1, 0, 0x40000, 1, LG2_2M, RW, &done), budget < 6 ? -ENOMEM : 0);
        host_destroy(h);
    }
}

static void a_large_page_beyond_the_budget_of_tables_ends(void **state)
{
    struct host *h = with(&(struct setup){.budget_tables = 20});
    uint32_t done;

    (void)state;
    for (uint64_t at = 0; at < BIT64(18); at += 512)
        add_memory(h, at, 0x20001 + at, 512); /* no large leaf fits */
    assert_int_equal(map(h, 1, 0, 0, 1, 30, RW, &done), -ENOMEM);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    host_destroy(h);
}

static void empty_tables_are_given_up_when_the_budget_is_spent(void **state)
{
    struct host *h = with(&(struct setup){.budget_tables = 4});
    uint32_t done;

    (void)state;
    add_memory(h, 0, 0x1000, 4);
    add_device(h, 8);
    attach(h, 8, 1);
    for (uint64_t at = 0; at < 3; at++) { /* each needs the three tables of the one before */
        const uint64_t dfn = at << 27;

        assert_int_equal(map(h, 1, 0, dfn, 1, FRAME_LG2, RW, &done), 0);
        assert_int_equal(unmap(h, 1, dfn, 1, FRAME_LG2, &done), 0);
        forget(h);
    }
    assert_int_equal(map(h, 1, 0, 0, 1, FRAME_LG2, RW, &done), 0);
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, TABLE_FREED, 0)));
    assert_false(nth(h, FLUSHED, 0)->inv[0].leaf_only);
    assert_int_equal(map(h, 1, 0, 1 << 27, 1, FRAME_LG2, RW, &done), -ENOMEM);
    host_destroy(h);
}

static void a_continued_call_goes_on_where_it_was(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 1200);
    h->preempt_every = 1;
    assert_int_equal(map(h, 1, 0, 0x200, 1200, FRAME_LG2, RW, &done), 0);
    assert_true(h->preempts >= 2);
    assert_int_equal(done, 1200);
    for (uint64_t i = 0; i < 1200; i++)
        assert_int_equal(goes_to(h, 1, 0x200 + i, NULL), 0x1000 + i);
    assert_int_equal(domain_of(h->d)->pages_mapped, 1200);
}

static void large_pages_are_large_leaves_where_frames_allow_it(void **state)
{
    struct host *h = *state;
    struct pt_leaf leaf;
    uint32_t done;

    add_memory(h, 0, 0x1000, 512);   /* aligned: 0x1000 = 8 * 512 */
    add_memory(h, 512, 0x2001, 512); /* not aligned */
    assert_int_equal(map(h, 1, 0, 0, 2, LG2_2M, RW, &done), 0);
    assert_int_equal(done, 2);
    assert_int_equal(pt_lookup(&context_of(h, 1)->pt, dfn_of(5), 1, &leaf), 0);
    assert_int_equal(leaf.lg2, LG2_2M);
    assert_int_equal(pt_lookup(&context_of(h, 1)->pt, dfn_of(512 + 5), 1, &leaf), 0);
    assert_int_equal(leaf.lg2, FRAME_LG2);
    assert_int_equal(leaf.mfn.n, 0x2006);
    assert_int_equal(domain_of(h->d)->memory.refs, 1024);
}

static void small_pages_are_never_large_leaves(void **state)
{
    struct host *h = *state;
    struct pt_leaf leaf;
    uint32_t done;

    add_memory(h, 0, 0x1000, 512);
    assert_int_equal(map(h, 1, 0, 0, 512, FRAME_LG2, RW, &done), 0);
    assert_int_equal(pt_lookup(&context_of(h, 1)->pt, dfn_of(5), 1, &leaf), 0);
    assert_int_equal(leaf.lg2, FRAME_LG2);
    assert_int_equal(unmap(h, 1, 5, 1, FRAME_LG2, &done), 0);
}

static void tables_without_entries_do_not_make_leaves_small(void **state)
{
    struct host *h = *state;
    struct pt_leaf leaf;
    uint32_t done;

    add_memory(h, 0, 0x1000, 512);
    assert_int_equal(map(h, 1, 0, 5, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 5, 1, FRAME_LG2, &done), 0);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), 0);
    assert_int_equal(pt_lookup(&context_of(h, 1)->pt, dfn_of(5), 1, &leaf), 0);
    assert_int_equal(leaf.lg2, LG2_2M);
}

/* The page of the pruned table is free only when no unit can have it in its caches any more. */
static void a_pruned_table_is_freed_after_the_flush_of_table_pointers(void **state)
{
    struct host *h = *state;
    const struct happened *flushed;
    uint32_t done;

    add_memory(h, 0, 0x1000, 512);
    add_device(h, 8);
    attach(h, 8, 1);
    assert_int_equal(map(h, 1, 0, 5, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(unmap(h, 1, 5, 1, FRAME_LG2, &done), 0);
    forget(h);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), 0);
    flushed = nth(h, FLUSHED, 0);
    assert_true(place_of(h, flushed) < place_of(h, nth(h, TABLE_FREED, 0)));
    assert_int_equal(flushed->inv[0].kind, HW_INV_RANGE);
    assert_false(flushed->inv[0].leaf_only);
    assert_int_equal(flushed->inv[0].first.n, 0);
    assert_int_equal(flushed->inv[0].last.n, 511);
}

static void a_large_page_goes_wholly_or_not_at_all(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x2001, 512);
    add_memory(h, 512, 0x3001, 511); /* one is missing */
    assert_int_equal(map(h, 1, 0, 0, 2, LG2_2M, RW, &done), -ENOENT);
    assert_int_equal(done, 1);
    assert_int_equal(nr_mapped(h, 1), 512);
    assert_int_equal(domain_of(h->d)->memory.refs, 512);
    assert_int_equal(refs_of(h, 0x3001), 1);
}

/* Of a 1G page, a large leaf and a table of small ones are done when memory ends. */
static void what_was_mapped_of_a_large_page_is_undone_with_a_flush(void **state)
{
    struct host *h = *state;
    uint32_t done;

    for (uint64_t at = 0; at < BIT64(18); at += 512)
        add_memory(h, at, 0x20000 + at + (at >= 1024), 512 - (at == 512));
    add_memory(h, 1023, 0x10, 1);
    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    h->fail_alloc = 4; /* two on the way down, one of small leaves, and no other */
    assert_int_equal(map(h, 1, 0, 0, 1, 30, RW, &done), -ENOMEM);
    assert_int_equal(done, 0);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    assert_int_equal(refs_of(h, 0x20000), 1);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(count(h, RELEASED), 0);
}

static void a_large_page_over_a_small_one_changes_nothing(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 512);
    assert_int_equal(map(h, 1, 0, 511, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), -EINVAL);
    assert_int_equal(nr_mapped(h, 1), 1);
    assert_int_equal(domain_of(h->d)->memory.refs, 1);
}

static void a_large_page_beyond_the_budget_changes_nothing(void **state)
{
    struct host *h = with(&(struct setup){.budget_refs = 511});
    uint32_t done;

    (void)state;
    add_memory(h, 0, 0x1000, 512);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), -ENOMEM);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    assert_int_equal(map(h, 1, 0, 0, 511, FRAME_LG2, RW, &done), 0);
    assert_int_equal(done, 511);
    host_destroy(h);
}

/* Seen before the first entry is made: devices never see a part of it. */
static void a_large_page_of_many_runs_beyond_the_budget_is_never_shown(void **state)
{
    struct host *h = with(&(struct setup){.budget_refs = 511});
    uint32_t done;

    (void)state;
    add_scattered(h, 0, 0x1000, 512);
    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), -ENOMEM);
    assert_int_equal(count(h, FLUSHED), 0);
    assert_int_equal(nr_mapped(h, 1), 0);
    host_destroy(h);
}

static void a_large_page_needs_all_its_rights(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 511);
    assert_int_equal(sluice_memory_add(h->d, gfn_of(511), mfn_of(0x11ff), 1, SLUICE_FRAME_READONLY),
                     0);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, RW, &done), -EPERM);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(map(h, 1, 0, 0, 1, LG2_2M, PT_READ, &done), 0);
}

static void empty_entries_need_no_flush(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 512);
    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    assert_int_equal(map(h, 1, 0, 0, 512, FRAME_LG2, RW, &done), 0);
    assert_int_equal(map(h, 1, 0, 512, 1, LG2_2M, RW, &done), 0);
    assert_int_equal(count(h, FLUSHED), 0);
}

static void units_that_cache_what_is_not_there_are_flushed_once(void **state)
{
    struct host *h = with(&(struct setup){.caching_mode = true});
    const struct happened *e;
    uint32_t done;

    (void)state;
    add_memory(h, 0, 0x1000, 512);
    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    assert_int_equal(map(h, 1, 0, 0x10, 512, FRAME_LG2, RW, &done), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    e = nth(h, FLUSHED, 0);
    assert_int_equal(e->n, 1);
    assert_int_equal(e->inv[0].did, context_of(h, 1)->did);
    assert_int_equal(e->inv[0].first.n, 0x10);
    assert_int_equal(e->inv[0].last.n, 0x20f);
    host_destroy(h);
}

static void in_caching_mode_what_was_mapped_before_an_error_is_flushed(void **state)
{
    struct host *h = with(&(struct setup){.caching_mode = true});
    uint32_t done;

    (void)state;
    add_memory(h, 0, 0x1000, 3);
    add_device(h, 8);
    attach(h, 8, 1);
    forget(h);
    assert_int_equal(map(h, 1, 0, 0, 4, FRAME_LG2, RW, &done), -ENOENT);
    assert_int_equal(done, 3);
    assert_int_equal(nth(h, FLUSHED, 0)->inv[0].last.n, 2);
    forget(h);
    assert_int_equal(map(h, 1, 9, 9, 1, FRAME_LG2, RW, &done), -ENOENT);
    assert_int_equal(count(h, FLUSHED), 0); /* nothing was mapped */
    host_destroy(h);
}

static void the_interrupt_window_is_never_mapped(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_memory(h, 0, 0x1000, 0x102);
    assert_int_equal(map(h, 1, 0, 0xfedff, 2, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(map(h, 1, 0, 0xfeeff, 2, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(map(h, 1, 0, 0xfedff, 0x102, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(map(h, 1, 0, 0xfee80, 1, FRAME_LG2, RW, &done), -EADDRNOTAVAIL);
    assert_int_equal(nr_mapped(h, 1), 0);
    assert_int_equal(map(h, 1, 0, 0xfedff, 1, FRAME_LG2, RW, &done), 0);
    assert_int_equal(map(h, 1, 0, 0xfef00, 1, FRAME_LG2, RW, &done), 0);
}

static void memory_beyond_the_map_is_no_memory(void **state)
{
    struct host *h = *state;
    uint32_t done;

    assert_int_equal(map(h, 1, BIT64(36) - 1, 0, 2, FRAME_LG2, RW, &done), -ENOENT);
    assert_int_equal(map(h, 1, BIT64(52), 0, 1, FRAME_LG2, RW, &done), -ENOENT);
    assert_int_equal(map(h, 1, UINT64_MAX, 0, 1, FRAME_LG2, RW, &done), -ENOENT);
    assert_int_equal(map(h, 1, BIT64(52), 0, 1, LG2_2M, RW, &done), -ENOENT);
}

/* Frames that are no neighbours, up to the last gfn that there is, and on. */
static void memory_up_to_the_end_of_the_map_is_all_memory(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_scattered(h, BIT64(36) - 3, 0x1000, 3);
    assert_int_equal(map(h, 1, BIT64(36) - 3, 0, 9, FRAME_LG2, RW, &done), -ENOENT);
    assert_int_equal(done, 3);
    assert_int_equal(goes_to(h, 1, 2, NULL), 0x1004);
}

static void scattered_frames_stop_where_rights_or_frames_end(void **state)
{
    struct host *h = *state;
    uint32_t done;

    add_scattered(h, 0, 0x1000, 100);
    for (uint32_t k = 1; k < 100; k += 7) {
        assert_int_equal(sluice_memory_remove(h->d, gfn_of(k), 1), 0);
        assert_int_equal(map(h, 1, 0, 0x1f0, 100, FRAME_LG2, RW, &done), -ENOENT);
        assert_int_equal(done, k);
        assert_int_equal(unmap(h, 1, 0x1f0, k, FRAME_LG2, &done), 0);
        assert_int_equal(
            sluice_memory_add(h->d, gfn_of(k), mfn_of(0x1000 + 2 * k), 1, SLUICE_FRAME_READONLY),
            0);
        assert_int_equal(map(h, 1, 0, 0x1f0, 100, FRAME_LG2, RW, &done), -EPERM);
        assert_int_equal(done, k);
        assert_int_equal(domain_of(h->d)->memory.refs, k);
        assert_int_equal(unmap(h, 1, 0x1f0, k, FRAME_LG2, &done), 0);
        assert_int_equal(sluice_memory_remove(h->d, gfn_of(k), 1), 0);
        add_memory(h, k, 0x1000 + 2 * k, 1);
    }
    assert_int_equal(map(h, 1, 0, 0x1f0, 100, FRAME_LG2, RW, &done), 0);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(goes_to(h, 1, 0x1f0 + i, NULL), 0x1000 + 2 * i);
        assert_int_equal(refs_of(h, 0x1000 + 2 * i), 2);
    }
}

static void scattered_frames_stop_where_something_is_mapped_or_the_budget_ends(void **state)
{
    (void)state;
    for (uint32_t k = 1; k < 150; k += 9) {
        struct host *h = with(&(struct setup){.budget_refs = k});
        uint32_t done;

        add_scattered(h, 0, 0x1000, 150);
        assert_int_equal(map(h, 1, 0, 0x1f0, 150, FRAME_LG2, RW, &done), -ENOMEM);
        assert_int_equal(done, k);
        assert_int_equal(unmap(h, 1, 0x1f0, k, FRAME_LG2, &done), 0);
        assert_int_equal(domain_of(h->d)->memory.refs, 0);
        domain_of(h->d)->memory.refs_limit = 1000;
        assert_int_equal(map(h, 1, 149, 0x1f0 + k - 1, 1, FRAME_LG2, RW, &done), 0);
        assert_int_equal(map(h, 1, 0, 0x1f0, 150, FRAME_LG2, RW, &done), -EINVAL);
        assert_int_equal(done, k - 1);
        assert_int_equal(domain_of(h->d)->memory.refs, k);
        host_destroy(h);
    }
}

static void a_context_that_ended_meanwhile_is_unknown(void **state)
{
    struct host *h = *state;
    struct pv_iommu_free arg = {.ctx_no = 1};
    struct page_range r = {.ctx_no = 1, .nr_pages = 1, .page_lg2 = FRAME_LG2, .attr = RW};
    struct trim trim = {0};
    uint32_t done = 0;

    add_memory(h, 0, 0x1000, 1);
    assert_int_equal(context_resolve(domain_of(h->d), 1, CONTEXT_CHANGE, &r.generation), 0);
    assert_int_equal(hypercall(h, 1, IOMMU_free_context, &arg, sizeof(arg)), 0);
    assert_int_equal(core_map(domain_of(h->d), &r, &done, &trim), -EINVAL);
    assert_int_equal(new_context(h), 1); /* the number is used again, for another */
    assert_int_equal(core_map(domain_of(h->d), &r, &done, &trim), -EINVAL);
    assert_int_equal(core_unmap(domain_of(h->d), &r, &done), -EINVAL);
    assert_int_equal(done, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_context, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_mapping_holds_one_reference_on_each_frame),
        T(rights_are_those_asked_for),
        T(read_only_and_private_frames_are_not_given_away),
        T(progress_is_exact_where_a_frame_is_missing),
        T(progress_is_exact_where_something_is_mapped),
        cmocka_unit_test(progress_is_exact_where_the_budget_of_references_ends),
        T(progress_is_exact_where_memory_for_tables_ends),
        cmocka_unit_test(the_budget_of_tables_is_memory_that_ran_out),
        cmocka_unit_test(a_budget_that_ends_on_the_way_down_ends_the_call),
        cmocka_unit_test(a_large_page_beyond_the_budget_of_tables_ends),
        cmocka_unit_test(empty_tables_are_given_up_when_the_budget_is_spent),
        T(a_continued_call_goes_on_where_it_was),
        T(large_pages_are_large_leaves_where_frames_allow_it),
        T(small_pages_are_never_large_leaves),
        T(tables_without_entries_do_not_make_leaves_small),
        T(a_pruned_table_is_freed_after_the_flush_of_table_pointers),
        T(a_large_page_goes_wholly_or_not_at_all),
        T(what_was_mapped_of_a_large_page_is_undone_with_a_flush),
        T(a_large_page_over_a_small_one_changes_nothing),
        cmocka_unit_test(a_large_page_beyond_the_budget_changes_nothing),
        cmocka_unit_test(a_large_page_of_many_runs_beyond_the_budget_is_never_shown),
        T(a_large_page_needs_all_its_rights),
        T(empty_entries_need_no_flush),
        cmocka_unit_test(units_that_cache_what_is_not_there_are_flushed_once),
        cmocka_unit_test(in_caching_mode_what_was_mapped_before_an_error_is_flushed),
        T(the_interrupt_window_is_never_mapped),
        T(memory_beyond_the_map_is_no_memory),
        T(memory_up_to_the_end_of_the_map_is_all_memory),
        T(scattered_frames_stop_where_rights_or_frames_end),
        cmocka_unit_test(scattered_frames_stop_where_something_is_mapped_or_the_budget_ends),
        T(a_context_that_ended_meanwhile_is_unknown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
