/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames leave their domain while emulators have them mapped. */
#include "emulator.h"

#include "../../iommu/spec/x86_pt.h"

#define FRAME(gfn) (GUEST_FRAME + (gfn))

static uint64_t scratch_of(struct host *h, uint16_t domid)
{
    return domain_number(h, domid)->scratch.n;
}

static bool was_released(struct host *h, uint64_t frame)
{
    for (unsigned i = 0; nth(h, RELEASED, i); i++)
        if (nth(h, RELEASED, i)->frame == frame)
            return true;
    return false;
}

/* ---- Swapped -----------------------------------------------------------------------------------
 */

static void check_swap(const struct setup *setup, unsigned order)
{
    struct host *h = emulator_host(setup);
    const uint64_t nr = BIT64(order), bfn = 0x400, gfn = order ? 512 : 7;
    uint64_t told[4];

    assert_int_equal(
        map_foreign(h, 1, SWAPPABLE | IOMMU_page_order(order), bfn, gfn & ~(nr - 1), SERVER), 0);
    forget(h);
    assert_int_equal(give_up(h, GUEST, gfn + nr / 2, 1), 0);
    assert_int_equal(bus(h, bfn + nr / 2), scratch_of(h, 1));
    for (uint64_t i = 0; i < nr; i++)
        if (i != nr / 2)
            assert_int_equal(bus(h, bfn + i), FRAME(gfn + i));
    assert_int_equal(count(h, RELEASED), 1);
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, RELEASED, 0)));
    assert_int_equal(drain(0, told, 4), 1);
    assert_int_equal(told[0], bfn + nr / 2);
    assert_int_equal(domain_of(h->d)->memory.refs, nr - 1);
    assert_int_equal(nr_tuples_of(h, scratch_of(h, 1)), 1);
    forget(h);
    assert_int_equal(unmap_foreign(h, 1, IOMMU_page_order(order), bfn, SERVER), 0);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    assert_int_equal(domain_of(h->d)->nr_tuples, 0);
    assert_int_equal(refs_of(h, FRAME(gfn)), order ? 1 : 0);
    host_destroy(h);
}

static void a_swapped_frame_is_free_at_once(void **state)
{
    static const enum pt_format_id formats[] = {PT_FORMAT_VTDSS, PT_FORMAT_AMDV1, PT_FORMAT_LPAE1,
                                                PT_FORMAT_LPAE2, PT_FORMAT_FAKE};

    (void)state;
    for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        for (unsigned caching = 0; caching < 2; caching++) {
            struct setup setup = {.format = formats[i],
                                  .iova_bits = formats[i] == PT_FORMAT_FAKE ? 36 : 39,
                                  .blocked = true,
                                  .caching_mode = caching};

            check_swap(&setup, 0);
            if (pt_format(formats[i])->leaf_sizes & BIT64(21))
                check_swap(&setup, 9);
            setup.nr_units = 3;
            check_swap(&setup, 0);
        }
}

/* The contexts ABI asks about a bus frame that leads to a page which is no domain's. */
static void what_is_at_a_scratch_frame_is_nobodys(void **state)
{
    struct host *h = *state;
    uint64_t gfn;

    assert_int_equal(map_foreign(h, 1, SWAPPABLE, 0x100, 7, SERVER), 0);
    assert_int_equal(lookup(h, 0, 0x100, &gfn), -ENOENT);
    assert_int_equal(give_up(h, GUEST, 7, 1), 0);
    assert_int_equal(bus(h, 0x100), scratch_of(h, 1));
    assert_int_equal(lookup(h, 0, 0x100, &gfn), -ENOENT);
}

/* ---- Held --------------------------------------------------------------------------------------
 */

