/* SPDX-License-Identifier: BSD-2-Clause */
/* Shadows: the composition of a guest's own table and the memory map, as of the last flush. */
#include "guest_table.h"

#define ROOT   0x10u /* gfns of the tables: ROOT..ROOT + 3 */
#define LOWEST (ROOT + 3)
#define DATA   0x100u  /* gfns that they map */
#define BASE   0x1000u /* gfn g is frame BASE + g */

static void prepare_memory(struct host *h)
{
    add_memory(h, 0, BASE, 0x200);
    make_tables(h, ROOT);
}

static void it_has_what_the_table_has_from_the_start(void **state)
{
    struct host *h = *state;
    unsigned attr;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 7, false));
    no = new_nested(h, ROOT);
    assert_int_equal(goes_to(h, no, 5, &attr), BASE + DATA);
    assert_int_equal(attr, RW);
    assert_int_equal(goes_to(h, no, 6, &attr), BASE + DATA + 7);
    assert_int_equal(attr, PT_READ);
    assert_int_equal(nr_mapped(h, no), 2);
    assert_int_equal(refs_of(h, BASE + DATA), 2);
}

static void a_flush_brings_just_its_range_up_to_date(void **state)
{
    struct host *h = *state;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 1, true));
    no = new_nested(h, ROOT);
    guest_write(h, LOWEST, 5, x86_page(DATA + 2, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 3, true));
    guest_write(h, LOWEST, 7, x86_page(DATA + 4, true));
    assert_int_equal(goes_to(h, no, 5, NULL), BASE + DATA);
    assert_int_equal(flush_nested(h, no, 5, 1), 0);
    assert_int_equal(goes_to(h, no, 5, NULL), BASE + DATA + 2);
    assert_int_equal(goes_to(h, no, 6, NULL), BASE + DATA + 1);
    assert_int_equal(goes_to(h, no, 7, NULL), NOWHERE);
    assert_int_equal(flush_nested_all(h, no), 0);
    assert_int_equal(goes_to(h, no, 6, NULL), BASE + DATA + 3);
    assert_int_equal(goes_to(h, no, 7, NULL), BASE + DATA + 4);
    assert_int_equal(refs_of(h, BASE + DATA), 1);
    assert_int_equal(refs_of(h, BASE + DATA + 1), 1);
}

static void what_leaves_memory_leaves_it_at_once(void **state)
{
    struct host *h = *state;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    guest_write(h, LOWEST, 6, x86_page(DATA + 1, true));
    no = new_nested(h, ROOT);
    add_device(h, 8);
    attach(h, 8, no);
    forget(h);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(DATA), 1), 0);
    assert_int_equal(goes_to(h, no, 5, NULL), NOWHERE);
    assert_int_equal(goes_to(h, no, 6, NULL), BASE + DATA + 1);
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, RELEASED, 0)));
}

static void of_a_larger_leaf_only_what_leaves_goes(void **state)
{
    struct host *h = *state;
    uint16_t no;

    add_memory(h, 0, BASE, 0x200);
    add_memory(h, 0x400, 0x4000, 0x200);
    make_tables(h, ROOT);
    guest_write(h, ROOT + 2, 1, x86_large(0x400));
    no = new_nested(h, ROOT);
    assert_int_equal(nr_mapped(h, no), 0x200);
    add_device(h, 8);
    attach(h, 8, no);
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(0x410), 2), 0);
    assert_int_equal(nr_mapped(h, no), 0x1fe);
    assert_int_equal(goes_to(h, no, 0x210, NULL), NOWHERE);
    assert_int_equal(goes_to(h, no, 0x212, NULL), 0x4012);
    assert_int_equal(flush_nested_all(h, no), 0);
    assert_int_equal(nr_mapped(h, no), 0x1fe);
}

static void a_page_of_a_larger_leaf_changes(void **state)
{
    struct host *h = *state;
    uint16_t no;

    add_memory(h, 0, BASE, 0x600);
    make_tables(h, ROOT);
    guest_write(h, ROOT + 2, 1, x86_large(0x400));
    no = new_nested(h, ROOT);
    guest_write(h, ROOT + 2, 1, x86_table(ROOT + 4));
    guest_write(h, ROOT + 4, 3, x86_page(DATA, true));
    assert_int_equal(flush_nested(h, no, 0x203, 1), 0);
    assert_int_equal(goes_to(h, no, 0x203, NULL), BASE + DATA);
    assert_int_equal(goes_to(h, no, 0x204, NULL), BASE + 0x404);
    assert_int_equal(flush_nested_all(h, no), 0);
    assert_int_equal(nr_mapped(h, no), 1);
}

