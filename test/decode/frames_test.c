/* SPDX-License-Identifier: BSD-2-Clause */
/* Arrays of the frames ABI: hostile counts and addresses, guest memory that changes, each status.
 */
#include "../core/emulator.h"

#define ROOM (GUEST_BYTES / sizeof(struct pv_iommu_op))

static struct pv_iommu_op *element(struct host *h, unsigned i)
{
    return (struct pv_iommu_op *)(void *)h->guest[1].bytes + i;
}

static void nothing_to_do_is_done(void **state)
{
    struct host *h = *state;

    assert_int_equal(frames_call_at(h, 1, UINT64_MAX, 0), 0);
    assert_int_equal(h->guest[1].nr_writes, 0);
}

static void an_array_that_is_not_there_is_a_fault(void **state)
{
    static const uint64_t at[] = {0,          GUEST_ADDRESS - 1, GUEST_ADDRESS + GUEST_BYTES - 31,
                                  UINT64_MAX, UINT64_MAX - 31,   0x8000000000000000ull};

    for (unsigned i = 0; i < sizeof(at) / sizeof(at[0]); i++)
        assert_int_equal(frames_call_at(*state, 1, at[i], UINT32_MAX), -EFAULT);
}

/* All before it are done, with their statuses; those behind it are not looked at. */
static void the_element_that_cannot_be_read_ends_the_call(void **state)
{
    struct host *h = *state;

    for (unsigned i = 0; i < ROOM; i++)
        *element(h, i) = map_op(READ_WRITE, 0x100 + i, i, SERVER);
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, UINT32_MAX), -EFAULT);
    for (unsigned i = 0; i < ROOM; i++) {
        assert_int_equal(element(h, i)->status, 0);
        assert_int_equal(bus(h, 0x100 + i), GUEST_FRAME + i);
        *element(h, i) = unmap_op(0, 0x100 + i, SERVER);
        element(h, i)->status = 77;
    }
    forget(h);
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, UINT32_MAX), -EFAULT);
    for (unsigned i = 0; i < ROOM; i++)
        assert_int_equal(element(h, i)->status, 0);
    assert_int_equal(count(h, FLUSHED), 1);
}

/* The last bytes of the address space: no element behind them wraps to the first. */
static uint64_t lowest;

static int copy_anything(void *host, void *guest, void *to, uint64_t from, size_t size)
{
    (void)host;
    (void)guest;
    if (from < lowest)
        lowest = from;
    memset(to, 0, size);
    return 0;
}

static int take_anything(void *host, void *guest, uint64_t to, const void *from, size_t size)
{
    (void)host;
    (void)guest;
    (void)from;
    (void)size;
    if (to < lowest)
        lowest = to;
    return 0;
}

static void an_array_does_not_wrap(void **state)
{
    struct host *h = *state;
    const uint64_t at = UINT64_MAX - 95;

    lowest = UINT64_MAX;
    h->port.copy_from_guest = copy_anything;
    h->port.copy_to_guest = take_anything;
    assert_int_equal(frames_call_at(h, 1, at, 4), -EFAULT);
    assert_true(lowest >= at);
}

static void an_element_that_cannot_be_written_ends_the_call(void **state)
{
    struct host *h = *state;

    for (unsigned i = 0; i < 4; i++)
        *element(h, i) = map_op(READ_WRITE, 0x100 + i, i, SERVER);
    h->guest[1].fail_write = 3;
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, 4), -EFAULT);
    assert_int_equal(bus(h, 0x102), GUEST_FRAME + 2);
    assert_int_equal(bus(h, 0x103), NOWHERE);
}

static void each_byte_is_read_once(void **state)
{
    struct host *h = *state;

    for (unsigned i = 0; i < 8; i++)
        *element(h, i) = i & 1 ? unmap_op(0, 0x100 + i / 2, SERVER)
                               : map_op(SWAPPABLE, 0x100 + i / 2, i, SERVER);
    h->guest[1].flips = true;
    h->preempt_every = 1;
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, 8), 0);
    for (unsigned i = 0; i < 8 * sizeof(struct pv_iommu_op); i++)
        assert_int_equal(h->guest[1].reads[i], 1);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(element(h, i)->status, 0);
    assert_int_equal(domain_of(h->d)->nr_tuples, 0);
}

/* ---- Statuses ----------------------------------------------------------------------------------
 */