static void one_that_may_not_be_swapped_keeps_the_frame(void **state)
{
    struct host *h = *state;
    uint64_t told[4];

    assert_int_equal(map_foreign(h, 1, SWAPPABLE, 0x100, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x101, 7, SERVER), 0);
    assert_int_equal(give_up(h, GUEST, 7, 1), 0);
    assert_int_equal(bus(h, 0x100), FRAME(7));
    assert_int_equal(bus(h, 0x101), FRAME(7));
    assert_int_equal(drain(0, told, 4), 2);
    assert_int_equal(told[0], 0x100);
    assert_int_equal(told[1], 0x101);
    assert_int_equal(count(h, RELEASED), 0);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x101, SERVER), 0);
    assert_int_equal(count(h, RELEASED), 0);
    forget(h);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x100, SERVER), 0);
    assert_int_equal(count(h, RELEASED), 1);
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, RELEASED, 0)));
    assert_int_equal(drain(0, told, 4), 0);
}

static void a_full_ring_keeps_the_owner_until_the_request_is_taken(void **state)
{
    struct host *h = *state;
    uint64_t told[16];

    for (unsigned i = 0; i < 12; i++)
        assert_int_equal(map_foreign(h, 1, i & 1 ? SWAPPABLE : READ_WRITE, 0x100 + i, i, SERVER),
                         0);
    /* The ring holds 8, the request one. */
    assert_int_equal(sluice_memory_remove(guest_of(h), gfn_of(0), 12), -ERESTART);
    assert_true(kicks(0) >= 1);
    assert_int_equal(sluice_memory_remove(guest_of(h), gfn_of(0), 12), -ERESTART);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x300, 11, SERVER), -ENXIO);
    assert_int_equal(count(h, RELEASED), 0); /* its own reference goes last */
    assert_int_equal(take(0), 0x108);
    assert_int_equal(take(0), NOWHERE);
    assert_int_equal(sluice_memory_remove(guest_of(h), gfn_of(0), 12), -ERESTART);
    assert_int_equal(drain(0, told, 16), 8);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(told[i], 0x100 + i);
    assert_int_equal(sluice_memory_remove(guest_of(h), gfn_of(0), 12), 0);
    assert_int_equal(take(0), 0x109);
    assert_int_equal(drain(0, told, 16), 2);
    assert_int_equal(count(h, RELEASED), 6);
}

/* Whoever ends does not wait for a ring. */
static void the_end_of_a_domain_waits_for_no_emulator(void **state)
{
    struct host *h = *state;

    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(map_foreign(h, 1, i & 1 ? SWAPPABLE : READ_WRITE, 0x100 + i, i, SERVER),
                         0);
    destroy_domain(guest_of(h));
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(bus(h, 0x100 + i), i & 1 ? scratch_of(h, 1) : FRAME(i));
        assert_int_equal(refs_of(h, FRAME(i)), i & 1 ? 0 : 1);
    }
}

static void count_unlocks(struct host *h, const struct sluice_lock *l)
{
    if (l == &instance_of(h->s)->m2b.lock)
        ++*(uint64_t *)h->arg;
}

/* However often it is interrupted, what is done already is not looked at again and again. */
static void the_end_of_a_domain_with_many_held_frames_gets_on(void **state)
{
    struct host *h = *state;
    uint64_t looks = 0;

    for (unsigned i = 0; i < GUEST_GFNS / 512; i++)
        assert_int_equal(
            map_foreign(h, 1, READ_WRITE | IOMMU_page_order(9), 0x1000 + 512 * i, 512 * i, SERVER),
            0);
    h->arg = &looks;
    h->on_unlock = count_unlocks;
    h->preempt_every = 1;
    destroy_domain(guest_of(h));
    h->on_unlock = NULL;
    assert_in_range(looks, GUEST_GFNS, GUEST_GFNS * 1200);
}

/* ---- Failures ----------------------------------------------------------------------------------
 */

