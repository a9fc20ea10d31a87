/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two threads without a lock on disjoint ranges of one table: they race to link the same upper
 * tables, while a third looks on through a walker. Meant for ThreadSanitizer as well.
 */
#define _POSIX_C_SOURCE 200809L /* barriers */
#include "machine.h"

#include <stdatomic.h>

#define BASE   0x1000u /* mfn = dfn + BASE for every mapping here: anything else is a mix */
#define ROUNDS 300u

struct shared {
    struct machine m;
    struct pgtable pt;
    pthread_barrier_t barrier;
    atomic_bool stop;
    unsigned parity_lg2; /* threads own alternating stretches of 1 << parity_lg2 frames */
};

struct worker {
    struct shared *s;
    unsigned who;
};

static void must(bool condition)
{
    if (!condition)
        abort(); /* cmocka's asserts only work in the main thread */
}

static void map_own(struct shared *s, uint64_t dfn, uint64_t nr)
{
    for (uint64_t done; nr; dfn += done, nr -= done)
        must(!pt_map(&s->pt, dfn_of(dfn), mfn_of(dfn + BASE), nr, 63, PT_READ | PT_WRITE, &done));
}

static void unmap_own(struct shared *s, uint64_t dfn, uint64_t nr)
{
    for (uint64_t done; nr; dfn += done, nr -= done) {
        struct pt_freed freed = {0};

        must(!pt_unmap(&s->pt, dfn_of(dfn), nr, &freed, &done));
        must(freed.run[0].first.n == dfn + BASE && freed.run[0].nr == done);
    }
}

static void check_own(struct shared *s, uint64_t dfn, uint64_t nr)
{
    struct pt_leaf leaf;

    must(!pt_check(&s->pt, dfn_of(dfn), nr));
    must(!pt_lookup(&s->pt, dfn_of(dfn + nr - 1), 1, &leaf));
    must(leaf.mfn.n == dfn + nr - 1 + BASE);
    if (!s->pt.geo.noncoherent)
        return;
    /* What this thread mapped, a non-coherent walker sees, whoever linked the tables. */
    must(!pt_trace(&s->pt.geo, s->pt.root, dfn << FRAME_LG2, machine_read_seen, &s->m, &leaf));
    must(leaf.mfn.n == dfn + BASE);
}

/* All tables are new in each round; both need them at once. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct shared *s = w->s;
    uint64_t stretch = UINT64_C(1) << s->parity_lg2;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t at = ((uint64_t)round << 20) % pt_nr_dfns(&s->pt) / 2;

        at &= ~(2 * stretch - 1);
        pthread_barrier_wait(&s->barrier);
        for (unsigned i = 0; i < 4; i++) {
            uint64_t dfn = at + (2 * i + w->who) * stretch;

            map_own(s, dfn, stretch);
            check_own(s, dfn, stretch);
        }
        pthread_barrier_wait(&s->barrier);
        for (unsigned i = 0; i < 4; i++)
            unmap_own(s, at + (2 * i + w->who) * stretch, stretch);
        pthread_barrier_wait(&s->barrier);
        if (!w->who) {
            dfn_t cursor = dfn_of(0);
            uint64_t last = pt_nr_dfns(&s->pt) - 1;

            while (cursor.n <= last) {
                mfn_t pages[8];

                pt_free_pages(&s->pt, pages, pt_prune(&s->pt, &cursor, dfn_of(last), pages, 8));
            }
            must(s->m.pages.used == 1);
        }
    }
    return NULL;
}

static void race(enum pt_format_id id, unsigned levels, unsigned parity_lg2, bool noncoherent)
{
    struct shared *s = calloc(1, sizeof(*s));
    struct pt_geometry geo = machine_geometry(id, levels);
    struct worker worker[2] = {{s, 0}, {s, 1}};
    pthread_t thread[2];

    assert_non_null(s);
    geo.noncoherent = noncoherent;
    machine_init(&s->m);
    s->parity_lg2 = parity_lg2;
    assert_int_equal(pt_init(&s->pt, &geo, &s->m.pages), 0);
    assert_int_equal(pthread_barrier_init(&s->barrier, NULL, 2), 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    pthread_barrier_destroy(&s->barrier);
    assert_int_equal(machine_reap(&s->pt), 0);
    machine_fini(&s->m);
    free(s);
}

static void same_tables(void **state)
{
    (void)state;
    for (unsigned nc = 0; nc < 2; nc++) {
        race(PT_FORMAT_VTDSS, 4, 0, nc);
        race(PT_FORMAT_VTDSS, 3, 6, nc);
        race(PT_FORMAT_X86, 5, 3, nc);
        race(PT_FORMAT_AMDV1, 4, 4, nc);
        race(PT_FORMAT_LPAE1, 4, 2, nc);
        race(PT_FORMAT_LPAE2, 3, 9, nc);
        race(PT_FORMAT_FAKE, 4, 5, nc);
        race(PT_FORMAT_FAKE, 2, 1, nc);
    }
}

/* A walker beside a thread that maps, splits and unmaps: old, nothing or new, never a mix. */
static void *look_on(void *arg)
{
    struct shared *s = arg;

    for (uint64_t i = 0; !atomic_load(&s->stop); i++) {
        uint64_t dfn = 2048 + i * 7 % 1024;
        struct pt_leaf leaf;

        if (!pt_trace(&s->pt.geo, s->pt.root, dfn << FRAME_LG2, machine_read_arena, &s->m, &leaf))
            must(leaf.mfn.n == dfn + 2048);
        if (!pt_lookup(&s->pt, dfn_of(dfn), 1, &leaf))
            must(leaf.mfn.n == dfn + 2048);
    }
    return NULL;
}

static void beside_walker(void **state)
{
    static const enum pt_format_id ids[] = {PT_FORMAT_VTDSS, PT_FORMAT_AMDV1};

    (void)state;
    for (unsigned k = 0; k < 2; k++) {
        struct shared *s = calloc(1, sizeof(*s));
        struct pt_geometry geo = machine_geometry(ids[k], 4);
        pthread_t thread;

        assert_non_null(s);
        machine_init(&s->m);
        assert_int_equal(pt_init(&s->pt, &geo, &s->m.pages), 0);
        assert_int_equal(pthread_create(&thread, NULL, look_on, s), 0);
        for (unsigned i = 0; i < 500; i++) {
            struct pt_freed freed = {0};
            uint64_t done;
            bool split;

            assert_int_equal(
                machine_map(&s->pt, 2048, 4096, 1024, i % 2 ? 63 : 14, PT_READ | PT_WRITE, &done),
                0);
            assert_int_equal(pt_split(&s->pt, dfn_of(2048 + i), 12, &split), 0);
            assert_int_equal(machine_unmap(&s->pt, 2048, 1024, &freed, &done), 0);
        }
        atomic_store(&s->stop, true);
        pthread_join(thread, NULL);
        machine_reap(&s->pt);
        machine_fini(&s->m);
        free(s);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_tables),
        cmocka_unit_test(beside_walker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