static void numbers_and_flags_of_hostile_elements(void **state)
{
    struct host *h = *state;
    static const uint64_t far[] = {BIT64(36), BIT64(40), BIT64(52), BIT64(63), UINT64_MAX};
    struct pv_iommu_op op = {.subop_id = 8};

    assert_int_equal(frames_op(h, 1, &op), -ENODEV);
    op.subop_id = 0;
    assert_int_equal(frames_op(h, 1, &op), -ENODEV);
    op.subop_id = UINT16_MAX;
    assert_int_equal(frames_op(h, 1, &op), -ENODEV);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(map_foreign(h, 1, READ_WRITE, far[i], 0, SERVER), -EINVAL);
        assert_int_equal(map_foreign(h, 1, READ_WRITE, 0, far[i], SERVER), -ENXIO);
        assert_int_equal(unmap_foreign(h, 1, 0, far[i], SERVER), -ENOENT);
        assert_int_equal(map_page(h, 1, READ_WRITE, far[i], 0), -EINVAL);
        assert_int_equal(map_page(h, 1, READ_WRITE, 0, far[i]), -ENXIO);
        assert_int_equal(unmap_page(h, 1, 0, far[i]), -ENOENT);
    }
    assert_int_equal(
        map_foreign(h, 1, READ_WRITE | IOMMU_page_order(9), UINT64_MAX - 511, 0, SERVER), -EINVAL);
    assert_int_equal(map_foreign(h, 1, 0, 0, 0, SERVER), -EINVAL);
    assert_int_equal(map_foreign(h, 1, READ_WRITE | 0x10, 0, 0, SERVER), -EINVAL);
    assert_int_equal(map_foreign(h, 1, READ_WRITE | 0x200, 0, 0, SERVER), -EINVAL);
    assert_int_equal(map_foreign(h, 1, READ_WRITE | IOMMU_page_order(10), 0, 0, SERVER), -ENOSPC);
    assert_int_equal(map_foreign(h, 1, READ_WRITE | IOMMU_page_order(63), 0, 0, SERVER), -ENOSPC);
    assert_int_equal(map_foreign(h, 1, READ_WRITE | IOMMU_page_order(9), 1, 0, SERVER), -EINVAL);
    assert_int_equal(map_foreign(h, 1, READ_WRITE | IOMMU_page_order(9), 0, 1, SERVER), -EINVAL);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0xfee00, 0, SERVER), -EACCES);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0, 0, SERVER + 1), -ENODEV);
    assert_int_equal(map_page(h, 1, READ_WRITE | IOMMU_MAP_OP_no_ref_cnt, 0, 0), -EPERM);
    assert_int_equal(unmap_foreign(h, 1, 2, 0, SERVER), -EINVAL);
    assert_int_equal(domain_of(h->d)->nr_tuples, 0);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

static void who_may_not_control_learns_nothing(void **state)
{
    struct host *h = *state;
    struct pv_iommu_op op = map_op(READ_WRITE, 0, 0, SERVER);

    op.u.map_foreign_page.domid = DOMID_SELF;
    assert_int_equal(frames_op(h, 1, &op), -EPERM);
    op.u.map_foreign_page.domid = 1;
    assert_int_equal(frames_op(h, 1, &op), -EPERM);
    op.u.map_foreign_page.domid = 77;
    assert_int_equal(frames_op(h, 1, &op), -ENXIO);
    h->denied[1] = true;
    assert_int_equal(frames_op(h, 1, &op), -EPERM);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0, 0, SERVER), -EPERM);
}

static void a_mapping_is_unmapped_by_its_own_kind_and_server(void **state)
{
    struct host *h = *state;

    assert_int_equal(add_server(h, 1, 1, GUEST, 6, 8), 0);
    add_memory(h, 0x9000, 0x9000, 1);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x101, 7, IOSERVID_any), 0);
    assert_int_equal(map_page(h, 1, READ_WRITE, 0x102, 0x9000), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x102, 7, SERVER), -EEXIST);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x100, 6), -EPERM);
    assert_int_equal(unmap_page(h, 1, 0, 0x100), -EPERM);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x102, SERVER), -EPERM);
    assert_int_equal(unmap_foreign(h, 1, IOMMU_page_order(2), 0x100, IOSERVID_any), -EPERM);
    assert_int_equal(unmap_page(h, 1, IOMMU_page_order(1), 0x102), -ENOENT);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 3);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x101, 6), 0);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x100, IOSERVID_any), 0);
    assert_int_equal(unmap_page(h, 1, 0, 0x102), 0);
    assert_int_equal(unmap_page(h, 1, 0, 0x102), -ENOENT);
}