static void a_removal_without_memory_takes_nothing_away(void **state)
{
    int err = -ENOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        struct host *h = emulator_host(&(struct setup){0});

        assert_int_equal(map_foreign(h, 1, SWAPPABLE | IOMMU_page_order(9), 0x8000, 512, SERVER),
                         0);
        h->fail_alloc = n;
        err = give_up(h, GUEST, 700, 1);
        h->fail_alloc = 0;
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 700, SERVER), 0);
            assert_true(refs_of(h, FRAME(700)) >= 2);
        }
        host_destroy(h);
    }
}

/* Also where the window had let it go already. */
static void a_removal_without_memory_leaves_the_window_whole(void **state)
{
    int err = -ENOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_PASSTHROUGH, 0);
        uint64_t bfn;

        h->fail_alloc = n;
        err = give_up(h, GUEST, 700, 1);
        h->fail_alloc = 0;
        if (err) {
            assert_int_equal(err, -ENOMEM);
            assert_int_equal(bus(h, FRAME(700)), FRAME(700));
            assert_int_equal(lookup_foreign(h, 1, 700, SERVER, &bfn), 0);
            assert_int_equal(give_up(h, GUEST, 700, 1), 0);
            assert_int_equal(unmap_foreign(h, 1, 0, bfn, SERVER), 0);
            assert_int_equal(bus(h, FRAME(700)), NOWHERE);
        }
        host_destroy(h);
    }
}

/* The window lets go of the first frame before the leaf around the second cannot be split. */
static int give_up_two(unsigned n)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);
    const uint64_t far = 0x100000 + 0x9000;
    int err;

    assert_int_equal(give_up(h, GUEST, 511, 1), 0);
    assert_int_equal(
        sluice_memory_add(guest_of(h), gfn_of(511), mfn_of(0x9000), 1, SLUICE_FRAME_RAM), 0);
    assert_int_equal(map_foreign(h, 1, SWAPPABLE | IOMMU_page_order(9), 0x400, 512, SERVER), 0);
    h->fail_alloc = n;
    err = give_up(h, GUEST, 511, 2);
    h->fail_alloc = 0;
    assert_int_equal(bus(h, far), err ? 0x9000 : NOWHERE);
    assert_true(!err || err == -ENOMEM);
    host_destroy(h);
    return err;
}

static void a_removal_that_fails_late_gives_back_to_the_window(void **state)
{
    (void)state;
    for (unsigned n = 1; give_up_two(n); n++)
        ;
}

static void a_unit_that_fails_in_a_swap_keeps_the_frame_for_ever(void **state)
{
    struct host *h = *state;

    h->lossy = true;
    assert_int_equal(map_foreign(h, 1, SWAPPABLE, 0x100, 7, SERVER), 0);
    forget(h);
    h->fail_flush = 1;
    assert_int_equal(give_up(h, GUEST, 7, 1), -EIO);
    assert_true(h->unit[0].quiet);
    assert_int_equal(count(h, RELEASED), 0);
    assert_true(refs_of(h, FRAME(7)) >= 1);
    assert_int_equal(nr_tuples_of(h, FRAME(7)), 0);
    assert_int_equal(try_give(&instance_of(h->s)->frames, mfn_of(FRAME(7)), 1), -EBUSY);
    assert_true(count(h, REPORTED) >= 2);
    assert_int_equal(nth(h, REPORTED, count(h, REPORTED) - 1)->kind, SLUICE_EVENT_FRAMES_LOST);
    assert_int_equal(take(0), NOWHERE);
    assert_int_equal(ring(0)->write_pointer, 1);
}

static void a_unit_that_fails_in_an_unmap_keeps_the_frame_for_ever(void **state)
{
    struct host *h = *state;

    h->lossy = true;
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    forget(h);
    h->fail_flush = 1;
    assert_int_equal(unmap_foreign(h, 1, 0, 0x100, SERVER), -EIO);
    assert_int_equal(give_up(h, GUEST, 7, 1), 0);
    destroy_domain(h->d);
    assert_false(was_released(h, FRAME(7)));
    assert_int_equal(refs_of(h, FRAME(7)), 1);
    assert_int_equal(nr_tuples_of(h, FRAME(7)), 0);
}

