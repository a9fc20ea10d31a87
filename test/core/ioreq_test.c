/* SPDX-License-Identifier: BSD-2-Clause */
/* Rings of emulators: every request once, whatever an emulator makes of what it shares. */
#include "emulator.h"

static void send_to(struct host *h, uint16_t id, uint64_t bfn)
{
    struct m2b_locked l = m2b_lock(&instance_of(h->s)->m2b);

    ioreq_send(l, domain_number(h, GUEST), domain_of(h->d), id, bfn);
    m2b_unlock(l);
}

static bool has_room(struct host *h, uint16_t id, uint64_t bfn)
{
    struct m2b_locked l = m2b_lock(&instance_of(h->s)->m2b);
    const bool room = ioreq_room(l, domain_number(h, GUEST), domain_of(h->d), id, bfn);

    m2b_unlock(l);
    return room;
}

/* A new ring of that size, as server 1 with id 6. */
static void renew(struct host *h, uint32_t nr_slots)
{
    if (server(1))
        sluice_ioreq_destroy(server(1));
    assert_int_equal(add_server(h, 1, 1, GUEST, 6, nr_slots), 0);
}

#define REQUESTS 5000u

/* Every third is a wide one. */
static uint64_t bfn_of(uint64_t n)
{
    return n % 3 ? n : n << 33;
}

static void note_seen(uint8_t *seen, uint64_t bfn)
{
    const uint64_t n = bfn >> 33 ? bfn >> 33 : bfn;

    assert_in_range(n, 0, REQUESTS + 15);
    assert_int_equal(bfn, bfn_of(n));
    assert_int_equal(seen[n]++, 0);
}

/* A burst of them, then the emulator has a look. What found no room overtakes, or is overtaken. */
static void check_all_once(struct host *h, uint32_t nr_slots)
{
    uint8_t seen[REQUESTS + 16] = {0};
    uint64_t bfn[IOREQ_BUFFER_SLOT_NUM], sent = 0, seed = 12345;

    renew(h, nr_slots);
    while (sent < REQUESTS) {
        unsigned n;

        seed = seed * 6364136223846793005ull + 1442695040888963407ull;
        for (n = 0; n < (seed >> 60) && has_room(h, 6, bfn_of(sent)); n++)
            send_to(h, 6, bfn_of(sent++));
        for (n = drain(1, bfn, IOREQ_BUFFER_SLOT_NUM); n; n--)
            note_seen(seen, bfn[n - 1]);
        bfn[0] = take(1);
        if (bfn[0] != NOWHERE)
            note_seen(seen, bfn[0]);
        /* Neighbouring counts stay neighbouring slots: they never come near 1 << 32. */
        assert_in_range(ring(1)->write_pointer, 0, 2 * nr_slots);
    }
    for (uint64_t i = 0; i < sent; i++)
        assert_int_equal(seen[i], 1);
}

static void every_request_comes_once(void **state)
{
    static const uint32_t sizes[] = {1, 2, 3, 8, 510, IOREQ_BUFFER_SLOT_NUM};

    for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
        check_all_once(*state, sizes[i]);
}

static void wide_bus_frames_take_two_slots(void **state)
{
    struct host *h = *state;

    send_to(h, SERVER, UINT32_MAX);
    assert_int_equal(ring(0)->write_pointer, 1);
    assert_int_equal(ring(0)->buf_ioreq[0].size, 2);
    assert_int_equal(ring(0)->buf_ioreq[0].data, UINT32_MAX);
    send_to(h, SERVER, BIT64(32) + 5);
    assert_int_equal(ring(0)->write_pointer, 3);
    assert_int_equal(ring(0)->buf_ioreq[1].size, 3);
    assert_int_equal(ring(0)->buf_ioreq[1].data, 5);
    assert_int_equal(ring(0)->buf_ioreq[2].data, 1);
    for (unsigned i = 0; i < 4; i++)
        send_to(h, SERVER, i);
    /* One slot is left: for a narrow one only. */
    assert_int_equal(ring(0)->write_pointer, 7);
    send_to(h, SERVER, BIT64(40));
    assert_int_equal(ring(0)->write_pointer, 7);
    assert_int_equal(kicks(0), 1);
    assert_true(has_room(h, SERVER, 1));
    assert_false(has_room(h, SERVER, BIT64(40)));
    assert_int_equal(kicks(0), 2);
    assert_int_equal(take(0), BIT64(40));
    assert_true(has_room(h, SERVER, BIT64(40)));
}

/* Two slots never fit into one: each such request is a synchronous one. */
static void a_ring_of_one_slot_never_holds_a_wide_one(void **state)
{
    struct host *h = *state;

    renew(h, 1);
    for (unsigned i = 1; i < 10; i++) {
        assert_true(has_room(h, 6, BIT64(33)));
        send_to(h, 6, BIT64(33) + i);
        assert_int_equal(kicks(1), 2 * i - 1);
        assert_false(has_room(h, 6, BIT64(33)));
        assert_int_equal(take(1), BIT64(33) + i);
        assert_int_equal(ring(1)->write_pointer, 0);
    }
}

/* Whatever it writes: nothing outside of the ring is touched, and the owner is not kept for ever.
 */