/* A status of 0 behind the flush, and one flush for many. */
static void a_bus_frame_is_used_again_behind_its_flush(void **state)
{
    struct host *h = *state;
    struct pv_iommu_op ops[3] = {unmap_op(0, 0x100, SERVER), map_op(READ_WRITE, 0x100, 8, SERVER),
                                 unmap_op(0, 0x101, SERVER)};

    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x101, 7, SERVER), 0);
    forget(h);
    assert_int_equal(frames_call(h, 1, ops, 3), 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(ops[i].status, 0);
    assert_int_equal(count(h, FLUSHED), 2);
    assert_int_equal(bus(h, 0x100), GUEST_FRAME + 8);
    assert_int_equal(domain_of(h->d)->memory.refs, 1);
}

static void more_runs_than_there_is_room_for(void **state)
{
    struct host *h = *state;

    for (unsigned i = 0; i < 100; i++)
        *element(h, i) = map_op(READ_WRITE, 0x100 + 2 * i, i, SERVER);
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, 100), 0);
    for (unsigned i = 0; i < 100; i++)
        *element(h, i) = unmap_op(0, 0x100 + 2 * i, SERVER);
    forget(h);
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, 100), 0);
    assert_int_equal(count(h, FLUSHED), 4);
    for (unsigned i = 0; i < 100; i++) {
        assert_int_equal(element(h, i)->status, 0);
        assert_int_equal(refs_of(h, GUEST_FRAME + i), 1);
    }
}

/* Of 512 frames each: what waits for one flush is bounded. */
static void many_frames_do_not_wait_for_one_flush(void **state)
{
    struct host *h = *state;
    const unsigned order = IOMMU_page_order(9);

    for (unsigned i = 0; i < 256; i++)
        *element(h, i) = map_op(READ_WRITE | order, 512 * i, 0, SERVER);
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, 256), 0);
    for (unsigned i = 0; i < 256; i++)
        *element(h, i) = unmap_op(order, 512 * i, SERVER);
    forget(h);
    assert_int_equal(frames_call_at(h, 1, GUEST_ADDRESS, 256), 0);
    assert_int_equal(count(h, FLUSHED), 2);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
}

/* An array without end: element i maps bus frame i. */
static int copy_map(void *host, void *guest, void *to, uint64_t from, size_t size)
{
    const uint64_t i = from / sizeof(struct pv_iommu_op);
    const struct pv_iommu_op op = map_op(READ_WRITE, i, i % GUEST_GFNS, SERVER);

    (void)host;
    (void)guest;
    memcpy(to, &op, size);
    return 0;
}

static void many_statuses_do_not_wait_for_one_flush(void **state)
{
    struct host *h = emulator_host(&(struct setup){.blocked = true, .caching_mode = true});

    (void)state;
    h->port.copy_from_guest = copy_map;
    h->port.copy_to_guest = take_anything;
    assert_int_equal(frames_call_at(h, 1, 0, 65536 + 10), 0);
    assert_int_equal(count(h, FLUSHED), 2);
    host_destroy(h);
}

/* Those that wait for it, and those behind it. */
static void a_failed_flush_is_everybodys_status(void **state)
{
    struct host *h = *state;
    struct pv_iommu_op ops[2] = {unmap_op(0, 0x100, SERVER), unmap_op(0, 0x101, SERVER)};

    h->lossy = true;
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x101, 8, SERVER), 0);
    h->fail_flush = 1;
    assert_int_equal(frames_call(h, 1, ops, 2), 0);
    assert_int_equal(ops[0].status, -EIO);
    assert_int_equal(ops[1].status, -EIO);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 2);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 9, SERVER), -EEXIST);
}

