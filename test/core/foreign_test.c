/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames of others in a bus-frame space: who may take what away, and what is left when. */
#include "emulator.h"

static struct pv_iommu_op lookup_op(uint64_t gfn, uint16_t id)
{
    struct pv_iommu_op op = {.subop_id = IOMMUOP_lookup_foreign_page};

    op.u.lookup_foreign_page.bfn = NOWHERE;
    op.u.lookup_foreign_page.gfn = gfn;
    op.u.lookup_foreign_page.domid = GUEST;
    op.u.lookup_foreign_page.ioserver = id;
    return op;
}

/* ---- Both ends ---------------------------------------------------------------------------------
 */

static void end_guest(struct host *h, struct fake_unit *u, const struct hw_inv *inv, unsigned n)
{
    (void)u;
    (void)inv;
    (void)n;
    h->on_flush = NULL;
    destroy_domain(guest_of(h));
}

/* The tuple is gone, the reference is not. */
static void the_owner_ends_while_an_unmap_waits_for_its_flush(void **state)
{
    struct host *h = *state;

    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    h->on_flush = end_guest;
    assert_int_equal(unmap_foreign(h, 1, 0, 0x100, SERVER), 0);
    assert_null(h->on_flush);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 0);
    assert_int_equal(count(h, RELEASED), GUEST_GFNS);
    assert_int_equal(nth(h, RELEASED, GUEST_GFNS - 1)->frame, GUEST_FRAME + 7);
}

/* It was there first, its number is somebody else's by now. */
static void a_frame_outlives_its_owner_and_its_number(void **state)
{
    struct host *h = *state;

    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x101, 7, SERVER), 0);
    destroy_domain(guest_of(h));
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 2);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x100, SERVER), 0);
    (void)host_domain(h, GUEST);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x101, SERVER), 0);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 0);
    assert_int_equal(domain_of(h->d)->nr_tuples, 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

static void end_some(struct host *h, uint16_t domid, bool *gone)
{
    if (!*gone)
        *gone = !sluice_domain_destroy((struct sluice_domain *)(void *)domain_number(h, domid));
}

/* Each has mapped the other's frames, and neither end waits for the other for ever. */
static void two_that_mapped_each_other_end_side_by_side(void **state)
{
    struct host *h = *state;
    struct pv_iommu_op op;
    bool first = false, second = false;
    unsigned steps = 0;

    add_memory(h, 0x9000, 0x10000, 16);
    for (unsigned i = 0; i < 16; i++) {
        assert_int_equal(map_foreign(h, 1, SWAPPABLE, 0x100 + i, i, SERVER), 0);
        op = map_op(SWAPPABLE, 0x200 + i, 0x9000 + i, IOSERVID_any);
        op.u.map_foreign_page.domid = 1;
        assert_int_equal(frames_op(h, GUEST, &op), 0);
    }
    h->preempt_every = 1;
    for (; (!first || !second) && steps < 20000; steps++) {
        end_some(h, 1, &first);
        end_some(h, GUEST, &second);
    }
    assert_true(first && second);
}

/* Nothing but itself could wait for it. */
static void a_relaxed_domain_that_mapped_its_own_frames_ends(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);
    unsigned times = 0;

    (void)state;
    add_memory(h, 0, 0x9000, 4);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(map_page(h, 1, READ_WRITE | (i & 1 ? IOMMU_MAP_OP_no_ref_cnt : 0),
                                  0x10 + i, 0x9000 + i),
                         0);
    while (sluice_domain_destroy(h->d) == -ERESTART && times < 1000)
        times++;
    assert_in_range(times, 0, 999);
    emulator_host_destroy(h);
}

static void every_order_of_ends_leaves_nothing(void **state)
{
    (void)state;
    for (unsigned order = 0; order < 6; order++) {
        static const uint16_t who[6][3] = {{1, 2, 3}, {1, 3, 2}, {2, 1, 3},
                                           {2, 3, 1}, {3, 1, 2}, {3, 2, 1}};
        struct host *h = emulator_host(&(struct setup){0});

        (void)host_domain(h, OTHER);
        assert_int_equal(add_server(h, 1, OTHER, GUEST, 6, 1), 0);
        for (unsigned i = 0; i < 20; i++) {
            assert_int_equal(
                map_foreign(h, 1, i & 1 ? SWAPPABLE : READ_WRITE, 0x5000 + i, i / 2, SERVER), 0);
            assert_int_equal(map_foreign(h, OTHER, SWAPPABLE, 0x100 + i, i, 6), 0);
        }
        assert_int_equal(give_up(h, GUEST, 5, 1), 0);
        h->preempt_every = 3;
        for (unsigned i = 0; i < 3; i++)
            destroy_domain((struct sluice_domain *)(void *)domain_number(h, who[order][i]));
        host_destroy(h);
    }
}