/* Every entry points to the root: each dfn would be one of it, but for the budget. */
static void a_table_of_itself_is_bounded_by_the_budget(void **state)
{
    struct host *h = host_create(&(struct setup){.budget_tables = 16});
    uint16_t no;

    (void)state;
    add_memory(h, 0, BASE, 0x200);
    for (unsigned i = 0; i < 512; i++)
        guest_write(h, ROOT, i, i == 3 ? x86_table(ROOT) : 0);
    assert_int_equal(alloc_nested(h, ROOT, IOMMU_NESTED_x86_4level, &no), 0);
    assert_int_equal(nr_mapped(h, no), 1);
    for (unsigned i = 0; i < 512; i++)
        guest_write(h, ROOT, i, x86_table(ROOT));
    assert_int_equal(flush_nested(h, no, 0, 0x8000), -ENOMEM);
    assert_int_equal(goes_to(h, no, 0, NULL), BASE + ROOT);
    host_destroy(h);
}

static uint64_t words_read;

static void count_words(struct host *h, mfn_t frame, unsigned offset, size_t size)
{
    (void)h;
    (void)frame;
    (void)offset;
    words_read += size / sizeof(uint64_t);
}

/* 2^27 tables, all of them the lowest, which is empty: nothing lacks to go on for long. */
static void a_table_with_more_entries_than_memory_has_words_ends(void **state)
{
    const uint64_t far = UINT64_C(255) << 27 | 5, frames = 0x20;
    struct host *h = *state;
    uint16_t no;

    add_memory(h, 0, BASE, frames);
    make_tables(h, ROOT);
    guest_write(h, ROOT, 255, x86_table(ROOT + 1));
    guest_write(h, LOWEST, 5, x86_page(1, true));
    no = new_nested(h, ROOT);
    assert_int_equal(goes_to(h, no, far, NULL), BASE + 1);
    for (unsigned level = 0; level < 3; level++)
        for (unsigned i = 0; i < 512; i++)
            guest_write(h, ROOT + level, i, x86_table(ROOT + level + 1));
    guest_write(h, LOWEST, 5, 0);
    words_read = 0;
    h->on_read = count_words;
    assert_int_equal(flush_nested_all(h, no), -ENOMEM);
    assert_true(words_read < (frames + 4) * 512);
    assert_int_equal(nr_mapped(h, no), 0);
    assert_int_equal(refs_of(h, BASE + 1), 1);
}

static void what_is_no_table_maps_nothing(void **state)
{
    struct host *h = *state;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 1, x86_page(0x5000, true));
    guest_write(h, LOWEST, 2, x86_page(BIT64(40) - 1, true));
    guest_write(h, ROOT + 2, 1, x86_table(0x5000));
    guest_write(h, ROOT + 2, 2, x86_large(0x100));
    guest_write(h, ROOT + 1, 1, x86_table(BIT64(40) - 1));
    no = new_nested(h, ROOT);
    assert_int_equal(nr_mapped(h, no), 0);
    no = new_nested(h, BIT64(40) - 1);
    assert_int_equal(nr_mapped(h, no), 0);
}

static void rights_are_those_of_both(void **state)
{
    struct host *h = *state;
    unsigned attr;
    uint16_t no;

    prepare_memory(h);
    assert_int_equal(
        sluice_memory_add(h->d, gfn_of(0x300), mfn_of(0x3000), 1, SLUICE_FRAME_READONLY), 0);
    assert_int_equal(
        sluice_memory_add(h->d, gfn_of(0x301), mfn_of(0x3001), 1, SLUICE_FRAME_PRIVATE), 0);
    guest_write(h, LOWEST, 1, x86_page(0x300, true));
    guest_write(h, LOWEST, 2, x86_page(0x301, true));
    guest_write(h, ROOT + 2, 1, (ROOT + 4) << FRAME_LG2 | X86_PT_P);
    guest_write(h, ROOT + 4, 0, x86_page(DATA, true));
    guest_write(h, LOWEST, 511, x86_page(DATA, true));
    no = new_nested(h, ROOT);
    assert_int_equal(goes_to(h, no, 1, &attr), 0x3000);
    assert_int_equal(attr, PT_READ);
    assert_int_equal(goes_to(h, no, 2, NULL), NOWHERE);
    (void)goes_to(h, no, 511, &attr);
    assert_int_equal(attr, RW);
    (void)goes_to(h, no, 512, &attr);
    assert_int_equal(attr, PT_READ);
}