/* What an earlier failure left behind in an identity map is not taken for an entry. */
static void an_entry_that_a_failed_unit_kept_is_in_the_way(void **state)
{
    struct host *h = emulator_host(&(struct setup){0});
    int status;

    (void)state;
    h->lossy = true;
    add_scattered(h, 0x8000, 0x20000, 64);
    h->fail_flush = 1;
    assert_int_equal(give_up(h, 1, 0x8000, 64), -EIO);
    status = map_foreign(h, 1, READ_WRITE, 0x8000 + 40, 7, SERVER);
    assert_true(status == -EEXIST || status == -EIO);
    assert_int_equal(refs_of(h, GUEST_FRAME + 7), 1);
    assert_int_equal(domain_of(h->d)->memory.refs, 0);
    host_destroy(h);
}

static void in_caching_mode_a_map_waits_for_its_flush(void **state)
{
    struct host *h = emulator_host(&(struct setup){.blocked = true, .caching_mode = true});

    (void)state;
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(nth(h, FLUSHED, 0)->inv[0].first.n, 0x100);
    host_destroy(h);
}

/* An identity map is cached as it was. */
static void a_map_over_an_implicit_entry_waits_for_its_flush(void **state)
{
    struct host *h = emulator_host(&(struct setup){0});

    (void)state;
    add_memory(h, 0x8000, 0x9000, 512);
    forget(h);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x8005, 7, SERVER), 0);
    assert_int_equal(count(h, FLUSHED), 1);
    assert_int_equal(nth(h, FLUSHED, 0)->inv[0].first.n, 0); /* a large leaf was split */
    assert_false(nth(h, FLUSHED, 0)->inv[0].leaf_only);
    assert_int_equal(bus(h, 0x8005), GUEST_FRAME + 7);
    assert_int_equal(bus(h, 0x8006), 0x9006);
    assert_int_equal(unmap_foreign(h, 1, 0, 0x8005, SERVER), 0);
    assert_int_equal(bus(h, 0x8005), NOWHERE);
    host_destroy(h);
}

/* While answers live, nothing explicit comes into their way; the first map ends them. */
static void answers_and_maps_keep_apart(void **state)
{
    struct host *h = window_host(&(struct setup){0}, SLUICE_SPACE_RELAXED, 0x100000);
    uint64_t bfn;

    (void)state;
    assert_int_equal(lookup_foreign(h, 1, 7, SERVER, &bfn), 0);
    assert_int_equal(bfn, 0x100000 + GUEST_FRAME + 7);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100000 + NR_FRAMES - 1, 8, SERVER), -EEXIST);
    assert_int_equal(map_page(h, 1, READ_WRITE, 0x10, GUEST_FRAME), -EEXIST);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100000 + NR_FRAMES, 8, SERVER), 0);
    assert_int_equal(lookup_foreign(h, 1, 9, SERVER, &bfn), -ENOENT);
    assert_int_equal(lookup_foreign(h, 1, 8, SERVER, &bfn), 0);
    assert_int_equal(bfn, 0x100000 + NR_FRAMES);
    assert_int_equal(refs_of(h, GUEST_FRAME + 8), 2);
    assert_int_equal(domain_of(h->d)->memory.refs, 2);
    assert_int_equal(lookup_foreign(h, 1, GUEST_GFNS, SERVER, &bfn), -ENXIO);
    assert_int_equal(domain_of(h->d)->memory.refs, 2);
    host_destroy(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_emulator, tear_down_emulator)
        TEST(nothing_to_do_is_done),
        TEST(an_array_that_is_not_there_is_a_fault),
        TEST(the_element_that_cannot_be_read_ends_the_call),
        TEST(an_array_does_not_wrap),
        TEST(an_element_that_cannot_be_written_ends_the_call),
        TEST(each_byte_is_read_once),
        TEST(numbers_and_flags_of_hostile_elements),
        TEST(who_may_not_control_learns_nothing),
        TEST(a_mapping_is_unmapped_by_its_own_kind_and_server),
        TEST(a_bus_frame_is_used_again_behind_its_flush),
        TEST(more_runs_than_there_is_room_for),
        TEST(many_frames_do_not_wait_for_one_flush),
        TEST(a_failed_flush_is_everybodys_status),
        cmocka_unit_test(many_statuses_do_not_wait_for_one_flush),
        cmocka_unit_test(an_entry_that_a_failed_unit_kept_is_in_the_way),
        cmocka_unit_test(in_caching_mode_a_map_waits_for_its_flush),
        cmocka_unit_test(a_map_over_an_implicit_entry_waits_for_its_flush),
        cmocka_unit_test(answers_and_maps_keep_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