/* ---- Answers -----------------------------------------------------------------------------------
 */

/* Another mapping of the same frame, for that server, is not what stands there. */
static void an_answer_is_not_taken_for_another_tuple_of_its_frame(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);
    const uint64_t far = 0x100000 + NR_FRAMES + 0x123;
    uint64_t bfn;

    (void)state;
    assert_int_equal(add_server(h, 1, 1, GUEST, 6, 8), 0);
    assert_int_equal(lookup_foreign(h, 1, 7, SERVER, &bfn), 0);
    assert_int_equal(bfn, 0x100000 + GUEST_FRAME + 7);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, far, 7, 6), 0);
    assert_int_equal(unmap_foreign(h, 1, 0, bfn, 6), -EPERM);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 3);
    assert_int_equal(nr_tuples_of(h, GUEST_FRAME + 7), 2);
    assert_int_equal(unmap_foreign(h, 1, 0, far, 6), 0);
    assert_int_equal(unmap_foreign(h, 1, 0, bfn, SERVER), 0);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 1);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    emulator_host_destroy(h);
}

static void an_answer_comes_with_the_status_behind_an_unmap(void **state)
{
    struct host *h = *state;
    struct pv_iommu_op ops[3] = {
        unmap_op(0, 0x100, SERVER), lookup_op(8, SERVER), {.subop_id = IOMMUOP_query_caps}};

    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x200, 8, SERVER), 0);
    assert_int_equal(frames_call(h, 1, ops, 3), 0);
    assert_int_equal(ops[0].status, 0);
    assert_int_equal(ops[1].status, 0);
    assert_int_equal(ops[1].u.lookup_foreign_page.bfn, 0x200);
    assert_int_equal(ops[2].status, 0);
    assert_int_equal(ops[2].flags, IOMMU_QUERY_map_cap | IOMMU_page_order(9));
}

#define FAR (GUEST_FRAME + 8) /* goes with it, and out of the window first */

/* A device of the emulator's must not reach what nobody owns. */
static void unmap_answer(struct host *h, const struct sluice_lock *l)
{
    const uint64_t bfn = *(const uint64_t *)h->arg;

    if (l != &domain_number(h, GUEST)->ctx[0].lock ||
        !instance_of(h->s)->frames.owner[GUEST_FRAME + 7].leaving || bus(h, FAR) != NOWHERE)
        return;
    h->on_unlock = NULL;
    assert_int_equal(unmap_foreign(h, 1, 0, bfn, SERVER), 0);
}

static void the_last_answer_goes_while_the_owner_gives_the_frame_up(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_PASSTHROUGH, 0);
    uint64_t bfn;

    (void)state;
    assert_int_equal(lookup_foreign(h, 1, 7, SERVER, &bfn), 0);
    h->arg = &bfn;
    h->on_unlock = unmap_answer;
    assert_int_equal(give_up(h, GUEST, 7, 2), 0);
    assert_null(h->on_unlock);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 0);
    assert_int_equal(bus(h, bfn), NOWHERE);
    emulator_host_destroy(h);
}

/* ---- Failures ----------------------------------------------------------------------------------
 */

static void check_identity(struct host *h, uint64_t gfn, uint64_t mfn, unsigned stride)
{
    for (uint64_t i = 0; i < 512; i++)
        assert_int_equal(bus(h, gfn + i), mfn + stride * i);
}

/* What stood there before still does: small leaves, or a large one. */
static int map_without_memory(unsigned n, unsigned stride)
{
    struct host *h = emulator_host(&(struct setup){0});
    struct sluice_domain *guest = guest_of(h);
    int status;

    assert_int_equal(give_up(h, GUEST, 100, 1), 0);
    assert_int_equal(sluice_memory_add(guest, gfn_of(100), mfn_of(0x9000), 1, SLUICE_FRAME_RAM), 0);
    if (stride == 1)
        add_memory(h, 0x8000, 0x20000, 512);
    else
        add_scattered(h, 0x8000, 0x20000, 512);
    h->fail_alloc = n;
    status = map_foreign(h, 1, SWAPPABLE | IOMMU_page_order(9), 0x8000, 0, SERVER);
    h->fail_alloc = 0;
    if (status) {
        assert_int_equal(status, -ENOMEM);
        check_identity(h, 0x8000, 0x20000, stride);
        assert_int_equal(domain_of(h->d)->nr_tuples, 0);
        assert_int_equal(domain_of(h->d)->memory.refs, 0);
        assert_int_equal(refs_of(h, GUEST_FRAME), 1);
    }
    host_destroy(h);
    return status;
}

