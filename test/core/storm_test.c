/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A guest balloons as fast as it can, while a slow emulator with a ring of 8 has its frames mapped:
 * every mapping of a frame that goes is told once, nothing is lost, memory stays bounded, and so
 * does the work between two chances to stop. An argument says how many balloons; else it is some.
 */
#include "emulator.h"

#define GFNS   64u
#define BFNS   256u
#define FRAMES 512u /* of which the guest gets its next */
#define FIRST  0x10000u

static uint64_t nr_balloons = 34000;

struct storm {
    struct host *h;
    uint64_t seed;
    unsigned swaps; /* of 2 mappings */
    struct {
        bool mapped;
        uint64_t gfn;
        unsigned owed; /* requests about it */
    } at[BFNS];
    uint64_t next_frame, told, work, most_work;
    uint64_t most_bytes;
    unsigned most_pages;
};

static unsigned dice(struct storm *s, unsigned sides)
{
    s->seed = s->seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned)((s->seed >> 33) % sides);
}

static void count_work(struct host *h, const struct sluice_lock *l)
{
    struct storm *s = h->arg;

    (void)l;
    if (++s->work > s->most_work)
        s->most_work = s->work;
}

static void stop_counting(struct host *h)
{
    struct storm *s = h->arg;

    s->work = 0;
}

/* ---- The emulator ------------------------------------------------------------------------------
 */

static void map_again(struct storm *s, uint64_t bfn)
{
    const uint64_t gfn = dice(s, GFNS);
    const bool swap = bfn % 2 < s->swaps;
    const int status = map_foreign(s->h, 1, swap ? SWAPPABLE : READ_WRITE, bfn, gfn, SERVER);

    s->at[bfn].mapped = !status;
    s->at[bfn].gfn = gfn;
    assert_true(!status || status == -ENXIO);
}

static void be_told(struct storm *s, uint64_t bfn)
{
    assert_in_range(bfn, 0, BFNS - 1);
    assert_true(s->at[bfn].mapped);
    assert_int_equal(s->at[bfn].owed, 1);
    s->at[bfn].owed = 0;
    s->told++;
    assert_int_equal(unmap_foreign(s->h, 1, 0, bfn, SERVER), 0);
    map_again(s, bfn);
}

/* At most so many of the ring, and what came synchronously. False: there was nothing. */
static bool look(struct storm *s, unsigned max)
{
    uint64_t bfn[16];
    const unsigned n = drain(0, bfn, max);
    const uint64_t sync = take(0);

    for (unsigned i = 0; i < n; i++)
        be_told(s, bfn[i]);
    if (sync != NOWHERE)
        be_told(s, sync);
    return n || sync != NOWHERE;
}

/* ---- The guest ---------------------------------------------------------------------------------
 */

static void owe(struct storm *s, uint64_t gfn)
{
    for (unsigned i = 0; i < BFNS; i++)
        if (s->at[i].mapped && s->at[i].gfn == gfn)
            s->at[i].owed++;
}

static int remove_once(struct storm *s, uint64_t gfn)
{
    int err;

    s->work = 0;
    s->h->on_unlock = count_work;
    err = sluice_memory_remove(guest_of(s->h), gfn_of(gfn), 1);
    s->h->on_unlock = NULL;
    return err;
}

static void balloon_out(struct storm *s, uint64_t gfn)
{
    int err;

    owe(s, gfn);
    while ((err = remove_once(s, gfn)) == -ERESTART)
        (void)look(s, 2);
    assert_int_equal(err, 0);
    for (unsigned i = 0; i < BFNS; i++)
        if (s->at[i].mapped && s->at[i].gfn == gfn)
            s->at[i].gfn = NOWHERE;
}

/* Some are still held by the emulator. */
static void populate(struct storm *s, uint64_t gfn)
{
    int err = -EBUSY;

    for (unsigned i = 0; i < FRAMES && err == -EBUSY; i++)
        err = sluice_memory_add(guest_of(s->h), gfn_of(gfn),
                                mfn_of(FIRST + s->next_frame++ % FRAMES), 1, SLUICE_FRAME_RAM);
    assert_int_equal(err, 0);
}

static void measure(struct storm *s)
{
    uint64_t nodes, bytes;

    sluice_reverse_map(s->h->s, &nodes, &bytes);
    if (bytes > s->most_bytes)
        s->most_bytes = bytes;
    if (s->h->pages > s->most_pages)
        s->most_pages = s->h->pages;
}

static void storm(unsigned swaps)
{
    struct host *h = emulator_host(&(struct setup){.blocked = true});
    struct storm s = {.h = h, .seed = 1 + swaps, .swaps = swaps};
    const unsigned pages = h->pages, objects = h->objects;

    assert_int_equal(give_up(h, GUEST, 0, GUEST_GFNS), 0);
    for (uint64_t gfn = 0; gfn < GFNS; gfn++)
        populate(&s, gfn);
    for (unsigned bfn = 0; bfn < BFNS; bfn++)
        map_again(&s, bfn);
    h->arg = &s;
    h->on_preempt = stop_counting;
    h->preempt_every = 3;
    for (uint64_t i = 0; i < nr_balloons; i++) {
        const uint64_t gfn = dice(&s, GFNS);

        balloon_out(&s, gfn);
        populate(&s, gfn);
        if (!(i % 5))
            (void)look(&s, 1);
        measure(&s);
        forget(h);
    }
    while (look(&s, 8))
        ;
    for (unsigned bfn = 0; bfn < BFNS; bfn++)
        assert_int_equal(s.at[bfn].owed, 0);
    assert_true(s.told > nr_balloons / 2);
    assert_in_range(s.most_bytes, FRAME_SIZE, 16 * FRAME_SIZE);
    assert_in_range(s.most_pages, pages, pages + 32);
    assert_int_equal(h->objects, objects);
    assert_in_range(s.most_work, 1, 40);
    h->on_preempt = NULL;
    host_destroy(h);
}

static void of_swappable_mappings(void **state)
{
    (void)state;
    storm(2);
}

static void of_mappings_that_hold(void **state)
{
    (void)state;
    storm(0);
}

static void of_both(void **state)
{
    (void)state;
    storm(1);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_swappable_mappings),
        cmocka_unit_test(of_mappings_that_hold),
        cmocka_unit_test(of_both),
    };

    if (argc > 1)
        nr_balloons = strtoull(argv[1], NULL, 10);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