static void mark_leaving(struct host *h, uint64_t mfn, bool leaving)
{
    struct memory_locked l = memory_lock(&domain_of(h->d)->memory);

    memory_mark(l, mfn_of(mfn), 1, leaving);
    memory_unlock(l);
}

/* Somebody gives a frame up while the guest flushes: it is on its way out already. */
static void what_is_leaving_is_not_mapped(void **state)
{
    struct host *h = *state;
    uint16_t no;

    prepare_memory(h);
    guest_write(h, LOWEST, 1, x86_page(DATA, true));
    mark_leaving(h, BASE + DATA, true);
    no = new_nested(h, ROOT);
    assert_int_equal(goes_to(h, no, 1, NULL), NOWHERE);
    mark_leaving(h, BASE + DATA, false);
}

static void an_interrupted_flush_comes_to_the_same(void **state)
{
    struct host *h = *state;
    uint16_t no;

    prepare_memory(h);
    for (unsigned i = 0; i < 200; i++)
        guest_write(h, LOWEST, 2 * i, x86_page(DATA + i % 100, true));
    h->preempt_every = 1;
    no = new_nested(h, ROOT);
    assert_int_equal(nr_mapped(h, no), 200);
    guest_write(h, ROOT + 2, 0, 0);
    assert_int_equal(flush_nested_all(h, no), 0);
    assert_int_equal(nr_mapped(h, no), 0);
    assert_int_equal(context_of(h, no)->nr_mapped, 0);
}

static void a_region_comes_before_the_table(void **state)
{
    static const struct sluice_region region = {
        .first = 0x5000, .last = 0x6fff, .type = SLUICE_REGION_DIRECT, .prot = RW};
    struct host *h = *state;
    struct sluice_device *dev = add_device_with(h, 8, &region, 1);
    uint16_t no;

    add_memory(h, 0x10, BASE + 0x10, 0x1f0);
    make_tables(h, ROOT);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    guest_write(h, LOWEST, 7, x86_page(DATA, true));
    no = new_nested(h, ROOT);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    attach(h, 8, no);
    assert_int_equal(goes_to(h, no, 5, NULL), 5);
    assert_int_equal(flush_nested_all(h, no), 0);
    assert_int_equal(goes_to(h, no, 5, NULL), 5);
    assert_int_equal(goes_to(h, no, 7, NULL), BASE + DATA);
    attach(h, 8, 0);
    assert_int_equal(flush_nested_all(h, no), 0);
    assert_int_equal(goes_to(h, no, 5, NULL), BASE + DATA);
}

/* What a region takes away may be much: one step is not. */
static void a_large_region_comes_in_steps(void **state)
{
    static const struct sluice_region region = {
        .first = 0x200000, .last = 0x3fffffff, .type = SLUICE_REGION_RESERVED};
    struct host *h = host_create(&(struct setup){.blocked = true});
    struct sluice_device *dev;
    int steps = 0, err;
    uint16_t no;

    (void)state;
    add_memory(h, 0, 0x4000, 0x600);
    make_tables(h, ROOT);
    for (unsigned i = 0; i < 512; i++)
        guest_write(h, ROOT + 2, i, x86_large(0x400));
    no = new_nested(h, ROOT);
    add_device(h, 8);
    attach(h, 8, no);
    dev = add_device_with(h, 9, &region, 1);
    assert_int_equal(sluice_device_assign(dev, h->d), 0);
    forget(h);
    while ((err = try_attach(h, 9, no)) == -ERESTART)
        steps++;
    assert_int_equal(err, 0);
    assert_int_equal(steps, 3);
    assert_int_equal(nr_mapped(h, no), 0x200);
    host_destroy(h);
}