static void a_map_without_memory_changes_nothing(void **state)
{
    (void)state;
    for (unsigned stride = 1; stride <= 2; stride++)
        for (unsigned n = 1; map_without_memory(n, stride); n++)
            ;
}

/* A frame has so many tuples at most: one more is refused before anything makes place. */
static void a_frame_with_too_many_tuples_leaves_all_as_it_was(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);

    (void)state;
    for (unsigned i = 0; i < 256; i++)
        assert_int_equal(map_foreign(h, 1, READ_WRITE, i, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100000 + 9, 7, SERVER), -ENOMEM);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100000 + GUEST_FRAME, 7, SERVER), -ENOMEM);
    assert_int_equal(map_page(h, 1, READ_WRITE, 0x100000 + GUEST_FRAME, GUEST_FRAME + 7), -ENOMEM);
    assert_int_equal(map_page(h, 1, READ_WRITE, 0x200, 0x1000), -EPERM);
    assert_int_equal(bus(h, 0x100000 + GUEST_FRAME), GUEST_FRAME);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 257);
    assert_int_equal(domain_of(h->d)->memory.refs, 256);
    host_destroy(h);
}

/* What was mapped before in small pieces does not keep a large leaf away. */
static void an_empty_table_makes_place_for_a_large_leaf(void **state)
{
    struct host *h = *state;
    struct pt_leaf leaf;

    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x400 + i, i, SERVER), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(unmap_foreign(h, 1, 0, 0x400 + i, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE | IOMMU_page_order(9), 0x400, 0, SERVER), 0);
    assert_int_equal(pt_lookup(&context_of(h, 0)->pt, dfn_of(0x400), 1, &leaf), 0);
    assert_int_equal(leaf.lg2, 21);
}

/* It waits for its emulator: nobody gets hold of it any more. */
static void a_frame_that_is_being_given_up_is_not_looked_up(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_PASSTHROUGH, 0);
    uint64_t bfn;

    (void)state;
    assert_int_equal(add_server(h, 1, 1, GUEST, 6, 1), 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(lookup_foreign(h, 1, i, 6, &bfn), 0);
    assert_int_equal(sluice_memory_remove(guest_of(h), gfn_of(0), 5), -ERESTART);
    assert_int_equal(lookup_foreign(h, 1, 3, SERVER, &bfn), -ENXIO);
    assert_int_equal(domain_of(h->d)->memory.refs, 4);
    host_destroy(h);
}

static void a_map_beyond_the_budget_leaves_the_window_as_it_was(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);
    const uint64_t bfn = 0x100000 + GUEST_FRAME + 9;

    (void)state;
    domain_of(h->d)->memory.refs_limit = 2;
    add_memory(h, 0, 0x9000, 1);
    assert_int_equal(map_page(h, 1, READ_WRITE, 0x10, GUEST_FRAME), 0);
    assert_int_equal(map_page(h, 1, READ_WRITE, 0x11, 0x9000), 0);
    assert_int_equal(map_page(h, 1, READ_WRITE, bfn, GUEST_FRAME), -ENOMEM);
    assert_int_equal(map_page(h, 1, READ_WRITE, bfn, 0x9000), -ENOMEM);
    assert_int_equal(bus(h, bfn), GUEST_FRAME + 9);
    assert_int_equal(map_page(h, 1, READ_WRITE | IOMMU_MAP_OP_no_ref_cnt, bfn, GUEST_FRAME), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 2);
    assert_int_equal(unmap_page(h, 1, 0, 0x10), 0);
    assert_int_equal(unmap_page(h, 1, 0, 0x11), 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    emulator_host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_emulator, tear_down_emulator)
        TEST(the_owner_ends_while_an_unmap_waits_for_its_flush),
        TEST(a_frame_outlives_its_owner_and_its_number),
        TEST(two_that_mapped_each_other_end_side_by_side),
        TEST(an_empty_table_makes_place_for_a_large_leaf),
        TEST(an_answer_comes_with_the_status_behind_an_unmap),
        cmocka_unit_test(a_relaxed_domain_that_mapped_its_own_frames_ends),
        cmocka_unit_test(every_order_of_ends_leaves_nothing),
        cmocka_unit_test(an_answer_is_not_taken_for_another_tuple_of_its_frame),
        cmocka_unit_test(the_last_answer_goes_while_the_owner_gives_the_frame_up),
        cmocka_unit_test(a_map_without_memory_changes_nothing),
        cmocka_unit_test(a_frame_with_too_many_tuples_leaves_all_as_it_was),
        cmocka_unit_test(a_frame_that_is_being_given_up_is_not_looked_up),
        cmocka_unit_test(a_map_beyond_the_budget_leaves_the_window_as_it_was),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