/* At the end of the owner too. */
static void a_unit_that_fails_as_the_owner_ends_keeps_the_frame(void **state)
{
    struct host *h = *state;

    h->lossy = true;
    assert_int_equal(map_foreign(h, 1, SWAPPABLE, 0x100, 7, SERVER), 0);
    h->fail_flush = 1;
    destroy_domain(guest_of(h));
    assert_false(was_released(h, FRAME(7)));
    assert_true(refs_of(h, FRAME(7)) >= 1);
    assert_int_equal(nr_tuples_of(h, FRAME(7)), 0);
}

/* The same for what held nothing. */
static void a_unit_that_fails_taking_out_what_holds_nothing_keeps_the_frame(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);
    const unsigned flags = READ_WRITE | IOMMU_MAP_OP_no_ref_cnt;

    (void)state;
    h->lossy = true;
    assert_int_equal(map_page(h, 1, flags, 0x400, FRAME(7)), 0);
    h->fail_flush = 1;
    destroy_domain(guest_of(h));
    assert_false(was_released(h, FRAME(7)));
    assert_int_equal(refs_of(h, FRAME(7)), 1);
    host_destroy(h);
}

/* ---- Not held ----------------------------------------------------------------------------------
 */

static void what_holds_nothing_is_taken_out_before_the_frame_goes(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);
    const unsigned flags = READ_WRITE | IOMMU_MAP_OP_no_ref_cnt | IOMMU_MAP_OP_add_m2b;

    (void)state;
    assert_int_equal(map_page(h, 1, flags | IOMMU_page_order(9), 0x400, FRAME(512)), 0);
    assert_int_equal(refs_of(h, FRAME(600)), 1);
    forget(h);
    assert_int_equal(give_up(h, GUEST, 600, 1), 0);
    assert_int_equal(bus(h, 0x400 + 88), NOWHERE);
    assert_int_equal(bus(h, 0x400 + 87), FRAME(599));
    assert_int_equal(bus(h, 0x100000 + FRAME(600)), NOWHERE);
    assert_int_equal(count(h, RELEASED), 1);
    assert_true(place_of(h, nth(h, FLUSHED, 0)) < place_of(h, nth(h, RELEASED, 0)));
    assert_int_equal(ring(0)->write_pointer, 0);
    assert_int_equal(unmap_page(h, 1, IOMMU_page_order(9), 0x400), -ENOENT);
    assert_int_equal(unmap_page(h, 1, 0, 0x400), 0);
    host_destroy(h);
}

/* ---- And nested contexts -----------------------------------------------------------------------
 */

#define TABLES 0x10u /* gfns of the guest's own */

static void guest_entry(struct host *h, uint64_t table, unsigned index, uint64_t entry)
{
    const uint64_t at = (table << FRAME_LG2) + index * sizeof(entry);

    assert_int_equal(memory_write(&domain_number(h, GUEST)->memory, at, &entry, sizeof(entry)), 0);
}

/* Its page 0 is gfn. */
static struct context *guest_nested(struct host *h, uint64_t gfn)
{
    struct pv_iommu_alloc_nested arg = {.pgtable_gfn = TABLES,
                                        .nested_flags = IOMMU_NESTED_x86_4level};

    for (unsigned i = 0; i < 3; i++)
        guest_entry(h, TABLES + i, 0, (TABLES + i + 1) << FRAME_LG2 | X86_PT_P | X86_PT_RW);
    guest_entry(h, TABLES + 3, 0, gfn << FRAME_LG2 | X86_PT_P);
    assert_int_equal(hypercall(h, GUEST, IOMMU_alloc_nested, &arg, sizeof(arg)), 0);
    return &domain_number(h, GUEST)->ctx[arg.ctx_no];
}