/* A guest's table of another format may have what the units' cannot show: it stays as it is. */
static void what_can_only_be_written_is_not_touched_again(void **state)
{
    struct host *h = host_create(&(struct setup){.format = PT_FORMAT_X86});
    const struct hw_first_stage table = {
        .root = ROOT << FRAME_LG2,
        .geo = {.format = pt_format(PT_FORMAT_VTDSS),
                .levels = 4,
                .iova_bits = 48,
                .leaf_sizes = pt_format(PT_FORMAT_VTDSS)->leaf_sizes}};
    struct nested_flush at = {.begun = false}, again = {.begun = false};
    const dfn_t last = {BIT64(36) - 1};
    struct domain_locked l;
    struct context *c;

    (void)state;
    add_memory(h, 0, BASE, 0x200);
    for (unsigned i = 0; i < 3; i++)
        guest_write(h, ROOT + i, 0, (ROOT + i + 1) << FRAME_LG2 | 3);
    guest_write(h, LOWEST, 5, DATA << FRAME_LG2 | 2);
    l = domain_lock(domain_of(h->d));
    assert_int_equal(nested_alloc(l, &table, NESTED_BY_SHADOW, 1, &c), 0);
    domain_unlock(l);
    assert_int_equal(nested_flush(l.d, c->no, c->generation, dfn_of(0), last, &at), 0);
    context_show(c);
    assert_int_equal(c->nr_mapped, 1);
    add_device(h, 8);
    attach(h, 8, c->no);
    forget(h);
    assert_int_equal(nested_flush(l.d, c->no, c->generation, dfn_of(0), last, &again), 0);
    assert_int_equal(count(h, FLUSHED), 0);
    assert_int_equal(goes_to(h, c->no, 5, NULL), BASE + DATA);
    host_destroy(h);
}

/* Units that cache what is not there learn of new pages; and of tables, where a leaf was split. */
static void flushes_say_what_changed(void **state)
{
    struct host *h = host_create(&(struct setup){.caching_mode = true});
    uint16_t no;

    (void)state;
    add_memory(h, 0, BASE, 0x600);
    make_tables(h, ROOT);
    guest_write(h, ROOT + 2, 1, x86_large(0x400));
    no = new_nested(h, ROOT);
    add_device(h, 8);
    attach(h, 8, no);
    forget(h);
    guest_write(h, ROOT + 2, 1, x86_table(ROOT + 4));
    assert_int_equal(flush_nested(h, no, 0x203, 1), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_false(nth(h, FLUSHED, 0)->inv[0].leaf_only);
    forget(h);
    guest_write(h, LOWEST, 9, x86_page(DATA, true));
    assert_int_equal(flush_nested(h, no, 9, 1), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(nth(h, FLUSHED, 0)->inv[0].first.n, 9);
    host_destroy(h);
}

/* What a failed unit may still reach does not go, and the host hears of it. */
static void a_failed_unit_is_told_of(void **state)
{
    struct host *h = host_create(&(struct setup){.blocked = true});
    uint16_t no;

    (void)state;
    h->lossy = true;
    prepare_memory(h);
    guest_write(h, LOWEST, 5, x86_page(DATA, true));
    no = new_nested(h, ROOT);
    add_device(h, 8);
    attach(h, 8, no);
    forget(h);
    h->fail_flush = 1;
    assert_int_equal(sluice_memory_remove(h->d, gfn_of(DATA), 1), -EIO);
    assert_int_equal(count(h, RELEASED), 0);
    host_destroy(h);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(it_has_what_the_table_has_from_the_start),
        T(a_flush_brings_just_its_range_up_to_date),
        T(what_leaves_memory_leaves_it_at_once),
        T(of_a_larger_leaf_only_what_leaves_goes),
        T(a_page_of_a_larger_leaf_changes),
        cmocka_unit_test(a_table_of_itself_is_bounded_by_the_budget),
        T(a_table_with_more_entries_than_memory_has_words_ends),
        T(what_is_no_table_maps_nothing),
        T(rights_are_those_of_both),
        T(what_is_leaving_is_not_mapped),
        T(an_interrupted_flush_comes_to_the_same),
        T(a_region_comes_before_the_table),
        cmocka_unit_test(flushes_say_what_changed),
        cmocka_unit_test(a_failed_unit_is_told_of),
        cmocka_unit_test(a_large_region_comes_in_steps),
        cmocka_unit_test(what_can_only_be_written_is_not_touched_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