static void pointers_that_make_no_sense_harm_the_emulator_alone(void **state)
{
    static const uint32_t values[] = {0, 1, 7, 8, 9, 16, 511, 0x7fffffff, 0x80000000, UINT32_MAX};
    struct host *h = *state;
    struct buffered_iopage *r = ring(0);

    for (unsigned i = 0; i < 10; i++)
        for (unsigned k = 0; k < 10; k++)
            for (unsigned n = 0; n < 20; n++) {
                r->read_pointer = values[i];
                r->write_pointer = values[k];
                send_to(h, SERVER, n << (n & 1 ? 0 : 30));
                (void)has_room(h, SERVER, n);
                (void)take(0);
                assert_true(has_room(h, SERVER, n));
                for (unsigned s = 8; s < IOREQ_BUFFER_SLOT_NUM; s++)
                    assert_int_equal(r->buf_ioreq[s].type, 0);
            }
}

/* A balloon does not wait for one that never reads: its request is taken, one after the other. */
static void an_emulator_that_never_reads_is_told_one_by_one(void **state)
{
    struct host *h = *state;
    unsigned times = 0;

    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(map_foreign(h, 1, SWAPPABLE, 0x100 + i, i, SERVER), 0);
    ring(0)->read_pointer = 0xdeadbeef;
    while (sluice_memory_remove(guest_of(h), gfn_of(0), 64) == -ERESTART && times < 100) {
        assert_int_equal(take(0), 0x100 + times);
        times++;
    }
    assert_int_equal(times, 63);
    assert_int_equal(take(0), 0x100 + 63);
}

/* Where nobody waits for room, the first request that found none is the one that stays. */
static void a_request_that_waits_is_not_replaced(void **state)
{
    struct host *h = *state;

    for (unsigned i = 0; i < 12; i++)
        send_to(h, SERVER, i);
    assert_int_equal(take(0), 8);
    assert_int_equal(take(0), NOWHERE);
}

static void servers_are_checked_when_they_are_made(void **state)
{
    struct host *h = *state;
    struct sluice_ioreq_config config = {.emulator = h->d,
                                         .target = guest_of(h),
                                         .id = 7,
                                         .ring = ring(2),
                                         .nr_slots = IOREQ_BUFFER_SLOT_NUM};
    struct sluice_ioreq_server *s;

    assert_int_equal(add_server(h, 1, 1, GUEST, SERVER, 8), -EEXIST);
    assert_int_equal(add_server(h, 1, 1, GUEST, IOSERVID_any, 8), -EINVAL);
    assert_int_equal(add_server(h, 1, 1, GUEST, 6, 0), -EINVAL);
    assert_int_equal(add_server(h, 1, 1, GUEST, 6, IOREQ_BUFFER_SLOT_NUM + 1), -EINVAL);
    assert_int_equal(add_server(h, 1, GUEST, GUEST, 6, 8), -EINVAL);
    config.ring = NULL;
    assert_int_equal(sluice_ioreq_create(&config, &s), -EINVAL);
    config.ring = (char *)ring(2) + 4; /* both pointers are changed at once */
    assert_int_equal(sluice_ioreq_create(&config, &s), -EINVAL);
    config.ring = ring(2);
    h->fail_alloc = 1;
    assert_int_equal(sluice_ioreq_create(&config, &s), -ENOMEM);
    assert_int_equal(sluice_ioreq_create(&config, &s), 0);
    sluice_ioreq_destroy(s);
}

/* By number: its own; any: all of the emulator's for that guest; gone: nobody. */
static void who_is_told(void **state)
{
    struct host *h = *state;
    uint64_t bfn[8];

    (void)host_domain(h, OTHER);
    renew(h, 8);
    assert_int_equal(add_server(h, 2, OTHER, GUEST, 7, 8), 0);
    assert_int_equal(add_server(h, 3, 1, OTHER, 7, 8), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x100, 7, SERVER), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x101, 7, IOSERVID_any), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x102, 7, 6), 0);
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x103, 7, 7), -ENODEV);
    sluice_ioreq_destroy(server(0));
    assert_int_equal(map_foreign(h, 1, READ_WRITE, 0x104, 7, SERVER), -ENODEV);
    assert_int_equal(give_up(h, GUEST, 7, 1), 0);
    assert_int_equal(drain(0, bfn, 8), 0);
    assert_int_equal(drain(1, bfn, 8), 2);
    assert_int_equal(bfn[0], 0x101);
    assert_int_equal(bfn[1], 0x102);
    assert_int_equal(drain(2, bfn, 8), 0);
    assert_int_equal(drain(3, bfn, 8), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up_emulator, tear_down_emulator)
        TEST(every_request_comes_once),
        TEST(wide_bus_frames_take_two_slots),
        TEST(a_ring_of_one_slot_never_holds_a_wide_one),
        TEST(pointers_that_make_no_sense_harm_the_emulator_alone),
        TEST(an_emulator_that_never_reads_is_told_one_by_one),
        TEST(a_request_that_waits_is_not_replaced),
        TEST(servers_are_checked_when_they_are_made),
        TEST(who_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