/* What stays for lack of memory stays there too. */
static void shadows_lose_what_leaves_and_nothing_else(void **state)
{
    const uint64_t gfn = 512 + 5;
    struct context *c;
    struct host *h;
    int err = -ENOMEM;

    (void)state;
    for (unsigned n = 1; err; n++) {
        h = emulator_host(&(struct setup){.blocked = true});
        assert_int_equal(map_foreign(h, 1, SWAPPABLE | IOMMU_page_order(9), 0x400, 512, SERVER), 0);
        c = guest_nested(h, gfn);
        assert_int_equal(c->nr_mapped, 1);
        h->fail_alloc = n;
        err = give_up(h, GUEST, gfn, 1);
        h->fail_alloc = 0;
        assert_true(!err || err == -ENOMEM);
        assert_int_equal(c->nr_mapped, err ? 1 : 0);
        host_destroy(h);
        assert_true(n < 50);
    }
}

/* After k steps another range has to stay as it is, and a frame of both is mapped anew. */
static bool interrupted_by_another(unsigned k)
{
    struct host *h = emulator_host(&(struct setup){.blocked = true});
    struct pv_iommu_flush_nested flush = {.flags = IOMMU_FLUSH_all};
    struct context *c = guest_nested(h, 1022);
    bool waits = true;

    flush.ctx_no = c->no;
    assert_int_equal(map_foreign(h, 1, SWAPPABLE | IOMMU_page_order(9), 0x400, 1024, SERVER), 0);
    h->preempt_every = 1;
    for (unsigned i = 0; i < k && waits; i++)
        waits = sluice_memory_remove(guest_of(h), gfn_of(1022), 2) == -ERESTART;
    if (waits) {
        guest_entry(h, TABLES + 3, 0, 1023 << FRAME_LG2 | X86_PT_P);
        h->fail_alloc = 2;
        assert_int_equal(give_up(h, GUEST, 1023, 2), -ENOMEM);
        h->fail_alloc = 0;
        assert_int_equal(hypercall(h, GUEST, IOMMU_flush_nested, &flush, sizeof(flush)), 0);
        assert_int_equal(give_up(h, GUEST, 1022, 2), 0);
        assert_int_equal(c->nr_mapped, 0);
    }
    host_destroy(h);
    return waits;
}

static void two_ranges_do_not_meet_in_a_shadow(void **state)
{
    unsigned k = 0;

    (void)state;
    while (interrupted_by_another(k))
        k += 400;
    assert_in_range(k, 1000, 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_emulator, tear_down_emulator)
        TEST(what_is_at_a_scratch_frame_is_nobodys),
        TEST(one_that_may_not_be_swapped_keeps_the_frame),
        TEST(a_full_ring_keeps_the_owner_until_the_request_is_taken),
        TEST(the_end_of_a_domain_waits_for_no_emulator),
        TEST(the_end_of_a_domain_with_many_held_frames_gets_on),
        TEST(a_unit_that_fails_in_a_swap_keeps_the_frame_for_ever),
        TEST(a_unit_that_fails_in_an_unmap_keeps_the_frame_for_ever),
        TEST(a_unit_that_fails_as_the_owner_ends_keeps_the_frame),
        cmocka_unit_test(a_unit_that_fails_taking_out_what_holds_nothing_keeps_the_frame),
        cmocka_unit_test(a_swapped_frame_is_free_at_once),
        cmocka_unit_test(a_removal_without_memory_takes_nothing_away),
        cmocka_unit_test(a_removal_without_memory_leaves_the_window_whole),
        cmocka_unit_test(a_removal_that_fails_late_gives_back_to_the_window),
        cmocka_unit_test(what_holds_nothing_is_taken_out_before_the_frame_goes),
        cmocka_unit_test(shadows_lose_what_leaves_and_nothing_else),
        cmocka_unit_test(two_ranges_do_not_meet_in_a_shadow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
